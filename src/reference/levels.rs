//! Levels: where a score stands among genuine items of its class.
//!
//! Let G be the genuine items of class k that their scorer labels k, and g the number of groups
//! with an item in G. The level of a score s in class k is
//!
//! u(s) = sum over these groups of (share of the group's items in G with a score below s) / (g + 1).
//!
//! A random item of G from a new group reaches the level q in at most 1 - q of the cases, whatever
//! the scores are: this is the rank of hierarchical conformal prediction (Lee, Barber & Willett,
//! *Distribution-free inference with hierarchical data*, 2023), with ties counted against the
//! candidate. No rising map of a class' scores changes it.

use std::collections::BTreeMap;

/// Levels that every report states.
pub const LEVELS: [f64; 3] = [0.1, 0.5, 0.9];

/// Fewest groups of a class that give it a level: with 9, levels up to 0.9 can be reached.
pub const FEWEST_GROUPS: usize = 9;

/// Room for the rounding of sums of shares, far below the weight of any item.
const ROUNDING: f64 = 1e-9;

/// A genuine item that its scorer labels with its own class.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Rightly {
    /// Its class.
    pub(crate) class: usize,
    /// Number of its group.
    pub(crate) group: usize,
    /// Its log-odds of the class.
    pub(crate) score: f64,
}

/// The genuine scores of every class.
#[derive(Debug, Clone, PartialEq)]
pub struct Levels {
    classes: Vec<ClassLevels>,
}

/// The genuine scores of one class.
#[derive(Debug, Clone, PartialEq)]
pub struct ClassLevels {
    /// Numbers of the groups, ascending.
    groups: Vec<usize>,
    /// Score, group and weight (1 by the items of its group) of every item, ascending by score.
    items: Vec<Weighted>,
    /// Sum of the weights of the items up to each.
    cumulative: Vec<f64>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Weighted {
    score: f64,
    group: usize,
    weight: f64,
}

impl Levels {
    /// The levels among these items of `classes` classes.
    pub(crate) fn new(classes: usize, items: &[Rightly]) -> Self {
        let of = |class: usize| ClassLevels::new(items.iter().filter(|item| item.class == class));
        Self { classes: (0..classes).map(of).collect() }
    }

    /// Those of one class.
    pub fn of_class(&self, class: usize) -> &ClassLevels {
        &self.classes[class]
    }

    /// For each class, the log-odds that a candidate must exceed to be at `level`; `None` where the
    /// level is undefined.
    pub fn thresholds(&self, level: f64) -> Vec<Option<f64>> {
        self.classes.iter().map(|class| class.threshold(level)).collect()
    }
}

impl ClassLevels {
    fn new<'i>(items: impl Iterator<Item = &'i Rightly>) -> Self {
        let mut items: Vec<&Rightly> = items.collect();
        items.sort_by(|a, b| a.score.total_cmp(&b.score));
        let mut sizes: BTreeMap<usize, u32> = BTreeMap::new();
        items.iter().for_each(|item| *sizes.entry(item.group).or_default() += 1);
        let weighted = |item: &&Rightly| Weighted {
            score: item.score,
            group: item.group,
            weight: 1.0 / f64::from(sizes[&item.group]),
        };
        let items: Vec<Weighted> = items.iter().map(weighted).collect();
        let mut sum = 0.0;
        let cumulative = items.iter().map(|item| {
            sum += item.weight;
            sum
        });
        let cumulative = cumulative.collect();
        Self { groups: sizes.into_keys().collect(), cumulative, items }
    }

    /// Number of groups with an item of the class that its scorer labels so.
    pub fn groups(&self) -> usize {
        self.groups.len()
    }

    /// Number of these items.
    pub fn items(&self) -> usize {
        self.items.len()
    }

    /// Whether there are enough groups to tell who is at `level`.
    pub fn is_defined_at(&self, level: f64) -> bool {
        let rarer = level.min(1.0 - level);
        self.is_defined() && self.places() * rarer >= 1.0 - ROUNDING
    }

    /// Whether there are enough groups for a level.
    pub fn is_defined(&self) -> bool {
        self.groups.len() >= FEWEST_GROUPS
    }

    /// Level of a candidate with these log-odds of the class, in [0, 1); `None` if the class has too
    /// few groups.
    pub fn level(&self, log_odds: f64) -> Option<f64> {
        self.is_defined().then(|| self.below(log_odds) / self.places())
    }

    /// The level that a genuine item of `group` would have if its group were not among the genuine
    /// ones: items must not be ranked among themselves.
    pub(crate) fn level_without(&self, group: usize, log_odds: f64) -> Option<f64> {
        if self.groups.binary_search(&group).is_err() {
            return self.level(log_odds);
        }
        let own = self.items.iter().filter(|item| item.group == group);
        let own: f64 = own.filter(|item| item.score < log_odds).map(|item| item.weight).sum();
        (self.groups.len() > FEWEST_GROUPS)
            .then(|| (self.below(log_odds) - own).max(0.0) / (self.places() - 1.0))
    }

    /// The log-odds that a candidate must exceed to be at `level`: the smallest genuine score at
    /// which the weight of the items up to it reaches the level. `None` where the level is
    /// undefined.
    pub fn threshold(&self, level: f64) -> Option<f64> {
        if !self.is_defined_at(level) {
            return None;
        }
        let wanted = level * self.places() - ROUNDING;
        let first = self.cumulative.partition_point(|&sum| sum < wanted);
        self.items.get(first).map(|item| item.score)
    }

    /// The same where every group counts as often as `weights` say: a resample, of which no number of
    /// groups is asked.
    pub(crate) fn resampled_threshold(&self, level: f64, weights: &[f64]) -> Option<f64> {
        let groups: f64 = self.groups.iter().map(|&group| weights[group]).sum();
        let wanted = level * (groups + 1.0) - ROUNDING;
        let mut sum = 0.0;
        let reaching = self.items.iter().find(|item| {
            sum += weights[item.group] * item.weight;
            sum >= wanted
        });
        reaching.map(|item| item.score)
    }

    /// Places that a new group can take among these: one more than there are.
    fn places(&self) -> f64 {
        self.groups.len() as f64 + 1.0
    }

    /// The highest log-odds of an item; `None` without items.
    pub fn highest(&self) -> Option<f64> {
        self.items.last().map(|item| item.score)
    }

    /// Weight of the items below a score.
    fn below(&self, log_odds: f64) -> f64 {
        match self.items.partition_point(|item| item.score < log_odds) {
            0 => 0.0,
            count => self.cumulative[count - 1],
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;
    use trompe_base::random::{index, normal, stream};

    use super::*;

    fn of(items: &[(usize, f64)]) -> ClassLevels {
        let items: Vec<Rightly> =
            items.iter().map(|&(group, score)| Rightly { class: 0, group, score }).collect();
        Levels::new(1, &items).classes.remove(0)
    }

    #[test]
    fn levels_counted_by_hand() {
        // Nine groups of one item each, scores 1 to 9: weights of 1/10.
        let single: Vec<(usize, f64)> = (0..9).map(|n| (n, n as f64 + 1.0)).collect();
        let class = of(&single);
        assert_eq!((class.groups(), class.items()), (9, 9));
        assert_eq!(class.level(1.0), Some(0.0), "ties do not help");
        assert_eq!(class.level(1.5), Some(0.1));
        assert_eq!(class.level(99.0), Some(0.9));
        assert_eq!(class.highest(), Some(9.0));
        let thresholds = LEVELS.map(|level| class.threshold(level));
        assert_eq!(thresholds, [Some(1.0), Some(5.0), Some(9.0)]);
        assert_eq!(class.threshold(0.95), None, "ten places cannot tell 0.95");
        // A tenth group of two items: 1/11 each group, half of it each item.
        let mut more = single.clone();
        more.extend([(9, 0.0), (9, 5.5)]);
        let class = of(&more);
        assert_eq!(class.level(0.5), Some(0.5 / 11.0));
        assert_eq!(class.level(6.5), Some((6.0 + 1.0) / 11.0));
        // As a resample in which every group counts once.
        assert_eq!(class.resampled_threshold(0.5, &[1.0; 10]), class.threshold(0.5));
        // Eight groups are too few.
        assert_eq!(of(&single[..8]).level(5.0), None);
        assert_eq!(of(&single[..8]).threshold(0.5), None);
    }

    #[test]
    fn an_item_is_ranked_among_the_other_groups() {
        let items: Vec<(usize, f64)> = (0..10).flat_map(|g| [(g, g as f64), (g, 100.0)]).collect();
        let class = of(&items);
        // Of nine other groups, four have their lower item below 4.
        assert_eq!(class.level_without(4, 4.0), Some(2.0 / 10.0));
        assert_eq!(class.level_without(77, 4.0), class.level(4.0));
    }

    proptest! {
        /// Being at a level, and exceeding its threshold, are the same; no rising map of scores
        /// changes either.
        #[test]
        fn a_rising_map_changes_no_level(
            scores in proptest::collection::vec(-8.0_f64..8.0, 9..60),
            sizes in 1_usize..4,
            candidates in proptest::collection::vec(-9.0_f64..9.0, 1..20),
        ) {
            // Rounded, so that there are ties.
            let round = |x: f64| (x * 4.0).round() / 4.0;
            let items = |map: &dyn Fn(f64) -> f64| -> Vec<(usize, f64)> {
                scores.iter().enumerate().map(|(n, &s)| (n / sizes, map(round(s)))).collect()
            };
            let (plain, cubed) = (of(&items(&|x| x)), of(&items(&|x| x * x * x)));
            for &candidate in &candidates {
                let x = round(candidate);
                let level = plain.level(x);
                prop_assert_eq!(level, cubed.level(x * x * x));
                for q in LEVELS {
                    let Some(threshold) = plain.threshold(q) else { continue };
                    prop_assert_eq!(x > threshold, level.unwrap() + 1e-9 >= q);
                    prop_assert_eq!(Some(threshold * threshold * threshold), cubed.threshold(q));
                }
            }
        }
    }

    /// Items of new groups reach q in at most 1 - q of the cases, with 9, 20 and 100 groups of equal
    /// and unequal sizes, effects of groups, and ties.
    #[test]
    fn genuine_items_of_new_groups_reach_a_level_as_seldom_as_promised() {
        const TRIALS: u64 = 4_000;
        for (number, (groups, unequal)) in
            [(9, false), (9, true), (20, false), (20, true), (100, true)].into_iter().enumerate()
        {
            let mut reached = [0_u64; 3];
            for trial in 0..TRIALS {
                let mut rng = stream(20_26, number as u64, trial, 0);
                let mut group = |number: usize| -> Vec<(usize, f64)> {
                    let size = if unequal { 1 + index(7, &mut rng) } else { 3 };
                    let effect = 2.0 * normal(&mut rng);
                    // Rounded to halves: ties inside groups and between them.
                    let score = |noise: f64| (2.0 * (effect + noise)).round() / 2.0;
                    (0..size).map(|_| (number, score(normal(&mut rng)))).collect()
                };
                let genuine: Vec<(usize, f64)> = (0..groups).flat_map(&mut group).collect();
                let new = group(groups);
                let (_, score) = new[index(new.len(), &mut rng)];
                let class = of(&genuine);
                for (level, reached) in LEVELS.iter().zip(&mut reached) {
                    *reached += u64::from(score > class.threshold(*level).unwrap());
                }
            }
            for (level, reached) in LEVELS.iter().zip(reached) {
                let interval = trompe_statistics::intervals::clopper_pearson(reached, TRIALS, 0.95);
                assert!(
                    interval.low <= 1.0 - level,
                    "{groups} groups, unequal {unequal}: {reached} of {TRIALS} reach {level}"
                );
                // And the promise is no empty one: a level of ten places wastes one of them.
                assert!(reached > 0 && interval.high >= 0.7 * (1.0 - level) - 0.02);
            }
        }
    }
}
