//! A demo that finds its run begun goes on with it, unless it was begun with other settings.

use std::path::Path;

use crate::error::{Error, Result};
use crate::pipeline::fool::Configuration;
use crate::search::RunFolder;

/// The settings of the run that was begun in `run`, if it is of this seed and budget.
///
/// # Errors
/// [`Error::Request`] if it is not; whatever reading its configuration meets.
pub(super) fn check(run: &Path, seed: u64, budget: u64) -> Result<Configuration> {
    let began = Configuration::read(&RunFolder::configuration_path(run))?;
    let search = &began.search;
    if search.seed != seed {
        return Err(refusal(run, format!("its seed is {}, not {seed}", search.seed)));
    }
    if search.budget != budget {
        return Err(refusal(run, format!("its budget is {}, not {budget}", search.budget)));
    }
    Ok(began)
}

/// That the run in `run` is another one than what was asked for.
pub(super) fn refusal(run: &Path, what: String) -> Error {
    Error::request(
        format!("{} was begun with other settings: {what}", run.display()),
        "give the same options again, or name another folder with --out",
    )
}
