//! Corpora without an effect: how often do the tests find one in them?
//!
//! Every corpus has groups of ten items, each group of one class. In the first kind of corpus a
//! classifier guesses, in the second two classifiers are right half of the time, neither better
//! than the other. The items of a group depend on each other: with a probability of
//! sqrt(dependence) an item has the outcome of its group, else one of its own, so that the
//! correlation between the outcomes of two items of a group is the dependence.
//!
//! `examples/null_corpora.rs` prints the table of it; a short version is a test.

use rand::rngs::ChaCha8Rng;
use rayon::prelude::*;
use trompe_base::random::{index, uniform};
use trompe_statistics::stream::{Purpose, stream};

use super::cross_validation::Evaluation;
use super::intervals::{AccuracyDifference, FigureIntervals, Intervals};
use super::significance::{AgainstChance, McNemar};
use crate::classifiers::PosteriorKind;

/// Items of a group.
const SIZE: usize = 10;
/// Classes of a corpus; two groups of each in the smallest corpora.
const CLASSES: usize = 5;
/// Accuracy of each of two classifiers, neither of which is better.
const ACCURACY: f64 = 0.5;
/// Level of every test.
pub const LEVEL: f64 = 0.05;
/// Dealings of the labels in a test: with the actual one, 200 places for a p-value.
const PERMUTATIONS: usize = 199;
/// Resamples of an interval.
const RESAMPLES: usize = 399;

/// What the corpora are like.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Condition {
    /// Groups of a corpus, at least ten.
    pub groups: usize,
    /// Correlation between the outcomes of two items of a group, in [0, 1].
    pub dependence: f64,
}

/// Counts the false positives of a test over corpora without an effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FalsePositives {
    /// What is tested.
    pub test: &'static str,
    /// Whether it is an interval that misses the truth: approximate, where a test is not.
    pub interval: bool,
    /// By the test that takes items as independent.
    pub independent: u64,
    /// By the test by group.
    pub by_group: u64,
}

/// What is tested, in the order of [`false_positives`].
const TESTS: [&str; 6] = [
    "guessing, binomial",
    "guessing, labels permuted",
    "two classifiers, McNemar or flips",
    "their difference, interval without 0",
    "accuracy, interval without it",
    "mean recall, interval without it",
];

/// For every test, whether the plain one and the one by group reject.
type Rejections = [(bool, bool); TESTS.len()];

/// Counts false positives at [`LEVEL`] in so many `corpora` of a `condition`, drawn by `seed`.
pub fn false_positives(condition: Condition, corpora: u64, seed: u64) -> Vec<FalsePositives> {
    let found: Vec<Rejections> =
        (0..corpora).into_par_iter().map(|corpus| test(condition, seed, corpus)).collect();
    let count = |holds: &dyn Fn(&Rejections) -> bool| {
        found.iter().filter(|corpus| holds(corpus)).count() as u64
    };
    TESTS
        .into_iter()
        .enumerate()
        .map(|(place, test)| FalsePositives {
            test,
            interval: place >= 3,
            independent: count(&|corpus| corpus[place].0),
            by_group: count(&|corpus| corpus[place].1),
        })
        .collect()
}

/// What the tests say of one corpus.
fn test(condition: Condition, seed: u64, corpus: u64) -> Rejections {
    let Condition { groups, dependence } = condition;
    let place = ((groups as u64) << 48) | (((1000.0 * dependence) as u64) << 32) | corpus;
    let mut stream = stream(seed, Purpose::Collection, place);
    let labels: Vec<usize> = (0..groups * SIZE).map(|item| item / SIZE % CLASSES).collect();
    let follows = libm::sqrt(dependence);
    // Outcomes of all items, each drawn by `draw`.
    let mut outcomes = |draw: &dyn Fn(&mut ChaCha8Rng) -> usize| -> Vec<usize> {
        let mut outcomes = Vec::with_capacity(labels.len());
        for _ in 0..groups {
            let of_group = draw(&mut stream);
            for _ in 0..SIZE {
                let own = draw(&mut stream);
                outcomes.push(if uniform(&mut stream) < follows { of_group } else { own });
            }
        }
        outcomes
    };
    let guesses = outcomes(&|stream| index(CLASSES, stream));
    let mut half_right = || -> Vec<usize> {
        let wrong = outcomes(&|stream| usize::from(uniform(stream) >= ACCURACY));
        labels.iter().zip(wrong).map(|(label, wrong)| (label + wrong) % CLASSES).collect()
    };
    let (first, second) = (half_right(), half_right());
    let [guesses, first, second] =
        [guesses, first, second].map(|given| evaluation(&labels, &given));

    let chance = AgainstChance::of(&guesses, PERMUTATIONS, corpus);
    let by_group = chance.by_group.as_ref();
    let pairs = McNemar::of(&first, &second).ok();
    let difference = AccuracyDifference::of(&first, &second, RESAMPLES, corpus).intervals;
    let figures = FigureIntervals::of(&first, RESAMPLES, corpus);
    let below = |p: Option<f64>| p.is_some_and(|p| p <= LEVEL);
    let misses = |intervals: Intervals, truth: f64| {
        [intervals.independent, intervals.by_group]
            .map(|interval| interval.is_some_and(|interval| !interval.contains(truth)))
            .into()
    };
    [
        (below(Some(chance.p_binomial)), below(by_group.map(|test| test.p_binomial))),
        (below(chance.p_permutation), below(by_group.and_then(|test| test.p_permutation))),
        (
            below(pairs.as_ref().map(|pairs| pairs.p)),
            below(pairs.as_ref().and_then(|pairs| pairs.by_group.as_ref()).map(|flips| flips.p)),
        ),
        misses(difference, 0.0),
        misses(figures.accuracy, ACCURACY),
        misses(figures.mean_recall, ACCURACY),
    ]
}

/// An evaluation in which items of classes `labels` were called `given`.
fn evaluation(labels: &[usize], given: &[usize]) -> Evaluation {
    let classes: Vec<String> = (0..CLASSES).map(|class| class.to_string()).collect();
    let name = |item: usize| (item.to_string(), Some((item / SIZE).to_string()));
    let mut scores = vec![-1.0; labels.len() * CLASSES];
    for (item, class) in given.iter().enumerate() {
        scores[item * CLASSES + class] = 1.0;
    }
    Evaluation::of_scores(
        &classes,
        (0..labels.len()).map(name).collect(),
        PosteriorKind::Softmax,
        labels,
        &scores,
    )
}

#[cfg(test)]
mod tests {
    use trompe_statistics::intervals::clopper_pearson;

    use super::*;

    #[test]
    fn tests_by_group_hold_their_level_and_plain_ones_do_not() {
        let corpora = 200;
        let least = |count| clopper_pearson(count, corpora, 0.95).low;
        for groups in [10, 30] {
            for dependence in [0.0, 0.5, 1.0] {
                for found in false_positives(Condition { groups, dependence }, corpora, 1) {
                    let said = format!("{groups} groups, dependence {dependence}: {found:?}");
                    // Intervals of few groups are approximate: they are printed, not promised.
                    assert!(found.interval || least(found.by_group) <= LEVEL, "{said}");
                    if dependence > 0.0 {
                        assert!(least(found.independent) > LEVEL, "{said}");
                    }
                }
            }
        }
    }

    #[test]
    fn the_seed_and_the_condition_decide_the_counts() {
        let condition = Condition { groups: 10, dependence: 1.0 };
        let found = false_positives(condition, 20, 3);
        assert_eq!(found.len(), TESTS.len());
        assert_eq!(found, false_positives(condition, 20, 3));
        assert_ne!(found, false_positives(Condition { dependence: 0.0, ..condition }, 20, 3));
    }
}
