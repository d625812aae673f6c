//! What the user states of a callable.

use trompe::corpora::ImageShape;

use crate::output::Output;

/// Grey that gradient ascent starts from where no mean image is known.
const MID_GREY: f32 = 127.5;

/// What a victim takes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Medium {
    /// Mono sound at a rate in hertz.
    Audio { rate: u32 },
    /// Images of a shape.
    Image { shape: ImageShape },
}

/// What the user states of a callable.
#[derive(Debug)]
pub(crate) struct Stated {
    pub(crate) classes: Vec<String>,
    pub(crate) medium: Medium,
    pub(crate) output: Output,
    pub(crate) batch: usize,
    pub(crate) fingerprint: Option<String>,
    pub(crate) runtime: String,
    pub(crate) has_gradient: bool,
    /// Length of excerpts, probes and genuine sounds.
    pub(crate) seconds: f64,
}

impl Stated {
    /// The image that gradient ascent starts from.
    pub(crate) fn mean(&self) -> Option<Vec<f32>> {
        match self.medium {
            Medium::Image { shape } if self.has_gradient => Some(vec![MID_GREY; shape.bytes()]),
            _ => None,
        }
    }
}
