//! Image classifiers with their origin: what a model file of the image side holds.

use std::path::Path;

use trompe_corpora::{Image, ImageShape};

use super::kept::{KEPT, ONNX};
use super::{ConvolutionalNet, OnnxClassifier};
use crate::error::Result;
use crate::problem::Victim;

/// An image classifier of any kind.
#[derive(Debug, PartialEq)]
#[allow(clippy::large_enum_variant)] // `AnyModel` boxes it as a whole
pub enum ImageModel {
    /// A net of ours.
    Net(ConvolutionalNet),
    /// A foreign net.
    Onnx(OnnxClassifier),
}

impl ImageModel {
    /// The classifier, as a victim.
    pub fn victim(&self) -> &dyn Victim<Image> {
        match self {
            Self::Net(net) => net,
            Self::Onnx(net) => net,
        }
    }

    /// Size of the images that it takes.
    pub fn shape(&self) -> ImageShape {
        match self {
            Self::Net(net) => net.architecture().input,
            Self::Onnx(net) => net.description().image_shape(),
        }
    }

    /// Writes a copy into `folder`, which [`super::AnyModel::kept`] reads.
    pub(super) fn keep(&self, folder: &Path) -> Result<()> {
        match self {
            Self::Net(net) => net.save(&folder.join(KEPT)),
            Self::Onnx(net) => net.save(&folder.join(ONNX)),
        }
    }
}
