//! `trompe verify`: score every delivered file of a fooling set again.

use std::path::PathBuf;

use trompe_base::words::counted;

use super::common::{Common, Outcome, print, print_json};
use super::sets;
use crate::error::Result;
use crate::exhibits::names::truncated;
use crate::pipeline::verify::{Verified, verify_besides};
use crate::reference::Criterion;
use crate::report::terminal;

/// Score every file of a fooling set again; exit code 1 if one does not hold
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  trompe verify run\n  trompe verify run/fooling-set --threshold 0.999"
)]
pub(super) struct Arguments {
    /// The fooling set's folder, or a run or series, whose fooling sets are meant
    set: PathBuf,
    /// The model it was made on [default: the one kept in the run's folder]
    #[arg(long, value_name = "FILE")]
    model: Option<PathBuf>,
    /// Posterior of its label that every exhibit must reach, besides what the set was searched for
    #[arg(long, value_name = "P")]
    threshold: Option<f64>,
    /// Level that every exhibit must reach, besides what the set was searched for
    #[arg(long, value_name = "Q", conflicts_with = "threshold")]
    level: Option<f64>,
}

pub(super) fn run(arguments: &Arguments, common: &Common) -> Result<Outcome> {
    let sets = sets::of(&arguments.set)?;
    let posterior = arguments.threshold.map(Criterion::Posterior);
    let besides = arguments.level.map(Criterion::Level).or(posterior);
    let check = |set: &PathBuf| verify_besides(set, arguments.model.as_deref(), besides);
    let all = sets.iter().map(check).collect::<Result<Vec<_>>>()?;
    match all.as_slice() {
        [verified] if common.json => print_json(verified),
        several if common.json => print_json(&several),
        _ => {
            for (set, verified) in sets.iter().zip(&all) {
                if sets.len() > 1 {
                    print(&format!("{}:", set.display()));
                }
                show(verified);
            }
        }
    }
    let passed = all.iter().all(|verified| verified.verification.passed);
    Ok(if passed { Outcome::Done } else { Outcome::Finding })
}

fn show(verified: &Verified) {
    let verification = &verified.verification;
    let out_of_reach = verified.out_of_reach.as_deref();
    let head = ["file", "label", "posterior (0 to 1)", "level (0 to 1)", "verdict"];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    for checked in &verification.exhibits {
        let mut verdict = match checked.problems.as_slice() {
            [] => "holds".to_owned(),
            problems => format!("FAILS: {}", problems.join("; ")),
        };
        if out_of_reach.is_some_and(|files| files.contains(&checked.file)) {
            verdict.push_str("; out of reach of epsilon, scored by least squares");
        }
        rows.push(vec![
            checked.file.clone(),
            checked.label.clone(),
            checked.posterior_now.map_or("-".to_owned(), |p| truncated(p, 6)),
            terminal::level(checked.level_now.or(checked.level_in_manifest)),
            verdict,
        ]);
    }
    print(terminal::listing(2, &rows).trim_end());
    let exhibits = verification.exhibits.len();
    let besides = verification.besides.map(|besides| format!(" and at the {}", besides.in_words()));
    print(&format!(
        "{} of {} {} at the {}{}",
        exhibits - verification.failures().count(),
        counted(exhibits, "exhibit"),
        if exhibits == 1 { "holds" } else { "hold" },
        verification.asked().in_words(),
        besides.unwrap_or_default()
    ));
    if let Some(other) = &verified.other_runtime {
        print(&format!(
            "scored by {}, made with {}: posteriors moved by at most {:.1e}",
            other.now, other.made, other.largest_difference
        ));
    }
    if verification.same_reference == Some(false) {
        print(
            "levels were checked against the thresholds that the manifest keeps: the model's \
                 genuine reference is another one, or it has none",
        );
    }
    if let Some(files) = out_of_reach {
        print(&format!(
            "out of reach of epsilon: {} of {}; no code of the dictionary comes so near",
            files.len(),
            counted(exhibits, "exhibit")
        ));
    }
}
