//! Image classifiers with their origin: what a model file of the image side holds.

use trompe_corpora::{Image, ImageShape};

use super::ConvolutionalNet;
#[cfg(feature = "onnx")]
use super::OnnxClassifier;
use crate::problem::Victim;

/// An image classifier of any kind.
#[derive(Debug, PartialEq)]
#[cfg_attr(feature = "onnx", allow(clippy::large_enum_variant))] // `AnyModel` boxes it as a whole
pub enum ImageModel {
    /// A net that trompe trained.
    Net(ConvolutionalNet),
    /// A foreign net.
    #[cfg(feature = "onnx")]
    Onnx(OnnxClassifier),
}

impl ImageModel {
    /// The classifier, as a victim.
    pub fn victim(&self) -> &dyn Victim<Image> {
        match self {
            Self::Net(net) => net,
            #[cfg(feature = "onnx")]
            Self::Onnx(net) => net,
        }
    }

    /// Size of the images that it takes.
    pub fn shape(&self) -> ImageShape {
        match self {
            Self::Net(net) => net.architecture().input,
            #[cfg(feature = "onnx")]
            Self::Onnx(net) => net.description().image_shape(),
        }
    }

    /// The mean training image, values in [0, 255]; `None` of a foreign net.
    pub fn mean(&self) -> Option<&[f32]> {
        match self {
            Self::Net(net) => Some(net.mean()),
            #[cfg(feature = "onnx")]
            Self::Onnx(_) => None,
        }
    }
}
