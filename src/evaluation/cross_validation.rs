//! Repeated cross-validation over given folds, with every prediction kept.

use std::collections::{BTreeMap, BTreeSet};

use ndarray::Array2;
use serde::Serialize;

use super::certainty::Certainty;
use super::metrics::{Confusion, Metrics, Spread};
use crate::classifiers::sparse::Reach;
use crate::classifiers::{
    Calibration, Classifier, PosteriorKind, posterior_from_log_odds, top_class,
};
use crate::dataset::Dataset;
use crate::error::{Error, Result};

/// What a classifier said about an excerpt it was not trained on.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Prediction {
    /// Index of the excerpt.
    pub excerpt: usize,
    /// Its fold.
    pub fold: usize,
    /// Its class.
    pub class: usize,
    /// The class with the greatest log-odds.
    pub predicted: usize,
    /// One log-odds per class.
    pub log_odds: Vec<f64>,
    /// [`Classifier::out_of_reach`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub out_of_reach: Option<bool>,
}

/// One round of cross-validation: every excerpt predicted once.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Trial {
    /// Whether no group was divided between folds.
    pub groups_kept_together: bool,
    /// One per excerpt, in their order.
    pub predictions: Vec<Prediction>,
    /// How often each class was taken for each.
    pub confusion: Confusion,
    /// Its figures of merit.
    pub metrics: Metrics,
}

/// Result of repeated cross-validation.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Evaluation {
    /// Class names.
    pub classes: Vec<String>,
    /// Name of every excerpt.
    pub excerpts: Vec<String>,
    /// What kind of number a posterior is.
    pub posterior_kind: PosteriorKind,
    /// One per assignment of folds.
    pub trials: Vec<Trial>,
    /// Mean recall over trials.
    pub mean_recall: Spread,
    /// Accuracy over trials.
    pub accuracy: Spread,
    /// Recall of every class over trials.
    pub recall: Vec<Spread>,
    /// Precision of every class over trials.
    pub precision: Vec<Spread>,
    /// F-score of every class over trials.
    pub f_score: Vec<Spread>,
    /// How many predictions the classifier's method had no answer for, over all trials; `None`
    /// for methods that always have one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reach: Option<Reach>,
    /// How often the posterior is right when it is high, over all trials.
    pub certainty: Vec<Certainty>,
    /// The same for calibrated posteriors, each fold's calibration fitted on the others;
    /// `None` where none can be fitted, as when some folds lack a class.
    pub calibrated_certainty: Option<Vec<Certainty>>,
}

/// A fit about to begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fit {
    /// Number of the trial, from 1.
    pub trial: usize,
    /// Number of trials.
    pub trials: usize,
    /// Number of the fold within the trial, from 1.
    pub fold: usize,
    /// Number of folds of the trial.
    pub folds: usize,
}

/// Trains on all folds but one and predicts that one, for every fold of every trial.
///
/// `trials` assigns a fold number to every excerpt, once per trial; `train` fits a
/// classifier to a part of `dataset` (with all its classes); `progress` hears of every fit.
/// Fits follow one another, each free to use all threads.
///
/// # Errors
/// [`Error::Request`] when an assignment does not fit the dataset or leaves a class out of
/// training, and whatever `train` returns.
pub fn cross_validate<C: Classifier>(
    dataset: &Dataset,
    trials: &[Vec<usize>],
    mut train: impl FnMut(&Dataset) -> Result<C>,
    mut progress: impl FnMut(Fit),
) -> Result<Evaluation> {
    dataset.check()?;
    for (number, folds) in trials.iter().enumerate() {
        check_folds(dataset, number + 1, folds)?;
    }
    let mut posterior_kind = None;
    let mut results = Vec::new();
    for (trial, folds) in trials.iter().enumerate() {
        let names: BTreeSet<usize> = folds.iter().copied().collect();
        let mut predictions = Vec::new();
        for (fold, &name) in names.iter().enumerate() {
            let (trials, trial) = (trials.len(), trial + 1);
            progress(Fit { trial, trials, fold: fold + 1, folds: names.len() });
            let (test, training): (Vec<usize>, Vec<usize>) =
                (0..folds.len()).partition(|&excerpt| folds[excerpt] == name);
            let classifier = train(&dataset.subset(&training))?;
            posterior_kind = Some(classifier.posterior_kind());
            predictions.extend(score(&classifier, dataset, &test, name));
        }
        predictions.sort_by_key(|prediction| prediction.excerpt);
        results.push(Trial::new(dataset, folds, predictions));
    }
    let Some(posterior_kind) = posterior_kind else {
        return Err(Error::request("cross-validation without trials", "ask for at least one"));
    };
    Ok(Evaluation::of_dataset(dataset, posterior_kind, results))
}

/// Predictions of a classifier for some excerpts of a dataset of the same features and
/// classes.
pub fn score(
    classifier: &impl Classifier,
    dataset: &Dataset,
    excerpts: &[usize],
    fold: usize,
) -> Vec<Prediction> {
    let starts = dataset.excerpt_starts();
    excerpts
        .iter()
        .map(|&excerpt| {
            let vectors: Vec<f32> = dataset.vectors_of(&starts, excerpt).iter().copied().collect();
            let mut log_odds = vec![0.0; dataset.classes.len()];
            classifier.log_odds(&vectors, &mut log_odds);
            let predicted = top_class(&log_odds);
            let class = dataset.excerpts[excerpt].class;
            let out_of_reach = classifier.out_of_reach(&vectors);
            Prediction { excerpt, fold, class, predicted, log_odds, out_of_reach }
        })
        .collect()
}

fn check_folds(dataset: &Dataset, trial: usize, folds: &[usize]) -> Result<()> {
    let excerpts = dataset.excerpts.len();
    if folds.len() != excerpts {
        let what = format!("trial {trial}: {} fold numbers, {excerpts} excerpts", folds.len());
        return Err(Error::request(what, "assign every excerpt to a fold"));
    }
    // Excerpts of a class in every fold, to see which fold holds all of them.
    let mut counts: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (excerpt, &fold) in dataset.excerpts.iter().zip(folds) {
        counts.entry(fold).or_insert_with(|| vec![0; dataset.classes.len()])[excerpt.class] += 1;
    }
    if counts.len() < 2 {
        let what = format!("trial {trial}: {} fold", counts.len());
        return Err(Error::request(what, "cross-validation needs at least two"));
    }
    let totals = dataset.excerpts_per_class();
    for (fold, counts) in &counts {
        for (class, (&count, &total)) in counts.iter().zip(&totals).enumerate() {
            if count == total {
                let name = &dataset.classes[class];
                let what = format!(
                    "trial {trial}: all {total} excerpts of class {name} are in fold {fold}, \
                     none is left to train on"
                );
                return Err(Error::request(what, "use other folds or add excerpts or groups"));
            }
        }
    }
    Ok(())
}

impl Prediction {
    /// Posterior of the predicted class.
    pub fn posterior(&self) -> f64 {
        posterior_from_log_odds(self.log_odds[self.predicted])
    }

    /// Whether the prediction is the true class.
    pub fn is_right(&self) -> bool {
        self.predicted == self.class
    }
}

impl Trial {
    fn new(dataset: &Dataset, folds: &[usize], predictions: Vec<Prediction>) -> Self {
        let mut fold_of_group = BTreeMap::new();
        let groups_kept_together = dataset.excerpts.iter().zip(folds).all(|(excerpt, fold)| {
            excerpt
                .group
                .as_ref()
                .is_none_or(|group| *fold_of_group.entry(group).or_insert(fold) == fold)
        });
        Self::of_predictions(dataset.classes.len(), groups_kept_together, predictions)
    }

    fn of_predictions(
        classes: usize,
        groups_kept_together: bool,
        predictions: Vec<Prediction>,
    ) -> Self {
        let pairs = predictions.iter().map(|p| (p.class, p.predicted));
        let confusion = Confusion::new(classes, pairs);
        let metrics = confusion.metrics();
        Self { groups_kept_together, predictions, confusion, metrics }
    }

    /// Calibration fitted on this trial's held-out predictions.
    ///
    /// # Errors
    /// As [`Calibration::fit`].
    pub fn calibration(&self) -> Result<Calibration> {
        calibration_of(&self.predictions.iter().collect::<Vec<_>>())
    }

    /// Top calibrated posterior of every excerpt, and whether it is right: each fold's
    /// calibration is fitted on the other folds.
    fn calibrated_claims(&self) -> Result<Vec<(f64, bool)>> {
        let folds: BTreeSet<usize> = self.predictions.iter().map(|p| p.fold).collect();
        let mut claims = Vec::new();
        for fold in folds {
            let (test, others): (Vec<&Prediction>, Vec<&Prediction>) =
                self.predictions.iter().partition(|p| p.fold == fold);
            let calibration = calibration_of(&others)?;
            for prediction in test {
                let posteriors = calibration.posteriors(&prediction.log_odds);
                let top = top_class(&posteriors);
                claims.push((posteriors[top], top == prediction.class));
            }
        }
        Ok(claims)
    }
}

fn calibration_of(predictions: &[&Prediction]) -> Result<Calibration> {
    let Some(first) = predictions.first() else {
        return Err(Error::request("calibration without predictions", "use two folds or more"));
    };
    let classes = first.log_odds.len();
    let log_odds = Array2::from_shape_fn((predictions.len(), classes), |(row, class)| {
        predictions[row].log_odds[class]
    });
    let labels: Vec<usize> = predictions.iter().map(|p| p.class).collect();
    Calibration::fit(&log_odds, &labels)
}

impl Evaluation {
    /// What a finished classifier makes of a dataset that it was not trained on: one trial
    /// of one fold.
    ///
    /// # Errors
    /// [`Error::Request`] when classes or features are not those of the classifier.
    pub fn of_classifier(classifier: &impl Classifier, dataset: &Dataset) -> Result<Self> {
        dataset.check()?;
        if classifier.classes() != dataset.classes
            || classifier.dimensions() != dataset.dimensions()
        {
            let what = format!(
                "the classifier knows {} features and the classes {}; the data have {} and {}",
                classifier.dimensions(),
                classifier.classes().join(", "),
                dataset.dimensions(),
                dataset.classes.join(", ")
            );
            return Err(Error::request(what, "evaluate it on data like those it was trained on"));
        }
        let all: Vec<usize> = (0..dataset.excerpts.len()).collect();
        let predictions = score(classifier, dataset, &all, 0);
        let trial = Trial::new(dataset, &vec![0; all.len()], predictions);
        Ok(Self::of_dataset(dataset, classifier.posterior_kind(), vec![trial]))
    }

    /// What a finished classifier makes of inputs that it was not trained on, from their true
    /// classes and its log-odds, one row an input.
    pub fn of_scores(
        classes: &[String],
        inputs: Vec<String>,
        posterior_kind: PosteriorKind,
        labels: &[usize],
        scores: &[f64],
    ) -> Self {
        let predictions: Vec<Prediction> = scores
            .chunks_exact(classes.len())
            .zip(labels)
            .enumerate()
            .map(|(excerpt, (row, &class))| Prediction {
                excerpt,
                fold: 0,
                class,
                predicted: top_class(row),
                log_odds: row.to_vec(),
                out_of_reach: None,
            })
            .collect();
        let trial = Trial::of_predictions(classes.len(), true, predictions);
        Self::new(classes.to_vec(), inputs, posterior_kind, vec![trial])
    }

    fn of_dataset(dataset: &Dataset, posterior_kind: PosteriorKind, trials: Vec<Trial>) -> Self {
        let excerpts = dataset.excerpts.iter().map(|excerpt| excerpt.id.clone()).collect();
        Self::new(dataset.classes.clone(), excerpts, posterior_kind, trials)
    }

    fn new(
        classes: Vec<String>,
        excerpts: Vec<String>,
        posterior_kind: PosteriorKind,
        trials: Vec<Trial>,
    ) -> Self {
        let spread = |figure: &dyn Fn(&Metrics) -> f64| {
            Spread::of(&trials.iter().map(|trial| figure(&trial.metrics)).collect::<Vec<_>>())
        };
        let per_class = |figure: &dyn Fn(&Metrics) -> &Vec<f64>| {
            (0..classes.len()).map(|class| spread(&|m| figure(m)[class])).collect()
        };
        let raw: Vec<(f64, bool)> = trials
            .iter()
            .flat_map(|trial| &trial.predictions)
            .map(|prediction| (prediction.posterior(), prediction.is_right()))
            .collect();
        let said = trials.iter().flat_map(|trial| &trial.predictions);
        let reach = Reach::of(said.map(|prediction| prediction.out_of_reach));
        let calibrated: Result<Vec<_>> = trials.iter().map(Trial::calibrated_claims).collect();
        Self {
            posterior_kind,
            mean_recall: spread(&|m| m.mean_recall),
            accuracy: spread(&|m| m.accuracy),
            recall: per_class(&|m| &m.recall),
            precision: per_class(&|m| &m.precision),
            f_score: per_class(&|m| &m.f_score),
            certainty: Certainty::table(&raw),
            calibrated_certainty: calibrated.ok().map(|claims| Certainty::table(&claims.concat())),
            reach,
            classes,
            excerpts,
            trials,
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::classifiers::adaboost::Votes;
    use crate::classifiers::{AdaBoostParams, Aggregation, LogisticParams};
    use crate::dataset::generated::gaussians;

    /// An evaluation in which excerpts of classes `labels` were given the labels `told`, one
    /// list a trial, each with log-odds 1 for the label and -1 for the others.
    pub(crate) fn told<L: AsRef<[usize]>>(
        classes: usize,
        labels: &[usize],
        told: &[L],
    ) -> Evaluation {
        let mut data = gaussians(classes, labels.len(), 1, 2, 1.0, 1);
        data = data.subset(&(0..labels.len()).collect::<Vec<_>>());
        for (excerpt, &class) in data.excerpts.iter_mut().zip(labels) {
            excerpt.class = class;
        }
        let trial = |told: &L| {
            let predictions = labels.iter().zip(told.as_ref()).enumerate();
            let predictions = predictions.map(|(excerpt, (&class, &predicted))| {
                let mut log_odds = vec![-1.0; classes];
                log_odds[predicted] = 1.0;
                let out_of_reach = None;
                Prediction { excerpt, fold: 0, class, predicted, log_odds, out_of_reach }
            });
            Trial::new(&data, &vec![0; labels.len()], predictions.collect())
        };
        let trials = told.iter().map(trial).collect();
        let excerpts = data.excerpts.iter().map(|excerpt| excerpt.id.clone()).collect();
        Evaluation::new(data.classes.clone(), excerpts, PosteriorKind::LogisticOfVote, trials)
    }

    /// Excerpt i goes to fold i / step mod 3.
    fn folds(excerpts: usize, step: usize) -> Vec<usize> {
        (0..excerpts).map(|excerpt| excerpt / step % 3).collect()
    }

    #[test]
    fn every_excerpt_is_predicted_once_a_trial_by_a_classifier_that_never_saw_it() {
        let data = gaussians(2, 15, 2, 4, 0.6, 1);
        let trials = [folds(30, 4), folds(30, 2)];
        let mut sizes = Vec::new();
        let mut fits = Vec::new();
        let result = cross_validate(
            &data,
            &trials,
            |part| {
                sizes.push(part.excerpts.len());
                LogisticParams::default().fit(part)
            },
            |fit| fits.push((fit.trial, fit.fold, fit.folds)),
        )
        .unwrap();
        assert_eq!(fits, [(1, 1, 3), (1, 2, 3), (1, 3, 3), (2, 1, 3), (2, 2, 3), (2, 3, 3)]);
        assert_eq!(sizes.iter().sum::<usize>(), 2 * 2 * 30);
        for (trial, folds) in result.trials.iter().zip(&trials) {
            for (excerpt, prediction) in trial.predictions.iter().enumerate() {
                assert_eq!((prediction.excerpt, prediction.fold), (excerpt, folds[excerpt]));
            }
        }
        // Groups are four excerpts each: the first assignment keeps them, the second not.
        let together: Vec<bool> = result.trials.iter().map(|t| t.groups_kept_together).collect();
        assert_eq!(together, [true, false]);
        let means: Vec<f64> = result.trials.iter().map(|t| t.metrics.mean_recall).collect();
        assert_eq!(result.mean_recall, Spread::of(&means));
        assert!(result.mean_recall.mean > 0.7);
        let json = serde_json::to_value(&result).unwrap();
        assert_eq!(json["trials"][1]["predictions"][29]["excerpt"], 29);
        assert_eq!(json["posterior_kind"], "softmax");
    }

    #[test]
    fn certainty_is_counted_and_calibration_tempers_it() {
        // Clouds that overlap, nine vectors an excerpt: summed votes overstate.
        let data = gaussians(3, 60, 9, 4, 0.15, 2);
        let params = AdaBoostParams {
            rounds: 60,
            votes: Votes::Normalized,
            aggregation: Aggregation::Sum,
            ..AdaBoostParams::default()
        };
        let result =
            cross_validate(&data, &[folds(180, 1)], |part| params.fit(part, &mut |_| {}), |_| {});
        // Excerpts of a class all have the same number mod 3.
        assert!(result.unwrap_err().to_string().contains("none is left to train on"));
        let result =
            cross_validate(&data, &[folds(180, 3)], |part| params.fit(part, &mut |_| {}), |_| {})
                .unwrap();
        let error = |table: &[Certainty]| {
            let at = table[1];
            assert!(at.claims > 0);
            at.right as f64 / at.claims as f64
        };
        assert_eq!(result.certainty.len(), 5);
        assert!(result.certainty[0].claims <= 180);
        let calibrated = result.calibrated_certainty.unwrap();
        assert!(calibrated[0].claims > 0 && error(&calibrated) > 0.8);
        let calibration = result.trials[0].calibration().unwrap();
        assert_eq!(calibration.excerpts, 180);
    }

    #[test]
    fn folds_that_do_not_fit_are_refused() {
        let data = gaussians(2, 6, 1, 3, 1.0, 1);
        let fails = |trials: &[Vec<usize>]| {
            cross_validate(&data, trials, |part| LogisticParams::default().fit(part), |_| {})
                .unwrap_err()
                .to_string()
        };
        assert!(fails(&[]).contains("without trials"));
        assert!(fails(&[vec![0; 11]]).contains("11 fold numbers, 12 excerpts"));
        assert!(fails(&[vec![4; 12]]).contains("1 fold"));
        let by_class: Vec<usize> = data.excerpts.iter().map(|e| e.class).collect();
        assert!(fails(&[by_class]).contains("class class 0 are in fold 0"));
    }
}
