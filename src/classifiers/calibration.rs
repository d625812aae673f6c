//! Calibration: posteriors that mean what they say, from held-out scores.
//!
//! A classifier's own posterior need not be a probability: AdaBoost's 1 / (1 + exp(-2 f))
//! of its vote grows with the rounds of boosting. Platt (1999) fits a logistic regression
//! from scores to labels; here it is multinomial, from all classes' standardized log-odds
//! of an excerpt to its class. The scores must come from classifiers that were not trained on
//! the excerpt or its group (cross-validation). The result is reported beside the raw
//! posterior, never in its place: the raw one is what is fooled.
//!
//! Where a class has no held-out excerpt, nothing can be said of it by itself. All classes then
//! share one temperature T: their posteriors are the softmax of log-odds / T (Guo et al., *On
//! calibration of modern neural networks*, ICML 2017).

use ndarray::{Array1, Array2};
use serde::{Deserialize, Serialize};

use super::posterior_from_log_odds;
use super::softmax_regression::{SoftmaxRegression, log_odds_from_logits};
use crate::error::{Error, Result};

/// Weight of the penalty against the summed loss (linfa's default; our choice).
const PENALTY: f64 = 1.0;

/// Least and greatest temperature that is looked for (our choice).
pub const TEMPERATURES: (f64, f64) = (1e-3, 1e6);

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
        check_scores(log_odds, labels)?;
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

    /// Fits one temperature for all classes, some of which may have no held-out excerpt: the
    /// one of greatest likelihood, within [`TEMPERATURES`].
    ///
    /// # Errors
    /// [`Error::Request`] when lengths differ, nothing is held out or a number is not finite.
    pub fn fit_temperature(log_odds: &Array2<f64>, labels: &[usize]) -> Result<Self> {
        let (excerpts, classes) = log_odds.dim();
        check_scores(log_odds, labels)?;
        if excerpts == 0 {
            return Err(Error::request("calibration: no held-out excerpt", "hold out some"));
        }
        let loss = |inverse: f64| -> f64 {
            let rows = log_odds.outer_iter().zip(labels);
            rows.map(|(row, &label)| {
                let logits = row.iter().map(|value| inverse * value);
                let top = logits.clone().fold(f64::NEG_INFINITY, f64::max);
                let sum: f64 = logits.map(|logit| libm::exp(logit - top)).sum();
                libm::log(sum) + top - inverse * row[label]
            })
            .sum()
        };
        // The loss is convex in 1 / T, so it has one valley along log T, too.
        let (least, most) = (libm::log(TEMPERATURES.0), libm::log(TEMPERATURES.1));
        let best = valley(least, most, |log_temperature| loss(libm::exp(-log_temperature)));
        let inverse = libm::exp(-best);
        let row = |class| (0..classes).map(|k| if k == class { inverse } else { 0.0 }).collect();
        Ok(Self {
            weights: (0..classes).map(row).collect(),
            intercepts: vec![0.0; classes],
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

fn check_scores(log_odds: &Array2<f64>, labels: &[usize]) -> Result<()> {
    let excerpts = log_odds.nrows();
    if labels.len() != excerpts {
        let what = format!("calibration: {excerpts} scores, {} labels", labels.len());
        return Err(Error::request(what, "give one label a score"));
    }
    if log_odds.iter().any(|value| !value.is_finite()) {
        return Err(Error::request("calibration: a score is not finite", "check the features"));
    }
    Ok(())
}

/// Where a function with one valley between `low` and `high` is least, by golden sections.
fn valley(mut low: f64, mut high: f64, function: impl Fn(f64) -> f64) -> f64 {
    let ratio = (libm::sqrt(5.0) - 1.0) / 2.0;
    let inner = |low: f64, high: f64| (high - ratio * (high - low), low + ratio * (high - low));
    let (mut left, mut right) = inner(low, high);
    let (mut at_left, mut at_right) = (function(left), function(right));
    while high - low > 1e-9 {
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

    use trompe_base::random::stream;

    use super::*;
    use crate::dataset::generated::{normal, uniform};

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
    fn one_temperature_serves_classes_that_were_not_held_out() {
        // Log-odds of two classes are 8 times too large; of a third nobody held out anything.
        let (odds, labels, _) = overconfident(4000, 1);
        let three = Array2::from_shape_fn((4000, 3), |(row, class)| match class {
            2 => -600.0,
            _ => odds[[row, class]],
        });
        let calibration = Calibration::fit_temperature(&three, &labels).unwrap();
        // The softmax of -8t and 8t has log-odds 16t: the temperature is near 16.
        assert!((1.0 / calibration.weights[0][0] - 16.0).abs() < 1.0, "{calibration:?}");
        assert!(calibration.fits(3));
        let posteriors = calibration.posteriors(&[-8.0, 8.0, -60.0]);
        assert!((posteriors[1] - posterior_from_log_odds(1.0)).abs() < 0.03, "{posteriors:?}");
        assert!((posteriors.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        // The score of the third class counts for it as for the others.
        assert!(calibration.posteriors(&[-8.0, 0.0, 30.0])[2] > 0.8);
        let none = Array2::zeros((0, 3));
        assert!(Calibration::fit_temperature(&none, &[]).is_err());
        assert!(Calibration::fit_temperature(&three, &labels[1..]).is_err());
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
