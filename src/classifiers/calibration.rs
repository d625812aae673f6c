//! Calibration: posteriors that mean what they say, from held-out scores.
//!
//! A classifier's own posterior need not be a probability: AdaBoost's 1 / (1 + exp(-2 f))
//! of its vote grows with the rounds of boosting. Platt (1999) fits a logistic regression
//! from scores to labels; here it is multinomial, from all classes' standardized log-odds
//! of an excerpt to its class. The scores must come from classifiers that were not trained on
//! the excerpt or its group (cross-validation). The result is reported beside the raw
//! posterior, never in its place: the raw one is what is fooled.

use ndarray::{Array1, Array2};
use serde::{Deserialize, Serialize};

use super::posterior_from_log_odds;
use super::softmax_regression::{SoftmaxRegression, log_odds_from_logits};
use crate::error::{Error, Result};

/// Weight of the penalty against the summed loss (linfa's default; our choice).
const PENALTY: f64 = 1.0;

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
    /// Fits held-out `log_odds` (one row an excerpt, one column a class) to the excerpts'
    /// classes; every class must occur.
    ///
    /// # Errors
    /// [`Error::Request`] when lengths differ, a number is not finite or a class is missing;
    /// [`Error::Numeric`] when no minimum was found.
    pub fn fit(log_odds: &Array2<f64>, labels: &[usize]) -> Result<Self> {
        let (excerpts, classes) = log_odds.dim();
        if labels.len() != excerpts {
            let what = format!("calibration: {excerpts} scores, {} labels", labels.len());
            return Err(Error::request(what, "give one label a score"));
        }
        if log_odds.iter().any(|value| !value.is_finite()) {
            return Err(Error::request("calibration: a score is not finite", "check the features"));
        }
        if let Some(class) = (0..classes).find(|class| !labels.contains(class)) {
            let what = format!("calibration: no held-out excerpt of class number {class}");
            return Err(Error::request(what, "hold out excerpts of every class"));
        }
        let fit = SoftmaxRegression::fit_standardized(log_odds, labels, classes, PENALTY)?;
        Ok(Self {
            weights: fit.weights.outer_iter().map(|row| row.to_vec()).collect(),
            intercepts: fit.intercepts.to_vec(),
            excerpts,
        })
    }

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
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::dataset::generated::{normal, uniform};
    use crate::search::stream::stream;

    /// True posterior logistic(t) of class 1, overstated as log-odds of 8 t.
    fn overconfident(excerpts: usize, seed: u64) -> (Array2<f64>, Vec<usize>, Vec<f64>) {
        let mut rng = stream(seed, 0, 0, 0);
        let (mut odds, mut labels, mut truth) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..excerpts {
            let t = 1.5 * normal(&mut rng);
            let posterior = posterior_from_log_odds(t);
            labels.push(usize::from(uniform(&mut rng) < posterior));
            odds.extend([-8.0 * t, 8.0 * t]);
            truth.push(posterior);
        }
        (Array2::from_shape_vec((excerpts, 2), odds).unwrap(), labels, truth)
    }

    #[test]
    fn overconfident_scores_become_the_true_posteriors() {
        let (odds, labels, _) = overconfident(4000, 1);
        let calibration = Calibration::fit(&odds, &labels).unwrap();
        let (odds, _, truth) = overconfident(500, 2);
        for (odds, truth) in odds.outer_iter().zip(truth) {
            let posteriors = calibration.posteriors(odds.as_slice().unwrap());
            assert!((posteriors[1] - truth).abs() < 0.05, "{posteriors:?} {truth}");
            assert!((posteriors[0] + posteriors[1] - 1.0).abs() < 1e-12);
        }
    }

    #[test]
    fn scores_of_any_size_give_the_same_posteriors() {
        let (odds, labels, _) = overconfident(200, 3);
        let small = Calibration::fit(&odds, &labels).unwrap();
        let large = Calibration::fit(&odds.mapv(|value| 1000.0 * value), &labels).unwrap();
        for row in odds.outer_iter() {
            let a = small.posteriors(row.as_slice().unwrap());
            let b = large.posteriors(row.mapv(|value| 1000.0 * value).as_slice().unwrap());
            assert!((a[0] - b[0]).abs() < 1e-5, "{a:?} {b:?}");
        }
    }

    #[test]
    fn what_cannot_be_calibrated_is_refused() {
        let (odds, labels, _) = overconfident(20, 1);
        let fails = |odds: &Array2<f64>, labels: &[usize]| {
            Calibration::fit(odds, labels).unwrap_err().to_string()
        };
        assert!(fails(&odds, &labels[1..]).contains("19 labels"));
        assert!(fails(&odds, &[0; 20]).contains("class number 1"));
        let mut nan = odds.clone();
        nan[[3, 0]] = f64::NAN;
        assert!(fails(&nan, &labels).contains("not finite"));
    }
}
