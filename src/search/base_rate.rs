//! How easily chance alone fools a classifier: random candidates whose label has a posterior at
//! a threshold, with no search at all.

use std::sync::atomic::{AtomicBool, Ordering};

use serde::{Deserialize, Serialize};
use trompe_base::random::stream;

use crate::error::Result;
use crate::log_odds::{label, log_odds_from_posterior};
use crate::problem::{Problem, Space, Victim};

/// Key of the random streams of base-rate candidates; emitters have small numbers.
const STREAM: u64 = 1 << 32;

/// Candidates scored at a time.
const BATCH: u64 = 64;

/// How many random candidates had a label whose posterior reaches a threshold.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct RandomCandidates {
    /// The threshold, a posterior in (0, 1).
    pub threshold: f64,
    /// Random candidates evaluated.
    pub candidates: u64,
    /// Those that reach their label's class: one with no label reaches none.
    pub reached: u64,
}

/// Draws `candidates` random candidates and counts those that reach each of `thresholds`.
/// They are no part of a run's budget. `progress` gets the number done; `None` if `stop`
/// was raised.
///
/// # Errors
/// As [`Problem::scores`].
pub fn base_rate<S: Space, V: Victim<S::Input>>(
    problem: &Problem<S, V>,
    seed: u64,
    candidates: u64,
    thresholds: &[f64],
    stop: &AtomicBool,
    mut progress: impl FnMut(u64),
) -> Result<Option<Vec<RandomCandidates>>> {
    let mut counts: Vec<RandomCandidates> = thresholds
        .iter()
        .map(|&threshold| RandomCandidates { threshold, candidates, reached: 0 })
        .collect();
    let mut done = 0;
    while done < candidates {
        if stop.load(Ordering::Relaxed) {
            return Ok(None);
        }
        let count = BATCH.min(candidates - done);
        let genomes: Vec<S::Genome> = (done..done + count)
            .map(|slot| problem.space().sample(&mut stream(seed, STREAM, 0, slot)))
            .collect();
        for row in problem.scores(&genomes)?.chunks_exact(problem.classes().len()) {
            let Some(class) = label(row) else { continue };
            for count in &mut counts {
                let limit = log_odds_from_posterior(count.threshold);
                count.reached += u64::from(row[class] >= limit);
            }
        }
        done += count;
        progress(done);
    }
    Ok(Some(counts))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::search::toy::Toy;

    #[test]
    fn higher_thresholds_are_reached_by_fewer() {
        let toy = Toy::of(4);
        let mut told = 0;
        let go = AtomicBool::new(false);
        let thresholds = [0.01, 0.5, 0.999];
        let counts =
            base_rate(&toy, 1, 300, &thresholds, &go, |done| told = done).unwrap().unwrap();
        assert_eq!(told, 300);
        assert!(counts.iter().all(|count| count.candidates == 300));
        assert!(counts[0].reached > counts[1].reached && counts[1].reached >= counts[2].reached);
        assert_eq!(Some(counts), base_rate(&toy, 1, 300, &thresholds, &go, |_| {}).unwrap());
    }

    #[test]
    fn it_can_be_stopped() {
        let stop = AtomicBool::new(false);
        let raise = |_| stop.store(true, Ordering::Relaxed);
        assert_eq!(base_rate(&Toy::of(4), 1, 300, &[0.5], &stop, raise).unwrap(), None);
    }
}
