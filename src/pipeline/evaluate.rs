//! Cross-validation of a classifier on a dataset, in one or more divisions into folds.

use std::path::PathBuf;

use serde::Serialize;
use trompe_corpora::{Clip, Corpus, Folds, Progress, Provenance};

use super::train::Training;
use crate::dataset::Dataset;
use crate::error::{Error, Result};
use crate::evaluation::{Evaluation, cross_validate};

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

    /// The divisions that say most side by side.
    pub fn telling(dataset: &Dataset) -> Vec<Self> {
        if has_groups(dataset) { vec![Self::Random, Self::Grouped] } else { vec![Self::Random] }
    }
}

fn has_groups(dataset: &Dataset) -> bool {
    dataset.excerpts.iter().any(|excerpt| excerpt.group.is_some())
}

/// The fold of every excerpt of `dataset`.
///
/// # Errors
/// [`Error::Corpora`] if the excerpts cannot be divided so.
pub fn divide(
    dataset: &Dataset,
    division: Division,
    folds: usize,
    seed: u64,
    trial: u64,
) -> Result<Vec<usize>> {
    let labels = labels(dataset);
    let folds = match division {
        Division::Random => Folds::stratified(&labels, folds, seed, trial),
        Division::Grouped => Folds::grouped(&labels, folds, seed, trial),
        Division::Given => Folds::given(&labels),
    };
    Ok(folds.map_err(trompe_corpora::Error::from)?.of_clip)
}

/// The excerpts as clips without sound: all that a division needs to know.
fn labels(dataset: &Dataset) -> Corpus {
    let clip = |excerpt: &crate::dataset::Excerpt| Clip {
        id: excerpt.id.clone(),
        path: PathBuf::new(),
        class: excerpt.class,
        split: excerpt.split,
        fold: excerpt.fold,
        group: excerpt.group.clone(),
        start: 0.0,
        end: None,
    };
    Corpus {
        name: dataset.source.name.clone(),
        provenance: dataset.source.provenance.unwrap_or(Provenance::Synthetic),
        labels: String::new(),
        classes: dataset.classes.clone(),
        clips: dataset.excerpts.iter().map(clip).collect(),
    }
}

/// Cross-validates `training` in one division, `trials` times with other shuffles.
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
    let assignments: Vec<Vec<usize>> = (0..trials)
        .map(|trial| divide(dataset, division, folds, seed, trial))
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
