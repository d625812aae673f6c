//! Cross-validation of a classifier on a dataset, in one or more divisions into folds.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use rand::RngExt;
use serde::Serialize;
use trompe_base::random::stream;
use trompe_base::words::{counted, plural};
use trompe_corpora::folds::FoldError;
use trompe_corpora::{Clip, Corpus, Folds, Limits, Progress, Provenance, wav};
use trompe_statistics::binomial;

use super::train::Training;
use crate::dataset::Dataset;
use crate::error::{Error, Result};
use crate::evaluation::intervals::RESAMPLES;
use crate::evaluation::{
    AccuracyDifference, Assessment, Evaluation, McNemar, Rival, ShuffledLabels, cross_validate,
};

/// How excerpts are divided into folds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Division {
    /// At random, stratified by class: a group (artist, style file) may be in training and
    /// test at once.
    Random,
    /// Stratified, no group divided.
    Grouped,
    /// As the corpus states.
    Given,
}

impl Division {
    /// The division's name in files and on screen.
    pub fn name(self) -> &'static str {
        match self {
            Self::Random => "random",
            Self::Grouped => "grouped",
            Self::Given => "given",
        }
    }

    /// The division that forgives least: grouped if there are groups.
    pub fn strictest(dataset: &Dataset) -> Self {
        if has_groups(dataset) { Self::Grouped } else { Self::Random }
    }

    fn of(self, corpus: &Corpus, folds: usize, seed: u64, trial: u64) -> Result<Folds, FoldError> {
        match self {
            Self::Random => Folds::stratified(corpus, folds, seed, trial),
            Self::Grouped => Folds::grouped(corpus, folds, seed, trial),
            Self::Given => Folds::given(corpus),
        }
    }

    /// The divisions that say most side by side.
    pub fn telling(dataset: &Dataset) -> Vec<Self> {
        if has_groups(dataset) { vec![Self::Random, Self::Grouped] } else { vec![Self::Random] }
    }
}

fn has_groups(dataset: &Dataset) -> bool {
    dataset.excerpts.iter().any(|excerpt| excerpt.group.is_some())
}

/// What must be said where nothing tells which excerpts share a source.
pub const NO_GROUPS: &str = "no groups (artist, album, source) are known: excerpts of one source \
    may be in training and test at once, so accuracy may be knowledge of the source; name them in \
    the manifest's column `group`";

/// What a division leaves out or cannot see, in words.
pub fn notes_on(dataset: &Dataset, division: Division, asked: usize, folds: &Folds) -> Vec<String> {
    let mut notes = Vec::new();
    if division == Division::Random && !has_groups(dataset) {
        notes.push(NO_GROUPS.to_owned());
    }
    for kept in &folds.kept {
        let classes: Vec<&str> =
            kept.classes.iter().map(|&class| dataset.classes[class].as_str()).collect();
        let noun = if classes.len() == 1 { "class".to_owned() } else { plural("class") };
        notes.push(format!(
            "{noun} {} not tested: all excerpts are of one group ({}), and without it there is \
             nothing to train on; every fold trains on its {}",
            classes.join(", "),
            kept.group,
            counted(kept.clips.len(), "excerpt")
        ));
    }
    if division == Division::Grouped && folds.count < asked {
        notes.push(format!(
            "{} instead of {asked}: no more groups can be held out",
            counted(folds.count, "fold")
        ));
    }
    notes
}

/// The folds of the excerpts of `dataset`.
///
/// # Errors
/// [`Error::Corpora`] if the excerpts cannot be divided so.
pub fn divide(
    dataset: &Dataset,
    division: Division,
    folds: usize,
    seed: u64,
    trial: u64,
) -> Result<Folds> {
    Ok(try_divide(dataset, division, folds, seed, trial).map_err(trompe_corpora::Error::from)?)
}

fn try_divide(
    dataset: &Dataset,
    division: Division,
    folds: usize,
    seed: u64,
    trial: u64,
) -> Result<Folds, FoldError> {
    division.of(&labels(dataset), folds, seed, trial)
}

/// Why the clips of `corpus` cannot be divided by the strictest division, if so.
pub fn why_not_divided(corpus: &Corpus, folds: usize, seed: u64) -> Option<String> {
    let has_groups = corpus.clips.iter().any(|clip| clip.group.is_some());
    let division = if has_groups { Division::Grouped } else { Division::Random };
    division.of(corpus, folds, seed, 0).err().map(|error| error.to_string())
}

/// Why the groups of `dataset` cannot be kept apart in any of `trials`, if so.
pub fn why_not_grouped(dataset: &Dataset, folds: usize, seed: u64, trials: u64) -> Option<String> {
    (0..trials).find_map(|trial| match try_divide(dataset, Division::Grouped, folds, seed, trial) {
        Err(error @ (FoldError::NothingToHoldOut { .. } | FoldError::ClassInOneFold { .. })) => {
            Some(error.to_string())
        }
        _ => None,
    })
}

/// The excerpts as clips without sound: all that a division needs to know.
pub(super) fn labels(dataset: &Dataset) -> Corpus {
    let clip = |excerpt: &crate::dataset::Excerpt| Clip {
        split: excerpt.split,
        fold: excerpt.fold,
        group: excerpt.group.clone(),
        ..Clip::new(&excerpt.id, PathBuf::new(), excerpt.class)
    };
    Corpus {
        known_as: None,
        licence: None,
        name: dataset.source.name.clone(),
        provenance: dataset.source.provenance.unwrap_or(Provenance::Synthetic),
        labels: String::new(),
        classes: dataset.classes.clone(),
        clips: dataset.excerpts.iter().map(clip).collect(),
    }
}

/// Cross-validates `training` in one division, `trials` times with other shuffles. Excerpts that
/// the division cannot hold out are trained on and not tested ([`notes_on`] says which).
///
/// # Errors
/// As [`divide`] and [`cross_validate`]; [`Error::Request`] without trials.
pub fn evaluate(
    dataset: &Dataset,
    training: &Training,
    division: Division,
    folds: usize,
    trials: u64,
    seed: u64,
    progress: &dyn Progress,
) -> Result<Evaluation> {
    if trials == 0 {
        return Err(Error::request("0 trials", "give at least 1"));
    }
    let assignments: Vec<Vec<Option<usize>>> = (0..trials)
        .map(|trial| Ok(divide(dataset, division, folds, seed, trial)?.of_clip))
        .collect::<Result<_>>()?;
    let stage = format!("{} folds", division.name());
    cross_validate(
        dataset,
        &assignments,
        |part| training.fit(part, &|_: &str, _, _| {}),
        |fit| {
            let done = (fit.trial - 1) * fit.folds + fit.fold - 1;
            progress.report(&stage, done as u64, (fit.trials * fit.folds) as u64);
        },
    )
}

/// Key of the random stream that shuffles labels.
const SHUFFLE_STREAM: u64 = 0x7368_7566;

/// How a classifier is assessed.
#[derive(Debug, Clone)]
pub struct Examination<'a> {
    /// The classifier.
    pub training: &'a Training,
    /// Folds of a trial.
    pub folds: usize,
    /// Repetitions with other shuffles.
    pub trials: u64,
    /// Seed of folds and of everything that is shuffled.
    pub seed: u64,
    /// Permutations of the test against chance.
    pub permutations: usize,
    /// Whether it is also trained once on shuffled labels.
    pub shuffle_labels: bool,
    /// Another classifier to compare it with, and the data as it sees them.
    pub rival: Option<(&'a Training, &'a Dataset)>,
}

impl Examination<'_> {
    /// Cross-validates the classifier in one division, and its rival on the same folds.
    ///
    /// # Errors
    /// As [`evaluate`] and [`McNemar::of`].
    pub fn assess(
        &self,
        dataset: &Dataset,
        division: Division,
        progress: &dyn Progress,
    ) -> Result<Assessment> {
        let (folds, seed) = (self.folds, self.seed);
        let run = |dataset: &Dataset, training, trials| {
            evaluate(dataset, training, division, folds, trials, seed, progress)
        };
        let evaluation = run(dataset, self.training, self.trials)?;
        let mut assessment = Assessment::new(division.name(), evaluation, self.permutations, seed);
        let divided = divide(dataset, division, folds, seed, 0)?;
        assessment.notes = notes_on(dataset, division, folds, &divided);
        if self.shuffle_labels {
            let evaluation = run(&with_shuffled_labels(dataset, seed), self.training, 1)?;
            let trial = &evaluation.trials[0];
            let right = trial.predictions.iter().filter(|p| p.is_right()).count() as u64;
            assessment.shuffled_labels = Some(ShuffledLabels {
                mean_recall: trial.metrics.mean_recall,
                p_binomial: binomial::at_least(
                    right,
                    trial.predictions.len() as u64,
                    1.0 / dataset.classes.len() as f64,
                ),
            });
        }
        if let Some((training, dataset)) = self.rival {
            let evaluation = run(dataset, training, self.trials)?;
            let mcnemar = McNemar::of(&assessment.evaluation, &evaluation)?;
            let accuracy_difference =
                AccuracyDifference::of(&assessment.evaluation, &evaluation, RESAMPLES, seed);
            let kind = training.name().to_owned();
            assessment.rival = Some(Rival { kind, evaluation, mcnemar, accuracy_difference });
        }
        Ok(assessment)
    }
}

/// The same excerpts with their labels dealt anew; groups stay as they are.
fn with_shuffled_labels(dataset: &Dataset, seed: u64) -> Dataset {
    let mut shuffled = dataset.clone();
    let mut rng = stream(seed, SHUFFLE_STREAM, 0, 0);
    for last in (1..shuffled.excerpts.len()).rev() {
        let other = rng.random_range(0..=last);
        let class = shuffled.excerpts[other].class;
        shuffled.excerpts[other].class = shuffled.excerpts[last].class;
        shuffled.excerpts[last].class = class;
    }
    shuffled
}

/// Writes the clips of `excerpts` as 16-bit WAV into `folder`/clips, and returns for each
/// its path below `folder`.
///
/// # Errors
/// Whatever decoding or writing meets.
pub fn write_clips(
    corpus: &Corpus,
    dataset: &Dataset,
    excerpts: impl IntoIterator<Item = usize>,
    sample_rate: u32,
    folder: &Path,
) -> Result<BTreeMap<usize, String>> {
    let clips = folder.join("clips");
    std::fs::create_dir_all(&clips).map_err(|e| Error::io(&clips, e))?;
    let by_id: BTreeMap<&str, &Clip> =
        corpus.clips.iter().map(|clip| (clip.id.as_str(), clip)).collect();
    let mut files = BTreeMap::new();
    for excerpt in excerpts {
        let Some(clip) = by_id.get(dataset.excerpts[excerpt].id.as_str()) else { continue };
        if files.contains_key(&excerpt) {
            continue;
        }
        let audio = clip.read(sample_rate, &Limits::default())?;
        let name = format!("clips/{excerpt:05}.wav");
        wav::write(&folder.join(&name), &wav::quantize(&audio.samples), sample_rate)?;
        files.insert(excerpt, name);
    }
    Ok(files)
}
