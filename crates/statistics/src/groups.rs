//! Tests and intervals for items that come in groups: clips of one artist, of one track, of
//! one style file. Items of a group resemble each other, so a group is one piece of evidence,
//! however many items it has. Whole groups are flipped, permuted and drawn; an item without a
//! group is a group of its own.

use std::collections::BTreeMap;

use rayon::prelude::*;
use trompe_base::random::{index, shuffle};

use crate::bootstrap::percentile_interval;
use crate::intervals::Interval;
use crate::permutation::Permuted;
use crate::special::{normal_cdf, student_quantile};
use crate::stream::{Purpose, stream};
use crate::{Undefined, binomial};

/// Which items belong together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Groups {
    /// The group of every item, below `count`.
    of_item: Vec<usize>,
    count: usize,
}

impl Groups {
    /// Groups by name; an item without a name is a group of its own. Groups are numbered by
    /// their first item.
    pub fn by_name<'a>(names: impl IntoIterator<Item = Option<&'a str>>) -> Self {
        let mut numbers = BTreeMap::new();
        let mut count = 0;
        let mut next = || {
            count += 1;
            count - 1
        };
        let of_item = names
            .into_iter()
            .map(|name| match name {
                Some(name) => *numbers.entry(name).or_insert_with(&mut next),
                None => next(),
            })
            .collect();
        Self { of_item, count }
    }

    /// Every item for itself: what tests of independent items assume.
    pub fn of_single_items(items: usize) -> Self {
        Self { of_item: (0..items).collect(), count: items }
    }

    /// Number of groups.
    pub fn count(&self) -> usize {
        self.count
    }

    /// The group of every item.
    pub fn of_item(&self) -> &[usize] {
        &self.of_item
    }

    /// Whether any group has two items: otherwise tests by group are those of single items.
    pub fn join_items(&self) -> bool {
        self.count < self.of_item.len()
    }

    /// Sum over the items of every group.
    pub fn sums(&self, values: impl IntoIterator<Item = i64>) -> Vec<i64> {
        let mut sums = vec![0; self.count];
        for (&group, value) in self.of_item.iter().zip(values) {
            sums[group] += value;
        }
        sums
    }

    /// Mean over the items of every group.
    pub fn means(&self, values: impl IntoIterator<Item = f64>) -> Vec<f64> {
        let (mut sums, mut sizes) = (vec![0.0; self.count], vec![0.0; self.count]);
        for (&group, value) in self.of_item.iter().zip(values) {
            sums[group] += value;
            sizes[group] += 1.0;
        }
        sums.into_iter().zip(sizes).map(|(sum, size)| sum / size).collect()
    }
}

/// Exact two-sided sign-flip test of paired differences, one a group: the share of all ways to
/// choose the signs whose sum is as far from 0 as the actual one. If neither side is better,
/// the two sides of a whole group may be exchanged, whatever ties its items together. With
/// differences of -1, 0 and 1 alone this is McNemar's exact test.
pub fn sign_flips(differences: &[i64]) -> f64 {
    let sizes = differences.iter().map(|difference| difference.unsigned_abs() as usize);
    let total: usize = sizes.clone().sum();
    // chances[w]: probability that the positive differences sum to w.
    let mut chances = vec![0.0; total + 1];
    chances[0] = 1.0;
    let mut reached = 0;
    for size in sizes.filter(|&size| size > 0) {
        reached += size;
        for sum in (0..=reached).rev() {
            let from = if sum >= size { chances[sum - size] } else { 0.0 };
            chances[sum] = 0.5 * (chances[sum] + from);
        }
    }
    let positive: usize =
        differences.iter().filter(|&&d| d > 0).map(|d| d.unsigned_abs() as usize).sum();
    let tail: f64 = chances[positive.max(total - positive)..].iter().sum();
    (2.0 * tail).min(1.0)
}

/// Probability that guessing does as well, where every group is one guess: `shares` has the
/// share of right answers of every group, `chance` is the rate of guessing. The shares are
/// summed and rounded down to a number of groups, which is tested by the exact binomial test.
///
/// This is exact where the items of a group are all right or all wrong, and cautious where they
/// are not: of all shares in [0, 1] with a given mean, those of 0 and 1 alone spread most
/// (Hoeffding 1963).
pub fn at_least(shares: &[f64], chance: f64) -> f64 {
    // A sum such as 2.9999999999999996 means 3.
    let right = (shares.iter().sum::<f64>() + 1e-9).floor() as u64;
    binomial::at_least(right, shares.len() as u64, chance)
}

/// Permutations that one stream draws; fixed, so that results do not depend on threads.
const PERMUTATION_CHUNK: usize = 256;

/// Tests whether answers follow labels when labels are dealt to whole groups.
/// `answers[group][class]` is the share of a group's answers, `labels[group]` lists its classes,
/// each with the share of its items. The statistic is the sum over groups of the chance that a
/// random answer of the group fits a random label of it. Shares, not counts: a class whose groups
/// are large must not reward a taste for that class. `expected_hits` counts groups.
///
/// # Errors
/// [`Undefined`] without groups, or if all have the same labels: then nothing can be permuted.
pub fn labels_over_groups(
    answers: &[Vec<f64>],
    labels: &[Vec<(usize, f64)>],
    permutations: usize,
    seed: u64,
) -> Result<Permuted, Undefined> {
    if answers.is_empty() {
        return Err(Undefined("no groups"));
    }
    if labels.iter().all(|label| *label == labels[0]) {
        return Err(Undefined("all groups have the same labels"));
    }
    let fit = |answers: &[f64], labels: &[(usize, f64)]| -> f64 {
        labels.iter().map(|&(class, share)| share * answers[class]).sum()
    };
    let hits = |order: &[usize]| -> f64 {
        answers.iter().zip(order).map(|(answers, &group)| fit(answers, &labels[group])).sum()
    };
    let order: Vec<usize> = (0..answers.len()).collect();
    // Sums of the same shares in another order are equal but for rounding.
    let actual = hits(&order) - 1e-9;
    let classes = answers[0].len();
    let mean: Vec<f64> = (0..classes)
        .map(|class| answers.iter().map(|row| row[class]).sum::<f64>() / answers.len() as f64)
        .collect();
    let expected_hits = labels.iter().map(|labels| fit(&mean, labels)).sum();
    let chunk = |chunk: usize| -> u64 {
        let mut stream = stream(seed, Purpose::GroupPermutation, chunk as u64);
        let mut order = order.clone();
        let mut reached = 0;
        for _ in 0..PERMUTATION_CHUNK.min(permutations - chunk * PERMUTATION_CHUNK) {
            shuffle(&mut order, &mut stream);
            reached += u64::from(hits(&order) >= actual);
        }
        reached
    };
    let chunks = permutations.div_ceil(PERMUTATION_CHUNK);
    let reached: u64 = (0..chunks).into_par_iter().map(chunk).sum();
    Ok(Permuted { expected_hits, p_at_least: (reached + 1) as f64 / (permutations + 1) as f64 })
}

/// Resamples that one stream draws; fixed, so that results do not depend on threads.
const RESAMPLING_CHUNK: usize = 64;

/// Interval of a statistic by resampling whole groups within strata, which never replace each
/// other. `statistic` gets one weight a group; resamples for which it is `None` are left out.
///
/// A stratum of n groups gives n - 1 draws, each of weight n / (n - 1), so that means have their
/// unbiased variance (Rao & Wu 1988), and the percentiles are moved outward as Student's t is
/// wider than the normal (Hesterberg 2015): without both, intervals of few groups are too
/// narrow. A stratum of one group cannot vary. `None` if no stratum can.
pub fn resampled_interval(
    strata: &[Vec<usize>],
    level: f64,
    resamples: usize,
    seed: u64,
    statistic: impl Fn(&[f64]) -> Option<f64> + Sync,
) -> Option<Interval> {
    let groups: usize = strata.iter().map(Vec::len).sum();
    let freedom: usize = strata.iter().map(|stratum| stratum.len().saturating_sub(1)).sum();
    if freedom == 0 {
        return None;
    }
    let chunk = |chunk: usize| -> Vec<f64> {
        let mut stream = stream(seed, Purpose::GroupBootstrap, chunk as u64);
        let draw = |_| {
            let mut weights = vec![0.0; groups];
            for stratum in strata {
                match stratum.len() {
                    1 => weights[stratum[0]] = 1.0,
                    size => {
                        let weight = size as f64 / (size as f64 - 1.0);
                        for _ in 1..size {
                            weights[stratum[index(size, &mut stream)]] += weight;
                        }
                    }
                }
            }
            statistic(&weights)
        };
        (0..RESAMPLING_CHUNK.min(resamples - chunk * RESAMPLING_CHUNK)).filter_map(draw).collect()
    };
    let chunks = resamples.div_ceil(RESAMPLING_CHUNK);
    let draws: Vec<Vec<f64>> = (0..chunks).into_par_iter().map(chunk).collect();
    let tail = normal_cdf(-student_quantile(0.5 + 0.5 * level, freedom as f64));
    percentile_interval(draws.concat(), 1.0 - 2.0 * tail)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn items_without_a_name_are_groups_of_their_own() {
        let groups = Groups::by_name([Some("b"), None, Some("a"), Some("b"), None]);
        assert_eq!(groups.of_item(), [0, 1, 2, 0, 3]);
        assert!(groups.join_items() && !Groups::of_single_items(3).join_items());
        assert_eq!(groups.sums([1, 2, 3, 4, 5]), [5, 2, 3, 5]);
        assert_eq!(groups.means([1.0, 2.0, 3.0, 4.0, 5.0]), [2.5, 2.0, 3.0, 5.0]);
    }

    #[test]
    fn flips_counted_by_hand() {
        // Signs of 3, 1, 1: sums 5, 3, 3, 1 and their negatives; |sum| >= 3 in 6 of 8 ways.
        assert_eq!(sign_flips(&[3, 1, -1]), 0.75);
        assert_eq!(sign_flips(&[3, 0, 1, 1]), 0.25);
        assert_eq!((sign_flips(&[]), sign_flips(&[0, 0]), sign_flips(&[2, -2])), (1.0, 1.0, 1.0));
        // One large group is no evidence, however many items it has.
        assert_eq!(sign_flips(&[1000]), 1.0);
    }

    #[test]
    fn flips_of_single_items_are_mcnemars_test() {
        for (first, second) in [(10, 2), (0, 5), (7, 7), (82, 38), (1, 0)] {
            let mut differences = vec![1; first];
            differences.extend(vec![-1; second]);
            let exact = binomial::mcnemar(first as u64, second as u64);
            let flips = sign_flips(&differences);
            assert!((flips / exact - 1.0).abs() < 1e-9, "{flips} {exact}");
        }
    }

    #[test]
    fn a_group_is_one_guess() {
        // Three of four groups right, whatever their size: P(Bin(4, 1/2) >= 3) = 5/16.
        assert!((at_least(&[1.0, 1.0, 1.0, 0.0], 0.5) - 0.3125).abs() < 1e-12);
        assert!((at_least(&[1.0 / 3.0; 9], 0.5) - binomial::at_least(3, 9, 0.5)).abs() < 1e-15);
    }

    #[test]
    fn knowledge_of_groups_is_counted_in_groups() {
        // Eight groups, two classes, all right: only the identity among 70 ways reaches 8.
        let pure = |class: usize| vec![(class, 1.0)];
        let share = |class: usize| if class == 0 { vec![1.0, 0.0] } else { vec![0.0, 1.0] };
        let classes = [0, 0, 0, 0, 1, 1, 1, 1];
        let answers: Vec<_> = classes.map(share).to_vec();
        let labels: Vec<_> = classes.map(pure).to_vec();
        let found = labels_over_groups(&answers, &labels, 20_000, 1).unwrap();
        assert_eq!(found.expected_hits, 4.0);
        assert!((found.p_at_least - 1.0 / 70.0).abs() < 0.003, "{}", found.p_at_least);
        // A taste for one class fits every dealing equally well.
        let taste = vec![vec![0.3, 0.7]; 8];
        assert_eq!(labels_over_groups(&taste, &labels, 999, 1).unwrap().p_at_least, 1.0);
        assert!(labels_over_groups(&answers, &vec![pure(1); 8], 9, 1).is_err());
        assert!(labels_over_groups(&[], &[], 9, 1).is_err());
    }

    #[test]
    fn an_interval_is_as_wide_as_its_groups_make_it() {
        // Ten groups of mean 0 or 1: the t interval of their mean is 0.5 +- 2.262 * 0.527 / sqrt 10.
        let strata = [(0..10).collect::<Vec<_>>()];
        let mean = |weights: &[f64]| -> Option<f64> {
            let total: f64 = weights.iter().sum();
            Some(weights.iter().step_by(2).sum::<f64>() / total)
        };
        let interval = resampled_interval(&strata, 0.95, 20_000, 1, mean).unwrap();
        assert!((interval.high - interval.low - 2.0 * 0.377).abs() < 0.06, "{interval:?}");
        assert_eq!(resampled_interval(&[vec![0], vec![1]], 0.95, 9, 1, mean), None);
    }

    #[test]
    fn threads_do_not_change_the_results() {
        let answers: Vec<Vec<f64>> = (0..40).map(|g| vec![(g % 3) as f64, 1.0]).collect();
        let labels: Vec<Vec<(usize, f64)>> = (0..40).map(|g| vec![(g % 2, 1.0)]).collect();
        let strata: Vec<Vec<usize>> = vec![(0..25).collect(), (25..40).collect()];
        let run = || {
            let interval = resampled_interval(&strata, 0.95, 1000, 3, |weights| {
                Some(weights.iter().enumerate().map(|(g, w)| g as f64 * w).sum())
            });
            (labels_over_groups(&answers, &labels, 1000, 3).unwrap(), interval)
        };
        let pool = |n| rayon::ThreadPoolBuilder::new().num_threads(n).build().unwrap();
        assert_eq!(pool(1).install(run), pool(4).install(run));
    }
}
