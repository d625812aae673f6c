//! Searching for a label: a problem in which a class reaches the threshold only where it is
//! the label.
//!
//! A search climbs on the log-odds of a class and is done with it at the threshold. Votes of
//! one class against the rest do not exclude each other, so that another class may still be on
//! top there. Here the score of class k with log-odds s_k is min(s_k, threshold + s_k - s_j),
//! where s_j is the highest of the other classes: it reaches the threshold exactly where k is
//! the label and s_k reaches it, and grows with whichever of the two is still wanting. The
//! order of the classes' scores, and exact ties at the top, stay as they are.

use crate::odds::{label, log_odds_from_posterior};
use crate::search::{MoveId, Problem, Stream};

/// A problem whose classes are to become labels.
pub(super) struct Relabelling<'p, P> {
    problem: &'p P,
    /// As log-odds.
    threshold: f64,
}

impl<'p, P: Problem> Relabelling<'p, P> {
    /// `problem`, in which `threshold`, a posterior, wants the label too.
    pub(super) fn new(problem: &'p P, threshold: f64) -> Self {
        Self { problem, threshold: log_odds_from_posterior(threshold) }
    }

    /// Whether log-odds give `class` as label, at the threshold.
    pub(super) fn reaches(&self, log_odds: &[f64], class: usize) -> bool {
        label(log_odds) == Some(class) && log_odds[class] >= self.threshold
    }

    /// Log-odds of one genome, as the classifier gives them.
    pub(super) fn log_odds_of(&self, genome: &P::Genome) -> Vec<f64> {
        let mut log_odds = vec![0.0; self.problem.classes().len()];
        self.problem.log_odds(std::slice::from_ref(genome), &mut log_odds);
        log_odds
    }
}

/// The scores of one candidate from its log-odds, in place.
fn score(log_odds: &mut [f64], threshold: f64) {
    let Some((&top, rest)) = log_odds.split_first() else { return };
    if !log_odds.iter().all(|value| value.is_finite()) {
        // Refused by the search.
        return;
    }
    // The highest log-odds and the highest of all others, which is the same in a tie.
    let (mut first, mut second) = (top, f64::NEG_INFINITY);
    for &value in rest {
        if value > first {
            (first, second) = (value, first);
        } else {
            second = second.max(value);
        }
    }
    for value in log_odds {
        let other = if *value == first { second } else { first };
        let with_lead = threshold + (*value - other);
        // A lead that is lost in rounding still counts, and a tie never does.
        *value = value.min(match *value > other {
            true => with_lead.max(threshold),
            false => with_lead.min(threshold.next_down()),
        });
    }
}

impl<P: Problem> Problem for Relabelling<'_, P> {
    type Genome = P::Genome;

    fn classes(&self) -> &[String] {
        self.problem.classes()
    }

    fn fingerprint(&self) -> String {
        format!("{} as label", self.problem.fingerprint())
    }

    fn check(&self, genome: &P::Genome) -> Result<(), String> {
        self.problem.check(genome)
    }

    fn sample(&self, rng: &mut Stream) -> P::Genome {
        self.problem.sample(rng)
    }

    fn moves(&self) -> &'static [&'static str] {
        self.problem.moves()
    }

    fn vary(
        &self,
        parent: &P::Genome,
        mate: &P::Genome,
        move_id: MoveId,
        rng: &mut Stream,
    ) -> P::Genome {
        self.problem.vary(parent, mate, move_id, rng)
    }

    fn log_odds(&self, genomes: &[P::Genome], out: &mut [f64]) {
        self.problem.log_odds(genomes, out);
        for row in out.chunks_exact_mut(self.problem.classes().len()) {
            score(row, self.threshold);
        }
    }

    fn shard(&self) -> usize {
        self.problem.shard()
    }

    fn distance(&self, a: &P::Genome, b: &P::Genome) -> f64 {
        self.problem.distance(a, b)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn scores(log_odds: &[f64]) -> Vec<f64> {
        let mut scores = log_odds.to_vec();
        score(&mut scores, 7.0);
        scores
    }

    #[test]
    fn the_threshold_is_reached_by_the_label_alone() {
        // Two classes at the threshold: only the higher has it.
        assert_eq!(scores(&[8.0, 9.0, -3.0]), [6.0, 8.0, -5.0]);
        // The label, below the threshold: its own log-odds count.
        assert_eq!(scores(&[2.0, 6.5, -3.0]), [2.0, 6.5, -3.0]);
        let tied = scores(&[8.0, 8.0, 1.0]);
        assert!(tied[0] == tied[1] && tied[0] < 7.0, "{tied:?}");
    }

    proptest! {
        #[test]
        fn a_score_reaches_the_threshold_where_label_and_posterior_do(
            log_odds in prop::collection::vec((-60i32..60).prop_map(|n| f64::from(n) / 4.0), 1..6),
        ) {
            let scores = scores(&log_odds);
            prop_assert_eq!(label(&scores), label(&log_odds));
            for (class, score) in scores.iter().enumerate() {
                let reached = label(&log_odds) == Some(class) && log_odds[class] >= 7.0;
                prop_assert_eq!(*score >= 7.0, reached, "{:?} {:?}", log_odds, scores);
            }
        }
    }
}
