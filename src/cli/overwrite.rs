//! `--force`: results replace nothing that is there already, unless this asks for it.
//!
//! Runs, studies and answers are never replaced: they take hours, or people.

use std::path::Path;

use trompe_base::files::{check_output_file, check_output_folder};

use crate::error::Result;

#[derive(Debug, Clone, Copy, clap::Args)]
pub(super) struct Overwrite {
    /// Replace what is there already
    #[arg(long)]
    force: bool,
}

impl Overwrite {
    /// [`check_output_file`] with the option given, or not.
    pub(super) fn check_file(self, path: &Path, option: &str) -> Result<()> {
        Ok(check_output_file(path, option, self.force)?)
    }

    /// [`check_output_folder`] with the option given, or not.
    pub(super) fn check_folder(self, path: &Path, option: &str) -> Result<()> {
        Ok(check_output_folder(path, option, self.force)?)
    }
}
