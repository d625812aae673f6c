//! What a methods section needs beside the answers: the design, the people, their time.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use trompe_statistics::Interval;
use trompe_statistics::bootstrap::quantile;

use super::participants::ParticipantReport;
use crate::answer_key::Role;
use crate::export::{Export, Participant};
use crate::staircase::Staircase;
use crate::study::{Exclusions, Medium, Policy, Task};
use crate::study_folder::StudyFolder;

/// Facts of a study and of the people who are analyzed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StudyFacts {
    /// Name of the study.
    pub name: String,
    /// SHA-256 of its manifest.
    pub sha256: String,
    /// Seed of everything that was drawn.
    pub seed: u64,
    /// Different plans.
    pub plans: u32,
    /// Whether the two of a pair change places.
    pub balance_pairs: bool,
    /// The blocks, in the order of the design.
    pub blocks: Vec<BlockFacts>,
    /// The headphone check, if there was one.
    pub headphones: Option<HeadphoneFacts>,
    /// The rules that exclude participants, in words.
    pub rules: Vec<String>,
    /// Median loudness of the stimuli as delivered, in LUFS.
    pub lufs: Option<f64>,
    /// Seconds of a sound that had to be heard before an answer.
    pub least_heard_seconds: f64,
    /// Answers to the questionnaire of those who are analyzed.
    pub demographics: Vec<QuestionFacts>,
    /// Minutes from consent to the last answer of those who are analyzed.
    pub minutes: Option<Spread>,
}

/// One block.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BlockFacts {
    /// Its name.
    pub name: String,
    /// What is asked.
    pub task: Task,
    /// What its items are made of.
    pub medium: Medium,
    /// Classes to choose from.
    pub classes: usize,
    /// Steps of a Likert scale.
    pub scale: u32,
    /// Items per participant, by condition.
    pub each: BTreeMap<String, u32>,
    /// Items in all, by condition.
    pub items: BTreeMap<String, usize>,
    /// Catch items per participant.
    pub catch: u32,
    /// Practice items per participant.
    pub practice: u32,
    /// Gold items per participant.
    #[serde(default)]
    pub gold: u32,
    /// Shortest and longest item in seconds.
    pub seconds: Option<Interval>,
    /// How adaptive tracks ran.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub staircase: Option<Staircase>,
}

/// The headphone check and how it went.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HeadphoneFacts {
    /// What a failed check means.
    pub policy: Policy,
    /// Trials of each kind.
    pub trials: u32,
    /// Right answers of each kind that pass.
    pub pass: u32,
    /// Participants who took the check, whoever is analyzed.
    pub taken: usize,
    /// Of these, participants who passed.
    pub passed: usize,
}

/// The answers to one question.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct QuestionFacts {
    /// Its name.
    pub name: String,
    /// How many gave which answer, in the order offered; free text only counts as given.
    pub answers: Vec<(String, usize)>,
    /// How many gave none.
    pub open: usize,
}

/// A distribution.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Spread {
    /// How many values there are.
    pub count: usize,
    /// Median.
    pub median: f64,
    /// Lower and upper quartile.
    pub quartiles: Interval,
}

impl StudyFacts {
    /// `participants` are those of the report.
    pub(super) fn of(
        folder: &StudyFolder,
        export: &Export,
        participants: &[ParticipantReport],
    ) -> Self {
        let study = &folder.study;
        let analyzed: BTreeSet<&str> = participants
            .iter()
            .filter(|person| person.excluded.is_none())
            .map(|person| person.participant.as_str())
            .collect();
        let people: Vec<&Participant> = export
            .participants
            .iter()
            .filter(|person| analyzed.contains(person.participant.as_str()))
            .collect();
        let simulated = participants.iter().any(|person| person.participant.starts_with("sim-"));
        let checked: Vec<bool> = export
            .participants
            .iter()
            .filter(|person| person.simulated == simulated && !person.dry_run)
            .filter_map(|person| person.headphones.map(|check| check.passed))
            .collect();
        Self {
            name: study.name.clone(),
            sha256: folder.sha256.clone(),
            seed: study.seed,
            plans: study.plan.count,
            balance_pairs: study.plan.balance_pairs,
            blocks: study.blocks.iter().map(|block| BlockFacts::of(folder, block)).collect(),
            headphones: (study.headphones.policy != Policy::Off).then(|| HeadphoneFacts {
                policy: study.headphones.policy,
                trials: study.headphones.trials,
                pass: study.headphones.pass,
                taken: checked.len(),
                passed: checked.iter().filter(|&&passed| passed).count(),
            }),
            rules: rules(&study.exclusions),
            lufs: loudness(folder),
            least_heard_seconds: study.trial.least_heard_seconds,
            demographics: demographics(folder, &people),
            minutes: minutes(&people),
        }
    }
}

impl BlockFacts {
    fn of(folder: &StudyFolder, block: &crate::study::Block) -> Self {
        let items = || folder.items(Role::Trial, &block.name);
        let mut counts = BTreeMap::new();
        for item in items() {
            *counts.entry(item.condition.clone()).or_insert(0) += 1;
        }
        let seconds: Vec<f64> = items().filter_map(|item| item.seconds).collect();
        let shortest = seconds.iter().copied().fold(f64::INFINITY, f64::min);
        let longest = seconds.iter().copied().fold(0.0, f64::max);
        Self {
            name: block.name.clone(),
            task: block.task,
            medium: block.medium,
            classes: block.classes.len(),
            scale: block.scale,
            each: block.items.clone(),
            items: counts,
            catch: block.catch,
            practice: block.practice,
            gold: block.gold,
            staircase: block.staircase.clone(),
            seconds: (!seconds.is_empty()).then_some(Interval { low: shortest, high: longest }),
        }
    }
}

fn rules(exclusions: &Exclusions) -> Vec<String> {
    let mut rules = vec![
        format!("more than {} failed catch item(s)", exclusions.failed_catch),
        format!("a median response time below {} s", exclusions.least_median_seconds),
    ];
    rules
        .extend(exclusions.failed_gold.map(|most| format!("more than {most} missed gold item(s)")));
    let optional = [
        (exclusions.unfinished, "an unfinished participation"),
        (exclusions.impossible_times, "answers that claim more time than the server saw pass"),
        (exclusions.failed_headphones, "a failed headphone check"),
    ];
    rules.extend(optional.iter().filter(|(on, _)| *on).map(|(_, rule)| (*rule).to_owned()));
    rules
}

/// Median of `lufs_after` in `loudness.csv`, which the build wrote beside the study; nothing if the
/// file is gone.
fn loudness(folder: &StudyFolder) -> Option<f64> {
    let mut reader = csv::Reader::from_path(folder.root.join("loudness.csv")).ok()?;
    let place = reader.headers().ok()?.iter().position(|name| name == "lufs_after")?;
    let values = reader.records().flatten().filter_map(|row| row.get(place)?.parse().ok());
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    quantile(&values, 0.5)
}

fn demographics(folder: &StudyFolder, people: &[&Participant]) -> Vec<QuestionFacts> {
    let question = |question: &crate::study::Question| {
        let given: Vec<&String> =
            people.iter().filter_map(|person| person.questionnaire.get(&question.name)).collect();
        let count = |option: &String| given.iter().filter(|answer| **answer == option).count();
        let answers = if question.options.is_empty() {
            vec![("answered in words".to_owned(), given.len())]
        } else {
            question.options.iter().map(|option| (option.clone(), count(option))).collect()
        };
        QuestionFacts { name: question.name.clone(), answers, open: people.len() - given.len() }
    };
    if people.is_empty() {
        return Vec::new();
    }
    folder.study.questionnaire.iter().map(question).collect()
}

fn minutes(people: &[&Participant]) -> Option<Spread> {
    let seen = people.iter().filter_map(|person| person.times.server_seconds);
    let mut minutes: Vec<f64> = seen.map(|seconds| seconds / 60.0).collect();
    minutes.sort_by(f64::total_cmp);
    Some(Spread {
        count: minutes.len(),
        median: quantile(&minutes, 0.5)?,
        quartiles: Interval { low: quantile(&minutes, 0.25)?, high: quantile(&minutes, 0.75)? },
    })
}
