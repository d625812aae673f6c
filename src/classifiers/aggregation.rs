//! How the scores of an excerpt's vectors become one score of the excerpt.

use serde::{Deserialize, Serialize};

/// How a score per vector becomes a score per excerpt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Aggregation {
    /// Sum over the vectors: evidence grows with the excerpt's length, so only excerpts of
    /// equal length compare.
    Sum,
    /// Mean over the vectors.
    Mean,
}

impl Aggregation {
    /// What the sum over `vectors` vectors is multiplied by.
    pub(crate) fn factor(self, vectors: usize) -> f64 {
        match self {
            Self::Sum => 1.0,
            Self::Mean => 1.0 / vectors as f64,
        }
    }
}
