//! `trompe replay`: rebuild exhibits from their genomes.

use std::path::PathBuf;

use trompe_base::words::counted;

use super::common::{Common, Outcome, print, print_json};
use super::progress::Bars;
use super::sets;
use crate::error::Result;
use crate::exhibits::names::truncated;
use crate::pipeline::replay::replay;
use crate::report::terminal;

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
        let head = ["file", "label", "posterior (0 to 1)", "verdict"];
        let mut rows = vec![head.map(str::to_owned).to_vec()];
        for exhibit in &replayed {
            let verdict = match exhibit.problems.as_slice() {
                [] => "identical".to_owned(),
                problems => format!("DIFFERS: {}", problems.join("; ")),
            };
            let posterior = truncated(exhibit.posterior, 6);
            rows.push(vec![exhibit.file.clone(), exhibit.label.clone(), posterior, verdict]);
        }
        print(terminal::listing(2, &rows).trim_end());
        print(&format!("{identical} of {} rebuilt bit by bit", counted(replayed.len(), "exhibit")));
    }
    Ok(if identical == replayed.len() { Outcome::Done } else { Outcome::Finding })
}
