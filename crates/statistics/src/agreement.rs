//! Agreement between raters on nominal answers.
//!
//! Low accuracy with high agreement means that people hear another genre than the machine;
//! low accuracy with low agreement, that they hear none.

use rayon::prelude::*;
use trompe_base::random::index;

use crate::Undefined;
use crate::bootstrap::percentile_interval;
use crate::intervals::Interval;
use crate::stream::{Purpose, stream};

/// Fleiss' kappa (1971) of a table with one row an item: how many raters chose each
/// category. Every item needs the same number of raters, two or more.
///
/// # Errors
/// [`Undefined`] for ragged tables, fewer than two raters, or a single category in use.
pub fn fleiss_kappa(table: &[Vec<u64>]) -> Result<f64, Undefined> {
    let raters: u64 = table.first().ok_or(Undefined("no items"))?.iter().sum();
    if table.iter().any(|row| row.iter().sum::<u64>() != raters) {
        return Err(Undefined("Fleiss' kappa needs equally many answers to every item"));
    }
    if raters < 2 {
        return Err(Undefined("agreement needs two answers to an item"));
    }
    let (items, n) = (table.len() as f64, raters as f64);
    let pairs: u64 = table.iter().flatten().map(|&count| count * count.saturating_sub(1)).sum();
    let observed = pairs as f64 / (items * n * (n - 1.0));
    let categories = table.iter().map(Vec::len).max().unwrap_or(0);
    let expected: f64 = (0..categories)
        .map(|category| {
            let count: u64 = table.iter().filter_map(|row| row.get(category)).sum();
            let share = count as f64 / (items * n);
            share * share
        })
        .sum();
    if expected >= 1.0 {
        return Err(Undefined("everybody always gave the same answer"));
    }
    Ok((observed - expected) / (1.0 - expected))
}

/// What one item contributes to Krippendorff's alpha.
struct Unit {
    /// Answers per category.
    counts: Vec<f64>,
    /// Ordered pairs of different answers, over the number of answers less one.
    disagreement: f64,
}

fn units(table: &[Vec<u64>]) -> Vec<Unit> {
    let categories = table.iter().map(Vec::len).max().unwrap_or(0);
    let unit = |row: &Vec<u64>| {
        let answers: u64 = row.iter().sum();
        let different: u64 = row.iter().map(|&count| count * (answers - count)).sum();
        let mut counts: Vec<f64> = row.iter().map(|&count| count as f64).collect();
        counts.resize(categories, 0.0);
        // An item with a single answer pairs with nothing and drops out.
        (answers >= 2)
            .then(|| Unit { counts, disagreement: different as f64 / (answers - 1) as f64 })
    };
    table.iter().filter_map(unit).collect()
}

fn alpha<'a>(units: impl Iterator<Item = &'a Unit>) -> Option<f64> {
    let mut totals: Vec<f64> = Vec::new();
    let mut observed = 0.0;
    for unit in units {
        totals.resize(unit.counts.len(), 0.0);
        for (total, count) in totals.iter_mut().zip(&unit.counts) {
            *total += count;
        }
        observed += unit.disagreement;
    }
    let n: f64 = totals.iter().sum();
    let expected: f64 = totals.iter().map(|count| count * (n - count)).sum();
    (expected > 0.0).then(|| 1.0 - (n - 1.0) * observed / expected)
}

/// Krippendorff's alpha for nominal answers (Krippendorff 2004, chapter 11) of a table with
/// one row an item: how many answers each category got. Items may have any number of
/// answers, so that missing answers and incomplete designs need no care; items with fewer
/// than two drop out.
///
/// # Errors
/// [`Undefined`] if no item has two answers, or if all answers are the same.
pub fn krippendorff_alpha(table: &[Vec<u64>]) -> Result<f64, Undefined> {
    let units = units(table);
    if units.is_empty() {
        return Err(Undefined("no item has two answers"));
    }
    alpha(units.iter()).ok_or(Undefined("everybody always gave the same answer"))
}

/// Percentile interval of [`krippendorff_alpha`] over `resamples` draws of items with
/// replacement (as Zapf et al. 2016 recommend). It speaks of other items, not of other
/// raters. `None` where alpha is undefined.
pub fn krippendorff_interval(
    table: &[Vec<u64>],
    level: f64,
    resamples: usize,
    seed: u64,
) -> Option<Interval> {
    let units = units(table);
    let draw = |place: usize| {
        let mut stream = stream(seed, Purpose::Bootstrap, place as u64);
        alpha((0..units.len()).map(|_| &units[index(units.len(), &mut stream)]))
    };
    let draws: Vec<f64> = (0..resamples).into_par_iter().filter_map(draw).collect();
    percentile_interval(draws, level)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn published_examples() {
        // Fleiss' example table as given in Wikipedia, 14 raters, 10 items: kappa 0.210.
        let fleiss = [
            [0, 0, 0, 0, 14],
            [0, 2, 6, 4, 2],
            [0, 0, 3, 5, 6],
            [0, 3, 9, 2, 0],
            [2, 2, 8, 1, 1],
            [7, 7, 0, 0, 0],
            [3, 2, 6, 3, 0],
            [2, 5, 3, 2, 2],
            [6, 5, 2, 1, 0],
            [0, 2, 2, 3, 7],
        ]
        .map(|row| row.to_vec());
        assert!((fleiss_kappa(&fleiss).unwrap() - 0.210).abs() < 5e-4);
        // Krippendorff's "Computing alpha reliability" (2011), four observers, twelve
        // units, missing values: nominal alpha 0.743.
        let units = [
            [3, 0, 0, 0, 0],
            [0, 3, 1, 0, 0],
            [0, 0, 4, 0, 0],
            [0, 0, 4, 0, 0],
            [0, 4, 0, 0, 0],
            [1, 1, 1, 1, 0],
            [0, 0, 0, 4, 0],
            [3, 1, 0, 0, 0],
            [0, 4, 0, 0, 0],
            [0, 0, 0, 0, 3],
            [2, 0, 0, 0, 0],
            [0, 0, 1, 0, 0],
        ]
        .map(|row| row.to_vec());
        let alpha = krippendorff_alpha(&units).unwrap();
        assert!((alpha - 0.743).abs() < 5e-4, "{alpha}");
    }

    #[test]
    fn perfect_and_undefined_agreement() {
        let perfect = vec![vec![3, 0], vec![0, 3]];
        assert_eq!(krippendorff_alpha(&perfect), Ok(1.0));
        assert_eq!(fleiss_kappa(&perfect), Ok(1.0));
        assert!(krippendorff_alpha(&[vec![3, 0], vec![2, 0]]).is_err());
        assert!(krippendorff_alpha(&[vec![1, 0], vec![0, 1]]).is_err());
        assert!(fleiss_kappa(&[vec![3, 0], vec![2, 0]]).is_err());
        assert!(fleiss_kappa(&[]).is_err());
        let interval = krippendorff_interval(&perfect, 0.95, 100, 1).unwrap();
        assert_eq!((interval.low, interval.high), (1.0, 1.0));
    }
}
