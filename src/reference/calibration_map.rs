//! The map from a victim's log-odds to calibrated posteriors: one temperature, or vector scaling.

use super::{Temperature, VectorScaling};
use crate::log_odds::{PosteriorKind, label};

/// A map from a victim's log-odds to calibrated posteriors.
#[derive(Debug, Clone, PartialEq)]
pub enum CalibrationMap {
    /// All logits divided by one number.
    Temperature(Temperature),
    /// One scale and one offset a class.
    VectorScaling(VectorScaling),
}

impl CalibrationMap {
    /// From the two fields in which files and reports keep it; one of them is empty, or both are.
    pub(super) fn of_fields(
        temperature: Option<Temperature>,
        vector_scaling: Option<VectorScaling>,
    ) -> Option<Self> {
        let temperature = temperature.map(Self::Temperature);
        vector_scaling.map(Self::VectorScaling).or(temperature)
    }

    /// The temperature, if it is one.
    pub fn temperature(&self) -> Option<&Temperature> {
        match self {
            Self::Temperature(map) => Some(map),
            Self::VectorScaling(_) => None,
        }
    }

    /// The vector scaling, if it is one.
    pub fn vector_scaling(&self) -> Option<&VectorScaling> {
        match self {
            Self::Temperature(_) => None,
            Self::VectorScaling(map) => Some(map),
        }
    }

    /// A map of the same kind, fitted on these items; `None` of none.
    pub fn refitted<'r>(
        &self,
        items: impl Iterator<Item = (&'r [f64], usize)> + Clone,
    ) -> Option<Self> {
        match self {
            Self::Temperature(map) => Temperature::fit(map.of, items).map(Self::Temperature),
            Self::VectorScaling(map) => VectorScaling::fit(map.of, items).map(Self::VectorScaling),
        }
    }

    /// What is wrong with a map that was read, of a victim with so many classes and this kind of
    /// posterior.
    pub(super) fn check(&self, of: PosteriorKind, classes: usize) -> Result<(), &'static str> {
        match self {
            Self::Temperature(map) if map.of != of => {
                Err("its temperature is of another kind of posterior")
            }
            Self::Temperature(map) if !(map.temperature.is_finite() && map.temperature > 0.0) => {
                Err("its temperature is not a positive number")
            }
            Self::VectorScaling(map) if map.of != of || map.scaled(&[]).is_none() => {
                Err("its vector scaling is of another kind of posterior")
            }
            Self::VectorScaling(map)
                if [map.scales.len(), map.offsets.len()] != [classes; 2] || !map.is_finite() =>
            {
                Err("its vector scaling has not one finite scale and offset for each class")
            }
            _ => Ok(()),
        }
    }

    /// One calibrated posterior per class; they sum to 1 but where classes are tags.
    pub fn posteriors(&self, log_odds: &[f64]) -> Vec<f64> {
        match self {
            Self::Temperature(map) => map.posteriors(log_odds),
            Self::VectorScaling(map) => map.posteriors(log_odds),
        }
    }

    /// Negative logarithm of the calibrated posterior of `class`.
    pub(super) fn loss(&self, log_odds: &[f64], class: usize) -> Option<f64> {
        match self {
            Self::Temperature(map) => map.loss(log_odds, class),
            Self::VectorScaling(map) => map.loss(log_odds, class),
        }
    }

    /// Class of the highest calibrated posterior, before it is rounded; `None` in an exact tie. A
    /// temperature leaves it as it is.
    pub(super) fn label(&self, log_odds: &[f64]) -> Option<usize> {
        match self {
            Self::Temperature(_) => label(log_odds),
            Self::VectorScaling(map) => label(&map.scaled(log_odds)?),
        }
    }

    /// Its name.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Temperature(_) => "temperature",
            Self::VectorScaling(_) => "vector scaling",
        }
    }

    /// What it consists of: the temperature, or how many scales and offsets.
    pub fn parameters(&self) -> String {
        match self {
            Self::Temperature(map) => format!("{:.4}", map.temperature),
            Self::VectorScaling(map) => format!("{} scales and offsets", map.scales.len()),
        }
    }

    /// The formula, in words.
    pub fn formula(&self) -> &'static str {
        match self {
            Self::Temperature(map) => map.formula(),
            Self::VectorScaling(map) => map.formula(),
        }
    }
}

/// Name and parameters, with the letters of the formula.
impl std::fmt::Display for CalibrationMap {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Temperature(map) => write!(f, "temperature T = {:.4}", map.temperature),
            Self::VectorScaling(map) => {
                write!(f, "vector scaling, {} scales w and offsets b", map.scales.len())
            }
        }
    }
}
