//! A participant's answer to a step, and its validation.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::answer_key::{Item, Role};
use crate::plan::Step;
use crate::study::{Medium, Question, Task};
use crate::study_folder::StudyFolder;

/// Longest free text, in characters.
const LONGEST_TEXT: usize = 4000;

/// Allowance for clocks that differ, in milliseconds.
const CLOCK_SLACK_MS: f64 = 100.0;

/// The answer to one step. Fields that a step does not ask for are `None`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StepAnswer {
    /// Index of the step in the plan.
    pub step: u32,
    /// Idempotency key: sending the same answer again stores it once.
    pub key: String,
    /// Class, `A`/`B`, `left`/`right` or number of an interval; `None` is "don't know".
    #[serde(skip_serializing_if = "Option::is_none")]
    pub choice: Option<String>,
    /// Confidence 1 to 5, or Likert rating.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rating: Option<u32>,
    /// Scores of the stimuli of a page, in the order shown, 0 to 100; grades of BS.1116 in tenths, 10 to 50.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scores: Option<Vec<u32>>,
    /// Free text or remarks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Answers to the questionnaire.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answers: Option<BTreeMap<String, String>>,
    /// Milliseconds from first presentation to answer.
    pub response_ms: u64,
    /// Milliseconds played or shown.
    pub heard_ms: u64,
    /// How often playback was started.
    pub plays: u32,
    /// How often playback stalled or the page was hidden while it ran.
    pub stalls: u32,
}

impl StepAnswer {
    /// Checks the answer against the step it is for.
    ///
    /// # Errors
    /// A word that names the invalid part.
    pub fn check(&self, folder: &StudyFolder, step: &Step) -> Result<(), &'static str> {
        let key_is_plain = self.key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        if !(8..=64).contains(&self.key.len()) || !key_is_plain {
            return Err("key");
        }
        if self.text.as_ref().is_some_and(|text| text.chars().count() > LONGEST_TEXT) {
            return Err("text");
        }
        match step {
            Step::Track { .. } => Err("step"), // unfolded before anything is answered
            Step::Questionnaire => self.check_questionnaire(&folder.study.questionnaire),
            Step::Intro { .. } | Step::Break | Step::Remarks => Ok(()),
            Step::Check { item } => {
                let item = folder.item(item).ok_or("item")?;
                self.check_choice(match item.role {
                    Role::Level => &[],
                    Role::LeftRight => &["left", "right"],
                    _ => &["1", "2", "3"],
                })
            }
            Step::Practice { item } | Step::Trial { item, .. } => {
                self.check_trial(folder, folder.item(item).ok_or("item")?)
            }
        }
    }

    fn check_choice(&self, options: &[&str]) -> Result<(), &'static str> {
        match (&self.choice, options) {
            (_, []) => Ok(()),
            (Some(choice), options) if options.contains(&choice.as_str()) => Ok(()),
            _ => Err("choice"),
        }
    }

    fn check_questionnaire(&self, questions: &[Question]) -> Result<(), &'static str> {
        for (name, answer) in self.answers.iter().flatten() {
            let question =
                questions.iter().find(|question| &question.name == name).ok_or("question")?;
            let listed = question.options.is_empty() || question.options.contains(answer);
            if !listed || answer.chars().count() > LONGEST_TEXT {
                return Err("answer");
            }
        }
        Ok(())
    }

    fn check_scores(&self, item: &Item, task: Task) -> Result<(), &'static str> {
        let (lowest, highest, _) = task.scores().ok_or("scores")?;
        match &self.scores {
            Some(scores)
                if scores.len() == item.conditions.len()
                    && scores.iter().all(|score| (lowest..=highest).contains(score)) =>
            {
                Ok(())
            }
            _ => Err("scores"),
        }
    }

    fn check_trial(&self, folder: &StudyFolder, item: &Item) -> Result<(), &'static str> {
        let study = &folder.study;
        let block = study.block(&item.block).ok_or("block")?;
        match block.task {
            Task::Choice => match &self.choice {
                Some(choice) if !block.classes.contains(choice) => return Err("choice"),
                None if !study.trial.dont_know => return Err("choice"),
                _ => {}
            },
            Task::Abx | Task::Ab => self.check_choice(&["A", "B"])?,
            Task::Likert if self.rating.is_none() => return Err("rating"),
            Task::Likert => {}
            Task::Mushra | Task::Bs1116 => self.check_scores(item, block.task)?,
            Task::Staircase => {
                let count = block.staircase.as_ref().map_or(0, |settings| settings.intervals);
                let numbers: Vec<String> = (1..=count).map(|number| number.to_string()).collect();
                self.check_choice(&numbers.iter().map(String::as_str).collect::<Vec<_>>())?;
            }
        }
        let highest = if block.task == Task::Likert { block.scale } else { 5 };
        if self.rating.is_some_and(|rating| !(1..=highest).contains(&rating)) {
            return Err("rating");
        }
        if item.medium == Medium::Audio {
            let whole = item.seconds.unwrap_or(f64::INFINITY);
            let least = match &block.staircase {
                // every interval to its end
                Some(settings) => f64::from(settings.intervals) * item.seconds.unwrap_or(0.0),
                None => study.trial.least_heard_seconds.min(whole),
            };
            let least = 1000.0 * least - CLOCK_SLACK_MS;
            if (self.heard_ms as f64) < least {
                return Err("heard");
            }
        }
        Ok(())
    }
}
