//! Sensitivity behind the share of right answers in ABX (Macmillan and Creelman, Detection
//! Theory, 2nd edition, 2005, chapter 9), for listeners without bias to A or B.

use crate::special::normal_cdf;

/// How a listener decides which of A and B is X.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strategy {
    /// By the smaller of the differences A - X and B - X: what is expected where pairs vary
    /// from trial to trial.
    Differencing,
    /// By the likelihood of all three sounds, heard independently: the best possible, with
    /// the same pair all the time.
    IndependentObservation,
}

/// Share of right answers of an unbiased listener of sensitivity `d_prime`.
pub fn abx_share(d_prime: f64, strategy: Strategy) -> f64 {
    let divisor = match strategy {
        Strategy::Differencing => libm::sqrt(6.0),
        Strategy::IndependentObservation => 2.0,
    };
    let (a, b) = (d_prime / std::f64::consts::SQRT_2, d_prime / divisor);
    normal_cdf(a) * normal_cdf(b) + normal_cdf(-a) * normal_cdf(-b)
}

/// Sensitivity of an unbiased listener with this share of right answers: 0 at one half and
/// below, `None` (infinite) at 1.
pub fn abx_d_prime(share: f64, strategy: Strategy) -> Option<f64> {
    if share >= 1.0 || share.is_nan() {
        return None;
    }
    // 40 lies beyond every share below 1 that a double can hold
    let (mut low, mut high) = (0.0, 40.0);
    if share <= 0.5 {
        return Some(low);
    }
    while high - low > 1e-13 * high {
        let middle = 0.5 * (low + high);
        if middle <= low || middle >= high {
            break;
        }
        if abx_share(middle, strategy) < share {
            low = middle;
        } else {
            high = middle;
        }
    }
    Some(0.5 * (low + high))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn ends_and_order() {
        for strategy in [Strategy::Differencing, Strategy::IndependentObservation] {
            assert_eq!(abx_d_prime(0.3, strategy), Some(0.0));
            assert_eq!(abx_d_prime(1.0, strategy), None);
            assert!((abx_share(0.0, strategy) - 0.5).abs() < 1e-15);
            let back = abx_share(abx_d_prime(0.8, strategy).unwrap(), strategy);
            assert!((back - 0.8).abs() < 1e-12);
        }
        // differencing wastes information: more sensitivity for the same share
        let d = |strategy| abx_d_prime(0.75, strategy).unwrap();
        assert!(d(Strategy::Differencing) > d(Strategy::IndependentObservation));
    }
}
