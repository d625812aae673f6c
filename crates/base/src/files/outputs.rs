//! The rule of every command: results replace nothing that is there already, unless `--force` asks for it.

use std::path::Path;

use crate::error::{Error, Result};

/// Checks, before the work begins, that a file can be written to `path`, which `option` named.
///
/// # Errors
/// [`Error::Request`] if it is there already and `force` is not given, if it is a folder, or if its
/// folder does not exist.
pub fn check_output_file(path: &Path, option: &str, force: bool) -> Result<()> {
    if path.is_dir() {
        let what = format!("{} is a folder", path.display());
        return Err(Error::request(what, format!("name the file to write with {option}")));
    }
    if let Some(folder) = path.parent()
        && !folder.as_os_str().is_empty()
        && !folder.is_dir()
    {
        return Err(Error::request(
            format!("{}: the folder {} does not exist", path.display(), folder.display()),
            format!("create it, or name another file with {option}"),
        ));
    }
    match path.exists() && !force {
        true => Err(there_already(path, "is there already", option)),
        false => Ok(()),
    }
}

/// Checks the same for a folder of files. One that is empty may be there.
///
/// # Errors
/// [`Error::Request`] if it holds anything and `force` is not given, or if it is a file;
/// [`Error::Io`] if it cannot be read.
pub fn check_output_folder(path: &Path, option: &str, force: bool) -> Result<()> {
    if path.is_file() {
        let what = format!("{} is a file", path.display());
        return Err(Error::request(what, format!("name a folder with {option}")));
    }
    if force || !path.exists() {
        return Ok(());
    }
    let mut entries = std::fs::read_dir(path).map_err(|source| Error::io(path, source))?;
    match entries.next() {
        Some(_) => Err(there_already(path, "is not empty", option)),
        None => Ok(()),
    }
}

fn there_already(path: &Path, what: &str, option: &str) -> Error {
    Error::request(
        format!("{} {what}", path.display()),
        format!("name another place with {option}, or add --force to replace what is there"),
    )
}
