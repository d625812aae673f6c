//! From what foreign victims give to one log-odds per class.

use serde::{Deserialize, Serialize};

use crate::classifiers::softmax::softmax_log_odds;
use crate::log_odds::{PosteriorKind, log_odds_from_posterior};

/// Least probability that an output can tell from 0 (the least positive 32-bit float).
const LEAST_PROBABILITY: f64 = 1e-45;

/// Greatest probability that an output can tell from 1: half of the step of 32-bit floats below it.
const MOST_PROBABILITY: f64 = 1.0 - 1.0 / (1 << 25) as f64;

/// How far probabilities may sum from 1 (our choice): nets of 8-bit integers round them.
const SUM_SLACK: f64 = 0.05;

/// How near outputs that are declared logits must sum to 1, all inside [0, 1], to be taken for
/// probabilities.
#[cfg(any(test, feature = "onnx"))]
const SUM_OF_PROBABILITIES: f64 = 1e-4;

/// What the output holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Output {
    /// Values before the softmax.
    Logits,
    /// Values after it. They saturate at 1 where a search would still climb: name the logits
    /// as output if the file has them.
    Probabilities,
    /// One number in [0, 1] for each tag, whatever the others are.
    Sigmoid,
    /// Values before these sigmoids.
    SigmoidLogits,
    /// One log-odds a class, of which the greatest is the label.
    LogOdds,
}

/// How the outputs of several patches become those of the whole.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Combine {
    /// Their mean.
    #[default]
    Mean,
    /// The greatest of each class.
    Max,
    /// The median of each class; of an even number of patches, the mean of the middle two.
    Median,
}

impl Output {
    /// What kind of posterior it gives.
    pub(super) fn posterior_kind(self) -> PosteriorKind {
        match self {
            Self::Logits | Self::Probabilities => PosteriorKind::Softmax,
            Self::Sigmoid | Self::SigmoidLogits => PosteriorKind::Sigmoid,
            Self::LogOdds => PosteriorKind::Stated,
        }
    }

    /// Checks that one input's outputs are what they are declared to be.
    ///
    /// # Errors
    /// What is wrong, in words.
    pub(super) fn check(self, outputs: &[f64]) -> Result<(), String> {
        if let Some(value) = outputs.iter().find(|value| !value.is_finite()) {
            return Err(format!("gives an output of {value}"));
        }
        let in_range = outputs.iter().all(|value| (-1e-4..=1.0001).contains(value));
        let sum: f64 = outputs.iter().sum();
        match self {
            Self::Logits | Self::SigmoidLogits | Self::LogOdds => Ok(()),
            Self::Probabilities | Self::Sigmoid if !in_range => {
                Err("gives outputs that are no probabilities: are they logits?".into())
            }
            Self::Probabilities if (sum - 1.0).abs() > SUM_SLACK => {
                Err(format!("gives probabilities that sum to {sum:.4}: is its output \"sigmoid\"?"))
            }
            Self::Probabilities | Self::Sigmoid => Ok(()),
        }
    }

    /// Whether outputs that are declared logits are probabilities, by their look.
    #[cfg(any(test, feature = "onnx"))]
    pub(super) fn look_like_probabilities(self, outputs: &[f64]) -> bool {
        let sum: f64 = outputs.iter().sum();
        self == Self::Logits
            && outputs.iter().all(|value| (0.0..=1.0).contains(value))
            && (sum - 1.0).abs() < SUM_OF_PROBABILITIES
    }

    /// Writes one log-odds per class for one row of outputs.
    pub(super) fn log_odds(self, outputs: &[f64], out: &mut [f64]) {
        let softmax = |map: &dyn Fn(f64) -> f64, out: &mut [f64]| {
            let logits: Vec<f32> = outputs.iter().map(|&value| map(value) as f32).collect();
            softmax_log_odds(&logits, out);
        };
        match self {
            Self::Logits => softmax(&|value| value, out),
            Self::Probabilities => {
                softmax(&|value| libm::log(value.max(LEAST_PROBABILITY)), out);
            }
            Self::SigmoidLogits | Self::LogOdds => out.copy_from_slice(outputs),
            Self::Sigmoid => {
                for (&value, out) in outputs.iter().zip(out) {
                    let inside = value.clamp(LEAST_PROBABILITY, MOST_PROBABILITY);
                    *out = log_odds_from_posterior(inside);
                }
            }
        }
    }
}

#[cfg(any(test, feature = "onnx"))]
impl Combine {
    /// One value a class of the rows of several patches.
    pub(super) fn of(self, rows: &[f64], classes: usize) -> Vec<f64> {
        let patches = rows.len() / classes;
        let of_class = |class: usize| {
            let values = rows[class..].iter().step_by(classes).copied();
            match self {
                Self::Mean => values.sum::<f64>() / patches as f64,
                Self::Max => values.fold(f64::NEG_INFINITY, f64::max),
                Self::Median => median(values.collect()),
            }
        };
        (0..classes).map(of_class).collect()
    }
}

#[cfg(any(test, feature = "onnx"))]
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() % 2 {
        1 => values[middle],
        _ => 0.5 * (values[middle - 1] + values[middle]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patches_are_combined_class_by_class() {
        // Four patches of two classes.
        let rows = [0.1, 8.0, 0.4, 6.0, 0.2, 5.0, 0.9, 1.0];
        let near = |found: Vec<f64>, expected: [f64; 2]| {
            found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-6)
        };
        assert!(near(Combine::Mean.of(&rows, 2), [0.4, 5.0]));
        assert!(near(Combine::Max.of(&rows, 2), [0.9, 8.0]));
        assert!(near(Combine::Median.of(&rows, 2), [0.3, 5.5]));
        assert!(near(Combine::Median.of(&rows[..6], 2), [0.2, 6.0]));
    }

    #[test]
    fn tags_keep_their_own_posteriors() {
        let mut out = [0.0; 3];
        Output::Sigmoid.log_odds(&[0.9, 0.9, 1.0], &mut out);
        assert!((out[0] - libm::log(9.0)).abs() < 1e-12 && out[0] == out[1]);
        // 1 itself is as certain as a 32-bit number can be.
        assert!(out[2].is_finite() && out[2] > 17.0);
        Output::SigmoidLogits.log_odds(&[2.0, -1.0, 0.0], &mut out);
        assert_eq!(out, [2.0, -1.0, 0.0]);
        Output::Probabilities.log_odds(&[0.5, 0.25, 0.25], &mut out);
        assert!(out[0].abs() < 1e-6);
    }

    #[test]
    fn outputs_that_are_something_else_are_named() {
        let fault = |output: Output, values: &[f64]| output.check(values).err().unwrap_or_default();
        assert!(fault(Output::Probabilities, &[3.0, -2.0]).contains("are they logits?"));
        assert!(fault(Output::Probabilities, &[0.9, 0.9]).contains("sum to 1.8"));
        assert!(fault(Output::Sigmoid, &[0.9, 1.2]).contains("no probabilities"));
        assert!(fault(Output::Logits, &[f64::NAN]).contains("NaN"));
        assert_eq!(fault(Output::Sigmoid, &[0.9, 0.9]), "");
        assert!(Output::Logits.look_like_probabilities(&[0.25, 0.75]));
        assert!(!Output::Logits.look_like_probabilities(&[1.25, -0.25]));
        assert!(!Output::SigmoidLogits.look_like_probabilities(&[0.25, 0.75]));
    }
}
