//! The numbers of one run, rebuilt from its trace: the JSON beside the page.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::exhibits::{Exhibit, Origin};
use crate::log_odds::{Labelling, log_odds_from_posterior, posterior_from_log_odds};
use crate::reference::{Limits, Reference};
use crate::search::{Improvement, reaches};

use super::answers::Probe;
use super::genuine::{AgainstGenuine, LevelReport};
use super::intervals::{kaplan_meier_median, median, wilson_95};

/// Posteriors that every report counts evaluations to; the run's own threshold is added.
pub use crate::reference::THRESHOLDS;

/// Posterior in whatever class that makes a random candidate an error of the rubbish class
/// (Goodfellow, Shlens & Szegedy 2015, appendix).
pub const RUBBISH: f64 = 0.5;

/// The inputs of a report: a finished run's settings, trace and counts.
#[derive(Debug, Clone, Copy)]
pub struct RunRecord<'a> {
    /// What it was made with.
    pub origin: &'a Origin,
    /// Name of the emitter.
    pub emitter: &'a str,
    /// Random candidates of its first generation; `None` where all candidates are random, or
    /// several parts of a divided run start with some.
    pub random_draws: Option<u64>,
    /// For each class, whether it was searched for.
    pub targeted: &'a [bool],
    /// Its trace, in order of evaluation.
    pub trace: &'a [Improvement],
    /// Evaluations it was allowed.
    pub budget: u64,
    /// Evaluations it did.
    pub evaluations: u64,
    /// Evaluations at which the median best posterior is stated beside powers of ten.
    pub marks: &'a [u64],
    /// Scores of random candidates, one log-odds a class row by row; empty if none were evaluated.
    pub random: &'a [f64],
    /// The genuine reference of the classifier.
    pub reference: Option<&'a Reference>,
    /// What was delivered.
    pub exhibits: &'a [Exhibit],
}

/// The report of one run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunReport {
    /// Layout version of this structure: 1.
    pub schema_version: u32,
    /// Version of the program that wrote it.
    pub trompe_version: String,
    /// What the run was made with.
    pub origin: Origin,
    /// Name of the emitter.
    pub emitter: String,
    /// Random candidates of its first generation, which count as evaluations; `None` where all
    /// candidates are random, or several parts of a divided run start with some.
    #[serde(default)]
    pub random_draws: Option<u64>,
    /// Evaluations the run was allowed.
    pub budget: u64,
    /// Evaluations it did: where searches that did not succeed are censored.
    pub evaluations: u64,
    /// One entry per class that was searched for.
    pub classes: Vec<ClassReport>,
    /// One entry per posterior, ascending.
    pub thresholds: Vec<ThresholdReport>,
    /// One entry per level, ascending; empty for classifiers without a genuine reference.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub levels: Vec<LevelReport>,
    /// The run held against genuine items; `None` for classifiers without a genuine reference.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub genuine: Option<AgainstGenuine>,
    /// Why there are no levels although the classifier has a genuine reference, if so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub no_levels: Option<String>,
    /// What the classifier calls inputs without content.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub probes: Vec<Probe>,
    /// Share of random candidates whose label has a posterior of [`RUBBISH`] or more, if they
    /// were counted.
    #[serde(default)]
    pub rubbish: Option<BaseRate>,
    /// Median over classes of the best posterior so far, at powers of ten and at the end.
    pub median_best: Vec<MedianBest>,
    /// Delivered files of which the classifier's method has no answer
    /// ([`crate::classifiers::Classifier::out_of_reach`]); `None` for methods that always have
    /// one, and if it was not checked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub out_of_reach: Option<Vec<String>>,
    /// What the bank and the classifier's training corpus are known to have in common, in a
    /// sentence; `None` if nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shared_sources: Option<String>,
}

/// One class of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClassReport {
    /// Class name.
    pub label: String,
    /// Best posterior of the candidates labelled with it, in the search; `None` if there were none.
    pub best_posterior: Option<f64>,
    /// Evaluation that reached it.
    pub best_evaluation: Option<u64>,
    /// Evaluations until a candidate labelled with it reached each threshold of the report, `None`
    /// where none did.
    pub evaluations_to: Vec<Option<u64>>,
    /// Best log-odds under the label so far, as (evaluation, log-odds) at every improvement.
    pub curve: Vec<(u64, f64)>,
}

/// One threshold of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ThresholdReport {
    /// The posterior to reach.
    pub threshold: f64,
    /// Classes that reached it.
    pub classes_reached: usize,
    /// Share of classes that reached it.
    pub coverage: f64,
    /// Kaplan-Meier median over classes of the evaluations to reach it; `None` if fewer
    /// than half did.
    pub median_evaluations: Option<u64>,
    /// Classes that were reached by the random candidates of the first generation, before
    /// anything was searched; `None` as [`RunReport::random_draws`].
    #[serde(default)]
    pub reached_in_draws: Option<usize>,
    /// How often chance alone reaches it, if random candidates were evaluated.
    pub base_rate: Option<BaseRate>,
}

/// Share of random candidates whose label has a posterior at a threshold.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct BaseRate {
    /// Random candidates evaluated.
    pub candidates: u64,
    /// Those that reached the threshold.
    pub reached: u64,
    /// The share.
    pub rate: f64,
    /// Lower bound of Wilson's 95 % interval.
    pub low: f64,
    /// Upper bound of Wilson's 95 % interval.
    pub high: f64,
}

/// Median over classes of the best posterior so far.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct MedianBest {
    /// After so many evaluations.
    pub evaluations: u64,
    /// The median; a class that was no candidate's label counts as 0.
    pub posterior: f64,
}

impl RunReport {
    /// The report's file in a run's folder.
    pub fn path(folder: &Path) -> PathBuf {
        folder.join("report.json")
    }

    /// Reads the report of the run in `folder`; `None` if it is not finished.
    ///
    /// # Errors
    /// [`Error::BadFile`] if the file is damaged or of another version; an input error.
    pub fn read(folder: &Path) -> Result<Option<Self>> {
        let path = Self::path(folder);
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(Error::io(&path, e)),
        };
        let report = serde_json::from_slice(&bytes).map_err(|e| {
            Error::bad_file(
                &path,
                format!("not a report of this version of trompe: {e}"),
                "remove it, and write it again with `trompe fool --resume`",
            )
        })?;
        Ok(Some(report))
    }

    /// Computes the report of a run.
    ///
    /// # Errors
    /// [`Error::Request`] if the trace cannot belong to this run: a class or an evaluation
    /// out of range, or a line that is no improvement.
    pub fn new(record: &RunRecord<'_>) -> Result<Self> {
        let wrong = |what| {
            Error::request(
                format!("the trace belongs to another run: {what}"),
                "give the trace.jsonl of the same run folder",
            )
        };
        let curves = curves(record).map_err(wrong)?;
        let mut levels = THRESHOLDS.to_vec();
        // The posterior of a set that was searched for by level is no round number.
        levels.extend(record.origin.level.is_none().then_some(record.origin.threshold));
        levels.sort_by(f64::total_cmp);
        levels.dedup();
        let labels = record.origin.classes.iter();
        let classes: Vec<ClassReport> = labels
            .zip(curves)
            .zip(record.targeted)
            .filter_map(|(class, targeted)| targeted.then_some(class))
            .map(|(label, curve)| class_report(label, curve, &levels))
            .collect();
        let thresholds = (0..levels.len())
            .map(|index| threshold_report(levels[index], index, &classes, record))
            .collect();
        let median_best = checkpoints(record.evaluations, record.marks)
            .into_iter()
            .filter_map(|evaluations| median_best(&classes, evaluations))
            .collect();
        let scores_of_exhibits: Vec<f64> =
            record.exhibits.iter().flat_map(|exhibit| exhibit.log_odds.iter().copied()).collect();
        let against =
            |reference| AgainstGenuine::new(reference, record.random, &scores_of_exhibits);
        Ok(Self {
            levels: level_reports(&classes, record),
            genuine: record.reference.map(against),
            schema_version: 1,
            trompe_version: env!("CARGO_PKG_VERSION").to_owned(),
            origin: record.origin.clone(),
            emitter: record.emitter.to_owned(),
            random_draws: record.random_draws,
            budget: record.budget,
            evaluations: record.evaluations,
            classes,
            thresholds,
            rubbish: base_rate(record, RUBBISH),
            median_best,
            out_of_reach: None,
            probes: Vec::new(),
            no_levels: None,
            shared_sources: None,
        })
    }
}

impl BaseRate {
    /// The share that `reached` is of `candidates`, with its interval; `None` of no candidates.
    pub fn of(reached: u64, candidates: u64) -> Option<Self> {
        let (low, high) = wilson_95(reached, candidates);
        (candidates > 0).then(|| Self {
            candidates,
            reached,
            rate: reached as f64 / candidates as f64,
            low,
            high,
        })
    }
}

impl ClassReport {
    /// First evaluation whose posterior is at least `threshold`.
    pub fn first_reaching(&self, threshold: f64) -> Option<u64> {
        first_reaching(&self.curve, threshold)
    }

    /// First evaluation whose log-odds are above `log_odds`.
    pub fn first_above(&self, log_odds: f64) -> Option<u64> {
        let first = self.curve.iter().find(|(_, reached)| *reached > log_odds);
        first.map(|(evaluation, _)| *evaluation)
    }

    /// Best log-odds within the first `evaluations`.
    pub fn best_within(&self, evaluations: u64) -> Option<f64> {
        let known = self.curve.iter().take_while(|(evaluation, _)| *evaluation <= evaluations);
        known.last().map(|(_, log_odds)| *log_odds)
    }
}

/// The trace, taken apart by class and checked.
fn curves(record: &RunRecord<'_>) -> Result<Vec<Vec<(u64, f64)>>, String> {
    let mut curves: Vec<Vec<(u64, f64)>> = vec![Vec::new(); record.origin.classes.len()];
    for line in record.trace {
        let Improvement { evaluation, class, log_odds, .. } = *line;
        let Some(curve) = curves.get_mut(class) else {
            return Err(format!("it names class {class} of {}", record.origin.classes.len()));
        };
        if evaluation == 0 || evaluation > record.evaluations {
            return Err(format!("it names evaluation {evaluation} of {}", record.evaluations));
        }
        let first = (0, f64::NEG_INFINITY);
        let (last_evaluation, last_log_odds) = curve.last().copied().unwrap_or(first);
        if evaluation <= last_evaluation {
            return Err(format!("evaluation {evaluation} of class {class} is out of order"));
        }
        // A niche ranked by the gap may take a candidate of lower log-odds; the curve is the
        // best so far.
        if log_odds > last_log_odds {
            curve.push((evaluation, log_odds));
        }
    }
    Ok(curves)
}

fn class_report(label: &str, curve: Vec<(u64, f64)>, levels: &[f64]) -> ClassReport {
    let best = curve.last();
    ClassReport {
        label: label.to_owned(),
        best_posterior: best.map(|(_, log_odds)| posterior_from_log_odds(*log_odds)),
        best_evaluation: best.map(|(evaluation, _)| *evaluation),
        evaluations_to: levels.iter().map(|&level| first_reaching(&curve, level)).collect(),
        curve,
    }
}

fn first_reaching(curve: &[(u64, f64)], threshold: f64) -> Option<u64> {
    let first = curve.iter().find(|(_, log_odds)| posterior_from_log_odds(*log_odds) >= threshold);
    first.map(|(evaluation, _)| *evaluation)
}

/// Share of random candidates whose label has a posterior at `threshold`; of tags, the share of pairs of
/// a candidate and a tag, which is the mean over tags.
fn base_rate(record: &RunRecord<'_>, threshold: f64) -> Option<BaseRate> {
    let limits = Limits::Same(log_odds_from_posterior(threshold));
    let (classes, labelling) = (record.origin.classes.len(), record.origin.labelling());
    let rows = record.random.chunks_exact(classes.max(1));
    let candidates = rows.len() as u64;
    let reaching = rows.map(|row| {
        let reaches = |class: &usize| reaches(row, *class, &limits, labelling);
        (0..classes).filter(reaches).count() as u64
    });
    let reaching = reaching.sum();
    match labelling {
        Labelling::Single => BaseRate::of(reaching, candidates),
        Labelling::Multi => BaseRate::of(reaching, candidates * classes as u64),
    }
}

fn threshold_report(
    threshold: f64,
    index: usize,
    classes: &[ClassReport],
    record: &RunRecord<'_>,
) -> ThresholdReport {
    let times: Vec<(u64, bool)> = classes
        .iter()
        .map(|class| class.evaluations_to[index])
        .map(|reached| reached.map_or((record.evaluations, false), |evaluation| (evaluation, true)))
        .collect();
    let classes_reached = times.iter().filter(|(_, reached)| *reached).count();
    ThresholdReport {
        threshold,
        classes_reached,
        coverage: classes_reached as f64 / classes.len().max(1) as f64,
        median_evaluations: kaplan_meier_median(&times),
        reached_in_draws: record
            .random_draws
            .map(|draws| times.iter().filter(|(at, reached)| *reached && *at <= draws).count()),
        base_rate: base_rate(record, threshold),
    }
}

/// The levels that the reference of a run's origin has thresholds for.
fn level_reports(classes: &[ClassReport], record: &RunRecord<'_>) -> Vec<LevelReport> {
    let thresholds = record.origin.reference.iter().flat_map(|used| &used.thresholds);
    let searched: Vec<usize> = (0..record.targeted.len()).filter(|&c| record.targeted[c]).collect();
    thresholds
        .map(|of| {
            let limit = |&class: &usize| of.log_odds.get(class).copied().flatten();
            let limits: Vec<Option<f64>> = searched.iter().map(limit).collect();
            level_report(of.level, classes, &limits, record)
        })
        .collect()
}

fn level_report(
    level: f64,
    classes: &[ClassReport],
    limits: &[Option<f64>],
    record: &RunRecord<'_>,
) -> LevelReport {
    let first = |(class, limit): (&ClassReport, &Option<f64>)| class.first_above((*limit)?);
    let evaluations: Vec<Option<u64>> = classes.iter().zip(limits).map(first).collect();
    let times: Vec<(u64, bool)> = evaluations
        .iter()
        .zip(limits)
        .filter(|(_, limit)| limit.is_some())
        .map(|(at, _)| at.map_or((record.evaluations, false), |at| (at, true)))
        .collect();
    let reached = times.iter().filter(|(_, reached)| *reached).count();
    let at = record.origin.reference.as_ref().and_then(|used| used.at(level));
    let pairs = record.origin.classes.iter().zip(at.unwrap_or_default());
    let undefined = pairs.filter(|(_, limit)| limit.is_none()).map(|(name, _)| name.clone());
    let undefined = undefined.collect();
    LevelReport {
        level,
        classes_defined: times.len(),
        classes_reached: reached,
        coverage: reached as f64 / times.len().max(1) as f64,
        median_evaluations: kaplan_meier_median(&times),
        reached_in_draws: record
            .random_draws
            .map(|draws| times.iter().filter(|(at, reached)| *reached && *at <= draws).count()),
        undefined,
        evaluations,
    }
}

/// 1, 10, 100, …, those of `marks` that were reached, and the last evaluation.
fn checkpoints(evaluations: u64, marks: &[u64]) -> Vec<u64> {
    let powers = std::iter::successors(Some(1u64), |power| power.checked_mul(10));
    let mut points: Vec<u64> = powers.take_while(|power| *power < evaluations).collect();
    points.extend(marks.iter().filter(|&&mark| mark > 0 && mark < evaluations));
    if evaluations > 0 {
        points.push(evaluations);
    }
    points.sort_unstable();
    points.dedup();
    points
}

fn median_best(classes: &[ClassReport], evaluations: u64) -> Option<MedianBest> {
    let best =
        |class: &ClassReport| class.best_within(evaluations).map_or(0.0, posterior_from_log_odds);
    let posterior = median(&classes.iter().map(best).collect::<Vec<_>>())?;
    Some(MedianBest { evaluations, posterior })
}

#[cfg(test)]
pub(crate) mod tests {
    #![allow(clippy::unwrap_used)]

    use crate::exhibits::{ClassifierUsed, GeneratorUsed, Medium};
    use crate::log_odds::PosteriorKind;
    use trompe_corpora::Provenance;

    use super::*;

    pub(crate) fn origin(classes: &[&str]) -> Origin {
        Origin {
            medium: Medium::Audio,
            classes: classes.iter().map(|&class| class.to_owned()).collect(),
            classifier: ClassifierUsed {
                kind: "adabffs".into(),
                posterior_kind: PosteriorKind::LogisticOfVote,
                sha256: "c0ffee".into(),
                corpus: "tiny".into(),
                provenance: Provenance::Recorded,
                input: serde_json::Value::Null,
                runtime: None,
            },
            generator: GeneratorUsed {
                name: "loops".into(),
                bank: None,
                settings: serde_json::json!({}),
            },
            seed: 5,
            threshold: 0.999,
            level: None,
            reference: None,
        }
    }

    pub(crate) fn improvement(evaluation: u64, class: usize, posterior: f64) -> Improvement {
        Improvement {
            evaluation,
            class,
            log_odds: log_odds_from_posterior(posterior),
            posterior,
            emitter: "climber".into(),
            made_by: None,
            parent: None,
        }
    }

    /// Three classes: one reaches everything, one 0.999, one nothing.
    pub(crate) fn known() -> RunReport {
        let origin = origin(&["blues", "rock", "jazz"]);
        let trace = [
            improvement(1, 0, 0.2),
            improvement(1, 1, 0.1),
            improvement(1, 2, 0.05),
            improvement(8, 1, 0.4),
            improvement(12, 0, 0.995),
            improvement(40, 2, 0.6),
            improvement(90, 0, 0.99995),
            improvement(300, 1, 0.9992),
            improvement(450, 2, 0.9),
        ];
        // Of 20 random candidates one has a posterior between 0.99 and 0.999.
        let of = |posterior: f64| [log_odds_from_posterior(posterior), -9.0, -9.0];
        let random: Vec<f64> = (0..20).flat_map(|n| of(if n == 0 { 0.995 } else { 0.3 })).collect();
        let record = RunRecord {
            origin: &origin,
            emitter: "climber",
            random_draws: Some(32),
            targeted: &[true; 3],
            trace: &trace,
            budget: 1000,
            evaluations: 500,
            marks: &[],
            random: &random,
            reference: None,
            exhibits: &[],
        };
        RunReport::new(&record).unwrap()
    }

    #[test]
    fn a_known_trace_gives_the_known_table() {
        let report = known();
        let to: Vec<&[Option<u64>]> =
            report.classes.iter().map(|class| class.evaluations_to.as_slice()).collect();
        assert_eq!(to[0], [Some(12), Some(90), Some(90)]);
        assert_eq!(to[1], [Some(300), Some(300), None]);
        assert_eq!(to[2], [None, None, None]);
        let summary: Vec<(f64, usize, Option<u64>)> = report
            .thresholds
            .iter()
            .map(|t| (t.threshold, t.classes_reached, t.median_evaluations))
            .collect();
        assert_eq!(summary, [(0.99, 2, Some(300)), (0.999, 2, Some(300)), (0.9999, 1, None)]);
        assert_eq!(report.classes[2].best_evaluation, Some(450));
        let in_draws: Vec<_> = report.thresholds.iter().map(|t| t.reached_in_draws).collect();
        assert_eq!(in_draws, [Some(1), Some(0), Some(0)]);
    }

    #[test]
    fn medians_at_powers_of_ten_follow_the_curves() {
        let points: Vec<(u64, f64)> =
            known().median_best.iter().map(|m| (m.evaluations, m.posterior)).collect();
        let expected = [(1, 0.1), (10, 0.2), (100, 0.6), (500, 0.9992)];
        assert_eq!(points.len(), expected.len());
        for (point, expected) in points.iter().zip(expected) {
            assert_eq!(point.0, expected.0);
            assert!((point.1 - expected.1).abs() < 1e-12, "{point:?} {expected:?}");
        }
    }

    #[test]
    fn base_rates_carry_their_interval() {
        let report = known();
        let rate = report.thresholds[0].base_rate.unwrap();
        assert_eq!(rate.rate, 0.05);
        assert_eq!((rate.low, rate.high), wilson_95(1, 20));
        assert_eq!(report.thresholds[1].base_rate.unwrap().high, wilson_95(0, 20).1);
    }

    #[test]
    fn the_run_s_own_threshold_is_reported_once() {
        let mut origin = origin(&["a"]);
        origin.threshold = 0.95;
        let record = RunRecord {
            origin: &origin,
            emitter: "random",
            random_draws: None,
            targeted: &[true],
            trace: &[],
            budget: 0,
            evaluations: 0,
            marks: &[],
            random: &[],
            reference: None,
            exhibits: &[],
        };
        let report = RunReport::new(&record).unwrap();
        let levels: Vec<f64> = report.thresholds.iter().map(|t| t.threshold).collect();
        assert_eq!(levels, [0.95, 0.99, 0.999, 0.9999]);
        assert_eq!(report.classes[0].best_posterior, None);
        assert!(report.median_best.is_empty());
        assert_eq!(known().thresholds.len(), 3);
    }

    #[test]
    fn classes_that_nobody_searched_for_do_not_count() {
        let origin = origin(&["a", "b", "c"]);
        let record = RunRecord {
            origin: &origin,
            emitter: "climber",
            random_draws: Some(32),
            targeted: &[false, true, false],
            trace: &[improvement(1, 0, 0.2), improvement(3, 1, 0.9995), improvement(4, 2, 0.99999)],
            budget: 100,
            evaluations: 4,
            marks: &[],
            random: &[],
            reference: None,
            exhibits: &[],
        };
        let report = RunReport::new(&record).unwrap();
        let labels: Vec<&str> = report.classes.iter().map(|class| class.label.as_str()).collect();
        assert_eq!(labels, ["b"]);
        let level = report.thresholds.iter().find(|level| level.threshold == 0.999).unwrap();
        assert_eq!((level.coverage, level.median_evaluations), (1.0, Some(3)));
        assert_eq!(
            report.median_best.last().unwrap().posterior,
            report.classes[0].best_posterior.unwrap()
        );
    }

    #[test]
    fn a_foreign_trace_is_refused() {
        let origin = origin(&["a", "b"]);
        for (trace, expected) in [
            (vec![improvement(1, 2, 0.5)], "class 2 of 2"),
            (vec![improvement(9, 0, 0.5)], "evaluation 9 of 8"),
            (vec![improvement(0, 0, 0.5)], "evaluation 0"),
            (vec![improvement(2, 0, 0.5), improvement(1, 0, 0.6)], "out of order"),
        ] {
            let record = RunRecord {
                origin: &origin,
                emitter: "random",
                random_draws: None,
                targeted: &[true; 2],
                trace: &trace,
                marks: &[],
                budget: 8,
                evaluations: 8,
                random: &[],
                reference: None,
                exhibits: &[],
            };
            let error = RunReport::new(&record).unwrap_err().to_string();
            assert!(error.contains(expected), "{error} lacks {expected}");
        }
    }

    #[test]
    fn a_report_is_read_from_its_folder() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(RunReport::read(folder.path()).unwrap(), None);
        let path = RunReport::path(folder.path());
        std::fs::write(&path, serde_json::to_vec(&known()).unwrap()).unwrap();
        assert_eq!(RunReport::read(folder.path()).unwrap(), Some(known()));
        std::fs::write(&path, "{").unwrap();
        let error = RunReport::read(folder.path()).unwrap_err().to_string();
        assert!(error.contains("report.json") && error.contains("--resume"), "{error}");
    }

    #[test]
    fn json_gives_back_the_same_report() {
        let report = known();
        let text = serde_json::to_string(&report).unwrap();
        assert_eq!(serde_json::from_str::<RunReport>(&text).unwrap(), report);
    }
}
