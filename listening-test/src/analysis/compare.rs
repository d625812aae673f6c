//! Two conditions, or two media, side by side.

use serde::{Deserialize, Serialize};
use trompe_statistics::bootstrap::{
    Clusters, Difference, Value, percentile_interval, two_way, two_way_difference, weighted_mean,
};
use trompe_statistics::{Interval, ranks};

use super::group::Group;
use super::participants::ItemReport;
use super::plan::AnalysisPlan;

/// The first condition against the second.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// Block and condition of the first.
    pub first: [String; 2],
    /// Block and condition of the second.
    pub second: [String; 2],
    /// Whether accuracies were first freed of chance, (accuracy - 1/k) / (1 - 1/k), because
    /// the numbers of classes differ.
    pub chance_corrected: bool,
    /// First accuracy less the second.
    pub difference: f64,
    /// Interval of the difference: participants resampled together for both, items apart;
    /// absent where no resample differs.
    pub interval: Option<Interval>,
    /// Two-sided p of no difference, which belongs to the interval.
    pub p: Option<f64>,
    /// `p` adjusted by Holm for all comparisons.
    pub p_holm: Option<f64>,
    /// Degrees of freedom of interval and test: one less than the fewest clusters.
    pub df: Option<f64>,
    /// Mann-Whitney p of the items' mean confidence.
    pub p_confidence: Option<f64>,
    /// Mann-Whitney p of the items' median response times.
    pub p_response_time: Option<f64>,
}

/// The values of two groups in one numbering: participants are the same people in both,
/// items are not.
pub(super) struct SideBySide {
    pub(super) a: Vec<Value>,
    pub(super) b: Vec<Value>,
    clusters: Clusters,
}

impl SideBySide {
    /// `a` and `b` are values of `first` and `second`, numbered as there.
    pub(super) fn new(first: &Group, second: &Group, a: Vec<Value>, b: Vec<Value>) -> Self {
        let mut participants = [&first.participants[..], &second.participants].concat();
        participants.sort_unstable();
        participants.dedup();
        let shift = first.items.len();
        let renumber = |group: &Group, values: Vec<Value>, shift: usize| -> Vec<Value> {
            let place = |value: Value| {
                let name = group.participants[value.participant];
                let participant = participants.binary_search(&name).unwrap_or_default();
                Value { participant, item: value.item + shift, ..value }
            };
            values.into_iter().map(place).collect()
        };
        let clusters = Clusters {
            participants: participants.len(),
            item_strata: vec![(0..shift).collect(), (shift..shift + second.items.len()).collect()],
        };
        Self { a: renumber(first, a, 0), b: renumber(second, b, shift), clusters }
    }

    /// Interval of the first mean less the second: participants resampled together for both,
    /// items apart.
    pub(super) fn interval(&self, plan: &AnalysisPlan) -> Option<Interval> {
        let draws = two_way(&self.clusters, plan.resamples, plan.seed, |weights| {
            Some(weighted_mean(&self.a, weights)? - weighted_mean(&self.b, weights)?)
        });
        percentile_interval(draws, plan.level)
    }

    /// Interval and test of the difference, by [`two_way_difference`].
    pub(super) fn test(&self, plan: &AnalysisPlan) -> Option<Difference> {
        let (a, b) = (&self.a, &self.b);
        two_way_difference(a, b, &self.clusters, plan.level, plan.resamples, plan.seed)
    }
}

pub(super) fn compare(
    first: &Group,
    second: &Group,
    items: &[ItemReport],
    plan: &AnalysisPlan,
) -> Comparison {
    let chance_corrected = first.classes.len() != second.classes.len();
    let values = |group: &Group| -> Vec<Value> {
        let scale = |value: f64| {
            if chance_corrected { (value - group.chance()) / (1.0 - group.chance()) } else { value }
        };
        let values = group.values(plan.dont_know).into_iter();
        values.map(|value| Value { value: scale(value.value), ..value }).collect()
    };
    let both = SideBySide::new(first, second, values(first), values(second));
    let mean = |values: &[Value]| {
        values.iter().map(|value| value.value).sum::<f64>() / values.len().max(1) as f64
    };
    let test = both.test(plan);
    let measure = |of: fn(&ItemReport) -> Option<f64>| {
        let sample = |group: &Group| -> Vec<f64> {
            items
                .iter()
                .filter(|item| item.block == group.block && item.condition == group.condition)
                .filter_map(of)
                .collect()
        };
        ranks::mann_whitney(&sample(first), &sample(second)).ok().map(|test| test.p)
    };
    let name = |group: &Group| [group.block.to_owned(), group.condition.to_owned()];
    Comparison {
        first: name(first),
        second: name(second),
        chance_corrected,
        difference: mean(&both.a) - mean(&both.b),
        interval: test.map(|test| test.interval),
        p: test.map(|test| test.p),
        p_holm: None,
        df: test.map(|test| test.df),
        p_confidence: measure(|item| item.mean_rating),
        p_response_time: measure(|item| item.median_response_s),
    }
}
