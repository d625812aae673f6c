//! Intervals of a proportion that assume independent answers.

use libm::sqrt;
use serde::{Deserialize, Serialize};

use crate::special::{beta_quantile, normal_quantile};

/// A closed interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

impl Interval {
    /// Whether `value` lies inside, ends included.
    pub fn contains(&self, value: f64) -> bool {
        self.low <= value && value <= self.high
    }
}

/// Wilson's score interval (1927) of `hits` out of `total` at confidence `level` in (0, 1);
/// [0, 1] for no answers.
pub fn wilson(hits: u64, total: u64, level: f64) -> Interval {
    if total == 0 {
        return Interval { low: 0.0, high: 1.0 };
    }
    let n = total as f64;
    let rate = hits as f64 / n;
    let z = normal_quantile(0.5 + 0.5 * level);
    let spread = z * sqrt(rate * (1.0 - rate) / n + z * z / (4.0 * n * n));
    let centre = rate + z * z / (2.0 * n);
    let scale = 1.0 + z * z / n;
    Interval {
        low: if hits == 0 { 0.0 } else { (centre - spread) / scale },
        high: if hits == total { 1.0 } else { (centre + spread) / scale },
    }
}

/// The exact interval of Clopper and Pearson (1934): covers at least `level`, often more.
pub fn clopper_pearson(hits: u64, total: u64, level: f64) -> Interval {
    let tail = 0.5 * (1.0 - level);
    let (k, n) = (hits as f64, total as f64);
    Interval {
        low: if hits == 0 { 0.0 } else { beta_quantile(k, n - k + 1.0, tail) },
        high: if hits >= total { 1.0 } else { beta_quantile(k + 1.0, n - k, 1.0 - tail) },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::binomial::pmf;

    #[test]
    fn exact_interval_covers_and_wilson_covers_on_average() {
        // Coverage by summing the outcomes whose interval holds the truth: no sampling.
        let n = 40;
        let coverage = |interval: fn(u64, u64, f64) -> Interval, p: f64| -> f64 {
            (0..=n).filter(|&k| interval(k, n, 0.95).contains(p)).map(|k| pmf(k, n, p)).sum()
        };
        let truths: Vec<f64> = (1..200).map(|i| f64::from(i) / 200.0).collect();
        assert!(truths.iter().all(|&p| coverage(clopper_pearson, p) >= 0.95 - 1e-12));
        let mean = truths.iter().map(|&p| coverage(wilson, p)).sum::<f64>() / truths.len() as f64;
        assert!((0.945..0.96).contains(&mean), "{mean}");
    }

    #[test]
    fn published_example_and_ends() {
        // 7 of 20: 0.1539 to 0.5922 (any table of exact limits).
        let interval = clopper_pearson(7, 20, 0.95);
        assert!((interval.low - 0.1539).abs() < 5e-5 && (interval.high - 0.5922).abs() < 5e-5);
        assert_eq!(clopper_pearson(0, 0, 0.95), Interval { low: 0.0, high: 1.0 });
        assert_eq!(wilson(0, 10, 0.95).low, 0.0);
        assert_eq!(wilson(10, 10, 0.95).high, 1.0);
    }
}
