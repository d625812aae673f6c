//! The axis of posteriors: linear in log-odds, labelled with posteriors, so that 0.99 and
//! 0.9999 are as far apart as 0.5 and 0.99.

use crate::classifiers::log_odds_from_posterior;

/// Posteriors that an axis may label, with their labels.
const LABELS: [(f64, &str); 12] = [
    (0.000001, "10⁻⁶"),
    (0.0001, ".0001"),
    (0.001, ".001"),
    (0.01, ".01"),
    (0.1, ".1"),
    (0.5, ".5"),
    (0.9, ".9"),
    (0.99, ".99"),
    (0.999, ".999"),
    (0.9999, ".9999"),
    (0.99999, ".99999"),
    (0.999999, "1−10⁻⁶"),
];

/// A stretch of log-odds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct LogOddsAxis {
    low: f64,
    high: f64,
}

impl LogOddsAxis {
    /// From posterior 0.0001 to 0.9999, with 0.5 in the middle.
    pub(super) fn symmetric() -> Self {
        let high = log_odds_from_posterior(0.9999);
        Self { low: -high, high }
    }

    /// Covers 0.1 to 0.9999 and `values`, as far as 10⁻⁶ and 1 − 10⁻⁶.
    pub(super) fn around(values: impl Iterator<Item = f64>) -> Self {
        let start =
            Self { low: log_odds_from_posterior(0.1), high: log_odds_from_posterior(0.9999) };
        let limit = log_odds_from_posterior(0.999999);
        let covered = values.fold(start, |axis, value| Self {
            low: axis.low.min(value),
            high: axis.high.max(value),
        });
        Self { low: covered.low.max(-limit) - 0.4, high: covered.high.min(limit) + 0.4 }
    }

    /// Where `log_odds` lies, from 0 at the low end to 1 at the high end; values outside
    /// lie at the ends.
    pub(super) fn position(&self, log_odds: f64) -> f64 {
        ((log_odds - self.low) / (self.high - self.low)).clamp(0.0, 1.0)
    }

    /// Position and label of every labelled posterior on the axis.
    pub(super) fn ticks(&self) -> Vec<(f64, &'static str)> {
        LABELS
            .iter()
            .map(|&(posterior, label)| (log_odds_from_posterior(posterior), label))
            .filter(|(log_odds, _)| (self.low..=self.high).contains(log_odds))
            .map(|(log_odds, label)| (self.position(log_odds), label))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use approx::assert_abs_diff_eq;

    use super::*;

    #[test]
    fn a_half_is_the_middle_and_ends_hold() {
        let axis = LogOddsAxis::symmetric();
        assert_abs_diff_eq!(axis.position(0.0), 0.5);
        assert_eq!(axis.position(-50.0), 0.0);
        assert_eq!(axis.position(50.0), 1.0);
        let middle = axis.position(log_odds_from_posterior(0.99));
        assert_abs_diff_eq!(middle, 0.75, epsilon = 1e-3);
    }

    #[test]
    fn the_axis_covers_what_it_shows() {
        let labels = |values: &[f64]| -> Vec<&str> {
            LogOddsAxis::around(values.iter().copied()).ticks().iter().map(|t| t.1).collect()
        };
        assert_eq!(labels(&[]), [".1", ".5", ".9", ".99", ".999", ".9999"]);
        assert_eq!(labels(&[-5.0]).first(), Some(&".01"));
        assert_eq!(labels(&[99.0]).last(), Some(&"1−10⁻⁶"));
        let positions = LogOddsAxis::around([-7.0, 12.0].into_iter()).ticks();
        assert!(positions.windows(2).all(|pair| pair[0].0 < pair[1].0));
    }
}
