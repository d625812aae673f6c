//! Shares with their intervals.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use trompe_statistics::Interval;
use trompe_statistics::groups::resampled_interval;
use trompe_statistics::intervals::clopper_pearson;

/// Confidence of every interval.
pub(super) const CONFIDENCE: f64 = 0.95;
/// Resamples of an interval (our choice).
pub(super) const RESAMPLES: usize = 999;
/// Seed of resamples: the same numbers give the same intervals.
pub(super) const SEED: u64 = 0x6765_6e75;

/// A share of some items, with its 95 % interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ShareReached {
    /// Items that reach it.
    pub reached: u64,
    /// All items.
    pub of: u64,
    /// The share.
    pub share: f64,
    /// Lower bound.
    pub low: f64,
    /// Upper bound.
    pub high: f64,
}

/// The same, where there may be no items.
pub type Share = Option<ShareReached>;

impl ShareReached {
    pub(super) fn new(reached: u64, of: u64, interval: Interval) -> Share {
        let share = reached as f64 / of as f64;
        let (low, high) = (interval.low.min(share), interval.high.max(share));
        (of > 0).then_some(Self { reached, of, share, low, high })
    }
}

/// A share of outcomes that stand or fall together by group, given as (group, outcome). Its interval is
/// by resampling groups.
pub fn grouped_share(outcomes: &[(usize, bool)]) -> Share {
    let of = outcomes.len() as u64;
    let hits = outcomes.iter().filter(|(_, hit)| *hit).count() as u64;
    // Groups by number, and how many outcomes and hits each has.
    let mut groups: BTreeMap<usize, (f64, f64)> = BTreeMap::new();
    for (group, hit) in outcomes {
        let (total, hits) = groups.entry(*group).or_default();
        *total += 1.0;
        *hits += f64::from(u8::from(*hit));
    }
    let sums: Vec<(f64, f64)> = groups.into_values().collect();
    let trials = sums.len() as u64;
    let interval = if hits == 0 || hits == of {
        // Nothing to draw from: the share of groups that are so throughout bounds the share.
        clopper_pearson(if hits == 0 { 0 } else { trials }, trials, CONFIDENCE)
    } else {
        let strata = [(0..sums.len()).collect()];
        let share = |weights: &[f64]| {
            let pairs = || sums.iter().zip(weights);
            let total: f64 = pairs().map(|((total, _), weight)| weight * total).sum();
            let hits: f64 = pairs().map(|((_, hits), weight)| weight * hits).sum();
            (total > 0.0).then_some(hits / total)
        };
        resampled_interval(&strata, CONFIDENCE, RESAMPLES, SEED, share)
            .unwrap_or(Interval { low: 0.0, high: 1.0 })
    };
    ShareReached::new(hits, of, interval)
}
