//! Transfer: the fooling set of one classifier, judged by another.

use std::path::Path;

use super::scoring::Scorer;
use crate::classifiers::AnyModel;
use crate::error::{Error, Result};
use crate::exhibits::{self, Transfer};

/// Scores the files of the fooling set in `set` by `model`, which need not be the one it was
/// made on. `threshold` is what the model is held to, by default that of its kind.
///
/// # Errors
/// [`Error::Request`] if the model cannot hear, or for a threshold outside (0, 1); [`Error::BadFile`] for a set that is not
/// whole; whatever scoring a file of another medium meets.
pub fn transfer(set: &Path, model: &AnyModel, threshold: Option<f64>) -> Result<Transfer> {
    let threshold = threshold.unwrap_or(model.posterior_kind().default_threshold());
    if !(threshold > 0.0 && threshold < 1.0) {
        return Err(Error::request(
            format!("threshold = {threshold}"),
            "give a posterior between 0 and 1, such as 0.999",
        ));
    }
    let scorer = Scorer::new(model)?;
    exhibits::transfer(set, scorer.classes(), threshold, |file| scorer.score(file))
}
