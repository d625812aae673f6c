//! The numbers that an outcome is read from: the model's interval, its upper bound, and the
//! p-values that belong to them.

use serde::{Deserialize, Serialize};
use trompe_statistics::intervals::clopper_pearson;
use trompe_statistics::mixed_model::{AccuracyModel, Answers, SimulatedStudies};
use trompe_statistics::{Interval, Undefined, binomial};

use super::group::Group;
use super::method::Method;
use super::plan::{AnalysisPlan, DontKnow};

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
    /// One-sided p-value of "not above chance".
    pub p_above: f64,
    /// Two-sided p-value, which belongs to the interval.
    pub p: f64,
    /// One-sided upper bound at 1 - alpha, calibrated by simulated studies; absent if too few
    /// of these had a model.
    pub upper_bound: Option<f64>,
    /// One-sided p-value of "the accuracy reaches the margin", from the same simulated studies.
    #[serde(default)]
    pub p_margin: Option<f64>,
}

/// Test of "the accuracy is chance" and the interval that belongs to it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AgainstChance {
    /// Two-sided interval of the accuracy: its lower end decides "better than chance".
    pub interval: Interval,
    /// Two-sided p-value of chance.
    pub p: f64,
    /// `p` adjusted by Holm for all claims of the report.
    pub p_holm: Option<f64>,
}

/// Test of "the accuracy reaches the margin" and the bound that belongs to it: the upper of the
/// two one-sided tests (TOST). The lower one is left out, because accuracies below chance count
/// as within the margin.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Equivalence {
    /// The margin as an accuracy.
    pub margin: f64,
    /// One-sided upper bound: the larger of both ways to count "don't know".
    pub upper_bound: f64,
    /// Whether the outcome is "within the margin".
    pub no_better_than_chance: bool,
    /// How the bound was found.
    pub method: String,
    /// One-sided p-value of "the accuracy reaches the margin".
    pub p: f64,
    /// `p` adjusted by Holm for all claims of the report.
    pub p_holm: Option<f64>,
}

/// The mixed model with "don't know" counted as the plan says, and the other way.
pub(super) fn models(group: &Group, plan: &AnalysisPlan) -> [Method<Model>; 2] {
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

fn model(answers: &Answers, chance: f64, plan: &AnalysisPlan) -> Method<Model> {
    let fit = || -> std::result::Result<Model, Undefined> {
        let mut model = AccuracyModel::fit(answers)?;
        let test = model.test(chance)?;
        let level = 1.0 - plan.alpha;
        let simulated =
            SimulatedStudies::new(&mut model, answers, level, plan.simulations, plan.seed).ok();
        let at_margin = model.statistic(plan.margin_at(chance)).ok();
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
            upper_bound: simulated
                .as_ref()
                .and_then(|simulated| simulated.upper_bound(&mut model, level).ok()),
            p_margin: simulated.zip(at_margin).map(|(simulated, t)| simulated.p_below(t)),
        })
    };
    fit().into()
}

/// Accuracy and two-sided interval of a group: the model's, or else those of [`Clustered`].
pub(super) fn accuracy(group: &Group, plan: &AnalysisPlan) -> (f64, Interval) {
    let answers = group.answers(plan.dont_know);
    let by_model = || {
        let mut model = AccuracyModel::fit(&answers)?;
        Ok::<_, Undefined>((model.accuracy(), model.interval(plan.level)?))
    };
    by_model().unwrap_or_else(|_| {
        let share = answers.hits() / answers.len().max(1) as f64;
        (share, Clustered::of(group, plan.dont_know).interval(plan.level))
    })
}

/// The interval and the bound of a group with these models. The outcome is not known yet.
pub(super) fn tests(
    group: &Group,
    models: [&Method<Model>; 2],
    plan: &AnalysisPlan,
) -> (AgainstChance, Equivalence) {
    let (chance, margin) = (group.chance(), plan.margin_at(group.chance()));
    let against_chance = match models[0].done() {
        Some(model) => AgainstChance { interval: model.interval, p: model.p, p_holm: None },
        None => {
            let clustered = Clustered::of(group, plan.dont_know);
            let (interval, p) = (clustered.interval(plan.level), clustered.p_chance(chance));
            AgainstChance { interval, p, p_holm: None }
        }
    };
    let bounds: Option<Vec<(f64, f64)>> = models
        .iter()
        .map(|model| model.done().and_then(|model| Some((model.upper_bound?, model.p_margin?))))
        .collect();
    let (upper_bound, p, method) = match bounds {
        Some(bounds) => (
            bounds.iter().map(|bound| bound.0).fold(0.0, f64::max),
            bounds.iter().map(|bound| bound.1).fold(0.0, f64::max),
            "mixed model, calibrated by simulated studies".to_owned(),
        ),
        None => {
            let clustered = Clustered::of(group, DontKnow::Guess);
            (
                clustered.interval(1.0 - 2.0 * plan.alpha).high,
                binomial::cdf(clustered.hits_up, clustered.total, margin),
                format!("exact bound with {} clusters in place of the answers", clustered.total),
            )
        }
    };
    let no_better_than_chance = false;
    let equivalence =
        Equivalence { margin, upper_bound, no_better_than_chance, method, p, p_holm: None };
    (against_chance, equivalence)
}

/// The conservative estimate for data without a mixed model (for instance without any hit): each listener, or
/// each item if these are fewer, counts as one answer.
struct Clustered {
    /// Hits rounded down: for what must lie above something.
    hits_down: u64,
    /// Hits rounded up: for what must lie below something.
    hits_up: u64,
    total: u64,
}

impl Clustered {
    fn of(group: &Group, dont_know: DontKnow) -> Self {
        let total = group.participants.len().min(group.items.len()) as u64;
        let answers = group.answers(dont_know);
        let hits = answers.hits() / answers.len().max(1) as f64 * total as f64;
        // A share of hits that is exact in theory may miss its number by rounding.
        let near = libm::round(hits);
        let hits = if (hits - near).abs() < 1e-9 { near } else { hits };
        let (hits_down, hits_up) = (libm::floor(hits) as u64, libm::ceil(hits) as u64);
        Self { hits_down: hits_down.min(total), hits_up: hits_up.min(total), total }
    }

    fn interval(&self, level: f64) -> Interval {
        Interval {
            low: clopper_pearson(self.hits_down, self.total, level).low,
            high: clopper_pearson(self.hits_up, self.total, level).high,
        }
    }

    /// Two-sided: twice the smaller tail, as in the interval of Clopper and Pearson.
    fn p_chance(&self, chance: f64) -> f64 {
        let above = binomial::at_least(self.hits_down, self.total, chance);
        let below = binomial::cdf(self.hits_up, self.total, chance);
        (2.0 * above.min(below)).min(1.0)
    }
}
