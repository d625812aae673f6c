//! The command line. Each verb has one file with its arguments, its progress and its printing; the
//! work itself is a function of [`crate::pipeline`].
//!
//! Results go to stdout (as JSON with `--json`), messages and progress to stderr. Exit codes:
//! 0 done, 1 a check found something, 2 an error, 130 stopped by Ctrl-C.

mod applicable;
mod begun;
mod common;
#[cfg(feature = "listen")]
mod compare;
mod completions;
mod corpus;
mod criterion;
mod data;
mod demo;
mod demo_images;
mod equalize;
mod evaluate;
mod evaluation_text;
mod fool;
mod gallery;
mod images;
mod info;
mod interrupt;
#[cfg(feature = "listen")]
mod listen;
mod man;
mod open;
mod overwrite;
mod predict;
mod probe;
mod progress;
mod reference;
mod replay;
mod retrain;
mod series;
mod sets;
mod srcam;
mod train;
mod transfer;
mod verify;

use std::ffi::OsString;
use std::path::Path;

use clap::{FromArgMatches, Parser, Subcommand};

use self::common::{Common, Outcome};
use crate::error::Result;
#[cfg(feature = "onnx")]
use crate::victims::Runtime;
use crate::victims::program::{self, is_command};

/// Fool music-genre classifiers, and prove it with people.
#[derive(Debug, Parser)]
#[command(name = "trompe", version = env!("TROMPE_VERSION"), propagate_version = true, max_term_width = 100)]
#[command(after_help = "Example:\n  trompe demo")]
pub struct Command {
    #[command(subcommand)]
    verb: Verb,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, Subcommand)]
enum Verb {
    Demo(demo::Arguments),
    Corpus(corpus::Arguments),
    Train(train::Arguments),
    Reference(reference::Arguments),
    Evaluate(evaluate::Arguments),
    Probe(probe::Arguments),
    Info(info::Arguments),
    Fool(fool::Arguments),
    Open(open::Arguments),
    Equalize(equalize::Arguments),
    Retrain(retrain::Arguments),
    Verify(verify::Arguments),
    Predict(predict::Arguments),
    Replay(replay::Arguments),
    Transfer(transfer::Arguments),
    #[cfg(feature = "listen")]
    Listen(listen::Arguments),
    #[cfg(feature = "listen")]
    Compare(compare::Arguments),
    Gallery(gallery::Arguments),
    Completions(completions::Arguments),
    Man(man::Arguments),
}

impl Command {
    /// Parses arguments, the program's name first; exits with a message if they are not valid, and with
    /// completions if a shell asks for them.
    ///
    /// Programs that are named as victims, `command:PROGRAM`, may be started from then on.
    pub fn from_arguments(arguments: impl IntoIterator<Item = OsString>) -> Self {
        let arguments: Vec<OsString> = arguments.into_iter().collect();
        if completions::answer(&arguments, <Self as clap::CommandFactory>::command) {
            std::process::exit(0);
        }
        for argument in arguments.iter().filter_map(|argument| argument.to_str()) {
            let value = argument.strip_prefix("--model=").unwrap_or(argument);
            if is_command(Path::new(value)) {
                program::name(Path::new(value));
            }
        }
        let matches = with_negative_numbers(<Self as clap::CommandFactory>::command())
            .get_matches_from(arguments);
        if let Err(error) = applicable::check(&matches) {
            eprintln!("error: {error}");
            std::process::exit(2);
        }
        Self::from_arg_matches(&matches).unwrap_or_else(|error| error.exit())
    }
}

/// Accepts `-1` as the value of every option, so that the option reports a value out of range
/// instead of clap reporting an unknown flag.
fn with_negative_numbers(command: clap::Command) -> clap::Command {
    let takes = |argument: clap::Arg| {
        let values = argument.get_action().takes_values();
        argument.allow_negative_numbers(values)
    };
    command.mut_args(takes).mut_subcommands(with_negative_numbers)
}

/// Runs a parsed command and gives the process' exit code.
pub fn run(command: &Command) -> u8 {
    match dispatch(command) {
        Ok(Outcome::Done) => 0,
        Ok(Outcome::Finding) => 1,
        Ok(Outcome::Interrupted) => 130,
        Err(error) => {
            eprintln!("error: {error}");
            2
        }
    }
}

fn dispatch(command: &Command) -> Result<Outcome> {
    let common = &command.common;
    if let Some(threads) = common.threads {
        // Fails only if the pool exists already, and nothing has built it yet.
        let _ = rayon::ThreadPoolBuilder::new().num_threads(threads.into()).build_global();
    }
    #[cfg(feature = "onnx")]
    if let Some(runtime) = common.runtime.as_deref().and_then(Runtime::by_name) {
        runtime.choose()?;
    }
    match &command.verb {
        Verb::Demo(arguments) => demo::run(arguments, common),
        Verb::Corpus(arguments) => corpus::run(arguments, common),
        Verb::Train(arguments) => train::run(arguments, common),
        Verb::Evaluate(arguments) => evaluate::run(arguments, common),
        Verb::Fool(arguments) => fool::run(arguments, common),
        Verb::Equalize(arguments) => equalize::run(arguments, common),
        Verb::Retrain(arguments) => retrain::run(arguments, common),
        Verb::Reference(arguments) => reference::run(arguments, common),
        Verb::Predict(arguments) => predict::run(arguments, common),
        Verb::Probe(arguments) => probe::run(arguments, common),
        Verb::Info(arguments) => info::run(arguments, common),
        Verb::Verify(arguments) => verify::run(arguments, common),
        Verb::Replay(arguments) => replay::run(arguments, common),
        Verb::Transfer(arguments) => transfer::run(arguments, common),
        #[cfg(feature = "listen")]
        Verb::Listen(arguments) => listen::run(arguments, common),
        #[cfg(feature = "listen")]
        Verb::Compare(arguments) => compare::run(arguments, common),
        Verb::Open(arguments) => open::run(arguments, common),
        Verb::Gallery(arguments) => gallery::run(arguments, common),
        Verb::Completions(arguments) => completions::run(arguments),
        Verb::Man(arguments) => {
            man::run(arguments, common, <Command as clap::CommandFactory>::command())
        }
    }
}
