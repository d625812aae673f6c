//! `trompe gallery`: fooling sets as a site for any web space.

use std::path::PathBuf;

use super::common::{Common, Outcome, print, print_json};
use super::progress::Bars;
use super::sets;
use crate::error::Result;
use crate::pipeline::gallery::build;
use trompe_base::words::counted;

/// Build a site of several fooling sets, with a game: can you tell?
///
/// The folder holds plain files: it opens from disk, and any web space can serve it. Scores of the
/// game stay in the browser.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  trompe gallery run runs --out site")]
pub(super) struct Arguments {
    /// Runs, series of runs, or fooling sets, as `trompe fool` wrote them
    #[arg(required = true, value_name = "RUN")]
    runs: Vec<PathBuf>,
    /// Folder of the site, which must be empty or not exist
    #[arg(long, short, value_name = "FOLDER", default_value = "gallery")]
    out: PathBuf,
}

pub(super) fn run(arguments: &Arguments, common: &Common) -> Result<Outcome> {
    let bars = Bars::new(common);
    let built = build(&sets::of_all(&arguments.runs)?, &arguments.out, &bars);
    bars.clear();
    let gallery = built?;
    let exhibits: usize = gallery.sets.iter().map(|set| set.manifest.exhibits.len()).sum();
    if common.json {
        let sets: Vec<_> = gallery
            .sets
            .iter()
            .map(|set| {
                serde_json::json!({
                    "name": set.name,
                    "exhibits": set.manifest.exhibits.len(),
                    "report": set.report,
                })
            })
            .collect();
        print_json(&serde_json::json!({ "page": gallery.page, "sets": sets }));
    } else {
        print(&format!(
            "{} of {}",
            counted(exhibits, "exhibit"),
            counted(gallery.sets.len(), "set")
        ));
        print(&format!("look: {}", gallery.page.display()));
    }
    Ok(Outcome::Done)
}
