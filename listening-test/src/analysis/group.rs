//! The answers of one condition, numbered for the statistics.

use trompe_statistics::bootstrap::{Clusters, Value};
use trompe_statistics::mixed_model::Answers;

use super::plan::DontKnow;
use super::rows::hit;
use crate::answers::AnswerRow;

/// Condition of genuine controls.
pub(super) const REAL: &str = "real";

/// Condition of ABX trials.
pub(super) const ABX: &str = "abx";

/// The answers of one condition in one medium, with participants and items by number.
pub(super) struct Group<'a> {
    pub(super) medium: &'a str,
    pub(super) block: &'a str,
    pub(super) condition: &'a str,
    pub(super) classes: Vec<&'a str>,
    pub(super) participants: Vec<&'a str>,
    pub(super) items: Vec<&'a str>,
    /// Participant, item and row of each answer.
    pub(super) rows: Vec<(usize, usize, &'a AnswerRow)>,
}

impl<'a> Group<'a> {
    pub(super) fn new(rows: &[&'a AnswerRow], classes: Vec<&'a str>) -> Option<Self> {
        let first = rows.first()?;
        let names = |of: fn(&AnswerRow) -> &str| -> Vec<&'a str> {
            let mut names: Vec<_> = rows.iter().map(|row| of(row)).collect();
            names.sort_unstable();
            names.dedup();
            names
        };
        let participants = names(|row| &row.participant);
        let items = names(|row| &row.item);
        let place = |names: &[&str], name: &str| names.binary_search(&name).unwrap_or_default();
        let rows = rows
            .iter()
            .map(|&row| (place(&participants, &row.participant), place(&items, &row.item), row))
            .collect();
        Some(Self {
            medium: &first.medium,
            block: &first.block,
            condition: &first.condition,
            classes,
            participants,
            items,
            rows,
        })
    }

    pub(super) fn chance(&self) -> f64 {
        1.0 / self.classes.len() as f64
    }

    pub(super) fn clusters(&self) -> Clusters {
        Clusters {
            participants: self.participants.len(),
            item_strata: vec![(0..self.items.len()).collect()],
        }
    }

    /// Credit of an answer: 1, 0, or what "don't know" is worth.
    pub(super) fn credit(&self, row: &AnswerRow, dont_know: DontKnow) -> f64 {
        match (row.answer.is_some(), dont_know) {
            (true, _) => f64::from(u8::from(hit(row))),
            (false, DontKnow::Guess) => self.chance(),
            (false, DontKnow::Wrong) => 0.0,
        }
    }

    pub(super) fn answers(&self, dont_know: DontKnow) -> Answers {
        let mut answers = Answers::default();
        for &(participant, item, row) in &self.rows {
            answers.push(participant, item, self.credit(row, dont_know));
        }
        answers
    }

    pub(super) fn values(&self, dont_know: DontKnow) -> Vec<Value> {
        let value = |&(participant, item, row): &(usize, usize, &AnswerRow)| Value {
            participant,
            item,
            value: self.credit(row, dont_know),
        };
        self.rows.iter().map(value).collect()
    }
}
