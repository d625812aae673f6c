//! Multinomial logistic regression: the fit behind the logistic classifier and behind
//! calibration.
//!
//! Minimizes, over weights W and intercepts b, the loss
//! -sum_i ln softmax(W x_i + b)_(y_i) + penalty / 2 |W|^2
//! (intercepts are not penalized). linfa-logistic does the work, but its version 0.8 can
//! return a point that is no minimum without saying so: its log-sum-exp subtracts the
//! greatest logit of all rows instead of each row's, and the line search stops. So the
//! gradient is computed here after every fit, and the fit is finished by a short L-BFGS of
//! our own where it is not small.

use linfa::prelude::*;
use linfa_logistic::MultiLogisticRegression;
use ndarray::{Array1, Array2, Axis, Slice};

use crate::error::{Error, Result};

/// Greatest component of the gradient of a finished fit, as a share of the number of rows.
const TOLERANCE: f64 = 1e-7;
/// Iterations of linfa's solver.
const ITERATIONS: u64 = 300;
/// Iterations of our own.
const POLISHING: usize = 2000;
/// Steps that the approximation of the curvature remembers.
const MEMORY: usize = 10;

/// Weights and intercepts: the logits of x are W x + b.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct SoftmaxRegression {
    /// One row a class, one column a feature.
    pub(crate) weights: Array2<f64>,
    /// One per class.
    pub(crate) intercepts: Array1<f64>,
}

impl SoftmaxRegression {
    /// Fits `labels` (every class of `0..classes` at least once) to the rows of `x`
    /// (finite, best of mean 0 and deviation 1).
    ///
    /// # Errors
    /// [`Error::Numeric`] when the gradient cannot be made small.
    pub(crate) fn fit(
        x: &Array2<f64>,
        labels: &[usize],
        classes: usize,
        penalty: f64,
    ) -> Result<Self> {
        let loss = Loss { x, labels, classes, penalty };
        let start = loss.by_linfa().unwrap_or_else(|| Array2::zeros((x.ncols() + 1, classes)));
        let parameters = minimize(&loss, start, TOLERANCE * x.nrows() as f64)?;
        let (weights, intercepts) = parameters.view().split_at(Axis(0), x.ncols());
        let intercepts = intercepts.row(0).to_owned();
        Ok(Self { weights: weights.t().as_standard_layout().into_owned(), intercepts })
    }

    /// As [`SoftmaxRegression::fit`] on columns brought to mean 0 and deviation 1; the result
    /// takes the columns as they are given.
    ///
    /// # Errors
    /// As [`SoftmaxRegression::fit`].
    pub(crate) fn fit_standardized(
        x: &Array2<f64>,
        labels: &[usize],
        classes: usize,
        penalty: f64,
    ) -> Result<Self> {
        let (means, scales) = standardization(x);
        let fit = Self::fit(&((x - &means) * &scales), labels, classes, penalty)?;
        // One linear map from the columns: W x' + b with x' = (x - mean) scale.
        let weights = &fit.weights * &scales;
        let intercepts = &fit.intercepts - &weights.dot(&means);
        Ok(Self { weights, intercepts })
    }

    /// Writes the logits of `x` to `out`, summed in the order of features.
    pub(crate) fn logits(&self, x: impl Iterator<Item = f64> + Clone, out: &mut [f64]) {
        for ((out, weights), &intercept) in
            out.iter_mut().zip(self.weights.outer_iter()).zip(&self.intercepts)
        {
            let products = weights.into_iter().zip(x.clone()).map(|(weight, value)| weight * value);
            *out = products.fold(intercept, |sum, product| sum + product);
        }
    }
}

/// Mean of every column, and 1 / standard deviation (0 for a constant column, which says
/// nothing).
fn standardization(x: &Array2<f64>) -> (Array1<f64>, Array1<f64>) {
    let rows = x.nrows() as f64;
    let means = x.sum_axis(Axis(0)) / rows;
    let scales = x
        .columns()
        .into_iter()
        .zip(&means)
        .map(|(column, mean)| {
            let variance = column.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>() / rows;
            // Below this, a column varies by the rounding of its values alone.
            if variance.sqrt() > 1e-12 * mean.abs() { 1.0 / variance.sqrt() } else { 0.0 }
        })
        .collect();
    (means, scales)
}

/// Log-odds of every class from logits, in place: logit less the log-sum-exp of the others.
pub(crate) fn log_odds_from_logits(logits: &mut [f64]) {
    let odds: Vec<f64> = (0..logits.len())
        .map(|class| {
            let others = || logits.iter().enumerate().filter(move |&(k, _)| k != class);
            let most = others().fold(f64::NEG_INFINITY, |most, (_, &logit)| most.max(logit));
            let sum: f64 = others().map(|(_, &logit)| libm::exp(logit - most)).sum();
            logits[class] - (most + libm::log(sum))
        })
        .collect();
    logits.copy_from_slice(&odds);
}

/// The penalized loss. Parameters are one row a feature and a last row of intercepts, one
/// column a class.
struct Loss<'a> {
    x: &'a Array2<f64>,
    labels: &'a [usize],
    classes: usize,
    penalty: f64,
}

impl Loss<'_> {
    /// Where linfa's solver ends, if it ends.
    fn by_linfa(&self) -> Option<Array2<f64>> {
        let targets = Array1::from(self.labels.to_vec());
        let dataset = DatasetBase::new(self.x.view(), targets.view());
        let fitted = MultiLogisticRegression::default()
            .alpha(self.penalty)
            .max_iterations(ITERATIONS)
            .gradient_tolerance(TOLERANCE * self.x.nrows() as f64)
            .fit(&dataset)
            .ok()?;
        let mut parameters = Array2::zeros((self.x.ncols() + 1, self.classes));
        if fitted.params().ncols() != self.classes {
            return None;
        }
        parameters.slice_axis_mut(Axis(0), Slice::from(..self.x.ncols())).assign(fitted.params());
        parameters.row_mut(self.x.ncols()).assign(fitted.intercept());
        parameters.iter().all(|value: &f64| value.is_finite()).then_some(parameters)
    }

    /// Loss and its gradient.
    fn at(&self, parameters: &Array2<f64>) -> (f64, Array2<f64>) {
        let (weights, intercepts) = parameters.view().split_at(Axis(0), self.x.ncols());
        let mut residuals = self.x.dot(&weights) + intercepts;
        let mut loss = 0.0;
        for (mut row, &label) in residuals.outer_iter_mut().zip(self.labels) {
            let most = row.fold(f64::NEG_INFINITY, |most, &logit| most.max(logit));
            let own = row[label] - most;
            row.mapv_inplace(|logit| libm::exp(logit - most));
            let sum = row.sum();
            loss += libm::log(sum) - own;
            row /= sum;
            row[label] -= 1.0;
        }
        loss += self.penalty / 2.0 * weights.iter().map(|weight| weight * weight).sum::<f64>();
        let mut gradient = Array2::zeros(parameters.raw_dim());
        let of_weights = self.x.t().dot(&residuals) + &weights * self.penalty;
        gradient.slice_axis_mut(Axis(0), Slice::from(..self.x.ncols())).assign(&of_weights);
        gradient.row_mut(self.x.ncols()).assign(&residuals.sum_axis(Axis(0)));
        (loss, gradient)
    }
}

fn largest(gradient: &Array2<f64>) -> f64 {
    gradient.iter().fold(0.0, |most: f64, value| most.max(value.abs()))
}

fn product(a: &Array2<f64>, b: &Array2<f64>) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// L-BFGS (Nocedal 1980) with backtracking, from `point` until no component of the gradient
/// exceeds `tolerance`. The loss is convex, so that is its minimum.
fn minimize(loss: &Loss<'_>, mut point: Array2<f64>, tolerance: f64) -> Result<Array2<f64>> {
    let (mut value, mut gradient) = loss.at(&point);
    // Steps and changes of the gradient, oldest first.
    let mut history: Vec<(Array2<f64>, Array2<f64>)> = Vec::new();
    for _ in 0..POLISHING {
        if largest(&gradient) <= tolerance {
            return Ok(point);
        }
        let direction = descent(&gradient, &history);
        let slope = product(&direction, &gradient);
        let mut step = if history.is_empty() { 1.0 / (1.0 + largest(&gradient)) } else { 1.0 };
        let next = loop {
            let candidate = &point + &(&direction * step);
            let (new_value, new_gradient) = loss.at(&candidate);
            // Near the minimum the loss only changes by rounding: then the slope decides.
            let falls = new_value <= value + 1e-4 * step * slope;
            let level = new_value <= value + 1e-12 * value.abs()
                && product(&direction, &new_gradient).abs() <= 0.9 * slope.abs();
            if falls || level {
                break Some((candidate, new_value, new_gradient));
            }
            step /= 2.0;
            if step < 1e-12 {
                break None;
            }
        };
        let Some((new_point, new_value, new_gradient)) = next else {
            if history.is_empty() {
                break;
            }
            // The remembered curvature misleads: start again downhill.
            history.clear();
            continue;
        };
        let (moved, turned) = (&new_point - &point, &new_gradient - &gradient);
        if product(&moved, &turned) > 1e-14 * product(&turned, &turned) {
            history.push((moved, turned));
            if history.len() > MEMORY {
                history.remove(0);
            }
        }
        (point, value, gradient) = (new_point, new_value, new_gradient);
    }
    if largest(&gradient) <= tolerance {
        return Ok(point);
    }
    Err(Error::numeric(
        format!(
            "logistic regression did not converge: gradient {:.1e}, tolerance {tolerance:.1e}",
            largest(&gradient)
        ),
        "raise the penalty",
    ))
}

/// Minus the gradient, scaled by the inverse curvature that `history` tells.
fn descent(gradient: &Array2<f64>, history: &[(Array2<f64>, Array2<f64>)]) -> Array2<f64> {
    let mut direction = -gradient;
    let mut shares = Vec::with_capacity(history.len());
    for (moved, turned) in history.iter().rev() {
        let share = product(moved, &direction) / product(moved, turned);
        direction.scaled_add(-share, turned);
        shares.push(share);
    }
    if let Some((moved, turned)) = history.last() {
        direction *= product(moved, turned) / product(turned, turned);
    }
    for ((moved, turned), share) in history.iter().zip(shares.into_iter().rev()) {
        let back = product(turned, &direction) / product(moved, turned);
        direction.scaled_add(share - back, moved);
    }
    direction
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::dataset::generated::gaussians;

    fn data(classes: usize, distance: f64, scale: f64) -> (Array2<f64>, Vec<usize>) {
        let data = gaussians(classes, 40, 1, 12, distance, 3);
        (data.vectors.mapv(|value| scale * f64::from(value)), data.labels())
    }

    fn gradient_of(fit: &SoftmaxRegression, loss: &Loss<'_>) -> f64 {
        let mut parameters = Array2::zeros((loss.x.ncols() + 1, loss.classes));
        for class in 0..loss.classes {
            for feature in 0..loss.x.ncols() {
                parameters[[feature, class]] = fit.weights[[class, feature]];
            }
            parameters[[loss.x.ncols(), class]] = fit.intercepts[class];
        }
        largest(&loss.at(&parameters).1)
    }

    #[test]
    fn the_gradient_is_the_slope_of_the_loss() {
        let (x, labels) = data(3, 0.5, 1.0);
        let loss = Loss { x: &x, labels: &labels, classes: 3, penalty: 0.7 };
        let point = Array2::from_shape_fn((13, 3), |(i, k)| 0.1 * (i as f64 - 2.0 * k as f64));
        let (_, gradient) = loss.at(&point);
        for index in [(0, 0), (5, 2), (12, 1)] {
            let mut near = [point.clone(), point.clone()];
            near[0][index] -= 1e-5;
            near[1][index] += 1e-5;
            let slope = (loss.at(&near[1]).0 - loss.at(&near[0]).0) / 2e-5;
            assert!((slope - gradient[index]).abs() < 1e-5 * (1.0 + slope.abs()));
        }
    }

    #[test]
    fn every_fit_ends_at_a_minimum_even_where_linfa_does_not() {
        for (classes, distance, scale, penalty) in
            [(2, 0.3, 1.0, 1.0), (5, 0.5, 1.0, 1.0), (5, 2.0, 1.0, 0.001), (3, 0.3, 40.0, 1e-3)]
        {
            let (x, labels) = data(classes, distance, scale);
            let fit = SoftmaxRegression::fit(&x, &labels, classes, penalty).unwrap();
            let loss = Loss { x: &x, labels: &labels, classes, penalty };
            let gradient = gradient_of(&fit, &loss);
            assert!(gradient <= TOLERANCE * x.nrows() as f64, "{gradient:e}");
        }
    }

    #[test]
    fn our_finish_alone_agrees_with_linfa_where_linfa_converges() {
        let (x, labels) = data(3, 0.4, 1.0);
        let loss = Loss { x: &x, labels: &labels, classes: 3, penalty: 1.0 };
        let start = Array2::zeros((13, 3));
        let ours = minimize(&loss, start, 1e-8).unwrap();
        let linfa = loss.by_linfa().unwrap();
        assert!((loss.at(&ours).0 - loss.at(&linfa).0).abs() < 1e-8);
    }

    #[test]
    fn log_odds_stay_finite_and_match_the_posterior() {
        let mut logits = [1.0, 2.0, -0.5];
        let sum: f64 = logits.iter().map(|l: &f64| l.exp()).sum();
        let posterior = logits[1].exp() / sum;
        log_odds_from_logits(&mut logits);
        assert!((logits[1] - (posterior / (1.0 - posterior)).ln()).abs() < 1e-12);
        let mut far = [1e6, 0.0, -1e6];
        log_odds_from_logits(&mut far);
        assert_eq!(far, [1e6, -1e6, -2e6]);
    }
}
