//! Gradient ascent: each class that still wants exhibits follows the gradient of its log-odds
//! from a random start (Nguyen, Yosinski & Clune 2015), for problems that know
//! their gradient. An ascent ends when it reaches its class or after so many steps.

use serde::{Deserialize, Serialize};

use super::proposal::{EmitterContext, Evaluated, MAX_COUNT, Proposal, number};
use crate::problem::{Problem, Space, Victim};
use crate::search::archive::Rules;
use crate::search::settings::GradientAscentSettings;

/// Proposes the next step of every open class' ascent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GradientAscent<G> {
    settings: GradientAscentSettings,
    ascents: Vec<Option<Ascent<G>>>,
}

/// Where one class stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Ascent<G> {
    genome: G,
    evaluation: u64,
    /// Whether it reaches its class.
    reaches: bool,
    steps: usize,
}

impl<G: Clone> GradientAscent<G> {
    /// Whether a search of these settings and classes can have come to this state.
    pub(super) fn fits(&self, settings: &GradientAscentSettings, classes: usize) -> bool {
        let counted = |ascent: &Ascent<G>| (ascent.steps as u64) < MAX_COUNT;
        self.settings == *settings
            && self.ascents.len() == classes
            && self.ascents.iter().flatten().all(counted)
    }

    /// The genomes it goes on from.
    pub(super) fn genomes(&self) -> Vec<&G> {
        self.ascents.iter().flatten().map(|ascent| &ascent.genome).collect()
    }

    pub(super) fn new(settings: GradientAscentSettings, classes: usize) -> Self {
        Self { settings, ascents: vec![None; classes] }
    }

    pub(super) fn ask<S, V>(
        &mut self,
        problem: &Problem<S, V>,
        context: &EmitterContext<'_, G>,
    ) -> Vec<Proposal<G>>
    where
        S: Space<Genome = G>,
        V: Victim<S::Input>,
    {
        let open = (0..self.ascents.len()).filter(|&class| context.open[class]);
        let mut proposals = Vec::new();
        for class in open {
            let ascent = &mut self.ascents[class];
            let ended =
                |ascent: &mut Ascent<G>| ascent.reaches || ascent.steps >= self.settings.steps;
            ascent.take_if(ended);
            let step = ascent.as_ref().and_then(|ascent| {
                Some((problem.ascend(&ascent.genome, class)?, ascent.evaluation))
            });
            let proposal = match step {
                Some((genome, parent)) => {
                    Proposal { parent: Some(parent), ..Proposal::drawn(genome) }
                }
                None => {
                    let slot = proposals.len();
                    let mut rng = context.stream(number::GRADIENT_ASCENT, slot);
                    Proposal::drawn(problem.space().sample(&mut rng))
                }
            };
            proposals.push(Proposal { class: Some(class), ..proposal });
        }
        proposals
    }

    pub(super) fn tell(&mut self, evaluated: &[Evaluated<'_, G>], rules: &Rules) {
        for result in evaluated {
            let Some(class) = result.proposal.class else { continue };
            let steps = self.ascents[class].as_ref().map_or(0, |before| before.steps + 1);
            self.ascents[class] = Some(Ascent {
                genome: result.proposal.genome.clone(),
                evaluation: result.evaluation,
                reaches: rules.reaches(result.log_odds, class),
                steps,
            });
        }
    }
}
