//! Permutation test: would the same answers be right as often with the labels permuted over the items?
//!
//! Answers and items stay whole, so neither a response bias nor items that all listeners hear alike make the
//! test significant.

use rayon::prelude::*;
use trompe_base::random::shuffle;

use crate::Undefined;
use crate::stream::{Purpose, stream};

/// Permutations that one stream draws; fixed, so that results do not depend on threads.
const CHUNK: usize = 256;

/// What permuting the labels over the items gave.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Permuted {
    /// Mean number of hits over all permutations, exact.
    pub expected_hits: f64,
    /// One-sided p-value: share of permutations, the actual one included, with at least
    /// the actual number of hits.
    pub p_at_least: f64,
}

/// Tests whether answers follow labels. `answers[item][class]` counts answers;
/// `labels[item]` is a class. With `only`, hits of that class alone count.
///
/// # Errors
/// [`Undefined`] without items, or if all labels are equal: then nothing can be permuted.
pub fn labels_over_items(
    answers: &[Vec<u64>],
    labels: &[usize],
    only: Option<usize>,
    permutations: usize,
    seed: u64,
) -> Result<Permuted, Undefined> {
    if answers.is_empty() {
        return Err(Undefined("no items"));
    }
    if labels.iter().all(|label| *label == labels[0]) {
        return Err(Undefined("all items have one label"));
    }
    let counts = |label: usize| only.is_none_or(|class| class == label);
    let hits = |labels: &[usize]| -> u64 {
        let pairs = answers.iter().zip(labels).filter(|&(_, &label)| counts(label));
        pairs.map(|(row, &label)| row[label]).sum()
    };
    let actual = hits(labels);
    let expected = labels.iter().filter(|&&label| counts(label)).map(|&label| {
        answers.iter().map(|row| row[label]).sum::<u64>() as f64 / answers.len() as f64
    });
    let expected_hits = expected.sum();
    let chunk = |chunk: usize| -> u64 {
        let mut stream = stream(seed, Purpose::Permutation, chunk as u64);
        let mut dealt = labels.to_vec();
        let mut reached = 0;
        for _ in 0..CHUNK.min(permutations - chunk * CHUNK) {
            shuffle(&mut dealt, &mut stream);
            reached += u64::from(hits(&dealt) >= actual);
        }
        reached
    };
    let reached: u64 = (0..permutations.div_ceil(CHUNK)).into_par_iter().map(chunk).sum();
    // Phipson and Smyth (2010): counting the actual labels keeps the test exact.
    Ok(Permuted { expected_hits, p_at_least: (reached + 1) as f64 / (permutations + 1) as f64 })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn bias_alone_is_never_significant() {
        let always_rock = vec![vec![20, 0]; 10];
        let labels = [0, 0, 0, 0, 0, 1, 1, 1, 1, 1];
        let permuted = labels_over_items(&always_rock, &labels, None, 999, 1).unwrap();
        assert_eq!(permuted, Permuted { expected_hits: 100.0, p_at_least: 1.0 });
    }

    #[test]
    fn knowledge_is() {
        let right = |label: usize| if label == 0 { vec![5, 1] } else { vec![1, 5] };
        let labels = [0, 0, 0, 0, 1, 1, 1, 1];
        let answers: Vec<_> = labels.iter().map(|&label| right(label)).collect();
        let permuted = labels_over_items(&answers, &labels, None, 20_000, 1).unwrap();
        // Only the identity among 70 ways to deal the labels reaches 40 hits.
        assert!((permuted.p_at_least - 1.0 / 70.0).abs() < 0.003, "{}", permuted.p_at_least);
        assert_eq!(permuted.expected_hits, 24.0);
        assert!(labels_over_items(&answers, &[1; 8], None, 9, 1).is_err());
        assert!(labels_over_items(&[], &[], None, 9, 1).is_err());
    }
}
