//! From a corpus to feature vectors, from those to a model.

use std::path::Path;

use serde::Serialize;
use trompe_corpora::recipes::Options;
use trompe_corpora::{Corpus, Limits, Progress, Skipped, Split};
use trompe_features::{AdaBffs, FeatureSettings, Modulations};

use super::open;
use crate::classifiers::sparse::Reach;
use crate::classifiers::{AdaBoostParams, Fitted, LogisticParams, Model, SparseParams, TrainedOn};
use crate::dataset::Dataset;
use crate::dataset::extract::{BadClips, extract};
use crate::error::{Error, Result};

/// Which data a classifier is trained or evaluated on.
#[derive(Debug, Clone, PartialEq)]
pub struct Data {
    /// A recipe's name, the path of a corpus, or of a features file (`.npz`, or a table).
    pub name: String,
    /// Choices about a recipe.
    pub options: Options,
    /// Only this part of the corpus' fixed partition.
    pub split: Option<Split>,
    /// What is done with clips that cannot be read.
    pub bad: BadClips,
    /// Whether damaged and missing frames of clips are read as silence.
    pub conceal: bool,
}

impl Data {
    /// Opens the data and computes the feature vectors of `features` where none are given.
    /// Returns what was left out beside them.
    ///
    /// # Errors
    /// Whatever opening, decoding or checking meets; [`Error::Request`] if the part of the
    /// partition is empty.
    pub fn load(
        &self,
        features: &FeatureSettings,
        progress: &dyn Progress,
    ) -> Result<(Dataset, Vec<Skipped>)> {
        match self.corpus(progress)? {
            None => Ok((Dataset::read(Path::new(&self.name))?, Vec::new())),
            Some(corpus) => {
                corpus.check_for_training(None)?;
                extract(&corpus, features, &Limits::default(), self.bad, progress)
            }
        }
    }

    /// Whether it is a features file, which needs no sound and has none.
    pub fn is_features_file(&self) -> bool {
        Dataset::is_features_file(Path::new(&self.name))
    }

    /// Opens the corpus, or the part of it that was asked for; `None` for a features file.
    ///
    /// # Errors
    /// Whatever opening meets; [`Error::Request`] if the part is empty.
    pub fn corpus(&self, progress: &dyn Progress) -> Result<Option<Corpus>> {
        if self.is_features_file() {
            return Ok(None);
        }
        let mut corpus = open::corpus(&self.name, &self.options, progress)?;
        if self.conceal {
            corpus.conceal();
        }
        Ok(Some(part(corpus, self.split)?))
    }
}

fn part(mut corpus: Corpus, split: Option<Split>) -> Result<Corpus> {
    let Some(split) = split else { return Ok(corpus) };
    corpus.clips.retain(|clip| clip.split == Some(split));
    if corpus.clips.is_empty() {
        return Err(Error::request(
            format!("corpus {} has no {} part", corpus.name, split.name()),
            "leave --split out, or add a split column to its manifest",
        ));
    }
    Ok(corpus)
}

/// A kind of classifier with the settings of its fit.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Training {
    /// AdaBoost.MH on bags of frames of features.
    AdaBffs(AdaBoostParams),
    /// Multinomial logistic regression on the same features.
    Logistic(LogisticParams),
    /// Sparse representation classification of auditory temporal modulations.
    Srcam(Srcam),
}

/// Sturm's second system: features and classifier.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Srcam {
    /// The modulation features.
    pub features: Modulations,
    /// The classifier.
    pub params: SparseParams,
}

impl Training {
    /// Name of the kind, as the command has it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::AdaBffs(_) => "adabffs",
            Self::Logistic(_) => "logistic",
            Self::Srcam(_) => "srcam",
        }
    }

    /// The feature vectors that this kind is trained on.
    pub fn features(&self) -> FeatureSettings {
        match self {
            Self::AdaBffs(_) | Self::Logistic(_) => FeatureSettings::AdaBffs(AdaBffs::default()),
            Self::Srcam(srcam) => FeatureSettings::Modulations(srcam.features.clone()),
        }
    }

    /// Fits a classifier.
    ///
    /// # Errors
    /// Settings out of range, or a fit that fails.
    pub fn fit(&self, dataset: &Dataset, progress: &dyn Progress) -> Result<Fitted> {
        match self {
            Self::AdaBffs(params) => {
                let mut round = |round: &crate::classifiers::adaboost::Round| {
                    progress.report("boosting", round.number as u64, round.of as u64);
                };
                Ok(Fitted::AdaBoost(params.fit(dataset, &mut round)?))
            }
            Self::Logistic(params) => Ok(Fitted::Logistic(params.fit(dataset)?)),
            Self::Srcam(srcam) => Ok(Fitted::Sparse(srcam.params.fit(dataset)?)),
        }
    }

    /// How many excerpts of `dataset` a model of the others could not represent
    /// ([`SparseParams::held_out_reach`]); `None` for kinds that represent nothing.
    pub fn held_out_reach(&self, dataset: &Dataset) -> Option<Reach> {
        match self {
            Self::AdaBffs(_) | Self::Logistic(_) => None,
            Self::Srcam(srcam) => srcam.params.held_out_reach(dataset),
        }
    }
}

/// Fits a model to all of `dataset`.
///
/// # Errors
/// As [`Training::fit`].
pub fn train(dataset: &Dataset, training: &Training, progress: &dyn Progress) -> Result<Model> {
    let fitted = training.fit(dataset, progress)?;
    Model::new(fitted, TrainedOn::new(dataset))
}
