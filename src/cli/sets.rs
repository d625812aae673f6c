//! Fooling sets as the command line names them: a set itself, a run, or a series of runs.

use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::pipeline::series::Series;
use crate::search::RunFolder;

/// The fooling sets that `path` names: itself, the one of a run, or those of all runs of a series.
/// A file is returned as it is: `replay` takes a single exhibit.
///
/// # Errors
/// [`Error::Request`] for a folder that is none of these, or a run that has no set yet; a series whose file cannot be read.
pub(super) fn of(path: &Path) -> Result<Vec<PathBuf>> {
    if std::fs::metadata(path).map_err(|source| Error::io(path, source))?.is_file() {
        return Ok(vec![path.to_owned()]);
    }
    if let Some(series) = Series::read(path)? {
        return series.runs(path).iter().map(|run| of_run(run)).collect();
    }
    if RunFolder::configuration_path(path).is_file() {
        return Ok(vec![of_run(path)?]);
    }
    match path.join("manifest.json").is_file() {
        true => Ok(vec![path.to_owned()]),
        false => Err(Error::request(
            format!("{}: has no manifest.json", path.display()),
            "give the folder of a fooling set, of a run or of a series, as `trompe fool` writes them",
        )),
    }
}

/// The sets that all of `paths` name, in their order.
///
/// # Errors
/// As [`of`].
pub(super) fn of_all(paths: &[PathBuf]) -> Result<Vec<PathBuf>> {
    Ok(paths.iter().map(|path| of(path)).collect::<Result<Vec<_>>>()?.concat())
}

fn of_run(run: &Path) -> Result<PathBuf> {
    let set = run.join("fooling-set");
    match set.join("manifest.json").is_file() {
        true => Ok(set),
        false => Err(Error::request(
            format!("the run {} has no fooling set yet", run.display()),
            "finish it with `trompe fool --resume`",
        )),
    }
}
