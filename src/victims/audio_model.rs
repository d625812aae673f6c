//! Classifiers of sound with their origin.

use trompe_corpora::Audio;

#[cfg(feature = "onnx")]
use super::OnnxSound;
use super::program::{KIND, Program};
use crate::classifiers::{Classifier, Listener, Model};
use crate::error::{Error, Result};
use crate::log_odds::PosteriorKind;
use crate::problem::{AudioFormat, Victim};

/// A classifier of sound of any kind.
#[derive(Debug, PartialEq)]
#[cfg_attr(feature = "onnx", allow(clippy::large_enum_variant))] // `AnyModel` boxes it as a whole
pub enum AudioModel {
    /// One that trompe trained, with the settings of its features.
    Trained(Model),
    /// A foreign net.
    #[cfg(feature = "onnx")]
    Onnx(OnnxSound),
    /// A program.
    Program(Program),
}

/// A victim of sound, opened from its model.
pub type AudioVictim<'m> = Box<dyn Victim<Audio> + 'm>;

impl AudioModel {
    /// The classifier as a victim, with the rate and the fewest samples that it takes.
    ///
    /// # Errors
    /// [`Error::Request`] if nothing says how its features are computed from sound.
    pub fn victim(&self) -> Result<(AudioVictim<'_>, AudioFormat)> {
        let victim: AudioVictim<'_> = match self {
            Self::Trained(model) => Box::new(Listener::of_model(model)?),
            #[cfg(feature = "onnx")]
            Self::Onnx(net) => Box::new(net),
            Self::Program(program) => Box::new(program),
        };
        let format = victim.format().ok_or_else(|| {
            Error::request("the model does not say what sound it takes", "give another model")
        })?;
        Ok((victim, format))
    }

    /// Class names, in the order of the log-odds.
    pub fn classes(&self) -> &[String] {
        match self {
            Self::Trained(model) => model.classes(),
            #[cfg(feature = "onnx")]
            Self::Onnx(net) => net.classes(),
            Self::Program(program) => &program.hello().classes,
        }
    }

    /// Name of its kind.
    pub fn kind(&self) -> String {
        match self {
            Self::Trained(model) => model.fitted().kind().to_owned(),
            #[cfg(feature = "onnx")]
            Self::Onnx(net) => net.record().kind,
            Self::Program(_) => KIND.to_owned(),
        }
    }

    /// Hash of all that its log-odds depend on, in hexadecimal.
    pub fn fingerprint(&self) -> String {
        match self {
            Self::Trained(model) => model.fingerprint().to_owned(),
            #[cfg(feature = "onnx")]
            Self::Onnx(net) => net.fingerprint().unwrap_or_default(),
            Self::Program(program) => program.hash().to_owned(),
        }
    }

    /// What kind of number its posterior is.
    pub fn posterior_kind(&self) -> PosteriorKind {
        match self {
            Self::Trained(model) => model.posterior_kind(),
            #[cfg(feature = "onnx")]
            Self::Onnx(net) => net.posterior_kind(),
            Self::Program(program) => program.hello().output.posterior_kind(),
        }
    }

    /// The model, if trompe trained it.
    pub fn trained(&self) -> Option<&Model> {
        match self {
            Self::Trained(model) => Some(model),
            #[cfg(feature = "onnx")]
            Self::Onnx(_) => None,
            Self::Program(_) => None,
        }
    }
}
