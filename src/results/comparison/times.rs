//! Evaluations to a threshold over seeds: medians with right-censoring, and their intervals
//! from resampling seeds. Classes are those of the classifier, no sample, and stay.

use serde::{Deserialize, Serialize};
use trompe_statistics::bootstrap::{Clusters, two_way};

use super::runs::Group;
use crate::results::intervals::{Share, kaplan_meier, kaplan_meier_median};

/// Resamples of every interval of a comparison.
pub const RESAMPLES: usize = 2_000;

/// Seed of the resampling.
const SEED: u64 = 1;

/// Share of resamples inside an interval.
pub const LEVEL: f64 = 0.95;

/// When searches reached a threshold: one row a seed, in each the same classes; a time is
/// an evaluation, and whether the threshold was reached then (`true`) or had not been when
/// the search ended.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Times {
    rows: Vec<Vec<(u64, bool)>>,
}

/// A median number of evaluations.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct MedianTime {
    /// Kaplan-Meier median; `None` if more than half had not reached it in the end.
    pub median: Option<u64>,
    /// Bounds of the bootstrap interval over seeds, each `None` where it lies beyond the
    /// end; no interval of a single seed.
    pub interval: Option<(Option<u64>, Option<u64>)>,
    /// How many reached it.
    pub reached: usize,
    /// Of how many.
    pub of: usize,
    /// Last evaluation that was looked at.
    pub end: u64,
}

impl Times {
    /// Of every class and seed of a group.
    pub(super) fn of(group: &Group, threshold: f64) -> Self {
        let row = |run: &super::Run| {
            let end = run.report.evaluations;
            let classes = run.report.classes.iter();
            classes
                .map(|class| class.first_reaching(threshold).map_or((end, false), |at| (at, true)))
                .collect()
        };
        Self { rows: group.runs().iter().map(row).collect() }
    }

    /// Of the classes that have a limit, when each seed's best log-odds first lay above it.
    pub(super) fn above(group: &Group, limits: &[Option<f64>]) -> Self {
        let row = |run: &super::Run| {
            let end = run.report.evaluations;
            let pairs = run.report.classes.iter().zip(limits);
            pairs
                .filter_map(|(class, limit)| {
                    Some(class.first_above((*limit)?).map_or((end, false), |at| (at, true)))
                })
                .collect()
        };
        Self { rows: group.runs().iter().map(row).collect() }
    }

    /// What was known after `evaluations`.
    pub(super) fn within(mut self, evaluations: u64) -> Self {
        for time in self.rows.iter_mut().flatten() {
            if time.0 > evaluations {
                *time = (evaluations, false);
            }
        }
        self
    }

    /// The same counted after the first `draws` evaluations: 0 where it was reached in them.
    pub(super) fn after(mut self, draws: u64) -> Self {
        for time in self.rows.iter_mut().flatten() {
            time.0 = time.0.saturating_sub(draws);
        }
        self
    }

    /// Share of all times that are reached within the first `draws` evaluations.
    pub(super) fn share_within(&self, draws: u64) -> Option<Share> {
        let all = || self.rows.iter().flatten();
        let reached = all().filter(|time| time.1 && time.0 <= draws).count();
        Share::new(reached as u64, all().count() as u64)
    }

    /// Of one class.
    pub(super) fn class(&self, class: usize) -> Self {
        Self { rows: self.rows.iter().map(|row| vec![row[class]]).collect() }
    }

    /// Of all classes together: the time of the last, censored if one is.
    pub(super) fn all_classes(&self) -> Self {
        let last = |row: &Vec<(u64, bool)>| {
            let end = row.iter().map(|time| time.0).max().unwrap_or(0);
            vec![(end, row.iter().all(|time| time.1))]
        };
        Self { rows: self.rows.iter().map(last).collect() }
    }

    /// The median of each seed on its own.
    pub(super) fn by_seed(&self) -> Vec<Option<u64>> {
        self.rows.iter().map(|row| kaplan_meier_median(row)).collect()
    }

    /// Share of all times that are reached, by Kaplan and Meier: (evaluation, share) where
    /// it grows.
    pub(super) fn reached(&self) -> Vec<(u64, f64)> {
        let times: Vec<(u64, bool)> = self.rows.iter().flatten().copied().collect();
        kaplan_meier(&times).into_iter().map(|(at, without)| (at, 1.0 - without)).collect()
    }

    pub(super) fn seeds(&self) -> usize {
        self.rows.len()
    }

    /// Latest time of all.
    pub(super) fn end(&self) -> u64 {
        self.rows.iter().flatten().map(|time| time.0).max().unwrap_or(0)
    }

    /// Median over all times, where the row of each seed counts `weights` times.
    pub(super) fn median(&self, weights: &[u32]) -> Option<u64> {
        let counted = self.rows.iter().zip(weights);
        let times: Vec<(u64, bool)> =
            counted.flat_map(|(row, &count)| row.repeat(count as usize)).collect();
        kaplan_meier_median(&times)
    }

    /// Share of all times that are reached, where the row of each seed counts `weights` times.
    pub(super) fn share_reached(&self, weights: &[u32]) -> f64 {
        let (mut reached, mut all) = (0, 0);
        for (row, &count) in self.rows.iter().zip(weights) {
            reached += count as usize * row.iter().filter(|time| time.1).count();
            all += count as usize * row.len();
        }
        reached as f64 / all.max(1) as f64
    }

    /// The median over all times, with its interval.
    pub(super) fn estimate(&self) -> MedianTime {
        let seeds = self.rows.len();
        let interval = (seeds > 1).then(|| {
            let clusters = Clusters { participants: 0, item_strata: vec![(0..seeds).collect()] };
            let draws = two_way(&clusters, RESAMPLES, SEED, |weights| {
                Some(self.median(&weights.item).map_or(f64::INFINITY, |median| median as f64))
            });
            let (low, high) = order_interval(draws);
            let known = |bound: f64| bound.is_finite().then_some(bound as u64);
            (known(low), known(high))
        });
        MedianTime {
            median: self.median(&vec![1; seeds]),
            interval,
            reached: self.rows.iter().flatten().filter(|time| time.1).count(),
            of: self.rows.iter().flatten().count(),
            end: self.end(),
        }
    }
}

/// Draws `statistic` for two groups of seeds that are resampled independently.
pub(super) fn resample_both(
    first: usize,
    second: usize,
    statistic: impl Fn(&[u32], &[u32]) -> Option<f64> + Sync,
) -> Vec<f64> {
    let strata = vec![(0..first).collect(), (first..first + second).collect()];
    let clusters = Clusters { participants: 0, item_strata: strata };
    two_way(&clusters, RESAMPLES, SEED, |weights| {
        let (a, b) = weights.item.split_at(first);
        statistic(a, b)
    })
}

/// The central [`LEVEL`] of draws that may be infinite: order statistics, rounded outwards.
/// Draws must not be empty.
pub(super) fn order_interval(mut draws: Vec<f64>) -> (f64, f64) {
    draws.sort_by(f64::total_cmp);
    let last = draws.len().saturating_sub(1) as f64;
    let tail = 0.5 * (1.0 - LEVEL);
    let at = |place: f64| draws.get(place as usize).copied().unwrap_or(f64::NAN);
    (at(libm::floor(tail * last)), at(libm::ceil((1.0 - tail) * last)))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::super::runs::tests::reaching;
    use super::*;

    fn times(rows: &[[Option<u64>; 2]]) -> Times {
        let runs = rows.iter().zip(1..).map(|(&at, seed)| reaching(seed, "x", at)).collect();
        Times::of(&Group::of(runs).unwrap()[0], 0.999)
    }

    #[test]
    fn medians_count_what_was_not_reached() {
        // Six pairs, four events: survival falls to 5/6, 4/6, 3/6 at 30.
        let times = times(&[[Some(10), Some(20)], [Some(30), None], [Some(40), None]]);
        let estimate = times.estimate();
        assert_eq!((estimate.median, estimate.reached, estimate.of), (Some(30), 4, 6));
        assert_eq!(estimate.end, 100);
        assert_eq!(times.class(1).estimate().median, None);
        assert_eq!(times.class(0).estimate().median, Some(30));
        assert_eq!(times.all_classes().rows, [[(20, true)], [(100, false)], [(100, false)]]);
        assert_eq!(times.by_seed(), [Some(10), Some(30), Some(40)]);
        assert_eq!(times.reached().len(), 4);
        assert!((times.reached()[2].1 - 0.5).abs() < 1e-12);
        let share = |draws| times.share_within(draws).map(|share| (share.count, share.of));
        assert_eq!((share(9), share(30)), (Some((0, 6)), Some((3, 6))));
        let after = times.clone().after(15);
        assert_eq!(after.rows[0], [(0, true), (5, true)]);
        assert_eq!((after.estimate().median, after.estimate().end), (Some(15), 85));
        let early = times.within(25);
        assert_eq!(early.rows[1], [(25, false), (25, false)]);
        assert_eq!(early.estimate().median, None);
    }

    /// By hand: of 27 equally likely resamples of three seeds with times 2, 3 and never, the
    /// median is 2 in 7, 3 in 13 and never in 7: both bounds of 95 % are the extremes.
    #[test]
    fn an_interval_may_be_open_above() {
        let times = times(&[[Some(2), Some(2)], [Some(3), Some(3)], [None, None]]);
        let estimate = times.class(0).estimate();
        assert_eq!(estimate.median, Some(3));
        assert_eq!(estimate.interval, Some((Some(2), None)));
    }

    #[test]
    fn one_seed_has_no_interval() {
        assert_eq!(times(&[[Some(3), Some(4)]]).estimate().interval, None);
    }

    #[test]
    fn order_statistics_are_rounded_outwards() {
        let draws: Vec<f64> = (0..101).map(f64::from).collect();
        assert_eq!(order_interval(draws), (2.0, 98.0));
        assert_eq!(order_interval(vec![1.0, f64::INFINITY]), (1.0, f64::INFINITY));
    }
}
