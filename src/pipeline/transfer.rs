//! Transfer: the fooling set of one classifier, judged by another.

use std::path::Path;

use super::scoring::FileScorer;
use crate::error::Result;
use crate::exhibits::{self, Other, Transfer};
use crate::reference::Criterion;
use crate::victims::AnyModel;

/// Scores the files of the fooling set in `set` by `model`, which need not be the one it was
/// made on. `criterion` is what the model is held to, by default the posterior of its kind.
///
/// # Errors
/// [`crate::Error::Request`] if the model cannot hear, or for a criterion outside (0, 1);
/// [`crate::Error::BadFile`] for a set that is not whole; whatever scoring a file of another
/// medium meets.
pub fn transfer(set: &Path, model: &AnyModel, criterion: Option<Criterion>) -> Result<Transfer> {
    transfer_by(set, &FileScorer::new(model)?, criterion)
}

/// The same by any victim.
///
/// # Errors
/// As [`transfer`].
pub fn transfer_by(
    set: &Path,
    scorer: &FileScorer<'_>,
    criterion: Option<Criterion>,
) -> Result<Transfer> {
    let default = Criterion::Posterior(scorer.posterior_kind().default_threshold());
    let criterion = criterion.unwrap_or(default);
    criterion.check()?;
    let other = Other {
        classes: scorer.classes(),
        criterion,
        reference: scorer.reference(),
        labelling: scorer.posterior_kind().labelling(),
    };
    exhibits::transfer(set, other, |file| scorer.score(file))
}
