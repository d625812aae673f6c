//! Delivered files, scored by a model of any medium.

use std::path::Path;

use trompe_corpora::Image;

use crate::audio::WavCodec;
use crate::dataset::extract::as_delivered;
use crate::error::{Error, Result};
use crate::exhibits::{Codec, score_file, score_input};
use crate::image::PngCodec;
use crate::pipeline::reference::SECONDS;
use crate::problem::{AudioFormat, Victim, WithReference};
use crate::victims::{AnyModel, AudioVictim, Scorer};

/// A model with the codec of its medium.
pub(super) enum FileScorer<'m> {
    Audio(WithReference<'m, AudioVictim<'m>>, WavCodec),
    Image(WithReference<'m, &'m dyn Victim<Image>>, PngCodec),
}

impl<'m> FileScorer<'m> {
    /// # Errors
    /// [`crate::Error::Request`] if the model judges sound, but nothing says how its features are
    /// computed.
    pub(super) fn new(model: &'m AnyModel) -> Result<Self> {
        let reference = model.reference();
        Ok(match model.scorer() {
            Scorer::Audio(model) => {
                let (victim, AudioFormat { sample_rate, .. }) = model.victim()?;
                Self::Audio(WithReference::new(victim, reference), WavCodec { sample_rate })
            }
            Scorer::Image(model) => {
                Self::Image(WithReference::new(model.victim(), reference), PngCodec)
            }
        })
    }

    /// Class names, in the order of the log-odds.
    pub(super) fn classes(&self) -> &[String] {
        match self {
            Self::Audio(victim, _) => victim.classes(),
            Self::Image(victim, _) => victim.classes(),
        }
    }

    /// Whether the model gives the same bits on every machine.
    pub(super) fn is_exact(&self) -> bool {
        let record = match self {
            Self::Audio(victim, _) => victim.record(),
            Self::Image(victim, _) => victim.record(),
        };
        record.runtime.is_none_or(|runtime| runtime.exact)
    }

    /// One log-odds per class of the file at `path`.
    ///
    /// # Errors
    /// As [`score_file`].
    pub(super) fn score(&self, path: &Path) -> Result<Vec<f64>> {
        match self {
            Self::Audio(victim, codec) => Ok(score_file(victim, codec, path)?.1),
            Self::Image(victim, codec) => Ok(score_file(victim, codec, path)?.1),
        }
    }

    /// The same of sound as it would be delivered: 16 bits, and the length of the genuine items.
    ///
    /// # Errors
    /// As [`score_file`].
    pub(super) fn score_delivered(&self, path: &Path) -> Result<Vec<f64>> {
        let Self::Audio(victim, codec) = self else { return self.score(path) };
        let cut = victim.reference().and_then(|reference| reference.source().samples);
        let most = cut.unwrap_or((SECONDS * f64::from(codec.sample_rate)) as usize);
        let mut audio = codec.read(path)?;
        audio.samples = as_delivered(&audio.samples, most);
        score_input(victim, &audio).map_err(|error| match error {
            Error::Features(why) => Error::bad_file(path, why.to_string(), "give a longer file"),
            other => other,
        })
    }

    /// One calibrated posterior per class for these log-odds, if the model is calibrated.
    pub(super) fn calibrated(&self, log_odds: &[f64]) -> Option<Vec<f64>> {
        match self {
            Self::Audio(victim, _) => victim.calibrated(log_odds),
            Self::Image(victim, _) => victim.calibrated(log_odds),
        }
    }

    /// [`Victim::out_of_reach`] of the file at `path`.
    ///
    /// # Errors
    /// As [`Codec::read`] and [`Victim::out_of_reach`].
    pub(super) fn out_of_reach(&self, path: &Path) -> Result<Option<bool>> {
        match self {
            Self::Audio(victim, codec) => victim.out_of_reach(&codec.read(path)?),
            Self::Image(victim, codec) => victim.out_of_reach(&codec.read(path)?),
        }
    }
}
