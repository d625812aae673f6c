//! The numbers of one group of runs.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use trompe_listening_test::analysis::HumanAgreement;

use super::agreement::Agreement;
use super::at_level::{self, AtLevel};
use super::places::Places;
use super::runs::{Group, Run, SeedRun};
use super::survival::{Rescored, Survival};
use super::times::{MedianTime, Times};
use crate::exhibits::Origin;
use crate::log_odds::posterior_from_log_odds;
use crate::reference::Separation;
use crate::results::intervals::{Share, median, of_all_seeds};
use crate::results::run::{BaseRate, RunReport};

/// One group: a classifier, a generator and an emitter, with several seeds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GroupReport {
    /// A letter, which names the group in every table and figure.
    pub name: String,
    /// What its runs were made with; the seed is that of the first.
    pub origin: Origin,
    /// Name of the emitter.
    pub emitter: String,
    /// The folder that its runs lie in, where another group has the same classifier, generator and
    /// emitter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub folder: Option<PathBuf>,
    /// Random candidates of each run's first generation, which count as evaluations; `None` where
    /// all candidates are random, or several parts of a divided run start with some.
    #[serde(default)]
    pub random_draws: Option<u64>,
    /// Evaluations that each run was allowed.
    pub budget: u64,
    /// The configuration that its runs share.
    pub settings: serde_json::Value,
    /// The classes that its runs searched for.
    pub classes: Vec<String>,
    /// Its runs.
    pub seeds: Vec<SeedRun>,
    /// Random candidates whose label has a posterior of at least 0.5 (the error of the rubbish
    /// class), over all seeds.
    pub rubbish: Option<Share>,
    /// One entry per threshold of the comparison.
    pub levels: Vec<Level>,
    /// One entry per level; empty unless all runs were held against the same genuine items.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub at_levels: Vec<AtLevel>,
    /// How far genuine items lie above the random candidates and the exhibits of the first run.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub separation: Vec<Separation>,
    /// Median over classes of the best posterior, at powers of ten of evaluations and at the
    /// budget.
    pub median_best: Vec<BestPosterior>,
    /// The same at eight places in every power of ten, for figures.
    pub curve: Vec<BestPosterior>,
    /// What its exhibits withstand.
    pub survival: Vec<Survival>,
    /// What people say of its exhibits, if a study asked them.
    pub agreement: Option<Agreement>,
}

/// One threshold of a group.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Level {
    /// The posterior to reach.
    pub threshold: f64,
    /// Whether the search aimed this high: it stops caring for a class that has reached its
    /// own threshold, so that evaluations to a higher one say little.
    pub aimed_at: bool,
    /// Random candidates whose label has a posterior at it, over all seeds; `None` if they were
    /// not counted.
    pub base_rate: Option<Share>,
    /// How many classes were reached.
    pub coverage: Coverage,
    /// Evaluations to it: median over classes and seeds.
    pub evaluations: MedianTime,
    /// The same, counted after the random candidates of the first generation (0 if reached by
    /// them); `None` where [`GroupReport::random_draws`] is.
    #[serde(default)]
    pub after_draws: Option<MedianTime>,
    /// Pairs of a class and a seed that those random candidates reached.
    #[serde(default)]
    pub in_draws: Option<Share>,
    /// Evaluations until every class had reached it: median over seeds.
    pub all_classes: MedianTime,
    /// Evaluations to it in each of the group's classes: median over seeds.
    pub classes: Vec<MedianTime>,
    /// Share of classes and seeds that had reached it, by Kaplan and Meier, as (evaluation,
    /// share) where it grows.
    pub reached: Vec<(u64, f64)>,
}

/// Pairs of a class and a seed that reached a threshold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Coverage {
    /// Pairs of a class and a seed.
    pub pairs: usize,
    /// Those that reached it in the search, within the budget.
    pub reached: usize,
    /// Those with an exhibit whose delivered file reaches it; `None` below the runs' own
    /// threshold, from which files are delivered.
    pub delivered: Option<usize>,
    /// Classes reached in the search, for each seed.
    pub per_seed: Vec<usize>,
}

impl Coverage {
    /// The pairs that count: delivered where files are, else reached in the search.
    pub fn count(&self) -> usize {
        self.delivered.unwrap_or(self.reached)
    }

    /// Their share.
    pub fn share(&self) -> f64 {
        self.count() as f64 / self.pairs.max(1) as f64
    }
}

/// Median over classes of the best posterior so far, over seeds. A class that was no
/// candidate's label counts as 0. A search that has finished keeps its last value.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct BestPosterior {
    /// After so many evaluations.
    pub evaluations: u64,
    /// Median over seeds.
    pub median: f64,
    /// Lowest of the seeds.
    pub low: f64,
    /// Highest of the seeds.
    pub high: f64,
}

impl GroupReport {
    pub(super) fn new(
        name: String,
        group: &Group,
        places: Places<'_>,
        rescored: &[Rescored],
        study: Option<&HumanAgreement>,
    ) -> Self {
        let budget = group.budget();
        Self {
            name,
            origin: group.origin().clone(),
            emitter: group.emitter().to_owned(),
            folder: None,
            random_draws: group.random_draws(),
            budget,
            settings: group.settings().clone(),
            classes: group.classes(),
            seeds: group.seeds(),
            rubbish: pooled(group, |report| report.rubbish),
            levels: places.thresholds.iter().map(|&at| Level::new(group, at)).collect(),
            at_levels: AtLevel::all(group, places.levels),
            separation: at_level::separation(group),
            median_best: best_at(group, powers(budget, 1)),
            curve: best_at(group, powers(budget, 8)),
            survival: rescored.iter().map(|treated| treated.summary(group, places)).collect(),
            agreement: study.and_then(|study| Agreement::of(group, study)),
        }
    }

    /// Classifier, generator and emitter in words, and the folder where these do not tell it from
    /// another group.
    pub fn label(&self) -> String {
        let mut label = self.made_with();
        if let Some(folder) = &self.folder {
            label.push_str(&format!(" · {}", folder.display()));
        }
        label
    }

    fn made_with(&self) -> String {
        format!(
            "{} · {} · {}",
            self.origin.classifier.kind, self.origin.generator.name, self.emitter
        )
    }
}

/// Names the folder of every group that classifier, generator and emitter do not tell from another.
pub(super) fn tell_apart(groups: &mut [GroupReport]) {
    let made_with: Vec<String> = groups.iter().map(GroupReport::made_with).collect();
    for (group, mine) in groups.iter_mut().zip(&made_with) {
        if made_with.iter().filter(|other| *other == mine).count() > 1 {
            let folders = group.seeds.iter().map(|run| run.folder.as_path());
            group.folder = common_folder(folders);
        }
    }
}

/// The last folder that all paths share; of one path itself.
fn common_folder<'a>(mut paths: impl Iterator<Item = &'a Path>) -> Option<PathBuf> {
    let first = paths.next()?.to_owned();
    let shared = |found: PathBuf, path: &Path| {
        let same = found.components().zip(path.components()).take_while(|(a, b)| a == b);
        same.map(|(part, _)| part).collect()
    };
    Some(paths.fold(first, shared)).filter(|found| !found.as_os_str().is_empty())
}

impl Level {
    fn new(group: &Group, threshold: f64) -> Self {
        let own = group.origin().threshold;
        let times = Times::of(group, threshold);
        let classes = group.classes().len();
        let draws = group.random_draws();
        Self {
            threshold,
            aimed_at: threshold <= own,
            base_rate: pooled(group, |report| {
                report.thresholds.iter().find(|level| level.threshold == threshold)?.base_rate
            }),
            coverage: coverage(group, threshold),
            evaluations: times.estimate(),
            after_draws: draws.map(|draws| times.clone().after(draws).estimate()),
            in_draws: draws.and_then(|draws| times.share_within(draws)),
            all_classes: times.all_classes().estimate(),
            classes: (0..classes).map(|class| times.class(class).estimate()).collect(),
            reached: times.reached(),
        }
    }
}

fn coverage(group: &Group, threshold: f64) -> Coverage {
    let classes = group.classes();
    let reached = |run: &Run| {
        let classes = run.report.classes.iter();
        classes.filter(|class| class.first_reaching(threshold).is_some()).count()
    };
    let delivered = |run: &Run| {
        let has = |class: usize| run.manifest.of_class(class).any(|e| e.posterior >= threshold);
        let labels = run.manifest.origin.classes.iter().enumerate();
        labels.filter(|(class, label)| classes.contains(label) && has(*class)).count()
    };
    let per_seed: Vec<usize> = group.runs().iter().map(reached).collect();
    Coverage {
        pairs: classes.len() * group.runs().len(),
        reached: per_seed.iter().sum(),
        delivered: (threshold >= group.origin().threshold)
            .then(|| group.runs().iter().map(delivered).sum()),
        per_seed,
    }
}

/// Random candidates of all seeds together: their streams are keyed by the seed, so no two
/// are the same draw. `None` unless every run counted them.
fn pooled(group: &Group, rate: impl Fn(&RunReport) -> Option<BaseRate>) -> Option<Share> {
    let rates: Vec<BaseRate> =
        group.runs().iter().map(|run| rate(&run.report)).collect::<Option<_>>()?;
    let share = |rate: &BaseRate| {
        let BaseRate { candidates: of, reached: count, rate: share, low, high } = *rate;
        Share { count, of, share, low, high }
    };
    of_all_seeds(group.origin().labelling(), &rates.iter().map(share).collect::<Vec<_>>())
}

/// Evaluations from 1 to `budget`, `per_decade` in every power of ten, and the budget.
fn powers(budget: u64, per_decade: u32) -> Vec<u64> {
    let power =
        |step: u32| libm::round(libm::pow(10.0, f64::from(step) / f64::from(per_decade))) as u64;
    let mut places: Vec<u64> = (0..).map(power).take_while(|&place| place < budget).collect();
    places.push(budget);
    places.dedup();
    places
}

fn best_at(group: &Group, places: Vec<u64>) -> Vec<BestPosterior> {
    let at = |evaluations| {
        let seeds: Vec<f64> =
            group.runs().iter().map(|run| median_best(run, evaluations)).collect();
        Some(BestPosterior {
            evaluations,
            median: median(&seeds)?,
            low: seeds.iter().copied().fold(f64::INFINITY, f64::min),
            high: seeds.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        })
    };
    places.into_iter().filter_map(at).collect()
}

/// Median over classes of the best posterior of a run within so many evaluations.
pub(super) fn median_best(run: &Run, evaluations: u64) -> f64 {
    let best = |class: &crate::results::run::ClassReport| {
        class.best_within(evaluations).map_or(0.0, posterior_from_log_odds)
    };
    median(&run.report.classes.iter().map(best).collect::<Vec<_>>()).unwrap_or(0.0)
}

/// A, B, … Z, then G27, G28, …
pub fn group_name(index: usize) -> String {
    match u8::try_from(index) {
        Ok(letter) if letter < 26 => char::from(b'A' + letter).to_string(),
        _ => format!("G{}", index + 1),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::super::runs::tests::reaching;
    use super::*;

    fn group() -> Group {
        let mut runs = vec![
            reaching(1, "x", [Some(10), Some(20)]),
            reaching(2, "x", [Some(30), None]),
            reaching(3, "x", [Some(40), None]),
        ];
        let mut manifest = crate::exhibits::toy::manifest();
        manifest.exhibits[0].posterior = 0.9995;
        runs[0].manifest.exhibits.push(manifest.exhibits[0].clone());
        Group::of(runs).unwrap().remove(0)
    }

    #[test]
    fn coverage_tells_the_search_from_the_files() {
        let group = group();
        let at = |threshold| coverage(&group, threshold);
        let own = at(0.999);
        assert_eq!((own.pairs, own.reached, own.delivered), (6, 4, Some(1)));
        assert_eq!(own.per_seed, [2, 1, 1]);
        assert_eq!(own.count(), 1);
        assert_eq!((at(0.99).delivered, at(0.99).count()), (None, 4));
        assert_eq!((at(0.9999).reached, at(0.9999).delivered), (0, Some(0)));
    }

    #[test]
    fn random_candidates_of_all_seeds_are_one_sample() {
        let report = GroupReport::new(
            "A".into(),
            &group(),
            Places { thresholds: &[0.99, 0.999], levels: &[] },
            &[],
            None,
        );
        let rubbish = report.rubbish.unwrap();
        assert_eq!((rubbish.count, rubbish.of), (30, 150));
        assert_eq!(report.levels[0].base_rate.unwrap().count, 0);
        assert_eq!(report.levels[1].base_rate.unwrap().count, 0);
        assert!(report.levels.iter().all(|level| level.aimed_at));
        assert_eq!(report.label(), "adabffs · loops · x");
    }

    #[test]
    fn groups_that_look_alike_are_named_by_their_folders() {
        let report = |name: &str, folders: [&str; 2]| {
            let mut report = GroupReport::new(
                name.into(),
                &group(),
                Places { thresholds: &[0.999], levels: &[] },
                &[],
                None,
            );
            for (run, folder) in report.seeds.iter_mut().zip(folders) {
                run.folder = folder.into();
            }
            report.seeds.truncate(2);
            report
        };
        let mut groups =
            [report("A", ["x/slow/seed-1", "x/slow/seed-2"]), report("B", ["fast", "fast"])];
        tell_apart(&mut groups);
        let labels = groups.each_ref().map(GroupReport::label);
        assert_eq!(labels, ["adabffs · loops · x · x/slow", "adabffs · loops · x · fast"]);
        let mut alone = [report("A", ["x", "y"])];
        tell_apart(&mut alone);
        assert_eq!(alone[0].label(), "adabffs · loops · x");
    }

    #[test]
    fn best_posteriors_are_medians_of_medians() {
        assert_eq!(powers(100, 1), [1, 10, 100]);
        assert_eq!(powers(250, 1), [1, 10, 100, 250]);
        assert_eq!(powers(1, 8), [1]);
        // At 25 evaluations one seed has both classes at 0.9995, two have none; at 100 those
        // two have one class, whose median with 0.5 is 0.74975.
        let best = best_at(&group(), vec![25, 100]);
        assert!((best[0].median - 0.5).abs() < 1e-9 && (best[0].high - 0.9995).abs() < 1e-9);
        assert!((best[1].median - 0.74975).abs() < 1e-9, "{best:?}");
        assert_eq!(best[1].low, best[1].median);
    }
}
