//! Files of a net: the ONNX file, and the files of weights that it names in its own folder.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

use rten_onnx::onnx::{DataLocation, ModelProto, TensorProto};
use trompe_base::files::write_atomically;

use crate::error::{Error, Result};

/// Most bytes of all files together: above all usual image classifiers (VGG-19 has 575 MB).
const MAX_BYTES: u64 = 600 << 20;

/// Ends of file names that a run's folder has of its own, where it keeps a copy of the net.
const TAKEN: [&str; 15] = [
    "toml",
    "json",
    "jsonl",
    "npz",
    "html",
    "safetensors",
    "csv",
    "png",
    "svg",
    "wav",
    "txt",
    "md",
    "onnx",
    "sh",
    "py",
];

/// Folders that a run's folder has of its own.
const FOLDERS: [&str; 2] = ["fooling-set", "rounds"];

/// A net's files.
pub(super) struct Files {
    /// The ONNX file.
    pub(super) net: Vec<u8>,
    /// Files of weights by name.
    weights: BTreeMap<String, Vec<u8>>,
    /// Bytes of the tensors that were taken from them.
    taken: usize,
}

impl Files {
    /// Reads the ONNX file at `path`.
    ///
    /// # Errors
    /// [`Error::BadFile`] if it is too large; an input error.
    pub(super) fn read(path: &Path) -> Result<Self> {
        Ok(Self { net: read(path, MAX_BYTES)?, weights: BTreeMap::new(), taken: 0 })
    }

    /// Takes the values of the tensors of `model` that lie in other files into it. Only plain files in the
    /// folder of the net at `path` are read.
    ///
    /// # Errors
    /// [`Error::BadFile`] naming the file at fault.
    pub(super) fn gather(&mut self, model: &mut ModelProto, path: &Path) -> Result<()> {
        let Some(graph) = &mut model.graph else { return Ok(()) };
        let of_nodes = graph.node.iter_mut().flat_map(|node| &mut node.attribute);
        let tensors = graph.initializer.iter_mut().chain(of_nodes.filter_map(|a| a.t.as_mut()));
        for tensor in tensors {
            if tensor.data_location.unwrap_or(DataLocation::DEFAULT) == DataLocation::DEFAULT
                && tensor.external_data.is_empty()
            {
                continue;
            }
            self.gather_one(tensor, path)?;
        }
        Ok(())
    }

    fn gather_one(&mut self, tensor: &mut TensorProto, path: &Path) -> Result<()> {
        let name = tensor.name.clone().unwrap_or_default();
        let entry = |key: &str| {
            let found = tensor.external_data.iter().find(|entry| entry.key.as_deref() == Some(key));
            found.and_then(|entry| entry.value.clone())
        };
        let bad = |what: String| {
            Error::bad_file(
                path,
                format!("the weights {name:?} {what}"),
                "put the files of weights beside the net, or export it with its weights in the file",
            )
        };
        let location = entry("location").ok_or_else(|| bad("name no file".into()))?;
        if location.contains(['/', '\\', ':']) || location.starts_with('.') || location.is_empty() {
            return Err(bad(format!("lie in {location:?}, which is no file beside the net")));
        }
        let lower = location.to_lowercase();
        let end = Path::new(&lower).extension().unwrap_or_default().to_string_lossy();
        if TAKEN.contains(&end.as_ref()) || FOLDERS.contains(&lower.as_str()) {
            return Err(bad(format!("lie in {location:?}: rename that to end in .data")));
        }
        let number = |key: &str| match entry(key) {
            None => Ok(None),
            Some(text) => {
                text.parse::<usize>().map(Some).map_err(|_| bad(format!("have the {key} {text:?}")))
            }
        };
        let offset = number("offset")?.unwrap_or(0);
        let length = number("length")?;
        let used: u64 = self.net.len() as u64
            + self.weights.values().map(|bytes| bytes.len() as u64).sum::<u64>();
        if !self.weights.contains_key(&location) {
            let file = path.with_file_name(&location);
            // A link might lead out of the folder.
            let plain = std::fs::symlink_metadata(&file);
            if !plain.as_ref().is_ok_and(|found| found.is_file()) {
                return Err(bad(format!(
                    "lie in {location:?}, which is not there or no plain file"
                )));
            }
            let bytes = read(&file, MAX_BYTES.saturating_sub(used))?;
            self.weights.insert(location.clone(), bytes);
        }
        let bytes = &self.weights[&location];
        let end = length.map_or(Some(bytes.len()), |length| offset.checked_add(length));
        let part = end.and_then(|end| bytes.get(offset..end)).ok_or_else(|| {
            bad(format!("lie beyond the end of {location:?}, which has {} bytes", bytes.len()))
        })?;
        self.taken += part.len();
        if self.taken as u64 > MAX_BYTES {
            return Err(bad(format!("and those before have more than {MAX_BYTES} bytes")));
        }
        tensor.raw_data = Some(RefCell::new(part.to_vec()));
        tensor.external_data.clear();
        tensor.data_location = None;
        Ok(())
    }

    /// What a fingerprint is made of: the ONNX file, then the files of weights with their names.
    pub(super) fn parts(&self) -> impl Iterator<Item = &[u8]> {
        let weights = self.weights.iter().flat_map(|(name, bytes)| [name.as_bytes(), bytes]);
        std::iter::once(self.net.as_slice()).chain(weights)
    }

    /// Writes the ONNX file to `path` and the files of weights beside it.
    ///
    /// # Errors
    /// An input or output error naming the file.
    pub(super) fn save(&self, path: &Path) -> Result<()> {
        for (name, bytes) in &self.weights {
            write_atomically(&path.with_file_name(name), bytes)?;
        }
        Ok(write_atomically(path, &self.net)?)
    }
}

fn read(path: &Path, most: u64) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let io = |e| Error::io(path, e);
    std::fs::File::open(path).map_err(io)?.take(most + 1).read_to_end(&mut bytes).map_err(io)?;
    if bytes.len() as u64 > most {
        return Err(Error::bad_file(
            path,
            format!(
                "the files of the net have more than {MAX_BYTES} bytes, the most that are read"
            ),
            "choose a smaller net",
        ));
    }
    Ok(bytes)
}
