//! `trompe replay`: rebuild exhibits from their genomes.

use std::path::PathBuf;

use super::common::{Common, Outcome, print, print_json};
use super::progress::Bars;
use super::sets;
use crate::error::Result;
use crate::pipeline::replay::replay;

/// Rebuild exhibits from their manifest, bit by bit; exit code 1 if one differs
///
/// Each is rendered anew from its genome and scored; its bytes and log-odds must be those that
/// the manifest states.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  trompe replay run/fooling-set")]
pub(super) struct Arguments {
    /// An exhibit's file, a fooling set, or a run or series, whose fooling sets are meant
    path: PathBuf,
    /// The model it was made on [default: the one kept in the run's folder]
    #[arg(long, value_name = "FILE")]
    model: Option<PathBuf>,
}

pub(super) fn run(arguments: &Arguments, common: &Common) -> Result<Outcome> {
    let bars = Bars::new(common);
    let sets = sets::of(&arguments.path)?;
    let rebuild = |path: &PathBuf| replay(path, arguments.model.as_deref(), &bars);
    let replayed = sets.iter().map(rebuild).collect::<Result<Vec<_>>>();
    bars.clear();
    let replayed = replayed?.concat();
    let identical = replayed.iter().filter(|exhibit| exhibit.problems.is_empty()).count();
    if common.json {
        print_json(&replayed);
    } else {
        for exhibit in &replayed {
            let verdict = match exhibit.problems.as_slice() {
                [] => "identical".to_owned(),
                problems => format!("DIFFERS: {}", problems.join("; ")),
            };
            print(&format!(
                "{}  {} {:.6}  {verdict}",
                exhibit.file, exhibit.label, exhibit.posterior
            ));
        }
        print(&format!("{identical} of {} exhibits rebuilt bit by bit", replayed.len()));
    }
    Ok(if identical == replayed.len() { Outcome::Done } else { Outcome::Finding })
}
