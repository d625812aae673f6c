//! Nets as safetensors files: the parameters as tensors, all else as one JSON header. A file
//! carries no code.

use std::collections::HashMap;
use std::path::Path;

use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use serde::{Deserialize, Serialize};
use trompe_corpora::files::write_atomically;

use super::{Architecture, ConvolutionalNet, TrainingRecord};
use crate::error::{Error, Result};

/// What the header calls this kind of model.
const KIND: &str = "convolutional";

/// Version of the file's form; files of another version are refused.
const VERSION: u32 = 1;

/// Key of the header among the metadata.
const HEADER: &str = "trompe";

/// Largest file that is read (600 MiB, above the largest net).
const MAX_BYTES: u64 = 600 << 20;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    kind: String,
    version: u32,
    architecture: Architecture,
    classes: Vec<String>,
    training: TrainingRecord,
}

impl ConvolutionalNet {
    /// Writes the net to `path`.
    ///
    /// # Errors
    /// An input or output error naming `path`.
    pub fn save(&self, path: &Path) -> Result<()> {
        let fault = |e: &dyn std::fmt::Display| {
            Error::bad_file(path, format!("cannot be written: {e}"), "report this as a fault")
        };
        let header = serde_json::to_string(&Header {
            kind: KIND.into(),
            version: VERSION,
            architecture: self.architecture.clone(),
            classes: self.classes.clone(),
            training: self.record.clone(),
        })
        .map_err(|e| fault(&e))?;
        let mean = bytes(&self.mean);
        let parameters = bytes(&self.parameters);
        let mut tensors = Vec::new();
        for (name, bytes) in [("mean", &mean), ("parameters", &parameters)] {
            let view = TensorView::new(Dtype::F32, vec![bytes.len() / 4], bytes);
            tensors.push((name, view.map_err(|e| fault(&e))?));
        }
        let metadata = HashMap::from([(HEADER.to_owned(), header)]);
        let file = safetensors::serialize(tensors, Some(metadata)).map_err(|e| fault(&e))?;
        Ok(write_atomically(path, &file)?)
    }

    /// Reads a net from `path`.
    ///
    /// # Errors
    /// [`Error::BadFile`] if the file is damaged, of another kind or version, or holds a net
    /// that does not fit together.
    pub fn load(path: &Path) -> Result<Self> {
        let bad = |what: String| Error::bad_file(path, what, "train the model again");
        let size = std::fs::metadata(path).map_err(|e| Error::io(path, e))?.len();
        if size > MAX_BYTES {
            return Err(bad(format!("{size} bytes, more than any net of ours")));
        }
        let file = std::fs::read(path).map_err(|e| Error::io(path, e))?;
        let (_, metadata) = SafeTensors::read_metadata(&file)
            .map_err(|e| bad(format!("not a safetensors file ({e})")))?;
        let header = metadata.metadata().as_ref().and_then(|metadata| metadata.get(HEADER));
        let header = header.ok_or_else(|| bad("not a model of trompe".into()))?;
        let header: Header = serde_json::from_str(header)
            .map_err(|e| bad(format!("not a convolutional net of this version ({e})")))?;
        if header.kind != KIND || header.version != VERSION {
            return Err(bad(format!("a {} model of version {}", header.kind, header.version)));
        }
        let tensors = SafeTensors::deserialize(&file).map_err(|e| bad(e.to_string()))?;
        let read = |name: &str| -> Result<Vec<f32>> {
            let tensor = tensors.tensor(name).map_err(|e| bad(e.to_string()))?;
            if tensor.dtype() != Dtype::F32 {
                return Err(bad(format!("'{name}' is not of 32-bit floats")));
            }
            let values = tensor.data().chunks_exact(4);
            Ok(values.map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect())
        };
        let (mean, parameters) = (read("mean")?, read("parameters")?);
        Self::new(header.architecture, header.classes, mean, parameters, header.training)
            .map_err(|e| bad(e.to_string()))
    }
}

fn bytes(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
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
    }

    #[test]
    fn damaged_and_foreign_files_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("net.safetensors");
        untrained(Architecture::linear(ImageShape::grey(8, 8), 10), 4).save(&path).unwrap();
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
        let text = String::from_utf8_lossy(&good).into_owned();
        let at = text.find("linear").unwrap_or(0).max(text.find("dense").unwrap());
        let mut other = good.clone();
        other[at..at + 5].copy_from_slice(b"sense");
        refused(&other);
        let none = safetensors::serialize(Vec::<(&str, TensorView<'_>)>::new(), None).unwrap();
        refused(&none);
        assert!(ConvolutionalNet::load(&folder.path().join("absent")).is_err());
    }
}
