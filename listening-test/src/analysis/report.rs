//! The whole report.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use trompe_statistics::multiple::holm;

use super::bs1116::{self, Bs1116Report};
use super::compare::{Comparison, compare};
use super::condition::{self, ConditionReport};
use super::exclusions::{self, Counts, is_check};
use super::group::REAL;
use super::group::{ABX, Group};
use super::model_comparison::ItemRow;
use super::mushra::{self, MushraReport};
use super::participants::{self, ItemReport, ParticipantReport};
use super::plan::AnalysisPlan;
use super::preference::{self, AB, PreferenceReport};
use super::rating::{self, LIKERT, Rated, RatingDifference, RatingReport};
use super::staircase::{self, StaircaseReport};
use super::study_facts::StudyFacts;
use crate::answers::AnswerRow;
use crate::error::{Error, Result};
use crate::mushra::{BS1116, MUSHRA};
use crate::staircase::STAIRCASE;
use crate::study::LONGEST_SCALE;

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
    pub plan: AnalysisPlan,
    /// SHA-256 of the plan as JSON: the same before and after the data, or it was changed.
    pub plan_sha256: String,
    /// What a reader must know before the numbers.
    pub warnings: Vec<String>,
    /// The design and the people; absent where a table alone was analyzed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub study: Option<StudyFacts>,
    /// What deviates from the preregistration; absent where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deviations: Option<Vec<String>>,
    /// From all answers to those analyzed.
    pub counts: Counts,
    /// One report a medium and condition.
    pub conditions: Vec<ConditionReport>,
    /// Pairs of conditions.
    pub comparisons: Vec<Comparison>,
    /// One report a block of preferences (AB).
    #[serde(default)]
    pub preferences: Vec<PreferenceReport>,
    /// One report a condition of ratings (Likert).
    #[serde(default)]
    pub ratings: Vec<RatingReport>,
    /// Pairs of conditions of ratings.
    #[serde(default)]
    pub rating_differences: Vec<RatingDifference>,
    /// One report a block of MUSHRA scores.
    #[serde(default)]
    pub mushra: Vec<MushraReport>,
    /// One report a block of grades of BS.1116.
    #[serde(default)]
    pub bs1116: Vec<Bs1116Report>,
    /// One report a condition of adaptive tracks.
    #[serde(default)]
    pub staircases: Vec<StaircaseReport>,
    /// One report a participant, excluded ones included.
    pub participants: Vec<ParticipantReport>,
    /// One report an item.
    pub items: Vec<ItemReport>,
}

/// Analyzes the answers of a study by a plan. `items` may be empty: it adds what the
/// classifier said. Preferences and ratings are reported apart: no answer is right.
///
/// # Errors
/// [`trompe_base::Error::Request`] for a plan out of range, for answers or truths outside the plan's
/// classes, for ratings off the scale, for an item with two labels or one participant's two answers to it, and if
/// nothing is left to analyze.
pub fn analyze(rows: &[AnswerRow], items: &[ItemRow], plan: &AnalysisPlan) -> Result<Report> {
    analyze_with(rows, items, &BTreeMap::new(), plan)
}

/// The same with the headphone check as a covariate of sounds: `passed` says which participants passed it.
///
/// # Errors
/// As [`analyze`].
pub fn analyze_with<'a>(
    rows: &'a [AnswerRow],
    items: &[ItemRow],
    passed_check: &BTreeMap<&str, bool>,
    plan: &AnalysisPlan,
) -> Result<Report> {
    plan.check()?;
    check_rows(rows)?;
    check_items(items)?;
    let (kept, mut counts, mut out) = exclusions::apply(rows, &plan.rules);
    let mut warnings = Vec::new();
    if let Some(margin) = plan.margin {
        warnings.push(format!(
            "the plan states a margin of {margin} times chance, as earlier versions wrote it; it is \
             not used: the margin is equivalence_margin = {}",
            plan.equivalence_margin
        ));
    }
    let Kinds { scored, preferred, rated, pages, triples, tracks, other } = Kinds::of(&kept);
    if other > 0 {
        warnings.push(format!("{other} answers have no right answer and are not scored"));
    }
    let mushra = by_block(&pages, |block, rows| mushra::report(block, rows, plan))?;
    let bs1116 = by_block(&triples, |block, rows| bs1116::report(block, rows, plan))?;
    let screened = |row: &&&AnswerRow| {
        let own = mushra.iter().find(|report| report.block == row.block);
        own.is_none_or(|report| report.keeps(&row.participant))
    };
    let passed: Vec<&AnswerRow> = pages.iter().filter(screened).copied().collect();
    let expert = |row: &&&AnswerRow| {
        let own = bs1116.iter().find(|report| report.block == row.block);
        own.is_none_or(|report| report.keeps(&row.participant))
    };
    let experts: Vec<&AnswerRow> = triples.iter().filter(expert).copied().collect();
    let with = |pages: &[&'a AnswerRow], triples: &[&'a AnswerRow]| {
        [&scored, &preferred, &rated, &tracks, pages, triples].concat()
    };
    let before = with(&pages, &triples);
    let between = with(&passed, &triples);
    counts.recount(&before, &between, "post-screening by BS.1534-3", &mut out);
    counts.recount(&between, &with(&passed, &experts), "post-screening by BS.1116-3", &mut out);
    let staircases = staircase::reports(&tracks, plan)
        .map_err(|what| Error::request(what, "correct the answers table, or the plan"))?;
    warnings.extend(staircase::warnings(&staircases));
    let groups = groups(&scored, plan, &mut warnings)?;
    let preferences = preferences(&preferred, plan)?;
    let rated = ratings(&rated, plan)?;
    if counts.answers_analyzed == 0 {
        return Err(Error::request(
            format!("none of the {} answers is left to analyze", rows.len()),
            "check the exclusions of the plan, or wait for answers",
        ));
    }
    let item_rows: BTreeMap<&str, &ItemRow> =
        items.iter().map(|item| (item.item.as_str(), item)).collect();
    let mut conditions: Vec<ConditionReport> = groups
        .iter()
        .map(|group| {
            let real = controls_of(group, &groups);
            condition::report(group, real, &item_rows, passed_check, plan)
        })
        .collect();
    adjust(&mut conditions);
    let item_reports = participants::items(&groups, &item_rows, plan);
    let comparisons = comparisons(&groups, &item_reports, plan);
    let simulated_participants = rows
        .iter()
        .map(|row| row.participant.as_str())
        .filter(|name| name.starts_with("sim-"))
        .collect::<BTreeSet<_>>()
        .len();
    let sizes = conditions.iter().map(|c| (&c.medium, &c.condition, c.participants, c.items));
    let more = preferences.iter().map(|p| (&p.medium, &p.condition, p.participants, p.items));
    for (medium, condition, participants, items) in sizes.chain(more) {
        if participants < 10 || items < 10 {
            warnings.push(format!(
                "{medium} {condition}: {participants} participants and {items} items; below ten \
                 of either, the tests are not known to keep their level"
            ));
        }
    }
    Ok(Report {
        schema: 1,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        simulated_participants,
        plan_sha256: plan.sha256(),
        plan: plan.clone(),
        study: None,
        deviations: None,
        warnings,
        counts,
        conditions,
        comparisons,
        preferences,
        ratings: rated.iter().map(|rated| rating::report(rated, plan)).collect(),
        rating_differences: rating::differences(&rated, plan),
        mushra,
        bs1116,
        staircases,
        participants: participants::participants(rows, &groups, &out),
        items: item_reports,
    })
}

impl Report {
    /// The report as JSON, with a final newline.
    ///
    /// # Errors
    /// [`trompe_base::Error::Request`] if a number cannot be written; none of the fields can cause it.
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
        // of a track, any interval may be right, and a stimulus comes again
        let track = kind(&row.condition) == STAIRCASE;
        let same = (known.0, known.1) == (label.0, label.1) && (track || known.2 == label.2);
        if !same {
            return Err(Error::request(
                format!("item {} occurs as {known:?} and as {label:?}", row.item),
                "give each stimulus its own name",
            ));
        }
        if !is_check(row) && !track && !pairs.insert((&row.participant, &row.item)) {
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

/// Answers by what can be said of them.
struct Kinds<'a> {
    scored: Vec<&'a AnswerRow>,
    preferred: Vec<&'a AnswerRow>,
    rated: Vec<&'a AnswerRow>,
    /// Scores on pages of several stimuli.
    pages: Vec<&'a AnswerRow>,
    /// Grades of trials of BS.1116.
    triples: Vec<&'a AnswerRow>,
    /// Trials of adaptive tracks.
    tracks: Vec<&'a AnswerRow>,
    /// Number of those of which nothing can.
    other: usize,
}

impl<'a> Kinds<'a> {
    fn of(kept: &[&'a AnswerRow]) -> Self {
        let (mut scored, mut preferred, mut rated) = (Vec::new(), Vec::new(), Vec::new());
        let (mut pages, mut triples, mut tracks) = (Vec::new(), Vec::new(), Vec::new());
        let mut other = 0;
        for &row in kept.iter().filter(|row| !is_check(row)) {
            match kind(&row.condition) {
                AB if row.answer.is_some() => preferred.push(row),
                LIKERT if row.rating.is_some() => rated.push(row),
                MUSHRA if row.rating.is_some() => pages.push(row),
                BS1116 if row.rating.is_some() => triples.push(row),
                STAIRCASE => tracks.push(row),
                AB | LIKERT | MUSHRA | BS1116 => other += 1,
                _ if row.truth.is_empty() => other += 1,
                _ => scored.push(row),
            }
        }
        Self { scored, preferred, rated, pages, triples, tracks, other }
    }
}

/// The first word of a condition: `fooling` of `fooling:<system>`.
fn kind(condition: &str) -> &str {
    condition.split(':').next().unwrap_or_default()
}

/// Rows of one condition by medium, block, whether it is not `real`, and condition.
type ByCondition<'a> = BTreeMap<(&'a str, &'a str, bool, &'a str), Vec<&'a AnswerRow>>;

fn by_condition<'a>(rows: &[&'a AnswerRow]) -> ByCondition<'a> {
    let mut by_condition = ByCondition::new();
    for &row in rows {
        let (medium, block) = (row.medium.as_str(), row.block.as_str());
        let key = (medium, block, row.condition != REAL, row.condition.as_str());
        by_condition.entry(key).or_default().push(row);
    }
    by_condition
}

fn preferences(rows: &[&AnswerRow], plan: &AnalysisPlan) -> Result<Vec<PreferenceReport>> {
    let neither = |row: &&&AnswerRow| !matches!(row.answer.as_deref(), Some("A" | "B"));
    if let Some(row) = rows.iter().find(neither) {
        return Err(Error::request(
            format!("the preference for item {} is {:?}, not A or B", row.item, row.answer),
            "correct the answers table",
        ));
    }
    let groups = by_condition(rows);
    let groups = groups.values().filter_map(|rows| Group::new(rows, vec!["A", "B"]));
    Ok(groups.map(|group| preference::report(&group, plan)).collect())
}

fn ratings<'a>(rows: &[&'a AnswerRow], plan: &AnalysisPlan) -> Result<Vec<Rated<'a>>> {
    for row in rows {
        let steps = plan.scales.get(&row.block).copied().unwrap_or(LONGEST_SCALE);
        let fits =
            |rating: f64| rating.fract() == 0.0 && (1.0..=f64::from(steps)).contains(&rating);
        if !row.rating.is_some_and(fits) {
            return Err(Error::request(
                format!("the rating {:?} of item {} is not 1 to {steps}", row.rating, row.item),
                "correct the answers table",
            ));
        }
    }
    let of = |rows: Vec<&'a AnswerRow>| {
        let group = Group::new(&rows, Vec::new())?;
        let steps = plan.scales.get(group.block).copied();
        Some(Rated::new(group, steps))
    };
    Ok(by_condition(rows).into_values().filter_map(of).collect())
}

/// One report a block, in order of name.
fn by_block<'a, T>(
    rows: &[&'a AnswerRow],
    report: impl Fn(&str, &[&'a AnswerRow]) -> Result<T, String>,
) -> Result<Vec<T>> {
    let mut blocks: BTreeMap<&str, Vec<&AnswerRow>> = BTreeMap::new();
    for &row in rows {
        blocks.entry(&row.block).or_default().push(row);
    }
    let of = |(block, rows): (&str, Vec<&'a AnswerRow>)| {
        report(block, &rows).map_err(|what| Error::request(what, "correct the answers table"))
    };
    blocks.into_iter().map(of).collect()
}

/// Conditions in order: by medium and block, real first, then by name.
fn groups<'a>(
    scored: &[&'a AnswerRow],
    plan: &'a AnalysisPlan,
    warnings: &mut Vec<String>,
) -> Result<Vec<Group<'a>>> {
    let mut guessed = BTreeSet::new();
    let mut groups = Vec::new();
    for ((medium, block, _, condition), rows) in by_condition(scored) {
        let classes = match plan.classes_of(block, medium) {
            _ if condition == ABX => vec!["A", "B"],
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
        .filter(|row| row.condition != ABX)
        .flat_map(|row| row.answer.as_deref().into_iter().chain([row.truth.as_str()]))
        .collect();
    classes.into_iter().collect()
}

/// The genuine controls of the same block and medium.
fn controls_of<'g, 'a>(group: &Group, groups: &'g [Group<'a>]) -> Option<&'g Group<'a>> {
    groups.iter().find(|other| {
        other.condition == REAL && other.block == group.block && other.medium == group.medium
    })
}

/// Adjusts the tests behind the outcomes by Holm: two a condition, one against chance and one
/// against the margin.
fn adjust(conditions: &mut [ConditionReport]) {
    let p: Vec<f64> =
        conditions.iter().flat_map(|c| [c.against_chance.p, c.equivalence.p]).collect();
    for (condition, adjusted) in conditions.iter_mut().zip(holm(&p).chunks_exact(2)) {
        condition.against_chance.p_holm = Some(adjusted[0]);
        condition.equivalence.p_holm = Some(adjusted[1]);
    }
}

/// All pairs of one medium, and pairs of one kind (real, fooling) across media.
fn comparisons(groups: &[Group], items: &[ItemReport], plan: &AnalysisPlan) -> Vec<Comparison> {
    let kind = |group: &Group| kind(group.condition).to_owned();
    let mut comparisons = Vec::new();
    for (place, first) in groups.iter().enumerate() {
        for second in &groups[place + 1..] {
            let related = first.medium == second.medium || kind(first) == kind(second);
            if related && kind(first) != ABX && kind(second) != ABX {
                comparisons.push(compare(first, second, items, plan));
            }
        }
    }
    let p: Vec<f64> = comparisons.iter().filter_map(|comparison| comparison.p).collect();
    let mut adjusted = holm(&p).into_iter();
    for comparison in comparisons.iter_mut().filter(|comparison| comparison.p.is_some()) {
        comparison.p_holm = adjusted.next();
    }
    comparisons
}
