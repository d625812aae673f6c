//! A model of any medium, detected from its file.

use std::path::{Path, PathBuf};

use super::kept::{KEPT, ONNX};
use super::{Classifier, ConvolutionalNet, ImageModel, Model, PosteriorKind};
use super::{convolutional, model};
use crate::error::Result;

/// What may stand before the path of an ONNX file.
const ONNX_PREFIX: &str = "onnx:";

/// A model that judges sound or images.
#[derive(Debug, PartialEq)]
pub enum AnyModel {
    /// It judges sound.
    Audio(Box<Model>),
    /// It judges images.
    Image(Box<ImageModel>),
}

impl AnyModel {
    /// Reads the model at `path`: a file that `trompe train` wrote, an ONNX file (also written
    /// `onnx:FILE`), or a folder with a `model.onnx`.
    ///
    /// # Errors
    /// [`crate::Error::BadFile`] if it is none of these, or a damaged one.
    pub fn load(path: &Path) -> Result<Self> {
        if let Some(file) = onnx_file(path) {
            return open_onnx(&file);
        }
        model::read_file(path, |bytes, json, any| match any.classifier.kind.as_str() {
            convolutional::KIND => {
                let net = ConvolutionalNet::from_bytes(bytes, json)?;
                Ok(Self::Image(Box::new(ImageModel::Net(net))))
            }
            _ => Ok(Self::Audio(Box::new(Model::from_bytes(bytes, json)?))),
        })
    }

    /// Name of its kind.
    pub fn kind(&self) -> String {
        match self {
            Self::Audio(model) => model.fitted().kind().to_owned(),
            Self::Image(model) => model.victim().record().kind,
        }
    }

    /// SHA-256 that names it in everything made with it, in hexadecimal.
    pub fn fingerprint(&self) -> String {
        match self {
            Self::Audio(model) => model.fingerprint().to_owned(),
            Self::Image(model) => model.victim().fingerprint().unwrap_or_default(),
        }
    }

    /// What kind of number its posterior is.
    pub fn posterior_kind(&self) -> PosteriorKind {
        match self {
            Self::Audio(model) => model.posterior_kind(),
            Self::Image(model) => model.victim().posterior_kind(),
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
        [KEPT, ONNX].iter().map(|name| folder.join(name)).find(|path| path.exists())
    }
}

#[cfg(feature = "onnx")]
fn open_onnx(file: &Path) -> Result<AnyModel> {
    let net = super::OnnxClassifier::open(file)?;
    Ok(AnyModel::Image(Box::new(ImageModel::Onnx(net))))
}

#[cfg(not(feature = "onnx"))]
fn open_onnx(file: &Path) -> Result<AnyModel> {
    Err(crate::Error::bad_file(
        file,
        "is an ONNX file, which this build does not read",
        "build trompe with the cargo feature onnx",
    ))
}

/// The ONNX file that `path` means, if it means one.
fn onnx_file(path: &Path) -> Option<PathBuf> {
    if let Some(file) = path.to_str().and_then(|text| text.strip_prefix(ONNX_PREFIX)) {
        return Some(PathBuf::from(file));
    }
    if path.extension().is_some_and(|end| end.eq_ignore_ascii_case("onnx")) {
        return Some(path.to_owned());
    }
    Some(path.join(ONNX)).filter(|file| file.is_file())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use trompe_corpora::Split;
    use trompe_corpora::images::synthetic_digits;

    use super::*;
    use crate::classifiers::convolutional::fit_softmax_regression;
    use crate::classifiers::{Fitted, LogisticParams, TrainedOn};
    use crate::dataset::generated::gaussians;
    use crate::problem::Victim;

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
        assert_eq!(net.fingerprint().unwrap().len(), 64);
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
