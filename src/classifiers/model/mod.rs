//! Model files: a fitted classifier, with what it was trained on and how, as safetensors.
//! They carry numbers and a JSON header, never code.
//!
//! The header is the single metadata entry `trompe` of the safetensors file, so that the
//! same model always gives the same bytes. Its first field is a checksum of the whole file.

mod seal;
pub(in crate::classifiers) mod tensors;
mod weights;

use std::io::Read;
use std::path::Path;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use trompe_base::encoding::hex;
use trompe_base::files::write_atomically;
use trompe_base::words::counted;
use trompe_corpora::ImageShape;
use trompe_features::FeatureSettings;

use super::{AdaBoost, AdaBoostParams, Calibration, Classifier, Logistic, LogisticParams};
use super::{PosteriorKind, SparseParams, SparseRepresentation};
use crate::dataset::{Dataset, Source};
use crate::error::{Error, Result};
use crate::reference::Reference;
use tensors::{Detached, Tensors, read_header, write};

pub(crate) use tensors::{attach, detach};

/// Version of the file format; version 1 had no checksum.
pub(super) const VERSION: u32 = 2;
/// Greatest model file that is read, in bytes.
const MAX_BYTES: u64 = 1 << 30;

/// A fitted classifier of any kind.
#[derive(Debug, Clone, PartialEq)]
pub enum Fitted {
    /// AdaBoost.MH.
    AdaBoost(AdaBoost),
    /// Multinomial logistic regression.
    Logistic(Logistic),
    /// Sparse representation classification.
    Sparse(SparseRepresentation),
}

/// What a model was trained on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainedOn {
    /// Corpus or features file.
    pub source: Source,
    /// [`Dataset::fingerprint`] of the training data.
    pub sha256: String,
    /// Number of excerpts.
    pub excerpts: usize,
    /// Number of feature vectors.
    pub vectors: usize,
    /// Name of every feature.
    pub feature_names: Vec<String>,
    /// How the vectors are computed from sound; `None` for features from elsewhere: such a
    /// model can score vectors, but no sound.
    pub settings: Option<FeatureSettings>,
    /// Size of the images whose pixels the vectors are; `None` for models that do not judge images.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub images: Option<ImageShape>,
}

impl TrainedOn {
    /// What there is to say about `dataset`.
    pub fn new(dataset: &Dataset) -> Self {
        Self {
            source: dataset.source.clone(),
            sha256: dataset.fingerprint(),
            excerpts: dataset.excerpts.len(),
            vectors: dataset.vectors.nrows(),
            feature_names: dataset.feature_names.clone(),
            settings: dataset.settings.clone(),
            images: None,
        }
    }
}

/// A fitted classifier with its origin: what a model file holds.
#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    fitted: Fitted,
    trained_on: TrainedOn,
    calibration: Option<Calibration>,
    fingerprint: String,
}

/// Kind of classifier and settings of its fit, as the header has it.
#[derive(Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
enum Training {
    #[serde(rename = "adaboost-mh")]
    AdaBoost {
        params: AdaBoostParams,
    },
    Logistic {
        params: LogisticParams,
    },
    SparseRepresentation {
        params: SparseParams,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    version: u32,
    /// Version of trompe that wrote the file.
    trompe: String,
    classifier: Training,
    classes: Vec<String>,
    trained_on: TrainedOn,
    calibration: Option<Calibration>,
}

/// The part of the header that every version and every kind of model has.
#[derive(Deserialize)]
pub(crate) struct AnyHeader {
    version: u32,
    pub(crate) classifier: AnyKind,
}

/// The part of the classifier's entry that every kind has.
#[derive(Deserialize)]
pub(crate) struct AnyKind {
    pub(crate) kind: String,
}

impl Model {
    /// A model of `fitted`, trained on `trained_on`.
    ///
    /// # Errors
    /// [`Error::Request`] when the parts do not belong together.
    pub fn new(fitted: Fitted, trained_on: TrainedOn) -> Result<Self> {
        let mut model = Self { fitted, trained_on, calibration: None, fingerprint: String::new() };
        model.check().map_err(|what| Error::request(format!("model: {what}"), "train it again"))?;
        model.fingerprint = fingerprint(&model.to_bytes()?);
        Ok(model)
    }

    /// The classifier.
    pub fn fitted(&self) -> &Fitted {
        &self.fitted
    }

    /// What it was trained on.
    pub fn trained_on(&self) -> &TrainedOn {
        &self.trained_on
    }

    /// Map to calibrated posteriors that an earlier version fitted.
    pub fn calibration(&self) -> Option<&Calibration> {
        self.calibration.as_ref()
    }

    /// SHA-256 of the model file without its genuine reference, in hexadecimal: names the classifier
    /// in everything made with it.
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// Content of the model file.
    ///
    /// # Errors
    /// [`Error::Request`] when it is too large for the format.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        let classifier = match &self.fitted {
            Fitted::AdaBoost(fitted) => Training::AdaBoost { params: fitted.params().clone() },
            Fitted::Logistic(fitted) => Training::Logistic { params: fitted.params().clone() },
            Fitted::Sparse(fitted) => {
                Training::SparseRepresentation { params: fitted.params().clone() }
            }
        };
        let header = Header {
            version: VERSION,
            trompe: env!("CARGO_PKG_VERSION").into(),
            classifier,
            classes: self.classes().to_vec(),
            trained_on: self.trained_on.clone(),
            calibration: self.calibration.clone(),
        };
        let tensors = match &self.fitted {
            Fitted::AdaBoost(fitted) => weights::of_adaboost(fitted),
            Fitted::Logistic(fitted) => weights::of_logistic(fitted),
            Fitted::Sparse(fitted) => weights::of_sparse(fitted),
        };
        write(&header, &tensors)
            .map_err(|what| Error::request(format!("model: {what}"), "train a smaller one"))
    }

    /// Writes the model file, whole or not at all.
    ///
    /// # Errors
    /// When it cannot be written; an older file is then untouched.
    pub fn save(&self, path: &Path) -> Result<()> {
        Ok(write_atomically(path, &self.to_bytes()?)?)
    }

    /// Reads a model file.
    ///
    /// # Errors
    /// [`Error::BadFile`] when it is not one of ours, is damaged, of a later version, or has
    /// a number no classifier can have.
    pub fn load(path: &Path) -> Result<Self> {
        read_file(path, |bytes, json, any| {
            if any.classifier.kind == super::convolutional::KIND {
                return Err("a model that judges images; sound is wanted here".into());
            }
            Self::from_bytes(bytes, json)
        })
        .map(|(model, ..)| model)
    }

    /// Reads the content of a model file of this version; an error says what is wrong with it.
    pub(crate) fn from_bytes(bytes: &[u8], json: &str) -> Result<Self, String> {
        let header: Header = serde_json::from_str(json).map_err(|e| format!("header: {e}"))?;
        let tensors = Tensors::new(bytes)?;
        let Header { classifier, classes, trained_on, calibration, .. } = header;
        if classes.len() < 2 {
            return Err(format!("{}, two are needed", counted(classes.len(), "class")));
        }
        let dimensions = trained_on.feature_names.len();
        let fitted = match classifier {
            Training::AdaBoost { params } => {
                Fitted::AdaBoost(weights::to_adaboost(&tensors, params, classes, dimensions)?)
            }
            Training::Logistic { params } => {
                Fitted::Logistic(weights::to_logistic(&tensors, params, classes, dimensions)?)
            }
            Training::SparseRepresentation { params } => {
                Fitted::Sparse(weights::to_sparse(&tensors, params, classes, dimensions)?)
            }
        };
        let fingerprint = fingerprint(bytes);
        let model = Self { fitted, trained_on, calibration, fingerprint };
        model.check()?;
        Ok(model)
    }

    fn check(&self) -> Result<(), String> {
        let (names, dimensions) = (self.trained_on.feature_names.len(), self.dimensions());
        if names != dimensions {
            return Err(format!("{names} feature names, {dimensions} features"));
        }
        match &self.calibration {
            Some(calibration) if !calibration.fits(self.classes().len()) => {
                Err("the calibration does not fit the classes".into())
            }
            _ => Ok(()),
        }
    }
}

/// SHA-256 of a model file's content, in hexadecimal.
pub(super) fn fingerprint(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// Reads a model file of any kind and of this version: `read` takes its bytes without the genuine
/// reference, its whole header, and the part of it that tells the kind. The reference is returned
/// beside what it makes.
///
/// # Errors
/// [`Error::BadFile`] with what `read` found wrong, or if it is no model file of this version.
pub(crate) fn read_file<T>(
    path: &Path,
    read: impl FnOnce(&[u8], &str, &AnyHeader) -> Result<T, String>,
) -> Result<(T, Option<Reference>, Vec<u8>)> {
    let mut bytes = Vec::new();
    std::fs::File::open(path)
        .and_then(|file| file.take(MAX_BYTES + 1).read_to_end(&mut bytes))
        .map_err(|source| Error::io(path, source))?;
    let model = || {
        if bytes.len() as u64 > MAX_BYTES {
            return Err(format!("larger than {MAX_BYTES} bytes"));
        }
        let json = read_header(&bytes)?;
        let any: AnyHeader = serde_json::from_str(&json).map_err(|e| format!("header: {e}"))?;
        if any.version != VERSION {
            return Err(format!("format version {}, this trompe reads {VERSION}", any.version));
        }
        seal::check(&bytes)?;
        let Some(Detached { scorer, reference }) = detach(&bytes)? else {
            let read = read(&bytes, &json, &any)?;
            return Ok((read, None, std::mem::take(&mut bytes)));
        };
        let reference = Reference::from_npz(&reference)
            .map_err(|what| format!("its genuine reference: {what}"))?;
        if reference.victim() != fingerprint(&scorer) {
            return Err("its genuine reference is that of another model".to_owned());
        }
        Ok((read(&scorer, &json, &any)?, Some(reference), scorer))
    };
    model().map_err(|what| {
        let remedy = "give a model file that `trompe train` wrote, or train it again";
        Error::bad_file(path, what, remedy)
    })
}

impl Fitted {
    /// Name of the kind of classifier, as files have it.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::AdaBoost(_) => "adaboost-mh",
            Self::Logistic(_) => "logistic",
            Self::Sparse(_) => "sparse-representation",
        }
    }

    fn classifier(&self) -> &dyn Classifier {
        match self {
            Self::AdaBoost(fitted) => fitted,
            Self::Logistic(fitted) => fitted,
            Self::Sparse(fitted) => fitted,
        }
    }
}

impl Classifier for Fitted {
    fn classes(&self) -> &[String] {
        self.classifier().classes()
    }

    fn posterior_kind(&self) -> PosteriorKind {
        self.classifier().posterior_kind()
    }

    fn dimensions(&self) -> usize {
        self.classifier().dimensions()
    }

    fn log_odds(&self, vectors: &[f32], out: &mut [f64]) {
        self.classifier().log_odds(vectors, out);
    }

    fn out_of_reach(&self, vectors: &[f32]) -> Option<bool> {
        self.classifier().out_of_reach(vectors)
    }
}

impl Classifier for Model {
    fn classes(&self) -> &[String] {
        self.fitted.classes()
    }

    fn posterior_kind(&self) -> PosteriorKind {
        self.fitted.posterior_kind()
    }

    fn dimensions(&self) -> usize {
        self.fitted.dimensions()
    }

    fn log_odds(&self, vectors: &[f32], out: &mut [f64]) {
        self.fitted.log_odds(vectors, out);
    }

    fn out_of_reach(&self, vectors: &[f32]) -> Option<bool> {
        self.fitted.out_of_reach(vectors)
    }
}

#[cfg(test)]
mod tests;
