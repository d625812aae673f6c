//! Is a classifier better than chance, and is one better than another? Tests on excerpts:
//! trials of cross-validation repeat the same excerpts, so they add no independent evidence.
//! An excerpt counts as right when most trials have it right.
//!
//! Excerpts of one group (artist, track, style file) are right or wrong together. So every test
//! comes twice: on excerpts, as if they were independent, and by group, where a whole group is
//! flipped, permuted or counted as one. Where no two excerpts share a group, the two are the
//! same, and the second is left out.

use serde::Serialize;
use trompe_statistics::groups::{self, Groups};
use trompe_statistics::{Undefined, binomial, permutation};

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
    /// Exact probability that guessing gets as many right or more, if excerpts are independent.
    pub p_binomial: f64,
    /// The labels are dealt to the excerpts anew, predictions stay: the share of right
    /// predictions then, on average. `None` where all tested excerpts are of one class.
    pub permuted_accuracy: Option<f64>,
    /// Share of dealings, the actual one included, that fit the predictions of all trials
    /// as well or better. Excerpts are taken as independent.
    pub p_permutation: Option<f64>,
    /// Number of dealings.
    pub permutations: usize,
    /// The same tests by group; `None` where no two excerpts share a group.
    pub by_group: Option<ChanceByGroup>,
}

/// A classifier against chance, with a group as one piece of evidence.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ChanceByGroup {
    /// Groups with a tested excerpt.
    pub groups: usize,
    /// Sum over groups of the share of excerpts that most trials have right.
    pub right: f64,
    /// Probability that guessing once a group gets as many groups right or more.
    pub p_binomial: f64,
    /// Share of dealings of the labels to whole groups that fit the predictions as well or
    /// better. `None` where all groups have the same labels.
    pub p_permutation: Option<f64>,
}

impl AgainstChance {
    /// Tests an evaluation with so many `permutations`, drawn by `seed`.
    pub fn of(evaluation: &Evaluation, permutations: usize, seed: u64) -> Self {
        let labels: Vec<usize> =
            evaluation.trials[0].predictions.iter().map(|prediction| prediction.class).collect();
        let mut answers = vec![vec![0; evaluation.classes.len()]; labels.len()];
        for trial in &evaluation.trials {
            for (answers, prediction) in answers.iter_mut().zip(&trial.predictions) {
                answers[prediction.predicted] += 1;
            }
        }
        let permuted = permutation::labels_over_items(&answers, &labels, None, permutations, seed);
        let right = mostly_right(evaluation);
        let chance = 1.0 / evaluation.classes.len() as f64;
        let groups = evaluation.tested_groups();
        let by_group = groups.join_items().then(|| {
            let shares = groups.means(right.iter().map(|&right| f64::from(u8::from(right))));
            let permuted = dealt_to_groups(&groups, &answers, &labels, permutations, seed);
            ChanceByGroup {
                groups: groups.count(),
                right: shares.iter().sum(),
                p_binomial: groups::at_least(&shares, chance),
                p_permutation: permuted.ok().map(|permuted| permuted.p_at_least),
            }
        });
        let (excerpts, right) = (labels.len() as u64, right.iter().filter(|&&r| r).count() as u64);
        let answers = (labels.len() * evaluation.trials.len()) as f64;
        Self {
            right,
            excerpts,
            chance,
            p_binomial: binomial::at_least(right, excerpts, chance),
            permuted_accuracy: permuted.ok().map(|permuted| permuted.expected_hits / answers),
            p_permutation: permuted.ok().map(|permuted| permuted.p_at_least),
            permutations,
            by_group,
        }
    }
}

/// The test of labels dealt to whole groups, of excerpts with so many `answers` for each class.
fn dealt_to_groups(
    groups: &Groups,
    answers: &[Vec<u64>],
    labels: &[usize],
    permutations: usize,
    seed: u64,
) -> Result<permutation::Permuted, Undefined> {
    let classes = answers.first().map_or(0, Vec::len);
    let mut given = vec![vec![0.0; classes]; groups.count()];
    let mut true_labels = vec![vec![0.0; classes]; groups.count()];
    for ((&group, answers), &label) in groups.of_item().iter().zip(answers).zip(labels) {
        true_labels[group][label] += 1.0;
        for (given, &answers) in given[group].iter_mut().zip(answers) {
            *given += answers as f64;
        }
    }
    let share = |counts: Vec<f64>| -> Vec<f64> {
        let total: f64 = counts.iter().sum();
        counts.into_iter().map(|count| count / total).collect()
    };
    let given: Vec<Vec<f64>> = given.into_iter().map(share).collect();
    let listed = |counts: Vec<f64>| -> Vec<(usize, f64)> {
        share(counts).into_iter().enumerate().filter(|(_, share)| *share > 0.0).collect()
    };
    let labels: Vec<_> = true_labels.into_iter().map(listed).collect();
    groups::labels_over_groups(&given, &labels, permutations, seed)
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

/// Exact McNemar test of two classifiers (McNemar 1947; the binomial form), and beside it the
/// test that flips whole groups.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct McNemar {
    /// What most trials have right.
    pub pairs: Pairs,
    /// Two-sided exact p-value of `pairs`, if excerpts are independent.
    pub p: f64,
    /// The same test on every trial alone, where both have equally many.
    pub p_of_trials: Vec<f64>,
    /// The test by group; `None` where no two excerpts share a group.
    pub by_group: Option<SignFlips>,
}

/// Exact sign-flip test of two classifiers: are the excerpts of a group that only the first has
/// right more or fewer than those that only the second has right, if the two classifiers may
/// change places within every whole group?
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SignFlips {
    /// Groups with a tested excerpt.
    pub groups: usize,
    /// Groups of which the first classifier has more right.
    pub first_better: usize,
    /// Groups of which the second has more right.
    pub second_better: usize,
    /// Two-sided exact p-value.
    pub p: f64,
    /// The same test on every trial alone.
    pub p_of_trials: Vec<f64>,
}

impl McNemar {
    /// Compares two evaluations.
    ///
    /// # Errors
    /// [`Error::Request`] if they are not of the same excerpts and classes.
    pub fn of(first: &Evaluation, second: &Evaluation) -> Result<Self> {
        if first.excerpts != second.excerpts
            || first.classes != second.classes
            || first.tested() != second.tested()
        {
            return Err(Error::request(
                "the two classifiers were evaluated on different excerpts",
                "leave out the same clips for both",
            ));
        }
        let (ours, theirs) = (&first.trials[0].predictions, &second.trials[0].predictions);
        let same =
            |(a, b): &(&Prediction, &Prediction)| !a.is_right() && a.predicted == b.predicted;
        let same_error = ours.iter().zip(theirs).filter(same).count() as u64;
        let both = [mostly_right(first), mostly_right(second)];
        let pairs = pairs(&both[0], &both[1], same_error);
        let right = |trial: &Trial| -> Vec<bool> {
            trial.predictions.iter().map(Prediction::is_right).collect()
        };
        let trials: Vec<[Vec<bool>; 2]> =
            first.trials.iter().zip(&second.trials).map(|(a, b)| [right(a), right(b)]).collect();
        let p_of_trials = trials.iter().map(|[a, b]| p_value(&self::pairs(a, b, 0))).collect();
        let groups = first.tested_groups();
        let by_group = groups.join_items().then(|| SignFlips::of(&groups, &both, &trials));
        Ok(Self { pairs, p: p_value(&pairs), p_of_trials, by_group })
    }
}

impl SignFlips {
    /// Of what two classifiers have right: in most trials, and in every trial.
    fn of(groups: &Groups, both: &[Vec<bool>; 2], trials: &[[Vec<bool>; 2]]) -> Self {
        let differences = |[first, second]: &[Vec<bool>; 2]| {
            let pairs = first.iter().zip(second);
            groups.sums(pairs.map(|(&a, &b)| i64::from(a) - i64::from(b)))
        };
        let found = differences(both);
        Self {
            groups: groups.count(),
            first_better: found.iter().filter(|&&difference| difference > 0).count(),
            second_better: found.iter().filter(|&&difference| difference < 0).count(),
            p: groups::sign_flips(&found),
            p_of_trials: trials.iter().map(|t| groups::sign_flips(&differences(t))).collect(),
        }
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

/// For every tested excerpt, whether more than half of the trials have it right.
fn mostly_right(evaluation: &Evaluation) -> Vec<bool> {
    (0..evaluation.trials[0].predictions.len())
        .map(|place| {
            let right = |trial: &&Trial| trial.predictions[place].is_right();
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
            let test = AgainstChance::of(&told(2, &labels, &trials), 20_000, 1);
            assert_eq!((test.right, test.excerpts), (8, 10));
            // scipy.stats.binomtest(8, 10, 0.5, alternative="greater").pvalue
            assert_relative_eq!(test.p_binomial, 0.0546875, max_relative = 1e-9);
            assert_relative_eq!(test.permuted_accuracy.unwrap(), 0.5);
            // Of the 252 ways to deal the labels, 1 + 25 get 8 right or more.
            let p = test.p_permutation.unwrap();
            assert!((p - 26.0 / 252.0).abs() < 0.007, "{p}");
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

    /// Excerpts of classes `labels` in groups of `size` neighbours, with the labels `given`.
    fn grouped(labels: &[usize], size: usize, given: &[usize]) -> Evaluation {
        let mut evaluation = told(2, labels, &[given]);
        for (place, group) in evaluation.groups.iter_mut().enumerate() {
            *group = (size > 1).then(|| (place / size).to_string());
        }
        evaluation
    }

    #[test]
    fn ten_excerpts_of_a_group_are_one_piece_of_evidence() {
        // Eight groups of ten, four a class; seven are right as a whole, one is wrong.
        let labels: Vec<usize> = (0..80).map(|place| place / 40).collect();
        let mut given = labels.clone();
        given[..10].fill(1);
        let alone = AgainstChance::of(&grouped(&labels, 1, &given), 9_999, 1);
        let test = AgainstChance::of(&grouped(&labels, 10, &given), 9_999, 1);
        assert_eq!(alone.by_group, None);
        // What takes excerpts as independent does not see the groups.
        assert_eq!(AgainstChance { by_group: None, ..test.clone() }, alone);
        let by_group = test.by_group.unwrap();
        assert_eq!((by_group.groups, by_group.right), (8, 7.0));
        // P(Bin(8, 1/2) >= 7) = 9/256; all 80: P(Bin(80, 1/2) >= 70).
        assert_relative_eq!(by_group.p_binomial, 9.0 / 256.0, max_relative = 1e-9);
        assert!(test.p_binomial < 1e-11);
        // Of the 70 dealings to the groups, five give class 0 to all three that were called so.
        let p = by_group.p_permutation.unwrap();
        assert!((p - 5.0 / 70.0).abs() < 0.012, "{p}");
        assert!(test.p_permutation.unwrap() < 0.001);
    }

    #[test]
    fn whole_groups_are_flipped() {
        let labels = [0; 60];
        // Six groups of ten: the first classifier is better on five, the second on one.
        let mut second = [0; 60];
        second[..40].fill(1);
        second[40..43].fill(1);
        let mut first = [0; 60];
        first[50..55].fill(1);
        let compare = |size| {
            McNemar::of(&grouped(&labels, size, &first), &grouped(&labels, size, &second)).unwrap()
        };
        let test = compare(10);
        let by_group = test.by_group.clone().unwrap();
        assert_eq!((by_group.groups, by_group.first_better, by_group.second_better), (6, 5, 1));
        // Differences 10, 10, 10, 10, 3, -5: of 64 sums, |sum| >= 38 for 48, 42, 38 and their
        // negatives.
        assert_relative_eq!(by_group.p, 6.0 / 64.0, max_relative = 1e-12);
        assert_eq!(by_group.p_of_trials, [by_group.p]);
        // McNemar's test takes the 43 and 5 excerpts as independent.
        assert_relative_eq!(test.p, binomial::mcnemar(43, 5), max_relative = 1e-12);
        assert_eq!(compare(1), McNemar { by_group: None, ..test });
    }

    #[test]
    fn one_tested_class_leaves_nothing_to_permute() {
        let test = AgainstChance::of(&grouped(&[0; 6], 2, &[0, 0, 0, 1, 0, 0]), 99, 1);
        assert_eq!((test.p_permutation, test.permuted_accuracy), (None, None));
        assert_eq!(test.by_group.unwrap().p_permutation, None);
        assert_relative_eq!(test.p_binomial, 7.0 / 64.0, max_relative = 1e-12);
    }
}
