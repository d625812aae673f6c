//! Classifiers: for one input, log-odds and posterior per class.

pub mod adaboost;
pub mod aggregation;
pub mod calibration;
pub mod convolutional;
pub mod image_classifier;
mod listener;
pub mod logistic;
pub mod model;
pub mod pixels;
pub mod softmax;
mod softmax_regression;
pub mod sparse;

pub use crate::log_odds::{PosteriorKind, log_odds_from_posterior, posterior_from_log_odds};
pub use adaboost::{AdaBoost, AdaBoostParams};
pub use aggregation::Aggregation;
pub use calibration::Calibration;
pub use convolutional::ConvolutionalNet;
pub use listener::{Listener, mean_vector};
pub use logistic::{Logistic, LogisticParams};
pub use model::{Fitted, Model, TrainedOn};
pub use pixels::PixelClassifier;
pub use sparse::{SparseParams, SparseRepresentation};

/// Gives every class of one input its log-odds.
pub trait Classifier: Send + Sync {
    /// Class names, in the order of the log-odds.
    fn classes(&self) -> &[String];

    /// Which kind of posterior this is.
    fn posterior_kind(&self) -> PosteriorKind;

    /// Number of values in one feature vector.
    fn dimensions(&self) -> usize;

    /// Writes one log-odds per class to `out` for an input seen as `vectors`: row-major,
    /// a whole number of rows, at least one, of [`Classifier::dimensions`] values. Finite for finite input.
    fn log_odds(&self, vectors: &[f32], out: &mut [f64]);

    /// Whether the classifier's method has no answer for this input, so that its log-odds are a
    /// makeshift: sparse representation where no code comes as close as epsilon. `None` for
    /// methods that always have one.
    fn out_of_reach(&self, _vectors: &[f32]) -> Option<bool> {
        None
    }
}

/// Index of the greatest score; of the first when several are equal.
pub fn top_class(scores: &[f64]) -> usize {
    let mut top = 0;
    for (class, score) in scores.iter().enumerate() {
        if *score > scores[top] {
            top = class;
        }
    }
    top
}
