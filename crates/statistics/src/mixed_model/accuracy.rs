//! Accuracy of the average listener on the average item: estimate, test, interval, bound.
//!
//! The intercept of a mixed model is the logit of the *median* listener and item; chance,
//! 1/k, is a statement about the *mean*. Both differ as soon as listeners or items do (at an
//! item standard deviation of 1.5, an intercept of logit .1 means an accuracy of .16). So
//! the parameter here is the marginal accuracy mu = E logistic(beta + sd z), and every test
//! is a profile likelihood-ratio test of mu, with both standard deviations re-estimated.
//!
//! The signed root of the ratio is referred to Student's t: in a normal sample of nu + 1
//! values it equals the t statistic through t^2 = nu (exp(r^2 / (nu + 1)) - 1), which undoes
//! what maximum likelihood takes from the standard deviations of few listeners and items.
//! nu is Satterthwaite's (1946) for the three sources of variance. Using this here is our
//! choice; its level and coverage are measured by simulation (`examples/calibration.rs`).

use libm::{exp, sqrt};

use super::Answers;
use super::fit::climb;
use super::laplace::Laplace;
use super::optimizer::{Summit, maximize};
use crate::Undefined;
use crate::intervals::Interval;
use crate::special::{expit, logit, student_quantile, student_sf};

/// E logistic(`intercept` + sqrt(`variance`) z) for standard normal z, with its derivatives
/// by intercept and variance: the trapezoidal rule, which converges geometrically for such
/// integrands. Error below 1e-9 for variances up to 40.
fn mean_of_logistic(intercept: f64, variance: f64) -> (f64, f64, f64) {
    const REACH: i32 = 64;
    const STEP: f64 = 0.125;
    let sd = sqrt(variance.max(0.0));
    let (mut mean, mut slope, mut bend) = (0.0, 0.0, 0.0);
    for place in -REACH..=REACH {
        let z = f64::from(place) * STEP;
        let density = exp(-0.5 * z * z);
        let p = expit(intercept + sd * z);
        let spread = p * (1.0 - p);
        mean += density * p;
        slope += density * spread;
        bend += density * spread * (1.0 - 2.0 * p);
    }
    let scale = STEP / sqrt(2.0 * std::f64::consts::PI);
    // The normal density solves the heat equation: d/d variance is half the second
    // derivative by the intercept.
    (scale * mean, scale * slope, 0.5 * scale * bend)
}

/// Accuracy of the average listener on the average item.
pub fn marginal_accuracy(intercept: f64, participant_sd: f64, item_sd: f64) -> f64 {
    mean_of_logistic(intercept, participant_sd * participant_sd + item_sd * item_sd).0
}

/// The intercept that gives marginal accuracy `accuracy` in (0, 1): Newton on the logit of
/// the accuracy, which is nearly linear in the intercept.
pub fn intercept_of(accuracy: f64, variance: f64) -> f64 {
    let target = logit(accuracy);
    let mut intercept = target * sqrt(1.0 + variance / 3.0);
    for _ in 0..50 {
        let (mean, slope, _) = mean_of_logistic(intercept, variance);
        let step = (logit(mean) - target) * mean * (1.0 - mean) / slope;
        intercept -= step.clamp(-2.0, 2.0);
        if step.abs() < 1e-12 {
            break;
        }
    }
    intercept
}

/// Test of the marginal accuracy against one value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ChanceTest {
    /// t statistic; positive above the value.
    pub t: f64,
    /// Degrees of freedom.
    pub df: f64,
    /// One-sided p-value of "not above".
    pub p_above: f64,
    /// One-sided p-value of "not below".
    pub p_below: f64,
    /// Two-sided p-value.
    pub p: f64,
}

/// An intercept-only model of the answers of one condition.
#[derive(Debug, Clone)]
pub struct AccuracyModel {
    model: Laplace,
    summit: Summit,
    df: f64,
}

impl AccuracyModel {
    /// Fits the model.
    ///
    /// # Errors
    /// [`Undefined`] for fewer than two participants or items, for answers that are all
    /// alike, or if the likelihood has no maximum.
    pub fn fit(answers: &Answers) -> Result<Self, Undefined> {
        answers.check()?;
        let mut model = Laplace::new(answers, vec![1.0; answers.len()], 1);
        let rate = answers.hits() / answers.len() as f64;
        let summit = climb(&mut model, &[logit(rate)])
            .ok_or(Undefined("the likelihood of these answers has no maximum"))?;
        let df = degrees_of_freedom(answers, &summit);
        Ok(Self { model, summit, df })
    }

    /// Intercept, on the logit scale: the median listener and item.
    pub fn intercept(&self) -> f64 {
        self.summit.at[0]
    }

    /// Standard deviation of the participants' intercepts.
    pub fn participant_sd(&self) -> f64 {
        self.summit.at[1]
    }

    /// Standard deviation of the items' intercepts.
    pub fn item_sd(&self) -> f64 {
        self.summit.at[2]
    }

    /// Maximum of the Laplace-approximated log-likelihood.
    pub fn log_likelihood(&self) -> f64 {
        self.summit.value
    }

    /// Degrees of freedom of the tests.
    pub fn df(&self) -> f64 {
        self.df
    }

    /// Estimated accuracy of the average listener on the average item.
    pub fn accuracy(&self) -> f64 {
        marginal_accuracy(self.intercept(), self.participant_sd(), self.item_sd())
    }

    /// The likeliest model of this marginal accuracy: both standard deviations.
    fn profile(&mut self, accuracy: f64) -> Option<Summit> {
        // Away from zero, where the likelihood is level in a standard deviation; and far from
        // the free estimates only if the climb from there does not end.
        let near = [self.summit.at[1].max(0.1), self.summit.at[2].max(0.1)];
        [near, [0.4, 0.4], [0.2, 1.0], [1.0, 0.2], [1.0, 1.0]]
            .into_iter()
            .find_map(|start| self.profile_from(accuracy, start))
    }

    fn profile_from(&mut self, accuracy: f64, start: [f64; 2]) -> Option<Summit> {
        let model = &mut self.model;
        maximize(&start, |sds| {
            let variance = sds[0] * sds[0] + sds[1] * sds[1];
            let intercept = intercept_of(accuracy, variance);
            let at = [intercept, sds[0], sds[1]];
            let value = model.value(&at)?;
            let gradient = model.gradient(&at);
            let (_, slope, bend) = mean_of_logistic(intercept, variance);
            let by_variance = -gradient[0] * bend / slope;
            let total = |side: usize| gradient[side + 1] + 2.0 * sds[side] * by_variance;
            Some((value, vec![total(0), total(1)]))
        })
    }

    /// Standard deviations of participants and items in the likeliest model of this marginal
    /// accuracy.
    ///
    /// # Errors
    /// [`Undefined`] if the constrained likelihood has no maximum.
    pub fn sds_at(&mut self, accuracy: f64) -> Result<(f64, f64), Undefined> {
        let summit =
            self.profile(accuracy).ok_or(Undefined("the constrained likelihood has no maximum"))?;
        Ok((summit.at[0].abs(), summit.at[1].abs()))
    }

    /// The t statistic of "the marginal accuracy is `accuracy`", in (0, 1).
    ///
    /// # Errors
    /// [`Undefined`] if the constrained likelihood has no maximum.
    pub fn statistic(&mut self, accuracy: f64) -> Result<f64, Undefined> {
        let profile = self
            .profile(accuracy)
            .ok_or(Undefined("the constrained likelihood has no maximum"))?
            .value;
        let ratio = (2.0 * (self.summit.value - profile)).max(0.0);
        let t = sqrt(self.df * libm::expm1(ratio / (self.df + 1.0)));
        Ok(if self.accuracy() >= accuracy { t } else { -t })
    }

    /// Tests the marginal accuracy against `chance`, in (0, 1).
    ///
    /// # Errors
    /// As [`Self::statistic`].
    pub fn test(&mut self, chance: f64) -> Result<ChanceTest, Undefined> {
        let (t, df) = (self.statistic(chance)?, self.df);
        let (p_above, p_below) = (student_sf(t, df), student_sf(-t, df));
        Ok(ChanceTest { t, df, p_above, p_below, p: (2.0 * p_above.min(p_below)).min(1.0) })
    }

    /// The accuracies that the two-sided test at 1 - `level` does not reject.
    ///
    /// # Errors
    /// As [`Self::statistic`].
    pub fn interval(&mut self, level: f64) -> Result<Interval, Undefined> {
        let t = student_quantile(0.5 + 0.5 * level, self.df);
        Ok(Interval { low: self.accuracy_at(t)?, high: self.accuracy_at(-t)? })
    }

    /// One-sided upper bound by Student's t: above the accuracy with confidence `level`,
    /// nearly; see `calibrated_upper_bound`.
    ///
    /// # Errors
    /// As [`Self::statistic`].
    pub fn upper_bound(&mut self, level: f64) -> Result<f64, Undefined> {
        self.accuracy_at(-student_quantile(level, self.df))
    }

    /// The accuracy whose statistic is `target`: regula falsi (Illinois) on the logit scale
    /// from a bracket that starts at the estimate.
    pub(super) fn accuracy_at(&mut self, target: f64) -> Result<f64, Undefined> {
        let centre = logit(self.accuracy());
        let outward = -target.signum();
        let mut inner = (centre, target);
        let mut reach = 0.25;
        let mut outer = loop {
            let x = centre + outward * reach;
            let miss = target - self.statistic(expit(x))?;
            if miss * inner.1 <= 0.0 {
                break (x, miss);
            }
            inner = (x, miss);
            reach *= 2.0;
            if reach > 30.0 {
                return Err(Undefined("the answers do not bound the accuracy"));
            }
        };
        for _ in 0..60 {
            let x = (inner.0 * outer.1 - outer.0 * inner.1) / (outer.1 - inner.1);
            let miss = target - self.statistic(expit(x))?;
            if miss.abs() < 1e-7 || (outer.0 - inner.0).abs() < 1e-9 {
                return Ok(expit(x));
            }
            if miss * outer.1 < 0.0 {
                inner = outer;
            } else {
                inner.1 *= 0.5;
            }
            outer = (x, miss);
        }
        Ok(expit(outer.0))
    }
}

/// Satterthwaite's degrees of freedom of the intercept: its variance is a sum of those from
/// participants, items and single answers.
fn degrees_of_freedom(answers: &Answers, summit: &Summit) -> f64 {
    let effective = |levels: &[usize], count: usize| {
        let mut sizes = vec![0.0; count];
        for &level in levels {
            sizes[level] += 1.0;
        }
        let squares: f64 = sizes.iter().map(|size: &f64| size * size).sum();
        let total = levels.len() as f64;
        total * total / squares
    };
    let n = answers.len() as f64;
    let rate = answers.hits() / n;
    let participants = effective(&answers.participant, answers.participants());
    let items = effective(&answers.item, answers.items());
    let parts = [
        (summit.at[1] * summit.at[1] / participants, participants - 1.0),
        (summit.at[2] * summit.at[2] / items, items - 1.0),
        (1.0 / (n * rate * (1.0 - rate)), n - 1.0),
    ];
    let variance: f64 = parts.iter().map(|(part, _)| part).sum();
    let squares: f64 = parts.iter().map(|(part, df)| part * part / df.max(1e-9)).sum();
    (variance * variance / squares).clamp(1.0, n)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::mixed_model::{CrossedDesign, simulate};

    #[test]
    fn no_other_start_finds_a_higher_profile() {
        for (accuracy, item_sd) in [(0.05, 0.0), (0.1, 0.7), (0.2, 1.5)] {
            let design = CrossedDesign {
                participants: 20,
                items: 20,
                accuracy,
                item_sd,
                ..CrossedDesign::default()
            };
            for place in 0..20 {
                let mut model = AccuracyModel::fit(&simulate(&design, 1, place)).unwrap();
                for at in [accuracy, 1.5 * accuracy] {
                    let found = model.profile(at).unwrap().value;
                    for start in [[0.3, 0.3], [0.2, 1.5], [1.5, 0.2], [2.0, 2.0]] {
                        if let Some(other) = model.profile_from(at, start) {
                            let gain = other.value - found;
                            assert!(gain < 1e-6, "{accuracy} {item_sd} {place} {at}: {gain}");
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn mean_of_logistic_and_its_inverse() {
        // Symmetry, no spread, and a value by adaptive quadrature (SciPy `quad`).
        assert!((marginal_accuracy(0.0, 1.0, 2.0) - 0.5).abs() < 1e-14);
        assert!((marginal_accuracy(-2.0, 0.0, 0.0) - expit(-2.0)).abs() < 1e-14);
        for accuracy in [0.001, 0.1, 0.5, 0.93] {
            for variance in [0.0, 0.3, 2.5, 30.0] {
                let mean = mean_of_logistic(intercept_of(accuracy, variance), variance).0;
                assert!((mean - accuracy).abs() < 1e-11 * accuracy.max(0.1));
            }
        }
        let (_, slope, bend) = mean_of_logistic(-1.3, 1.7);
        let at = |a: f64, v: f64| mean_of_logistic(a, v).0;
        assert!((slope - (at(-1.299, 1.7) - at(-1.301, 1.7)) / 0.002).abs() < 1e-7);
        assert!((bend - (at(-1.3, 1.701) - at(-1.3, 1.699)) / 0.002).abs() < 1e-7);
    }
}
