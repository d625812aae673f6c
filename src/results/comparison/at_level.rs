//! A group at a level: the same number of genuine items of a class above, whatever the classifier and
//! the medium.

use serde::{Deserialize, Serialize};

use super::runs::{Group, Run};
use super::times::{MedianTime, Times};
use crate::reference::{Criterion, Separation, ShareReached};
use crate::results::intervals::{Share, of_all_seeds};

/// The level that groups are compared at first, where all have it (our choice): the median of genuine
/// items.
pub const HEADLINE: f64 = 0.5;

/// One level of a group whose classifier has a genuine reference.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AtLevel {
    /// The level.
    pub level: f64,
    /// Whether the levels are those of a cross-fit, which are approximate.
    pub cross_fitted: bool,
    /// Whether nested folds found that the levels promise too much; `None` of a cross-fit that they
    /// did not check.
    pub biased: Option<bool>,
    /// Random candidates at it, over all seeds.
    pub base_rate: Option<Share>,
    /// Genuine items at it whose label is right.
    pub genuine_right: Option<ShareReached>,
    /// Those whose label is wrong.
    pub genuine_wrong: Option<ShareReached>,
    /// Classes in which it is defined.
    pub classes_defined: usize,
    /// Pairs of such a class and a seed, and those that the search reached.
    pub reached: Option<Share>,
    /// Those with a delivered file at it.
    pub delivered: usize,
    /// Evaluations to it: median over these classes and seeds.
    pub evaluations: MedianTime,
    /// Evaluations to it in each of the group's classes: median over seeds; `None` where it is
    /// undefined.
    #[serde(default)]
    pub classes: Vec<Option<MedianTime>>,
}

/// What log-odds of each of the classifier's classes must exceed at `level`; `None` unless all runs
/// of the group were held against the same genuine items.
pub fn limits(group: &Group, level: f64) -> Option<&[Option<f64>]> {
    let used = group.origin().reference.as_ref()?;
    let same = |run: &Run| {
        let of_run = run.report.origin.reference.as_ref();
        run.report.genuine.is_some() && of_run.is_some_and(|own| own.sha256 == used.sha256)
    };
    if group.runs().iter().all(same) { used.at(level) } else { None }
}

/// The same of the classes that the group's runs searched for.
pub(super) fn limits_searched(group: &Group, level: f64) -> Option<Vec<Option<f64>>> {
    let limits = limits(group, level)?;
    let of_class = |label: &String| {
        let index = group.origin().classes.iter().position(|class| class == label);
        index.and_then(|index| limits.get(index).copied().flatten())
    };
    Some(group.classes().iter().map(of_class).collect())
}

impl AtLevel {
    /// Every level of a group; none unless all its runs were held against the same genuine items.
    pub(super) fn all(group: &Group, levels: &[f64]) -> Vec<Self> {
        levels.iter().filter_map(|&level| Self::of(group, level)).collect()
    }

    fn of(group: &Group, level: f64) -> Option<Self> {
        let used = group.origin().reference.as_ref()?;
        let limits_of = limits_searched(group, level)?;
        let classes = group.classes();
        let times = Times::above(group, &limits_of);
        let in_class = |class: usize| {
            let mut alone = vec![None; limits_of.len()];
            alone[class] = Some(limits_of[class]?);
            Some(Times::above(group, &alone).estimate())
        };
        let rates = |run: &Run| {
            let genuine = run.report.genuine.as_ref()?;
            genuine.rates.iter().find(|rates| rates.at == Criterion::Level(level)).copied()
        };
        let random = group.runs().iter().filter_map(|run| rates(run)?.random);
        let random: Vec<Share> = random
            .map(|rate| {
                let ShareReached { reached: count, of, share, low, high } = rate;
                Share { count, of, share, low, high }
            })
            .collect();
        let genuine = rates(&group.runs()[0]);
        let estimate = times.estimate();
        let delivered = |run: &Run| {
            let has = |label: &String, limit: f64| {
                let exhibits = run.manifest.exhibits.iter().filter(|of| of.label == *label);
                exhibits.into_iter().any(|of| of.log_odds[of.class] > limit)
            };
            let pairs = classes.iter().zip(&limits_of);
            pairs.filter(|(label, limit)| limit.is_some_and(|limit| has(label, limit))).count()
        };
        Some(Self {
            level,
            cross_fitted: !used.held_out,
            biased: used.biased,
            base_rate: of_all_seeds(group.origin().labelling(), &random),
            genuine_right: genuine.and_then(|rates| rates.genuine_right),
            genuine_wrong: genuine.and_then(|rates| rates.genuine_wrong),
            classes_defined: limits_of.iter().flatten().count(),
            reached: Share::new(estimate.reached as u64, estimate.of as u64),
            delivered: group.runs().iter().map(delivered).sum(),
            evaluations: estimate,
            classes: (0..classes.len()).map(in_class).collect(),
        })
    }
}

/// How far genuine items lie above the random candidates and the exhibits of a group's first run.
pub(super) fn separation(group: &Group) -> Vec<Separation> {
    let genuine = group.runs()[0].report.genuine.as_ref();
    genuine.map_or_else(Vec::new, |genuine| genuine.separation.clone())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::super::runs::tests::run;
    use super::*;
    use crate::exhibits::{LevelThresholds, ReferenceUsed};
    use crate::reference::LEVELS;
    use crate::results::run::tests::improvement;
    use crate::results::{AgainstGenuine, Distances};

    /// A run held against genuine items of which the first class has nineteen.
    fn held(seed: u64) -> Run {
        let trace = [improvement(3, 0, 0.5), improvement(9, 0, 0.9), improvement(9, 1, 0.9999)];
        let mut run = run(seed, "x", &trace);
        let reference = crate::reference::tests::one_defined_class(19);
        let random = [1.0, 0.0, 15.0, 0.0, 2.0, 0.0];
        run.report.genuine =
            Some(AgainstGenuine::new(&reference, &random, &[], Distances::default()));
        let mut used = ReferenceUsed::of(&reference, None);
        // The median of the class is at log-odds 1 here, so that posteriors below 0.73 miss it.
        used.thresholds = vec![LevelThresholds { level: 0.5, log_odds: vec![Some(1.0), None] }];
        run.report.origin.reference = Some(used);
        run
    }

    #[test]
    fn only_defined_classes_count() {
        let group = Group::of(vec![held(1), held(2)]).unwrap().remove(0);
        let [at] = &AtLevel::all(&group, &LEVELS)[..] else { panic!("one level has thresholds") };
        assert_eq!((at.level, at.classes_defined), (0.5, 1));
        assert_eq!((at.reached.unwrap().count, at.reached.unwrap().of), (2, 2));
        assert_eq!(at.evaluations.median, Some(9));
        assert_eq!(at.classes.iter().map(|of| (*of)?.median).collect::<Vec<_>>(), [Some(9), None]);
        let base = at.base_rate.unwrap();
        assert_eq!((base.count, base.of), (2, 6), "one of three candidates a seed");
        assert_eq!(separation(&group).len(), 2, "by highest score and by energy");
        // Another reference in one of the runs: no levels for the group.
        let mut other = held(3);
        other.report.origin.reference.as_mut().unwrap().sha256 = "beef".into();
        let group = Group::of(vec![held(1), other]).unwrap().remove(0);
        assert!(AtLevel::all(&group, &LEVELS).is_empty());
    }
}
