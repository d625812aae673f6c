//! The whole report.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::compare::{Comparison, compare};
use super::condition::{self, ConditionReport, Group};
use super::exclusions::{self, CATCH, Counts};
use super::machine::ItemRow;
use super::people::{self, ItemReport, ParticipantReport};
use super::plan::Plan;
use crate::answers::AnswerRow;
use crate::error::{Error, Result};
use crate::statistics::multiple::holm;

/// What a study says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// Version of this structure.
    pub schema: u32,
    /// Version of the program.
    pub version: String,
    /// Participants that were simulated (their code starts with `sim-`). If any were, no
    /// number here says anything about people.
    pub simulated_participants: usize,
    /// The plan that was followed.
    pub plan: Plan,
    /// SHA-256 of the plan as JSON: the same before and after the data, or it was changed.
    pub plan_sha256: String,
    /// What a reader must know before the numbers.
    pub warnings: Vec<String>,
    /// From all answers to those analyzed.
    pub counts: Counts,
    /// One report a medium and condition.
    pub conditions: Vec<ConditionReport>,
    /// Pairs of conditions.
    pub comparisons: Vec<Comparison>,
    /// One report a participant, excluded ones included.
    pub participants: Vec<ParticipantReport>,
    /// One report an item.
    pub items: Vec<ItemReport>,
}

/// Analyzes the answers of a study by a plan. `items` may be empty: it adds what the
/// classifier said. Rows without a truth (preferences, ratings) are not scored.
///
/// # Errors
/// [`Error::Request`] for a plan out of range, for answers or truths outside the plan's
/// classes, for an item with two labels or one participant's two answers to it, and if
/// nothing is left to analyze.
pub fn analyze(rows: &[AnswerRow], items: &[ItemRow], plan: &Plan) -> Result<Report> {
    plan.check()?;
    check_rows(rows)?;
    check_items(items)?;
    let (kept, mut counts, out) = exclusions::apply(rows, &plan.rules);
    let mut warnings = Vec::new();
    let scored: Vec<&AnswerRow> = kept
        .iter()
        .copied()
        .filter(|row| row.condition != CATCH && !row.truth.is_empty())
        .collect();
    let unscored = counts.answers_analyzed - scored.len();
    if unscored > 0 {
        warnings.push(format!("{unscored} answers have no right answer and are not scored"));
        counts.answers_analyzed = scored.len();
        counts.items_analyzed =
            scored.iter().map(|row| row.item.as_str()).collect::<BTreeSet<_>>().len();
    }
    let groups = groups(&scored, plan, &mut warnings)?;
    if groups.is_empty() {
        return Err(Error::request(
            format!("none of the {} answers is left to analyze", rows.len()),
            "check the exclusions of the plan, or wait for answers",
        ));
    }
    let machine: BTreeMap<&str, &ItemRow> =
        items.iter().map(|item| (item.item.as_str(), item)).collect();
    let conditions: Vec<ConditionReport> =
        groups.iter().map(|group| condition::report(group, &machine, plan)).collect();
    let item_reports = people::items(&groups, &machine, plan);
    let comparisons = comparisons(&groups, &item_reports, plan);
    let simulated_participants = rows
        .iter()
        .map(|row| row.participant.as_str())
        .filter(|name| name.starts_with("sim-"))
        .collect::<BTreeSet<_>>()
        .len();
    for report in &conditions {
        if report.participants < 10 || report.items < 10 {
            warnings.push(format!(
                "{} {}: {} participants and {} items; below ten of either, the tests are not \
                 known to keep their level",
                report.medium, report.condition, report.participants, report.items
            ));
        }
    }
    Ok(Report {
        schema: 1,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        simulated_participants,
        plan_sha256: plan.sha256(),
        plan: plan.clone(),
        warnings,
        counts,
        conditions,
        comparisons,
        participants: people::participants(rows, &groups, &out),
        items: item_reports,
    })
}

impl Report {
    /// The report as JSON, with a final newline.
    ///
    /// # Errors
    /// [`Error::Request`] if a number cannot be written; none of the fields can cause it.
    pub fn json(&self) -> Result<String> {
        match serde_json::to_string_pretty(self) {
            Ok(text) => Ok(text + "\n"),
            Err(error) => Err(Error::request(
                format!("the report cannot be written: {error}"),
                "report this as a fault",
            )),
        }
    }
}

fn check_rows(rows: &[AnswerRow]) -> Result<()> {
    let mut labels: BTreeMap<&str, (&str, &str, &str)> = BTreeMap::new();
    let mut pairs = BTreeSet::new();
    for row in rows {
        let label = (row.medium.as_str(), row.condition.as_str(), row.truth.as_str());
        let known = labels.entry(&row.item).or_insert(label);
        if *known != label {
            return Err(Error::request(
                format!("item {} occurs as {known:?} and as {label:?}", row.item),
                "give each stimulus its own name",
            ));
        }
        if row.condition != CATCH && !pairs.insert((&row.participant, &row.item)) {
            return Err(Error::request(
                format!("participant {} answered item {} twice", row.participant, row.item),
                "keep one answer a participant and item",
            ));
        }
    }
    Ok(())
}

fn check_items(items: &[ItemRow]) -> Result<()> {
    for row in items {
        if row.posterior.is_some_and(|posterior| !(0.0..=1.0).contains(&posterior)) {
            return Err(Error::request(
                format!("item {} has a posterior outside [0, 1]", row.item),
                "give probabilities, not scores or log-odds",
            ));
        }
    }
    Ok(())
}

/// Conditions in order: by medium and block, real first, then by name.
fn groups<'a>(
    scored: &[&'a AnswerRow],
    plan: &'a Plan,
    warnings: &mut Vec<String>,
) -> Result<Vec<Group<'a>>> {
    let mut by_condition: BTreeMap<(&str, &str, bool, &str), Vec<&AnswerRow>> = BTreeMap::new();
    for &row in scored {
        let (medium, block) = (row.medium.as_str(), row.block.as_str());
        let key = (medium, block, row.condition != "real", row.condition.as_str());
        by_condition.entry(key).or_default().push(row);
    }
    let mut guessed = BTreeSet::new();
    let mut groups = Vec::new();
    for ((medium, block, _, condition), rows) in by_condition {
        let classes = match plan.classes_of(block, medium) {
            _ if condition == "abx" => vec!["A", "B"],
            Some(classes) => classes.iter().map(String::as_str).collect(),
            None => {
                guessed.insert(medium);
                let same = |row: &&AnswerRow| row.medium == medium && row.block == block;
                occurring(scored.iter().copied().filter(same))
            }
        };
        if classes.len() < 2 {
            return Err(Error::request(
                format!("only one class occurs among the {medium} answers"),
                "name the classes on offer in the plan",
            ));
        }
        for row in &rows {
            for class in row.answer.iter().chain([&row.truth]) {
                if !classes.contains(&class.as_str()) {
                    return Err(Error::request(
                        format!("{class:?} (item {}) is not among the {medium} classes", row.item),
                        "name every class on offer in the plan",
                    ));
                }
            }
        }
        groups.extend(Group::new(&rows, classes));
    }
    for medium in guessed {
        warnings.push(format!(
            "the plan does not name the {medium} classes: chance is taken from those that occur"
        ));
    }
    Ok(groups)
}

fn occurring<'a>(rows: impl Iterator<Item = &'a AnswerRow>) -> Vec<&'a str> {
    let classes: BTreeSet<&str> = rows
        .filter(|row| row.condition != "abx")
        .flat_map(|row| row.answer.as_deref().into_iter().chain([row.truth.as_str()]))
        .collect();
    classes.into_iter().collect()
}

/// All pairs of one medium, and pairs of one kind (real, fooling) across media.
fn comparisons(groups: &[Group], items: &[ItemReport], plan: &Plan) -> Vec<Comparison> {
    let kind = |group: &Group| group.condition.split(':').next().unwrap_or_default().to_owned();
    let mut comparisons = Vec::new();
    for (place, first) in groups.iter().enumerate() {
        for second in &groups[place + 1..] {
            let related = first.medium == second.medium || kind(first) == kind(second);
            if related && kind(first) != "abx" && kind(second) != "abx" {
                comparisons.push(compare(first, second, items, plan));
            }
        }
    }
    let p: Vec<f64> =
        comparisons.iter().filter_map(|c| c.likelihood_ratio.map(|test| test.p)).collect();
    let mut adjusted = holm(&p).into_iter();
    for comparison in comparisons.iter_mut().filter(|c| c.likelihood_ratio.is_some()) {
        comparison.p_holm = adjusted.next();
    }
    comparisons
}
