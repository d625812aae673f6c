//! Pairs of groups: how many times fewer evaluations, and whether chance explains it.
//!
//! A seed is the unit: classes of one run depend on each other. Both groups are looked at
//! within the smaller of their budgets.
//!
//! A ratio of evaluations says something about searches only where chance is rare: searches
//! start from random candidates, and a class that these reach needs no search. There is no ratio
//! where they reach more than `RARE` of the pairs of a class and a seed in either group.

use serde::{Deserialize, Serialize};
use trompe_statistics::{Interval, multiple, ranks};

use super::at_level::limits_searched;
use super::group::group_name;
use super::group::median_best;
use super::runs::Group;
use super::times::{Times, order_interval, resample_both};

/// Largest share of pairs of a class and a seed that random candidates of the first generation
/// may reach, for a ratio of evaluations to be given (our choice).
pub(super) const RARE: f64 = 0.1;

/// One group against another.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Difference {
    /// Name of the first group.
    pub first: String,
    /// Name of the second group.
    pub second: String,
    /// What the two differ in; a ratio says something about one thing alone only if there is
    /// nothing else here.
    pub differ_in: Vec<String>,
    /// Evaluations within which they are compared.
    pub within: u64,
    /// Whether evaluations are divided by the number of classes, because it differs.
    pub per_class: bool,
    /// One entry per threshold of the comparison.
    pub levels: Vec<LevelDifference>,
    /// One entry per level of the comparison that both groups have.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub at_levels: Vec<LevelDifference>,
    /// Two-sided Mann-Whitney p-value of the median best posteriors of the seeds, within the
    /// same evaluations; `None` where it is not defined.
    pub best_p: Option<f64>,
    /// The same, adjusted after Holm over the tests of the pair.
    pub best_p_holm: Option<f64>,
}

/// One group against another at a threshold, or at a level.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LevelDifference {
    /// The posterior to reach; in [`Difference::at_levels`], the level, counted in the classes in which
    /// each group has it.
    pub threshold: f64,
    /// Evaluations to it, median over classes and seeds; the test is of the seeds' medians. `None`
    /// where chance is not rare.
    pub evaluations: Option<Contrast>,
    /// Evaluations until the last class had it; `None` where chance is not rare.
    pub all_classes: Option<Contrast>,
    /// Share of classes reached by the first less that of the second.
    pub coverage: f64,
    /// Bootstrap interval of that difference over seeds.
    pub coverage_interval: Option<Interval>,
}

/// Evaluations of one group against those of another.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Contrast {
    /// Median of the first by that of the second.
    pub ratio: Ratio,
    /// Bootstrap interval of that ratio over seeds; no interval of a single seed.
    pub interval: Option<Ratio>,
    /// Two-sided Mann-Whitney p-value over seeds; those that did not reach the threshold are
    /// tied for last.
    pub p: Option<f64>,
    /// The same, adjusted after Holm over the tests of the pair.
    pub p_holm: Option<f64>,
}

/// A ratio that may be known only from one side, because a search ended before it reached a
/// threshold.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Ratio {
    /// It is at least this.
    pub low: f64,
    /// It is at most this; `None` if it may be anything above.
    pub high: Option<f64>,
}

/// Every pair of groups.
pub(super) fn between(groups: &[Group], thresholds: &[f64], levels: &[f64]) -> Vec<Difference> {
    let mut differences = Vec::new();
    for (j, second) in groups.iter().enumerate() {
        for (i, first) in groups[..j].iter().enumerate() {
            differences.push(Difference::new((i, first), (j, second), thresholds, levels));
        }
    }
    differences.sort_by(|a, b| (&a.first, &a.second).cmp(&(&b.first, &b.second)));
    differences.iter_mut().for_each(adjust);
    differences
}

impl Difference {
    fn new(
        first: (usize, &Group),
        second: (usize, &Group),
        thresholds: &[f64],
        levels: &[f64],
    ) -> Self {
        let ((i, first), (j, second)) = (first, second);
        let within = first.budget().min(second.budget());
        let per_class = first.classes().len() != second.classes().len();
        let best = |group: &Group| -> Vec<f64> {
            group.runs().iter().map(|run| median_best(run, within)).collect()
        };
        let pair = Pair { first, second, within, per_class };
        Self {
            first: group_name(i),
            second: group_name(j),
            differ_in: differ_in(first, second),
            within,
            per_class,
            levels: thresholds.iter().map(|&threshold| pair.at(threshold)).collect(),
            at_levels: levels.iter().filter_map(|&level| pair.at_level(level)).collect(),
            best_p: mann_whitney(&best(first), &best(second)),
            best_p_holm: None,
        }
    }
}

struct Pair<'a> {
    first: &'a Group,
    second: &'a Group,
    within: u64,
    per_class: bool,
}

impl Pair<'_> {
    fn at(&self, threshold: f64) -> LevelDifference {
        let [a, b] = [self.first, self.second].map(|group| Times::of(group, threshold));
        self.contrasted(threshold, a, b)
    }

    /// `None` unless both groups have the level in some class.
    fn at_level(&self, level: f64) -> Option<LevelDifference> {
        let times = |group| {
            let limits = limits_searched(group, level)?;
            limits.iter().any(Option::is_some).then(|| Times::above(group, &limits))
        };
        Some(self.contrasted(level, times(self.first)?, times(self.second)?))
    }

    fn contrasted(&self, threshold: f64, a: Times, b: Times) -> LevelDifference {
        let (a, b) = (a.within(self.within), b.within(self.within));
        let (n, m) = (a.seeds(), b.seeds());
        let coverage = |u: &[u32], v: &[u32]| a.share_reached(u) - b.share_reached(v);
        let coverage_interval = (n > 1 && m > 1).then(|| {
            let (low, high) = order_interval(resample_both(n, m, |u, v| Some(coverage(u, v))));
            Interval { low, high }
        });
        let rare = self.chance_is_rare(&a, &b);
        LevelDifference {
            threshold,
            evaluations: rare.then(|| self.contrast(&a, &b)),
            all_classes: rare.then(|| self.contrast(&a.all_classes(), &b.all_classes())),
            coverage: coverage(&vec![1; n], &vec![1; m]),
            coverage_interval,
        }
    }

    /// Whether the random candidates that searches start from reach few pairs. Of a group that is
    /// all random, as many are looked at as the other starts from.
    fn chance_is_rare(&self, a: &Times, b: &Times) -> bool {
        let (first, second) = (self.first.random_draws(), self.second.random_draws());
        let few = |times: &Times, draws: Option<u64>| {
            times.share_within(draws.unwrap_or(0)).is_none_or(|share| share.share <= RARE)
        };
        few(a, first.or(second)) && few(b, second.or(first))
    }

    fn contrast(&self, a: &Times, b: &Times) -> Contrast {
        let scale = |group: &Group| match self.per_class {
            true => 1.0 / group.classes().len().max(1) as f64,
            false => 1.0,
        };
        let scales = (scale(self.first), scale(self.second));
        let ratio = |u: &[u32], v: &[u32]| Ratio::of(range(a, u, scales.0), range(b, v, scales.1));
        let (n, m) = (a.seeds(), b.seeds());
        let ends = |end: fn(Ratio) -> f64| {
            order_interval(resample_both(n, m, |u, v| Some(end(ratio(u, v)))))
        };
        Contrast {
            ratio: ratio(&vec![1; n], &vec![1; m]),
            interval: (n > 1 && m > 1).then(|| Ratio {
                low: ends(|ratio| ratio.low).0,
                high: finite(ends(|ratio| ratio.high.unwrap_or(f64::INFINITY)).1),
            }),
            p: mann_whitney(&by_seed(a, scales.0), &by_seed(b, scales.1)),
            p_holm: None,
        }
    }
}

/// The median of each seed; what was not reached is infinite, and so tied for last.
fn by_seed(times: &Times, scale: f64) -> Vec<f64> {
    let median = |median: Option<u64>| median.map_or(f64::INFINITY, |m| scale * m as f64);
    times.by_seed().into_iter().map(median).collect()
}

/// Where the median lies: at it, or somewhere after the end.
fn range(times: &Times, weights: &[u32], scale: f64) -> (f64, f64) {
    match times.median(weights) {
        Some(median) => (scale * median as f64, scale * median as f64),
        None => (scale * times.end() as f64, f64::INFINITY),
    }
}

impl Ratio {
    fn of(numerator: (f64, f64), denominator: (f64, f64)) -> Self {
        Self { low: numerator.0 / denominator.1, high: finite(numerator.1 / denominator.0) }
    }
}

fn finite(value: f64) -> Option<f64> {
    value.is_finite().then_some(value)
}

fn mann_whitney(first: &[f64], second: &[f64]) -> Option<f64> {
    if first.len() < 2 || second.len() < 2 {
        return None;
    }
    ranks::mann_whitney(first, second).ok().map(|test| test.p)
}

/// Holm's adjustment over the tests of one pair.
fn adjust(difference: &mut Difference) {
    let of_level = |level: &LevelDifference| {
        [level.evaluations, level.all_classes].map(|contrast| contrast?.p)
    };
    let levels = difference.levels.iter().chain(&difference.at_levels);
    let all = levels.flat_map(of_level).chain([difference.best_p]);
    let p: Vec<f64> = all.flatten().collect();
    let mut adjusted = multiple::holm(&p).into_iter();
    for level in difference.levels.iter_mut().chain(&mut difference.at_levels) {
        for contrast in [&mut level.evaluations, &mut level.all_classes].into_iter().flatten() {
            contrast.p_holm = contrast.p.and_then(|_| adjusted.next());
        }
    }
    difference.best_p_holm = difference.best_p.and_then(|_| adjusted.next());
}

fn differ_in(first: &Group, second: &Group) -> Vec<String> {
    let (a, b) = (first.origin(), second.origin());
    let pairs = [
        ("medium", a.medium != b.medium),
        ("classes", a.classes != b.classes),
        ("classifier", a.classifier != b.classifier),
        ("generator", a.generator != b.generator),
        ("emitter", first.emitter() != second.emitter()),
        ("budget", first.budget() != second.budget()),
    ];
    let mut found: Vec<String> =
        pairs.iter().filter(|pair| pair.1).map(|pair| pair.0.to_owned()).collect();
    if found.is_empty() {
        found.push("settings".to_owned());
    }
    found
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::super::runs::tests::reaching;
    use super::*;

    fn groups() -> Vec<Group> {
        let mut runs = Vec::new();
        for (seed, at) in [(1, 60), (2, 70), (3, 80), (4, 90), (5, 95)] {
            runs.push(reaching(seed, "slow", [Some(at), None]));
            runs.push(reaching(seed, "fast", [Some(at / 10), Some(at / 10 + 1)]));
        }
        Group::of(runs).unwrap()
    }

    #[test]
    fn a_search_that_did_not_finish_bounds_the_ratio_from_below() {
        let difference = &between(&groups(), &[0.999], &[])[0];
        assert_eq!((difference.first.as_str(), difference.second.as_str()), ("A", "B"));
        assert_eq!(difference.differ_in, ["emitter"]);
        let level = &difference.levels[0];
        // Of ten pairs, the slow group's fifth event leaves a half at 95; the fast group's
        // times are 6 7 7 8 8 9 9 9 10 10, so its median is 8.
        let ratio = Ratio { low: 95.0 / 8.0, high: Some(95.0 / 8.0) };
        let (evaluations, all_classes) = (level.evaluations.unwrap(), level.all_classes.unwrap());
        assert_eq!(evaluations.ratio, ratio);
        // No slow search has both classes by 100; the fast ones have at 7, 8, 9, 10, 10.
        assert_eq!(all_classes.ratio, Ratio { low: 100.0 / 9.0, high: None });
        assert!((level.coverage + 0.5).abs() < 1e-12);
        assert_eq!(level.coverage_interval.unwrap(), Interval { low: -0.5, high: -0.5 });
        let interval = evaluations.interval.unwrap();
        assert!(interval.low > 6.0 && interval.low < 95.0 / 8.0);
    }

    /// Of the ten pairs of the fast group, one is reached within 6 evaluations and three within 7.
    #[test]
    fn there_is_no_ratio_where_the_first_draws_reach_many() {
        let at = |draws: [Option<u64>; 2]| {
            let mut groups = groups();
            for (group, draws) in groups.iter_mut().zip(draws) {
                group.set_random_draws(draws);
            }
            between(&groups, &[0.999], &[])[0].levels[0].evaluations.is_some()
        };
        assert!(at([None, None]) && at([Some(6), Some(6)]) && at([None, Some(6)]));
        assert!(!at([Some(6), Some(7)]) && !at([None, Some(7)]) && !at([Some(70), Some(6)]));
        // A group of random candidates alone is held to the draws of the other.
        assert!(!at([Some(7), None]) && at([Some(6), None]));
    }

    /// SciPy 1.17.1, `mannwhitneyu` with its default method: [60, 70, 80, 90, 95] against
    /// [6, 7, 8, 9, 9] gives p = 0.011925, five that never reached all classes against
    /// [7, 8, 9, 10, 10] p = 0.007290, and the best posteriors, tied within each group,
    /// p = 0.003977.
    #[test]
    fn p_values_are_those_of_scipy() {
        let difference = &between(&groups(), &[0.999], &[])[0];
        let level = &difference.levels[0];
        let (evaluations, all_classes) = (level.evaluations.unwrap(), level.all_classes.unwrap());
        let p = [evaluations.p, all_classes.p, difference.best_p].map(Option::unwrap);
        for (p, expected) in p.iter().zip([0.011925, 0.007290, 0.003977]) {
            assert!((p - expected).abs() < 1e-6, "{p} {expected}");
        }
        assert_eq!(evaluations.p_holm, Some((2.0 * p[1]).max(p[0])));
        assert_eq!(all_classes.p_holm, Some(2.0 * p[1]));
        assert_eq!(difference.best_p_holm, Some(3.0 * p[2]));
    }

    #[test]
    fn ratios_keep_what_is_known() {
        let ratio = |a: Option<f64>, b: Option<f64>| {
            let range = |value: Option<f64>| value.map_or((100.0, f64::INFINITY), |v| (v, v));
            Ratio::of(range(a), range(b))
        };
        assert_eq!(ratio(Some(50.0), Some(10.0)), Ratio { low: 5.0, high: Some(5.0) });
        assert_eq!(ratio(None, Some(10.0)), Ratio { low: 10.0, high: None });
        assert_eq!(ratio(Some(10.0), None), Ratio { low: 0.0, high: Some(0.1) });
        assert_eq!(ratio(None, None), Ratio { low: 0.0, high: None });
    }

    #[test]
    fn other_numbers_of_classes_are_compared_per_class() {
        let mut groups = groups();
        let few = between(&groups, &[0.999], &[])[0].levels[0].evaluations.unwrap().ratio.low;
        // The same times with four classes: two more that are reached as well.
        let runs: Vec<super::super::Run> = groups
            .remove(1)
            .runs()
            .iter()
            .map(|run| {
                let mut run = run.clone();
                run.report.origin.classes.extend(["c".into(), "d".into()]);
                let more = run.report.classes.clone();
                run.report.classes.extend(more);
                run
            })
            .collect();
        groups.extend(Group::of(runs).unwrap());
        let difference = &between(&groups, &[0.999], &[])[0];
        assert!(difference.per_class);
        assert!((difference.levels[0].evaluations.unwrap().ratio.low - 2.0 * few).abs() < 1e-9);
    }
}
