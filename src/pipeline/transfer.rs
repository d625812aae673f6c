//! Transfer: the fooling set of one classifier, judged by another.

use std::path::Path;

use crate::audio::{self, Listener};
use crate::classifiers::{AnyModel, Classifier};
use crate::error::Result;
use crate::exhibits::{self, Transfer};
use crate::image;

/// Scores the files of the fooling set in `set` by `model`, which need not be the one it was
/// made on. `threshold` is what the model is held to, by default that of its kind.
///
/// # Errors
/// [`crate::Error::Request`] if the model cannot hear; [`crate::Error::BadFile`] for a set that is not
/// whole; whatever scoring a file of another medium meets.
pub fn transfer(set: &Path, model: &AnyModel, threshold: Option<f64>) -> Result<Transfer> {
    let threshold = threshold.unwrap_or(model.posterior_kind().default_threshold());
    match model {
        AnyModel::Audio(model) => {
            let listener = Listener::of_model(model)?;
            let score = |file: &Path| audio::score_file(&listener, file);
            exhibits::transfer(set, model.classes(), threshold, score)
        }
        AnyModel::Image(model) => {
            let classifier = model.classifier();
            let score = |file: &Path| image::score_file(classifier, file);
            exhibits::transfer(set, classifier.classes(), threshold, score)
        }
    }
}
