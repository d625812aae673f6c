//! `study.toml`: the design of a study. It holds no label and no posterior, so a participant
//! who saw it would learn nothing about an item.

mod block;
mod exclusions;

use std::path::Path;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use trompe_base::encoding::hex;

pub use block::{Block, LONGEST_SCALE, Medium, Task};
pub(crate) use exclusions::Conduct;
pub use exclusions::Exclusions;

use crate::analysis::AnalysisPlan;
pub use crate::consent::Consent;
use crate::error::{Error, Result};
use crate::recruitment::Recruitment;
pub use crate::texts::{LANGUAGES, Texts};

/// Version of the layout of a study folder that this program writes and reads.
pub const SCHEMA_VERSION: u32 = 1;

/// The design of a study.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Study {
    /// [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// Short name, part of file names: letters, digits and hyphens.
    pub name: String,
    /// Title shown to participants, per language.
    pub title: Texts,
    /// Languages offered, a subset of [`LANGUAGES`]; the first is the default.
    pub languages: Vec<String>,
    /// Seed of everything drawn for the study.
    pub seed: u64,
    /// Whether any part depends on synthetic material; said on screen and in exports.
    pub synthetic: bool,
    /// Consent page.
    pub consent: Consent,
    /// How a trial behaves.
    #[serde(default)]
    pub trial: Trial,
    /// Headphone and level checks.
    #[serde(default)]
    pub headphones: Headphones,
    /// Which questions are asked before the test.
    #[serde(default = "Question::default_list")]
    pub questionnaire: Vec<Question>,
    /// Plans and their assignment.
    #[serde(default)]
    pub plan: PlanSettings,
    /// Coming back after an interruption.
    #[serde(default)]
    pub resume: Resume,
    /// Crowd platforms.
    #[serde(default)]
    pub crowd: Crowd,
    /// How many people are wanted, and how they come.
    #[serde(default)]
    pub recruitment: Recruitment,
    /// Rules, fixed before data, that exclude a participant.
    #[serde(default)]
    pub exclusions: Exclusions,
    /// The analysis, fixed before data; classes are those of the blocks.
    #[serde(default)]
    pub analysis: AnalysisPlan,
    /// Blocks of trials; their order is balanced over participants.
    pub blocks: Vec<Block>,
}

/// How a trial behaves.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Trial {
    /// Ask how sure the participant is, 1 to 5.
    pub confidence: bool,
    /// Offer "don't know".
    pub dont_know: bool,
    /// Offer a line of free text.
    pub free_text: bool,
    /// Seconds of an excerpt that must be heard before an answer (our choice: 3).
    pub least_heard_seconds: f64,
    /// Whether an excerpt starts over at its end.
    pub repeat: bool,
}

impl Default for Trial {
    fn default() -> Self {
        Self {
            confidence: true,
            dont_know: true,
            free_text: false,
            least_heard_seconds: 3.0,
            repeat: true,
        }
    }
}

/// What a failed headphone check means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Policy {
    /// The participant cannot go on.
    Gate,
    /// It is recorded and the participant goes on.
    Covariate,
    /// There is no check.
    Off,
}

/// Headphone check: Huggins pitch (Milne et al. 2021) and antiphase (Woods et al. 2017).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Headphones {
    /// What a failed check means.
    pub policy: Policy,
    /// Trials of each kind (both papers: 6).
    pub trials: u32,
    /// Right answers of each kind that pass (Woods et al.: 5 of 6).
    pub pass: u32,
}

impl Default for Headphones {
    fn default() -> Self {
        Self { policy: Policy::Covariate, trials: 6, pass: 5 }
    }
}

/// One question. Built-in names have their wording in the language files.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Question {
    /// Name, the column of the export.
    pub name: String,
    /// Answers to choose from; empty asks for a line of text.
    #[serde(default)]
    pub options: Vec<String>,
    /// Wording per language, for questions that are not built in.
    #[serde(default)]
    pub text: Texts,
}

impl Question {
    /// The built-in questionnaire: age band, musical training in three short questions, hearing,
    /// device and room.
    pub fn default_list() -> Vec<Self> {
        let question = |name: &str, options: &[&str]| Self {
            name: name.into(),
            options: options.iter().map(|&option| option.into()).collect(),
            text: Texts::new(),
        };
        vec![
            question("age", &["18-29", "30-44", "45-59", "60-"]),
            question("training", &["0", "1-2", "3-5", "6-9", "10-"]),
            question("listening", &["less", "daily", "hours"]),
            question("genres", &["1", "2", "3", "4", "5"]),
            question("hearing", &["yes", "no", "unsure"]),
            question("device", &["over-ear", "in-ear", "speakers"]),
            question("room", &["quiet", "some", "noisy"]),
        ]
    }
}

/// Plans and their assignment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PlanSettings {
    /// Different plans; participants beyond start over (our choice: 120).
    pub count: u32,
    /// Most trials in a row with one true class.
    pub longest_run: u32,
    /// Trials between breaks; 0 for none.
    pub break_every: u32,
    /// Minutes without a sign of life after which an unfinished participant no longer holds
    /// a place in the balance (our choice: 120).
    pub live_minutes: u32,
    /// Whether the two of a pair (AB, ABX) change places within and between participants. Studies
    /// that do not say so show every pair as it was built, so that answers given before stay right.
    #[serde(default)]
    pub balance_pairs: bool,
}

impl Default for PlanSettings {
    fn default() -> Self {
        Self { count: 120, longest_run: 2, break_every: 15, live_minutes: 120, balance_pairs: true }
    }
}

/// What happens when a participant comes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ResumePolicy {
    /// Goes on at the first unanswered step.
    Resume,
    /// Starts over; earlier answers stay in the record and are not exported.
    Restart,
    /// Cannot go on.
    Block,
}

/// Coming back after an interruption.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Resume {
    /// What happens.
    pub policy: ResumePolicy,
    /// Hours after the last answer at which coming back is refused.
    pub longest_hours: u32,
}

impl Default for Resume {
    fn default() -> Self {
        Self { policy: ResumePolicy::Resume, longest_hours: 24 }
    }
}

/// Crowd platforms: names of the address parameters and where to send people back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Crowd {
    /// Address parameter that identifies the worker; nobody with the same value starts twice.
    pub worker_parameter: Vec<String>,
    /// Further address parameters kept with it.
    pub other_parameters: Vec<String>,
    /// Completion code of the platform; empty for a random one per participant.
    pub completion_code: String,
    /// Where to go after the end; `{code}` is replaced. Empty: nowhere.
    pub complete_url: String,
    /// Where to go if the headphone gate was not passed; `{code}` is replaced by `screened_out_code`.
    pub screened_out_url: String,
    /// The platform's code for those who were screened out; empty for none.
    #[serde(default)]
    pub screened_out_code: String,
    /// Where to go after erasing one's answers, to return the submission. Empty: nowhere.
    #[serde(default)]
    pub returned_url: String,
    /// Where to go after the end if more catch items failed than allowed; then no completion
    /// code is shown. Empty: as everybody else, with the code.
    pub failed_check_url: String,
}

impl Default for Crowd {
    fn default() -> Self {
        Self {
            worker_parameter: ["PROLIFIC_PID", "workerId", "survey_code"].map(String::from).into(),
            other_parameters: ["STUDY_ID", "SESSION_ID", "assignmentId", "hitId"]
                .map(String::from)
                .into(),
            completion_code: String::new(),
            complete_url: String::new(),
            screened_out_url: String::new(),
            screened_out_code: String::new(),
            returned_url: String::new(),
            failed_check_url: String::new(),
        }
    }
}

impl Study {
    /// Reads and checks `study.toml`.
    ///
    /// # Errors
    /// [`trompe_base::Error::Io`], or [`trompe_base::Error::BadFile`] saying which key is wrong.
    pub fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).map_err(|source| Error::io(path, source))?;
        let study: Self = toml::from_str(&text).map_err(|error| {
            Error::bad_file(path, error.to_string(), "correct it or build the study again")
        })?;
        study
            .check()
            .map_err(|what| Error::bad_file(path, what, "correct it or build the study again"))?;
        Ok(study)
    }

    /// Checks that the parts make sense together.
    ///
    /// # Errors
    /// A description of the first problem.
    pub fn check(&self) -> Result<(), String> {
        if self.schema_version != SCHEMA_VERSION {
            return Err(format!(
                "schema_version is {}, this program reads {SCHEMA_VERSION}",
                self.schema_version
            ));
        }
        let plain = |name: &str| {
            !name.is_empty()
                && name.len() <= 64
                && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
        };
        if !plain(&self.name) {
            return Err(format!("name {:?} needs letters, digits and hyphens", self.name));
        }
        for language in &self.languages {
            if !LANGUAGES.contains(&language.as_str()) {
                return Err(format!("language {language:?} is none of {}", LANGUAGES.join(", ")));
            }
        }
        if !crate::calendar::is_day(&self.consent.retain_until) {
            return Err(format!(
                "retain_until {:?} is no day YYYY-MM-DD",
                self.consent.retain_until
            ));
        }
        self.consent.check(&self.languages)?;
        let last_day = &self.recruitment.last_day;
        if !last_day.is_empty() && !crate::calendar::is_day(last_day) {
            return Err(format!("recruitment.last_day {last_day:?} is no day YYYY-MM-DD"));
        }
        if self.recruitment.number_required && self.crowd.worker_parameter.is_empty() {
            return Err("recruitment.number_required needs a crowd.worker_parameter".into());
        }
        if self.languages.is_empty() {
            return Err("languages is empty".into());
        }
        if self.plan.count == 0 || self.plan.longest_run == 0 {
            return Err("plan.count and plan.longest_run start at 1".into());
        }
        if self.headphones.policy != Policy::Off && self.headphones.pass > self.headphones.trials {
            return Err("headphones.pass is above headphones.trials".into());
        }
        if !(self.trial.least_heard_seconds.is_finite() && self.trial.least_heard_seconds >= 0.0) {
            return Err("trial.least_heard_seconds is not a duration".into());
        }
        for url in [
            &self.crowd.complete_url,
            &self.crowd.screened_out_url,
            &self.crowd.failed_check_url,
            &self.crowd.returned_url,
        ] {
            if !url.is_empty() && !url.starts_with("https://") {
                return Err(format!("return address {url:?} does not start with https://"));
            }
        }
        self.analysis.check().map_err(|error| format!("analysis: {error}"))?;
        if self.blocks.is_empty() {
            return Err("there are no blocks".into());
        }
        let mut names = std::collections::BTreeSet::new();
        for block in &self.blocks {
            if !plain(&block.name) || !names.insert(&block.name) {
                return Err(format!("block name {:?} is not plain or not unique", block.name));
            }
            block.check().map_err(|what| format!("block {:?}: {what}", block.name))?;
        }
        Ok(())
    }

    /// Version of what participants consent to: a hash over title, consent and questionnaire.
    /// A change of any of them is a new version.
    pub fn consent_version(&self) -> String {
        hex(&Sha256::digest(self.consent_terms()))[..16].to_owned()
    }

    /// Title, consent and questionnaire as JSON: the text whose hash is the version.
    pub(crate) fn consent_terms(&self) -> String {
        let parts = (&self.title, &self.consent, &self.questionnaire);
        serde_json::to_string(&parts).unwrap_or_default()
    }

    /// Whether any block plays sound.
    pub fn has_audio(&self) -> bool {
        self.blocks.iter().any(|block| block.medium == Medium::Audio)
    }

    /// The block of this name.
    pub fn block(&self, name: &str) -> Option<&Block> {
        self.blocks.iter().find(|block| block.name == name)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
pub(crate) mod tests {
    use super::*;

    pub(crate) const SMALL: &str = r#"
        schema_version = 1
        name = "small"
        languages = ["en", "de"]
        seed = 7
        synthetic = true
        [title]
        en = "Small"
        [consent]
        contact = "lab@example.org"
        minimum_age = 18
        retain_until = "2030-01-01"
        [[blocks]]
        name = "music"
        task = "choice"
        medium = "audio"
        classes = ["blues", "rock", "pop", "jazz"]
        catch = 1
        practice = 1
        items = { real = 4, "fooling:toy" = 8 }
    "#;

    #[test]
    fn a_small_study_takes_the_defaults_and_survives_writing() {
        let study: Study = toml::from_str(SMALL).unwrap();
        study.check().unwrap();
        assert_eq!(study.headphones.policy, Policy::Covariate);
        assert_eq!(study.questionnaire.len(), 7);
        assert!(study.exclusions.impossible_times);
        let silent = format!("{SMALL}\n[exclusions]\nfailed_catch = 2\n");
        let silent: Study = toml::from_str(&silent).unwrap();
        assert!(!silent.exclusions.impossible_times, "its rules were fixed without this one");
        let again: Study = toml::from_str(&toml::to_string(&study).unwrap()).unwrap();
        assert_eq!(again, study);
    }

    #[test]
    fn a_study_without_a_margin_takes_the_default_and_one_of_before_is_readable() {
        let study: Study = toml::from_str(SMALL).unwrap();
        assert_eq!(study.analysis.equivalence_margin, 0.1);
        assert_eq!(study.analysis.reason(), "no reason was written");
        let before = format!("{SMALL}\n[analysis]\nlevel = 0.95\nalpha = 0.05\nmargin = 1.5\n");
        let study: Study = toml::from_str(&before).unwrap();
        study.check().unwrap();
        assert_eq!((study.analysis.equivalence_margin, study.analysis.margin), (0.1, Some(1.5)));
        let own = format!(
            "{SMALL}\n[analysis]\nequivalence_margin = 0.05\nmargin_reason = \"as in the pilot\"\n"
        );
        let study: Study = toml::from_str(&own).unwrap();
        assert_eq!(study.analysis.reason(), "as in the pilot");
        let again: Study = toml::from_str(&toml::to_string(&study).unwrap()).unwrap();
        assert_eq!(again, study);
    }

    #[test]
    fn wrong_designs_are_refused_with_the_key() {
        let study: Study = toml::from_str(SMALL).unwrap();
        let refused = |change: &dyn Fn(&mut Study)| {
            let mut wrong = study.clone();
            change(&mut wrong);
            wrong.check().unwrap_err()
        };
        assert!(refused(&|s| s.name = "../x".into()).contains("name"));
        assert!(refused(&|s| s.languages = vec!["xx".into()]).contains("xx"));
        assert!(refused(&|s| s.blocks[0].classes[1] = "blues".into()).contains("twice"));
        assert!(refused(&|s| s.consent.retain_until = "soon".into()).contains("retain_until"));
        assert!(refused(&|s| s.analysis.equivalence_margin = 1.5).contains("margin"));
        assert!(refused(&|s| s.blocks[0].items.clear()).contains("item"));
        assert!(refused(&|s| s.crowd.complete_url = "javascript:1".into()).contains("https"));
        assert!(toml::from_str::<Study>(&SMALL.replace("seed = 7", "sed = 7")).is_err());
    }

    #[test]
    fn a_changed_consent_is_a_new_version() {
        let study: Study = toml::from_str(SMALL).unwrap();
        let mut changed = study.clone();
        changed.consent.minimum_age = 16;
        assert_ne!(study.consent_version(), changed.consent_version());
        let mut stated = study.clone();
        stated.consent.purpose.insert("en".into(), "To learn how people hear.".into());
        assert_ne!(study.consent_version(), stated.consent_version());
        // that of studies built before there was a purpose, an institution and sharing
        assert_eq!(study.consent_version(), "cb632d4bd156e580");
        assert_eq!(study.consent_version(), study.clone().consent_version());
    }
}
