//! `trompe completions`: completion scripts for shells.

use clap::CommandFactory;

use super::Outcome;
use crate::error::Result;

/// Print a completion script for a shell
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  trompe completions bash > trompe.bash")]
pub(super) struct Arguments {
    /// The shell
    shell: clap_complete::Shell,
}

pub(super) fn run(arguments: &Arguments) -> Result<Outcome> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut super::Command::command(), "trompe", &mut script);
    super::print(&String::from_utf8_lossy(&script));
    Ok(Outcome::Done)
}
