//! What was fixed before the data, in a file for a registry, and what deviates from it afterwards.

use std::path::Path;

use serde::{Deserialize, Serialize};
use trompe_base::files::write_atomically;

use super::plan::AnalysisPlan;
use super::power::{Design, Power, power};
use super::study_plan::plan_of;
use crate::answer_key::Role;
use crate::error::{Error, Result};
use crate::staircase::Staircase;
use crate::study::{Block, Policy, ResumePolicy, Study, Task};
use crate::study_folder::StudyFolder;

/// Name of the file that `analyze` looks for in the study folder.
const FILE: &str = "preregistration.json";

/// What is expected, for the power.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Expectation {
    /// People to be analyzed.
    pub listeners: usize,
    /// True accuracy of genuine controls.
    pub genuine: f64,
    /// True accuracy of everything else; `None` is chance.
    pub accuracy: Option<f64>,
    /// Standard deviation of listeners, logit scale.
    pub listener_sd: f64,
    /// Standard deviation of items, logit scale.
    pub item_sd: f64,
    /// Studies to simulate for each condition.
    pub studies: usize,
}

/// A study and its plan before the data.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Preregistration {
    /// Version of this structure.
    pub schema: u32,
    /// Version of the program.
    pub version: String,
    /// SHA-256 of the study's manifest: design, key and stimuli.
    pub study_sha256: String,
    /// SHA-256 of the plan, as reports print it.
    pub plan_sha256: String,
    /// The plan.
    pub plan: AnalysisPlan,
    /// People to be analyzed.
    pub listeners: usize,
    /// What a study of that size shows, by block and condition.
    pub power: Vec<ConditionPower>,
}

/// The power of one condition.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ConditionPower {
    /// Name of the block.
    pub block: String,
    /// The condition.
    pub condition: String,
    /// What was simulated, and what came of it.
    pub power: Power,
}

/// Simulates the study's conditions and writes `preregistration.md`, which has the fields of the form of the
/// Open Science Framework, and `preregistration.json`, which `analyze` compares with, into the study folder.
///
/// # Errors
/// [`trompe_base::Error::Request`] for an expectation that cannot be simulated; errors of reading the study
/// and writing files.
pub fn preregister(root: &Path, expected: &Expectation) -> Result<Preregistration> {
    let folder = StudyFolder::open(root)?;
    let plan = plan_of(&folder);
    let mut simulated = Vec::new();
    for block in &folder.study.blocks {
        let classes = match block.task {
            Task::Choice => block.classes.len(),
            Task::Abx => 2,
            Task::Ab | Task::Likert | Task::Mushra | Task::Bs1116 | Task::Staircase => continue,
        };
        for (condition, &each) in block.items.iter().filter(|(_, each)| **each > 0) {
            let trials = folder.items(Role::Trial, &block.name);
            let items = trials.filter(|item| &item.condition == condition).count();
            let by_chance = 1.0 / classes as f64;
            let accuracy = match condition.as_str() {
                "real" => expected.genuine,
                _ => expected.accuracy.unwrap_or(by_chance),
            };
            let design = Design {
                participants: expected.listeners,
                items,
                items_per_participant: Some(each as usize),
                classes,
                accuracy,
                participant_sd: expected.listener_sd,
                item_sd: expected.item_sd,
                level: plan.level,
                alpha: plan.alpha,
                margin: plan.equivalence_margin,
                studies: expected.studies,
                seed: plan.seed,
            };
            let (block, condition) = (block.name.clone(), condition.clone());
            simulated.push(ConditionPower { block, condition, power: power(&design)? });
        }
    }
    let registered = Preregistration {
        schema: 1,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        study_sha256: folder.sha256.clone(),
        plan_sha256: plan.sha256(),
        plan,
        listeners: expected.listeners,
        power: simulated,
    };
    let json = serde_json::to_string_pretty(&registered)
        .map_err(|error| Error::request(error.to_string(), "report this as a fault"))?;
    write_atomically(&root.join(FILE), (json + "\n").as_bytes())?;
    let text = registered.text(&folder.study);
    write_atomically(&root.join("preregistration.md"), text.as_bytes())?;
    Ok(registered)
}

impl Preregistration {
    /// The preregistration in a study folder, if there is one.
    ///
    /// # Errors
    /// [`trompe_base::Error::BadFile`] if it cannot be read.
    pub(super) fn read(root: &Path) -> Result<Option<Self>> {
        let file = root.join(FILE);
        if !file.exists() {
            return Ok(None);
        }
        let bytes = std::fs::read(&file).map_err(|source| Error::io(&file, source))?;
        let read = serde_json::from_slice(&bytes).map_err(|error| {
            Error::bad_file(
                &file,
                error.to_string(),
                "restore it, or remove it to report without it",
            )
        })?;
        Ok(Some(read))
    }

    /// What differs in the study, the plan and the number of people.
    pub(super) fn deviations(
        &self,
        folder: &StudyFolder,
        plan: &AnalysisPlan,
        analyzed: usize,
    ) -> Vec<String> {
        let mut found = Vec::new();
        if self.study_sha256 != folder.sha256 {
            found
                .push("the study folder (design, key or stimuli) is not the one registered".into());
        }
        for (field, before, now) in differences(&self.plan, plan) {
            found.push(format!("the plan's {field} was {before} and is {now}"));
        }
        if self.listeners != analyzed {
            found.push(format!("{} people were to be analyzed, {analyzed} are", self.listeners));
        }
        found
    }

    fn text(&self, study: &Study) -> String {
        let english = |texts: &crate::study::Texts| {
            texts.get("en").or_else(|| texts.values().next()).cloned().unwrap_or_default()
        };
        let plan = &self.plan;
        let blocks: Vec<String> = study.blocks.iter().map(describe).collect();
        let power: Vec<String> = self.power.iter().map(ConditionPower::sentence).collect();
        let recruitment = &study.recruitment;
        let stop = match recruitment.participants {
            0 => {
                "by hand; results are hidden from the experimenter and each look at them is counted"
                    .to_owned()
            }
            wanted => format!("when {wanted} people have finished (the server then closes)"),
        };
        let rules = &study.exclusions;
        let mut out = vec![
            format!("more than {} failed catch items", rules.failed_catch),
            format!("a median response time below {} s", rules.least_median_seconds),
        ];
        out.extend(rules.failed_gold.map(|most| format!("more than {most} missed gold items")));
        for (on, what) in [
            (rules.unfinished, "unfinished participation"),
            (rules.impossible_times, "answers that claim more time than the server saw pass"),
            (rules.failed_headphones, "a failed headphone check"),
            (
                study.headphones.policy == Policy::Gate,
                "a failed headphone check ends participation",
            ),
            (
                study.resume.policy == ResumePolicy::Block,
                "coming back after an interruption ends it",
            ),
        ] {
            if on {
                out.push(what.to_owned());
            }
        }
        let pairs = if study.plan.balance_pairs {
            " The two of a pair change places, equally often within and between participants."
        } else {
            ""
        };
        format!(
            "# Preregistration: {title}\n\n\
             The headings are those of the OSF Preregistration form. Lines in brackets are yours to write.\n\n\
             ## Study information\n\n### Title\n{title}\n\n### Hypotheses\n\
             [State for each condition whether you expect \"better than chance\", \"within the margin\", or neither.]\n\n\
             ## Design plan\n\n### Study type\nExperiment.\n\n### Blinding\n\
             Participants know neither labels nor conditions; nothing that the page receives tells them.\n\n\
             ### Study design\n{blocks}\n\n### Randomization\n\
             {plans} plans of balanced incomplete blocks, ordered by Williams squares, seed {seed}; each participant gets the plan that \
             fewest others have.{pairs}\n\n\
             ## Sampling plan\n\n### Existing data\nRegistration prior to the collection of data.\n\n\
             ### Data collection procedures\n[Where and how people are recruited and paid.] At least {age} years old; languages: {languages}.\n\n\
             ### Sample size\n{listeners} people to be analyzed.\n\n### Sample size rationale\n{power}\n\n\
             ### Stopping rule\nCollection stops {stop}{last}.\n\n\
             ## Variables\n\n### Measured variables\nThe answer to each item; confidence and response time beside it.\n\n\
             ## Analysis plan\n\n### Statistical models\n\
             Logistic mixed model with crossed random intercepts of listeners and items, for each condition; differences between conditions by \
             resampling listeners and items; MUSHRA scores by medians and Wilcoxon's test after the post-screening of BS.1534-3; grades of BS.1116-3 by mean diff-grades of the listeners who pass its post-screening, with Student's intervals; \
             thresholds of adaptive tracks by the mean of \
             their last reversals and by a logistic psychometric function with participants resampled.\n\n\
             ### Inference criteria\n\
             Better than chance: the lower end of the {level} % interval lies above chance. Within the margin: the one-sided {bound} % upper bound \
             lies below {margin} on the scale (accuracy - chance) / (1 - chance), and genuine controls lie above chance by {controls} on the same scale. \
             Reason for the margin: {reason}. Holm within each family of tests.\n\n\
             ### Data exclusion\n{out}.\n\n### Missing data\n\"I don't know\" counts as {dont_know}; both ways are reported.\n\n\
             ## Other\n\nStudy folder (SHA-256 of its manifest): {study_sha}  \nPlan (SHA-256): {plan_sha}  \nSoftware: trompe {version}\n",
            title = english(&study.title),
            blocks = blocks.join("\n"),
            plans = study.plan.count,
            seed = study.seed,
            age = study.consent.minimum_age,
            languages = study.languages.join(", "),
            listeners = self.listeners,
            power = if power.is_empty() {
                "[No condition has a right answer, so nothing was simulated.]".to_owned()
            } else {
                power.join("\n")
            },
            last = if recruitment.last_day.is_empty() {
                String::new()
            } else {
                format!(", at the latest on {}", recruitment.last_day)
            },
            level = 100.0 * plan.level,
            bound = 100.0 * (1.0 - plan.alpha),
            margin = plan.equivalence_margin,
            controls = plan.controls_above,
            reason = plan.reason(),
            out = out.join("; "),
            dont_know = serde_json::to_string(&plan.dont_know).unwrap_or_default(),
            study_sha = self.study_sha256,
            plan_sha = self.plan_sha256,
            version = self.version,
        )
    }
}

impl ConditionPower {
    fn sentence(&self) -> String {
        let Power { design, better, better_but_within, within, .. } = &self.power;
        let share = |share: f64| format!("{:.0} %", 100.0 * share);
        format!(
            "- {} {}: at a true accuracy of {:.3} (standard deviations of listeners {} and items {}, logit scale), {} simulated studies \
             were better than chance in {}, better but within the margin in {}, and within the margin in {}.",
            self.block,
            self.condition,
            design.accuracy,
            design.participant_sd,
            design.item_sd,
            design.studies,
            share(better.share),
            share(better_but_within.share),
            share(within.share)
        )
    }
}

fn describe(block: &Block) -> String {
    let each: Vec<String> =
        block.items.iter().map(|(condition, count)| format!("{count} {condition}")).collect();
    let task = match block.task {
        Task::Choice => format!("forced choice among {} classes", block.classes.len()),
        Task::Abx => "ABX".to_owned(),
        Task::Ab => "preference between two".to_owned(),
        Task::Likert => format!("rating from 1 to {}", block.scale),
        Task::Mushra => "MUSHRA (ITU-R BS.1534-3)".to_owned(),
        Task::Bs1116 => "triple stimulus with hidden reference (ITU-R BS.1116-3)".to_owned(),
        Task::Staircase => block.staircase.as_ref().map_or(String::new(), Staircase::in_words),
    };
    format!("- Block {}: {task}; each participant gets {}.", block.name, each.join(", "))
}

/// Fields that differ, with both values as JSON.
fn differences(before: &AnalysisPlan, now: &AnalysisPlan) -> Vec<(String, String, String)> {
    let fields = |plan: &AnalysisPlan| match serde_json::to_value(plan) {
        Ok(serde_json::Value::Object(fields)) => fields,
        _ => serde_json::Map::new(),
    };
    let (before, now) = (fields(before), fields(now));
    let names: std::collections::BTreeSet<&String> = before.keys().chain(now.keys()).collect();
    let text = |value: Option<&serde_json::Value>| {
        value.map_or_else(|| "absent".to_owned(), serde_json::Value::to_string)
    };
    let differing = names.into_iter().filter(|name| before.get(*name) != now.get(*name));
    differing.map(|name| (name.clone(), text(before.get(name)), text(now.get(name)))).collect()
}
