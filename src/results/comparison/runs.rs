//! Finished runs, and groups of those that differ in their seed alone.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::exhibits::{Manifest, Origin};
use crate::results::RunReport;

/// One finished run, as a comparison reads it.
#[derive(Debug, Clone)]
pub struct Run {
    /// Its folder, as the user named it.
    pub folder: PathBuf,
    /// Its report.
    pub report: RunReport,
    /// Its fooling set.
    pub manifest: Manifest,
    /// SHA-256 of the fooling set's manifest.
    pub set_sha256: String,
    /// Its configuration, without what changes no result but the seed's.
    pub settings: serde_json::Value,
}

/// Runs that differ in their seed alone, in ascending order of it; at least one.
#[derive(Debug, Clone)]
pub struct Group {
    runs: Vec<Run>,
}

/// A run's place in a report.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SeedRun {
    /// The seed.
    pub seed: u64,
    /// The run's folder, as the user named it.
    pub folder: PathBuf,
    /// Evaluations it did.
    pub evaluations: u64,
    /// Exhibits it delivered.
    pub exhibits: usize,
    /// SHA-256 of its fooling set's manifest.
    pub set_sha256: String,
}

impl Group {
    /// Divides runs into groups, in the order in which each group first appears.
    ///
    /// # Errors
    /// [`Error::Request`] for no runs, for runs that aim at different thresholds, and for two
    /// runs of a group with the same seed.
    pub fn of(runs: Vec<Run>) -> Result<Vec<Self>> {
        if runs.is_empty() {
            return Err(Error::request(
                "no runs to compare",
                "name folders that `trompe fool` wrote",
            ));
        }
        check_thresholds(&runs)?;
        let mut groups: Vec<(String, Self)> = Vec::new();
        for run in runs {
            let key = run.key();
            match groups.iter_mut().find(|(other, _)| *other == key) {
                Some((_, group)) => group.add(run)?,
                None => groups.push((key, Self { runs: vec![run] })),
            }
        }
        Ok(groups.into_iter().map(|(_, group)| group).collect())
    }

    fn add(&mut self, run: Run) -> Result<()> {
        let place = self.runs.partition_point(|other| other.seed() < run.seed());
        if let Some(twin) = self.runs.get(place).filter(|other| other.seed() == run.seed()) {
            return Err(Error::request(
                format!(
                    "{} and {} have the same settings and the same seed",
                    twin.folder.display(),
                    run.folder.display()
                ),
                "name each run once",
            ));
        }
        self.runs.insert(place, run);
        Ok(())
    }

    /// The runs.
    pub fn runs(&self) -> &[Run] {
        &self.runs
    }

    /// What they share.
    pub fn origin(&self) -> &Origin {
        &self.runs[0].report.origin
    }

    /// The classes that they searched for.
    pub fn classes(&self) -> Vec<String> {
        let classes = self.runs[0].report.classes.iter();
        classes.map(|class| class.label.clone()).collect()
    }

    /// Name of the emitter.
    pub fn emitter(&self) -> &str {
        &self.runs[0].report.emitter
    }

    /// Random candidates of each run's first generation; `None` as
    /// [`RunReport::random_draws`].
    pub fn random_draws(&self) -> Option<u64> {
        self.runs[0].report.random_draws
    }

    /// Evaluations that each run was allowed.
    pub fn budget(&self) -> u64 {
        self.runs[0].report.budget
    }

    /// The configuration that the runs share.
    pub fn settings(&self) -> &serde_json::Value {
        &self.runs[0].settings
    }

    pub(super) fn seeds(&self) -> Vec<SeedRun> {
        let seed = |run: &Run| SeedRun {
            seed: run.seed(),
            folder: run.folder.clone(),
            evaluations: run.report.evaluations,
            exhibits: run.manifest.exhibits.len(),
            set_sha256: run.set_sha256.clone(),
        };
        self.runs.iter().map(seed).collect()
    }
}

/// Runs on posteriors of one kind must aim at one threshold; kinds mean different things,
/// and need not.
fn check_thresholds(runs: &[Run]) -> Result<()> {
    for (index, run) in runs.iter().enumerate() {
        let origin = &run.report.origin;
        let kind = origin.classifier.posterior_kind;
        let other = runs[..index].iter().find(|other| {
            let other = &other.report.origin;
            other.classifier.posterior_kind == kind && asked(other) != asked(origin)
        });
        if let Some(other) = other {
            return Err(Error::request(
                format!(
                    "{} has the {}, {} has the {}: a search stops working on a class that has \
                     reached what it asked for, so the two do not compare",
                    other.folder.display(),
                    other.report.origin.criterion().in_words(),
                    run.folder.display(),
                    origin.criterion().in_words()
                ),
                "compare runs of one threshold, or of one level",
            ));
        }
    }
    Ok(())
}

/// What a run asked for: its level, or its threshold.
fn asked(origin: &Origin) -> (Option<f64>, Option<f64>) {
    (origin.level, origin.level.is_none().then_some(origin.threshold))
}

#[cfg(test)]
impl Group {
    pub(super) fn set_random_draws(&mut self, draws: Option<u64>) {
        self.runs.iter_mut().for_each(|run| run.report.random_draws = draws);
    }
}

impl Run {
    fn seed(&self) -> u64 {
        self.report.origin.seed
    }

    /// Everything that makes its result, but the seed. Names, provenance and licences are left out:
    /// hashes stand for what they name.
    fn key(&self) -> String {
        let Origin { medium, classes, classifier, generator, threshold, level, .. } =
            &self.report.origin;
        let bank = generator.bank.as_ref().map(|bank| &bank.sha256);
        let mut generated = generator.settings.clone();
        if let Some(keys) = generated.as_object_mut() {
            // In the run's settings, too; where a corpus lies changes nothing.
            ["descriptor", "corpus"].iter().for_each(|key| drop(keys.remove(*key)));
        }
        let victim = (&classifier.kind, classifier.posterior_kind, &classifier.sha256);
        let origin = (medium, classes, victim, &generator.name, bank, generated, threshold, level);
        let parts = (origin, &self.report.emitter, self.report.budget, &self.settings);
        serde_json::to_string(&parts).unwrap_or_default()
    }
}

#[cfg(test)]
pub(crate) mod tests {
    #![allow(clippy::unwrap_used)]

    use crate::exhibits::toy;
    use crate::results::run::tests::{improvement, origin};
    use crate::results::{Distances, RunRecord};
    use crate::search::Improvement;

    use super::*;

    /// A run of two classes with a budget of 100 and the given trace.
    pub(crate) fn run(seed: u64, emitter: &str, trace: &[Improvement]) -> Run {
        let origin = Origin { seed, ..origin(&["a", "b"]) };
        // Ten of 50 random candidates have a posterior between 0.5 and 0.99.
        let row = |n: usize| [if n < 10 { 1.0 } else { -1.0 }, -9.0];
        let random: Vec<f64> = (0..50).flat_map(row).collect();
        let record = RunRecord {
            origin: &origin,
            emitter,
            random_draws: None,
            targeted: &[true; 2],
            trace,
            budget: 100,
            evaluations: 100,
            random: &random,
            reference: None,
            exhibits: &[],
            distances: Distances::default(),
            marks: &[],
        };
        let mut manifest = toy::manifest();
        manifest.origin = origin.clone();
        manifest.exhibits.clear();
        manifest.unreached.clear();
        Run {
            folder: PathBuf::from(format!("{emitter}-{seed}")),
            report: RunReport::new(&record).unwrap(),
            manifest,
            set_sha256: format!("{seed:064x}"),
            settings: serde_json::json!({ "emitter": emitter }),
        }
    }

    /// A run whose classes reach 0.9995 at these evaluations, or stay at 0.5.
    pub(crate) fn reaching(seed: u64, emitter: &str, at: [Option<u64>; 2]) -> Run {
        let mut trace = vec![improvement(1, 0, 0.5), improvement(1, 1, 0.5)];
        let mut reached: Vec<(u64, usize)> =
            at.iter().enumerate().filter_map(|(class, at)| Some(((*at)?, class))).collect();
        reached.sort_unstable();
        trace.extend(reached.into_iter().map(|(at, class)| improvement(at, class, 0.9995)));
        run(seed, emitter, &trace)
    }

    #[test]
    fn runs_group_by_everything_but_the_seed() {
        let runs = vec![run(2, "x", &[]), run(1, "y", &[]), run(1, "x", &[])];
        let groups = Group::of(runs).unwrap();
        let seeds: Vec<Vec<u64>> =
            groups.iter().map(|g| g.runs().iter().map(Run::seed).collect()).collect();
        assert_eq!(seeds, [vec![1, 2], vec![1]]);
        assert_eq!(groups[0].emitter(), "x");
        let mut other = run(3, "x", &[]);
        other.report.origin.classifier.sha256 = "beef".into();
        assert_eq!(Group::of(vec![run(1, "x", &[]), other]).unwrap().len(), 2);
    }

    #[test]
    fn what_cannot_be_compared_is_refused() {
        let error = |runs| Group::of(runs).unwrap_err().to_string();
        assert!(error(vec![]).contains("no runs"));
        let twice = error(vec![run(1, "x", &[]), run(1, "x", &[])]);
        assert!(twice.contains("same seed") && twice.contains("x-1"), "{twice}");
        let mut other = run(2, "x", &[]);
        other.report.origin.threshold = 0.9;
        let thresholds = error(vec![run(1, "x", &[]), other]);
        assert!(thresholds.contains("0.999") && thresholds.contains("x-2"), "{thresholds}");
        let mut softmax = run(2, "x", &[]);
        softmax.report.origin.threshold = 0.9;
        softmax.report.origin.classifier.posterior_kind =
            crate::classifiers::PosteriorKind::Softmax;
        assert_eq!(Group::of(vec![run(1, "x", &[]), softmax]).unwrap().len(), 2);
    }
}
