//! What every number of a comparison depends on: settings, seeds, hashes.

use maud::{Markup, html};

use super::tables::letter;
use crate::report::table::{Cell, Table};
use crate::report::{numbers, shell};
use crate::results::comparison::{Comparison, GroupReport, SeedRun};

pub(super) fn facts(comparison: &Comparison) -> Markup {
    html! {
        @for (index, group) in comparison.groups.iter().enumerate() {
            h3 { (letter(index, &group.name)) " " (group.label()) }
            (shell::facts(&group.origin, Some(&group.emitter), &seed_numbers(group)))
            (seeds(group))
            details.settings {
                summary { "Configuration that its runs share" }
                pre { (serde_json::to_string_pretty(&group.settings).unwrap_or_default()) }
            }
        }
    }
}

fn seed_numbers(group: &GroupReport) -> String {
    group.seeds.iter().map(|run| run.seed.to_string()).collect::<Vec<_>>().join(", ")
}

fn seeds(group: &GroupReport) -> Table {
    let row = |run: &SeedRun| {
        vec![
            Cell::new(run.seed),
            Cell::new(numbers::count(run.evaluations)),
            Cell::new(numbers::count(group.budget)),
            Cell::new(run.exhibits),
            Cell::new(run.folder.display().to_string()),
            Cell::new(html! { code { (run.set_sha256) } }),
        ]
    };
    Table::new(format!("Runs of {}", group.name))
        .numbers(["Seed", "Evaluations", "of", "Exhibits"])
        .texts(["Folder", "SHA-256 of the fooling set’s manifest"])
        .rows(group.seeds.iter().map(row))
}
