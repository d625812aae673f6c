//! A share of outcomes that stand or fall together by group.

use std::collections::BTreeMap;

use serde::Serialize;
use trompe_statistics::bootstrap::{Clusters, Value, percentile_interval, two_way, weighted_mean};
use trompe_statistics::intervals::clopper_pearson;

/// Confidence of the interval.
const LEVEL: f64 = 0.95;
/// Resamples of the bootstrap.
const RESAMPLES: usize = 2_000;

/// A share with its 95 % interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct GroupedShare {
    /// Outcomes that were hits.
    pub hits: usize,
    /// All outcomes.
    pub of: usize,
    /// The share.
    pub share: f64,
    /// Lower bound.
    pub low: f64,
    /// Upper bound.
    pub high: f64,
    /// Groups that the outcomes belong to.
    pub groups: usize,
}

impl GroupedShare {
    /// The share of hits among `outcomes`, each with its group, with the percentile interval of
    /// a bootstrap that draws whole groups. Where all outcomes are alike there is nothing to
    /// draw from: then it is the interval of Clopper and Pearson with groups as trials, which
    /// bounds the share because it bounds the share of groups that are so throughout. `None`
    /// without outcomes.
    pub(super) fn of<G: Ord>(
        outcomes: impl IntoIterator<Item = (G, bool)>,
        seed: u64,
    ) -> Option<Self> {
        let mut numbers = BTreeMap::new();
        let values: Vec<Value> = outcomes
            .into_iter()
            .map(|(group, hit)| {
                let next = numbers.len();
                let item = *numbers.entry(group).or_insert(next);
                Value { participant: 0, item, value: f64::from(u8::from(hit)) }
            })
            .collect();
        let (of, groups) = (values.len(), numbers.len());
        let hits = values.iter().filter(|value| value.value > 0.0).count();
        let interval = if hits == 0 || hits == of {
            clopper_pearson(if hits == 0 { 0 } else { groups as u64 }, groups as u64, LEVEL)
        } else {
            let clusters = Clusters { participants: 1, item_strata: vec![(0..groups).collect()] };
            let draws = two_way(&clusters, RESAMPLES, seed, |drawn| weighted_mean(&values, drawn));
            percentile_interval(draws, LEVEL)?
        };
        let share = hits as f64 / of as f64;
        (of > 0).then_some(Self {
            hits,
            of,
            share,
            low: interval.low.min(share),
            high: interval.high.max(share),
            groups,
        })
    }

    /// Share and interval in percent.
    pub fn percent(&self) -> String {
        let [share, low, high] =
            [self.share, self.low, self.high].map(|share| format!("{:.1}", 100.0 * share));
        format!("{share} % ({low} to {high} %)")
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn share(outcomes: &[(usize, bool)]) -> GroupedShare {
        GroupedShare::of(outcomes.iter().copied(), 1).unwrap()
    }

    #[test]
    fn the_interval_is_as_wide_as_the_groups_make_it() {
        // 20 groups of ten outcomes, alike within a group: as uncertain as 20 outcomes.
        let alike: Vec<_> = (0..200).map(|n| (n / 10, n / 10 % 2 == 0)).collect();
        let apart: Vec<_> = (0..200).map(|n| (n, n / 10 % 2 == 0)).collect();
        let (alike, apart) = (share(&alike), share(&apart));
        assert_eq!((alike.hits, alike.of, alike.share, alike.groups), (100, 200, 0.5, 20));
        // Normal approximation: 0.5 +- 1.96 * 0.5 / sqrt(groups) = 0.281 and 0.431.
        assert!((alike.low - 0.281).abs() < 0.03 && (alike.high - 0.719).abs() < 0.03, "{alike:?}");
        assert!((apart.low - 0.431).abs() < 0.02 && (apart.high - 0.569).abs() < 0.02, "{apart:?}");
    }

    #[test]
    fn outcomes_that_are_all_alike_are_as_certain_as_their_number_of_groups() {
        let none = share(&(0..50).map(|n| (n / 10, false)).collect::<Vec<_>>());
        // 1 - 0.025^(1 / 5).
        assert_eq!((none.share, none.low), (0.0, 0.0));
        assert!((none.high - 0.5218).abs() < 1e-4, "{none:?}");
        let all = share(&(0..50).map(|n| (n / 10, true)).collect::<Vec<_>>());
        assert!((all.low - 0.4782).abs() < 1e-4 && all.high == 1.0, "{all:?}");
        assert_eq!(all.percent(), "100.0 % (47.8 to 100.0 %)");
        assert_eq!(GroupedShare::of(Vec::<(usize, bool)>::new(), 1), None);
    }
}
