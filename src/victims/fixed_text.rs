//! What fingerprints hash of settings: a text that no change of the code may change.
//!
//! Earlier versions hashed the text that `#[derive(Debug)]` made of the settings, and runs and references
//! hold such hashes. The same text is written here field by field, so that a field may be renamed. A new
//! field is left out of the text where it has its default, else every run of before is orphaned.

use std::fmt::{Debug, Formatter, Result};

use trompe_corpora::{ImageShape, Provenance};

use super::outputs::{Combine, Output};

/// Settings with a fixed text.
pub(super) trait FixedText {
    /// Writes it.
    fn write(&self, f: &mut Formatter<'_>) -> Result;
}

/// Settings whose `{:?}` is their fixed text.
pub(super) struct Fixed<'a, T>(pub(super) &'a T);

impl<T: FixedText> Debug for Fixed<'_, T> {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        self.0.write(f)
    }
}

impl FixedText for Provenance {
    fn write(&self, f: &mut Formatter<'_>) -> Result {
        f.write_str(match self {
            Self::Recorded => "Recorded",
            Self::Rendered => "Rendered",
            Self::Synthetic => "Synthetic",
            Self::Unstated => "Unstated",
        })
    }
}

impl FixedText for ImageShape {
    fn write(&self, f: &mut Formatter<'_>) -> Result {
        f.write_str(&self.fixed_text())
    }
}

impl FixedText for Output {
    fn write(&self, f: &mut Formatter<'_>) -> Result {
        f.write_str(match self {
            Self::Logits => "Logits",
            Self::Probabilities => "Probabilities",
            Self::Sigmoid => "Sigmoid",
            Self::SigmoidLogits => "SigmoidLogits",
            Self::LogOdds => "LogOdds",
        })
    }
}

impl FixedText for Combine {
    fn write(&self, f: &mut Formatter<'_>) -> Result {
        f.write_str(match self {
            Self::Mean => "Mean",
            Self::Max => "Max",
            Self::Median => "Median",
        })
    }
}
