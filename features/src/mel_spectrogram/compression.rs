//! Compression of mel bands: logarithm, reference, range, mean and deviation.

use serde::{Deserialize, Serialize};

use super::filters::Lanes;
use crate::error::{Error, Result};
use crate::log10::log10;

/// Compression of a band's value x: the logarithm of `max(multiply * x + add, floor)`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Compression {
    /// The logarithm.
    pub kind: Logarithm,
    /// Factor of the value.
    #[serde(default = "one")]
    pub multiply: f64,
    /// What is added to the product.
    #[serde(default)]
    pub add: f64,
    /// Smallest value that a logarithm is taken of; 0 is no floor.
    #[serde(default)]
    pub floor: f64,
    /// Value of 0 dB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<Reference>,
    /// Values lie at most so many dB below the highest one of the whole sound.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub top_db: Option<f64>,
}

/// A logarithm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Logarithm {
    /// No logarithm: `multiply * x + add` stays as it is.
    None,
    /// Natural logarithm.
    Ln,
    /// Common logarithm.
    Log10,
    /// Ten times the common logarithm.
    Db,
}

/// Value of 0 dB.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(untagged, expecting = "reference must be a number or \"max\"")]
pub enum Reference {
    /// This value.
    Value(f64),
    /// The highest value of the whole sound.
    Highest(Highest),
}

/// The word for the highest value of the whole sound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Highest {
    /// `"max"`.
    Max,
}

fn one() -> f64 {
    1.0
}

impl Compression {
    /// # Errors
    /// [`Error::Setting`] naming the first value out of its range.
    pub(super) fn check(&self) -> Result<()> {
        if !(1e-30..=1e30).contains(&self.multiply) {
            return Err(Error::setting("log.multiply", self.multiply, "1e-30 to 1e30"));
        }
        if !(-1e30..=1e30).contains(&self.add) {
            return Err(Error::setting("log.add", self.add, "-1e30 to 1e30"));
        }
        if !(self.floor == 0.0 || (1e-200..=1e30).contains(&self.floor)) {
            return Err(Error::setting("log.floor", self.floor, "0 (no floor) or 1e-200 to 1e30"));
        }
        let decibels = self.kind == Logarithm::Db;
        match self.reference {
            Some(_) if !decibels => {
                return Err(Error::setting(
                    "log.reference",
                    "set",
                    "left out: it belongs to kind = \"db\"",
                ));
            }
            Some(Reference::Value(value)) if !(1e-200..=1e30).contains(&value) => {
                return Err(Error::setting("log.reference", value, "1e-200 to 1e30, or \"max\""));
            }
            _ => {}
        }
        match self.top_db {
            Some(_) if !decibels => {
                return Err(Error::setting(
                    "log.top_db",
                    "set",
                    "left out: it belongs to kind = \"db\"",
                ));
            }
            Some(range) if !(range > 0.0 && range <= 1e6) => {
                return Err(Error::setting("log.top_db", range, "above 0 and at most 1000000 dB"));
            }
            _ => {}
        }
        let logarithm = self.kind != Logarithm::None;
        if logarithm && self.floor == 0.0 && self.add < 1e-200 {
            let range = "above 0, or log.add: silence would be the logarithm of 0";
            return Err(Error::setting("log.floor", self.floor, range));
        }
        if !logarithm && self.floor != 0.0 {
            return Err(Error::setting(
                "log.floor",
                self.floor,
                "left out: it belongs to a logarithm",
            ));
        }
        Ok(())
    }
}

/// What each value goes through.
#[derive(Debug, Clone)]
pub(super) struct Compressor {
    multiply: f64,
    add: f64,
    /// Under the logarithm.
    floor: f64,
    /// Factor of the common logarithm; without one, the value itself stays.
    factor: Option<f64>,
    /// Subtracted next; without a value, the highest of the sound.
    reference: Option<f64>,
    /// How far below the highest value of the sound a value may lie.
    range: f64,
    mean: f64,
    deviation: f64,
}

impl Compressor {
    pub(super) fn new(log: &Compression, mean: f64, deviation: f64) -> Self {
        let Compression { kind, multiply, add, floor, reference, top_db } = *log;
        Self {
            multiply,
            add,
            floor,
            factor: match kind {
                Logarithm::None => None,
                Logarithm::Ln => Some(std::f64::consts::LN_10),
                Logarithm::Log10 => Some(1.0),
                Logarithm::Db => Some(10.0),
            },
            reference: match reference {
                None => Some(0.0),
                Some(Reference::Value(value)) => Some(10.0 * libm::log10(value.max(floor))),
                Some(Reference::Highest(_)) => None,
            },
            range: top_db.unwrap_or(f64::INFINITY),
            mean,
            deviation,
        }
    }

    /// Takes the logarithm of each value.
    #[inline(always)]
    pub(super) fn logarithm(&self, bands: &mut [Lanes]) {
        for x in bands.as_flattened_mut() {
            *x = self.multiply * *x + self.add;
        }
        let Some(factor) = self.factor else { return };
        for x in bands.as_flattened_mut() {
            *x = factor * log10(x.max(self.floor));
        }
    }

    /// What is left to do when all logarithms of a sound are known, but for
    /// [`Compressor::normalize`].
    pub(super) fn limit(&self, values: &mut [f32]) {
        if self.reference == Some(0.0) && self.range == f64::INFINITY {
            return;
        }
        let highest = f64::from(values.iter().copied().fold(f32::NEG_INFINITY, f32::max));
        let reference = self.reference.unwrap_or(highest);
        let lowest = highest - reference - self.range;
        for value in values {
            *value = (f64::from(*value) - reference).max(lowest) as f32;
        }
    }

    /// Brings values to the mean and deviation that the net was trained with.
    pub(super) fn normalize(&self, values: &mut [f32]) {
        if self.mean == 0.0 && self.deviation == 1.0 {
            return;
        }
        for value in values {
            *value = self.normalized(*value);
        }
    }

    /// As [`Compressor::normalize`], of one value.
    pub(super) fn normalized(&self, value: f32) -> f32 {
        ((f64::from(value) - self.mean) / self.deviation) as f32
    }
}
