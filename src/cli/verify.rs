//! `trompe verify`: score every delivered file of a fooling set again.

use std::path::PathBuf;

use super::common::{Common, Outcome, print, print_json};
use crate::error::Result;
use crate::pipeline::verify::verify;
use crate::report::terminal;

/// Score every file of a fooling set again; exit code 1 if one does not hold
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  trompe verify run/fooling-set")]
pub(super) struct Arguments {
    /// The fooling set's folder
    set: PathBuf,
    /// The model it was made on [default: the one kept in the run's folder]
    #[arg(long, value_name = "FILE")]
    model: Option<PathBuf>,
}

pub(super) fn run(arguments: &Arguments, common: &Common) -> Result<Outcome> {
    let verified = verify(&arguments.set, arguments.model.as_deref())?;
    let verification = &verified.verification;
    let out_of_reach = verified.out_of_reach.as_deref();
    if common.json {
        print_json(&verified);
    } else {
        for checked in &verification.exhibits {
            let mut verdict = match checked.problems.as_slice() {
                [] => "holds".to_owned(),
                problems => format!("FAILS: {}", problems.join("; ")),
            };
            if out_of_reach.is_some_and(|files| files.contains(&checked.file)) {
                verdict.push_str("; out of reach of epsilon, scored by least squares");
            }
            let now = checked.posterior_now.map_or("-".to_owned(), |p| format!("{p:.6}"));
            let level = terminal::level(checked.level_now.or(checked.level_in_manifest));
            print(&format!("{}  {} {now}  level {level}  {verdict}", checked.file, checked.label));
        }
        print(&format!(
            "{} of {} exhibits hold at the {}",
            verification.exhibits.len() - verification.failures().count(),
            verification.exhibits.len(),
            verification.asked().in_words()
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
                "{} of {} exhibits are out of reach of epsilon: no code of the dictionary comes \
                 so near",
                files.len(),
                verification.exhibits.len()
            ));
        }
    }
    Ok(if verification.passed { Outcome::Done } else { Outcome::Finding })
}
