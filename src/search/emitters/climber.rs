//! One hill climber per class over a shared archive (ours).
//!
//! Each class that still wants exhibits climbs from one genome by a (1 + children) scheme on an
//! [`objective`]. It switches to an elite of its niche as soon as that is better, no matter which
//! climb found it; moves that have led upward are drawn more often; a class that stalls, or that
//! has just been reached, starts again from the next elite of its niche, or from a random
//! candidate when none is left. An elite at the threshold that carries another label does not
//! reach the class: the climb continues from it.

use rand::RngExt;
use serde::{Deserialize, Serialize};
use trompe_base::random::Stream;

use super::proposal::{EmitterContext, Evaluated, MAX_COUNT, Proposal, number};
use crate::problem::{MoveId, Space};
use crate::search::archive::{Elite, Rules};
use crate::search::settings::ClimberSettings;

/// What the climb of `class` maximizes: the lesser of how far its log-odds lie above the threshold
/// and how far they lie above those of the next class, where classes exclude each other (our choice,
/// made by comparison in docs/compare.md). It is positive where the class is reached, and rises only with what is still
/// missing.
fn objective(log_odds: &[f64], class: usize, rules: &Rules) -> f64 {
    (log_odds[class] - rules.threshold.of(class)).min(rules.labelling.lead(log_odds, class))
}

/// Tries at a child that is no near-copy of an exhibit the class already has.
const REDRAWS: usize = 8;

/// Proposes children of each open class' current genome.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Climber<G> {
    settings: ClimberSettings,
    climbs: Vec<Climb<G>>,
    moves: Vec<MoveRecord>,
}

/// Where one class stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Climb<G> {
    current: Option<Incumbent<G>>,
    /// Children since the last improvement.
    stalled: usize,
    /// Evaluation numbers of elites of the niche that led nowhere.
    exhausted: Vec<u64>,
}

/// A genome to climb from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Incumbent<G> {
    genome: G,
    evaluation: u64,
    objective: f64,
    /// Whether it reaches the class.
    reaches: bool,
}

/// How often a move was tried and led upward.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct MoveRecord {
    tried: u64,
    improved: u64,
}

impl MoveRecord {
    /// Posterior mean of the success rate under a uniform prior.
    fn weight(&self) -> f64 {
        (self.improved + 1) as f64 / (self.tried + 2) as f64
    }
}

impl<G: Clone + PartialEq> Climber<G> {
    /// Whether a search of these settings, classes and moves can have come to this state.
    pub(super) fn fits(&self, settings: &ClimberSettings, classes: usize, moves: usize) -> bool {
        let counted =
            |record: &MoveRecord| record.improved <= record.tried && record.tried < MAX_COUNT;
        self.settings == *settings
            && self.climbs.len() == classes
            && self.climbs.iter().all(|climb| (climb.stalled as u64) < MAX_COUNT)
            && self.moves.len() == moves
            && self.moves.iter().all(counted)
    }

    /// The genomes it goes on from.
    pub(super) fn genomes(&self) -> Vec<&G> {
        let held = self.climbs.iter().filter_map(|climb| climb.current.as_ref());
        held.map(|incumbent| &incumbent.genome).collect()
    }

    pub(super) fn new(settings: ClimberSettings, classes: usize, moves: usize) -> Self {
        let climb = Climb { current: None, stalled: 0, exhausted: Vec::new() };
        Self {
            settings,
            climbs: vec![climb; classes],
            moves: vec![MoveRecord { tried: 0, improved: 0 }; moves],
        }
    }

    pub(super) fn ask<S: Space<Genome = G>>(
        &mut self,
        space: &S,
        context: &EmitterContext<'_, G>,
    ) -> Vec<Proposal<G>> {
        if context.archive.elites().next().is_none() {
            return (0..self.settings.initial)
                .map(|slot| {
                    Proposal::drawn(space.sample(&mut context.stream(number::CLIMBER, slot)))
                })
                .collect();
        }
        let mut proposals = Vec::new();
        for class in (0..self.climbs.len()).filter(|&class| context.open[class]) {
            self.climbs[class].choose_incumbent(class, context, self.settings.patience);
            for _ in 0..self.settings.children {
                let mut rng = context.stream(number::CLIMBER, proposals.len());
                proposals.push(self.propose(space, context, class, &mut rng));
            }
        }
        proposals
    }

    /// One child of the class' incumbent, or a random candidate where it has none.
    fn propose<S: Space<Genome = G>>(
        &self,
        space: &S,
        context: &EmitterContext<'_, G>,
        class: usize,
        rng: &mut Stream,
    ) -> Proposal<G> {
        let near_copy = |genome: &G| {
            let near = |elite: &Elite<G>| {
                space.distance(&elite.genome, genome) < context.archive.rules().min_distance
            };
            context.archive.reaching(class).any(near)
        };
        let mut proposal = self.draw(space, context, class, rng);
        for _ in 0..REDRAWS {
            if !near_copy(&proposal.genome) {
                break;
            }
            proposal = self.draw(space, context, class, rng);
        }
        proposal
    }

    fn draw<S: Space<Genome = G>>(
        &self,
        space: &S,
        context: &EmitterContext<'_, G>,
        class: usize,
        rng: &mut Stream,
    ) -> Proposal<G> {
        let Some(incumbent) = &self.climbs[class].current else {
            return Proposal { class: Some(class), ..Proposal::drawn(space.sample(rng)) };
        };
        let mates = context.archive.niche(rng.random_range(0..context.archive.classes()));
        let mate = match mates.len() {
            0 => &incumbent.genome,
            count => &mates[rng.random_range(0..count)].genome,
        };
        let made_by = self.choose_move(rng);
        Proposal {
            genome: space.vary(&incumbent.genome, mate, made_by, 1.0, rng),
            parent: Some(incumbent.evaluation),
            made_by: Some(made_by),
            class: Some(class),
        }
    }

    /// A move, drawn in proportion to its success rate so far.
    fn choose_move(&self, rng: &mut Stream) -> MoveId {
        let total: f64 = self.moves.iter().map(MoveRecord::weight).sum();
        let mut left = rng.random::<f64>() * total;
        for (id, record) in self.moves.iter().enumerate() {
            left -= record.weight();
            if left < 0.0 {
                return id;
            }
        }
        self.moves.len() - 1
    }

    pub(super) fn tell(&mut self, evaluated: &[Evaluated<'_, G>], rules: &Rules) {
        for result in evaluated {
            let Some(class) = result.proposal.class else { continue };
            let climb = &mut self.climbs[class];
            let improved = climb.offer(result, class, rules);
            // A restart from a random candidate says nothing about any move.
            if let Some(made_by) = result.proposal.made_by {
                let record = &mut self.moves[made_by];
                record.tried += 1;
                record.improved += u64::from(improved);
            }
        }
    }
}

impl<G: Clone> Climb<G> {
    /// Gives up an incumbent that stalled or reached its class, and takes the elite of the niche
    /// with the highest objective that does not reach the class and is not exhausted, if it is
    /// better than what is held.
    fn choose_incumbent(&mut self, class: usize, context: &EmitterContext<'_, G>, patience: usize) {
        let niche = context.archive.niche(class);
        let rules = context.archive.rules();
        if let Some(held) = &self.current
            && (self.stalled >= patience || held.reaches)
        {
            self.exhausted.push(held.evaluation);
            // An elite that has left its niche does not come back.
            self.exhausted.retain(|&gone| niche.iter().any(|elite| elite.evaluation == gone));
            self.current = None;
            self.stalled = 0;
        }
        let mut best = self.current.as_ref().map(|held| held.objective);
        for elite in niche {
            let objective = objective(&elite.log_odds, class, rules);
            if best.is_none_or(|best| objective > best)
                && !rules.reaches(&elite.log_odds, class)
                && !self.exhausted.contains(&elite.evaluation)
            {
                best = Some(objective);
                self.current = Some(Incumbent {
                    genome: elite.genome.clone(),
                    evaluation: elite.evaluation,
                    objective,
                    reaches: false,
                });
                self.stalled = 0;
            }
        }
    }

    /// Moves to the evaluated candidate if it is better; says whether it was.
    fn offer(&mut self, evaluated: &Evaluated<'_, G>, class: usize, rules: &Rules) -> bool {
        let objective = objective(evaluated.log_odds, class, rules);
        let improved = self.current.as_ref().is_none_or(|held| objective > held.objective);
        if improved {
            self.current = Some(Incumbent {
                genome: evaluated.proposal.genome.clone(),
                evaluation: evaluated.evaluation,
                objective,
                reaches: rules.reaches(evaluated.log_odds, class),
            });
            self.stalled = 0;
        } else {
            self.stalled += 1;
        }
        improved
    }
}
