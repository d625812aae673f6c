//! Bayesian estimates that know participants and items: of the marginal accuracy, and of how
//! much items differ.

use libm::{exp, log, sqrt};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::Answers;
use super::accuracy::{intercept_of, marginal_accuracy};
use super::laplace::Laplace;
use crate::Undefined;
use crate::bayes::Estimate;
use crate::intervals::Interval;
use crate::special::{expit, logit, normal_cdf, normal_quantile};

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

/// Shares of the items at which [`ItemSpread`] gives their accuracy.
const SHARES: [f64; 5] = [0.05, 0.25, 0.5, 0.75, 0.95];

/// The posterior of accuracy and standard deviations on a fixed grid (no sampling): uniform
/// prior for the accuracy of the average listener on the average item, half-normal(1) for both
/// standard deviations, Laplace-approximated likelihood.
#[derive(Debug, Clone)]
pub struct Posterior {
    /// Logits of the accuracy.
    grid: Vec<f64>,
    /// Standard deviations on the grid, the same for participants and items.
    sds: Vec<f64>,
    /// Log-likelihood and log-prior of the standard deviations, by pair of these and by place
    /// in `grid`.
    columns: Vec<Vec<f64>>,
}

/// How much items differ: accuracies of the average listener on items like those of the study.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ItemSpread {
    /// Share of the items whose accuracy lies below the margin: posterior mean.
    pub below_margin: f64,
    /// Its central credible interval.
    pub below_margin_interval: Interval,
    /// Accuracies that 5, 25, 50, 75 and 95 % of the items do not exceed.
    pub quantiles: Vec<ItemQuantile>,
}

/// The accuracy that a share of the items does not exceed.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ItemQuantile {
    /// Share of the items.
    pub share: f64,
    /// Accuracy: posterior mean.
    pub accuracy: f64,
    /// Its central credible interval.
    pub interval: Interval,
}

impl Posterior {
    /// Evaluates the likelihood on the grid.
    ///
    /// # Errors
    /// [`Undefined`] for fewer than two participants or items, or answers that are all alike.
    pub fn new(answers: &Answers) -> Result<Self, Undefined> {
        answers.check()?;
        let n = answers.len() as f64;
        let rate = (answers.hits() + 0.5) / (n + 1.0);
        let node_step = (1.0 / sqrt(n * rate * (1.0 - rate))).min(0.25);
        let step = node_step / FINE as f64;
        let first = logit(rate) - REACH as f64 * node_step;
        let grid: Vec<f64> =
            (0..=2 * REACH * FINE).map(|place| first + place as f64 * step).collect();
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
        let columns = (0..SD_CELLS * SD_CELLS).into_par_iter().map(column).collect();
        Ok(Self { grid, sds, columns })
    }

    /// The highest logarithm: what all weights are relative to.
    fn best(&self) -> f64 {
        self.columns.iter().flatten().fold(f64::NEG_INFINITY, |best, &log| best.max(log))
    }

    /// The accuracy of the average listener on the average item. `region` is what counts as
    /// chance in practice; the Bayes factor is the Savage-Dickey ratio at `chance`.
    ///
    /// # Errors
    /// [`Undefined`] if the posterior does not fit the grid.
    pub fn accuracy(
        &self,
        chance: f64,
        region: Interval,
        level: f64,
    ) -> Result<Estimate, Undefined> {
        let best = self.best();
        // Density by logit: the uniform prior of the accuracy brings its derivative.
        let mut density = vec![0.0; self.grid.len()];
        for column in &self.columns {
            for ((density, log), x) in density.iter_mut().zip(column).zip(&self.grid) {
                let accuracy = expit(*x);
                *density += exp(log - best) * accuracy * (1.0 - accuracy);
            }
        }
        summarize(&self.grid, &density, [chance, level], region)
            .ok_or(Undefined("the posterior does not fit the grid"))
    }

    /// How much items differ, and which share of them lies below the accuracy `margin`. An
    /// item's accuracy is that of the average listener; items are normal on the logit scale.
    /// Both are computed at every point of the grid and summarized by its weight, so that the
    /// intervals know of the uncertainty of the standard deviations, even where the likeliest
    /// one of items is zero.
    pub fn items(&self, margin: f64, level: f64) -> ItemSpread {
        /// Points that weigh less than this part of the heaviest are left out.
        const LIGHTEST: f64 = 1e-6;
        let best = self.best();
        let mut weights = Vec::new();
        let mut values: [Vec<f64>; 1 + SHARES.len()] = Default::default();
        for (pair, column) in self.columns.iter().enumerate() {
            let (participant, item) = (self.sds[pair / SD_CELLS], self.sds[pair % SD_CELLS]);
            let at_margin = intercept_of(margin, participant * participant);
            for place in (0..self.grid.len()).step_by(FINE) {
                let accuracy = expit(self.grid[place]);
                let weight = exp(column[place] - best) * accuracy * (1.0 - accuracy);
                if weight < 0.25 * LIGHTEST {
                    continue;
                }
                let squares = participant * participant + item * item;
                let intercept = intercept_of(accuracy, squares);
                weights.push(weight);
                values[0].push(normal_cdf((at_margin - intercept) / item));
                for (values, share) in values[1..].iter_mut().zip(SHARES) {
                    let at = intercept + item * normal_quantile(share);
                    values.push(marginal_accuracy(at, participant, 0.0));
                }
            }
        }
        let (below_margin, below_margin_interval) = summary(&values[0], &weights, level);
        let quantile = |(share, values): (f64, &Vec<f64>)| {
            let (accuracy, interval) = summary(values, &weights, level);
            ItemQuantile { share, accuracy, interval }
        };
        ItemSpread {
            below_margin,
            below_margin_interval,
            quantiles: SHARES.into_iter().zip(&values[1..]).map(quantile).collect(),
        }
    }
}

/// Mean and central interval of weighted values.
fn summary(values: &[f64], weights: &[f64], level: f64) -> (f64, Interval) {
    let total: f64 = weights.iter().sum();
    let mean = values.iter().zip(weights).map(|(value, weight)| value * weight).sum::<f64>();
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
    let quantile = |p: f64| {
        let mut below = 0.0;
        for &place in &order {
            below += weights[place];
            if below >= p * total {
                return values[place];
            }
        }
        order.last().map_or(f64::NAN, |&place| values[place])
    };
    let tail = 0.5 * (1.0 - level);
    (mean / total, Interval { low: quantile(tail), high: quantile(1.0 - tail) })
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
    use super::*;
    use crate::bayes::{Prior, estimate};
    use crate::mixed_model::{CrossedDesign, simulate};

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
    fn weighted_values_are_summarized_by_their_weight() {
        let (mean, interval) = summary(&[3.0, 1.0, 2.0], &[0.5, 0.25, 0.25], 0.9);
        assert_eq!(mean, 2.25);
        assert_eq!((interval.low, interval.high), (1.0, 3.0));
        assert_eq!(summary(&[3.0, 1.0, 2.0], &[0.0, 1.0, 0.0], 0.95).1.high, 1.0);
    }

    #[test]
    fn the_spread_of_items_is_found_not_the_number_of_answers() {
        // Chance is .25, the margin .325; three answers in four are right on the best items.
        let design = CrossedDesign {
            participants: 40,
            items: 40,
            accuracy: 0.3,
            participant_sd: 0.4,
            item_sd: 1.0,
            ..CrossedDesign::default()
        };
        let intercept = intercept_of(0.3, 0.16 + 1.0);
        let truth = normal_cdf(intercept_of(0.325, 0.16) - intercept);
        let lower = marginal_accuracy(intercept + normal_quantile(0.25), 0.4, 0.0);
        let spread = |participants: usize, place: u64| {
            let design = CrossedDesign { participants, ..design.clone() };
            Posterior::new(&simulate(&design, 1, place)).unwrap().items(0.325, 0.95)
        };
        let found: Vec<ItemSpread> = (0..6).map(|place| spread(40, place)).collect();
        let covered = found.iter().filter(|s| s.below_margin_interval.contains(truth)).count();
        assert!(covered >= 5, "{truth}: {found:?}");
        let mean = found.iter().map(|spread| spread.below_margin).sum::<f64>() / 6.0;
        assert!((mean - truth).abs() < 0.1, "{mean} for {truth}");
        for spread in &found {
            let at: Vec<f64> = spread.quantiles.iter().map(|q| q.accuracy).collect();
            assert!(at.windows(2).all(|pair| pair[0] < pair[1]), "{at:?}");
            assert!((at[1] - lower).abs() < 0.1, "{at:?} for {lower}");
            assert!(spread.quantiles.iter().all(|q| q.interval.contains(q.accuracy)));
        }
        // With a quarter of the answers the share is less sure, but it is the same share.
        let few = spread(10, 0);
        assert!((few.below_margin - truth).abs() < 0.2, "{few:?}");
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
