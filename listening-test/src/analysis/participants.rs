//! Scores of single participants and single items.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use trompe_statistics::intervals::wilson;
use trompe_statistics::multiple::holm;
use trompe_statistics::{Interval, binomial};

use super::exclusions::CATCH;
use super::group::Group;
use super::model_comparison::ItemRow;
use super::plan::AnalysisPlan;
use super::rows::hit;
use super::rows::median;
use super::rows::tally;
use crate::answers::AnswerRow;

/// One participant.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ParticipantReport {
    /// Code of the participant.
    pub participant: String,
    /// Why none of their answers is analyzed; absent if some are.
    pub excluded: Option<String>,
    /// Catch items passed.
    pub catch_passed: u64,
    /// Catch items answered.
    pub catch_answered: u64,
    /// Median seconds to answer, over all answers.
    pub median_response_s: Option<f64>,
    /// One score a condition, of the answers analyzed.
    pub scores: Vec<Score>,
}

/// One participant in one condition.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Score {
    /// `audio` or `image`.
    pub medium: String,
    /// Name of the block.
    pub block: String,
    /// The condition.
    pub condition: String,
    /// Answers equal to the label.
    pub hits: u64,
    /// Answers.
    pub answers: u64,
    /// Share of hits.
    pub rate: f64,
    /// Exact one-sided p against chance.
    pub p: f64,
    /// The same, adjusted by Holm for all participants of the condition.
    pub p_holm: f64,
}

/// One item.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ItemReport {
    /// Opaque name.
    pub item: String,
    /// `audio` or `image`.
    pub medium: String,
    /// Name of the block.
    pub block: String,
    /// The condition.
    pub condition: String,
    /// The label.
    pub truth: String,
    /// Answers.
    pub answers: u64,
    /// Answers equal to the label.
    pub hits: u64,
    /// Human agreement: share of hits.
    pub agreement: f64,
    /// Wilson interval of the agreement: other listeners, this item.
    pub interval: Interval,
    /// The most frequent answer; the first in the order of classes if several are.
    pub modal_answer: Option<String>,
    /// Its share of the answers.
    pub modal_share: f64,
    /// Mean confidence, where asked.
    pub mean_rating: Option<f64>,
    /// Median seconds to answer.
    pub median_response_s: Option<f64>,
    /// The classifier's posterior of the label.
    pub posterior: Option<f64>,
}

pub(super) fn participants(
    all: &[AnswerRow],
    groups: &[Group],
    out: &BTreeMap<&str, String>,
) -> Vec<ParticipantReport> {
    let names: BTreeSet<&str> = all.iter().map(|row| row.participant.as_str()).collect();
    let mut reports: BTreeMap<&str, ParticipantReport> = names
        .into_iter()
        .map(|name| {
            let own = || all.iter().filter(move |row| row.participant == name);
            let (catch_passed, catch_answered) = tally(own().filter(|row| row.condition == CATCH));
            let report = ParticipantReport {
                participant: name.to_owned(),
                excluded: out.get(name).cloned(),
                catch_passed,
                catch_answered,
                median_response_s: median(own().map(|row| row.response_ms)),
                scores: Vec::new(),
            };
            (name, report)
        })
        .collect();
    for group in groups {
        let tallies: Vec<(u64, u64)> = (0..group.participants.len())
            .map(|place| tally(group.rows.iter().filter(|row| row.0 == place).map(|row| row.2)))
            .collect();
        let p: Vec<f64> = tallies
            .iter()
            .map(|&(hits, answers)| binomial::at_least(hits, answers, group.chance()))
            .collect();
        let adjusted = holm(&p);
        for (place, name) in group.participants.iter().enumerate() {
            let (hits, answers) = tallies[place];
            let score = Score {
                medium: group.medium.to_owned(),
                block: group.block.to_owned(),
                condition: group.condition.to_owned(),
                hits,
                answers,
                rate: hits as f64 / answers as f64,
                p: p[place],
                p_holm: adjusted[place],
            };
            if let Some(report) = reports.get_mut(name) {
                report.scores.push(score);
            }
        }
    }
    reports.into_values().collect()
}

pub(super) fn items(
    groups: &[Group],
    item_rows: &BTreeMap<&str, &ItemRow>,
    plan: &AnalysisPlan,
) -> Vec<ItemReport> {
    let mut reports = Vec::new();
    for group in groups {
        for (place, name) in group.items.iter().enumerate() {
            let rows: Vec<&AnswerRow> =
                group.rows.iter().filter(|row| row.1 == place).map(|row| row.2).collect();
            let Some(first) = rows.first() else { continue };
            let hits = rows.iter().filter(|row| hit(row)).count() as u64;
            let answers = rows.len() as u64;
            let count = |class: &str| {
                rows.iter().filter(|row| row.answer.as_deref() == Some(class)).count()
            };
            let modal = group
                .classes
                .iter()
                .map(|&class| (class, count(class)))
                .filter(|&(_, count)| count > 0)
                .reduce(|best, next| if next.1 > best.1 { next } else { best });
            reports.push(ItemReport {
                item: (*name).to_owned(),
                medium: group.medium.to_owned(),
                block: group.block.to_owned(),
                condition: group.condition.to_owned(),
                truth: first.truth.clone(),
                answers,
                hits,
                agreement: hits as f64 / answers as f64,
                interval: wilson(hits, answers, plan.level),
                modal_answer: modal.map(|(class, _)| class.to_owned()),
                modal_share: modal.map_or(0.0, |(_, count)| count as f64 / answers as f64),
                mean_rating: mean(rows.iter().filter_map(|row| row.rating)),
                median_response_s: median(rows.iter().map(|row| row.response_ms)),
                posterior: item_rows.get(name).and_then(|row| row.posterior),
            });
        }
    }
    reports
}

fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, count) = values.fold((0.0, 0), |(sum, count), value| (sum + value, count + 1));
    (count > 0).then(|| sum / f64::from(count))
}
