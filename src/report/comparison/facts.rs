//! What every number of a comparison depends on: settings, seeds, hashes.

use maud::{Markup, html};

use super::Comparison;
use super::group::GroupReport;
use super::tables::letter;
use crate::report::{numbers, shell};

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

fn seeds(group: &GroupReport) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-label="Runs" {
            table.plain {
                thead {
                    tr {
                        th.n scope="col" { "Seed" }
                        th.n scope="col" { "Evaluations" }
                        th.n scope="col" { "of" }
                        th.n scope="col" { "Exhibits" }
                        th scope="col" { "Folder" }
                        th scope="col" { "SHA-256 of the fooling set’s manifest" }
                    }
                }
                tbody {
                    @for run in &group.seeds {
                        tr {
                            th.n scope="row" { (run.seed) }
                            td.n { (numbers::count(run.evaluations)) }
                            td.n { (numbers::count(group.budget)) }
                            td.n { (run.exhibits) }
                            td { (run.folder.display()) }
                            td { code { (run.set_sha256) } }
                        }
                    }
                }
            }
        }
    }
}
