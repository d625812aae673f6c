//! The TOML file that says what a folder is: a series, a planned run.

use std::path::Path;

use serde::de::DeserializeOwned;

use crate::error::{Error, Result};

/// Reads the file at `path`; `None` if there is none.
///
/// # Errors
/// [`Error::BadFile`] naming the line at fault, and saying how to make the folder anew: `again`;
/// an input error.
pub(super) fn read<T: DeserializeOwned>(path: &Path, again: &str) -> Result<Option<T>> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(Error::io(path, e)),
    };
    toml::from_str(&text).map(Some).map_err(|e| {
        let remedy = format!("restore the file, or {again} in another folder");
        Error::bad_file(path, e.to_string().trim_end().to_owned(), remedy)
    })
}
