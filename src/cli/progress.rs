//! Progress on stderr: one bar for the stage under way, or lines where stderr is no terminal.

use std::fmt::Write;
use std::io::IsTerminal;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressState, ProgressStyle};
use trompe_base::words::counted;
use trompe_corpora::{Progress, Skipped};

use super::common::Common;
use super::interrupt;
use crate::exhibits::names::truncated;
use crate::pipeline::fool::Standing;

/// How often a bar is drawn anew when nothing is reported, so that its times stay true.
const TICK: Duration = Duration::from_secs(1);

/// Time between two lines in a log; a stage that is shorter has none.
const LOG_INTERVAL: Duration = Duration::from_secs(10);

/// Shows the current stage, unless `--quiet`.
pub(super) struct Bars {
    quiet: bool,
    current: Mutex<Option<Stage>>,
}

/// What is under way.
struct Stage {
    name: String,
    /// Hidden where stderr is no terminal.
    bar: ProgressBar,
    /// When the next line of a log is due; `None` on a terminal.
    due: Option<Instant>,
}

impl Bars {
    pub(super) fn new(common: &Common) -> Self {
        Self { quiet: common.quiet, current: Mutex::new(None) }
    }

    /// Removes the bar, so that a result can be printed.
    pub(super) fn clear(&self) {
        if let Some(stage) = self.lock().take() {
            stage.bar.finish_and_clear();
        }
    }

    /// Prints a line above the bar, unless `--quiet`.
    pub(super) fn say(&self, line: &str) {
        if !self.quiet {
            self.clear();
            eprintln!("{line}");
        }
    }

    /// Says which step of a verb of several begins.
    pub(super) fn step(&self, number: usize, of: usize, what: &str) {
        self.say(&format!("step {number} of {of}: {what}"));
    }

    /// Shows `message` beside the bar of the stage under way.
    pub(super) fn detail(&self, message: String) {
        if let Some(stage) = &*self.lock() {
            stage.bar.set_message(message);
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
        interrupt::looked_at();
        self.report("search", standing.evaluations, standing.budget);
        let hardest = standing.hardest.as_ref().map_or(String::new(), |(class, posterior)| {
            format!(", lowest {class} {}", truncated(*posterior, 4))
        });
        self.detail(format!("{} open{hardest}", counted(standing.open, "class")));
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Stage>> {
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
        if current.as_ref().is_none_or(|under_way| under_way.name != stage) {
            if let Some(before) = current.take() {
                before.bar.finish_and_clear();
            }
            *current = Some(Stage::new(stage, total));
        }
        if let Some(stage) = &mut *current {
            stage.bar.set_length(total);
            stage.bar.set_position(done);
            stage.log(done, total);
        }
    }
}

impl Stage {
    fn new(name: &str, total: u64) -> Self {
        let bar = ProgressBar::new(total).with_style(style(total)).with_prefix(name.to_owned());
        let due = match std::io::stderr().is_terminal() {
            true => {
                bar.enable_steady_tick(TICK);
                None
            }
            false => Some(Instant::now() + LOG_INTERVAL),
        };
        Self { name: name.to_owned(), bar, due }
    }

    /// Prints a line if one is due.
    fn log(&mut self, done: u64, total: u64) {
        let now = Instant::now();
        if self.due.is_none_or(|due| now < due) {
            return;
        }
        self.due = Some(now + LOG_INTERVAL);
        let elapsed = self.bar.elapsed().as_secs_f64();
        eprintln!("{}: {}", self.name, log_line(done, total, elapsed, &self.bar.message()));
    }
}

/// How far a stage is after so many seconds, for a log.
fn log_line(done: u64, total: u64, seconds: f64, message: &str) -> String {
    let rate = done as f64 / seconds;
    let mut line = match total {
        0 => format!("{done} in {seconds:.0} s"),
        _ => format!("{done} of {total}, {} a second", three_digits(rate)),
    };
    if total > done && rate > 0.0 {
        let left = ((total - done) as f64 / rate).round() as u64;
        // A message cannot fail to be written to a string.
        let _ = write!(line, ", {left} s left");
    }
    if !message.is_empty() {
        line.push_str(", ");
        line.push_str(message);
    }
    line
}

/// A number with three digits, or with all that it has before the point.
fn three_digits(value: f64) -> String {
    match value {
        value if value < 9.995 => format!("{value:.2}"),
        value if value < 99.95 => format!("{value:.1}"),
        value => format!("{value:.0}"),
    }
}

/// The message takes what is left of the line, so that a bar never wraps.
fn style(total: u64) -> ProgressStyle {
    let template = if total == 0 {
        "{prefix} {spinner} {pos} {elapsed} {wide_msg}"
    } else {
        "{prefix} {bar:16} {pos}/{len} {rate}/s {eta} left {wide_msg}"
    };
    let rate = |state: &ProgressState, text: &mut dyn Write| {
        // The bar shows nothing in place of a rate that cannot be written.
        let _ = text.write_str(&three_digits(state.per_sec()));
    };
    ProgressStyle::with_template(template)
        .map_or_else(|_| ProgressStyle::default_bar(), |style| style.with_key("rate", rate))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_have_three_digits() {
        let shown = [0.004, 0.5, 9.994, 9.996, 42.31, 99.96, 1234.6].map(three_digits);
        assert_eq!(shown, ["0.00", "0.50", "9.99", "10.0", "42.3", "100", "1235"]);
    }

    #[test]
    fn a_line_of_a_log_says_how_far_a_stage_is_and_how_long_it_takes() {
        let line = log_line(1_000, 20_000, 4.0, "3 classes open");
        assert_eq!(line, "1000 of 20000, 250 a second, 76 s left, 3 classes open");
        assert_eq!(log_line(20, 20, 4.0, ""), "20 of 20, 5.00 a second");
        assert_eq!(log_line(7, 0, 12.2, ""), "7 in 12 s");
        assert_eq!(log_line(0, 9, 12.0, ""), "0 of 9, 0.00 a second");
    }
}
