//! The trace: one line for every improvement of a class' best.

use serde::{Deserialize, Serialize};

/// A candidate that became the best of a class. `trace.jsonl` holds one a line, in order
/// of evaluation, so that every curve of a report can be rebuilt from it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Improvement {
    /// Number of the evaluation, from 1.
    pub evaluation: u64,
    /// Class index.
    pub class: usize,
    /// New best log-odds of the class.
    pub log_odds: f64,
    /// The same as a posterior.
    pub posterior: f64,
    /// Emitter that proposed the candidate.
    pub emitter: String,
    /// Move that made it, if it was varied.
    pub made_by: Option<String>,
    /// Evaluation number of its parent.
    pub parent: Option<u64>,
}
