//! How easily chance alone fools a classifier: random candidates whose top posterior reaches
//! the threshold, with no search at all.

use serde::{Deserialize, Serialize};

use super::evaluator;
use super::problem::Problem;
use super::stream::stream;
use crate::error::Result;

/// Key of the random streams of base-rate candidates; see the emitters' numbers.
const STREAM: u64 = 1 << 32;

/// Candidates scored at a time.
const BATCH: u64 = 64;

/// Counts of random candidates whose top log-odds reach each threshold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BaseRate {
    /// Candidates drawn.
    pub candidates: u64,
    /// Posterior thresholds.
    pub thresholds: Vec<f64>,
    /// Candidates whose top posterior reaches the threshold of the same index.
    pub reaching: Vec<u64>,
    /// The same per class: candidates whose posterior of that class reaches the threshold;
    /// one row a threshold.
    pub reaching_per_class: Vec<Vec<u64>>,
}

/// Draws `candidates` random candidates and counts those that reach each of `thresholds`
/// (posteriors in (0, 1)). They are no part of a run's budget.
///
/// # Errors
/// As [`evaluator::log_odds`].
pub fn base_rate<P: Problem>(
    problem: &P,
    seed: u64,
    candidates: u64,
    thresholds: &[f64],
    mut progress: impl FnMut(u64),
) -> Result<BaseRate> {
    let classes = problem.classes().len();
    let limits: Vec<f64> = thresholds.iter().map(|p| libm::log(p / (1.0 - p))).collect();
    let mut reaching = vec![0; limits.len()];
    let mut per_class = vec![vec![0; classes]; limits.len()];
    let mut done = 0;
    while done < candidates {
        let count = BATCH.min(candidates - done);
        let genomes: Vec<P::Genome> = (done..done + count)
            .map(|slot| problem.sample(&mut stream(seed, STREAM, 0, slot)))
            .collect();
        for row in evaluator::log_odds(problem, &genomes)?.chunks_exact(classes) {
            for ((limit, reaching), per_class) in
                limits.iter().zip(&mut reaching).zip(&mut per_class)
            {
                *reaching += u64::from(row.iter().any(|score| score >= limit));
                for (count, score) in per_class.iter_mut().zip(row) {
                    *count += u64::from(score >= limit);
                }
            }
        }
        done += count;
        progress(done);
    }
    Ok(BaseRate {
        candidates,
        thresholds: thresholds.to_vec(),
        reaching,
        reaching_per_class: per_class,
    })
}
