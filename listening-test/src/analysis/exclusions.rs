//! Exclusions and their counts: the CONSORT flow from all answers to those analyzed.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::plan::Rules;
use super::rows::hit;
use crate::answers::AnswerRow;

/// Condition of catch items.
pub(super) const CATCH: &str = "catch";

/// Condition of gold items.
const GOLD: &str = "gold";

/// Whether the answer checks the participant, and says nothing of what is studied.
pub(super) fn is_check(row: &AnswerRow) -> bool {
    [CATCH, GOLD].contains(&row.condition.as_str())
}

/// From all answers to those analyzed.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Counts {
    /// Participants who came in; of a table alone, those with an answer to a trial.
    pub participants: usize,
    /// Answers, those to catch and gold items included.
    pub answers: usize,
    /// What was left out, in the order of the rules.
    pub exclusions: Vec<Exclusion>,
    /// Participants analyzed.
    pub participants_analyzed: usize,
    /// Answers analyzed; those to catch and gold items are not.
    pub answers_analyzed: usize,
    /// Items analyzed.
    pub items_analyzed: usize,
    /// Answers to catch and gold items that passed every rule: kept as checks of participants only.
    pub catch_answers: usize,
}

impl Counts {
    /// Counts what is analyzed once more, when it is known which of the kept answers can be:
    /// `usable` ones can, of which `analyzed` passed the post-screening of listeners that `reason` names.
    pub(super) fn recount<'a>(
        &mut self,
        usable: &[&'a AnswerRow],
        analyzed: &[&'a AnswerRow],
        reason: &str,
        out: &mut BTreeMap<&'a str, String>,
    ) {
        let people = |rows: &[&'a AnswerRow]| -> BTreeSet<&'a str> {
            rows.iter().map(|row| row.participant.as_str()).collect()
        };
        let (before, after) = (people(usable), people(analyzed));
        if usable.len() > analyzed.len() {
            for participant in before.difference(&after) {
                out.insert(participant, reason.to_owned());
            }
            self.exclusions.push(Exclusion {
                reason: reason.to_owned(),
                answers: usable.len() - analyzed.len(),
                participants: before.len() - after.len(),
            });
        }
        self.participants_analyzed = after.len();
        self.answers_analyzed = analyzed.len();
        self.items_analyzed =
            analyzed.iter().map(|row| row.item.as_str()).collect::<BTreeSet<_>>().len();
    }

    /// Counts a participant who gave no answer to any trial, and so is in no row.
    pub(super) fn add_without_answers(&mut self, reason: &str) {
        self.participants += 1;
        match self.exclusions.iter_mut().find(|exclusion| exclusion.reason == reason) {
            Some(exclusion) => exclusion.participants += 1,
            None => {
                let reason = reason.to_owned();
                self.exclusions.insert(0, Exclusion { reason, answers: 0, participants: 1 });
            }
        }
    }
}

/// One reason and what it cost.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Exclusion {
    /// The rule.
    pub reason: String,
    /// Answers that it took.
    pub answers: usize,
    /// Participants of whom no answer was left after it.
    pub participants: usize,
}

/// Applies the exclusions that the study made and then `rules`. Returns the rows kept (checks
/// included), what was counted, and why each excluded participant is out.
pub(super) fn apply<'a>(
    rows: &'a [AnswerRow],
    rules: &Rules,
) -> (Vec<&'a AnswerRow>, Counts, BTreeMap<&'a str, String>) {
    let people = |rows: &[&'a AnswerRow]| -> BTreeSet<&'a str> {
        rows.iter().map(|row| row.participant.as_str()).collect()
    };
    let mut kept: Vec<&AnswerRow> = rows.iter().collect();
    let mut counts =
        Counts { participants: people(&kept).len(), answers: rows.len(), ..Counts::default() };
    let mut out = BTreeMap::new();
    let mut exclude = |kept: &mut Vec<&'a AnswerRow>,
                       reason: &str,
                       counted: bool,
                       is_out: &dyn Fn(&AnswerRow) -> bool| {
        let before = people(kept);
        let answers = kept.len();
        kept.retain(|row| !is_out(row));
        let after = people(kept);
        let lost: Vec<_> = before.difference(&after).copied().collect();
        if counted || answers > kept.len() {
            counts.exclusions.push(Exclusion {
                reason: reason.to_owned(),
                answers: answers - kept.len(),
                participants: lost.len(),
            });
        }
        for participant in lost {
            out.insert(participant, reason.to_owned());
        }
    };

    let reasons: BTreeSet<&str> = rows.iter().filter_map(|row| row.excluded.as_deref()).collect();
    for reason in reasons {
        exclude(&mut kept, reason, true, &|row| row.excluded.as_deref() == Some(reason));
    }
    if let Some(most) = rules.max_failed_catch {
        let mut failed: BTreeMap<&str, u32> = BTreeMap::new();
        for row in kept.iter().filter(|row| row.condition == CATCH && !hit(row)) {
            *failed.entry(&row.participant).or_default() += 1;
        }
        exclude(&mut kept, &format!("more than {most} wrong catch item(s)"), true, &|row| {
            failed.get(row.participant.as_str()).is_some_and(|&count| count > most)
        });
    }
    if let Some(least) = rules.min_heard_ms {
        let reason = format!("heard or seen for less than {} s", seconds(least));
        exclude(&mut kept, &reason, true, &|row| row.heard_ms.is_some_and(|heard| heard < least));
    }
    if let Some(least) = rules.min_response_ms {
        let reason = format!("answered within {} s", seconds(least));
        exclude(&mut kept, &reason, true, &|row| row.response_ms < least);
    }
    if let Some(most) = rules.max_response_ms {
        let reason = format!("answered after more than {} s", seconds(most));
        exclude(&mut kept, &reason, true, &|row| row.response_ms > most);
    }
    if let Some(least) = rules.min_answers {
        let mut left: BTreeMap<&str, usize> = BTreeMap::new();
        for row in kept.iter().filter(|row| !is_check(row)) {
            *left.entry(&row.participant).or_default() += 1;
        }
        exclude(&mut kept, &format!("fewer than {least} answers left"), true, &|row| {
            left.get(row.participant.as_str()).is_none_or(|&count| count < least)
        });
    }
    let analyzed: Vec<&AnswerRow> = kept.iter().copied().filter(|row| !is_check(row)).collect();
    counts.participants_analyzed = people(&analyzed).len();
    counts.answers_analyzed = analyzed.len();
    counts.items_analyzed =
        analyzed.iter().map(|row| row.item.as_str()).collect::<BTreeSet<_>>().len();
    counts.catch_answers = kept.len() - analyzed.len();
    (kept, counts, out)
}

fn seconds(ms: u64) -> f64 {
    ms as f64 / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(participant: &str, condition: &str, answer: &str, response_ms: u64) -> AnswerRow {
        AnswerRow {
            participant: participant.into(),
            item: format!("{condition}-{response_ms}"),
            condition: condition.into(),
            medium: "audio".into(),
            truth: "rock".into(),
            answer: Some(answer.into()),
            rating: None,
            response_ms,
            heard_ms: Some(5000),
            stalls: Some(0),
            block: String::new(),
            position: 0,
            excluded: None,
            order: None,
            server_ms: None,
            strength: None,
        }
    }

    #[test]
    fn every_answer_is_kept_or_counted_once() {
        let mut rows = vec![
            row("careless", CATCH, "pop", 900),
            row("careless", "real", "rock", 900),
            row("good", CATCH, "rock", 900),
            row("good", "real", "rock", 900),
            row("good", "real", "pop", 100),
            row("brief", "real", "rock", 900),
            row("gone", "real", "rock", 900),
            row("good", GOLD, "pop", 900),
        ];
        rows[6].excluded = Some("withdrawn".into());
        let rules = Rules {
            max_failed_catch: Some(0),
            min_response_ms: Some(200),
            min_answers: Some(1),
            ..Rules::default()
        };
        let (kept, counts, out) = apply(&rows, &rules);
        assert_eq!(kept.len(), 4);
        let lost: Vec<_> = counts.exclusions.iter().map(|e| (e.answers, e.participants)).collect();
        assert_eq!(lost, [(1, 1), (2, 1), (1, 0), (0, 0)]);
        assert_eq!(counts.answers, kept.len() + lost.iter().map(|l| l.0).sum::<usize>());
        assert_eq!((counts.participants, counts.participants_analyzed), (4, 2));
        assert_eq!((counts.answers_analyzed, counts.catch_answers), (2, 2));
        assert_eq!(out["gone"], "withdrawn");
        assert_eq!(out.len(), 2);
        // somebody who answered nothing, for a reason that is known and for one that is not
        let mut counts = counts;
        counts.add_without_answers("withdrawn");
        counts.add_without_answers("no answer");
        let reasons: Vec<_> =
            counts.exclusions.iter().map(|e| (e.reason.as_str(), e.participants)).collect();
        assert_eq!(reasons[..2], [("no answer", 1), ("withdrawn", 2)]);
        assert_eq!((counts.participants, counts.participants_analyzed), (6, 2));
        let none = apply(&rows[..6], &Rules::default());
        assert_eq!((none.0.len(), none.1.exclusions.len()), (6, 0));
    }
}
