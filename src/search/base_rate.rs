//! How easily chance alone fools a classifier: scores of random candidates, with no search at all.

use std::sync::atomic::{AtomicBool, Ordering};

use rayon::prelude::*;
use trompe_base::random::stream;

use crate::error::Result;
use crate::problem::{Problem, Space, Victim};
use crate::reference::Reference;

/// Key of the random streams of base-rate candidates; emitters have small numbers.
const STREAM: u64 = 1 << 32;

/// Candidates scored at a time.
const BATCH: u64 = 64;

/// Scores of random candidates.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Random {
    /// One log-odds per class, row by row.
    pub scores: Vec<f64>,
    /// The squared Mahalanobis distance of every candidate to the genuine items of the victim's reference;
    /// `None` for victims without embeddings.
    pub distances: Option<Vec<f64>>,
}

/// Draws `candidates` random candidates and returns their scores, so that any threshold and level can be
/// asked for afterwards. They are no part of a run's budget. `progress` gets the number done; `None` if `stop` was raised.
///
/// # Errors
/// As [`Problem::scores`].
pub fn random_scores<S: Space, V: Victim<S::Input>>(
    problem: &Problem<S, V>,
    seed: u64,
    candidates: u64,
    stop: &AtomicBool,
    mut progress: impl FnMut(u64),
) -> Result<Option<Random>> {
    let genuine = problem.victim().reference().and_then(Reference::mahalanobis);
    let mut random = Random { distances: genuine.map(|_| Vec::new()), ..Random::default() };
    let mut done = 0;
    while done < candidates {
        if stop.load(Ordering::Relaxed) {
            return Ok(None);
        }
        let count = BATCH.min(candidates - done);
        let genomes: Vec<S::Genome> = (done..done + count)
            .map(|slot| problem.space().sample(&mut stream(seed, STREAM, 0, slot)))
            .collect();
        match (genuine, &mut random.distances) {
            (Some(genuine), Some(distances)) => {
                let observed = problem.observe(&genomes)?;
                random.scores.extend(observed.scores);
                let embeddings = observed.embeddings.par_iter();
                distances.par_extend(embeddings.map(|embedding| genuine.distance(embedding)));
            }
            _ => random.scores.extend(problem.scores(&genomes)?),
        }
        done += count;
        progress(done);
    }
    Ok(Some(random))
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
        let scores =
            |seed, count| random_scores(&toy, seed, count, &go, |_| {}).unwrap().unwrap().scores;
        random_scores(&toy, 1, 300, &go, |done| told = done).unwrap().unwrap();
        assert_eq!((told, scores(1, 300).len()), (300, 1_200));
        assert_eq!(scores(1, 300)[..400], scores(1, 100));
        assert_ne!(scores(1, 300)[..400], scores(2, 100));
    }

    #[test]
    fn it_can_be_stopped() {
        let stop = AtomicBool::new(false);
        let raise = |_| stop.store(true, Ordering::Relaxed);
        assert_eq!(random_scores(&Toy::of(4), 1, 300, &stop, raise).unwrap(), None);
    }
}
