//! Intervals and medians for reports of runs.

use serde::{Deserialize, Serialize};
use trompe_statistics::intervals::wilson;

use crate::log_odds::Labelling;

/// A share with Wilson's 95 % interval, which takes the things counted for independent.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Share {
    /// How many have it.
    pub count: u64,
    /// Of how many; at least 1.
    pub of: u64,
    /// The share.
    pub share: f64,
    /// Lower bound.
    pub low: f64,
    /// Upper bound.
    pub high: f64,
}

impl Share {
    /// `count` of `of`; `None` of nothing.
    pub fn new(count: u64, of: u64) -> Option<Self> {
        let (low, high) = wilson_95(count, of);
        (of > 0).then(|| Self { count, of, share: count as f64 / of as f64, low, high })
    }
}

/// The share of independent samples together. Its interval is made of theirs: weighted distances from
/// the share to a bound are added in squares (Zou & Donner, *Construction of confidence limits about
/// effect measures*, Statistics in Medicine 27, 2008). `None` of nothing.
fn pooled(samples: &[Share]) -> Option<Share> {
    let count: u64 = samples.iter().map(|sample| sample.count).sum();
    let of: u64 = samples.iter().map(|sample| sample.of).sum();
    let distance = |bound: fn(&Share) -> f64| {
        let square = |sample: &Share| {
            let weight = sample.of as f64 / of as f64;
            let distance = weight * (sample.share - bound(sample));
            distance * distance
        };
        libm::sqrt(samples.iter().map(square).sum())
    };
    (of > 0).then(|| {
        let share = count as f64 / of as f64;
        let low = (share - distance(|sample| sample.low)).max(0.0);
        let high = (share + distance(|sample| sample.high)).min(1.0);
        Share { count, of, share, low, high }
    })
}

/// The share of random candidates of every seed. Where a victim names tags, its interval is made of
/// those of the seeds, which know that the tags of one candidate stand or fall together.
pub fn of_all_seeds(labelling: Labelling, seeds: &[Share]) -> Option<Share> {
    match labelling {
        Labelling::Single => {
            let sum = |of: fn(&Share) -> u64| seeds.iter().map(of).sum();
            Share::new(sum(|share| share.count), sum(|share| share.of))
        }
        Labelling::Multi => pooled(seeds),
    }
}

/// Wilson's 95 % score interval for a share, as (lowest, highest): for `successes` of
/// `trials` (Wilson 1927; without continuity correction). With no trials nothing is known:
/// (0, 1).
pub fn wilson_95(successes: u64, trials: u64) -> (f64, f64) {
    let interval = wilson(successes.min(trials), trials, 0.95);
    (interval.low, interval.high)
}

/// Kaplan and Meier's (1958) estimate of the share still without an event, with
/// right-censoring, as (time, share after it) at every time that had one. Each entry of
/// `times` is a time and whether the event happened then (`true`) or observation ended
/// (`false`); an event counts before a censoring at the same time.
pub fn kaplan_meier(times: &[(u64, bool)]) -> Vec<(u64, f64)> {
    let mut sorted = times.to_vec();
    sorted.sort_by_key(|&(time, event)| (time, !event));
    let mut steps = Vec::new();
    let mut without = 1.0;
    let mut at_risk = sorted.len();
    for stretch in sorted.chunk_by(|a, b| a.0 == b.0) {
        let events = stretch.iter().filter(|(_, event)| *event).count();
        if events > 0 {
            without *= (at_risk - events) as f64 / at_risk as f64;
            steps.push((stretch[0].0, without));
        }
        at_risk -= stretch.len();
    }
    steps
}

/// Median time to an event by [`kaplan_meier`]: the earliest time at which the estimated
/// share without the event is at most a half. `None` if more than half never had it.
pub fn kaplan_meier_median(times: &[(u64, bool)]) -> Option<u64> {
    // A product that is a half up to its rounding is a half.
    let half = |&(_, without): &(u64, f64)| without <= 0.5 + 1e-12;
    kaplan_meier(times).into_iter().find(half).map(|(time, _)| time)
}

/// Median of posteriors; the mean of the middle two of an even number. `None` of nothing.
pub fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let upper = *sorted.get(sorted.len() / 2)?;
    if sorted.len() % 2 == 1 {
        return Some(upper);
    }
    Some((sorted[sorted.len() / 2 - 1] + upper) / 2.0)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use approx::assert_abs_diff_eq;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn pooled_samples_have_a_narrower_interval_around_their_common_share() {
        let sample =
            |count, share| Share { count, of: 100, share, low: share - 0.1, high: share + 0.1 };
        let one = sample(20, 0.2);
        let alone = pooled(&[one]).unwrap();
        assert_abs_diff_eq!(alone.low, one.low, epsilon = 1e-12);
        assert_abs_diff_eq!(alone.high, one.high, epsilon = 1e-12);
        let two = pooled(&[one, sample(40, 0.4)]).unwrap();
        assert_eq!((two.count, two.of), (60, 200));
        assert_abs_diff_eq!(two.share, 0.3, epsilon = 1e-12);
        assert_abs_diff_eq!(two.high - 0.3, 0.1 / 2f64.sqrt(), epsilon = 1e-12);
        assert_abs_diff_eq!(0.3 - two.low, 0.1 / 2f64.sqrt(), epsilon = 1e-12);
        assert_eq!(pooled(&[]), None);
    }

    /// Computed by SciPy 1.17.1, `binomtest(k, n).proportion_ci(method="wilson")`.
    #[test]
    fn wilson_agrees_with_scipy() {
        for (successes, trials, low, high) in [
            (0, 1, 0.0, 0.7934506856227626),
            (1, 1, 0.20654931437723745, 1.0),
            (3, 1000, 0.0010207838811386186, 0.008783014053503173),
            (20, 20, 0.8388748419471808, 1.0),
            (7, 100_000, 3.390903779016497e-05, 0.000144498696957113),
        ] {
            let interval = wilson_95(successes, trials);
            assert_abs_diff_eq!(interval.0, low, epsilon = 1e-12);
            assert_abs_diff_eq!(interval.1, high, epsilon = 1e-12);
        }
    }

    /// Newcombe 1998, "Two-sided confidence intervals for the single proportion", table I,
    /// method 3.
    #[test]
    fn wilson_agrees_with_the_published_table() {
        for (successes, trials, low, high) in [
            (81, 263, 0.2553, 0.3662),
            (15, 148, 0.0624, 0.1605),
            (0, 20, 0.0, 0.1611),
            (1, 29, 0.0061, 0.1718),
        ] {
            let interval = wilson_95(successes, trials);
            assert_abs_diff_eq!(interval.0, low, epsilon = 5e-5);
            assert_abs_diff_eq!(interval.1, high, epsilon = 5e-5);
        }
    }

    /// Remission times under 6-mercaptopurine (Freireich et al. 1963): median 23 weeks, as
    /// every survival textbook and package gives it.
    #[test]
    fn kaplan_meier_agrees_with_the_textbook() {
        let events = [6, 6, 6, 7, 10, 13, 16, 22, 23].map(|time| (time, true));
        let censored = [6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35].map(|time| (time, false));
        let times = [events.as_slice(), &censored].concat();
        assert_eq!(kaplan_meier_median(&times), Some(23));
        // The published estimate (Kalbfleisch & Prentice 2002, and R's `survfit`).
        let published = [0.857, 0.807, 0.753, 0.690, 0.627, 0.538, 0.448];
        let steps = kaplan_meier(&times);
        assert_eq!(steps.iter().map(|step| step.0).collect::<Vec<_>>(), [6, 7, 10, 13, 16, 22, 23]);
        for (step, expected) in steps.iter().zip(published) {
            assert_abs_diff_eq!(step.1, expected, epsilon = 5e-4);
        }
    }

    #[test]
    fn too_few_events_have_no_median() {
        assert_eq!(kaplan_meier_median(&[]), None);
        let end = |events: &[u64], total: usize| {
            let mut times: Vec<_> = events.iter().map(|&time| (time, true)).collect();
            times.resize(total, (30, false));
            kaplan_meier_median(&times)
        };
        assert_eq!(end(&[10, 20], 5), None);
        assert_eq!(end(&[10, 20, 30], 5), Some(30));
        assert_eq!(end(&[1, 2, 3, 4], 4), Some(2));
    }

    #[test]
    fn medians_of_few() {
        assert_eq!(median(&[]), None);
        assert_eq!(median(&[0.3]), Some(0.3));
        assert_eq!(median(&[0.9, 0.1, 0.5]), Some(0.5));
        assert_eq!(median(&[0.25, 0.75]), Some(0.5));
    }

    proptest! {
        #[test]
        fn wilson_holds_the_share_and_stays_in_bounds(trials in 1u64..1_000_000, part in 0.0..=1.0f64) {
            let successes = (part * trials as f64) as u64;
            let (low, high) = wilson_95(successes, trials);
            let share = successes as f64 / trials as f64;
            prop_assert!(0.0 <= low && low <= share && share <= high && high <= 1.0);
        }
    }
}
