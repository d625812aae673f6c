//! What emitters see, propose and learn from.

use trompe_base::random::{Stream, stream};

use crate::search::archive::Archive;

/// Sanity bound on deserialized counters: more than any search counts to, and far from overflow.
pub(in crate::search) const MAX_COUNT: u64 = 1 << 48;

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
    pub(super) fn stream(&self, emitter: u64, slot: usize) -> Stream {
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

/// Numbers of the emitters in the key of a random stream: part of the file format.
pub(super) mod number {
    pub(in crate::search::emitters) const RANDOM: u64 = 0;
    pub(in crate::search::emitters) const MAP_ELITES: u64 = 1;
    pub(in crate::search::emitters) const CLIMBER: u64 = 2;
    pub(in crate::search::emitters) const GRADIENT_ASCENT: u64 = 3;
}
