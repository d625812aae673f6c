//! Printing of results and warnings.

use std::io::Write;

use serde::Serialize;

/// How results are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Output {
    /// For people.
    Text,
    /// As JSON.
    Json,
}

impl Output {
    /// Prints `result` as JSON, or what `text` says.
    pub(super) fn show(self, result: &impl Serialize, text: impl FnOnce() -> String) {
        let line = match self {
            Self::Text => text(),
            Self::Json => serde_json::to_string_pretty(result).unwrap_or_default(),
        };
        // Ignore EPIPE: a closed pipe is not an error.
        let _ = writeln!(std::io::stdout(), "{}", line.trim_end());
    }
}

/// Prints warnings to stderr.
pub(super) fn warn(warnings: &[String]) {
    for warning in warnings {
        eprintln!("warning: {warning}");
    }
}
