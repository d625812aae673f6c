//! Figures of merit of a confusion matrix, as Sturm reports them: columns are true
//! classes, rows predicted ones; normalized accuracy is the mean recall.

use serde::Serialize;

/// How often each class was taken for each.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Confusion {
    /// `counts[predicted][true]`.
    pub counts: Vec<Vec<u64>>,
}

/// Figures of one confusion matrix, per class in the order of classes. A figure that would
/// be 0 / 0 (no excerpt predicted as a class, say) is 0.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Metrics {
    /// Share of a class' excerpts that were recognized.
    pub recall: Vec<f64>,
    /// Share of the excerpts taken for a class that are of it.
    pub precision: Vec<f64>,
    /// Harmonic mean of recall and precision.
    pub f_score: Vec<f64>,
    /// Mean of the recalls: accuracy as if all classes were of equal size.
    pub mean_recall: f64,
    /// Share of excerpts that were recognized.
    pub accuracy: f64,
}

/// Mean over trials, and how far they lie apart.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Spread {
    /// Mean.
    pub mean: f64,
    /// Standard deviation (with n - 1); `None` for a single trial.
    pub deviation: Option<f64>,
}

impl Confusion {
    /// Of (true, predicted) pairs.
    pub fn new(classes: usize, pairs: impl IntoIterator<Item = (usize, usize)>) -> Self {
        let mut counts = vec![vec![0; classes]; classes];
        for (class, predicted) in pairs {
            counts[predicted][class] += 1;
        }
        Self { counts }
    }

    /// Its figures of merit.
    pub fn metrics(&self) -> Metrics {
        let classes = self.counts.len();
        let right = |class: usize| self.counts[class][class];
        let of_class = |class: usize| self.counts.iter().map(|row| row[class]).sum::<u64>();
        let taken_for = |class: usize| self.counts[class].iter().sum::<u64>();
        let recall: Vec<f64> = (0..classes).map(|c| share(right(c), of_class(c))).collect();
        let precision: Vec<f64> = (0..classes).map(|c| share(right(c), taken_for(c))).collect();
        let f_score =
            (0..classes).map(|c| share(2 * right(c), of_class(c) + taken_for(c))).collect();
        let tested: Vec<f64> =
            (0..classes).filter(|&c| of_class(c) > 0).map(|c| recall[c]).collect();
        let mean_recall = tested.iter().sum::<f64>() / tested.len().max(1) as f64;
        let accuracy = share((0..classes).map(right).sum(), (0..classes).map(of_class).sum());
        Metrics { recall, precision, f_score, mean_recall, accuracy }
    }
}

fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

impl Spread {
    /// Of the given values, at least one.
    pub fn of(values: &[f64]) -> Self {
        let count = values.len() as f64;
        let mean = values.iter().sum::<f64>() / count;
        let squares: f64 = values.iter().map(|value| (value - mean) * (value - mean)).sum();
        let deviation = (values.len() > 1).then(|| (squares / (count - 1.0)).sqrt());
        Self { mean, deviation }
    }
}

#[cfg(test)]
mod tests {
    use approx::assert_relative_eq;

    use super::*;

    /// Figures of scikit-learn 1.9.1: `confusion_matrix(t, p).T`,
    /// `precision_recall_fscore_support(t, p, zero_division=0)`, `balanced_accuracy_score`,
    /// `accuracy_score`. Class 3 is never predicted.
    #[test]
    fn figures_agree_with_scikit_learn() {
        let t = [0, 0, 0, 0, 1, 1, 1, 2, 2, 2, 2, 2, 3, 3];
        let p = [0, 0, 1, 2, 1, 1, 0, 2, 2, 2, 0, 1, 0, 1];
        let confusion = Confusion::new(4, t.into_iter().zip(p));
        assert_eq!(confusion.counts, [[2, 1, 1, 1], [1, 2, 1, 1], [1, 0, 3, 0], [0, 0, 0, 0]]);
        let metrics = confusion.metrics();
        let pairs = [
            (metrics.precision, [0.4, 0.4, 0.75, 0.0]),
            (metrics.recall, [0.5, 0.6666666666666666, 0.6, 0.0]),
            (metrics.f_score, [0.4444444444444444, 0.5, 0.6666666666666666, 0.0]),
        ];
        for (ours, theirs) in pairs {
            for (ours, theirs) in ours.iter().zip(theirs) {
                assert_relative_eq!(*ours, theirs, max_relative = 1e-15);
            }
        }
        assert_relative_eq!(metrics.mean_recall, 0.44166666666666665, max_relative = 1e-15);
        assert_relative_eq!(metrics.accuracy, 0.5);
    }

    #[test]
    fn spread_is_mean_and_sample_deviation() {
        let spread = Spread::of(&[1.0, 2.0, 4.0]);
        assert_relative_eq!(spread.mean, 7.0 / 3.0);
        // numpy.std([1, 2, 4], ddof=1)
        assert_relative_eq!(spread.deviation.unwrap_or(0.0), 1.527525231651947, epsilon = 1e-14);
        assert_eq!(Spread::of(&[0.5]), Spread { mean: 0.5, deviation: None });
    }
}
