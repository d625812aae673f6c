//! Delivered files, scored by a model of any medium.

use std::path::Path;

use trompe_corpora::Image;

use crate::audio::WavCodec;
use crate::classifiers::{AnyModel, Listener};
use crate::error::Result;
use crate::exhibits::{Codec, score_file};
use crate::image::PngCodec;
use crate::problem::Victim;

/// A model with the codec of its medium.
pub(super) enum FileScorer<'m> {
    Audio(Listener<'m>, WavCodec),
    Image(&'m dyn Victim<Image>, PngCodec),
}

impl<'m> FileScorer<'m> {
    /// # Errors
    /// [`crate::Error::Request`] if the model judges sound, but nothing says how its features are
    /// computed.
    pub(super) fn new(model: &'m AnyModel) -> Result<Self> {
        Ok(match model {
            AnyModel::Audio(model) => {
                let listener = Listener::of_model(model)?;
                let codec = WavCodec { sample_rate: listener.sample_rate() };
                Self::Audio(listener, codec)
            }
            AnyModel::Image(model) => Self::Image(model.victim(), PngCodec),
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
