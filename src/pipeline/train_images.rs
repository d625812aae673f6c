//! From a corpus of images to a model, and what a model makes of such a corpus.

use serde::Serialize;
use trompe_corpora::recipes::Options;
use trompe_corpora::{Image, ImageCorpus, Progress, Split};

use super::open;
use crate::classifiers::convolutional::{
    Architecture, TrainingSettings, fit_softmax_regression, train,
};
use crate::classifiers::image_classifier::log_odds_of;
use crate::classifiers::{AdaBoostParams, Fitted, PixelClassifier};
use crate::dataset::Dataset;
use crate::error::{Error, Result};
use crate::evaluation::Evaluation;
use crate::problem::Victim;
use crate::victims::ImageModel;

/// A kind of image classifier with the settings of its fit.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum ImageTraining {
    /// A convolutional net.
    Net {
        /// Name of its architecture.
        architecture: &'static str,
        /// How it is trained.
        settings: TrainingSettings,
    },
    /// AdaBoost.MH on pixels.
    #[serde(rename = "adaboost-mh")]
    AdaBoost(AdaBoostParams),
    /// Multinomial logistic regression on pixels.
    Logistic {
        /// Weight of the penalty.
        penalty: f64,
    },
}

impl ImageTraining {
    /// Weight of the penalty where none is chosen (our choice).
    pub const LOGISTIC_PENALTY: f64 = 100.0;

    /// Name of the kind.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Net { architecture, .. } => architecture,
            Self::AdaBoost(_) => "adaboost-mh",
            Self::Logistic { .. } => "logistic",
        }
    }

    /// Fits a classifier to the images `indices` of `corpus`.
    ///
    /// # Errors
    /// Settings out of range, images that do not fit the net, or a fit that fails.
    pub fn fit(
        &self,
        corpus: &ImageCorpus,
        indices: &[usize],
        progress: &dyn Progress,
    ) -> Result<ImageModel> {
        Ok(match self {
            Self::Net { architecture, settings } => {
                let net = Architecture::by_name(architecture, corpus.shape, corpus.classes.len())?;
                let epochs = settings.epochs as u64;
                progress.report("training", 0, epochs);
                ImageModel::Net(train(net, corpus, indices, settings, |epoch| {
                    progress.report("training", epoch.number as u64, epochs);
                })?)
            }
            Self::AdaBoost(params) => {
                let mut round = |round: &crate::classifiers::adaboost::Round| {
                    progress.report("boosting", round.number as u64, round.of as u64);
                };
                let boost =
                    |pixels: &Dataset| Ok(Fitted::AdaBoost(params.fit(pixels, &mut round)?));
                ImageModel::Pixels(PixelClassifier::fit(corpus, indices, boost)?)
            }
            Self::Logistic { penalty } => {
                progress.report("regression", 0, 0);
                ImageModel::Net(fit_softmax_regression(corpus, indices, *penalty)?)
            }
        })
    }
}

/// Which images a classifier is trained or evaluated on.
#[derive(Debug, Clone, PartialEq)]
pub struct ImageData {
    /// A recipe's name, or the path of a corpus.
    pub name: String,
    /// Choices about a recipe.
    pub options: Options,
}

impl ImageData {
    /// Opens the corpus.
    ///
    /// # Errors
    /// Whatever opening or decoding meets.
    pub fn load(&self, progress: &dyn Progress) -> Result<ImageCorpus> {
        open::images(&self.name, &self.options, progress)
    }
}

/// The images of `corpus` that are for `split`. A corpus without a partition has all of its
/// images in every part, which a classifier must not be trained and tested on: where
/// `partitioned` is asked for, it is refused.
///
/// # Errors
/// [`Error::Request`] if the part is empty or not there.
pub fn part(corpus: &ImageCorpus, split: Split, partitioned: bool) -> Result<Vec<usize>> {
    let indices = corpus.split(split);
    if indices.is_empty() && (partitioned || corpus.has_splits()) {
        let (name, part) = (&corpus.name, split.name());
        return Err(Error::request(
            format!("corpus {name} has no {part} part"),
            "put its class folders below `train` and `test`",
        ));
    }
    Ok(if indices.is_empty() { (0..corpus.len()).collect() } else { indices })
}

/// What `classifier` makes of the images `indices` of `corpus`.
///
/// # Errors
/// [`Error::Request`] when classes or size of the images are not those of the classifier.
pub fn evaluate(
    classifier: &dyn Victim<Image>,
    corpus: &ImageCorpus,
    indices: &[usize],
) -> Result<Evaluation> {
    if classifier.classes() != corpus.classes {
        return Err(Error::request(
            format!(
                "the classifier has the classes {}; the images of {} have {}",
                classifier.classes().join(", "),
                corpus.name,
                corpus.classes.join(", ")
            ),
            "evaluate it on images like those it was trained on",
        ));
    }
    let scores = log_odds_of(classifier, corpus, indices)?;
    let labels: Vec<usize> = indices.iter().map(|&index| corpus.item(index).class).collect();
    let names = indices.iter().map(|index| (index.to_string(), None)).collect();
    Ok(Evaluation::of_scores(&corpus.classes, names, classifier.posterior_kind(), &labels, &scores))
}
