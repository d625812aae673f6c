//! Delivered files, heard or seen by a model of either medium.

use std::path::Path;

use crate::audio::{self, Listener};
use crate::classifiers::{AnyModel, ImageClassifier};
use crate::error::Result;
use crate::image;

/// Scores delivered files by one model.
pub(super) enum Scorer<'m> {
    Audio(Listener<'m>),
    Image(&'m dyn ImageClassifier),
}

impl<'m> Scorer<'m> {
    /// # Errors
    /// [`crate::Error::Request`] if the model judges sound but cannot hear it.
    pub(super) fn new(model: &'m AnyModel) -> Result<Self> {
        Ok(match model {
            AnyModel::Audio(model) => Self::Audio(Listener::of_model(model)?),
            AnyModel::Image(model) => Self::Image(model.classifier()),
        })
    }

    /// Class names, in the order of the log-odds.
    pub(super) fn classes(&self) -> &[String] {
        match self {
            Self::Audio(listener) => listener.classifier().classes(),
            Self::Image(classifier) => classifier.classes(),
        }
    }

    /// One log-odds per class of the file at `path`.
    ///
    /// # Errors
    /// If it cannot be decoded, or is not what the model takes.
    pub(super) fn score(&self, path: &Path) -> Result<Vec<f64>> {
        match self {
            Self::Audio(listener) => audio::score_file(listener, path),
            Self::Image(classifier) => image::score_file(*classifier, path),
        }
    }

    /// Whether the model's method has no answer for the file at `path`
    /// ([`crate::classifiers::Classifier::out_of_reach`]).
    ///
    /// # Errors
    /// If it cannot be decoded.
    pub(super) fn out_of_reach(&self, path: &Path) -> Result<Option<bool>> {
        match self {
            Self::Audio(listener) => audio::out_of_reach(listener, path),
            Self::Image(_) => Ok(None),
        }
    }
}
