//! Is a classifier better than chance, and is one better than another? Tests on excerpts:
//! trials of cross-validation repeat the same excerpts, so they add no independent evidence.
//! An excerpt counts as right when most trials have it right. All tests take excerpts as
//! independent of each other, which those of one group are not quite.

use serde::Serialize;
use trompe_listening_test::statistics::{binomial, permutation};

use super::cross_validation::{Evaluation, Prediction, Trial};
use crate::error::{Error, Result};

/// A classifier against chance.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AgainstChance {
    /// Excerpts that most trials have right.
    pub right: u64,
    /// All excerpts.
    pub excerpts: u64,
    /// What guessing among the classes gets right, as a share: 1 over their number.
    pub chance: f64,
    /// Exact probability that guessing gets as many right or more.
    pub p_binomial: f64,
    /// The labels are dealt to the excerpts anew, predictions stay: the share of right
    /// predictions then, on average.
    pub permuted_accuracy: f64,
    /// Share of dealings, the actual one included, that fit the predictions of all trials
    /// as well or better.
    pub p_permutation: f64,
    /// Number of dealings.
    pub permutations: usize,
}

impl AgainstChance {
    /// Tests an evaluation with so many `permutations`, drawn by `seed`.
    ///
    /// # Errors
    /// [`Error::Request`] if there is nothing to permute.
    pub fn of(evaluation: &Evaluation, permutations: usize, seed: u64) -> Result<Self> {
        let labels: Vec<usize> =
            evaluation.trials[0].predictions.iter().map(|prediction| prediction.class).collect();
        let mut answers = vec![vec![0; evaluation.classes.len()]; labels.len()];
        for prediction in evaluation.trials.iter().flat_map(|trial| &trial.predictions) {
            answers[prediction.excerpt][prediction.predicted] += 1;
        }
        let permuted = permutation::labels_over_items(&answers, &labels, None, permutations, seed)
            .map_err(|undefined| {
                Error::request(format!("permutation test: {undefined}"), "give more excerpts")
            })?;
        let right = mostly_right(evaluation).into_iter().filter(|&right| right).count() as u64;
        let (excerpts, chance) = (labels.len() as u64, 1.0 / evaluation.classes.len() as f64);
        Ok(Self {
            right,
            excerpts,
            chance,
            p_binomial: binomial::at_least(right, excerpts, chance),
            permuted_accuracy: permuted.expected_hits
                / (labels.len() * evaluation.trials.len()) as f64,
            p_permutation: permuted.p_at_least,
            permutations,
        })
    }
}

/// Two classifiers on the same excerpts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Pairs {
    /// Excerpts that both have right.
    pub both: u64,
    /// Excerpts that only the first has right.
    pub first_only: u64,
    /// Excerpts that only the second has right.
    pub second_only: u64,
    /// Excerpts that both have wrong.
    pub neither: u64,
    /// Excerpts that both have wrong, with the same label; counted in the first trial.
    pub same_error: u64,
}

/// Exact McNemar test of two classifiers (McNemar 1947; the binomial form).
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct McNemar {
    /// What most trials have right.
    pub pairs: Pairs,
    /// Two-sided exact p-value of `pairs`.
    pub p: f64,
    /// The same test on every trial alone, where both have equally many.
    pub p_of_trials: Vec<f64>,
}

impl McNemar {
    /// Compares two evaluations.
    ///
    /// # Errors
    /// [`Error::Request`] if they are not of the same excerpts and classes.
    pub fn of(first: &Evaluation, second: &Evaluation) -> Result<Self> {
        if first.excerpts != second.excerpts || first.classes != second.classes {
            return Err(Error::request(
                "two classifiers were evaluated on different excerpts",
                "leave out the same clips for both",
            ));
        }
        let (ours, theirs) = (&first.trials[0].predictions, &second.trials[0].predictions);
        let same =
            |(a, b): &(&Prediction, &Prediction)| !a.is_right() && a.predicted == b.predicted;
        let same_error = ours.iter().zip(theirs).filter(same).count() as u64;
        let pairs = pairs(&mostly_right(first), &mostly_right(second), same_error);
        let p_of_trials = first.trials.iter().zip(&second.trials).map(|(a, b)| {
            let right = |predictions: &[Prediction]| -> Vec<bool> {
                predictions.iter().map(Prediction::is_right).collect()
            };
            p_value(&self::pairs(&right(&a.predictions), &right(&b.predictions), 0))
        });
        Ok(Self { pairs, p: p_value(&pairs), p_of_trials: p_of_trials.collect() })
    }
}

fn p_value(pairs: &Pairs) -> f64 {
    binomial::mcnemar(pairs.first_only, pairs.second_only)
}

fn pairs(first: &[bool], second: &[bool], same_error: u64) -> Pairs {
    let count = |a, b| first.iter().zip(second).filter(|&pair| pair == (&a, &b)).count() as u64;
    Pairs {
        both: count(true, true),
        first_only: count(true, false),
        second_only: count(false, true),
        neither: count(false, false),
        same_error,
    }
}

/// For every excerpt, whether more than half of the trials have it right.
fn mostly_right(evaluation: &Evaluation) -> Vec<bool> {
    (0..evaluation.excerpts.len())
        .map(|excerpt| {
            let right = |trial: &&Trial| trial.predictions[excerpt].is_right();
            2 * evaluation.trials.iter().filter(right).count() > evaluation.trials.len()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use approx::assert_relative_eq;

    use super::super::told;
    use super::*;

    #[test]
    fn chance_is_tested_on_excerpts_not_on_trials() {
        let labels = [0, 0, 0, 0, 0, 1, 1, 1, 1, 1];
        let given = [0, 0, 0, 0, 1, 1, 1, 1, 1, 0];
        for trials in [vec![given], vec![given; 7]] {
            let test = AgainstChance::of(&told(2, &labels, &trials), 20_000, 1).unwrap();
            assert_eq!((test.right, test.excerpts), (8, 10));
            // scipy.stats.binomtest(8, 10, 0.5, alternative="greater").pvalue
            assert_relative_eq!(test.p_binomial, 0.0546875, max_relative = 1e-9);
            assert_relative_eq!(test.permuted_accuracy, 0.5);
            // Of the 252 ways to deal the labels, 1 + 25 get 8 right or more.
            assert!((test.p_permutation - 26.0 / 252.0).abs() < 0.007, "{}", test.p_permutation);
        }
    }

    #[test]
    fn two_classifiers_are_compared_excerpt_by_excerpt() {
        let labels = [0; 20];
        let mut first = [0; 20];
        let mut second = [0; 20];
        first[..3].fill(1);
        second[2..13].fill(1);
        let test = McNemar::of(&told(2, &labels, &[first]), &told(2, &labels, &[second])).unwrap();
        let expected = Pairs { both: 7, first_only: 10, second_only: 2, neither: 1, same_error: 1 };
        assert_eq!(test.pairs, expected);
        // statsmodels.stats.contingency_tables.mcnemar([[7, 10], [2, 1]], exact=True).pvalue
        assert_relative_eq!(test.p, 0.03857421875, max_relative = 1e-9);
        assert_eq!(test.p_of_trials, [test.p]);
        let other = told(2, &labels[1..], &[[0; 19]]);
        assert!(McNemar::of(&told(2, &labels, &[first]), &other).is_err());
    }
}
