//! The marginal log-likelihood by Laplace's method, and its exact gradient.
//!
//! With standard normal effects v = (u, w), eta = x'beta + Lambda v and
//! g(v) = sum(y eta - log(1 + e^eta)) - v'v / 2, the approximation is
//! g(v*) - log|H| / 2, where v* maximizes g and H = -g''(v*). Scaling the effects to one
//! (as lme4 does) keeps everything smooth where a standard deviation reaches zero, and
//! makes the likelihood an even function of each standard deviation: no bound is needed.

use libm::{exp, log};

use super::Answers;
use super::factor::Bordered;

/// Standard deviations beyond this, on the logit scale, are not considered: a listener or
/// item two of them away from the mean would be right or wrong by more than e^20 to 1.
const MAX_SD: f64 = 10.0;

/// Newton steps until the mode is given up; five are typical.
const STEPS: usize = 60;

/// A model ready to be evaluated; it keeps the last mode as the next start.
#[derive(Debug, Clone)]
pub(super) struct Laplace {
    /// Level of the larger and of the smaller side, and credit, of each answer.
    answers: Vec<(usize, usize, f64)>,
    participants_larger: bool,
    /// Fixed-effect columns, row by row.
    design: Vec<f64>,
    fixed: usize,
    matrix: Bordered,
    mode: Effects,
    linear: Vec<f64>,
    mean: Vec<f64>,
}

/// A vector with one entry a level, by side.
#[derive(Debug, Clone)]
struct Effects {
    large: Vec<f64>,
    small: Vec<f64>,
}

impl Effects {
    fn zero(large: usize, small: usize) -> Self {
        Self { large: vec![0.0; large], small: vec![0.0; small] }
    }

    fn dot(&self, other: &Self) -> f64 {
        let product = |a: &[f64], b: &[f64]| -> f64 { a.iter().zip(b).map(|(a, b)| a * b).sum() };
        product(&self.large, &other.large) + product(&self.small, &other.small)
    }

    fn add(&mut self, scale: f64, other: &Self) {
        let pairs = self.large.iter_mut().zip(&other.large);
        for (to, from) in pairs.chain(self.small.iter_mut().zip(&other.small)) {
            *to += scale * from;
        }
    }
}

impl Laplace {
    /// `design` holds `fixed` numbers an answer.
    pub(super) fn new(answers: &Answers, design: Vec<f64>, fixed: usize) -> Self {
        let (participants, items) = (answers.participants(), answers.items());
        let participants_larger = participants >= items;
        let (large, small) =
            if participants_larger { (participants, items) } else { (items, participants) };
        let pairs = answers.participant.iter().zip(&answers.item).zip(&answers.credit);
        let answers: Vec<_> = pairs
            .map(|((&p, &i), &credit)| {
                let (a, b) = if participants_larger { (p, i) } else { (i, p) };
                (a, b, credit)
            })
            .collect();
        let n = answers.len();
        Self {
            answers,
            participants_larger,
            design,
            fixed,
            matrix: Bordered::new(large, small),
            mode: Effects::zero(large, small),
            linear: vec![0.0; n],
            mean: vec![0.0; n],
        }
    }

    /// Standard deviations of the larger and the smaller side.
    fn sides(&self, parameters: &[f64]) -> (f64, f64) {
        let (participant, item) = (parameters[self.fixed], parameters[self.fixed + 1]);
        if self.participants_larger { (participant, item) } else { (item, participant) }
    }

    /// Sets linear predictor and mean for these effects; returns g.
    fn predict(&mut self, parameters: &[f64], effects: &Effects) -> f64 {
        let (large, small) = self.sides(parameters);
        let beta = &parameters[..self.fixed];
        let mut likelihood = 0.0;
        // log(1 + e^-|eta|) summed as the log of products of 512 factors in (1, 2].
        let mut product = 1.0;
        for (n, &(a, b, hit)) in self.answers.iter().enumerate() {
            let row = &self.design[n * self.fixed..(n + 1) * self.fixed];
            let fixed: f64 = row.iter().zip(beta).map(|(x, beta)| x * beta).sum();
            let eta = fixed + large * effects.large[a] + small * effects.small[b];
            let decay = exp(-eta.abs());
            likelihood += hit * eta - eta.max(0.0);
            product *= 1.0 + decay;
            if n % 512 == 511 {
                likelihood -= log(product);
                product = 1.0;
            }
            self.linear[n] = eta;
            self.mean[n] = if eta >= 0.0 { 1.0 } else { decay } / (1.0 + decay);
        }
        likelihood - log(product) - 0.5 * effects.dot(effects)
    }

    /// Fills the Hessian for the current mean; returns the gradient of g.
    fn assemble(&mut self, parameters: &[f64], effects: &Effects) -> Effects {
        let (large, small) = self.sides(parameters);
        let width = self.matrix.small.len();
        self.matrix.large.fill(1.0);
        self.matrix.small.fill(1.0);
        self.matrix.cross.fill(0.0);
        let mut slope = Effects::zero(effects.large.len(), effects.small.len());
        for (&(a, b, hit), &mean) in self.answers.iter().zip(&self.mean) {
            let weight = mean * (1.0 - mean);
            self.matrix.large[a] += large * large * weight;
            self.matrix.small[b] += small * small * weight;
            self.matrix.cross[a * width + b] += large * small * weight;
            slope.large[a] += large * (hit - mean);
            slope.small[b] += small * (hit - mean);
        }
        slope.add(-1.0, effects);
        slope
    }

    /// Log-likelihood at (beta, sd of participants, sd of items), leaving mean, Hessian and
    /// mode ready for [`Self::gradient`]. `None` where it cannot be computed.
    pub(super) fn value(&mut self, parameters: &[f64]) -> Option<f64> {
        let bounded = parameters.iter().all(|value| value.is_finite());
        if !bounded || parameters[self.fixed..].iter().any(|sd| sd.abs() > MAX_SD) {
            return None;
        }
        let mut mode = self.mode.clone();
        let mut height = self.predict(parameters, &mode);
        for _ in 0..STEPS {
            let mut step = self.assemble(parameters, &mode);
            let log_determinant = self.matrix.factorize()?;
            let slope = step.clone();
            self.matrix.solve(&mut step.large, &mut step.small);
            let decrement = slope.dot(&step);
            if decrement < 1e-18 * height.abs().max(1.0) {
                self.mode = mode;
                return Some(height - 0.5 * log_determinant);
            }
            // (The log-determinant, unlike g, feels an error of the mode to first order:
            // hence a stop at 1e-9 in the mode, which Newton reaches from 1e-5.)
            // g is concave: a Newton step halved often enough always climbs. Near the top
            // the climb drowns in rounding, hence the slack.
            let slack = 1e-13 * height.abs().max(1.0);
            let mut length = 1.0;
            loop {
                let mut next = mode.clone();
                next.add(length, &step);
                let reached = self.predict(parameters, &next);
                if reached >= height - slack {
                    (mode, height) = (next, reached);
                    break;
                }
                length *= 0.5;
                if length < 1e-6 {
                    return None;
                }
            }
        }
        None
    }

    /// Gradient at the point of the last successful [`Self::value`].
    pub(super) fn gradient(&self, parameters: &[f64]) -> Vec<f64> {
        let (large, small) = self.sides(parameters);
        let inverse = self.matrix.inverse();
        let width = self.matrix.small.len();
        // Variance of each linear predictor given the data, and how the log-determinant
        // answers to a change of each effect.
        let mut pull = Effects::zero(inverse.large.len(), inverse.small.len());
        let mut bends = Vec::with_capacity(self.answers.len());
        for (&(a, b, _), &mean) in self.answers.iter().zip(&self.mean) {
            let across = inverse.cross[a * width + b];
            let variance = large * large * inverse.large[a]
                + 2.0 * large * small * across
                + small * small * inverse.small[b];
            let bend = mean * (1.0 - mean) * (1.0 - 2.0 * mean) * variance;
            bends.push(bend);
            pull.large[a] += large * bend;
            pull.small[b] += small * bend;
        }
        self.matrix.solve(&mut pull.large, &mut pull.small);
        let mut beta = vec![0.0; self.fixed];
        let (mut by_large, mut by_small) = (0.0, 0.0);
        for (n, (&(a, b, hit), &mean)) in self.answers.iter().zip(&self.mean).enumerate() {
            let (residual, weight) = (hit - mean, mean * (1.0 - mean));
            let shift = large * pull.large[a] + small * pull.small[b];
            let common = residual - 0.5 * (bends[n] - weight * shift);
            for (sum, x) in beta.iter_mut().zip(&self.design[n * self.fixed..]) {
                *sum += x * common;
            }
            let across = inverse.cross[a * width + b];
            by_large += self.mode.large[a] * common
                - weight * (large * inverse.large[a] + small * across)
                - 0.5 * pull.large[a] * residual;
            by_small += self.mode.small[b] * common
                - weight * (small * inverse.small[b] + large * across)
                - 0.5 * pull.small[b] * residual;
        }
        let (participant, item) =
            if self.participants_larger { (by_large, by_small) } else { (by_small, by_large) };
        beta.extend([participant, item]);
        beta
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn example() -> (Answers, Vec<f64>) {
        let mut answers = Answers::default();
        let mut design = Vec::new();
        for p in 0..7 {
            for i in (0..5).filter(|i| (p + i) % 4 != 0) {
                answers.push(p, i, f64::from(u8::from((p * p + 3 * i) % 5 < 2)));
                design.extend([1.0, f64::from(u8::from(i < 2))]);
            }
        }
        (answers, design)
    }

    #[test]
    fn gradient_is_the_derivative_of_the_value() {
        let (answers, design) = example();
        let mut model = Laplace::new(&answers, design, 2);
        for point in [[-0.4, 0.3, 0.8, 0.5], [0.2, -1.0, 0.0, 1.5], [0.1, 0.1, -0.7, 2.0]] {
            model.value(&point).unwrap();
            let gradient = model.gradient(&point);
            for k in 0..4 {
                let mut at = |step: f64| {
                    let mut moved = point;
                    moved[k] += step;
                    model.value(&moved).unwrap()
                };
                let slope = (8.0 * (at(1e-3) - at(-1e-3)) - (at(2e-3) - at(-2e-3))) / 12e-3;
                assert!((gradient[k] - slope).abs() < 1e-6, "{point:?} {k}: {gradient:?} {slope}");
            }
        }
    }

    #[test]
    fn value_without_effects_is_the_binomial_likelihood_and_signs_do_not_matter() {
        let (answers, design) = example();
        let mut model = Laplace::new(&answers, design, 2);
        let likelihood = |credit: f64| libm::log(if credit == 1.0 { 0.3 } else { 0.7 });
        let expected: f64 = answers.credit.iter().map(|&credit| likelihood(credit)).sum();
        let value = model.value(&[libm::log(3.0 / 7.0), 0.0, 0.0, 0.0]).unwrap();
        assert!((value - expected).abs() < 1e-12);
        let plus = model.value(&[0.1, 0.2, 0.9, 1.1]).unwrap();
        let minus = model.value(&[0.1, 0.2, -0.9, 1.1]).unwrap();
        assert!((plus - minus).abs() < 1e-10);
        assert_eq!(model.value(&[0.0, 0.0, 50.0, 0.0]), None);
        assert_eq!(model.value(&[f64::NAN, 0.0, 1.0, 0.0]), None);
    }
}
