//! The `trompe` command: parse, call, map the outcome to an exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    trompe::cli::run(&trompe::cli::Command::from_program_arguments())
}
