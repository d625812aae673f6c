//! The headphone check as a covariate: do those who passed it answer otherwise?

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use trompe_statistics::mixed_model::{fit, likelihood_ratio, marginal_accuracy};
use trompe_statistics::{Interval, Undefined};

use super::group::Group;
use super::method::Method;
use super::plan::AnalysisPlan;
use super::rows::hit;

/// Listeners who passed the headphone check beside those who did not, in one condition.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HeadphoneCovariate {
    /// Those who passed.
    pub passed: Listeners,
    /// Those who did not.
    pub failed: Listeners,
    /// The mixed model with passing as a fixed effect: answer ~ 1 + passed + (1 | listener) + (1 | item).
    pub model: Method<HeadphoneModel>,
}

/// Some listeners of a condition.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listeners {
    /// How many.
    pub listeners: usize,
    /// Their answers.
    pub answers: u64,
    /// Those equal to the label.
    pub hits: u64,
}

/// The effect of passing.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct HeadphoneModel {
    /// Difference of the log-odds of a hit, passed less failed.
    pub log_odds: f64,
    /// Its Wald interval.
    pub interval: Interval,
    /// p-value of "no effect", by the likelihood ratio to the model without it.
    pub p: f64,
    /// Accuracy of the average listener who passed, on the average item.
    pub accuracy_passed: f64,
    /// Accuracy of the average listener who did not.
    pub accuracy_failed: f64,
}

impl HeadphoneCovariate {
    /// Of a condition, where `passed` says who passed; `None` where it knows none of the listeners.
    pub(super) fn of(
        group: &Group,
        passed: &BTreeMap<&str, bool>,
        plan: &AnalysisPlan,
    ) -> Option<Self> {
        let known: Vec<Option<bool>> =
            group.participants.iter().map(|name| passed.get(name).copied()).collect();
        let of = |which: bool| {
            let is = |listener: usize| known[listener] == Some(which);
            let rows = || group.rows.iter().filter(|(listener, _, _)| is(*listener));
            Listeners {
                listeners: (0..known.len()).filter(|&listener| is(listener)).count(),
                answers: rows().count() as u64,
                hits: rows().filter(|(_, _, row)| hit(row)).count() as u64,
            }
        };
        known.iter().any(Option::is_some).then(|| Self {
            passed: of(true),
            failed: of(false),
            model: effect(group, &known, plan).into(),
        })
    }

    /// In words, for the page.
    pub fn in_words(&self) -> String {
        let count = |of: &Listeners, what: &str| {
            format!(
                "{} listeners {what}, {} of {} answers equal the label",
                of.listeners, of.hits, of.answers
            )
        };
        let model = match &self.model {
            Method::Done(model) => format!(
                "effect of passing {:+.2} on the logit scale ({:+.2} to {:+.2}), p = {:.3}; accuracy {:.1} % passed, {:.1} % failed",
                model.log_odds,
                model.interval.low,
                model.interval.high,
                model.p,
                100.0 * model.accuracy_passed,
                100.0 * model.accuracy_failed
            ),
            Method::NotDefined(why) => why.clone(),
        };
        format!("{}; {}; {model}", count(&self.passed, "passed"), count(&self.failed, "failed"))
    }
}

/// Answers of listeners whose check is not known are left out of both models.
fn effect(
    group: &Group,
    known: &[Option<bool>],
    plan: &AnalysisPlan,
) -> Result<HeadphoneModel, Undefined> {
    for (which, why) in [
        (true, "nobody passed, so that the check explains nothing"),
        (false, "everybody passed, so that the check explains nothing"),
    ] {
        if !known.contains(&Some(which)) {
            return Err(Undefined(why));
        }
    }
    let mut answers = trompe_statistics::mixed_model::Answers::default();
    let (mut with, mut without) = (Vec::new(), Vec::new());
    for &(listener, item, row) in &group.rows {
        if let Some(passed) = known[listener] {
            answers.push(listener, item, group.credit(row, plan.dont_know));
            with.push(vec![1.0, f64::from(u8::from(passed))]);
            without.push(vec![1.0]);
        }
    }
    let large = fit(&answers, &with, plan.level)?;
    let small = fit(&answers, &without, plan.level)?;
    let effect = &large.effects[1];
    let accuracy = |log_odds| marginal_accuracy(log_odds, large.participant_sd, large.item_sd);
    Ok(HeadphoneModel {
        log_odds: effect.estimate,
        interval: effect.interval,
        p: likelihood_ratio(&large, &small).p,
        accuracy_passed: accuracy(large.effects[0].estimate + effect.estimate),
        accuracy_failed: accuracy(large.effects[0].estimate),
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::answers::AnswerRow;

    /// Thirty listeners on twelve items of two classes: the first half answers rightly eleven times of twelve,
    /// the other half seven times.
    fn rows() -> Vec<AnswerRow> {
        let mut rows = Vec::new();
        for listener in 0..30 {
            for item in 0..12 {
                let right = if listener < 15 { 11 } else { 7 };
                let answer = if (item + listener) % 12 < right { "a" } else { "b" };
                rows.push(AnswerRow {
                    participant: format!("p{listener:02}"),
                    item: format!("i{item:02}"),
                    condition: "real".into(),
                    medium: "audio".into(),
                    truth: "a".into(),
                    answer: Some(answer.into()),
                    rating: None,
                    response_ms: 5_000,
                    heard_ms: None,
                    stalls: None,
                    block: "audio".into(),
                    position: item,
                    excluded: None,
                    order: None,
                    server_ms: None,
                    strength: None,
                });
            }
        }
        rows
    }

    #[test]
    fn an_effect_of_passing_is_found_and_its_sides_are_counted() {
        let rows = rows();
        let rows: Vec<&AnswerRow> = rows.iter().collect();
        let group = Group::new(&rows, vec!["a", "b"]).unwrap();
        let names: Vec<String> = (0..30).map(|n| format!("p{n:02}")).collect();
        let passed = |least: usize| {
            names.iter().enumerate().map(move |(n, name)| (name.as_str(), n < least)).collect()
        };
        let plan = AnalysisPlan::default();
        let found = HeadphoneCovariate::of(&group, &passed(15), &plan).unwrap();
        assert_eq!(found.passed, Listeners { listeners: 15, answers: 180, hits: 165 });
        assert_eq!(found.failed, Listeners { listeners: 15, answers: 180, hits: 105 });
        let model = found.model.done().unwrap();
        // ln(11) - ln(7 / 5), where neither listeners nor items differ beyond chance.
        assert!((model.log_odds - 2.061).abs() < 0.02, "{model:?}");
        assert!(model.p < 1e-9 && model.interval.low > 1.0);
        assert!((model.accuracy_passed - 11.0 / 12.0).abs() < 0.01);
        assert!((model.accuracy_failed - 7.0 / 12.0).abs() < 0.01);
        let all = HeadphoneCovariate::of(&group, &passed(30), &plan).unwrap();
        assert!(all.model.done().is_none() && all.in_words().contains("everybody passed"));
        assert_eq!(HeadphoneCovariate::of(&group, &BTreeMap::new(), &plan), None);
    }
}
