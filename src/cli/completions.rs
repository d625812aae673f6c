//! `trompe completions`: completion scripts for shells.

use super::common::{Outcome, print};
use crate::error::Result;

/// Print a completion script for a shell
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  trompe completions bash > trompe.bash")]
pub(super) struct Arguments {
    /// The shell
    shell: clap_complete::Shell,
}

/// `command` is the whole command line, which the script completes.
pub(super) fn run(arguments: &Arguments, mut command: clap::Command) -> Result<Outcome> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut command, "trompe", &mut script);
    print(&String::from_utf8_lossy(&script));
    Ok(Outcome::Done)
}
