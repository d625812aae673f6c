//! Consistent errors: excerpts that are misclassified in trial after trial (Sturm, MIRUM
//! 2012 and JIIS 41(3), 2013; the terms are remembered from the latter).

use serde::Serialize;

use super::cross_validation::Evaluation;

/// An excerpt that was misclassified in at least one trial.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Misclassified {
    /// Index of the excerpt.
    pub excerpt: usize,
    /// Its class.
    pub class: usize,
    /// For every class, the number of trials in which the excerpt was taken for it.
    pub taken_for: Vec<u64>,
    /// The wrong class it was taken for most often; the first when several are equal.
    pub wrong_label: usize,
    /// Wrong in every trial (CM).
    pub consistent: bool,
    /// Whenever wrong, wrong with the same label (PM).
    pub persistent: bool,
    /// Mean over the wrong trials of the posterior of the label given.
    pub mean_confidence: f64,
}

impl Misclassified {
    /// Wrong in every trial with the same label (C3W).
    pub fn is_consistent_and_persistent(&self) -> bool {
        self.consistent && self.persistent
    }
}

/// All misclassified excerpts of an evaluation.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Consistency {
    /// Number of trials; of one alone, every error is consistent.
    pub trials: usize,
    /// Excerpts wrong in every trial (CM).
    pub consistent: usize,
    /// Excerpts wrong at least once, and always with the same label (PM).
    pub persistent: usize,
    /// Excerpts wrong in every trial with the same label (C3W).
    pub consistent_and_persistent: usize,
    /// Those wrong at least once, in their order.
    pub misclassified: Vec<Misclassified>,
}

impl Consistency {
    /// Of an evaluation's trials.
    pub fn of(evaluation: &Evaluation) -> Self {
        let misclassified: Vec<Misclassified> = (0..evaluation.trials[0].predictions.len())
            .filter_map(|place| misclassified(evaluation, place))
            .collect();
        let count = |holds: fn(&Misclassified) -> bool| {
            misclassified.iter().filter(|error| holds(error)).count()
        };
        Self {
            trials: evaluation.trials.len(),
            consistent: count(|error| error.consistent),
            persistent: count(|error| error.persistent),
            consistent_and_persistent: count(Misclassified::is_consistent_and_persistent),
            misclassified,
        }
    }

    /// Excerpts wrong in every trial: those with one label first, then the most confident.
    pub fn consistent_errors(&self) -> Vec<&Misclassified> {
        let mut errors: Vec<_> =
            self.misclassified.iter().filter(|error| error.consistent).collect();
        errors.sort_by(|a, b| {
            b.persistent.cmp(&a.persistent).then(b.mean_confidence.total_cmp(&a.mean_confidence))
        });
        errors
    }
}

/// Of the excerpt at `place` among the predictions.
fn misclassified(evaluation: &Evaluation, place: usize) -> Option<Misclassified> {
    let predictions: Vec<_> =
        evaluation.trials.iter().map(|trial| &trial.predictions[place]).collect();
    let wrong: Vec<_> = predictions.iter().filter(|prediction| !prediction.is_right()).collect();
    let first = wrong.first()?;
    let mut taken_for = vec![0; evaluation.classes.len()];
    for prediction in &predictions {
        taken_for[prediction.predicted] += 1;
    }
    let mut wrong_label = first.predicted;
    for (class, &count) in taken_for.iter().enumerate() {
        let more = count > taken_for[wrong_label]
            || (count == taken_for[wrong_label] && class < wrong_label);
        if class != first.class && more {
            wrong_label = class;
        }
    }
    let confidence: f64 = wrong.iter().map(|prediction| prediction.posterior()).sum();
    Some(Misclassified {
        excerpt: first.excerpt,
        class: first.class,
        consistent: wrong.len() == predictions.len(),
        persistent: wrong.iter().all(|prediction| prediction.predicted == first.predicted),
        mean_confidence: confidence / wrong.len() as f64,
        taken_for,
        wrong_label,
    })
}

#[cfg(test)]
mod tests {
    use super::super::told;
    use super::*;

    #[test]
    fn errors_are_told_apart_by_trials_and_labels() {
        // Four excerpts of class 0; in each trial the labels given to them.
        let consistency =
            Consistency::of(&told(3, &[0; 4], &[[0, 1, 2, 0], [0, 1, 1, 2], [0, 1, 2, 0]]));
        let counts =
            [consistency.consistent, consistency.persistent, consistency.consistent_and_persistent];
        assert_eq!(counts, [2, 2, 1]);
        let found: Vec<_> = consistency
            .misclassified
            .iter()
            .map(|e| (e.excerpt, e.wrong_label, e.consistent, e.persistent))
            .collect();
        assert_eq!(found, [(1, 1, true, true), (2, 2, true, false), (3, 2, false, true)]);
        assert_eq!(consistency.misclassified[1].taken_for, [0, 1, 2]);
        // Labels are given with log-odds 1, hence with this posterior.
        let confidence = consistency.misclassified[0].mean_confidence;
        assert!((confidence - 1.0 / (1.0 + (-1.0f64).exp())).abs() < 1e-15);
        let listed: Vec<_> = consistency.consistent_errors().iter().map(|e| e.excerpt).collect();
        assert_eq!(listed, [1, 2]);
    }
}
