//! Nets as model files: all parameters in one tensor, all else in the header.

use std::path::Path;

use serde::{Deserialize, Serialize};
use trompe_base::files::write_atomically;

use super::architecture::KIND;
use super::{Architecture, ConvolutionalNet, TrainingRecord};
use crate::classifiers::model::tensors::{Tensor, Tensors, write};
use crate::classifiers::model::{VERSION, fingerprint, read_file};
use crate::error::Result;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    version: u32,
    /// Version of trompe that wrote the file.
    trompe: String,
    classifier: Kind,
    classes: Vec<String>,
    trained_on: TrainingRecord,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kind {
    kind: String,
    architecture: Architecture,
}

impl ConvolutionalNet {
    /// Content of the model file.
    ///
    /// # Panics
    /// Never: a checked net has a size that the format holds.
    pub fn to_bytes(&self) -> Vec<u8> {
        let header = Header {
            version: VERSION,
            trompe: env!("CARGO_PKG_VERSION").into(),
            classifier: Kind { kind: KIND.into(), architecture: self.architecture.clone() },
            classes: self.classes.clone(),
            trained_on: self.record.clone(),
        };
        let tensors = [("mean", &self.mean), ("parameters", &self.parameters)]
            .map(|(name, values)| Tensor::new(name, &[values.len()], values.iter().copied()));
        write(&header, &tensors).expect("a checked net")
    }

    /// Writes the model file, whole or not at all.
    ///
    /// # Errors
    /// An input or output error naming `path`.
    pub fn save(&self, path: &Path) -> Result<()> {
        Ok(write_atomically(path, &self.to_bytes())?)
    }

    /// Reads a model file.
    ///
    /// # Errors
    /// [`crate::Error::BadFile`] if the file is damaged, of another kind or version, or holds a
    /// net that does not fit together.
    pub fn load(path: &Path) -> Result<Self> {
        read_file(path, |bytes, json, any| {
            if any.classifier.kind != KIND {
                return Err(format!("a model of kind {}, not a net", any.classifier.kind));
            }
            Self::from_bytes(bytes, json)
        })
        .map(|(net, ..)| net)
    }

    /// Reads the content of a model file of this version; an error says what is wrong with it.
    pub(crate) fn from_bytes(bytes: &[u8], json: &str) -> Result<Self, String> {
        let header: Header = serde_json::from_str(json).map_err(|e| format!("header: {e}"))?;
        let tensors = Tensors::new(bytes)?;
        let read = |name: &str| -> Result<Vec<f32>, String> {
            tensors.values(name, &[tensors.length(name)?])
        };
        let (mean, parameters) = (read("mean")?, read("parameters")?);
        let architecture = header.classifier.architecture;
        Self::new(architecture, header.classes, mean, parameters, header.trained_on)
            .map_err(|error| error.to_string())
    }

    /// SHA-256 of the model file without a genuine reference, in hexadecimal.
    pub fn sha256(&self) -> String {
        fingerprint(&self.to_bytes())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use trompe_corpora::ImageShape;

    use super::super::tests::untrained;
    use super::*;

    #[test]
    fn a_saved_net_comes_back_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("net.safetensors");
        let net = untrained(Architecture::lenet5(ImageShape::grey(28, 28), 10), 4);
        net.save(&path).unwrap();
        assert_eq!(ConvolutionalNet::load(&path).unwrap(), net);
        let first = std::fs::read(&path).unwrap();
        net.save(&path).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), first, "the same bytes each time");
        assert_eq!(fingerprint(&first), net.sha256());
    }

    #[test]
    fn damaged_and_foreign_files_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("net.safetensors");
        untrained(Architecture::logistic(ImageShape::grey(8, 8), 10), 4).save(&path).unwrap();
        let good = std::fs::read(&path).unwrap();
        let refused = |content: &[u8]| {
            std::fs::write(&path, content).unwrap();
            let error = ConvolutionalNet::load(&path).unwrap_err().to_string();
            assert!(error.contains("net.safetensors"), "{error}");
        };
        refused(&good[..good.len() - 4]);
        refused(&good[..100]);
        refused(b"");
        refused(&[0xff; 64]);
        let altered = |word: &[u8], by: &[u8]| {
            let at = good.windows(word.len()).position(|window| window == word).unwrap();
            let mut other = good.clone();
            other[at..at + word.len()].copy_from_slice(by);
            other
        };
        refused(&altered(b"dense", b"sense"));
        refused(&altered(b"convolutional", b"involutionary"));
        assert!(ConvolutionalNet::load(&folder.path().join("absent")).is_err());
    }
}
