//! Ratings on a Likert scale: how they are spread, and how conditions differ.

use serde::{Deserialize, Serialize};
use trompe_statistics::bootstrap::{Value, percentile_interval, quantile, two_way, weighted_mean};
use trompe_statistics::multiple::holm;
use trompe_statistics::{Interval, ranks};

use super::compare::SideBySide;
use super::group::Group;
use super::plan::AnalysisPlan;

/// Condition of ratings: `likert`, or `likert:<name>`.
pub(super) const LIKERT: &str = "likert";

/// Ratings of one condition.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RatingReport {
    /// `audio` or `image`.
    pub medium: String,
    /// Name of the block.
    pub block: String,
    /// The condition.
    pub condition: String,
    /// Participants with ratings.
    pub participants: usize,
    /// Items with ratings.
    pub items: usize,
    /// Ratings of each step of the scale, from 1.
    pub distribution: Vec<u64>,
    /// Median rating.
    pub median: f64,
    /// Lower and upper quartile.
    pub quartiles: Interval,
    /// Mean rating.
    pub mean: f64,
    /// Interval of the mean from resampling participants and items.
    pub bootstrap: Option<Interval>,
}

/// The ratings of one condition against another's, by the same participants.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RatingDifference {
    /// Block and condition of the first.
    pub first: [String; 2],
    /// Block and condition of the second.
    pub second: [String; 2],
    /// Participants who rated both.
    pub participants: usize,
    /// First mean less the second, of the means of these participants.
    pub difference: f64,
    /// Interval of the difference of all ratings' means: participants resampled together for
    /// both conditions, items apart.
    pub interval: Option<Interval>,
    /// Two-sided p of Wilcoxon's signed-rank test of the participants' mean ratings. It speaks
    /// of other listeners and these items.
    pub p: Option<f64>,
    /// `p` adjusted by Holm for all differences.
    pub p_holm: Option<f64>,
}

/// A condition with its ratings by participant and item.
pub(super) struct Rated<'a> {
    group: Group<'a>,
    values: Vec<Value>,
    steps: u32,
}

impl<'a> Rated<'a> {
    /// `steps` of the scale, at least as many as the highest rating.
    pub(super) fn new(group: Group<'a>, steps: Option<u32>) -> Self {
        let values: Vec<Value> = group
            .rows
            .iter()
            .filter_map(|&(participant, item, row)| {
                Some(Value { participant, item, value: row.rating? })
            })
            .collect();
        let highest = values.iter().map(|value| value.value).fold(1.0, f64::max) as u32;
        Self { group, values, steps: steps.unwrap_or(highest).max(highest) }
    }

    fn name(&self) -> [String; 2] {
        [self.group.block.to_owned(), self.group.condition.to_owned()]
    }

    /// Mean rating of each participant, by name.
    fn means(&self) -> Vec<(&'a str, f64)> {
        let mean = |(place, name): (usize, &&'a str)| {
            let own = || self.values.iter().filter(move |value| value.participant == place);
            let count = own().count();
            (count > 0).then(|| (*name, own().map(|value| value.value).sum::<f64>() / count as f64))
        };
        self.group.participants.iter().enumerate().filter_map(mean).collect()
    }
}

pub(super) fn report(rated: &Rated, plan: &AnalysisPlan) -> RatingReport {
    let Rated { group, values, steps } = rated;
    let mut sorted: Vec<f64> = values.iter().map(|value| value.value).collect();
    sorted.sort_by(f64::total_cmp);
    let at = |p| quantile(&sorted, p).unwrap_or(f64::NAN);
    let step = |step: u32| sorted.iter().filter(|&&rating| rating == f64::from(step)).count();
    let draws = two_way(&group.clusters(), plan.resamples, plan.seed, |weights| {
        weighted_mean(values, weights)
    });
    RatingReport {
        medium: group.medium.to_owned(),
        block: group.block.to_owned(),
        condition: group.condition.to_owned(),
        participants: group.participants.len(),
        items: group.items.len(),
        distribution: (1..=*steps).map(|rating| step(rating) as u64).collect(),
        median: at(0.5),
        quartiles: Interval { low: at(0.25), high: at(0.75) },
        mean: mean(values),
        bootstrap: percentile_interval(draws, plan.level),
    }
}

/// All pairs of conditions of one medium and scale.
pub(super) fn differences(rated: &[Rated], plan: &AnalysisPlan) -> Vec<RatingDifference> {
    let mut found = Vec::new();
    for (place, first) in rated.iter().enumerate() {
        for second in &rated[place + 1..] {
            if first.group.medium == second.group.medium && first.steps == second.steps {
                found.push(difference(first, second, plan));
            }
        }
    }
    let p: Vec<f64> = found.iter().filter_map(|difference| difference.p).collect();
    let mut adjusted = holm(&p).into_iter();
    for difference in found.iter_mut().filter(|difference| difference.p.is_some()) {
        difference.p_holm = adjusted.next();
    }
    found
}

fn difference(first: &Rated, second: &Rated, plan: &AnalysisPlan) -> RatingDifference {
    let others = second.means();
    let paired: Vec<f64> = first
        .means()
        .into_iter()
        .filter_map(|(name, mean)| {
            let place = others.binary_search_by(|other| other.0.cmp(name)).ok()?;
            Some(mean - others[place].1)
        })
        .collect();
    let values = (first.values.clone(), second.values.clone());
    let both = SideBySide::new(&first.group, &second.group, values.0, values.1);
    RatingDifference {
        first: first.name(),
        second: second.name(),
        participants: paired.len(),
        difference: paired.iter().sum::<f64>() / paired.len().max(1) as f64,
        interval: both.interval(plan),
        p: ranks::wilcoxon(&paired).ok().map(|test| test.p),
        p_holm: None,
    }
}

fn mean(values: &[Value]) -> f64 {
    values.iter().map(|value| value.value).sum::<f64>() / values.len().max(1) as f64
}
