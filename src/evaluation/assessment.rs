//! Everything that is said of a classifier in one division into folds.

use serde::Serialize;

use super::consistency::Consistency;
use super::cross_validation::{Evaluation, Trial};
use super::intervals::{AccuracyDifference, FigureIntervals, RESAMPLES};
use super::significance::{AgainstChance, McNemar};
use crate::reference::CalibrationReport;

/// An evaluation with what follows from it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Assessment {
    /// Name of the division, or `model` for a finished classifier.
    pub division: String,
    /// Notes on how to read the figures: classes that were not tested, what accuracy may
    /// be knowledge of.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// Of a finished classifier, how many of the tested items are known to be among those that it
    /// was trained on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub training_items: Option<usize>,
    /// SHA-256 of the finished classifier, in hexadecimal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model_sha256: Option<String>,
    /// The evaluation.
    #[serde(flatten)]
    pub evaluation: Evaluation,
    /// Intervals of its mean recall and accuracy.
    pub intervals: FigureIntervals,
    /// Its consistent errors.
    pub consistency: Consistency,
    /// What its posteriors are worth.
    pub calibration: CalibrationReport,
    /// Its tests against chance.
    pub against_chance: AgainstChance,
    /// The same classifier trained on labels dealt to the excerpts at random.
    pub shuffled_labels: Option<ShuffledLabels>,
    /// Another classifier on the same excerpts and folds.
    pub rival: Option<Rival>,
}

/// What cross-validation finds where there is nothing to learn: it must be chance, or
/// something leaks from test to training. Labels are dealt to single excerpts, which makes
/// these independent of each other whatever group they are of.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ShuffledLabels {
    /// Mean recall against the shuffled labels.
    pub mean_recall: f64,
    /// Exact probability that guessing gets as many right or more.
    pub p_binomial: f64,
}

/// Another classifier on the same excerpts and folds.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Rival {
    /// Name of its kind.
    pub kind: String,
    /// Its evaluation.
    pub evaluation: Evaluation,
    /// The two compared.
    pub mcnemar: McNemar,
    /// How far their accuracies lie apart.
    pub accuracy_difference: AccuracyDifference,
}

impl Assessment {
    /// Assesses an evaluation, with `permutations` in the test against chance; these and what is
    /// resampled are drawn by `seed`.
    pub fn new(division: &str, evaluation: Evaluation, permutations: usize, seed: u64) -> Self {
        Self {
            division: division.to_owned(),
            notes: Vec::new(),
            training_items: None,
            model_sha256: None,
            intervals: FigureIntervals::of(&evaluation, RESAMPLES, seed),
            consistency: Consistency::of(&evaluation),
            calibration: evaluation.calibration(),
            against_chance: AgainstChance::of(&evaluation, permutations, seed),
            shuffled_labels: None,
            rival: None,
            evaluation,
        }
    }

    /// How often excerpts of class `truth` were taken for `predicted`, in all trials.
    pub fn confused(&self, truth: usize, predicted: usize) -> u64 {
        let counts = |trial: &Trial| trial.confusion.counts[predicted][truth];
        self.evaluation.trials.iter().map(counts).sum()
    }
}
