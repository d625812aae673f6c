//! `trompe info`: what is this file or folder?

use std::path::PathBuf;

use super::common::{Common, Outcome, print, print_json};
use crate::error::Result;
use crate::pipeline::info::info;
use crate::report::terminal;

/// What a model, a run, a series, a fooling set, a study or a corpus is
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  trompe info model.safetensors")]
pub(super) struct Arguments {
    /// A file or folder
    path: PathBuf,
}

pub(super) fn run(arguments: &Arguments, common: &Common) -> Result<Outcome> {
    let (kind, facts) = info(&arguments.path)?;
    if common.json {
        let facts: serde_json::Map<String, serde_json::Value> =
            facts.into_iter().map(|(name, value)| (name, value.into())).collect();
        print_json(&serde_json::json!({ "path": arguments.path, "is": kind, "facts": facts }));
    } else {
        print(&format!("{}: {kind}", arguments.path.display()));
        print(&terminal::facts(&facts));
    }
    Ok(Outcome::Done)
}
