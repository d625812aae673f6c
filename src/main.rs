//! The `trompe` command: parse, call, map the outcome to an exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    let command = trompe::cli::Command::from_arguments(std::env::args_os());
    ExitCode::from(trompe::cli::run(&command))
}
