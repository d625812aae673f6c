//! Do the tests of `trompe evaluate` find effects where there are none? 1,000 corpora without an
//! effect for every number of groups and every dependence within groups; seeds are fixed.
//!
//! ```text
//! cargo bench --bench null_corpora
//! ```
//!
//! Prints, as a table in Markdown, in how many corpora each test rejects at 0.05, with the
//! Clopper-Pearson interval of that rate at 95 %. Ends with exit code 1 if the lower end of a
//! test by group is above 0.05; intervals, which are approximate, are shown and marked.

use std::process::ExitCode;

use trompe::evaluation::null_corpora::{Condition, LEVEL, false_positives};
use trompe::statistics::intervals::clopper_pearson;

const CORPORA: u64 = 1_000;
const SEED: u64 = 1;

fn main() -> ExitCode {
    let mut failed = 0;
    println!("| groups | dependence | test | items independent | by group |");
    println!("|---|---|---|---|---|");
    for groups in [10, 30, 100] {
        for dependence in [0.0, 0.5, 1.0] {
            for found in false_positives(Condition { groups, dependence }, CORPORA, SEED) {
                let rate = |count: u64| {
                    let interval = clopper_pearson(count, CORPORA, 0.95);
                    format!("{count} ({:.3} to {:.3})", interval.low, interval.high)
                };
                let above = clopper_pearson(found.by_group, CORPORA, 0.95).low > LEVEL;
                failed += u32::from(above && !found.interval);
                println!(
                    "| {groups} | {dependence} | {} | {} | {}{} |",
                    found.test,
                    rate(found.independent),
                    rate(found.by_group),
                    if above { " TOO MANY" } else { "" }
                );
            }
        }
    }
    if failed > 0 {
        eprintln!("{failed} tests by group reject too often");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}
