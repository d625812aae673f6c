//! How well a classifier does: cross-validation and figures of merit.

pub mod assessment;
pub mod certainty;
pub mod consistency;
pub mod cross_validation;
pub mod intervals;
pub mod metrics;
pub mod null_corpora;
pub mod significance;

pub use assessment::{Assessment, Rival, ShuffledLabels};
pub use certainty::{Certainty, THRESHOLDS};
pub use consistency::{Consistency, Misclassified};
#[cfg(test)]
pub(crate) use cross_validation::tests::told;
pub use cross_validation::{Evaluation, Fit, Prediction, Trial, cross_validate, score};
pub use intervals::{AccuracyDifference, FigureIntervals, Intervals};
pub use metrics::{Confusion, Metrics, Spread};
pub use significance::{AgainstChance, ChanceByGroup, McNemar, Pairs, SignFlips};
