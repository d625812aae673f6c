//! How well a classifier does: cross-validation and figures of merit.

pub mod certainty;
pub mod cross_validation;
pub mod metrics;

pub use certainty::{Certainty, THRESHOLDS};
pub use cross_validation::{Evaluation, Fit, Prediction, Trial, cross_validate, score};
pub use metrics::{Confusion, Metrics, Spread};
