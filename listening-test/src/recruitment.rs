//! How many people are wanted, until when, and how they come: a section of `study.toml`.

use serde::{Deserialize, Serialize};

/// How many people are wanted, and how they come.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Recruitment {
    /// People to finish; nobody else comes in when so many have finished or take part. 0: no limit.
    pub participants: u32,
    /// Last day, YYYY-MM-DD in UTC, on which somebody may come in; empty: no such day.
    pub last_day: String,
    /// Whether nobody comes in without a number (of a platform, or from the experimenter).
    pub number_required: bool,
    /// Minutes that the consent page states; 0: as estimated from the plan.
    pub minutes: u32,
}
