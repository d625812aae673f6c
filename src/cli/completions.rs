//! `trompe completions`: scripts for shells, and the values that the scripts ask for.
//!
//! A script calls the program again at each press of the tab key, with the shell's name in `COMPLETE`. So
//! what is completed is what the program of today knows, and names of collections stand beside files.

use std::ffi::{OsStr, OsString};

use clap_complete::engine::{
    ArgValueCompleter, CompletionCandidate, PathCompleter, ValueCompleter,
};
use clap_complete::env::Shells;
use clap_complete::{CompleteEnv, Shell};
use trompe_corpora::Cache;
use trompe_corpora::recipes::{self, RecipeInfo, RecipeKind};

use super::common::{Outcome, print};
use crate::error::{Error, Result};

/// Variable that holds the shell's name when a script asks for completions.
const VARIABLE: &str = "COMPLETE";

/// Arguments that take the name of a collection, and the kinds that they take.
const NAMES: [(&str, &[RecipeKind]); 6] = [
    ("corpus", &[RecipeKind::Corpus, RecipeKind::Images]),
    ("genuine", &[RecipeKind::Corpus, RecipeKind::Images]),
    ("real", &[RecipeKind::Corpus, RecipeKind::Images]),
    ("bank", &[RecipeKind::Bank]),
    ("model", &[RecipeKind::Model]),
    ("collection", &[RecipeKind::Corpus, RecipeKind::Images, RecipeKind::Bank, RecipeKind::Model]),
];

/// Print a completion script for a shell
///
/// The shell's start-up file is the place for it: `source <(trompe completions bash)` in ~/.bashrc. A
/// script that was written by another version may complete nothing.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  trompe completions bash > trompe.bash")]
pub(super) struct Arguments {
    /// The shell
    shell: Shell,
}

pub(super) fn run(arguments: &Arguments) -> Result<Outcome> {
    let shell = arguments.shell.to_string();
    let unknown = || Error::request(format!("no completions for {shell}"), "choose another shell");
    let shells = Shells::builtins();
    let completer = shells.completer(&shell).ok_or_else(unknown)?;
    let mut script = Vec::new();
    completer
        .write_registration(VARIABLE, "trompe", "trompe", "trompe", &mut script)
        .map_err(|source| Error::io("stdout", source))?;
    print(String::from_utf8_lossy(&script).trim_end());
    Ok(Outcome::Done)
}

/// Answers a script that asks for completions. Returns whether one did.
pub(super) fn answer(arguments: &[OsString], command: fn() -> clap::Command) -> bool {
    let folder = std::env::current_dir().ok();
    let environment = CompleteEnv::with_factory(|| with_names(command())).var(VARIABLE);
    let answered = environment.try_complete(arguments.iter().cloned(), folder.as_deref());
    answered.unwrap_or_else(|error| error.exit())
}

/// Lets arguments that take collections complete their names.
fn with_names(command: clap::Command) -> clap::Command {
    let named = |argument: clap::Arg| {
        let known = NAMES.iter().find(|(id, _)| argument.get_id() == id);
        match known {
            Some(&(_, kinds)) if argument.get_action().takes_values() => {
                argument.add(ArgValueCompleter::new(move |typed: &OsStr| names(typed, kinds)))
            }
            _ => argument,
        }
    };
    command.mut_args(named).mut_subcommands(with_names)
}

/// Collections of `kinds` whose names begin as `typed`, then paths.
fn names(typed: &OsStr, kinds: &[RecipeKind]) -> Vec<CompletionCandidate> {
    let recipes = Cache::of_user().and_then(|cache| recipes::list(&cache)).unwrap_or_default();
    let start = typed.to_string_lossy();
    let fits = |recipe: &RecipeInfo| {
        kinds.contains(&recipe.kind) && recipe.name.starts_with(start.as_ref())
    };
    let candidate =
        |recipe: RecipeInfo| CompletionCandidate::new(recipe.name).help(Some(recipe.about.into()));
    let mut found: Vec<_> = recipes.into_iter().filter(fits).map(candidate).collect();
    found.extend(PathCompleter::any().complete(typed));
    found
}
