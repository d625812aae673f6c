//! What a victim scores: samples or pixels, with the format that a victim may ask for.

use serde::{Deserialize, Serialize};
use trompe_corpora::{Audio, Image, ImageShape};

use crate::error::{Error, Result};

/// What an input is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Medium {
    /// Sound: delivered files are excerpts.
    Audio,
    /// Pictures: delivered files are images.
    Image,
}

/// An input of a victim, as a space renders it and as a delivered file holds it.
pub trait Input: Send + Sync {
    /// What it is made of.
    const MEDIUM: Medium;

    /// What a victim may ask of its inputs.
    type Format: Serialize;

    /// The format of this input.
    fn format(&self) -> Self::Format;

    /// Checks that inputs of the format `rendered` are what a victim of the format `wanted`
    /// takes.
    ///
    /// # Errors
    /// [`Error::Request`] saying what differs.
    fn check_format(rendered: &Self::Format, wanted: &Self::Format) -> Result<()>;
}

/// Format of mono sound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct AudioFormat {
    /// Sample rate in hertz.
    pub sample_rate: u32,
    /// Of a space: how many samples an input has. Of a victim: the fewest that it can score.
    pub samples: usize,
}

impl AudioFormat {
    /// The duration in seconds.
    fn seconds(&self) -> f64 {
        self.samples as f64 / f64::from(self.sample_rate)
    }
}

/// Mono samples in [-1, 1] that a 16-bit file holds exactly.
impl Input for Audio {
    const MEDIUM: Medium = Medium::Audio;

    type Format = AudioFormat;

    fn format(&self) -> AudioFormat {
        AudioFormat { sample_rate: self.sample_rate, samples: self.samples.len() }
    }

    fn check_format(rendered: &AudioFormat, wanted: &AudioFormat) -> Result<()> {
        if rendered.sample_rate != wanted.sample_rate {
            return Err(Error::request(
                format!(
                    "the sound is at {} Hz, the model takes {} Hz",
                    rendered.sample_rate, wanted.sample_rate
                ),
                "read the bank or the clips at the model's rate",
            ));
        }
        if rendered.samples < wanted.samples {
            return Err(Error::request(
                format!(
                    "an excerpt of {:.2} s is too short: the model needs {:.2} s",
                    rendered.seconds(),
                    wanted.seconds()
                ),
                "make excerpts longer (`seconds`), or give longer clips",
            ));
        }
        Ok(())
    }
}

/// 8-bit pixels.
impl Input for Image {
    const MEDIUM: Medium = Medium::Image;

    type Format = ImageShape;

    fn format(&self) -> ImageShape {
        self.shape
    }

    fn check_format(rendered: &ImageShape, wanted: &ImageShape) -> Result<()> {
        if rendered == wanted {
            return Ok(());
        }
        Err(Error::request(
            format!("the images are {rendered}, the model takes {wanted}"),
            "make images of the model's size",
        ))
    }
}
