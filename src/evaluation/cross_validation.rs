//! Repeated cross-validation over given folds, with every prediction kept.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use trompe_statistics::groups::Groups;

use super::certainty::Certainty;
use super::metrics::{Confusion, Metrics, Spread};
use crate::classifiers::sparse::Reach;
use crate::classifiers::{Classifier, PosteriorKind, posterior_from_log_odds, top_class};
use crate::dataset::Dataset;
use crate::error::{Error, Result};
use crate::log_odds::Labelling;
use crate::reference::{CalibrationMap, CalibrationReport, ScoredItems, chosen_map};

/// A prediction for an excerpt that was held out of training.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Prediction {
    /// Index of the excerpt in the dataset.
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

/// One round of cross-validation: every tested excerpt predicted once.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Trial {
    /// Whether no group was divided between folds.
    pub groups_kept_together: bool,
    /// One per tested excerpt, in their order; the same excerpts in every trial.
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
    /// Name of every excerpt of the dataset, tested or not.
    pub excerpts: Vec<String>,
    /// Group of every excerpt; left out of files where no excerpt has one.
    #[serde(skip_serializing_if = "no_groups")]
    pub groups: Vec<Option<String>>,
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
    /// The same for calibrated posteriors, each fold's calibration fitted on the others, by the kind
    /// of map that the first trial chooses; `None` where none can be fitted, as of one fold.
    pub calibrated_certainty: Option<Vec<Certainty>>,
}

fn no_groups(groups: &[Option<String>]) -> bool {
    groups.iter().all(Option::is_none)
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
/// `trials` assigns a fold number to every excerpt, once per trial, or none to an excerpt that
/// is always in training and never tested; `train` fits a classifier to a part of `dataset`
/// (with all its classes); `progress` hears of every fit. Fits follow one another, each free to
/// use all threads.
///
/// # Errors
/// [`Error::Request`] when an assignment does not fit the dataset, leaves a class out of
/// training or tests other excerpts than the first, and whatever `train` returns.
pub fn cross_validate<C: Classifier>(
    dataset: &Dataset,
    trials: &[Vec<Option<usize>>],
    mut train: impl FnMut(&Dataset) -> Result<C>,
    mut progress: impl FnMut(Fit),
) -> Result<Evaluation> {
    dataset.check()?;
    for (number, folds) in trials.iter().enumerate() {
        check_folds(dataset, number + 1, folds)?;
        let same = |(a, b): (&Option<usize>, &Option<usize>)| a.is_some() == b.is_some();
        if !folds.iter().zip(&trials[0]).all(same) {
            let what = format!("trial {} tests other excerpts than trial 1", number + 1);
            return Err(Error::request(what, "leave the same excerpts untested in every trial"));
        }
    }
    let mut posterior_kind = None;
    let mut results = Vec::new();
    for (trial, folds) in trials.iter().enumerate() {
        let names: BTreeSet<usize> = folds.iter().copied().flatten().collect();
        let mut predictions = Vec::new();
        for (fold, &name) in names.iter().enumerate() {
            let (trials, trial) = (trials.len(), trial + 1);
            progress(Fit { trial, trials, fold: fold + 1, folds: names.len() });
            let (test, training): (Vec<usize>, Vec<usize>) =
                (0..folds.len()).partition(|&excerpt| folds[excerpt] == Some(name));
            let classifier = train(&dataset.subset(&training))?;
            posterior_kind = Some(classifier.posterior_kind());
            predictions.extend(score(&classifier, dataset, &test, name));
        }
        predictions.sort_by_key(|prediction| prediction.excerpt);
        results.push(Trial::new(dataset, folds, predictions));
    }
    let Some(posterior_kind) = posterior_kind else {
        return Err(Error::request("cross-validation with 0 trials", "give at least 1"));
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

fn check_folds(dataset: &Dataset, trial: usize, folds: &[Option<usize>]) -> Result<()> {
    let excerpts = dataset.excerpts.len();
    if folds.len() != excerpts {
        let what = format!("trial {trial}: {} fold numbers, {excerpts} excerpts", folds.len());
        return Err(Error::request(what, "assign every excerpt to a fold"));
    }
    // Excerpts of a class in every fold, to see which fold holds all of them.
    let mut counts: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (excerpt, fold) in dataset.excerpts.iter().zip(folds) {
        let Some(fold) = *fold else { continue };
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
    fn new(dataset: &Dataset, folds: &[Option<usize>], predictions: Vec<Prediction>) -> Self {
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

    /// The group of every prediction, from those of all excerpts.
    fn groups(&self, of_excerpts: &[Option<String>]) -> Groups {
        Groups::by_name(self.predictions.iter().map(|p| of_excerpts[p.excerpt].as_deref()))
    }

    fn scored<'a>(
        &'a self,
        posterior_kind: PosteriorKind,
        classes: usize,
        groups: &'a Groups,
    ) -> ScoredItems<'a> {
        let items = self.predictions.iter().map(|p| (&p.log_odds[..], p.class)).collect();
        ScoredItems { posterior_kind, classes, labelling: Labelling::Single, items, groups }
    }

    /// Top calibrated posterior of every excerpt, and whether it is right: each fold's map is of this
    /// kind, fitted on the other folds. `None` of one fold.
    fn calibrated_claims(&self, map: &CalibrationMap) -> Option<Vec<(f64, bool)>> {
        let folds: BTreeSet<usize> = self.predictions.iter().map(|p| p.fold).collect();
        let mut claims = Vec::new();
        for fold in folds {
            let others = self.predictions.iter().filter(|p| p.fold != fold);
            let rows = others.map(|p| (&p.log_odds[..], p.class));
            let refitted = map.refitted(rows)?;
            for prediction in self.predictions.iter().filter(|p| p.fold == fold) {
                let posteriors = refitted.posteriors(&prediction.log_odds);
                let top = top_class(&posteriors);
                claims.push((posteriors[top], top == prediction.class));
            }
        }
        Some(claims)
    }
}

impl Evaluation {
    /// Evaluates a finished classifier on a dataset that it was not trained on: one trial
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
        let trial = Trial::new(dataset, &vec![Some(0); all.len()], predictions);
        Ok(Self::of_dataset(dataset, classifier.posterior_kind(), vec![trial]))
    }

    /// Evaluates a finished classifier on inputs that it was not trained on, from their true
    /// classes and its log-odds, one row an input, and the group of each.
    pub fn of_scores(
        classes: &[String],
        inputs: Vec<(String, Option<String>)>,
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

    /// Indices of the excerpts that were tested, in the order of the predictions.
    pub fn tested(&self) -> Vec<usize> {
        self.trials[0].predictions.iter().map(|prediction| prediction.excerpt).collect()
    }

    /// What posteriors are worth on the predictions of the first trial.
    pub fn calibration(&self) -> CalibrationReport {
        let classes = self.classes.len();
        let groups = self.tested_groups();
        CalibrationReport::of(&self.trials[0].scored(self.posterior_kind, classes, &groups))
    }

    /// The groups of the tested excerpts.
    pub fn tested_groups(&self) -> Groups {
        self.trials[0].groups(&self.groups)
    }

    /// Classes without a tested excerpt.
    pub fn untested_classes(&self) -> Vec<usize> {
        let tested: BTreeSet<usize> =
            self.trials[0].predictions.iter().map(|prediction| prediction.class).collect();
        (0..self.classes.len()).filter(|class| !tested.contains(class)).collect()
    }

    fn of_dataset(dataset: &Dataset, posterior_kind: PosteriorKind, trials: Vec<Trial>) -> Self {
        let excerpts = dataset.excerpts.iter().map(|e| (e.id.clone(), e.group.clone())).collect();
        Self::new(dataset.classes.clone(), excerpts, posterior_kind, trials)
    }

    fn new(
        classes: Vec<String>,
        excerpts: Vec<(String, Option<String>)>,
        posterior_kind: PosteriorKind,
        trials: Vec<Trial>,
    ) -> Self {
        let (excerpts, groups): (_, Vec<_>) = excerpts.into_iter().unzip();
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
        let tested = trials[0].groups(&groups);
        let map = chosen_map(&trials[0].scored(posterior_kind, classes.len(), &tested));
        let calibrated: Option<Vec<_>> =
            map.and_then(|map| trials.iter().map(|trial| trial.calibrated_claims(&map)).collect());
        Self {
            posterior_kind,
            mean_recall: spread(&|m| m.mean_recall),
            accuracy: spread(&|m| m.accuracy),
            recall: per_class(&|m| &m.recall),
            precision: per_class(&|m| &m.precision),
            f_score: per_class(&|m| &m.f_score),
            certainty: Certainty::table(&raw),
            calibrated_certainty: calibrated.map(|claims| Certainty::table(&claims.concat())),
            reach,
            classes,
            excerpts,
            groups,
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
    /// list a trial, each with log-odds 1 for the label and -1 for the others. Neighbours
    /// share groups, as many as there are classes twice.
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
            Trial::new(&data, &vec![Some(0); labels.len()], predictions.collect())
        };
        let trials = told.iter().map(trial).collect();
        Evaluation::of_dataset(&data, PosteriorKind::LogisticOfVote, trials)
    }

    /// Excerpt i goes to fold i / step mod 3.
    fn folds(excerpts: usize, step: usize) -> Vec<Option<usize>> {
        (0..excerpts).map(|excerpt| Some(excerpt / step % 3)).collect()
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
                assert_eq!(
                    (prediction.excerpt, prediction.fold),
                    (excerpt, folds[excerpt].unwrap())
                );
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
        let raw = result.certainty.clone();
        assert_eq!(raw.len(), 5);
        assert!(raw[0].claims <= 180);
        let calibrated = result.calibrated_certainty.clone().unwrap();
        // Of claims at 0.5 at least about half are right.
        assert!(calibrated[0].claims > 0 && calibrated[0].claims < raw[0].claims);
        assert!(calibrated[0].right as f64 >= 0.45 * calibrated[0].claims as f64);
        assert_eq!(result.calibration().items, 180);
    }

    #[test]
    fn folds_that_do_not_fit_are_refused() {
        let data = gaussians(2, 6, 1, 3, 1.0, 1);
        let fails = |trials: &[Vec<Option<usize>>]| {
            cross_validate(&data, trials, |part| LogisticParams::default().fit(part), |_| {})
                .unwrap_err()
                .to_string()
        };
        assert!(fails(&[]).contains("0 trials"));
        assert!(fails(&[vec![Some(0); 11]]).contains("11 fold numbers, 12 excerpts"));
        assert!(fails(&[vec![Some(4); 12]]).contains("1 fold"));
        let by_class: Vec<_> = data.excerpts.iter().map(|e| Some(e.class)).collect();
        assert!(fails(&[by_class]).contains("class class 0 are in fold 0"));
        let mut without_one = folds(12, 2);
        without_one[5] = None;
        assert!(fails(&[folds(12, 2), without_one]).contains("trial 2 tests other excerpts"));
    }

    #[test]
    fn an_excerpt_without_a_fold_is_trained_on_and_never_tested() {
        let data = gaussians(3, 8, 2, 4, 0.6, 1);
        // Class 2 is never tested.
        let folds = |step: usize| -> Vec<Option<usize>> {
            let fold =
                |(i, e): (usize, &crate::dataset::Excerpt)| (e.class != 2).then_some(i / step % 2);
            data.excerpts.iter().enumerate().map(fold).collect()
        };
        let mut untested = Vec::new();
        let result = cross_validate(
            &data,
            &[folds(4), folds(6)],
            |part| {
                untested.push(part.excerpts.iter().filter(|e| e.class == 2).count());
                LogisticParams::default().fit(part)
            },
            |_| {},
        )
        .unwrap();
        assert_eq!(untested, [8; 4]);
        assert_eq!(result.excerpts.len(), 24);
        assert_eq!(result.tested().len(), 16);
        assert!(result.tested().iter().all(|&excerpt| data.excerpts[excerpt].class != 2));
        assert_eq!(result.untested_classes(), [2]);
        let recall = &result.trials[0].metrics.recall;
        assert_eq!(result.trials[0].metrics.mean_recall, (recall[0] + recall[1]) / 2.0);
        // One temperature serves the class that nobody held out.
        assert_eq!(result.calibration().items, 16);
        assert!(result.calibrated_certainty.is_some());
    }
}
