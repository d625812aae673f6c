//! One participant of a study, as exported.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::answer::StepAnswer;
use crate::answer_times::Times;

/// One participant, as exported.
#[derive(Debug, Clone, Serialize)]
pub struct Participant {
    /// Random public code.
    pub participant: String,
    /// Whether a program answered.
    pub simulated: bool,
    /// Whether the experimenter tried the study out.
    pub dry_run: bool,
    /// Times the participant started over, which draws the intervals of tracks anew.
    pub attempt: u32,
    /// Number of the plan.
    pub plan: u32,
    /// Language of the page.
    pub language: String,
    /// Version of the consent given.
    pub consent_version: String,
    /// Whether the study was finished.
    pub finished: bool,
    /// Whether the headphone gate or the resume policy ended it.
    pub screened_out: bool,
    /// Number of times the participant came back.
    pub interruptions: u32,
    /// Right answers in the headphone check, if there was one.
    pub headphones: Option<Headphones>,
    /// Catch items answered otherwise than asked.
    pub failed_catch: u32,
    /// Gold items with another answer than theirs.
    pub failed_gold: u32,
    /// Median response time over trials, in seconds.
    pub median_seconds: Option<f64>,
    /// What the answers claim in time, and what the server saw.
    pub times: Times,
    /// Whether the server saw too little time pass for them.
    pub impossible_times: bool,
    /// Why the participant is out; `None` keeps.
    pub excluded: Option<String>,
    /// Answers to the questionnaire.
    pub questionnaire: BTreeMap<String, String>,
    /// Everything given, step by step, with free text and remarks.
    pub steps: Vec<StepAnswer>,
    /// Of each step, milliseconds from the answer before (or the consent) by the server's clock.
    pub server_ms: Vec<Option<u64>>,
}

/// Right answers in the headphone check.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Headphones {
    /// Left and right told apart.
    pub ears: u32,
    /// Huggins pitch found.
    pub huggins: u32,
    /// Softest tone found.
    pub antiphase: u32,
    /// Whether it counts as passed.
    pub passed: bool,
}
