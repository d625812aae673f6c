//! How easily chance alone fools a classifier: scores of random candidates, with no search at all.

use std::sync::atomic::{AtomicBool, Ordering};

use trompe_base::random::stream;

use crate::error::Result;
use crate::problem::{Problem, Space, Victim};

/// Key of the random streams of base-rate candidates; emitters have small numbers.
const STREAM: u64 = 1 << 32;

/// Candidates scored at a time.
const BATCH: u64 = 64;

/// Draws `candidates` random candidates and returns their scores, one log-odds per class row by row,
/// so that any threshold and level can be asked for afterwards. They are no part of a run's budget.
/// `progress` gets the number done; `None` if `stop` was raised.
///
/// # Errors
/// As [`Problem::scores`].
pub fn random_scores<S: Space, V: Victim<S::Input>>(
    problem: &Problem<S, V>,
    seed: u64,
    candidates: u64,
    stop: &AtomicBool,
    mut progress: impl FnMut(u64),
) -> Result<Option<Vec<f64>>> {
    let mut scores = Vec::new();
    let mut done = 0;
    while done < candidates {
        if stop.load(Ordering::Relaxed) {
            return Ok(None);
        }
        let count = BATCH.min(candidates - done);
        let genomes: Vec<S::Genome> = (done..done + count)
            .map(|slot| problem.space().sample(&mut stream(seed, STREAM, 0, slot)))
            .collect();
        scores.extend(problem.scores(&genomes)?);
        done += count;
        progress(done);
    }
    Ok(Some(scores))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::search::toy::Toy;

    #[test]
    fn every_candidate_has_its_row_whatever_comes_after() {
        let toy = Toy::of(4);
        let mut told = 0;
        let go = AtomicBool::new(false);
        let scores = random_scores(&toy, 1, 300, &go, |done| told = done).unwrap().unwrap();
        assert_eq!((told, scores.len()), (300, 1_200));
        let fewer = random_scores(&toy, 1, 100, &go, |_| {}).unwrap().unwrap();
        assert_eq!(scores[..400], fewer);
        assert_ne!(scores[..400], random_scores(&toy, 2, 100, &go, |_| {}).unwrap().unwrap());
    }

    #[test]
    fn it_can_be_stopped() {
        let stop = AtomicBool::new(false);
        let raise = |_| stop.store(true, Ordering::Relaxed);
        assert_eq!(random_scores(&Toy::of(4), 1, 300, &stop, raise).unwrap(), None);
    }
}
