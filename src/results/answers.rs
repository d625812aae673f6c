//! What a classifier says of one input: its label, and for each class posterior, calibrated posterior
//! and level.

use serde::{Deserialize, Serialize};

use crate::log_odds::{label, posterior_from_log_odds};
use crate::reference::Reference;

/// Everything a classifier says of one input. Where it may name several classes, its label here is the
/// one of the highest log-odds, and every class has its own level.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// Its label; `None` in a tie.
    pub label: Option<String>,
    /// Posterior of the label; of the highest class in a tie.
    pub posterior: f64,
    /// Calibrated posterior of the label.
    pub calibrated: Option<f64>,
    /// Level of the label among genuine items.
    pub level: Option<f64>,
    /// Number of the genuine items of the label, if the input is above all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub above_all: Option<usize>,
    /// Every class by name.
    pub classes: serde_json::Map<String, serde_json::Value>,
}

impl Answer {
    /// From the log-odds of an input; `calibrate` is the classifier's calibration.
    pub fn of(
        classes: &[String],
        log_odds: &[f64],
        reference: Option<&Reference>,
        calibrate: impl Fn(&[f64]) -> Option<Vec<f64>>,
    ) -> Self {
        let named = label(log_odds);
        let calibrated = calibrate(log_odds);
        let level = |class| reference.and_then(|reference| reference.level(log_odds, class));
        let of_class = |class: usize| {
            serde_json::json!({
                "posterior": posterior_from_log_odds(log_odds[class]),
                "calibrated": calibrated.as_ref().map(|all| all[class]),
                "level": level(class),
                "log_odds": log_odds[class],
            })
        };
        let top = log_odds.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        Self {
            label: named.map(|class| classes[class].clone()),
            posterior: posterior_from_log_odds(top),
            calibrated: named.and_then(|class| calibrated.as_ref().map(|all| all[class])),
            level: named.and_then(level),
            above_all: reference.and_then(|reference| reference.above_all(log_odds, named?)),
            classes: classes
                .iter()
                .enumerate()
                .map(|(class, name)| (name.clone(), of_class(class)))
                .collect(),
        }
    }
}

/// What a classifier calls an input without content, or a genuine item taken apart.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Probe {
    /// What the input is.
    pub probe: String,
    /// Name of the genuine item of the model's reference that was taken apart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item: Option<String>,
    /// What the classifier says.
    #[serde(flatten)]
    pub answer: Answer,
}
