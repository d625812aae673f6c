//! Emitters propose candidates (`ask`) and learn from their scores (`tell`); the terms are
//! those of the quality-diversity literature.

mod climber;
mod gradient_ascent;
mod map_elites;
mod random;

use serde::{Deserialize, Serialize};

pub use climber::Climber;
pub use gradient_ascent::GradientAscent;
pub use map_elites::MapElites;
pub use random::Random;

use trompe_base::random::{Stream, stream};

use super::archive::Archive;
use super::settings::EmitterSettings;
use crate::problem::{Problem, Space, Victim};

/// Sanity bound on deserialized counters: more than any search counts to, and far from overflow.
pub(super) const MAX_COUNT: u64 = 1 << 48;

/// A candidate to be evaluated.
#[derive(Debug, Clone, PartialEq)]
pub struct Proposal<G> {
    /// The genome.
    pub genome: G,
    /// Evaluation number of the parent, if it was varied from one.
    pub parent: Option<u64>,
    /// Index of the move that made it, if it was varied.
    pub made_by: Option<usize>,
    /// The class it is meant for; it competes in every class all the same.
    pub class: Option<usize>,
}

impl<G> Proposal<G> {
    /// A candidate drawn at random.
    pub fn drawn(genome: G) -> Self {
        Self { genome, parent: None, made_by: None, class: None }
    }
}

/// What an emitter sees when it is asked.
pub struct EmitterContext<'a, G> {
    /// The elites so far.
    pub archive: &'a Archive<G>,
    /// Seed of the run.
    pub seed: u64,
    /// Number of this generation, from 0.
    pub generation: u64,
    /// Which classes still want exhibits.
    pub open: &'a [bool],
}

impl<G> EmitterContext<'_, G> {
    /// The stream of `slot` in this generation, for the emitter numbered `emitter`.
    fn stream(&self, emitter: u64, slot: usize) -> Stream {
        stream(self.seed, emitter, self.generation, slot as u64)
    }
}

/// A proposal with its scores.
pub struct Evaluated<'a, G> {
    /// Number of the evaluation, from 1.
    pub evaluation: u64,
    /// What was proposed.
    pub proposal: &'a Proposal<G>,
    /// One log-odds per class.
    pub log_odds: &'a [f64],
}

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
    /// classes are reached from the log-odds `threshold`.
    pub fn tell(&mut self, evaluated: &[Evaluated<'_, G>], threshold: f64) {
        match self {
            Self::Climber(emitter) => emitter.tell(evaluated, threshold),
            Self::GradientAscent(emitter) => emitter.tell(evaluated, threshold),
            Self::Random(_) | Self::MapElites(_) => {}
        }
    }
}

/// Numbers of the emitters in the key of a random stream: part of the file format.
mod number {
    pub(super) const RANDOM: u64 = 0;
    pub(super) const MAP_ELITES: u64 = 1;
    pub(super) const CLIMBER: u64 = 2;
    pub(super) const GRADIENT_ASCENT: u64 = 3;
}
