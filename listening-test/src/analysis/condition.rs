//! One condition (say, the excerpts of one system): accuracy, headline test, equivalence.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::exclusions::hit;
use super::genres::{self, Agreement, ClassReport, Guessing};
use super::machine::{self, ItemRow, Machine};
use super::plan::{DontKnow, Plan};
use crate::answers::AnswerRow;
use crate::statistics::bayes::{self, Estimate, Prior};
use crate::statistics::bootstrap::{Clusters, Value, percentile_interval, two_way, weighted_mean};
use crate::statistics::discrimination::{Strategy, abx_d_prime};
use crate::statistics::intervals::{clopper_pearson, wilson};
use crate::statistics::mixed_model::{AccuracyModel, Answers, calibrated_upper_bound, posterior};
use crate::statistics::{Interval, binomial};

/// Condition of ABX trials.
pub(super) const ABX: &str = "abx";

/// Every accuracy is as likely beforehand.
const UNIFORM: Prior = Prior { a: 1.0, b: 1.0 };

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
    /// Is the condition no better than chance, but for the margin?
    pub equivalence: Equivalence,
    /// Tests that assume independent answers; "don't know" counts as wrong.
    pub exact: Exact,
    /// Bayesian estimate that assumes independent answers; "don't know" counts as wrong.
    pub bayes_independent: Estimate,
    /// Bayesian estimate with participant and item effects.
    pub bayes: Method<Estimate>,
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
    pub machine: Option<Machine>,
    /// Sensitivity behind the accuracy, for ABX.
    #[serde(default)]
    pub discrimination: Option<Discrimination>,
}

impl ConditionReport {
    /// The headline estimate and its interval: the model's, or else the plain share with its
    /// bootstrap interval.
    pub fn headline(&self) -> (f64, Option<Interval>) {
        match self.model.done() {
            Some(model) => (model.accuracy, Some(model.interval)),
            None => (self.accuracy, self.bootstrap),
        }
    }

    /// What the condition shows at level `alpha`, in words. Where the model is not defined,
    /// only the interval from resampling can tell that people are better than chance.
    pub fn verdict(&self, alpha: f64) -> &'static str {
        let by_model = self.model.done().map(|model| model.p_above <= alpha);
        let resampled = self.bootstrap.is_some_and(|interval| interval.low > self.chance);
        match by_model {
            _ if self.equivalence.no_better_than_chance => "no better than chance",
            Some(true) => "better than chance",
            None if resampled => "better than chance by resampling, without a model",
            _ => "undecided",
        }
    }
}

/// A result, or why there is none.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Method<T> {
    /// The result.
    Done(T),
    /// Why these data do not define one.
    NotDefined(String),
}

impl<T> Method<T> {
    /// The result, if there is one.
    pub fn done(&self) -> Option<&T> {
        match self {
            Self::Done(result) => Some(result),
            Self::NotDefined(_) => None,
        }
    }
}

/// Logistic mixed model with crossed random intercepts of participants and items.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Model {
    /// Accuracy of the average listener on the average item.
    pub accuracy: f64,
    /// Its profile-likelihood interval.
    pub interval: Interval,
    /// Intercept on the logit scale: the median listener on the median item.
    pub intercept: f64,
    /// Standard deviation of participants on the logit scale.
    pub participant_sd: f64,
    /// Standard deviation of items on the logit scale.
    pub item_sd: f64,
    /// Maximum of the log-likelihood.
    pub log_likelihood: f64,
    /// Statistic of "the accuracy is chance".
    pub t: f64,
    /// Its degrees of freedom.
    pub df: f64,
    /// p-value of "not above chance", one-sided: the headline test.
    pub p_above: f64,
    /// Two-sided p-value.
    pub p: f64,
    /// One-sided upper bound at 1 - alpha, calibrated by simulated studies; absent if too few
    /// of these had a model.
    pub upper_bound: Option<f64>,
}

/// "No better than chance": the upper bound of the accuracy lies below the margin.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Equivalence {
    /// Accuracy that would count as better than chance: the plan's margin times chance.
    pub margin: f64,
    /// One-sided upper bound: the larger of both ways to count "don't know".
    pub upper_bound: f64,
    /// Whether the bound lies below the margin.
    pub no_better_than_chance: bool,
    /// How the bound was found.
    pub method: String,
}

/// Exact tests and intervals of the count of hits. They assume independent answers, which
/// answers of the same listener or to the same item are not: intervals are too narrow and
/// p-values too small wherever listeners or items differ.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Exact {
    /// The assumption, for whoever reads only the numbers.
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

pub(super) fn report(
    group: &Group,
    machine: &BTreeMap<&str, &ItemRow>,
    plan: &Plan,
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
    let region = Interval { low: 0.0, high: plan.margin * chance };
    let [model, model_other_dont_know] = models(group, plan);
    let equivalence = equivalence(group, [&model, &model_other_dont_know], plan);
    let bayes = posterior(&group.answers(plan.dont_know), chance, region, plan.level);
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
        equivalence,
        exact: Exact::of(hits, total, chance, plan.level),
        bayes_independent: bayes::estimate(hits, total, UNIFORM, chance, region, plan.level),
        bayes: match bayes {
            Ok(estimate) => Method::Done(estimate),
            Err(why) => Method::NotDefined(why.0.to_owned()),
        },
        confusion: genres::confusion(group).counts,
        by_class: genres::by_class(group, plan),
        guessing: genres::guessing(group, plan),
        agreement: genres::agreement(group, plan),
        median_response_s: median(group.rows.iter().map(|(_, _, row)| row.response_ms)),
        machine: machine::beside(group, machine, plan),
        discrimination: None,
    };
    if group.condition == ABX {
        let (accuracy, interval) = report.headline();
        report.discrimination = Some(Discrimination::of(accuracy, interval));
    }
    report
}

/// The mixed model with "don't know" counted as the plan says, and the other way.
pub(super) fn models(group: &Group, plan: &Plan) -> [Method<Model>; 2] {
    let other = match plan.dont_know {
        DontKnow::Guess => DontKnow::Wrong,
        DontKnow::Wrong => DontKnow::Guess,
    };
    let first = model(&group.answers(plan.dont_know), group.chance(), plan);
    let all_answered = group.rows.iter().all(|(_, _, row)| row.answer.is_some());
    let second = if all_answered {
        first.clone()
    } else {
        model(&group.answers(other), group.chance(), plan)
    };
    [first, second]
}

fn model(answers: &Answers, chance: f64, plan: &Plan) -> Method<Model> {
    let fit = || {
        let mut model = AccuracyModel::fit(answers)?;
        let test = model.test(chance)?;
        Ok(Model {
            accuracy: model.accuracy(),
            interval: model.interval(plan.level)?,
            intercept: model.intercept(),
            participant_sd: model.participant_sd(),
            item_sd: model.item_sd(),
            log_likelihood: model.log_likelihood(),
            t: test.t,
            df: test.df,
            p_above: test.p_above,
            p: test.p,
            upper_bound: calibrated_upper_bound(
                &mut model,
                answers,
                1.0 - plan.alpha,
                plan.simulations,
                plan.seed,
            )
            .ok(),
        })
    };
    match fit() {
        Ok(model) => Method::Done(model),
        Err(crate::statistics::Undefined(why)) => Method::NotDefined(why.to_owned()),
    }
}

pub(super) fn equivalence(group: &Group, models: [&Method<Model>; 2], plan: &Plan) -> Equivalence {
    let margin = plan.margin * group.chance();
    let bounds: Option<Vec<f64>> = models.iter().map(|model| model.done()?.upper_bound).collect();
    let (upper_bound, method) = match bounds {
        Some(bounds) => {
            let method = "mixed model, calibrated by simulated studies".to_owned();
            (bounds.into_iter().fold(0.0, f64::max), method)
        }
        None => {
            // Where the model has no bound (nobody was ever right), the surest statement
            // left treats the fewer of listeners and items as if each answered once.
            let clusters = group.participants.len().min(group.items.len()) as u64;
            let credit: f64 = group.values(DontKnow::Guess).iter().map(|value| value.value).sum();
            let share = credit / group.rows.len().max(1) as f64;
            let hits = libm::ceil(share * clusters as f64) as u64;
            let level = 1.0 - 2.0 * plan.alpha;
            (
                clopper_pearson(hits.min(clusters), clusters, level).high,
                format!("exact bound with {clusters} clusters in place of the answers"),
            )
        }
    };
    let no_better_than_chance = upper_bound < margin;
    Equivalence { margin, upper_bound, no_better_than_chance, method }
}

/// Median of milliseconds, in seconds.
pub(super) fn median(ms: impl Iterator<Item = u64>) -> Option<f64> {
    let mut sorted: Vec<f64> = ms.map(|ms| ms as f64 / 1000.0).collect();
    sorted.sort_by(f64::total_cmp);
    crate::statistics::bootstrap::quantile(&sorted, 0.5)
}
