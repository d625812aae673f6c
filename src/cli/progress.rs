//! Progress on stderr: one bar for the stage under way.

use std::sync::{Mutex, PoisonError};

use indicatif::{ProgressBar, ProgressStyle};
use trompe_corpora::{Progress, Skipped};

use super::common::Common;
use crate::exhibits::names::truncated;
use crate::pipeline::fool::Standing;

/// Shows the current stage. Hidden with `--quiet`, or if stderr is not a terminal.
pub(super) struct Bars {
    quiet: bool,
    current: Mutex<Option<(String, ProgressBar)>>,
}

impl Bars {
    pub(super) fn new(common: &Common) -> Self {
        Self { quiet: common.quiet, current: Mutex::new(None) }
    }

    /// Removes the bar, so that a result can be printed.
    pub(super) fn clear(&self) {
        if let Some((_, bar)) = self.lock().take() {
            bar.finish_and_clear();
        }
    }

    /// Prints a line above the bar, unless `--quiet`.
    pub(super) fn say(&self, line: &str) {
        if !self.quiet {
            self.clear();
            eprintln!("{line}");
        }
    }

    /// Shows `message` beside the bar of the stage under way.
    pub(super) fn detail(&self, message: String) {
        if let Some((_, bar)) = &*self.lock() {
            bar.set_message(message);
        }
    }

    /// Names the items of a corpus that were left out, and why.
    pub(super) fn show_skipped(&self, skipped: &[Skipped]) {
        for skipped in skipped {
            self.say(&format!("left out: {}", skipped.why));
        }
    }

    /// Shows the progress of a search: evaluations, open classes, and the hardest of these.
    pub(super) fn show_standing(&self, standing: &Standing) {
        self.report("search", standing.evaluations, standing.budget);
        let hardest = standing.hardest.as_ref().map_or(String::new(), |(class, posterior)| {
            format!(", lowest {class} {}", truncated(*posterior, 4))
        });
        self.detail(format!("{} classes open{hardest}", standing.open));
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<(String, ProgressBar)>> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Progress for Bars {
    fn note(&self, text: &str) {
        self.say(text);
    }

    fn report(&self, stage: &str, done: u64, total: u64) {
        if self.quiet {
            return;
        }
        let mut current = self.lock();
        if current.as_ref().is_none_or(|(name, _)| name != stage) {
            if let Some((_, bar)) = current.take() {
                bar.finish_and_clear();
            }
            let bar =
                ProgressBar::new(total).with_style(style(total)).with_prefix(stage.to_owned());
            *current = Some((stage.to_owned(), bar));
        }
        if let Some((_, bar)) = &*current {
            bar.set_length(total);
            bar.set_position(done);
        }
    }
}

fn style(total: u64) -> ProgressStyle {
    let template = if total == 0 {
        "{prefix} {spinner} {pos} {msg}"
    } else {
        "{prefix} {bar:24} {pos}/{len} {per_sec} eta {eta} {msg}"
    };
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}
