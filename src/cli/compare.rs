//! `trompe compare`: fooling rates of finished runs side by side.

use std::path::PathBuf;

use super::common::{Common, Outcome, print, print_json, print_next};
use super::overwrite::Overwrite;
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
    trompe compare runs --out comparison --force --json")]
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
    #[command(flatten)]
    overwrite: Overwrite,
}

pub(super) fn run(arguments: &Arguments, common: &Common) -> Result<Outcome> {
    arguments.overwrite.check_folder(&arguments.out, "--out")?;
    let bars = Bars::new(common);
    let compared = compare(&arguments.runs, arguments.study.as_deref(), &arguments.out, &bars);
    bars.clear();
    let compared = compared?;
    if common.json {
        print_json(&compared.comparison);
    } else {
        print(&comparison_text(&compared.comparison));
        print(&format!("look: {}", compared.page.display()));
        print_next(&["open", &arguments.out.to_string_lossy()]);
    }
    Ok(Outcome::Done)
}
