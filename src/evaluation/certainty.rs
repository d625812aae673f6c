//! Accuracy of a classifier where its posterior is near 1.

use serde::Serialize;

/// Posteriors at which certainty is counted: where fooling is reported, and below.
pub const THRESHOLDS: [f64; 5] = [0.5, 0.9, 0.99, 0.999, 0.9999];

/// Excerpts whose top posterior reached a threshold.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Certainty {
    /// The threshold.
    pub threshold: f64,
    /// Excerpts whose top class reached it.
    pub claims: u64,
    /// Those among them whose top class is the true one.
    pub right: u64,
}

impl Certainty {
    /// One entry a threshold of [`THRESHOLDS`], from (top posterior, whether the top class
    /// is right) of every excerpt.
    pub fn table(claims: &[(f64, bool)]) -> Vec<Self> {
        THRESHOLDS
            .map(|threshold| {
                let reached = || claims.iter().filter(|(posterior, _)| *posterior >= threshold);
                let right = reached().filter(|(_, right)| *right).count() as u64;
                Self { threshold, claims: reached().count() as u64, right }
            })
            .to_vec()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn claims_are_counted_from_their_threshold_up() {
        let table = Certainty::table(&[(0.4, true), (0.9, false), (0.999, true), (0.9995, false)]);
        let counts: Vec<(u64, u64)> = table.iter().map(|c| (c.claims, c.right)).collect();
        assert_eq!(counts, [(3, 1), (3, 1), (2, 1), (2, 1), (0, 0)]);
    }
}
