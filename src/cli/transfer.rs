//! `trompe transfer`: do the fooling sets of one classifier fool another?

use std::path::PathBuf;

use serde::Serialize;
use trompe_base::words::counted;

use super::common::{Common, Outcome, print, print_json};
use super::criterion::CriterionArguments;
use super::progress::Bars;
use super::sets;
use crate::error::Result;
use crate::exhibits::Transfer;
use crate::exhibits::names::truncated;
use crate::pipeline::open;
use crate::pipeline::transfer::transfer;
use crate::report::terminal;

/// Score the delivered files of fooling sets by another model
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  trompe transfer run/fooling-set --model model.safetensors")]
pub(super) struct Arguments {
    /// Fooling sets, or runs or series, whose fooling sets are meant
    #[arg(required = true, value_name = "SET")]
    sets: Vec<PathBuf>,
    /// The model that judges them
    #[arg(long, value_name = "FILE")]
    model: PathBuf,
    #[command(flatten)]
    criterion: CriterionArguments,
}

#[derive(Serialize)]
struct Row<'a> {
    set: &'a PathBuf,
    to: String,
    #[serde(flatten)]
    transfer: Transfer,
}

pub(super) fn run(arguments: &Arguments, common: &Common) -> Result<Outcome> {
    let model = open::model(&arguments.model, &Bars::new(common))?;
    let to = model.kind();
    let mut rows = Vec::new();
    let sets = sets::of_all(&arguments.sets)?;
    for set in &sets {
        let transfer = transfer(set, &model, arguments.criterion.criterion())?;
        rows.push(Row { set, to: to.clone(), transfer });
    }
    if common.json {
        print_json(&rows);
    } else {
        rows.iter().for_each(show);
    }
    Ok(Outcome::Done)
}

fn show(row: &Row<'_>) {
    let transfer = &row.transfer;
    let (own, other) = (format!("made on {}", transfer.from), format!("judged by {}", row.to));
    let head = ["exhibit", "label", &own, &other, "calls it", "at", "level"];
    let mut table = vec![head.map(str::to_owned).to_vec()];
    table.extend(transfer.exhibits.iter().map(|exhibit| {
        vec![
            exhibit.file.clone(),
            exhibit.label.clone(),
            truncated(exhibit.posterior, 4),
            exhibit.posterior_there.map_or_else(|| "-".to_owned(), |p| truncated(p, 4)),
            exhibit.label_there.clone().unwrap_or_else(|| "none".to_owned()),
            truncated(exhibit.top_posterior_there, 4),
            terminal::level(exhibit.level_there),
        ]
    }));
    print(&format!("{}:", row.set.display()));
    print(&terminal::table(&table));
    print(&format!(
        "of {} of {}, {} have the same label by {} (chance {:.2}), {} of {} at the {}\n",
        counted(transfer.exhibits.len(), "exhibit"),
        transfer.from,
        transfer.same_label(),
        row.to,
        transfer.chance,
        transfer.reaching(),
        transfer.exhibits.len() - transfer.undefined(),
        transfer.asked_there().in_words()
    ));
}
