//! What every verb shares: its options, its outcome, and printing on stdout.

/// Options of every verb.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Common {
    /// Print results as JSON on stdout
    #[arg(long, global = true, help_heading = GENERAL)]
    pub(super) json: bool,
    /// Show no progress
    #[arg(long, short, global = true, help_heading = GENERAL)]
    pub(super) quiet: bool,
    /// Threads to use [default: all cores]
    ///
    /// The results do not depend on it.
    #[arg(long, global = true, value_name = "N", help_heading = GENERAL,
        value_parser = clap::value_parser!(u16).range(1..=1_024))]
    pub(super) threads: Option<u16>,
    /// What runs ONNX nets; the library of ONNX Runtime is found by ORT_DYLIB_PATH or in the Python
    /// package onnxruntime [default: rten, built in]
    #[cfg(feature = "onnx")]
    #[arg(long, global = true, value_name = "NAME", help_heading = GENERAL, hide_short_help = true,
        value_parser = clap::builder::PossibleValuesParser::new(
            crate::victims::Runtime::ALL.map(crate::victims::Runtime::name)))]
    pub(super) runtime: Option<String>,
}

/// Heading of the options of every verb.
const GENERAL: &str = "Options of every verb";

/// How a verb ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The verb did what was asked.
    Done,
    /// The verb ran, and its check failed.
    Finding,
    /// The user interrupted it.
    Interrupted,
}

/// Prints `value` as JSON on stdout.
pub(super) fn print_json(value: &impl serde::Serialize) {
    match serde_json::to_string_pretty(value) {
        Ok(text) => print(&text),
        Err(error) => eprintln!("error: results cannot be written as JSON: {error}"),
    }
}

/// Prints what to do next, as a command to copy: `words` after the program's name.
pub(super) fn print_next(words: &[&str]) {
    let quoted = words.iter().map(|word| shlex::try_quote(word).unwrap_or((*word).into()));
    print(&format!("next: trompe {}", quoted.collect::<Vec<_>>().join(" ")));
}

/// Prints a line on stdout. Ignores a closed pipe; on any other write error, such as a full disk,
/// exits with 2.
pub(super) fn print(text: &str) {
    use std::io::{ErrorKind, Write};
    match writeln!(std::io::stdout(), "{text}") {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            eprintln!("error: stdout: {error}; make room, or print elsewhere");
            std::process::exit(2);
        }
        _ => {}
    }
}
