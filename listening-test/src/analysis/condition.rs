//! One condition (say, the excerpts of one system): accuracy, headline test, equivalence.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use trompe_statistics::bayes::{self, Estimate, Prior};
use trompe_statistics::bootstrap::{percentile_interval, two_way, weighted_mean};
use trompe_statistics::discrimination::{Strategy, abx_d_prime};
use trompe_statistics::intervals::{clopper_pearson, wilson};
use trompe_statistics::mixed_model::{ItemSpread, Posterior};
use trompe_statistics::{Interval, binomial};

use super::controls::Controls;
use super::evidence::{self, AgainstChance, Equivalence, Model};
use super::group::{ABX, Group, REAL};
use super::headphone_covariate::HeadphoneCovariate;
use super::method::Method;
use super::model_comparison::{self, ItemRow, ModelComparison};
use super::outcome::Outcome;
use super::per_class::{self, Agreement, ClassReport, Guessing};
use super::plan::{AnalysisPlan, DontKnow};
use super::rows::{hit, median};
use crate::study::Medium;

/// Every accuracy is as likely beforehand.
const UNIFORM: Prior = Prior { a: 1.0, b: 1.0 };

/// What one condition of one medium shows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ConditionReport {
    /// `audio` or `image`.
    pub medium: String,
    /// Name of the block.
    pub block: String,
    /// `real`, `fooling:<system>` or `abx`.
    pub condition: String,
    /// Classes on offer.
    pub classes: Vec<String>,
    /// 1 / number of classes.
    pub chance: f64,
    /// Participants with answers.
    pub participants: usize,
    /// Items with answers.
    pub items: usize,
    /// Answers.
    pub answers: u64,
    /// Answers equal to the label.
    pub hits: u64,
    /// Answers of "don't know".
    pub dont_know: u64,
    /// Share of credit, "don't know" counted as the plan says.
    pub accuracy: f64,
    /// Share of credit with "don't know" as a guess (1/k).
    pub accuracy_dont_know_as_guess: f64,
    /// Share of credit with "don't know" as wrong.
    pub accuracy_dont_know_as_wrong: f64,
    /// Interval of `accuracy` from resampling participants and items.
    pub bootstrap: Option<Interval>,
    /// The headline: mixed model, "don't know" as the plan says.
    pub model: Method<Model>,
    /// The same model with "don't know" counted the other way.
    pub model_other_dont_know: Method<Model>,
    /// What is claimed of the condition.
    pub outcome: Outcome,
    /// The interval behind "better than chance", and its test.
    pub against_chance: AgainstChance,
    /// The bound behind "within the margin", and its test.
    pub equivalence: Equivalence,
    /// The genuine controls behind a claim of absence.
    pub controls: Controls,
    /// Tests that assume independent answers; "don't know" counts as wrong.
    pub exact: Exact,
    /// Bayesian estimate that assumes independent answers; "don't know" counts as wrong.
    pub bayes_independent: Estimate,
    /// Bayesian estimate with participant and item effects.
    pub bayes: Method<Estimate>,
    /// How much items differ, by the same model: their accuracies, and the share below the
    /// margin.
    pub item_spread: Method<ItemSpread>,
    /// Answers by label: row = label, columns = classes, then "don't know".
    pub confusion: Vec<Vec<u64>>,
    /// Per-class rates and tests.
    pub by_class: Vec<ClassReport>,
    /// What answer bias alone explains.
    pub guessing: Guessing,
    /// Do listeners agree with each other?
    pub agreement: Agreement,
    /// Median seconds from presentation to answer.
    pub median_response_s: Option<f64>,
    /// Humans beside the classifier, where posteriors are known.
    #[serde(rename = "machine")]
    pub model_comparison: Option<ModelComparison>,
    /// Those who passed the headphone check beside those who did not, where it is a covariate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub headphones: Option<HeadphoneCovariate>,
    /// Sensitivity behind the accuracy, for ABX.
    #[serde(default)]
    pub discrimination: Option<Discrimination>,
}

impl ConditionReport {
    /// The headline estimate and its interval: the model's, or else the plain share with an
    /// exact interval.
    pub fn headline(&self) -> (f64, Interval) {
        let estimate = self.model.done().map_or(self.accuracy, |model| model.accuracy);
        (estimate, self.against_chance.interval)
    }

    /// Whether the interval alone would claim an absence that the controls do not allow.
    pub fn absence_withheld(&self) -> bool {
        let (low, high) = (self.against_chance.interval.low, self.equivalence.upper_bound);
        Outcome::of(low, high, self.chance, self.equivalence.margin) != self.outcome
    }

    /// The outcome with the numbers that it is read from, as sentences: the same on screen and
    /// on the page.
    pub fn statement(&self) -> String {
        let percent = |share: f64| format!("{:.1} %", 100.0 * share);
        let (estimate, interval) = self.headline();
        let mut text = format!(
            "{}. Accuracy {} ({} to {}), at most {}; chance is {}, the margin {}; {} of {} \
             answers equal the label.",
            self.outcome,
            percent(estimate),
            percent(interval.low),
            percent(interval.high),
            percent(self.equivalence.upper_bound),
            percent(self.chance),
            percent(self.equivalence.margin),
            self.hits,
            self.answers
        );
        if self.condition != REAL || !self.controls.suffice {
            text += &format!(" {}.", self.controls.sentence());
        }
        if self.absence_withheld() {
            text += " This study could not have shown a difference: no absence is claimed.";
        } else if self.outcome == Outcome::Undecided && !self.controls.suffice {
            text += " This study could not have shown a difference.";
        }
        text
    }
}

/// Exact tests and intervals of the count of hits. They assume independent answers, which
/// answers of the same listener or to the same item are not: intervals are too narrow and
/// p-values too small wherever listeners or items differ.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Exact {
    /// The assumption of these tests, beside the numbers.
    pub assumption: String,
    /// P(at least so many hits by chance).
    pub p_above: f64,
    /// Two-sided, by likelihood.
    pub p: f64,
    /// Clopper-Pearson interval.
    pub clopper_pearson: Interval,
    /// Wilson interval.
    pub wilson: Interval,
}

/// Sensitivity d' behind an accuracy in ABX, for listeners without bias.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Discrimination {
    /// If listeners compare differences, as expected where pairs vary.
    pub differencing: DPrime,
    /// If they weigh all sounds, the best possible.
    pub independent_observation: DPrime,
}

/// A sensitivity: that of the headline accuracy, and of the ends of its interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct DPrime {
    /// The estimate; absent if it is infinite (every answer right).
    pub estimate: Option<f64>,
    /// Lower end of the interval.
    pub low: Option<f64>,
    /// Upper end of the interval; absent if it is infinite or there is no interval.
    pub high: Option<f64>,
}

impl Discrimination {
    fn of(accuracy: f64, interval: Option<Interval>) -> Self {
        let d_prime = |strategy| DPrime {
            estimate: abx_d_prime(accuracy, strategy),
            low: interval.and_then(|interval| abx_d_prime(interval.low, strategy)),
            high: interval.and_then(|interval| abx_d_prime(interval.high, strategy)),
        };
        Self {
            differencing: d_prime(Strategy::Differencing),
            independent_observation: d_prime(Strategy::IndependentObservation),
        }
    }
}

impl Exact {
    fn of(hits: u64, total: u64, chance: f64, level: f64) -> Self {
        Self {
            assumption: "independent answers".to_owned(),
            p_above: binomial::at_least(hits, total, chance),
            p: binomial::two_sided(hits, total, chance),
            clopper_pearson: clopper_pearson(hits, total, level),
            wilson: wilson(hits, total, level),
        }
    }
}

/// `real` are the genuine controls of the same block; `passed` says who passed the headphone check, if it
/// is a covariate.
pub(super) fn report(
    group: &Group,
    real: Option<&Group>,
    item_rows: &BTreeMap<&str, &ItemRow>,
    passed: &BTreeMap<&str, bool>,
    plan: &AnalysisPlan,
) -> ConditionReport {
    let chance = group.chance();
    let total = group.rows.len() as u64;
    let hits = group.rows.iter().filter(|(_, _, row)| hit(row)).count() as u64;
    let dont_know = group.rows.iter().filter(|(_, _, row)| row.answer.is_none()).count() as u64;
    let share = |dont_know| {
        let values = group.values(dont_know);
        values.iter().map(|value| value.value).sum::<f64>() / total.max(1) as f64
    };
    let values = group.values(plan.dont_know);
    let draws = two_way(&group.clusters(), plan.resamples, plan.seed, |weights| {
        weighted_mean(&values, weights)
    });
    let region = Interval { low: 0.0, high: plan.margin_at(chance) };
    let [model, model_other_dont_know] = evidence::models(group, plan);
    let controls = Controls::of(group, real, plan);
    let models = [&model, &model_other_dont_know];
    let (outcome, against_chance, equivalence) = judge(group, models, &controls, plan);
    let posterior = Posterior::new(&group.answers(plan.dont_know));
    let bayes = posterior.as_ref().map_err(|&why| why);
    let bayes = bayes.and_then(|posterior| posterior.accuracy(chance, region, plan.level));
    let mut report = ConditionReport {
        medium: group.medium.to_owned(),
        block: group.block.to_owned(),
        condition: group.condition.to_owned(),
        classes: group.classes.iter().map(|&class| class.to_owned()).collect(),
        chance,
        participants: group.participants.len(),
        items: group.items.len(),
        answers: total,
        hits,
        dont_know,
        accuracy: share(plan.dont_know),
        accuracy_dont_know_as_guess: share(DontKnow::Guess),
        accuracy_dont_know_as_wrong: share(DontKnow::Wrong),
        bootstrap: percentile_interval(draws, plan.level),
        model,
        model_other_dont_know,
        outcome,
        against_chance,
        equivalence,
        controls,
        exact: Exact::of(hits, total, chance, plan.level),
        bayes_independent: bayes::estimate(hits, total, UNIFORM, chance, region, plan.level),
        bayes: bayes.into(),
        item_spread: posterior.map(|of| of.items(plan.margin_at(chance), plan.level)).into(),
        confusion: per_class::confusion(group).counts,
        by_class: per_class::by_class(group, plan),
        guessing: per_class::guessing(group, plan),
        agreement: per_class::agreement(group, plan),
        median_response_s: median(group.rows.iter().map(|(_, _, row)| row.response_ms)),
        model_comparison: model_comparison::beside(group, item_rows, plan),
        headphones: (group.medium == Medium::Audio.name())
            .then(|| HeadphoneCovariate::of(group, passed, plan))
            .flatten(),
        discrimination: None,
    };
    if group.condition == ABX {
        let (accuracy, interval) = report.headline();
        report.discrimination = Some(Discrimination::of(accuracy, Some(interval)));
    }
    report
}

/// The outcome of a group with these models, and what it is read from.
pub(super) fn judge(
    group: &Group,
    models: [&Method<Model>; 2],
    controls: &Controls,
    plan: &AnalysisPlan,
) -> (Outcome, AgainstChance, Equivalence) {
    let (against_chance, mut equivalence) = evidence::tests(group, models, plan);
    let (low, high) = (against_chance.interval.low, equivalence.upper_bound);
    let by_interval = Outcome::of(low, high, group.chance(), equivalence.margin);
    let outcome = if controls.suffice { by_interval } else { by_interval.without_absence() };
    equivalence.no_better_than_chance = outcome == Outcome::Within;
    (outcome, against_chance, equivalence)
}
