//! Emitters propose candidates (`ask`) and learn from their scores (`tell`); the terms are
//! those of the quality-diversity literature.

mod climber;
mod gradient_ascent;
mod map_elites;
mod proposal;
mod random;

use serde::{Deserialize, Serialize};

pub use climber::Climber;
pub use gradient_ascent::GradientAscent;
pub use map_elites::MapElites;
pub(super) use proposal::MAX_COUNT;
pub use proposal::{EmitterContext, Evaluated, Proposal};
pub use random::Random;

use super::settings::EmitterSettings;
use crate::problem::{Problem, Space, Victim};
use crate::search::archive::Rules;

/// An emitter with its state, as a checkpoint keeps it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Emitter<G> {
    /// Independent random candidates.
    Random(Random),
    /// MAP-Elites.
    MapElites(MapElites),
    /// One hill climber per class.
    Climber(Climber<G>),
    /// Up the gradient.
    GradientAscent(GradientAscent<G>),
}

impl<G: Clone + PartialEq> Emitter<G> {
    /// Whether a search of these settings, classes and moves can have come to this state: one
    /// that was read from a file may be any.
    pub fn fits(&self, settings: &EmitterSettings, classes: usize, moves: usize) -> bool {
        match (self, settings) {
            (Self::Random(emitter), EmitterSettings::Random(s)) => emitter.fits(s),
            (Self::MapElites(emitter), EmitterSettings::MapElites(s)) => emitter.fits(s),
            (Self::Climber(emitter), EmitterSettings::Climber(s)) => {
                emitter.fits(s, classes, moves)
            }
            (Self::GradientAscent(emitter), EmitterSettings::GradientAscent(s)) => {
                emitter.fits(s, classes)
            }
            _ => false,
        }
    }

    /// The genomes that it goes on from, beside those of the archive.
    pub fn genomes(&self) -> Vec<&G> {
        match self {
            Self::Climber(emitter) => emitter.genomes(),
            Self::GradientAscent(emitter) => emitter.genomes(),
            Self::Random(_) | Self::MapElites(_) => Vec::new(),
        }
    }

    /// The emitter that `settings` ask for, for `classes` classes and `moves` moves.
    pub fn new(settings: &EmitterSettings, classes: usize, moves: usize) -> Self {
        match settings {
            EmitterSettings::Random(s) => Self::Random(Random::new(s.clone())),
            EmitterSettings::MapElites(s) => Self::MapElites(MapElites::new(s.clone())),
            EmitterSettings::Climber(s) => Self::Climber(Climber::new(s.clone(), classes, moves)),
            EmitterSettings::GradientAscent(s) => {
                Self::GradientAscent(GradientAscent::new(s.clone(), classes))
            }
        }
    }

    /// The candidates of the next generation, at least one.
    pub fn ask<S, V>(
        &mut self,
        problem: &Problem<S, V>,
        context: &EmitterContext<'_, G>,
    ) -> Vec<Proposal<G>>
    where
        S: Space<Genome = G>,
        V: Victim<S::Input>,
    {
        match self {
            Self::Random(emitter) => emitter.ask(problem.space(), context),
            Self::MapElites(emitter) => emitter.ask(problem.space(), context),
            Self::Climber(emitter) => emitter.ask(problem.space(), context),
            Self::GradientAscent(emitter) => emitter.ask(problem, context),
        }
    }

    /// Scores of the candidates last asked for (or of the first of them, at the budget's end);
    /// classes are reached by these `rules`.
    pub fn tell(&mut self, evaluated: &[Evaluated<'_, G>], rules: &Rules) {
        match self {
            Self::Climber(emitter) => emitter.tell(evaluated, rules),
            Self::GradientAscent(emitter) => emitter.tell(evaluated, rules),
            Self::Random(_) | Self::MapElites(_) => {}
        }
    }
}
