//! Sparse representation classification (Wright et al. 2009), the classifier of Sturm's
//! second system: the code of a vector over all training vectors that is shortest in the
//! l1 norm tells its class by whose part of the code alone comes nearest to the vector.

pub mod dictionary;
mod eigen;
mod factor;
pub mod homotopy;
mod kernels;
mod normalization;
mod params;
mod preparation;
mod reach;
mod reduction;
mod span;
pub mod spgl1;

use std::sync::OnceLock;

use super::{Classifier, PosteriorKind};
use crate::dataset::Dataset;
use crate::error::{Error, Result};
pub use dictionary::{Code, Dictionary, DictionaryFault, Exit};
pub use homotopy::homotopy;
pub use normalization::Normalization;
pub use params::{Solver, SparseParams};
use preparation::Preparation;
pub use reach::Reach;
pub use reduction::Reduction;
use span::Span;
pub use spgl1::spgl1;

impl SparseParams {
    /// Takes every vector of `dataset` as an atom.
    ///
    /// # Errors
    /// What [`SparseParams::check`] and [`Dataset::check`] find; [`Error::Request`] for more
    /// vectors than a dictionary holds, and naming the excerpts when an atom is zero or two are multiples of each other.
    pub fn fit(&self, dataset: &Dataset) -> Result<SparseRepresentation> {
        self.check()?;
        dataset.check()?;
        let atoms = dataset.vectors.nrows();
        if atoms > MAX_ATOMS {
            return Err(Error::request(
                format!("{atoms} training vectors, of which a dictionary holds {MAX_ATOMS}"),
                "train on fewer excerpts",
            ));
        }
        self.reduction
            .check(dataset.dimensions())
            .map_err(|what| Error::request(what, "give a number in that range"))?;
        let training = Training {
            classes: dataset.classes.clone(),
            labels: dataset.labels(),
            dimensions: dataset.dimensions(),
            vectors: dataset.vectors.iter().copied().collect(),
        };
        let name = |row: usize| &dataset.excerpts[dataset.excerpt_of[row]].id;
        SparseRepresentation::new(self.clone(), training).map_err(|fault| match fault {
            DictionaryFault::Zero(row) => Error::request(
                format!("row {row}, excerpt {}, is zero after normalization", name(row)),
                "leave the excerpt out",
            ),
            DictionaryFault::Parallel(a, b) => Error::request(
                format!(
                    "rows {a} and {b}, excerpts {} and {}, are multiples of each other",
                    name(a),
                    name(b)
                ),
                "leave one of the excerpts out",
            ),
        })
    }
}

/// Most training vectors of a dictionary: bounds the memory that their inner products take,
/// 8 bytes a pair.
pub(crate) const MAX_ATOMS: usize = 20_000;

/// Labelled vectors a classifier is made of.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Training {
    pub(crate) classes: Vec<String>,
    /// Class of every vector.
    pub(crate) labels: Vec<usize>,
    pub(crate) dimensions: usize,
    /// Row-major, as features give them.
    pub(crate) vectors: Vec<f32>,
}

/// A fitted classifier. It gives a confidence per class, C(k|x) = (J_max - J_k) / sum_l
/// (J_max - J_l) with J_k = |x - D s_k|_2^2 and s_k the part of the code on class k: in
/// [0, 1], of sum 1, 0 for the worst class. Several vectors of one excerpt add their J_k.
/// When all J are equal (silence; a vector within epsilon of zero), so are all C. With two
/// classes, C is 0 and 1 always.
#[derive(Debug, Clone)]
pub struct SparseRepresentation {
    params: SparseParams,
    training: Training,
    preparation: Preparation,
    dictionary: Dictionary,
    /// What the atoms span, computed when it is first asked for.
    span: OnceLock<Span>,
}

/// Everything else follows from these two.
impl PartialEq for SparseRepresentation {
    fn eq(&self, other: &Self) -> bool {
        (&self.params, &self.training) == (&other.params, &other.training)
    }
}

/// Confidences are kept this far from 0 and 1, so that log-odds are finite (our choice).
const LEAST_CONFIDENCE: f64 = 1e-12;

impl SparseRepresentation {
    pub(crate) fn new(params: SparseParams, training: Training) -> Result<Self, DictionaryFault> {
        let dimensions = training.dimensions;
        let preparation = Preparation::fit(&params, &training.vectors, dimensions);
        let atoms: Vec<f64> = training
            .vectors
            .chunks_exact(dimensions)
            .flat_map(|vector| preparation.apply(vector))
            .collect();
        let atom = atoms.len() / training.labels.len();
        let dictionary = Dictionary::new(atom, atoms)?;
        Ok(Self { params, training, preparation, dictionary, span: OnceLock::new() })
    }

    /// Settings of the fit.
    pub fn params(&self) -> &SparseParams {
        &self.params
    }

    pub(crate) fn training(&self) -> &Training {
        &self.training
    }

    /// Prepared training vectors.
    pub fn dictionary(&self) -> &Dictionary {
        &self.dictionary
    }

    /// A vector as the dictionary sees it: normalized, reduced and scaled like the training
    /// vectors.
    pub fn prepared(&self, vector: &[f32]) -> Vec<f64> {
        self.preparation.apply(vector)
    }

    /// How far any code misses a prepared `signal` at least: its distance from the span of the
    /// atoms. Where this is more than epsilon, no code comes as close as epsilon, and the
    /// nearest one, by least squares, takes its place.
    pub fn misses(&self, signal: &[f64]) -> f64 {
        let span = self
            .span
            .get_or_init(|| Span::of(self.dictionary.atoms(), self.dictionary.dimensions()));
        span.distance(signal)
    }

    /// Codes of prepared `signals`.
    pub fn codes(&self, signals: &[Vec<f64>]) -> Vec<Code> {
        self.solve(signals, &self.dictionary.correlations_of_all(signals))
    }

    fn solve(&self, signals: &[Vec<f64>], correlations: &[Vec<f64>]) -> Vec<Code> {
        let solve = |(signal, correlations): (&Vec<f64>, &Vec<f64>)| match self.params.solver {
            Solver::Homotopy => {
                homotopy(&self.dictionary, correlations, energy(signal), self.params.epsilon)
            }
            Solver::Spgl1 { iterations } => {
                spgl1(&self.dictionary, signal, self.params.epsilon, iterations)
            }
        };
        signals.iter().zip(correlations).map(solve).collect()
    }

    /// Residual J_k = |x - D s_k|_2^2 of every class.
    fn residuals(&self, code: &Code, correlations: &[f64], energy: f64) -> Vec<f64> {
        (0..self.training.classes.len())
            .map(|class| {
                let own: Vec<(usize, f64)> = code
                    .entries
                    .iter()
                    .copied()
                    .filter(|&(atom, _)| self.training.labels[atom] == class)
                    .collect();
                let cross: f64 = own.iter().map(|&(atom, w)| w * correlations[atom]).sum();
                let square: f64 = own
                    .iter()
                    .map(|&(i, a)| {
                        let row: f64 =
                            own.iter().map(|&(j, b)| b * self.dictionary.product(i, j)).sum();
                        a * row
                    })
                    .sum();
                (energy - 2.0 * cross + square).max(0.0)
            })
            .collect()
    }

    /// Log-odds of several inputs at once, one row of `out` an input. Each input is as in
    /// [`Classifier::log_odds`], and the result the same bits: together they only read the
    /// dictionary less often.
    pub fn log_odds_of_all(&self, inputs: &[&[f32]], out: &mut [f64]) {
        let dimensions = self.training.dimensions;
        let signals: Vec<Vec<f64>> = inputs
            .iter()
            .flat_map(|input| input.chunks_exact(dimensions))
            .map(|vector| self.preparation.apply(vector))
            .collect();
        let correlations = self.dictionary.correlations_of_all(&signals);
        let codes = self.solve(&signals, &correlations);
        let mut residuals =
            signals.iter().zip(&correlations).zip(&codes).map(|((signal, correlations), code)| {
                self.residuals(code, correlations, energy(signal))
            });
        let classes = self.training.classes.len();
        for (input, out) in inputs.iter().zip(out.chunks_exact_mut(classes)) {
            out.fill(0.0);
            for residuals in residuals.by_ref().take(input.len() / dimensions) {
                for (sum, residual) in out.iter_mut().zip(residuals) {
                    *sum += residual;
                }
            }
            confidence(out);
            for confidence in out {
                let bounded = confidence.clamp(LEAST_CONFIDENCE, 1.0 - LEAST_CONFIDENCE);
                *confidence = super::log_odds_from_posterior(bounded);
            }
        }
    }
}

fn energy(signal: &[f64]) -> f64 {
    signal.iter().map(|value| value * value).sum()
}

/// Confidences from residuals, in place.
fn confidence(residuals: &mut [f64]) {
    let worst = residuals.iter().fold(0.0, |most: f64, residual| most.max(*residual));
    let total: f64 = residuals.iter().map(|residual| worst - residual).sum();
    let equal = 1.0 / residuals.len() as f64;
    for residual in residuals {
        // Differences of no more than rounding say nothing.
        *residual = if total > 1e-12 * worst { (worst - *residual) / total } else { equal };
    }
}

impl Classifier for SparseRepresentation {
    fn classes(&self) -> &[String] {
        &self.training.classes
    }

    fn posterior_kind(&self) -> PosteriorKind {
        PosteriorKind::ResidualConfidence
    }

    fn dimensions(&self) -> usize {
        self.training.dimensions
    }

    fn log_odds(&self, vectors: &[f32], out: &mut [f64]) {
        self.log_odds_of_all(&[vectors], out);
    }

    /// Whether one of the vectors at least has no code within epsilon.
    fn out_of_reach(&self, vectors: &[f32]) -> Option<bool> {
        let mut signals = vectors.chunks_exact(self.training.dimensions);
        Some(signals.any(|vector| self.misses(&self.prepared(vector)) > self.params.epsilon))
    }
}

#[cfg(test)]
mod tests;
