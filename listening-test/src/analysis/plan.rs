//! The analysis plan: everything that could be chosen after seeing the data, fixed before.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use trompe_base::encoding::hex;

use crate::error::{Error, Result};
use crate::staircase::Staircase;

/// What the analysis does. Every field has a default, so that a plan file states only what
/// differs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AnalysisPlan {
    /// Classes that a listener could choose, by block or else by medium (`audio`, `image`):
    /// chance is one over their number. What is not named gets the classes that occur as
    /// truth or answer, and the report warns. A study's own classes fill this in.
    pub classes: BTreeMap<String, Vec<String>>,
    /// Steps of the rating scale, by block. A study's own scales fill this in; what is not
    /// named has as many steps as the highest rating.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub scales: BTreeMap<String, u32>,
    /// How adaptive tracks ran, by block. A study's own settings fill this in.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub staircases: BTreeMap<String, Staircase>,
    /// Confidence level of all intervals.
    pub level: f64,
    /// Level of the one-sided tests: better than chance, and equivalence.
    pub alpha: f64,
    /// Margin of equivalence on the chance-corrected scale, (accuracy - chance) / (1 - chance):
    /// an accuracy below it is within the margin. The default, 0.1, is our choice.
    pub equivalence_margin: f64,
    /// Why this margin: the author's reason, printed in the report.
    pub margin_reason: String,
    /// How far above chance the lower end of the genuine controls' interval must lie before
    /// anything is claimed to be absent, on the same scale. The default is that of the margin:
    /// people who cannot exceed it on genuine material cannot exceed it on exhibits.
    pub controls_above: f64,
    /// Margin in multiples of chance, as earlier versions wrote it: read, but no longer used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub margin: Option<f64>,
    /// How "don't know" counts in the headline. Both ways are always reported.
    pub dont_know: DontKnow,
    /// Who and what is left out.
    pub rules: Rules,
    /// Resamples of every bootstrap and permutations of every permutation test.
    pub resamples: usize,
    /// Studies simulated to calibrate the upper bound; 999 know the .05 quantile within .015.
    pub simulations: usize,
    /// Seed of resampling and simulation.
    pub seed: u64,
}

impl Default for AnalysisPlan {
    fn default() -> Self {
        Self {
            classes: BTreeMap::new(),
            scales: BTreeMap::new(),
            staircases: BTreeMap::new(),
            level: 0.95,
            alpha: 0.05,
            equivalence_margin: 0.1,
            margin_reason: String::new(),
            controls_above: 0.1,
            margin: None,
            dont_know: DontKnow::default(),
            rules: Rules::default(),
            resamples: 4000,
            simulations: 999,
            seed: 1,
        }
    }
}

impl AnalysisPlan {
    /// The classes of a block: its own, or else those of its medium.
    pub(super) fn classes_of(&self, block: &str, medium: &str) -> Option<&[String]> {
        self.classes.get(block).or_else(|| self.classes.get(medium)).map(Vec::as_slice)
    }

    /// The accuracy that lies at `share` of the way from `chance` to 1.
    pub(super) fn accuracy_at(&self, share: f64, chance: f64) -> f64 {
        chance + share * (1.0 - chance)
    }

    /// The margin as an accuracy.
    pub fn margin_at(&self, chance: f64) -> f64 {
        self.accuracy_at(self.equivalence_margin, chance)
    }

    /// The author's reason for the margin, or that there is none.
    pub fn reason(&self) -> &str {
        match self.margin_reason.trim() {
            "" => "no reason was written",
            reason => reason,
        }
    }

    /// SHA-256 of the plan as JSON, in lower-case hexadecimal.
    pub fn sha256(&self) -> String {
        let text = serde_json::to_string(self).unwrap_or_default();
        hex(&Sha256::digest(text))
    }

    /// Checks ranges.
    ///
    /// # Errors
    /// [`trompe_base::Error::Request`] naming the field that is out of range.
    pub fn check(&self) -> Result<()> {
        let wrong = |what: String, remedy: &str| Err(Error::request(what, remedy));
        if !(self.level > 0.5 && self.level < 1.0) {
            return wrong(format!("level = {}", self.level), "choose it between 0.5 and 1");
        }
        if !(self.alpha > 0.0 && self.alpha < 0.5) {
            return wrong(format!("alpha = {}", self.alpha), "choose it between 0 and 0.5");
        }
        for (name, share) in [
            ("equivalence_margin", self.equivalence_margin),
            ("controls_above", self.controls_above),
        ] {
            if !(share > 0.0 && share < 1.0) {
                return wrong(
                    format!("{name} = {share}"),
                    "choose it between 0 (chance) and 1 (every answer right)",
                );
            }
        }
        for (block, settings) in &self.staircases {
            if let Err(what) = settings.check() {
                return wrong(format!("{block}: {what}"), "correct the settings of its tracks");
            }
        }
        if self.resamples < 100 {
            return wrong(format!("resamples = {}", self.resamples), "choose 100 or more");
        }
        if libm::ceil(1.0 / self.alpha) > self.simulations as f64 + 1.0 {
            return wrong(
                format!("simulations = {}", self.simulations),
                "choose 999, or at least 1 / alpha",
            );
        }
        for (medium, classes) in &self.classes {
            if classes.len() < 2 {
                return wrong(
                    format!("{medium} has {} class(es)", classes.len()),
                    "name two or more",
                );
            }
        }
        Ok(())
    }
}

/// How an answer of "don't know" counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DontKnow {
    /// As the guess it stands for: 1/k of a hit. Fair to both "better than chance" and "no
    /// better than chance".
    #[default]
    Guess,
    /// As a miss: cautious about skill, lenient about its absence.
    Wrong,
}

/// Exclusions, applied in the order of the fields after those that the study itself made.
/// Nothing is excluded by default.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Rules {
    /// Participants with more wrong catch items than this are out.
    pub max_failed_catch: Option<u32>,
    /// Answers after less of the item than this are out, in milliseconds heard or seen; those
    /// for which this was not recorded stay.
    pub min_heard_ms: Option<u64>,
    /// Answers faster than this are out, in milliseconds.
    pub min_response_ms: Option<u64>,
    /// Answers slower than this are out, in milliseconds.
    pub max_response_ms: Option<u64>,
    /// Participants with fewer answers left than this are out, catch items not counted.
    pub min_answers: Option<usize>,
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_states_only_what_differs_and_bad_plans_are_named() {
        let plan: AnalysisPlan =
            serde_json::from_str(r#"{"rules": {"max_failed_catch": 1}}"#).unwrap();
        assert_eq!((plan.alpha, plan.rules.max_failed_catch), (0.05, Some(1)));
        assert!(serde_json::from_str::<AnalysisPlan>(r#"{"alfa": 0.1}"#).is_err());
        plan.check().unwrap();
        let complaint = |plan: AnalysisPlan| plan.check().unwrap_err().to_string();
        assert!(
            complaint(AnalysisPlan { level: 95.0, ..AnalysisPlan::default() })
                .contains("level = 95")
        );
        assert!(
            complaint(AnalysisPlan { alpha: f64::NAN, ..AnalysisPlan::default() })
                .contains("alpha")
        );
        for wrong in [0.0, 1.0, 1.5, f64::NAN] {
            let margin = AnalysisPlan { equivalence_margin: wrong, ..AnalysisPlan::default() };
            assert!(complaint(margin).contains("equivalence_margin"));
            let controls = AnalysisPlan { controls_above: wrong, ..AnalysisPlan::default() };
            assert!(complaint(controls).contains("controls_above"));
        }
        assert!(
            complaint(AnalysisPlan { simulations: 3, ..AnalysisPlan::default() })
                .contains("simulations")
        );
        assert!(
            complaint(AnalysisPlan { resamples: 0, ..AnalysisPlan::default() })
                .contains("resamples")
        );
    }

    #[test]
    fn the_margin_lies_between_chance_and_1_for_any_number_of_classes() {
        let plan = AnalysisPlan::default();
        for (chance, margin) in [(0.5, 0.55), (0.25, 0.325), (0.1, 0.19)] {
            assert!((plan.margin_at(chance) - margin).abs() < 1e-12);
        }
        assert_eq!(plan.reason(), "no reason was written");
        let old: AnalysisPlan = serde_json::from_str(r#"{"margin": 1.5}"#).unwrap();
        assert_eq!((old.margin, old.equivalence_margin), (Some(1.5), 0.1));
    }
}
