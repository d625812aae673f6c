//! Verifying a fooling set: every delivered file is heard or seen again by its model.

use std::path::{Path, PathBuf};

use super::scoring::Scorer;
use crate::classifiers::AnyModel;
use crate::error::{Error, Result};
use crate::exhibits::{self, Verification};

/// Scores every file of the fooling set in `set` again, by the model in `model`, or else the
/// one kept in the run's folder around the set.
///
/// # Errors
/// [`Error::Request`] if no model is found or it is not the set's; [`Error::BadFile`] if the
/// model or the manifest cannot be read.
pub fn verify(set: &Path, model: Option<&Path>) -> Result<Verification> {
    let path = match model {
        Some(path) => path.to_owned(),
        None => model_beside(set)?,
    };
    let model = AnyModel::load(&path)?;
    let scorer = Scorer::new(&model)?;
    exhibits::verify(set, &model.fingerprint(), |file| scorer.score(file))
}

fn model_beside(set: &Path) -> Result<PathBuf> {
    let absolute = std::path::absolute(set).map_err(|e| Error::io(set, e))?;
    absolute.parent().and_then(AnyModel::kept).ok_or_else(|| {
        Error::request(
            format!("no model beside {}", set.display()),
            "name the model the set was made on with --model",
        )
    })
}
