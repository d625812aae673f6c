//! Calibration by vector scaling (Guo, Pleiss, Sun & Weinberger, *On calibration of modern neural networks*,
//! ICML 2017, section 4.2): one scale and one offset a class.

use argmin::core::{CostFunction, Error, Executor, Gradient};
use argmin::solver::linesearch::MoreThuenteLineSearch;
use argmin::solver::quasinewton::LBFGS;
use serde::{Deserialize, Serialize};

use super::Temperature;
use super::temperature::{logits, negative_log_share};
use crate::log_odds::PosteriorKind;

/// Steps of L-BFGS that the curvature is taken from (our choice).
const MEMORY: usize = 10;
/// Most steps of a search; tens are usual (our choice).
const MOST_STEPS: u64 = 500;

/// The map softmax(w z + b) of logits z, with one scale w and one offset b a class. It can rank
/// classes otherwise than the victim does, and its offsets take in how frequent the classes are among
/// the items that it is fitted on.
///
/// Logits are those that a [`Temperature`] divides. Of a softmax they are ln(posterior).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VectorScaling {
    /// w: what the logit of each class is multiplied by.
    pub scales: Vec<f64>,
    /// b: what is then added to it.
    pub offsets: Vec<f64>,
    /// What kind of posterior the log-odds are of.
    pub of: PosteriorKind,
}

impl VectorScaling {
    /// The fit to items given as (log-odds, class); `None` for tags and for posteriors that have no
    /// logits, of no items, and of logits too large for an f64 after scaling.
    ///
    /// It is the greatest likelihood with a ridge, which is our choice: relative to the temperature of
    /// greatest likelihood, scales are normal around 1 and offsets at the mean logits around 0 a
    /// priori, both with a standard deviation of 1. The weight of the ridge does not grow with the
    /// number of items, and it keeps separable classes finite.
    pub fn fit<'r>(
        of: PosteriorKind,
        items: impl Iterator<Item = (&'r [f64], usize)> + Clone,
    ) -> Option<Self> {
        let temperature = Temperature::fit(of, items.clone())?.temperature;
        let rows: Vec<(Vec<f64>, usize)> = items
            .map(|(log_odds, class)| Some((logits(of, log_odds)?, class)))
            .collect::<Option<_>>()?;
        let problem = Problem::new(rows, temperature);
        let solver = LBFGS::new(MoreThuenteLineSearch::new(), MEMORY);
        let start = problem.start();
        let means = problem.means.clone();
        let search = Executor::new(problem, solver)
            .configure(|state| state.param(start).max_iters(MOST_STEPS))
            .timer(false)
            .run();
        let best = search.ok()?.state.best_param?;
        let (scales, offsets) = best.split_at(means.len());
        // Logits are centred and divided by the temperature in the search.
        let offset = |((scale, offset), mean): ((&f64, &f64), &f64)| offset + (1.0 - scale) * mean;
        let offsets: Vec<f64> = scales.iter().zip(offsets).zip(&means).map(offset).collect();
        let scales: Vec<f64> = scales.iter().map(|scale| scale / temperature).collect();
        let fit = Self { scales, offsets, of };
        fit.is_finite().then_some(fit)
    }

    /// Whether all of its numbers are.
    pub(super) fn is_finite(&self) -> bool {
        self.scales.iter().chain(&self.offsets).all(|number| number.is_finite())
    }

    /// One calibrated posterior per class; they sum to 1.
    pub fn posteriors(&self, log_odds: &[f64]) -> Vec<f64> {
        let Some(scaled) = self.scaled(log_odds) else { return vec![0.0; log_odds.len()] };
        let class = |class| libm::exp(-negative_log_share(&scaled, class, 1.0));
        (0..scaled.len()).map(class).collect()
    }

    /// Negative logarithm of the calibrated posterior of `class`.
    pub(super) fn loss(&self, log_odds: &[f64], class: usize) -> Option<f64> {
        Some(negative_log_share(&self.scaled(log_odds)?, class, 1.0))
    }

    /// w z + b of each class.
    pub(super) fn scaled(&self, log_odds: &[f64]) -> Option<Vec<f64>> {
        let scaled = logits(self.of, log_odds)?.into_iter().zip(&self.scales).zip(&self.offsets);
        Some(scaled.map(|((logit, scale), offset)| scale * logit + offset).collect())
    }

    /// The formula, in words.
    pub fn formula(&self) -> &'static str {
        match self.of {
            PosteriorKind::Softmax => "softmax of w ln(posterior) + b",
            PosteriorKind::LogisticOfVote => "softmax of w 2 F + b",
            PosteriorKind::LogisticOfNormalizedVote => "softmax of w 2 F + b, F normalized",
            PosteriorKind::Stated => "softmax of w log-odds + b",
            PosteriorKind::Sigmoid | PosteriorKind::ResidualConfidence => "none",
        }
    }
}

/// What is minimized, in numbers of about 1 whatever the logits are: logits are divided by the
/// temperature and centred, so that scales are relative to it and hardly depend on offsets. A
/// parameter is the scales and then the offsets.
struct Problem {
    /// Centred logits and class of every item.
    items: Vec<(Vec<f64>, usize)>,
    /// What was subtracted from the logits of each class.
    means: Vec<f64>,
}

impl Problem {
    fn new(mut items: Vec<(Vec<f64>, usize)>, temperature: f64) -> Self {
        items.iter_mut().flat_map(|(row, _)| row).for_each(|logit| *logit /= temperature);
        let mean = |class: usize| {
            items.iter().map(|(row, _)| row[class]).sum::<f64>() / items.len() as f64
        };
        let means: Vec<f64> = (0..items[0].0.len()).map(mean).collect();
        for (row, _) in &mut items {
            row.iter_mut().zip(&means).for_each(|(logit, mean)| *logit -= mean);
        }
        Self { items, means }
    }

    /// The temperature alone.
    fn start(&self) -> Vec<f64> {
        [vec![1.0; self.means.len()], vec![0.0; self.means.len()]].concat()
    }

    fn scaled(&self, parameter: &[f64], row: &[f64]) -> Vec<f64> {
        let (scales, offsets) = parameter.split_at(self.means.len());
        let class = |class: usize| scales[class] * row[class] + self.means[class] + offsets[class];
        (0..row.len()).map(class).collect()
    }

    /// How far a parameter lies from the temperature alone.
    fn departure(&self, parameter: &[f64]) -> impl Iterator<Item = f64> {
        parameter.iter().zip(self.start()).map(|(number, start)| number - start)
    }
}

impl CostFunction for Problem {
    type Param = Vec<f64>;
    type Output = f64;

    fn cost(&self, parameter: &Vec<f64>) -> Result<f64, Error> {
        let loss = |(row, class): &(Vec<f64>, usize)| {
            negative_log_share(&self.scaled(parameter, row), *class, 1.0)
        };
        let ridge: f64 = self.departure(parameter).map(|far| far * far / 2.0).sum();
        Ok((self.items.iter().map(loss).sum::<f64>() + ridge) / self.items.len() as f64)
    }
}

impl Gradient for Problem {
    type Param = Vec<f64>;
    type Gradient = Vec<f64>;

    fn gradient(&self, parameter: &Vec<f64>) -> Result<Vec<f64>, Error> {
        let classes = self.means.len();
        let mut gradient: Vec<f64> = self.departure(parameter).collect();
        for (row, of) in &self.items {
            let scaled = self.scaled(parameter, row);
            let top = scaled.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let shares: Vec<f64> = scaled.iter().map(|logit| libm::exp(logit - top)).collect();
            let sum: f64 = shares.iter().sum();
            for (class, share) in shares.into_iter().enumerate() {
                let error = share / sum - f64::from(u8::from(class == *of));
                gradient[class] += error * row[class];
                gradient[classes + class] += error;
            }
        }
        gradient.iter_mut().for_each(|slope| *slope /= self.items.len() as f64);
        Ok(gradient)
    }
}

#[cfg(test)]
pub(super) mod tests {
    #![allow(clippy::unwrap_used)]

    use trompe_base::random::{normal, stream, uniform};

    use super::*;

    /// Items of the true map softmax(w z + b), with normal logits of standard deviation `spread`.
    pub(in super::super) fn items(
        number: usize,
        spread: f64,
        truth: &VectorScaling,
        seed: u64,
    ) -> Vec<(Vec<f64>, usize)> {
        let mut rng = stream(seed, 0, 0, 0);
        let one = |_| {
            let row: Vec<f64> = truth.scales.iter().map(|_| spread * normal(&mut rng)).collect();
            let mut left = uniform(&mut rng);
            let posteriors = truth.posteriors(&row);
            let drawn = posteriors.iter().position(|share| {
                left -= share;
                left < 0.0
            });
            (row, drawn.unwrap_or(posteriors.len() - 1))
        };
        (0..number).map(one).collect()
    }

    /// A map of votes.
    pub(in super::super) fn of_votes(scales: &[f64], offsets: &[f64]) -> VectorScaling {
        let (scales, offsets) = (scales.to_vec(), offsets.to_vec());
        VectorScaling { scales, offsets, of: PosteriorKind::LogisticOfVote }
    }

    fn fit(items: &[(Vec<f64>, usize)]) -> VectorScaling {
        let rows = items.iter().map(|(row, class)| (&row[..], *class));
        VectorScaling::fit(PosteriorKind::LogisticOfVote, rows).unwrap()
    }

    #[test]
    fn true_scales_and_offsets_are_found() {
        let truth = of_votes(&[2.0, 0.5, 1.0], &[0.5, -1.0, 0.5]);
        let fit = fit(&items(20_000, 2.0, &truth, 1));
        let mean = fit.offsets.iter().sum::<f64>() / 3.0;
        for class in 0..3 {
            assert!((fit.scales[class] - truth.scales[class]).abs() < 0.1, "{fit:?}");
            assert!((fit.offsets[class] - mean - truth.offsets[class]).abs() < 0.1, "{fit:?}");
        }
        let posteriors = fit.posteriors(&[1.0, -2.0, 0.3]);
        assert!((posteriors.iter().sum::<f64>() - 1.0).abs() < 1e-12);
    }

    #[test]
    fn the_gradient_is_that_of_the_cost() {
        let rows = items(400, 2.0, &of_votes(&[2.0, 0.5, 1.0], &[0.5, -1.0, 0.5]), 2);
        let problem = Problem::new(rows, 1.0);
        let parameter = [1.3, 0.8, 1.1, 0.4, -0.2, 0.1].to_vec();
        for (number, slope) in problem.gradient(&parameter).unwrap().into_iter().enumerate() {
            let at = |step: f64| {
                let mut moved = parameter.clone();
                moved[number] += step;
                problem.cost(&moved).unwrap()
            };
            assert!(((at(1e-5) - at(-1e-5)) / 2e-5 - slope).abs() < 1e-8);
        }
    }

    #[test]
    fn huge_votes_and_separable_classes_stay_finite() {
        let truth = of_votes(&[2e-3, 5e-4, 1e-3], &[0.5, -1.0, 0.5]);
        let mut rows = items(2_000, 2_000.0, &truth, 3);
        // All votes far from 0, as of thousands of rounds.
        rows.iter_mut().flat_map(|(row, _)| row).for_each(|vote| *vote -= 30_000.0);
        let found = fit(&rows);
        for (scale, truth) in found.scales.iter().zip(&truth.scales) {
            assert!((scale / truth - 1.0).abs() < 0.25, "{found:?}");
        }
        let separable: Vec<_> = (0..60)
            .map(|n| (vec![9e3 * f64::from(n % 2) - 4e3, 0.0], (n as usize + 1) % 2))
            .collect();
        let found = fit(&separable);
        assert!(found.is_finite());
        assert!(found.posteriors(&[4e3, 0.0])[0] > 0.99, "{found:?}");
    }

    #[test]
    fn tags_and_residuals_have_none() {
        let items = [(&[1.0, -1.0][..], 0)];
        for of in [PosteriorKind::Sigmoid, PosteriorKind::ResidualConfidence] {
            assert_eq!(VectorScaling::fit(of, items.into_iter()), None);
        }
        assert_eq!(VectorScaling::fit(PosteriorKind::Softmax, [].into_iter()), None);
    }
}
