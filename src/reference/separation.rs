//! How well a score tells genuine items from something else: AUROC and FPR95 (Hendrycks & Gimpel,
//! *A baseline for detecting misclassified and out-of-distribution examples*, ICLR 2017).

use serde::{Deserialize, Serialize};
use trompe_statistics::Interval;
use trompe_statistics::groups::{Groups, resampled_interval};

use super::share::{CONFIDENCE, RESAMPLES, SEED};

/// Share of genuine items that are accepted where false positives are counted.
const ACCEPTED: f64 = 0.95;

/// How far genuine items lie above others by one score.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Separation {
    /// Name of the score.
    pub score: String,
    /// What the genuine items are held against.
    pub against: String,
    /// Genuine items.
    pub genuine: usize,
    /// The others.
    pub others: usize,
    /// Probability that a genuine item has the higher score, ties counted half: 0.5 means that the
    /// score does not tell them apart.
    pub auroc: f64,
    /// Its 95 % interval, by resampling groups.
    pub auroc_interval: Interval,
    /// Share of the others that are accepted where 95 % of the genuine items are.
    pub fpr95: f64,
    /// Its 95 % interval, by resampling groups.
    pub fpr95_interval: Interval,
}

impl Separation {
    /// Of genuine scores, with their groups, from others'; `None` without one of either.
    pub fn of(
        score: &str,
        against: &str,
        genuine: &[f64],
        groups: &Groups,
        others: &[f64],
    ) -> Option<Self> {
        if genuine.is_empty() || others.is_empty() {
            return None;
        }
        let merged = Merged::new(genuine, groups, others);
        let count = groups.count();
        let alike = vec![1.0; count + others.len()];
        let strata = [(0..count).collect(), (count..count + others.len()).collect::<Vec<_>>()];
        let interval = |statistic: &(dyn Fn(&[f64]) -> Option<f64> + Sync), value: f64| {
            let found = resampled_interval(&strata, CONFIDENCE, RESAMPLES, SEED, statistic);
            found.map_or(Interval { low: 0.0, high: 1.0 }, |found| Interval {
                low: found.low.min(value),
                high: found.high.max(value),
            })
        };
        let (auroc, fpr95) = (merged.auroc(&alike)?, merged.fpr95(&alike)?);
        Some(Self {
            score: score.to_owned(),
            against: against.to_owned(),
            genuine: genuine.len(),
            others: others.len(),
            auroc,
            auroc_interval: interval(&|weights| merged.auroc(weights), auroc),
            fpr95,
            fpr95_interval: interval(&|weights| merged.fpr95(weights), fpr95),
        })
    }
}

/// The greatest log-odds of every row.
pub fn highest_scores(rows: &[f64], classes: usize) -> Vec<f64> {
    let highest = |row: &[f64]| row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    rows.chunks_exact(classes).map(highest).collect()
}

/// Scores of both sorts, ascending, with the number of their weight: groups of genuine items first,
/// then the others one by one.
struct Merged {
    scores: Vec<(f64, usize, bool)>,
}

impl Merged {
    fn new(genuine: &[f64], groups: &Groups, others: &[f64]) -> Self {
        let of_genuine = genuine.iter().zip(groups.of_item()).map(|(&score, &g)| (score, g, true));
        let of_others =
            (groups.count()..).zip(others).map(|(weight, &score)| (score, weight, false));
        let mut scores: Vec<(f64, usize, bool)> = of_genuine.chain(of_others).collect();
        scores.sort_by(|a, b| a.0.total_cmp(&b.0));
        Self { scores }
    }

    /// Runs of equal scores from the lowest, as the weights of genuine items and of others in each.
    fn ties<'m>(&'m self, weights: &'m [f64]) -> impl DoubleEndedIterator<Item = (f64, f64)> + 'm {
        let runs: Vec<&[(f64, usize, bool)]> = self.scores.chunk_by(|a, b| a.0 == b.0).collect();
        runs.into_iter().map(|run| {
            let sum = |genuine: bool| -> f64 {
                run.iter().filter(|(_, _, is)| *is == genuine).map(|(_, at, _)| weights[*at]).sum()
            };
            (sum(true), sum(false))
        })
    }

    fn totals(&self, weights: &[f64]) -> Option<(f64, f64)> {
        let totals = self.ties(weights).fold((0.0, 0.0), |sum, tie| (sum.0 + tie.0, sum.1 + tie.1));
        (totals.0 > 0.0 && totals.1 > 0.0).then_some(totals)
    }

    fn auroc(&self, weights: &[f64]) -> Option<f64> {
        let (genuine, others) = self.totals(weights)?;
        let (mut below, mut won) = (0.0, 0.0);
        for (of_genuine, of_others) in self.ties(weights) {
            won += of_genuine * (below + 0.5 * of_others);
            below += of_others;
        }
        Some(won / (genuine * others))
    }

    /// From the highest score down, the share of others accepted once enough genuine items are.
    fn fpr95(&self, weights: &[f64]) -> Option<f64> {
        let (genuine, others) = self.totals(weights)?;
        let (mut accepted, mut wrongly) = (0.0, 0.0);
        for (of_genuine, of_others) in self.ties(weights).rev() {
            accepted += of_genuine;
            wrongly += of_others;
            if accepted >= ACCEPTED * genuine - 1e-9 {
                break;
            }
        }
        Some(wrongly / others)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn counted_by_hand() {
        let groups = Groups::of_single_items(4);
        // Of 12 pairs: 4 beats 3, 3 wins twice and ties once, 2 and 1 win once each... counted below.
        let found =
            Separation::of("s", "o", &[4.0, 3.0, 2.0, 1.0], &groups, &[3.0, 1.5, 0.0]).unwrap();
        // 4: 3 wins; 3: 2 and a half; 2: 2; 1: 1.
        assert!((found.auroc - 8.5 / 12.0).abs() < 1e-12, "{}", found.auroc);
        // All four genuine are accepted from 1 up, with two of the others.
        assert!((found.fpr95 - 2.0 / 3.0).abs() < 1e-12);
        assert!(found.auroc_interval.low < found.auroc && found.auroc_interval.high > found.auroc);
        assert_eq!(Separation::of("s", "o", &[], &Groups::of_single_items(0), &[1.0]), None);
    }

    #[test]
    fn what_does_not_differ_is_not_told_apart() {
        let scores: Vec<f64> = (0..200).map(|n| f64::from(n % 50)).collect();
        let groups = Groups::of_single_items(200);
        let same = Separation::of("s", "o", &scores, &groups, &scores).unwrap();
        assert!((same.auroc - 0.5).abs() < 1e-12);
        assert!(same.auroc_interval.contains(0.5) && same.fpr95 >= 0.95);
        let higher: Vec<f64> = scores.iter().map(|score| score + 100.0).collect();
        let apart = Separation::of("s", "o", &higher, &groups, &scores).unwrap();
        assert_eq!((apart.auroc, apart.fpr95), (1.0, 0.0));
    }

    #[test]
    fn intervals_are_as_wide_as_the_groups_make_them() {
        let scores: Vec<f64> = (0..200).map(|n| f64::from(n / 20)).collect();
        let others: Vec<f64> = (0..200).map(|n| 4.5 + f64::from(n % 3)).collect();
        let names: Vec<String> = (0..200).map(|n| (n / 20).to_string()).collect();
        let by_name = Groups::by_name(names.iter().map(|name| Some(name.as_str())));
        let width = |groups: &Groups| {
            let interval =
                Separation::of("s", "o", &scores, groups, &others).unwrap().auroc_interval;
            interval.high - interval.low
        };
        assert!(width(&by_name) > 2.0 * width(&Groups::of_single_items(200)));
    }
}
