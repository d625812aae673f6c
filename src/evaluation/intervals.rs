//! How far accuracy and mean recall may lie from what these excerpts show: intervals by
//! resampling, of excerpts as if they were independent, and of whole groups.
//!
//! Groups of all classes replace each other, so that a class of two groups, which resampled alone
//! would seldom vary, does not make an interval too narrow; a mean recall is over the classes
//! that were drawn. The classifiers stay as they are: what other training excerpts would change
//! is not in here.

use serde::Serialize;
use trompe_statistics::Interval;
use trompe_statistics::groups::{Groups, resampled_interval};

use super::cross_validation::{Evaluation, Trial};

/// Confidence of every interval.
pub const LEVEL: f64 = 0.95;
/// Resamples of an interval that is reported (our choice).
pub const RESAMPLES: usize = 4_999;

/// Intervals of one figure at [`LEVEL`]; `None` where nothing can be resampled.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Intervals {
    /// If excerpts were independent.
    pub independent: Option<Interval>,
    /// By resampling whole groups; `None` also where no two excerpts share a group.
    pub by_group: Option<Interval>,
}

/// Intervals of the figures of one classifier.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct FigureIntervals {
    /// Of the mean recall over classes with tested excerpts.
    pub mean_recall: Intervals,
    /// Of the accuracy.
    pub accuracy: Intervals,
}

impl FigureIntervals {
    /// Of the means over all trials of an evaluation, by so many `resamples` drawn by `seed`.
    pub fn of(evaluation: &Evaluation, resamples: usize, seed: u64) -> Self {
        let draws = (resamples, seed);
        let right = shares_right(evaluation);
        Self {
            mean_recall: intervals(evaluation, &right, draws, |cells| {
                let seen = cells.iter().filter(|cell| cell.weight > 0.0);
                let recall: Vec<f64> = seen.map(|cell| cell.value / cell.weight).collect();
                (!recall.is_empty()).then(|| recall.iter().sum::<f64>() / recall.len() as f64)
            }),
            accuracy: intervals(evaluation, &right, draws, share_of_all),
        }
    }
}

/// Difference of two classifiers' accuracies on the same excerpts.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct AccuracyDifference {
    /// First less second.
    pub value: f64,
    /// Its intervals.
    pub intervals: Intervals,
}

impl AccuracyDifference {
    /// Of two evaluations on the same excerpts, by so many `resamples` drawn by `seed`.
    pub fn of(first: &Evaluation, second: &Evaluation, resamples: usize, seed: u64) -> Self {
        let pairs = shares_right(first).into_iter().zip(shares_right(second));
        let difference: Vec<f64> = pairs.map(|(a, b)| a - b).collect();
        Self {
            value: difference.iter().sum::<f64>() / difference.len() as f64,
            intervals: intervals(first, &difference, (resamples, seed), share_of_all),
        }
    }
}

/// Sums over the excerpts of a class.
#[derive(Debug, Clone, Copy, Default)]
struct Cell {
    value: f64,
    weight: f64,
}

fn share_of_all(cells: &[Cell]) -> Option<f64> {
    let value: f64 = cells.iter().map(|cell| cell.value).sum();
    let weight: f64 = cells.iter().map(|cell| cell.weight).sum();
    (weight > 0.0).then(|| value / weight)
}

/// For every tested excerpt, the share of trials that have it right.
fn shares_right(evaluation: &Evaluation) -> Vec<f64> {
    let trials = &evaluation.trials;
    (0..trials[0].predictions.len())
        .map(|place| {
            let right = |trial: &&Trial| trial.predictions[place].is_right();
            trials.iter().filter(right).count() as f64 / trials.len() as f64
        })
        .collect()
}

/// Intervals of a `statistic` of the classes' sums of `values`, one a tested excerpt, by a number
/// of draws and their seed.
fn intervals(
    evaluation: &Evaluation,
    values: &[f64],
    draws: (usize, u64),
    statistic: impl Fn(&[Cell]) -> Option<f64> + Sync,
) -> Intervals {
    let classes: Vec<usize> =
        evaluation.trials[0].predictions.iter().map(|prediction| prediction.class).collect();
    let of = |groups: &Groups| {
        interval_by(groups, &classes, evaluation.classes.len(), values, draws, &statistic)
    };
    let groups = evaluation.tested_groups();
    Intervals {
        independent: of(&Groups::of_single_items(values.len())),
        by_group: groups.join_items().then(|| of(&groups)).flatten(),
    }
}

fn interval_by(
    groups: &Groups,
    labels: &[usize],
    classes: usize,
    values: &[f64],
    draws: (usize, u64),
    statistic: impl Fn(&[Cell]) -> Option<f64> + Sync,
) -> Option<Interval> {
    // For every group, its classes with their sums.
    let mut members: Vec<Vec<(usize, Cell)>> = vec![Vec::new(); groups.count()];
    for ((&group, &label), value) in groups.of_item().iter().zip(labels).zip(values) {
        let group = &mut members[group];
        let place = group.iter().position(|(class, _)| *class == label).unwrap_or_else(|| {
            group.push((label, Cell::default()));
            group.len() - 1
        });
        group[place].1.value += value;
        group[place].1.weight += 1.0;
    }
    let all = [(0..members.len()).collect::<Vec<_>>()];
    resampled_interval(&all, LEVEL, draws.0, draws.1, |weights| {
        let mut cells = vec![Cell::default(); classes];
        for (members, weight) in members.iter().zip(weights).filter(|(_, weight)| **weight > 0.0) {
            for (class, cell) in members {
                cells[*class].value += weight * cell.value;
                cells[*class].weight += weight * cell.weight;
            }
        }
        statistic(&cells)
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::super::told;
    use super::*;

    #[test]
    fn groups_that_stand_or_fall_together_make_wide_intervals() {
        // 20 groups of ten excerpts, two classes; every other group is right as a whole.
        let labels: Vec<usize> = (0..200).map(|place| place / 100).collect();
        let given: Vec<usize> =
            labels.iter().enumerate().map(|(place, &class)| class ^ (place / 10 % 2)).collect();
        let mut evaluation = told(2, &labels, &[&given]);
        let name = |(place, group): (usize, &mut Option<String>)| {
            *group = Some((place / 10).to_string());
        };
        evaluation.groups.iter_mut().enumerate().for_each(name);
        let found = FigureIntervals::of(&evaluation, RESAMPLES, 1);
        let width = |interval: Option<Interval>| interval.unwrap().high - interval.unwrap().low;
        for figure in [found.mean_recall, found.accuracy] {
            // 200 coins against 20: 2 * 1.96 * 0.5 / sqrt(200), and with t of 18 degrees.
            assert!((width(figure.independent) - 0.139).abs() < 0.02, "{figure:?}");
            assert!((width(figure.by_group) - 0.484).abs() < 0.06, "{figure:?}");
            assert!(figure.by_group.unwrap().contains(0.5));
        }
        let mut alone = evaluation.clone();
        alone.groups.fill(None);
        let single = FigureIntervals::of(&alone, RESAMPLES, 1);
        assert_eq!(single.accuracy.by_group, None);
        assert_eq!(single.accuracy.independent, found.accuracy.independent);
        // Against itself, nothing differs.
        let none = AccuracyDifference::of(&evaluation, &evaluation, 99, 1);
        assert_eq!((none.value, width(none.intervals.by_group)), (0.0, 0.0));
    }
}
