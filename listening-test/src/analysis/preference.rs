//! Preferences: which of two was chosen, where no answer is right.

use serde::{Deserialize, Serialize};
use trompe_statistics::bootstrap::{Value, percentile_interval, two_way, weighted_mean};
use trompe_statistics::intervals::clopper_pearson;
use trompe_statistics::mixed_model::{AccuracyModel, Answers};
use trompe_statistics::{Interval, Undefined, binomial};

use super::group::Group;
use super::method::Method;
use super::plan::AnalysisPlan;
use crate::answers::AnswerRow;

/// Condition of preferences: `ab`, or `ab:<first>/<second>` where all pairs of a block compare
/// the same two.
pub(super) const AB: &str = "ab";

/// Indifference.
const EVEN: f64 = 0.5;

/// What listeners preferred in one block.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PreferenceReport {
    /// `audio` or `image`.
    pub medium: String,
    /// Name of the block.
    pub block: String,
    /// The condition.
    pub condition: String,
    /// What the share is of: the first of the two by name, or `A` if the pairs have no names
    /// in common; then the share shows a preference for a position only.
    pub first: String,
    /// The other one.
    pub second: String,
    /// Participants with answers.
    pub participants: usize,
    /// Pairs with answers.
    pub items: usize,
    /// Answers.
    pub answers: u64,
    /// Answers for the first.
    pub chosen: u64,
    /// Share of answers for the first.
    pub share: f64,
    /// Interval of `share` from resampling participants and pairs.
    pub bootstrap: Option<Interval>,
    /// The headline: mixed model against indifference.
    pub model: Method<Preference>,
    /// Clopper-Pearson interval; assumes independent answers.
    pub exact: Interval,
    /// Two-sided exact binomial p against one half; assumes independent answers.
    pub exact_p: f64,
    /// Share of answers for the one played as A, whichever it was: far from one half, the
    /// position decided.
    pub share_of_a: f64,
    /// One row a pair.
    pub pairs: Vec<PairReport>,
}

/// Logistic mixed model with crossed random intercepts of participants and pairs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Preference {
    /// Share for the first of the average listener and pair.
    pub share: f64,
    /// Its profile-likelihood interval.
    pub interval: Interval,
    /// Two-sided p of indifference.
    pub p: f64,
}

/// Answers to one pair.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PairReport {
    /// Opaque name.
    pub item: String,
    /// Answers for the first.
    pub chosen: u64,
    /// Answers.
    pub answers: u64,
}

pub(super) fn report(group: &Group, plan: &AnalysisPlan) -> PreferenceReport {
    let named = group.condition.strip_prefix("ab:").and_then(|names| names.split_once('/'));
    let (first, second) = named.unwrap_or(("A", "B"));
    let chose_first = |row: &AnswerRow| match named {
        Some(_) => row.answer.as_deref() == Some(&row.truth),
        None => row.answer.as_deref() == Some("A"),
    };
    let total = group.rows.len() as u64;
    let count = |wanted: &dyn Fn(&AnswerRow) -> bool| {
        group.rows.iter().filter(|(_, _, row)| wanted(row)).count() as u64
    };
    let chosen = count(&chose_first);
    let share_of = |count: u64| count as f64 / total.max(1) as f64;
    let values: Vec<Value> = group
        .rows
        .iter()
        .map(|&(participant, item, row)| {
            let value = f64::from(u8::from(chose_first(row)));
            Value { participant, item, value }
        })
        .collect();
    let draws = two_way(&group.clusters(), plan.resamples, plan.seed, |weights| {
        weighted_mean(&values, weights)
    });
    let pair = |(place, name): (usize, &&str)| {
        let own = || group.rows.iter().filter(move |row| row.1 == place);
        PairReport {
            item: (*name).to_owned(),
            chosen: own().filter(|row| chose_first(row.2)).count() as u64,
            answers: own().count() as u64,
        }
    };
    PreferenceReport {
        medium: group.medium.to_owned(),
        block: group.block.to_owned(),
        condition: group.condition.to_owned(),
        first: first.to_owned(),
        second: second.to_owned(),
        participants: group.participants.len(),
        items: group.items.len(),
        answers: total,
        chosen,
        share: share_of(chosen),
        bootstrap: percentile_interval(draws, plan.level),
        model: model(&values, plan.level).into(),
        exact: clopper_pearson(chosen, total, plan.level),
        exact_p: binomial::two_sided(chosen, total, EVEN),
        share_of_a: share_of(count(&|row| {
            let first = if row.order.as_deref() == Some("BA") { "B" } else { "A" };
            row.answer.as_deref() == Some(first)
        })),
        pairs: group.items.iter().enumerate().map(pair).collect(),
    }
}

fn model(values: &[Value], level: f64) -> Result<Preference, Undefined> {
    let mut answers = Answers::default();
    for value in values {
        answers.push(value.participant, value.item, value.value);
    }
    let mut model = AccuracyModel::fit(&answers)?;
    let p = model.test(EVEN)?.p;
    Ok(Preference { share: model.accuracy(), interval: model.interval(level)?, p })
}
