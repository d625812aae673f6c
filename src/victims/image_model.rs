//! Image classifiers with their origin: what a model file of the image side holds.

use trompe_corpora::{Image, ImageShape};

#[cfg(feature = "onnx")]
use super::OnnxImages;
use super::Program;
use crate::classifiers::{ConvolutionalNet, PixelClassifier};
use crate::problem::Victim;

/// An image classifier of any kind.
#[derive(Debug, PartialEq)]
#[cfg_attr(feature = "onnx", allow(clippy::large_enum_variant))] // `AnyModel` boxes it as a whole
pub enum ImageModel {
    /// A net that trompe trained.
    Net(ConvolutionalNet),
    /// A classifier of feature vectors, which are the pixels.
    Pixels(PixelClassifier),
    /// A foreign net.
    #[cfg(feature = "onnx")]
    Onnx(OnnxImages),
    /// A program.
    Program(Program),
}

impl ImageModel {
    /// The classifier, as a victim.
    pub fn victim(&self) -> &dyn Victim<Image> {
        match self {
            Self::Net(net) => net,
            Self::Pixels(classifier) => classifier,
            #[cfg(feature = "onnx")]
            Self::Onnx(net) => net,
            Self::Program(program) => program,
        }
    }

    /// Size of the images that it takes.
    pub fn shape(&self) -> ImageShape {
        match self {
            Self::Net(net) => net.architecture().input,
            Self::Pixels(classifier) => classifier.shape(),
            #[cfg(feature = "onnx")]
            Self::Onnx(net) => net.description().image_shape(),
            Self::Program(program) => program.image_shape(),
        }
    }

    /// The mean training image, values in [0, 255]; `None` of all but our nets.
    pub fn mean(&self) -> Option<&[f32]> {
        match self {
            Self::Net(net) => Some(net.mean()),
            _ => None,
        }
    }
}
