//! Bayesian estimate of the marginal accuracy that knows participants and items.

use libm::{exp, log};
use rayon::prelude::*;

use super::super::Undefined;
use super::super::bayes::Estimate;
use super::super::intervals::Interval;
use super::super::special::{expit, logit};
use super::Answers;
use super::accuracy::intercept_of;
use super::laplace::Laplace;

/// Scale of the half-normal priors of both standard deviations, on the logit scale: our
/// choice, wide enough for items from "nobody" to "everybody".
const SD_SCALE: f64 = 1.0;

/// Grid of the standard deviations: midpoints of cells of width 0.2, to 3.
const SD_CELLS: usize = 15;
const SD_STEP: f64 = 0.2;

/// Grid of the logit of the accuracy, centred on the share of hits.
const ACCURACY_STEP: f64 = 0.05;
const ACCURACY_REACH: i32 = 70;

/// Posterior of the accuracy of the average listener on the average item: uniform prior for
/// the accuracy, half-normal(1) for both standard deviations, Laplace-approximated
/// likelihood summed over a fixed grid (no sampling). `region` is what counts as chance in
/// practice; the Bayes factor is the Savage-Dickey ratio at `chance`.
///
/// # Errors
/// [`Undefined`] for fewer than two participants or items, or answers that are all alike.
pub fn posterior(
    answers: &Answers,
    chance: f64,
    region: Interval,
    level: f64,
) -> Result<Estimate, Undefined> {
    answers.check()?;
    let n = answers.len() as f64;
    let centre = logit((answers.hits() + 0.5) / (n + 1.0));
    let grid: Vec<f64> = (-ACCURACY_REACH..=ACCURACY_REACH)
        .map(|place| centre + f64::from(place) * ACCURACY_STEP)
        .collect();
    let sds: Vec<f64> = (0..SD_CELLS).map(|cell| (cell as f64 + 0.5) * SD_STEP).collect();
    // One task a pair of standard deviations; each walks the accuracies outward in order,
    // so that every mode starts from its neighbour's.
    let column = |pair: usize| -> Vec<f64> {
        let (participant, item) = (sds[pair / SD_CELLS], sds[pair % SD_CELLS]);
        let squares = participant * participant + item * item;
        let prior = -0.5 * squares / (SD_SCALE * SD_SCALE);
        let mut model = Laplace::new(answers, vec![1.0; answers.len()], 1);
        let mut value = |x: f64| {
            let intercept = intercept_of(expit(x), squares);
            let likelihood = model.value(&[intercept, participant, item]);
            likelihood.map_or(f64::NEG_INFINITY, |likelihood| likelihood + prior)
        };
        // Once 25 below the best, a column has nothing left to say in that direction.
        let middle = grid.len() / 2;
        let mut logs = vec![f64::NEG_INFINITY; grid.len()];
        let mut best = f64::NEG_INFINITY;
        let outward: [Vec<usize>; 2] = [(middle..grid.len()).collect(), (0..middle).rev().collect()];
        for direction in outward {
            for place in direction {
                logs[place] = value(grid[place]);
                best = best.max(logs[place]);
                if logs[place] < best - 25.0 {
                    break;
                }
            }
        }
        logs
    };
    let columns: Vec<Vec<f64>> =
        (0..SD_CELLS * SD_CELLS).into_par_iter().map(column).collect();
    let best = columns.iter().flatten().fold(f64::NEG_INFINITY, |best, &log| best.max(log));
    // Density by logit: the uniform prior of the accuracy brings its derivative.
    let mut density = vec![0.0; grid.len()];
    for column in &columns {
        for ((density, log), x) in density.iter_mut().zip(column).zip(&grid) {
            let accuracy = expit(*x);
            *density += exp(log - best) * accuracy * (1.0 - accuracy);
        }
    }
    summarize(&grid, &density, chance, region, level)
        .ok_or(Undefined("the posterior does not fit the grid"))
}

/// Summary of a density on an even grid of logits, linear between grid points.
fn summarize(
    grid: &[f64],
    density: &[f64],
    chance: f64,
    region: Interval,
    level: f64,
) -> Option<Estimate> {
    let mut cumulative = vec![0.0];
    for pair in density.windows(2) {
        let last = cumulative.last().copied()?;
        cumulative.push(last + 0.5 * (pair[0] + pair[1]) * ACCURACY_STEP);
    }
    let total = cumulative.last().copied().filter(|&total| total > 0.0)?;
    let place = |x: f64| {
        let steps = ((x - grid[0]) / ACCURACY_STEP).clamp(0.0, (grid.len() - 1) as f64);
        let below = (steps as usize).min(grid.len() - 2);
        (below, steps - below as f64)
    };
    let mass_below = |p: f64| {
        if p <= 0.0 || p >= 1.0 {
            return f64::from(u8::from(p >= 1.0));
        }
        let (below, part) = place(logit(p));
        let slope = density[below + 1] - density[below];
        (cumulative[below] + ACCURACY_STEP * part * (density[below] + 0.5 * slope * part)) / total
    };
    let quantile = |p: f64| {
        let (mut low, mut high) = (grid[0], grid[grid.len() - 1]);
        for _ in 0..50 {
            let middle = 0.5 * (low + high);
            if mass_below(expit(middle)) < p {
                low = middle;
            } else {
                high = middle;
            }
        }
        expit(0.5 * (low + high))
    };
    let weighted: f64 = grid.iter().zip(density).map(|(&x, d)| expit(x) * d).sum();
    let tail = 0.5 * (1.0 - level);
    let (below, part) = place(logit(chance));
    // Between grid points the density is interpolated on the log scale, where it is smooth.
    let at_chance = exp(
        (1.0 - part) * log(density[below].max(1e-300))
            + part * log(density[below + 1].max(1e-300)),
    ) / total
        / (chance * (1.0 - chance));
    Some(Estimate {
        mean: weighted / density.iter().sum::<f64>(),
        interval: Interval { low: quantile(tail), high: quantile(1.0 - tail) },
        above_chance: 1.0 - mass_below(chance),
        in_region: mass_below(region.high) - mass_below(region.low),
        factor_for_chance: Some(at_chance),
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::super::bayes::{Prior, estimate};
    use super::*;

    #[test]
    fn a_beta_density_is_summarized_as_the_beta_it_is() {
        // 12 hits of 90, uniform prior: Beta(13, 79) as a density of the logit.
        let grid: Vec<f64> =
            (-70..=70).map(|place| logit(0.13) + f64::from(place) * ACCURACY_STEP).collect();
        let density: Vec<f64> =
            grid.iter().map(|&x| exp(13.0 * log(expit(x)) + 79.0 * log(expit(-x)))).collect();
        let region = Interval { low: 0.05, high: 0.15 };
        let got = summarize(&grid, &density, 0.1, region, 0.95).unwrap();
        let want = estimate(12, 90, Prior { a: 1.0, b: 1.0 }, 0.1, region, 0.95);
        for (got, want) in [
            (got.mean, want.mean),
            (got.interval.low, want.interval.low),
            (got.interval.high, want.interval.high),
            (got.above_chance, want.above_chance),
            (got.in_region, want.in_region),
            (got.factor_for_chance.unwrap(), want.factor_for_chance.unwrap()),
        ] {
            assert!((got - want).abs() < 2e-3 * want.max(0.1), "{got} {want}");
        }
    }
}
