//! Excerpts as delivered files: 16-bit WAV, decoded again from disk and scored.

use std::path::Path;

use trompe_corpora::{Audio, Limits, read_mono};

use super::composition::Composition;
use super::excerpts::Excerpts;
use super::listener::Listener;
use crate::classifiers::Calibration;
use crate::error::Result;
use crate::exhibits::{Delivery, Picture, Waveform};

/// Columns of a waveform's picture.
const COLUMNS: usize = 480;

/// Writes excerpts and hears them again.
pub struct ExcerptDelivery<'a> {
    /// What is written.
    pub excerpts: &'a Excerpts<'a>,
    /// Who hears it.
    pub listener: &'a Listener<'a>,
    /// What its posteriors are worth, if that was measured.
    pub calibration: Option<&'a Calibration>,
}

/// Log-odds of an audio file.
///
/// # Errors
/// [`crate::Error::Corpora`] if it cannot be decoded, [`crate::Error::Features`] if it is too
/// short.
pub fn score_file(listener: &Listener<'_>, path: &Path) -> Result<Vec<f64>> {
    let audio = hear(listener, path)?;
    listener.score(&audio.samples)
}

/// Whether the classifier's method has no answer for an audio file.
///
/// # Errors
/// As [`score_file`].
pub fn out_of_reach(listener: &Listener<'_>, path: &Path) -> Result<Option<bool>> {
    let audio = hear(listener, path)?;
    listener.out_of_reach(&audio.samples)
}

/// What a page shows of an audio file.
///
/// # Errors
/// [`crate::Error::Corpora`] if it cannot be decoded.
pub fn waveform(listener: &Listener<'_>, path: &Path) -> Result<Picture> {
    let audio = hear(listener, path)?;
    Ok(Picture::Waveform(Waveform::from_samples(&audio.samples, audio.sample_rate, COLUMNS)))
}

fn hear(listener: &Listener<'_>, path: &Path) -> Result<Audio> {
    Ok(read_mono(path, listener.sample_rate(), &Limits::default())?)
}

impl Delivery<Composition> for ExcerptDelivery<'_> {
    fn extension(&self) -> &str {
        "wav"
    }

    fn deliver(&self, genome: &Composition, path: &Path) -> Result<()> {
        self.excerpts.deliver(genome, path)
    }

    fn score(&self, path: &Path) -> Result<Vec<f64>> {
        score_file(self.listener, path)
    }

    fn picture(&self, path: &Path) -> Result<Picture> {
        waveform(self.listener, path)
    }

    fn descriptions(&self, genome: &Composition) -> Vec<String> {
        self.excerpts.loop_names(genome)
    }

    fn calibrated(&self, log_odds: &[f64]) -> Option<Vec<f64>> {
        self.calibration.map(|calibration| calibration.posteriors(log_odds))
    }
}
