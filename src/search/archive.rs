//! The archive: one niche per class, where every candidate competes by its whole vector of
//! log-odds (Nguyen, Yosinski & Clune 2015 keep one champion per class; here a niche keeps
//! up to `m`, no two of them near-copies).

use serde::{Deserialize, Serialize};

/// A candidate that an archive keeps.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Elite<G> {
    /// Number of the evaluation that found it, from 1.
    pub evaluation: u64,
    /// Evaluation number of its parent, if it was varied from one.
    pub parent: Option<u64>,
    /// Name of the emitter that proposed it.
    pub emitter: String,
    /// Name of the move that made it, if it was varied.
    pub made_by: Option<String>,
    /// One log-odds per class.
    pub log_odds: Vec<f64>,
    /// The genome.
    pub genome: G,
}

/// One niche per class, each with its elites, best first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Archive<G> {
    /// Elites per class, best first.
    pub niches: Vec<Vec<Elite<G>>>,
}
