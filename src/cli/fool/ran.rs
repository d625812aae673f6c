//! The printed result of a finished run.

use std::path::PathBuf;

use serde::Serialize;

use crate::cli::common::{Common, print, print_json, print_next};
use crate::exhibits::Medium;
use crate::exhibits::names::truncated;
use crate::pipeline::fool::Finished;
use crate::report::terminal;
use trompe_base::words::counted;

/// Most classes without an exhibit that are named one by one.
const MOST_NAMED: usize = 40;

/// A run that came to its end, and how long this part of it took.
pub(in crate::cli) struct Ran {
    pub(super) finished: Box<Finished>,
    pub(super) seconds: f64,
}

#[derive(Serialize)]
pub(in crate::cli) struct Summary<'a> {
    fooling_set: &'a PathBuf,
    report_page: &'a PathBuf,
    exhibits: usize,
    unreached: Vec<&'a str>,
    seconds: f64,
    report: &'a crate::results::RunReport,
}

impl Ran {
    /// What machines read.
    pub(in crate::cli) fn summary(&self) -> Summary<'_> {
        let Self { finished, seconds } = self;
        Summary {
            fooling_set: &finished.set,
            report_page: &finished.page,
            exhibits: finished.manifest.exhibits.len(),
            unreached: finished.manifest.unreached.iter().map(|u| u.label.as_str()).collect(),
            seconds: *seconds,
            report: &finished.report,
        }
    }

    /// Prints what people read, or what machines read.
    pub(in crate::cli) fn show(&self, common: &Common) {
        if common.json {
            return print_json(&self.summary());
        }
        let Self { finished, seconds } = self;
        print(&terminal::run(&finished.report));
        for lost in &finished.left_out {
            print(&format!(
                "{}: the candidate of evaluation {} was left out: {} (posterior {:.6}, {:.6} in the search)",
                lost.label,
                lost.evaluation,
                lost.why,
                lost.posterior_delivered,
                lost.posterior_in_search
            ));
        }
        let unreached = &finished.manifest.unreached;
        if unreached.len() > MOST_NAMED {
            print(&format!("{} classes were not reached", unreached.len()));
        }
        for class in unreached.iter().filter(|_| unreached.len() <= MOST_NAMED) {
            let best = class.best_posterior.map_or_else(
                || "no candidate was labelled with it".to_owned(),
                |best| format!("best posterior under its label {}", truncated(best, 4)),
            );
            print(&format!("{}: not reached, {best}", class.label));
        }
        print(&format!(
            "{}, verified from their files, in {seconds:.0} s",
            counted(finished.manifest.exhibits.len(), "exhibit")
        ));
        let perceive = match finished.manifest.origin.medium {
            Medium::Audio => "listen",
            Medium::Image => "look",
        };
        print(&format!("{perceive}: {}", finished.set.join("index.html").display()));
        print(&format!("report: {}", finished.page.display()));
        if let Some(run) = finished.set.parent() {
            let run = run.to_string_lossy();
            print_next(&["open", &run]);
            print_next(&["verify", &run]);
        }
    }
}
