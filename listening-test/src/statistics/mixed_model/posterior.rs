//! Bayesian estimate of the marginal accuracy that knows participants and items.

use libm::{exp, log, sqrt};
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

/// Grid of the standard deviations: midpoints of cells of this width, to 3.
const SD_CELLS: usize = 10;
const SD_STEP: f64 = 0.3;

/// Nodes on either side of the share of hits, on the logit scale, one standard error of
/// independent answers apart; between nodes the log-likelihood is interpolated.
const REACH: usize = 60;

/// Grid points from one node to the next.
const FINE: usize = 4;

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
    let rate = (answers.hits() + 0.5) / (n + 1.0);
    let node_step = (1.0 / sqrt(n * rate * (1.0 - rate))).min(0.25);
    let step = node_step / FINE as f64;
    let first = logit(rate) - REACH as f64 * node_step;
    let grid: Vec<f64> = (0..=2 * REACH * FINE).map(|place| first + place as f64 * step).collect();
    let sds: Vec<f64> = (0..SD_CELLS).map(|cell| (cell as f64 + 0.5) * SD_STEP).collect();
    // One task a pair of standard deviations; each walks the nodes outward in order, so that
    // every mode starts from its neighbour's.
    let column = |pair: usize| -> Vec<f64> {
        let (participant, item) = (sds[pair / SD_CELLS], sds[pair % SD_CELLS]);
        let squares = participant * participant + item * item;
        let prior = -0.5 * squares / (SD_SCALE * SD_SCALE);
        let mut model = Laplace::new(answers, vec![1.0; answers.len()], 1);
        let nodes = outward(|node| {
            let intercept = intercept_of(expit(grid[node * FINE]), squares);
            model.value(&[intercept, participant, item]).map(|likelihood| likelihood + prior)
        });
        interpolate(&nodes)
    };
    let columns: Vec<Vec<f64>> = (0..SD_CELLS * SD_CELLS).into_par_iter().map(column).collect();
    let best = columns.iter().flatten().fold(f64::NEG_INFINITY, |best, &log| best.max(log));
    // Density by logit: the uniform prior of the accuracy brings its derivative.
    let mut density = vec![0.0; grid.len()];
    for column in &columns {
        for ((density, log), x) in density.iter_mut().zip(column).zip(&grid) {
            let accuracy = expit(*x);
            *density += exp(log - best) * accuracy * (1.0 - accuracy);
        }
    }
    summarize(&grid, &density, [chance, level], region)
        .ok_or(Undefined("the posterior does not fit the grid"))
}

/// Values at all nodes, computed from the middle outward until they have fallen so far
/// (e^-20) that they no longer count; from there on extended by their last slope.
fn outward(mut value: impl FnMut(usize) -> Option<f64>) -> Vec<f64> {
    const FALL: f64 = 20.0;
    let mut nodes = vec![f64::NEG_INFINITY; 2 * REACH + 1];
    let mut best = f64::NEG_INFINITY;
    for up in [true, false] {
        let at = |distance: usize| if up { REACH + distance } else { REACH - distance };
        let mut last_slope = 0.0;
        let mut over = false;
        for distance in usize::from(!up)..=REACH {
            let before = if distance > 0 { Some(nodes[at(distance - 1)]) } else { None };
            let here = if over { None } else { value(at(distance)) };
            nodes[at(distance)] = match (here, before) {
                (Some(here), _) => here,
                (None, Some(before)) => before + last_slope,
                (None, None) => f64::NEG_INFINITY,
            };
            best = best.max(nodes[at(distance)]);
            last_slope = before.map_or(0.0, |before| (nodes[at(distance)] - before).min(0.0));
            over |= here.is_none() || nodes[at(distance)] < best - FALL;
        }
    }
    nodes
}

/// Cubic (Catmull-Rom) interpolation between nodes.
fn interpolate(nodes: &[f64]) -> Vec<f64> {
    let last = nodes.len() - 1;
    let point = |place: usize| {
        let (node, part) = (place / FINE, (place % FINE) as f64 / FINE as f64);
        if part == 0.0 {
            return nodes[node];
        }
        let [a, b] = [nodes[node.saturating_sub(1)], nodes[node]];
        let [c, d] = [nodes[node + 1], nodes[(node + 2).min(last)]];
        let (square, cube) = (part * part, part * part * part);
        b + 0.5
            * ((c - a) * part
                + (2.0 * a - 5.0 * b + 4.0 * c - d) * square
                + (3.0 * (b - c) + d - a) * cube)
    };
    (0..=last * FINE).map(point).collect()
}

/// Summary of a density on an even grid of logits, linear between grid points.
fn summarize(
    grid: &[f64],
    density: &[f64],
    [chance, level]: [f64; 2],
    region: Interval,
) -> Option<Estimate> {
    let step = grid.get(1)? - grid[0];
    let mut cumulative = vec![0.0];
    for pair in density.windows(2) {
        let last = cumulative.last().copied()?;
        cumulative.push(last + 0.5 * (pair[0] + pair[1]) * step);
    }
    let total = cumulative.last().copied().filter(|&total| total > 0.0)?;
    let place = |x: f64| {
        let steps = ((x - grid[0]) / step).clamp(0.0, (grid.len() - 1) as f64);
        let below = (steps as usize).min(grid.len() - 2);
        (below, steps - below as f64)
    };
    let mass_below = |p: f64| {
        if p <= 0.0 || p >= 1.0 {
            return f64::from(u8::from(p >= 1.0));
        }
        let (below, part) = place(logit(p));
        let slope = density[below + 1] - density[below];
        (cumulative[below] + step * part * (density[below] + 0.5 * slope * part)) / total
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
    let at_chance =
        exp((1.0 - part) * log(density[below].max(1e-300))
            + part * log(density[below + 1].max(1e-300)))
            / total
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
            (-140..=140).map(|place| logit(0.13) + 0.02 * f64::from(place)).collect();
        let density: Vec<f64> =
            grid.iter().map(|&x| exp(13.0 * log(expit(x)) + 79.0 * log(expit(-x)))).collect();
        let region = Interval { low: 0.05, high: 0.15 };
        let got = summarize(&grid, &density, [0.1, 0.95], region).unwrap();
        let want = estimate(12, 90, Prior { a: 1.0, b: 1.0 }, 0.1, region, 0.95);
        for (got, want) in [
            (got.mean, want.mean),
            (got.interval.low, want.interval.low),
            (got.interval.high, want.interval.high),
            (got.above_chance, want.above_chance),
            (got.in_region, want.in_region),
            (got.factor_for_chance.unwrap(), want.factor_for_chance.unwrap()),
        ] {
            assert!((got - want).abs() < 3e-4 * want.max(0.1), "{got} {want}");
        }
    }

    #[test]
    fn interpolation_keeps_a_parabola_and_falls_on_beyond_the_cut() {
        let nodes = outward(|node| Some(-0.5 * (node as f64 - REACH as f64 - 0.3).powi(2)));
        let fine = interpolate(&nodes);
        for (place, value) in fine.iter().enumerate() {
            let x = place as f64 / FINE as f64 - REACH as f64 - 0.3;
            if x.abs() < 5.0 {
                assert!((value + 0.5 * x * x).abs() < 1e-12);
            } else {
                assert!(*value < -12.0);
            }
        }
    }
}
