//! The `trompe` command: parse, call, map the outcome to an exit code.

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    trompe::cli::run(&trompe::cli::Command::parse())
}
