//! Which map calibrates a victim: one temperature, unless vector scaling is better on items that
//! neither was fitted on.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use trompe_statistics::Interval;
use trompe_statistics::groups::resampled_interval;

use super::folds::{self, FOLDS};
use super::share::{CONFIDENCE, RESAMPLES, SEED};
use super::{CalibrationMap, ScoredItems, Temperature, VectorScaling};

/// Fewest groups with an item of each class from which vector scaling is tried: ten for each of the
/// two parameters of a class, as in the rule for logistic regression of Peduzzi et al. (1996). A class
/// that no item has would be given a posterior of nearly 0. Our choice.
pub const FEWEST_GROUPS_OF_CLASS: usize = 20;

/// Vector scaling against one temperature, each item by maps that were fitted on other groups.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct MapComparison {
    /// Mean negative log-likelihood of vector scaling minus that of the temperature, in nats.
    pub difference: f64,
    /// Its 95 % interval by resampling groups.
    pub interval: Option<Interval>,
}

impl MapComparison {
    /// Whether vector scaling is better by more than chance: all of the interval lies below 0.
    pub fn favours_vector_scaling(&self) -> bool {
        self.interval.is_some_and(|interval| interval.high < 0.0)
    }
}

/// The map that items choose; `None` for posteriors without a map, and of no items.
pub fn chosen_map(scored: &ScoredItems<'_>) -> Option<CalibrationMap> {
    if can_be_tried(scored) {
        return Some(MapChoice::of(scored)?.map);
    }
    let rows = scored.items.iter().copied();
    Temperature::fit(scored.posterior_kind, rows).map(CalibrationMap::Temperature)
}

/// A map with those of its folds.
pub(super) struct MapChoice {
    /// Fitted on all items.
    pub(super) map: CalibrationMap,
    /// The fold of every group.
    fold_of_group: Vec<usize>,
    /// Of every fold, fitted on the others; `None` where a fold has all items.
    folds: Option<Vec<CalibrationMap>>,
    /// `None` where vector scaling was not tried.
    pub(super) comparison: Option<MapComparison>,
}

impl MapChoice {
    /// By the items; `None` for posteriors without a map, and of no items.
    pub(super) fn of(scored: &ScoredItems<'_>) -> Option<Self> {
        let rows = scored.items.iter().copied();
        let temperature = Temperature::fit(scored.posterior_kind, rows.clone())?;
        let temperature = CalibrationMap::Temperature(temperature);
        let kept = Self::fitted(scored, temperature.clone(), numbered(scored));
        if !can_be_tried(scored) {
            return Some(kept);
        }
        let vector_scaling = VectorScaling::fit(scored.posterior_kind, rows);
        let tried = vector_scaling
            .map(|map| Self::fitted(scored, CalibrationMap::VectorScaling(map), dealt(scored)));
        let rival = Self::fitted(scored, temperature, dealt(scored));
        let comparison = tried.as_ref().and_then(|tried| compare(scored, tried, &rival));
        let better = comparison.as_ref().is_some_and(MapComparison::favours_vector_scaling);
        let chosen = tried.filter(|_| better).unwrap_or(kept);
        Some(Self { comparison, ..chosen })
    }

    /// The same comparison where the map is one that was chosen before.
    pub(super) fn delivering(self, scored: &ScoredItems<'_>, map: &CalibrationMap) -> Self {
        if map.name() == self.map.name() {
            return Self { map: map.clone(), ..self };
        }
        let folds = match map {
            CalibrationMap::Temperature(_) => numbered(scored),
            CalibrationMap::VectorScaling(_) => dealt(scored),
        };
        Self { comparison: self.comparison, ..Self::fitted(scored, map.clone(), folds) }
    }

    /// The map that was fitted without the fold of this group.
    pub(super) fn held_out(&self, group: usize) -> Option<&CalibrationMap> {
        Some(&self.folds.as_ref()?[self.fold_of_group[group]])
    }

    fn fitted(scored: &ScoredItems<'_>, map: CalibrationMap, fold_of_group: Vec<usize>) -> Self {
        let without = |fold| {
            let others = scored.grouped().filter(|(_, _, group)| fold_of_group[*group] != fold);
            map.refitted(others.map(|(log_odds, class, _)| (log_odds, class)))
        };
        let folds = (0..FOLDS).map(without).collect();
        Self { map, fold_of_group, folds, comparison: None }
    }
}

/// Folds in the order of groups.
fn numbered(scored: &ScoredItems<'_>) -> Vec<usize> {
    (0..scored.groups.count()).map(|group| group % FOLDS).collect()
}

/// Folds of all classes, as vector scaling needs.
fn dealt(scored: &ScoredItems<'_>) -> Vec<usize> {
    folds::dealt(scored.grouped().map(|(_, class, group)| (class, group)), scored.classes)
}

/// Whether classes exclude each other, and each has enough groups.
fn can_be_tried(scored: &ScoredItems<'_>) -> bool {
    let pairs: BTreeSet<_> = scored.grouped().map(|(_, class, group)| (class, group)).collect();
    let mut groups = vec![0; scored.classes];
    pairs.into_iter().for_each(|(class, _)| groups[class] += 1);
    scored.labelling.is_single() && groups.iter().all(|&groups| groups >= FEWEST_GROUPS_OF_CLASS)
}

fn compare(scored: &ScoredItems<'_>, tried: &MapChoice, kept: &MapChoice) -> Option<MapComparison> {
    let count = scored.groups.count();
    let (mut items, mut sums) = (vec![0.0; count], vec![0.0; count]);
    for (log_odds, class, group) in scored.grouped() {
        let loss = |choice: &MapChoice| choice.held_out(group)?.loss(log_odds, class);
        items[group] += 1.0;
        sums[group] += loss(tried)? - loss(kept)?;
    }
    let weighted = |of: &[f64], weights: &[f64]| -> f64 {
        of.iter().zip(weights).map(|(value, weight)| value * weight).sum()
    };
    let mean = |weights: &[f64]| {
        let all = weighted(&items, weights);
        (all > 0.0).then(|| weighted(&sums, weights) / all)
    };
    let strata = [(0..count).collect()];
    Some(MapComparison {
        difference: mean(&vec![1.0; count])?,
        interval: resampled_interval(&strata, CONFIDENCE, RESAMPLES, SEED, mean),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::super::tests::{item, reference};
    use super::super::vector_scaling::tests::{items, of_votes};
    use super::super::{CalibrationReport, Reference};
    use super::*;
    use crate::log_odds::PosteriorKind;

    /// A reference of votes whose true map is this one, two items a group.
    fn drawn(count: usize, truth: &VectorScaling, seed: u64) -> Reference {
        let one = |(n, (row, class)): (usize, (Vec<f64>, usize))| {
            item(class, Some(&format!("{}", n / 2)), &row)
        };
        let items = items(count, 2.0, truth, seed).into_iter().enumerate().map(one).collect();
        reference(truth.scales.len(), items)
    }

    fn unlike() -> VectorScaling {
        of_votes(&[2.0, 0.5, 1.0], &[1.0, -1.0, 0.0])
    }

    #[test]
    fn vector_scaling_is_chosen_where_it_is_true() {
        let reference = drawn(900, &unlike(), 1);
        let report = reference.calibration();
        let comparison = report.comparison.unwrap();
        assert!(comparison.favours_vector_scaling(), "{comparison:?}");
        assert!(comparison.interval.unwrap().contains(comparison.difference));
        assert_eq!(report.map().as_ref(), reference.calibration_map());
        assert!(report.vector_scaling.is_some() && report.temperature.is_none());
        // The same items by the temperature, as of a reference of before.
        let Reference { source, classes, victim, items, .. } = reference;
        let kind = PosteriorKind::LogisticOfVote;
        let rows = items.iter().map(|item| (&item.log_odds[..], item.class));
        let map = Temperature::fit(kind, rows).map(CalibrationMap::Temperature);
        let before = Reference::assembled(source, classes, kind, victim, items, map).unwrap();
        let kept = before.calibration();
        assert_eq!(kept.map().as_ref(), before.calibration_map());
        assert_eq!(kept.comparison, Some(comparison));
        let difference = report.nll.unwrap() - kept.nll.unwrap();
        assert!((difference - comparison.difference).abs() < 0.01, "but for the folds");
    }

    #[test]
    fn classes_that_come_in_turns_are_in_every_fold() {
        let mut drawn = items(2_000, 2.0, &of_votes(&[0.5; 5], &[0.0; 5]), 1);
        drawn.sort_by_key(|(_, class)| *class);
        let turn = |n: usize| {
            let place = drawn.partition_point(|(_, class)| *class < n % 5) + n / 5;
            item(n % 5, None, &drawn[place].0)
        };
        let report = reference(5, (0..1_000).map(turn).collect()).calibration();
        let comparison = report.comparison.unwrap();
        assert!(comparison.difference.abs() < 0.02, "{comparison:?}");
    }

    #[test]
    fn one_temperature_is_kept_where_it_is_true() {
        let truth = of_votes(&[0.5; 3], &[0.0; 3]);
        let chosen = |&seed: &u64| {
            let reference = drawn(210, &truth, seed);
            reference.calibration_map().unwrap().vector_scaling().is_some()
        };
        assert!((0..40).filter(chosen).count() <= 2);
        assert!(drawn(210, &truth, 0).calibration().comparison.is_some(), "enough groups");
    }

    #[test]
    fn few_groups_or_a_class_without_items_are_not_tried() {
        let few = drawn(60, &unlike(), 1).calibration();
        assert!(few.comparison.is_none() && few.temperature.is_some());
        // Reports are those of before, to the byte, and are read without the new fields.
        let json = serde_json::to_string(&few).unwrap();
        assert!(!json.contains("vector_scaling") && !json.contains("comparison"));
        assert_eq!(serde_json::from_str::<CalibrationReport>(&json).unwrap(), few);
        let unseen = of_votes(&[0.5; 3], &[0.0, 0.0, -1e3]);
        assert!(drawn(600, &unseen, 1).calibration().comparison.is_none());
    }
}
