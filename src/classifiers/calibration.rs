//! The calibration of models that earlier versions of trompe wrote: a multinomial logistic
//! regression on all classes' log-odds (Platt 1999). Models now carry a genuine reference with one
//! temperature ([`crate::reference::Temperature`]) in its place; these are still read, and their
//! calibrated posteriors shown.

use ndarray::{Array1, Array2};
use serde::{Deserialize, Serialize};

use super::posterior_from_log_odds;
use super::softmax_regression::{SoftmaxRegression, log_odds_from_logits};

/// A map from a classifier's log-odds to calibrated posteriors.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Calibration {
    /// One row a class: its logit is row . log-odds + intercept.
    pub weights: Vec<Vec<f64>>,
    /// One per class.
    pub intercepts: Vec<f64>,
    /// Number of held-out excerpts it was fitted on.
    pub excerpts: usize,
}

impl Calibration {
    /// Calibrated posteriors of one excerpt's log-odds: they sum to 1.
    pub fn posteriors(&self, log_odds: &[f64]) -> Vec<f64> {
        let classes = self.intercepts.len();
        let fit = SoftmaxRegression {
            weights: Array2::from_shape_fn((classes, log_odds.len()), |(k, j)| self.weights[k][j]),
            intercepts: Array1::from(self.intercepts.clone()),
        };
        let mut logits = vec![0.0; classes];
        fit.logits(log_odds.iter().copied(), &mut logits);
        log_odds_from_logits(&mut logits);
        logits.into_iter().map(posterior_from_log_odds).collect()
    }

    /// Whether it has one finite weight per pair of `classes` classes.
    pub(crate) fn fits(&self, classes: usize) -> bool {
        let finite =
            |values: &[f64]| values.len() == classes && values.iter().all(|v| v.is_finite());
        self.weights.len() == classes
            && self.weights.iter().all(|row| finite(row))
            && finite(&self.intercepts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn posteriors_are_a_softmax_of_weighted_log_odds() {
        let calibration = Calibration {
            weights: vec![vec![0.5, 0.0], vec![0.0, 0.5]],
            intercepts: vec![0.0, 1.0],
            excerpts: 9,
        };
        assert!(calibration.fits(2) && !calibration.fits(3));
        // Logits 1 and 2.
        let posteriors = calibration.posteriors(&[2.0, 2.0]);
        assert!((posteriors[1] - 1.0 / (1.0 + libm::exp(-1.0))).abs() < 1e-12);
        assert!((posteriors.iter().sum::<f64>() - 1.0).abs() < 1e-12);
    }
}
