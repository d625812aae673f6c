//! `--force`: results replace nothing that is there already, unless this asks for it.
//!
//! Runs, studies and answers are never replaced: they take hours, or people.

use std::path::Path;

use crate::error::{Error, Result};

#[derive(Debug, Clone, Copy, clap::Args)]
pub(super) struct Overwrite {
    /// Replace what is there already
    #[arg(long)]
    force: bool,
}

impl Overwrite {
    /// Checks, before the work begins, that a file can be written to `path`, which `option` named.
    ///
    /// # Errors
    /// [`Error::Request`] if it is there already and `--force` was not given, if it is a folder, or
    /// if its folder does not exist.
    pub(super) fn check_file(self, path: &Path, option: &str) -> Result<()> {
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
        match path.exists() && !self.force {
            true => Err(there_already(path, "is there already", option)),
            false => Ok(()),
        }
    }

    /// Checks the same for a folder of files. One that is empty may be there.
    ///
    /// # Errors
    /// [`Error::Request`] if it holds anything and `--force` was not given, or if it is a file.
    pub(super) fn check_folder(self, path: &Path, option: &str) -> Result<()> {
        if path.is_file() {
            let what = format!("{} is a file", path.display());
            return Err(Error::request(what, format!("name a folder with {option}")));
        }
        if self.force || !path.exists() {
            return Ok(());
        }
        let mut entries = std::fs::read_dir(path).map_err(|source| Error::io(path, source))?;
        match entries.next() {
            Some(_) => Err(there_already(path, "is not empty", option)),
            None => Ok(()),
        }
    }
}

fn there_already(path: &Path, what: &str, option: &str) -> Error {
    Error::request(
        format!("{} {what}", path.display()),
        format!("name another place with {option}, or add --force to replace what is there"),
    )
}
