//! The rules, fixed before data, that exclude a participant.

use serde::{Deserialize, Serialize};

/// Rules, fixed before data, that exclude a participant. The reasons appear in the export.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Exclusions {
    /// Catch items that may fail.
    pub failed_catch: u32,
    /// Gold items that may be missed; without it they exclude nobody.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failed_gold: Option<u32>,
    /// Least median response time in seconds (our choice: 1).
    pub least_median_seconds: f64,
    /// Whether participants are out, and get no completion code, whose answers claim more time
    /// than the server saw pass. Studies that do not say so keep them.
    #[serde(default)]
    pub impossible_times: bool,
    /// Whether participants who did not finish are out.
    pub unfinished: bool,
    /// Whether participants who failed the headphone check are out.
    pub failed_headphones: bool,
}

impl Default for Exclusions {
    fn default() -> Self {
        Self {
            failed_catch: 1,
            failed_gold: None,
            least_median_seconds: 1.0,
            impossible_times: true,
            unfinished: true,
            failed_headphones: false,
        }
    }
}

/// What the rules of [`Exclusions`] look at.
pub(crate) struct Conduct {
    pub(crate) unfinished: bool,
    pub(crate) failed_catch: u32,
    pub(crate) failed_gold: u32,
    pub(crate) median_seconds: Option<f64>,
    pub(crate) impossible_times: bool,
    pub(crate) failed_headphones: bool,
}

impl Exclusions {
    /// The first rule that excludes a participant, in the words of the export.
    pub(crate) fn reason(&self, conduct: &Conduct) -> Option<&'static str> {
        let too_fast = conduct.median_seconds.is_some_and(|s| s < self.least_median_seconds);
        let reasons = [
            (self.unfinished && conduct.unfinished, "unfinished"),
            (conduct.failed_catch > self.failed_catch, "failed catch items"),
            (self.failed_gold.is_some_and(|most| conduct.failed_gold > most), "missed gold items"),
            (self.impossible_times && conduct.impossible_times, "impossible times"),
            (too_fast, "too fast"),
            (self.failed_headphones && conduct.failed_headphones, "failed headphone check"),
        ];
        reasons.iter().find(|(out, _)| *out).map(|(_, reason)| *reason)
    }
}
