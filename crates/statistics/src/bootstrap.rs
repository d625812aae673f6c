//! Resampling participants and items together.
//!
//! Both are drawn with replacement, independently; an answer counts as often as its
//! participant times as often as its item was drawn (the "pigeonhole" bootstrap of Owen
//! 2007, who shows that it never understates the variance by much and overstates it, at
//! most threefold, where neither participants nor items differ).

use rayon::prelude::*;
use trompe_base::random::index;

use crate::intervals::Interval;
use crate::special::{student_quantile, student_sf};
use crate::stream::{Purpose, stream};

/// What is resampled.
#[derive(Debug, Clone, Default)]
pub struct Clusters {
    /// Number of participants.
    pub participants: usize,
    /// Items by stratum: items of different conditions never replace each other. Every
    /// item index below the total occurs once.
    pub item_strata: Vec<Vec<usize>>,
}

/// How often each participant and each item was drawn.
#[derive(Debug, Clone)]
pub struct Weights {
    /// One count a participant.
    pub participant: Vec<u32>,
    /// One count an item.
    pub item: Vec<u32>,
}

impl Weights {
    /// How often the answer of this participant to this item counts.
    pub fn of(&self, participant: usize, item: usize) -> f64 {
        f64::from(self.participant[participant] * self.item[item])
    }
}

/// Resamples that one stream draws; fixed, so that results do not depend on threads.
const CHUNK: usize = 64;

/// `resamples` values of `statistic`, in a fixed order; resamples for which it is `None`
/// (say, nobody drawn answered) are left out.
pub fn two_way(
    clusters: &Clusters,
    resamples: usize,
    seed: u64,
    statistic: impl Fn(&Weights) -> Option<f64> + Sync,
) -> Vec<f64> {
    let items = clusters.item_strata.iter().map(Vec::len).sum();
    let chunk = |chunk: usize| -> Vec<f64> {
        let mut stream = stream(seed, Purpose::Bootstrap, chunk as u64);
        let count = CHUNK.min(resamples - chunk * CHUNK);
        let draw = |_| {
            let mut weights =
                Weights { participant: vec![0; clusters.participants], item: vec![0; items] };
            for _ in 0..clusters.participants {
                weights.participant[index(clusters.participants, &mut stream)] += 1;
            }
            for stratum in &clusters.item_strata {
                for _ in 0..stratum.len() {
                    weights.item[stratum[index(stratum.len(), &mut stream)]] += 1;
                }
            }
            statistic(&weights)
        };
        (0..count).filter_map(draw).collect()
    };
    let chunks: Vec<Vec<f64>> = (0..resamples.div_ceil(CHUNK)).into_par_iter().map(chunk).collect();
    chunks.concat()
}

/// One answer as the bootstrap sees it: who, what, and a number.
#[derive(Debug, Clone, Copy)]
pub struct Value {
    /// Participant index.
    pub participant: usize,
    /// Item index.
    pub item: usize,
    /// The number: 1 for a hit and 0 for a miss, a rating, ...
    pub value: f64,
}

/// Mean of `values` under `weights`; `None` if nothing was drawn.
pub fn weighted_mean(values: &[Value], weights: &Weights) -> Option<f64> {
    let (mut sum, mut count) = (0.0, 0.0);
    for answer in values {
        let weight = weights.of(answer.participant, answer.item);
        sum += weight * answer.value;
        count += weight;
    }
    (count > 0.0).then(|| sum / count)
}

/// The central `level` of `draws` (percentile interval); `None` for no draws.
pub fn percentile_interval(mut draws: Vec<f64>, level: f64) -> Option<Interval> {
    draws.sort_by(f64::total_cmp);
    let tail = 0.5 * (1.0 - level);
    Some(Interval { low: quantile(&draws, tail)?, high: quantile(&draws, 1.0 - tail)? })
}

/// A difference of two means, with its interval and test.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Difference {
    /// First mean less the second.
    pub difference: f64,
    /// Its interval.
    pub interval: Interval,
    /// Two-sided p-value of "no difference", which belongs to the interval.
    pub p: f64,
    /// Degrees of freedom of both.
    pub df: f64,
}

/// The mean of `first` less that of `second`: participants are resampled together for both,
/// items apart, so that listeners may differ in each condition as they like, together or not.
/// `clusters` holds the items of the first and of the second as its two strata.
///
/// Student's t with the standard error of the resamples in place of their percentiles, because
/// with few clusters percentiles are too narrow: the standard error is scaled by n / (n - 1),
/// and the degrees of freedom are n - 1, for n the fewest of participants and items of either
/// side. `None` where no resample differs from another, as where all answers are right.
pub fn two_way_difference(
    first: &[Value],
    second: &[Value],
    clusters: &Clusters,
    level: f64,
    resamples: usize,
    seed: u64,
) -> Option<Difference> {
    let mean = |values: &[Value]| {
        (!values.is_empty())
            .then(|| values.iter().map(|v| v.value).sum::<f64>() / values.len() as f64)
    };
    let difference = mean(first)? - mean(second)?;
    let draws = two_way(clusters, resamples, seed, |weights| {
        Some(weighted_mean(first, weights)? - weighted_mean(second, weights)?)
    });
    let (error, df) = standard_error(&draws, clusters)?;
    let reach = student_quantile(0.5 + 0.5 * level, df) * error;
    let p = (2.0 * student_sf((difference / error).abs(), df)).min(1.0);
    let interval = Interval { low: difference - reach, high: difference + reach };
    Some(Difference { difference, interval, p, df })
}

/// Interval of the mean of `values` by Student's t with the standard error of the resamples, as
/// [`two_way_difference`] has it. `None` where no resample differs from another.
pub fn two_way_mean_interval(
    values: &[Value],
    clusters: &Clusters,
    level: f64,
    resamples: usize,
    seed: u64,
) -> Option<Interval> {
    let mean = values.iter().map(|v| v.value).sum::<f64>() / values.len() as f64;
    let draws = two_way(clusters, resamples, seed, |weights| weighted_mean(values, weights));
    let (error, df) = standard_error(&draws, clusters)?;
    let reach = student_quantile(0.5 + 0.5 * level, df) * error;
    Some(Interval { low: mean - reach, high: mean + reach })
}

/// Standard deviation of the resamples, scaled for the fewest clusters, with its degrees of
/// freedom.
fn standard_error(draws: &[f64], clusters: &Clusters) -> Option<(f64, f64)> {
    let fewest =
        clusters.item_strata.iter().map(Vec::len).chain([clusters.participants]).min()? as f64;
    let count = draws.len() as f64;
    if fewest < 2.0 || count < 2.0 {
        return None;
    }
    let centre = draws.iter().sum::<f64>() / count;
    let squares: f64 = draws.iter().map(|draw| (draw - centre) * (draw - centre)).sum();
    let variance = squares / (count - 1.0) * fewest / (fewest - 1.0);
    // Rounding alone spreads draws that are all alike.
    (variance >= 1e-18).then(|| (libm::sqrt(variance), fewest - 1.0))
}

/// Quantile of ascending numbers by linear interpolation (type 7 of Hyndman and Fan 1996,
/// the default of NumPy and R).
pub fn quantile(ascending: &[f64], p: f64) -> Option<f64> {
    let last = ascending.len().checked_sub(1)?;
    let place = p.clamp(0.0, 1.0) * last as f64;
    let below = (place.floor() as usize).min(last);
    let above = (below + 1).min(last);
    Some(ascending[below] + (place - below as f64) * (ascending[above] - ascending[below]))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn spread_is_that_of_the_clusters_not_of_the_answers() {
        // 30 items of rate 0 or 1 and 40 equal participants: 1200 answers, but the mean is
        // only as sure as 30 items make it (se .0913), not as 1200 answers (.0144).
        let clusters = Clusters { participants: 40, item_strata: vec![(0..30).collect()] };
        let values: Vec<Value> = (0..1200)
            .map(|n| Value {
                participant: n / 30,
                item: n % 30,
                value: f64::from(u8::from(n % 30 < 15)),
            })
            .collect();
        let draws = two_way(&clusters, 4000, 7, |weights| weighted_mean(&values, weights));
        let mean = draws.iter().sum::<f64>() / draws.len() as f64;
        let sd = (draws.iter().map(|d| (d - mean).powi(2)).sum::<f64>() / 4000.0).sqrt();
        assert!((sd - 0.0913).abs() < 0.004, "{sd}");
    }

    #[test]
    fn a_difference_is_as_sure_as_its_items_and_its_test_fits_its_interval() {
        // 20 listeners; 12 items of rate .75 against 12 of rate .25, decided by the item.
        let side = |shift: usize, right: usize| -> Vec<Value> {
            let value = |n: usize| Value {
                participant: n / 12,
                item: shift + n % 12,
                value: f64::from(u8::from(n % 12 < right)),
            };
            (0..240).map(value).collect()
        };
        let clusters =
            Clusters { participants: 20, item_strata: vec![(0..12).collect(), (12..24).collect()] };
        let of = |right: usize, level| {
            two_way_difference(&side(0, 9), &side(12, right), &clusters, level, 4000, 3)
        };
        let found = of(3, 0.95).unwrap();
        assert_eq!((found.difference, found.df), (0.5, 11.0));
        // The standard error of a difference of two means of 12 items: sqrt(2 x .1875 / 11).
        let half = 0.5 * (found.interval.high - found.interval.low);
        assert!((half - 2.201 * 0.1846).abs() < 0.02, "{half}");
        // At level 1 - p the interval ends at zero.
        let at_p = of(3, 1.0 - found.p).unwrap();
        assert!(at_p.interval.low.abs() < 1e-9, "{at_p:?}");
        assert_eq!(of(9, 0.95).unwrap().p, 1.0);
        let sure = side(0, 12);
        assert_eq!(two_way_difference(&sure, &side(12, 12), &clusters, 0.95, 200, 3), None);
        assert_eq!(two_way_difference(&sure, &[], &clusters, 0.95, 200, 3), None);
    }

    #[test]
    fn threads_do_not_change_the_draws_and_strata_stay_apart() {
        let clusters = Clusters { participants: 3, item_strata: vec![vec![0, 2], vec![1]] };
        let draw = || {
            two_way(&clusters, 200, 1, |weights| {
                assert_eq!((weights.item[1], weights.item[0] + weights.item[2]), (1, 2));
                Some(weights.of(0, 0))
            })
        };
        let one = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap().install(draw);
        let four = rayon::ThreadPoolBuilder::new().num_threads(4).build().unwrap().install(draw);
        assert_eq!(one, four);
        assert_eq!(one.len(), 200);
    }
}
