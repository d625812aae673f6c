//! Calibration by one temperature (Guo, Pleiss, Sun & Weinberger, *On calibration of modern neural
//! networks*, ICML 2017): the one of greatest likelihood on genuine items.
//!
//! | posterior | calibrated posterior |
//! |---|---|
//! | of votes F, and those that a victim states itself | softmax of log-odds / T; the log-odds of a vote are 2 F |
//! | softmax of logits | softmax of ln(posterior) / T, which is softmax of logits / T |
//! | sigmoid of a logit, each tag alone | sigmoid of logit / T |
//! | residual confidence | none: a residual is not a number of evidence, and no map of it is known to us |

use serde::{Deserialize, Serialize};

use crate::log_odds::{PosteriorKind, posterior_from_log_odds};

/// Least and greatest temperature that is looked for (our choice).
pub const TEMPERATURES: (f64, f64) = (1e-3, 1e6);

/// A map from a victim's log-odds to calibrated posteriors.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Temperature {
    /// What logits are divided by.
    pub temperature: f64,
    /// What kind of posterior the log-odds are of.
    pub of: PosteriorKind,
}

impl Temperature {
    /// The temperature of greatest likelihood of items given as (log-odds, class), within
    /// [`TEMPERATURES`]; `None` for posteriors that have no map, and of no items.
    pub fn fit<'r>(
        of: PosteriorKind,
        items: impl Iterator<Item = (&'r [f64], usize)>,
    ) -> Option<Self> {
        let rows: Vec<(Vec<f64>, usize)> = items
            .map(|(log_odds, class)| Some((logits(of, log_odds)?, class)))
            .collect::<Option<_>>()?;
        if rows.is_empty() {
            return None;
        }
        let loss = |log_temperature: f64| -> f64 {
            let temperature = libm::exp(log_temperature);
            rows.iter().map(|(logits, class)| negative_log_share(logits, *class, temperature)).sum()
        };
        // The loss is convex in 1 / T, so it has one valley along ln T, too.
        let (least, most) = (libm::log(TEMPERATURES.0), libm::log(TEMPERATURES.1));
        Some(Self { temperature: libm::exp(valley(least, most, loss)), of })
    }

    /// One calibrated posterior per class; they sum to 1 but where classes are tags.
    pub fn posteriors(&self, log_odds: &[f64]) -> Vec<f64> {
        if self.of == PosteriorKind::Sigmoid {
            let tag = |logit: &f64| posterior_from_log_odds(logit / self.temperature);
            return log_odds.iter().map(tag).collect();
        }
        let Some(logits) = logits(self.of, log_odds) else { return vec![0.0; log_odds.len()] };
        let class = |class| libm::exp(-negative_log_share(&logits, class, self.temperature));
        (0..logits.len()).map(class).collect()
    }

    /// Negative logarithm of the calibrated posterior of `class`.
    pub(super) fn loss(&self, log_odds: &[f64], class: usize) -> Option<f64> {
        Some(negative_log_share(&logits(self.of, log_odds)?, class, self.temperature))
    }

    /// The formula, in words.
    pub fn formula(&self) -> &'static str {
        match self.of {
            PosteriorKind::Softmax => "softmax of logits / T",
            PosteriorKind::LogisticOfVote => "softmax of 2 F / T",
            PosteriorKind::LogisticOfNormalizedVote => "softmax of 2 F / T, F normalized",
            PosteriorKind::Stated => "softmax of log-odds / T",
            PosteriorKind::Sigmoid => "1 / (1 + exp(-logit / T)) of each tag",
            PosteriorKind::ResidualConfidence => "none",
        }
    }
}

/// The logits that are divided by the temperature; `None` for posteriors that have none.
pub(super) fn logits(of: PosteriorKind, log_odds: &[f64]) -> Option<Vec<f64>> {
    match of {
        PosteriorKind::LogisticOfVote
        | PosteriorKind::LogisticOfNormalizedVote
        | PosteriorKind::Stated => Some(log_odds.to_vec()),
        PosteriorKind::Softmax => Some(log_odds.iter().map(|&x| -ln_one_plus_exp(-x)).collect()),
        // Of a tag, each item is a question of two classes, of which this is asked as of a softmax.
        PosteriorKind::Sigmoid | PosteriorKind::ResidualConfidence => None,
    }
}

/// ln(1 + exp(x)).
fn ln_one_plus_exp(x: f64) -> f64 {
    if x > 0.0 { x + libm::log1p(libm::exp(-x)) } else { libm::log1p(libm::exp(x)) }
}

/// -ln of the share of exp(logit / temperature) of `class`.
pub(super) fn negative_log_share(logits: &[f64], class: usize, temperature: f64) -> f64 {
    let top = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let sum: f64 = logits.iter().map(|logit| libm::exp((logit - top) / temperature)).sum();
    libm::log(sum) - (logits[class] - top) / temperature
}

/// Where a function with one valley between `low` and `high` is least, by golden sections.
fn valley(mut low: f64, mut high: f64, function: impl Fn(f64) -> f64) -> f64 {
    let ratio = (libm::sqrt(5.0) - 1.0) / 2.0;
    let inner = |low: f64, high: f64| (high - ratio * (high - low), low + ratio * (high - low));
    let (mut left, mut right) = inner(low, high);
    let (mut at_left, mut at_right) = (function(left), function(right));
    while high - low > 1e-7 {
        if at_left <= at_right {
            (high, right, at_right) = (right, left, at_left);
            left = inner(low, high).0;
            at_left = function(left);
        } else {
            (low, left, at_left) = (left, right, at_right);
            right = inner(low, high).1;
            at_right = function(right);
        }
    }
    0.5 * (low + high)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use trompe_base::random::{normal, stream, uniform};

    use super::*;
    use crate::log_odds::log_odds_from_posterior;

    /// True posterior logistic(t) of class 1, overstated: votes of ±8 t.
    fn overconfident(items: usize, seed: u64) -> Vec<([f64; 2], usize, f64)> {
        let mut rng = stream(seed, 0, 0, 0);
        let one = |_| {
            let t = 1.5 * normal(&mut rng);
            let truth = posterior_from_log_odds(t);
            let class = usize::from(uniform(&mut rng) < truth);
            ([-8.0 * t, 8.0 * t], class, truth)
        };
        (0..items).map(one).collect()
    }

    #[test]
    fn overconfident_votes_become_the_true_posteriors() {
        let items = overconfident(4_000, 1);
        let rows = items.iter().map(|(row, class, _)| (&row[..], *class));
        let fit = Temperature::fit(PosteriorKind::LogisticOfVote, rows).unwrap();
        // The softmax of -8t and 8t has log-odds 16t.
        assert!((fit.temperature - 16.0).abs() < 1.0, "{fit:?}");
        for (row, _, truth) in overconfident(300, 2) {
            let posteriors = fit.posteriors(&row);
            assert!((posteriors[1] - truth).abs() < 0.03, "{posteriors:?} {truth}");
            assert!((posteriors.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        }
    }

    #[test]
    fn a_softmax_is_divided_by_its_temperature() {
        let logits = [3.0, -1.0, 0.5];
        let all: f64 = logits.iter().map(|&z| libm::exp(z)).sum();
        let log_odds = logits.map(|z| log_odds_from_posterior(libm::exp(z) / all));
        let halved = Temperature { temperature: 2.0, of: PosteriorKind::Softmax };
        let powers = logits.map(|z: f64| libm::exp(z / 2.0));
        let sum: f64 = powers.iter().sum();
        for (found, power) in halved.posteriors(&log_odds).into_iter().zip(powers) {
            assert!((found - power / sum).abs() < 1e-12);
        }
    }

    #[test]
    fn residuals_have_no_map() {
        let items = [(&[1.0, -1.0][..], 0)];
        assert_eq!(Temperature::fit(PosteriorKind::ResidualConfidence, items.into_iter()), None);
        assert_eq!(Temperature::fit(PosteriorKind::Softmax, [].into_iter()), None);
    }
}
