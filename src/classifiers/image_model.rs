//! Image classifiers with their origin: what a model file of the image side holds.

use std::path::Path;

use trompe_corpora::Provenance;

use super::{ConvolutionalNet, ImageClassifier, OnnxClassifier};
use crate::error::Result;

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
    /// The classifier.
    pub fn classifier(&self) -> &dyn ImageClassifier {
        match self {
            Self::Net(net) => net,
            Self::Onnx(net) => net,
        }
    }

    /// Name of the kind of classifier, as reports have it.
    pub fn kind(&self) -> &str {
        match self {
            Self::Net(net) => net.architecture().name(),
            Self::Onnx(_) => "onnx",
        }
    }

    /// Name of the corpus it was trained on, and where its images come from.
    pub fn trained_on(&self) -> (&str, Provenance) {
        match self {
            Self::Net(net) => (&net.record().corpus, net.record().provenance),
            Self::Onnx(net) => (&net.description().corpus, net.description().provenance),
        }
    }

    /// Writes a copy into `folder`, which [`super::AnyModel::kept`] reads.
    pub(super) fn keep(&self, folder: &Path) -> Result<()> {
        match self {
            Self::Net(net) => net.save(&folder.join(super::any_model::KEPT)),
            Self::Onnx(net) => net.save(&folder.join(super::any_model::ONNX)),
        }
    }
}
