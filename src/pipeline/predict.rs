//! What a model calls files.

use std::path::{Path, PathBuf};

use rayon::prelude::*;
use serde::Serialize;
use trompe_base::words::counted;
use trompe_corpora::Progress;

use super::scoring::FileScorer;
use crate::error::{Error, Result};
use crate::exhibits::companions::{COMPANIONS_FILE, COMPANIONS_FOLDER};
use crate::results::Answer;
use crate::victims::AnyModel;

/// What a model calls one file.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Predicted {
    /// The file.
    pub file: PathBuf,
    /// What the model says of it.
    #[serde(flatten)]
    pub answer: Answer,
}

/// What a model calls files, and what it could not read in folders.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Predictions {
    /// One entry a file, in the order of the paths; files of a folder by name.
    pub files: Vec<Predicted>,
    /// Files of folders that are nothing that the model judges, with the reason.
    pub not_read: Vec<(PathBuf, String)>,
}

/// Scores the files at `paths`, and all files below those that are folders. Sound is taken as it
/// would be delivered (16 bits, the length of genuine items), or `whole`.
///
/// # Errors
/// A named file that cannot be read or scored; a folder that cannot be listed; [`Error::Request`] if
/// no file was read.
pub fn predict(
    model: &AnyModel,
    paths: &[PathBuf],
    whole: bool,
    progress: &dyn Progress,
) -> Result<Predictions> {
    predict_by(&FileScorer::new(model)?, paths, whole, progress)
}

/// The same by any victim.
///
/// # Errors
/// As [`predict`].
pub fn predict_by(
    scorer: &FileScorer<'_>,
    paths: &[PathBuf],
    whole: bool,
    progress: &dyn Progress,
) -> Result<Predictions> {
    // Files with whether they were named themselves.
    let mut files: Vec<(PathBuf, bool)> = Vec::new();
    let mut left_out = Vec::new();
    for path in paths {
        match path.is_dir() {
            true => {
                let below = files_below(path, &mut left_out)?;
                files.extend(below.into_iter().map(|file| (file, false)));
            }
            false => files.push((path.clone(), true)),
        }
    }
    let total = files.len() as u64;
    let done = std::sync::atomic::AtomicU64::new(0);
    let scored: Vec<Result<Vec<f64>>> = files
        .par_iter()
        .map(|(file, _)| {
            let log_odds = if whole { scorer.score(file) } else { scorer.score_delivered(file) };
            let done = done.fetch_add(1, std::sync::atomic::Ordering::Relaxed) + 1;
            progress.report("files", done, total);
            log_odds
        })
        .collect();
    let mut found = Predictions { files: Vec::new(), not_read: Vec::new() };
    for ((file, named), log_odds) in files.into_iter().zip(scored) {
        match log_odds {
            Ok(log_odds) => {
                let calibrate = |log_odds: &[f64]| scorer.calibrated(log_odds);
                let reference = scorer.reference();
                let answer = Answer::of(scorer.classes(), &log_odds, reference, calibrate);
                found.files.push(Predicted { file, answer });
            }
            Err(error) if named => return Err(error),
            Err(error) => found.not_read.push((file, error.to_string())),
        }
    }
    // What could not be read says more than what was not tried.
    found.not_read.extend(left_out);
    if found.files.is_empty() {
        return Err(Error::request(
            format!("the model judges none of {}", counted(total, "file")),
            match found.not_read.first() {
                Some((file, why)) => format!("the first one: {}: {why}", file.display()),
                None => "name files, or a folder that holds some".to_owned(),
            },
        ));
    }
    Ok(found)
}

/// All regular files below a folder, by name. Hidden ones are left out, and links to folders are not
/// followed. What lies beside the exhibits of a fooling set is none of them: it is left out, and
/// `left_out` says so.
fn files_below(folder: &Path, left_out: &mut Vec<(PathBuf, String)>) -> Result<Vec<PathBuf>> {
    let mut entries: Vec<PathBuf> = std::fs::read_dir(folder)
        .and_then(|entries| entries.map(|entry| Ok(entry?.path())).collect())
        .map_err(|source| Error::io(folder, source))?;
    entries.retain(|path| path.file_name().is_some_and(|n| !n.to_string_lossy().starts_with('.')));
    entries.sort();
    let mut files = Vec::new();
    let list = folder.join(COMPANIONS_FILE);
    for path in entries {
        let kind = path.symlink_metadata().map_err(|source| Error::io(&path, source))?.file_type();
        if kind.is_dir() && path.ends_with(COMPANIONS_FOLDER) && list.is_file() {
            let why =
                "it holds no exhibits, but what stands beside them: name it to have it judged";
            left_out.push((path, why.to_owned()));
        } else if kind.is_dir() {
            files.extend(files_below(&path, left_out)?);
        } else if kind.is_file() || (kind.is_symlink() && path.is_file()) {
            files.push(path);
        }
    }
    Ok(files)
}
