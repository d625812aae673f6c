//! The binomial distribution and its exact tests. All of them assume independent answers.

use libm::{exp, lgamma, log, sqrt};

use crate::special::beta_cdf;

/// P(X = k) for X ~ Binomial(n, p), by the saddle-point expansion of Loader (2000), which
/// keeps full relative precision for any n. `p` in [0, 1]; 0 for `k > n`.
pub fn pmf(k: u64, n: u64, p: f64) -> f64 {
    if k > n {
        return 0.0;
    }
    if p <= 0.0 || p >= 1.0 {
        let sure = if p <= 0.0 { 0 } else { n };
        return f64::from(u8::from(k == sure));
    }
    let (hits, total) = (k as f64, n as f64);
    let misses = total - hits;
    if k == 0 {
        return exp(total * libm::log1p(-p));
    }
    if k == n {
        return exp(total * log(p));
    }
    let log_mass = stirling_error(total)
        - stirling_error(hits)
        - stirling_error(misses)
        - deviance(hits, total * p)
        - deviance(misses, total * (1.0 - p));
    sqrt(total / (2.0 * std::f64::consts::PI * hits * misses)) * exp(log_mass)
}

/// ln n! minus Stirling's formula.
fn stirling_error(n: f64) -> f64 {
    if n < 16.0 {
        return lgamma(n + 1.0) - (n + 0.5) * log(n) + n - 0.5 * log(2.0 * std::f64::consts::PI);
    }
    let square = n * n;
    (1.0 / 12.0 - (1.0 / 360.0 - (1.0 / 1260.0 - (1.0 / 1680.0) / square) / square) / square) / n
}

/// `x ln(x / mean) + mean - x`, without cancellation near `x = mean`.
fn deviance(x: f64, mean: f64) -> f64 {
    if (x - mean).abs() >= 0.1 * (x + mean) {
        return x * log(x / mean) + mean - x;
    }
    let ratio = (x - mean) / (x + mean);
    let mut sum = (x - mean) * ratio;
    let mut power = 2.0 * x * ratio;
    for term in 1..1000 {
        power *= ratio * ratio;
        let next = sum + power / f64::from(2 * term + 1);
        if next == sum {
            break;
        }
        sum = next;
    }
    sum
}

/// P(X <= k).
pub fn cdf(k: u64, n: u64, p: f64) -> f64 {
    if k >= n { 1.0 } else { beta_cdf((n - k) as f64, k as f64 + 1.0, 1.0 - p) }
}

/// P(X >= k): the one-sided exact p-value of "more hits than `p` explains".
pub fn at_least(k: u64, n: u64, p: f64) -> f64 {
    match k {
        0 => 1.0,
        _ if k > n => 0.0,
        _ => beta_cdf(k as f64, (n - k) as f64 + 1.0, p),
    }
}

/// Two-sided exact p-value: the probability of all outcomes that are no likelier than `k`.
/// Ties within a relative 1e-7 count as equally likely, as in R and SciPy.
pub fn two_sided(k: u64, n: u64, p: f64) -> f64 {
    let limit = pmf(k, n, p) * (1.0 + 1e-7);
    let extreme: f64 = (0..=n).map(|other| pmf(other, n, p)).filter(|&mass| mass <= limit).sum();
    extreme.min(1.0)
}

/// Exact McNemar test: among pairs that differ, does one side win more often than the
/// other? `first_only` and `second_only` count the pairs where only that side is right.
/// 1 if no pair differs.
pub fn mcnemar(first_only: u64, second_only: u64) -> f64 {
    let differing = first_only + second_only;
    (2.0 * cdf(first_only.min(second_only), differing, 0.5)).min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masses_sum_to_one_and_to_the_tails() {
        for (n, p) in [(1, 0.1), (20, 0.1), (45, 0.5), (1000, 0.003), (1600, 0.1)] {
            let masses: Vec<f64> = (0..=n).map(|k| pmf(k, n, p)).collect();
            assert!((masses.iter().sum::<f64>() - 1.0).abs() < 1e-13, "{n} {p}");
            for k in [0, 1, n / 10, n / 2, n] {
                let below: f64 = masses[..=k as usize].iter().sum();
                assert!((cdf(k, n, p) - below).abs() < 1e-12);
                let above: f64 = masses[k as usize..].iter().sum();
                assert!((at_least(k, n, p) - above).abs() < 1e-12);
            }
        }
    }

    #[test]
    fn ends_are_exact() {
        assert_eq!(pmf(0, 0, 0.3), 1.0);
        assert_eq!(pmf(3, 2, 0.3), 0.0);
        assert_eq!((pmf(0, 5, 0.0), pmf(5, 5, 1.0), pmf(4, 5, 1.0)), (1.0, 1.0, 0.0));
        assert_eq!(mcnemar(0, 0), 1.0);
        assert_eq!(mcnemar(0, 5), 0.0625);
        assert!((two_sided(5, 10, 0.5) - 1.0).abs() < 1e-14);
    }
}
