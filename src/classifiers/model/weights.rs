//! Classifiers as tensors, and back with every number checked.

use ndarray::{Array1, Array2};

use super::tensors::{Tensor, Tensors};
use crate::classifiers::adaboost::{Branch, MAX_ROUNDS, Stump, WeakHypothesis, WeakLearner};
use crate::classifiers::softmax_regression::SoftmaxRegression;
use crate::classifiers::sparse::{DictionaryFault, MAX_ATOMS, Training};
use crate::classifiers::{
    AdaBoost, AdaBoostParams, Classifier, Logistic, LogisticParams, SparseParams,
    SparseRepresentation,
};

/// `alpha` (rounds), and of every root `feature`, `threshold` (rounds), `votes` (rounds,
/// classes). Trees also `branch` (0 none, 1 below the root's threshold, 2 above it) and its
/// `branch_feature`, `branch_threshold`, `branch_votes`, zeros where there is none.
pub(super) fn of_adaboost(fitted: &AdaBoost) -> Vec<Tensor> {
    let hypotheses = fitted.hypotheses();
    let (rounds, classes) = (hypotheses.len(), fitted.classes().len());
    let none = Stump { feature: 0, threshold: 0.0, votes: vec![0; classes] };
    let mut tensors = vec![Tensor::new("alpha", &[rounds], hypotheses.iter().map(|h| h.alpha))];
    let roots: Vec<&Stump> = hypotheses.iter().map(|h| &h.root).collect();
    tensors.extend(of_stumps(["feature", "threshold", "votes"], &roots, classes));
    if fitted.params().learner == WeakLearner::TwoNodeTree {
        let side = |h: &WeakHypothesis| h.branch.as_ref().map_or(0, |b| 1 + u8::from(b.above));
        tensors.push(Tensor::new("branch", &[rounds], hypotheses.iter().map(side)));
        let stumps: Vec<&Stump> =
            hypotheses.iter().map(|h| h.branch.as_ref().map_or(&none, |b| &b.stump)).collect();
        let names = ["branch_feature", "branch_threshold", "branch_votes"];
        tensors.extend(of_stumps(names, &stumps, classes));
    }
    tensors
}

fn of_stumps(names: [&'static str; 3], stumps: &[&Stump], classes: usize) -> [Tensor; 3] {
    let rounds = stumps.len();
    [
        Tensor::new(names[0], &[rounds], stumps.iter().map(|s| s.feature as u32)),
        Tensor::new(names[1], &[rounds], stumps.iter().map(|s| s.threshold)),
        Tensor::new(names[2], &[rounds, classes], stumps.iter().flat_map(|s| s.votes.clone())),
    ]
}

pub(super) fn to_adaboost(
    tensors: &Tensors<'_>,
    params: AdaBoostParams,
    classes: Vec<String>,
    dimensions: usize,
) -> Result<AdaBoost, String> {
    let rounds = tensors.length("alpha")?;
    if rounds == 0 || rounds > MAX_ROUNDS {
        return Err(format!("{rounds} rounds, must be 1 to {MAX_ROUNDS}"));
    }
    let positive = |alpha: f64| alpha > 0.0 && alpha < 1e6;
    let alphas = tensors.checked("alpha", &[rounds], "in (0, 1e6)", positive)?;
    let count = classes.len();
    let all = vec![true; rounds];
    let names = ["feature", "threshold", "votes"];
    let roots = to_stumps(tensors, names, &all, count, dimensions)?;
    let mut branches = vec![None; rounds];
    if params.learner == WeakLearner::TwoNodeTree {
        let sides = tensors.checked("branch", &[rounds], "0, 1 or 2", |side: u8| side <= 2)?;
        let present: Vec<bool> = sides.iter().map(|&side| side > 0).collect();
        let names = ["branch_feature", "branch_threshold", "branch_votes"];
        let stumps = to_stumps(tensors, names, &present, count, dimensions)?;
        for ((branch, side), stump) in branches.iter_mut().zip(sides).zip(stumps) {
            *branch = (side > 0).then_some(Branch { above: side == 2, stump });
        }
    }
    let hypotheses = alphas
        .into_iter()
        .zip(roots)
        .zip(branches)
        .map(|((alpha, root), branch)| WeakHypothesis { alpha, root, branch })
        .collect();
    Ok(AdaBoost::new(params, classes, dimensions, hypotheses))
}

/// One stump a round; those that are not `present` must be zeros.
fn to_stumps(
    tensors: &Tensors<'_>,
    names: [&str; 3],
    present: &[bool],
    classes: usize,
    dimensions: usize,
) -> Result<Vec<Stump>, String> {
    let rounds = present.len();
    let below = format!("below {dimensions}");
    let features = tensors
        .checked(names[0], &[rounds], &below, |feature: u32| (feature as usize) < dimensions)?;
    let thresholds =
        tensors.checked(names[1], &[rounds], "finite", |threshold: f32| threshold.is_finite())?;
    let votes: Vec<i8> = tensors.values(names[2], &[rounds, classes])?;
    for (votes, &present) in votes.chunks_exact(classes).zip(present) {
        if let Some(vote) = votes.iter().find(|vote| vote.unsigned_abs() != u8::from(present)) {
            return Err(format!("tensor {} holds {vote}, must be -1 or 1", names[2]));
        }
    }
    Ok(features
        .into_iter()
        .zip(thresholds)
        .zip(votes.chunks_exact(classes))
        .map(|((feature, threshold), votes)| Stump {
            feature: feature as usize,
            threshold,
            votes: votes.to_vec(),
        })
        .collect())
}

/// `weights` (classes, features) and `intercepts` (classes), on raw features.
pub(super) fn of_logistic(fitted: &Logistic) -> Vec<Tensor> {
    let linear = fitted.linear();
    let (classes, dimensions) = linear.weights.dim();
    vec![
        Tensor::new("weights", &[classes, dimensions], linear.weights.iter().copied()),
        Tensor::new("intercepts", &[classes], linear.intercepts.iter().copied()),
    ]
}

pub(super) fn to_logistic(
    tensors: &Tensors<'_>,
    params: LogisticParams,
    classes: Vec<String>,
    dimensions: usize,
) -> Result<Logistic, String> {
    let shape = (classes.len(), dimensions);
    // So small that no sum over finite features overflows.
    let finite = |value: f64| value.abs() < 1e100;
    let weights = tensors.checked("weights", &[shape.0, shape.1], "below 1e100", finite)?;
    let intercepts = tensors.checked("intercepts", &[shape.0], "below 1e100", finite)?;
    let weights = Array2::from_shape_vec(shape, weights).map_err(|error| error.to_string())?;
    let linear = SoftmaxRegression { weights, intercepts: Array1::from(intercepts) };
    Ok(Logistic::new(params, classes, linear))
}

/// `vectors` (atoms, features), as features give them, and `labels` (atoms). Everything else
/// follows from them.
pub(super) fn of_sparse(fitted: &SparseRepresentation) -> Vec<Tensor> {
    let training = fitted.training();
    let atoms = training.labels.len();
    let shape = [atoms, training.dimensions];
    vec![
        Tensor::new("vectors", &shape, training.vectors.iter().copied()),
        Tensor::new("labels", &[atoms], training.labels.iter().map(|&label| label as u32)),
    ]
}

pub(super) fn to_sparse(
    tensors: &Tensors<'_>,
    params: SparseParams,
    classes: Vec<String>,
    dimensions: usize,
) -> Result<SparseRepresentation, String> {
    params.check().map_err(|error| error.to_string())?;
    let atoms = tensors.length("labels")?;
    if atoms == 0 || atoms > MAX_ATOMS || dimensions == 0 {
        return Err(format!("{atoms} atoms of {dimensions} values, must be 1 to {MAX_ATOMS}"));
    }
    params.reduction.check(dimensions)?;
    let finite = |value: f32| value.is_finite();
    let vectors = tensors.checked("vectors", &[atoms, dimensions], "finite", finite)?;
    let below = format!("below {}", classes.len());
    let known = |label: u32| (label as usize) < classes.len();
    let labels: Vec<u32> = tensors.checked("labels", &[atoms], &below, known)?;
    let labels = labels.into_iter().map(|label| label as usize).collect();
    let training = Training { classes, labels, dimensions, vectors };
    SparseRepresentation::new(params, training).map_err(|fault| match fault {
        DictionaryFault::Zero(row) => format!("atom {row} is zero"),
        DictionaryFault::Parallel(a, b) => format!("atoms {a} and {b} are parallel"),
    })
}
