//! The answer key, `key.json`: what the server knows about each item and never sends.

use serde::{Deserialize, Serialize};

use crate::study::Medium;

/// What an item is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Part of the study proper.
    Trial,
    /// Catch trial: the instruction states the answer, to detect inattentive participants.
    Catch,
    /// Gold item: a trial to participants, whose answer everybody is expected to know.
    Gold,
    /// Answered with feedback before the trials.
    Practice,
    /// Sets the listening level.
    Level,
    /// Sounds in one ear first.
    LeftRight,
    /// Three noises, one with a Huggins pitch.
    Huggins,
    /// Three tones, one softer, one in antiphase.
    Antiphase,
}

/// One item with everything known about it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Item {
    /// Opaque name, the `item` of the answers table.
    pub name: String,
    /// What it is for.
    pub role: Role,
    /// Block it belongs to; empty for checks.
    pub block: String,
    /// `audio` or `image`.
    pub medium: Medium,
    /// Opaque files under `stimuli/`: one, or A and B, or A, B and X, or on a page of MUSHRA or BS.1116 the
    /// reference that is named as such and then the stimuli to score, or of a track the reference
    /// and then one stimulus a strength.
    pub stimuli: Vec<String>,
    /// `real`, `fooling:<system>`, `catch`, `gold`, `abx`, `ab` or `ab:<first>/<second>`, `likert` or
    /// `likert:<name>`, `mushra`, `bs1116`, `staircase:<name>`; empty for checks.
    pub condition: String,
    /// The answer the item is compared with, or for `ab:<first>/<second>` the letter of the
    /// first; empty where there is none.
    pub truth: String,
    /// Where it came from: file of the fooling set or corpus.
    pub source: String,
    /// SHA-256 of that file.
    pub source_sha256: String,
    /// SHA-256 of the manifest of the fooling set it is an exhibit of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fooling_set: Option<String>,
    /// Posterior as the fooling set states it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub posterior: Option<f64>,
    /// Length of audio in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seconds: Option<f64>,
    /// On a page of MUSHRA or BS.1116, what each stimulus to score is: `reference`, `anchor35`, `anchor70` or
    /// the name of a system. Empty elsewhere.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<String>,
    /// Of a track, the strength of each stimulus after the reference, ascending. Empty elsewhere.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub strengths: Vec<f64>,
}

/// The content of `key.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AnswerKey {
    /// States the purpose of the file, for people who open it.
    pub warning: String,
    /// The fooling sets the study was built from, with their classifiers as they state them.
    pub systems: Vec<serde_json::Value>,
    /// All items.
    pub items: Vec<Item>,
}
