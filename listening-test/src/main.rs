//! The study tools alone, without the rest of trompe: quick to build, small to install.

use std::process::ExitCode;

use clap::Parser;
use trompe_listening_test::cli::{Output, Verb, run};

/// Studies with people: the verbs of `trompe listen` as a program of their own
///
/// Examples are those of the whole program: write `trompe-listen` for `trompe listen`, and a
/// folder of WAV or PNG files, a folder per class, where they name a corpus.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    verb: Verb,
    /// Print results as JSON on stdout
    #[arg(long, global = true)]
    json: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let output = if arguments.json { Output::Json } else { Output::Text };
    match run(&arguments.verb, output) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}
