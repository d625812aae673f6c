//! The numbers of one run, rebuilt from its trace: the JSON beside the page.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::exhibits::{Exhibit, Origin};
use crate::log_odds::{Labelling, log_odds_from_posterior, posterior_from_log_odds};
use crate::reference::{Limits, Reference, ShareReached, grouped_share};
use crate::search::{Improvement, reaches};

use super::answers::Probe;
use super::genuine::{AgainstGenuine, Distances, LevelReport};
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
    /// How far random candidates and exhibits lie from genuine items.
    pub distances: Distances<'a>,
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
    /// Random candidates evaluated; of a victim of tags, pairs of a candidate and a tag.
    pub candidates: u64,
    /// Those that reached the threshold.
    pub reached: u64,
    /// The share.
    pub rate: f64,
    /// Lower bound of the 95 % interval: Wilson's; of pairs, by resampling candidates.
    pub low: f64,
    /// Its upper bound.
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
        let against = |reference| {
            let exhibits = &scores_of_exhibits;
            AgainstGenuine::new(reference, record.random, exhibits, record.distances)
        };
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

    /// The share of pairs of a candidate and a tag.
    fn of_pairs(pairs: ShareReached) -> Self {
        let ShareReached { reached, of, share, low, high } = pairs;
        Self { candidates: of, reached, rate: share, low, high }
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
    let rows = record.random.chunks_exact(classes.max(1)).enumerate();
    let outcomes: Vec<(usize, bool)> = rows
        .flat_map(|(candidate, row)| {
            let reaches = |class| reaches(row, class, &limits, labelling);
            let hits = (0..classes).map(reaches).collect::<Vec<bool>>();
            match labelling {
                Labelling::Single => vec![(candidate, hits.contains(&true))],
                Labelling::Multi => hits.into_iter().map(|hit| (candidate, hit)).collect(),
            }
        })
        .collect();
    match labelling {
        Labelling::Single => {
            let reached = outcomes.iter().filter(|(_, hit)| *hit).count();
            BaseRate::of(reached as u64, outcomes.len() as u64)
        }
        // The tags of one candidate stand or fall together.
        Labelling::Multi => grouped_share(&outcomes).map(BaseRate::of_pairs),
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
pub(crate) mod tests;
