//! Transfer: the fooling set of one classifier, judged by another.

use std::path::Path;

use super::scoring::FileScorer;
use crate::classifiers::AnyModel;
use crate::error::Result;
use crate::exhibits::{self, Transfer};
use crate::log_odds::check_threshold;

/// Scores the files of the fooling set in `set` by `model`, which need not be the one it was
/// made on. `threshold` is what the model is held to, by default that of its kind.
///
/// # Errors
/// [`crate::Error::Request`] if the model cannot hear, or for a threshold outside (0, 1);
/// [`crate::Error::BadFile`] for a set that is not whole; whatever scoring a file of another
/// medium meets.
pub fn transfer(set: &Path, model: &AnyModel, threshold: Option<f64>) -> Result<Transfer> {
    let threshold = threshold.unwrap_or(model.posterior_kind().default_threshold());
    check_threshold(threshold)?;
    let scorer = FileScorer::new(model)?;
    exhibits::transfer(set, scorer.classes(), threshold, |file| scorer.score(file))
}
