//! Human agreement, one fooling set at a time: what `trompe compare` reads beside a run.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::{Deserialize, Serialize};
use trompe_statistics::binomial;
use trompe_statistics::intervals::{Interval, clopper_pearson};
use trompe_statistics::mixed_model::{ItemSpread, Posterior};

use super::condition;
use super::controls::Controls;
use super::evidence;
use super::exclusions;
use super::group::Group;
use super::group::REAL;
use super::outcome::Outcome;
use super::plan::{AnalysisPlan, DontKnow};
use super::report::Report;
use super::rows::hit;
use crate::answer_key::Item;
use crate::answers::AnswerRow;
use crate::error::{Error, Result};
use crate::study::Medium;
use crate::study_folder::StudyFolder;

/// Name of the file beside a study's report.
pub const AGREEMENT_FILE: &str = "agreement.json";

/// Version of the layout of [`AGREEMENT_FILE`].
pub const AGREEMENT_SCHEMA: u32 = 1;

/// How often people gave the classifier's label, for every fooling set of a study.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HumanAgreement {
    /// [`AGREEMENT_SCHEMA`].
    pub schema_version: u32,
    /// Name of the study.
    pub study: String,
    /// SHA-256 of the study's manifest.
    pub study_sha256: String,
    /// Whether the answers are those of simulated listeners: then nothing here is about people.
    pub simulated: bool,
    /// Whether synthetic material was used.
    pub synthetic: bool,
    /// Confidence level of the intervals.
    pub level: f64,
    /// Level of the one-sided bounds and tests.
    pub alpha: f64,
    /// Agreement that would count as better than chance, in multiples of chance; where sets
    /// differ in their number of classes, of those with the fewest. [`SetAgreement::margin`]
    /// has the margin of each.
    pub margin: f64,
    /// The same margin on the chance-corrected scale, as the plan states it.
    #[serde(default)]
    pub equivalence_margin: Option<f64>,
    /// The author's reason for the margin.
    #[serde(default)]
    pub margin_reason: Option<String>,
    /// How "don't know" counts in `agreement`.
    pub dont_know: DontKnow,
    /// One entry a fooling set with answers, in the order of their hashes.
    pub fooling_sets: Vec<SetAgreement>,
}

/// Human agreement with the labels of one fooling set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SetAgreement {
    /// SHA-256 of the set's `manifest.json`: finds the run that wrote it.
    pub manifest_sha256: String,
    /// What the exhibits are.
    pub medium: Medium,
    /// `fooling:<kind of classifier>`, as in the answers table.
    pub condition: String,
    /// 1 / number of classes that people could choose from.
    pub chance: f64,
    /// Participants with answers.
    pub participants: usize,
    /// Exhibits with answers.
    pub items: usize,
    /// Answers.
    pub answers: u64,
    /// Answers equal to the label.
    pub hits: u64,
    /// Human agreement: the mixed model's accuracy of the average participant on the average
    /// exhibit, or the plain share where the model is not defined.
    pub agreement: f64,
    /// Its interval; absent where the model is not defined.
    pub interval: Option<Interval>,
    /// One-sided p-value of "people do not give the label above chance".
    pub p_above: Option<f64>,
    /// One-sided upper bound of the agreement at 1 - alpha.
    pub upper_bound: f64,
    /// Whether people are no better than chance: the outcome is "within the margin".
    pub no_better_than_chance: bool,
    /// What is claimed of the set; files of earlier versions have none.
    #[serde(default)]
    pub outcome: Option<Outcome>,
    /// The margin as an agreement.
    #[serde(default)]
    pub margin: Option<f64>,
    /// One-sided p-value of "the agreement reaches the margin".
    #[serde(default)]
    pub p_margin: Option<f64>,
    /// The genuine controls behind a claim of absence, and the difference to them.
    #[serde(default)]
    pub controls: Option<Controls>,
    /// How much exhibits differ in their agreement, by the mixed model, and the share of them
    /// below the margin; absent where the model is not defined.
    #[serde(default)]
    pub exhibit_spread: Option<ItemSpread>,
    /// How the bound was found.
    pub method: String,
    /// One entry an exhibit with answers, in the order of their hashes.
    pub exhibits: Vec<ExhibitAgreement>,
}

/// Human agreement with the label of one exhibit. Its answers are of different people, so
/// exact tests of one exhibit are right.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ExhibitAgreement {
    /// SHA-256 of the exhibit's file, as in the set's manifest.
    pub sha256: String,
    /// The classifier's label.
    pub label: String,
    /// Answers.
    pub answers: u64,
    /// Answers equal to the label.
    pub hits: u64,
    /// Exact one-sided p-value of "not above chance".
    pub p_above: f64,
    /// Exact one-sided upper bound (Clopper-Pearson) of its agreement at 1 - alpha.
    pub upper_bound: f64,
}

impl HumanAgreement {
    /// Reads what [`crate::analysis::StudyResults::write`] wrote: the file, or the folder it
    /// is in.
    ///
    /// # Errors
    /// [`trompe_base::Error::Io`] or [`trompe_base::Error::BadFile`].
    pub fn read(path: &Path) -> Result<Self> {
        let path = if path.is_dir() { path.join(AGREEMENT_FILE) } else { path.to_owned() };
        let remedy = "write it again with `trompe listen analyze`";
        let bytes = std::fs::read(&path).map_err(|source| Error::io(&path, source))?;
        let read: Self = serde_json::from_slice(&bytes)
            .map_err(|error| Error::bad_file(&path, error.to_string(), remedy))?;
        if read.schema_version != AGREEMENT_SCHEMA {
            let what = format!("its schema_version is {}", read.schema_version);
            return Err(Error::bad_file(&path, what, remedy));
        }
        Ok(read)
    }

    /// The entry of the fooling set whose manifest has this SHA-256.
    pub fn of_set(&self, manifest_sha256: &str) -> Option<&SetAgreement> {
        self.fooling_sets.iter().find(|set| set.manifest_sha256 == manifest_sha256)
    }
}

/// Human agreement with every fooling set of `folder`, of the answers that the plan keeps.
/// `report` is of the same answers by the same plan.
pub(super) fn human_agreement(
    folder: &StudyFolder,
    rows: &[AnswerRow],
    report: &Report,
) -> HumanAgreement {
    let plan = &report.plan;
    let (kept, ..) = exclusions::apply(rows, &plan.rules);
    let mut by_set: BTreeMap<&str, Vec<&AnswerRow>> = BTreeMap::new();
    let mut real: Vec<&AnswerRow> = Vec::new();
    for row in kept {
        if row.condition == REAL {
            real.push(row);
        }
        let set = folder.item(&row.item).and_then(|item| item.fooling_set.as_deref());
        if let Some(set) = set {
            by_set.entry(set).or_default().push(row);
        }
    }
    let mut fooling_sets = Vec::new();
    for (sha256, rows) in by_set {
        fooling_sets.extend(of_set(folder, sha256, &rows, &real, report));
    }
    let chance = fooling_sets.iter().map(|set: &SetAgreement| set.chance).fold(0.0, f64::max);
    // Without any set there is no chance to refer to; two classes give the strictest margin.
    let chance = if chance > 0.0 { chance } else { 0.5 };
    HumanAgreement {
        schema_version: AGREEMENT_SCHEMA,
        study: folder.study.name.clone(),
        study_sha256: folder.sha256.clone(),
        simulated: rows.iter().any(|row| row.participant.starts_with("sim-")),
        synthetic: folder.study.synthetic,
        level: plan.level,
        alpha: plan.alpha,
        margin: plan.margin_at(chance) / chance,
        equivalence_margin: Some(plan.equivalence_margin),
        margin_reason: Some(plan.reason().to_owned()),
        dont_know: plan.dont_know,
        fooling_sets,
    }
}

fn of_set(
    folder: &StudyFolder,
    sha256: &str,
    rows: &[&AnswerRow],
    real: &[&AnswerRow],
    report: &Report,
) -> Option<SetAgreement> {
    let plan = &report.plan;
    let item = folder.item(&rows.first()?.item)?;
    let classes = &folder.study.block(&item.block)?.classes;
    let group = Group::new(rows, classes.iter().map(String::as_str).collect())?;
    // the only set of its condition was analyzed already
    let whole = report.conditions.iter().find(|whole| {
        whole.block == item.block
            && whole.condition == item.condition
            && whole.answers == rows.len() as u64
    });
    let classes: Vec<&str> = classes.iter().map(String::as_str).collect();
    let real: Vec<&AnswerRow> =
        real.iter().filter(|row| row.block == item.block).copied().collect();
    let controls = Controls::of(&group, Group::new(&real, classes).as_ref(), plan);
    let (model, outcome, equivalence, spread) = match whole {
        Some(whole) => (
            whole.model.clone(),
            whole.outcome,
            whole.equivalence.clone(),
            whole.item_spread.done().cloned(),
        ),
        None => {
            let [model, other] = evidence::models(&group, plan);
            let (outcome, _, equivalence) =
                condition::judge(&group, [&model, &other], &controls, plan);
            let spread = Posterior::new(&group.answers(plan.dont_know))
                .map(|of| of.items(equivalence.margin, plan.level));
            (model, outcome, equivalence, spread.ok())
        }
    };
    let done = model.done();
    let share = group.values(plan.dont_know).iter().map(|value| value.value).sum::<f64>()
        / rows.len() as f64;
    Some(SetAgreement {
        manifest_sha256: sha256.to_owned(),
        medium: item.medium,
        condition: item.condition.clone(),
        chance: group.chance(),
        participants: group.participants.len(),
        items: group.items.len(),
        answers: rows.len() as u64,
        hits: rows.iter().filter(|row| hit(row)).count() as u64,
        agreement: done.map_or(share, |model| model.accuracy),
        interval: done.map(|model| model.interval),
        p_above: done.map(|model| model.p_above),
        upper_bound: equivalence.upper_bound,
        no_better_than_chance: equivalence.no_better_than_chance,
        outcome: Some(outcome),
        margin: Some(equivalence.margin),
        p_margin: Some(equivalence.p),
        controls: Some(controls),
        exhibit_spread: spread,
        method: equivalence.method,
        exhibits: exhibits(folder, rows, group.chance(), plan),
    })
}

fn exhibits(
    folder: &StudyFolder,
    rows: &[&AnswerRow],
    chance: f64,
    plan: &AnalysisPlan,
) -> Vec<ExhibitAgreement> {
    let names: BTreeSet<&str> = rows.iter().map(|row| row.item.as_str()).collect();
    let of = |item: &Item| {
        let own = rows.iter().filter(|row| row.item == item.name);
        let (hits, answers) = super::rows::tally(own.copied());
        ExhibitAgreement {
            sha256: item.source_sha256.clone(),
            label: item.truth.clone(),
            answers,
            hits,
            p_above: binomial::at_least(hits, answers, chance),
            upper_bound: clopper_pearson(hits, answers, 1.0 - 2.0 * plan.alpha).high,
        }
    };
    let mut exhibits: Vec<_> =
        names.into_iter().filter_map(|name| folder.item(name)).map(of).collect();
    exhibits.sort_by(|a, b| a.sha256.cmp(&b.sha256));
    exhibits
}
