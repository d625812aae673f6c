//! A model of either medium: what a path the user names may hold.

use std::path::{Path, PathBuf};

use super::{Classifier, ConvolutionalNet, ImageModel, Model, PosteriorKind};
use super::{convolutional, model};
use crate::error::Result;

/// Name of the copy of its model that a run keeps in its folder.
pub(crate) const KEPT: &str = "model.safetensors";

/// A model that judges sound or images.
#[derive(Debug, Clone, PartialEq)]
pub enum AnyModel {
    /// It judges sound.
    Audio(Box<Model>),
    /// It judges images.
    Image(Box<ImageModel>),
}

impl AnyModel {
    /// Reads the model at `path`, whatever its kind.
    ///
    /// # Errors
    /// [`crate::Error::BadFile`] if it is no model of ours, or a damaged one.
    pub fn load(path: &Path) -> Result<Self> {
        model::read_file(path, |bytes, json, any| match any.classifier.kind.as_str() {
            convolutional::KIND => {
                let net = ConvolutionalNet::from_bytes(bytes, json)?;
                Ok(Self::Image(Box::new(ImageModel::Net(net))))
            }
            _ => Ok(Self::Audio(Box::new(Model::from_bytes(bytes, json)?))),
        })
    }

    /// Name of its kind.
    pub fn kind(&self) -> &str {
        match self {
            Self::Audio(model) => model.fitted().kind(),
            Self::Image(model) => model.kind(),
        }
    }

    /// What kind of number its posterior is.
    pub fn posterior_kind(&self) -> PosteriorKind {
        match self {
            Self::Audio(model) => model.posterior_kind(),
            Self::Image(model) => model.classifier().posterior_kind(),
        }
    }

    /// Writes a copy into `folder`, where [`AnyModel::kept`] finds it.
    ///
    /// # Errors
    /// An input or output error naming the file.
    pub fn keep(&self, folder: &Path) -> Result<()> {
        match self {
            Self::Audio(model) => model.save(&folder.join(KEPT)),
            Self::Image(model) => model.keep(folder),
        }
    }

    /// Path of the model that is kept in `folder`, if there is one.
    pub fn kept(folder: &Path) -> Option<PathBuf> {
        Some(folder.join(KEPT)).filter(|path| path.exists())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use trompe_corpora::Split;
    use trompe_corpora::images::synthetic_digits;

    use super::*;
    use crate::classifiers::convolutional::fit_softmax_regression;
    use crate::classifiers::{Fitted, ImageClassifier, LogisticParams, TrainedOn};
    use crate::dataset::generated::gaussians;

    #[test]
    fn a_file_says_which_medium_its_model_judges() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(AnyModel::kept(folder.path()), None);
        let corpus = synthetic_digits(100, 0, 1);
        let net = fit_softmax_regression(&corpus, &corpus.split(Split::Train), 1.0).unwrap();
        let image = AnyModel::Image(Box::new(ImageModel::Net(net.clone())));
        image.keep(folder.path()).unwrap();
        let path = AnyModel::kept(folder.path()).unwrap();
        assert_eq!(AnyModel::load(&path).unwrap(), image);
        assert_eq!(net.fingerprint().len(), 64);
        assert!(Model::load(&path).unwrap_err().to_string().contains("judges images"));

        let data = gaussians(3, 8, 2, 5, 0.5, 1);
        let fitted = Fitted::Logistic(LogisticParams::default().fit(&data).unwrap());
        let model = Model::new(fitted, TrainedOn::new(&data), None).unwrap();
        let audio = AnyModel::Audio(Box::new(model));
        audio.keep(folder.path()).unwrap();
        assert_eq!(AnyModel::load(&path).unwrap(), audio);
        assert!(ConvolutionalNet::load(&path).unwrap_err().to_string().contains("logistic"));
    }
}
