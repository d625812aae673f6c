//! The trace: one line for every improvement of a class' record, the highest log-odds of the
//! candidates that are labelled with it.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// A candidate labelled with a class, whose log-odds are higher than those of all candidates
/// labelled with it before. `trace.jsonl` holds one a line, in order of evaluation, so that every
/// curve of a report can be rebuilt from it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Improvement {
    /// Number of the evaluation, from 1.
    pub evaluation: u64,
    /// Index of the class it is labelled with.
    pub class: usize,
    /// The new record of the class.
    pub log_odds: f64,
    /// The same as a posterior.
    pub posterior: f64,
    /// Emitter that proposed the candidate.
    pub emitter: String,
    /// Move that made it, if it was varied.
    pub made_by: Option<String>,
    /// Evaluation number of its parent.
    pub parent: Option<u64>,
}

/// Reads a trace.
///
/// # Errors
/// [`Error::BadFile`] naming the line that is no improvement; an input or output error.
pub fn read_trace(path: &Path) -> Result<Vec<Improvement>> {
    let text = std::fs::read_to_string(path).map_err(|e| Error::io(path, e))?;
    let line = |(number, line): (usize, &str)| {
        serde_json::from_str(line).map_err(|e| {
            Error::bad_file(
                path,
                format!("line {}: {e}", number + 1),
                "restore the file, or start the run again",
            )
        })
    };
    text.lines().enumerate().map(line).collect()
}
