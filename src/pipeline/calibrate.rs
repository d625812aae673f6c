//! Calibration of a classifier on scores held out by cross-validation.

use trompe_corpora::Progress;

use super::evaluate::{Division, divide, evaluate, notes_on, why_not_grouped};
use super::train::Training;
use crate::classifiers::Calibration;
use crate::dataset::Dataset;
use crate::error::Result;

/// A calibration, and what must be known of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Calibrated {
    /// The calibration; `None` where no group can be held out.
    pub calibration: Option<Calibration>,
    /// How excerpts were held out.
    pub division: Division,
    /// What could not be held out, and why.
    pub notes: Vec<String>,
}

/// Calibration of `training` on scores held out by cross-validation, groups kept together
/// where there are any. Names the excerpts that cannot be held out, and leaves them out.
///
/// # Errors
/// As [`evaluate`] and [`crate::evaluation::Trial::calibration`].
pub fn calibrate(
    dataset: &Dataset,
    training: &Training,
    folds: usize,
    seed: u64,
    progress: &dyn Progress,
) -> Result<Calibrated> {
    let division = Division::strictest(dataset);
    if division == Division::Grouped
        && let Some(why) = why_not_grouped(dataset, folds, seed, 1)
    {
        return Ok(Calibrated { calibration: None, division, notes: vec![why] });
    }
    let mut notes = notes_on(dataset, division, folds, &divide(dataset, division, folds, seed, 0)?);
    let found = evaluate(dataset, training, division, folds, 1, seed, progress)?;
    let untested = found.untested_classes();
    if !untested.is_empty() {
        let classes: Vec<&str> = untested.iter().map(|&c| dataset.classes[c].as_str()).collect();
        notes.push(format!(
            "all classes share one temperature, because {} could not be held out",
            classes.join(", ")
        ));
    }
    Ok(Calibrated { calibration: Some(found.trials[0].calibration()?), division, notes })
}
