//! Bayesian estimate of an accuracy from a count of hits: beta prior, binomial answers.
//! It assumes independent answers; [`crate::mixed_model::Posterior`] does not.

use libm::{exp, log, log1p};
use serde::{Deserialize, Serialize};

use crate::intervals::Interval;
use crate::special::{beta_cdf, beta_quantile, ln_beta};

/// A Beta(`a`, `b`) prior; `a = b = 1` is uniform.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Prior {
    /// First parameter, positive.
    pub a: f64,
    /// Second parameter, positive.
    pub b: f64,
}

/// Posterior of an accuracy.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// Posterior mean.
    pub mean: f64,
    /// Central credible interval.
    pub interval: Interval,
    /// Posterior probability that the accuracy is above chance.
    pub above_chance: f64,
    /// Posterior probability of the region of practical equivalence.
    pub in_region: f64,
    /// Bayes factor for "exactly chance" against the prior; above 1 speaks for chance.
    /// `None` where the estimate does not define one.
    pub factor_for_chance: Option<f64>,
}

/// Estimates the accuracy behind `hits` of `total`. `chance` in (0, 1); `region` is the
/// range of accuracies that count as chance in practice (Kruschke 2018).
pub fn estimate(
    hits: u64,
    total: u64,
    prior: Prior,
    chance: f64,
    region: Interval,
    level: f64,
) -> Estimate {
    let (k, n) = (hits as f64, total as f64);
    let (a, b) = (prior.a + k, prior.b + n - k);
    let tail = 0.5 * (1.0 - level);
    let log_factor =
        k * log(chance) + (n - k) * log1p(-chance) + ln_beta(prior.a, prior.b) - ln_beta(a, b);
    Estimate {
        mean: a / (a + b),
        interval: Interval {
            low: beta_quantile(a, b, tail),
            high: beta_quantile(a, b, 1.0 - tail),
        },
        above_chance: beta_cdf(b, a, 1.0 - chance),
        in_region: beta_cdf(a, b, region.high) - beta_cdf(a, b, region.low),
        factor_for_chance: Some(exp(log_factor)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uniform_prior_by_hand() {
        let region = Interval { low: 0.4, high: 0.6 };
        let flat = Prior { a: 1.0, b: 1.0 };
        let none = estimate(0, 0, flat, 0.5, region, 0.9);
        assert!((none.mean - 0.5).abs() < 1e-15 && (none.in_region - 0.2).abs() < 1e-12);
        assert!((none.interval.low - 0.05).abs() < 1e-12);
        assert!((none.factor_for_chance.unwrap_or(0.0) - 1.0).abs() < 1e-12);
        // One hit of one: density 2x, so P(x > .5) = .75 and the factor is .5 over 1/2.
        let one = estimate(1, 1, flat, 0.5, region, 0.9);
        assert!((one.mean - 2.0 / 3.0).abs() < 1e-15 && (one.above_chance - 0.75).abs() < 1e-12);
        assert!((one.factor_for_chance.unwrap_or(0.0) - 1.0).abs() < 1e-12);
    }
}
