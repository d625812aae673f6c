//! `trompe compare`: fooling rates of finished runs side by side.

use std::path::PathBuf;

use super::common::{Common, Outcome, print, print_json};
use super::progress::Bars;
use crate::error::Result;
use crate::pipeline::compare::compare;
use crate::report::comparison::comparison_text;

/// Set the fooling rates of finished runs side by side, sound beside images
///
/// Runs that differ in their seed alone are one group. Writes a page, JSON and CSV.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    trompe compare runs run\n  \
    trompe compare runs --out comparison --json")]
pub(super) struct Arguments {
    /// Folders that `trompe fool` wrote: runs, or series of them (--seeds)
    #[arg(required = true, value_name = "RUN")]
    runs: Vec<PathBuf>,
    /// Folder to write index.html, comparison.json and comparison.csv to
    #[arg(long, short, value_name = "FOLDER", default_value = "comparison")]
    out: PathBuf,
    /// What people say: what `trompe listen analyze` wrote on these runs' fooling sets
    #[arg(long, value_name = "FILE")]
    study: Option<PathBuf>,
}

pub(super) fn run(arguments: &Arguments, common: &Common) -> Result<Outcome> {
    let bars = Bars::new(common);
    let compared = compare(&arguments.runs, arguments.study.as_deref(), &arguments.out, &bars);
    bars.clear();
    let compared = compared?;
    if common.json {
        print_json(&compared.comparison);
    } else {
        print(&comparison_text(&compared.comparison));
        print(&format!("look: {}", compared.page.display()));
    }
    Ok(Outcome::Done)
}
