//! Typed arrays in a safetensors file, and its one metadata entry.

use std::collections::HashMap;

use safetensors::SafeTensors;
use safetensors::tensor::{Dtype, TensorView, serialize};
use serde::Serialize;

use super::seal;

/// Name of the metadata entry that holds the header.
const ENTRY: &str = "trompe";
/// Greatest safetensors header that is read, in bytes (feature names are in it).
const MAX_HEADER: u64 = 1 << 24;
/// Most tensors a model has.
const MAX_TENSORS: usize = 32;

/// A number that tensors hold.
pub(in crate::classifiers) trait Number: Copy {
    const DTYPE: Dtype;
    const BYTES: usize;
    fn put(self, bytes: &mut Vec<u8>);
    fn get(bytes: &[u8]) -> Self;
}

macro_rules! number {
    ($type:ty, $dtype:ident) => {
        impl Number for $type {
            const DTYPE: Dtype = Dtype::$dtype;
            const BYTES: usize = size_of::<$type>();
            fn put(self, bytes: &mut Vec<u8>) {
                bytes.extend(self.to_le_bytes());
            }
            fn get(bytes: &[u8]) -> Self {
                let mut whole = [0; size_of::<$type>()];
                whole.copy_from_slice(bytes);
                Self::from_le_bytes(whole)
            }
        }
    };
}

number!(f64, F64);
number!(f32, F32);
number!(u32, U32);
number!(u8, U8);
number!(i8, I8);

/// A named array.
pub(in crate::classifiers) struct Tensor {
    name: &'static str,
    dtype: Dtype,
    shape: Vec<usize>,
    bytes: Vec<u8>,
}

impl Tensor {
    /// `values` in row-major order; as many as the shape says.
    pub(in crate::classifiers) fn new<T: Number>(
        name: &'static str,
        shape: &[usize],
        values: impl IntoIterator<Item = T>,
    ) -> Self {
        let mut bytes = Vec::new();
        values.into_iter().for_each(|value| value.put(&mut bytes));
        Self { name, dtype: T::DTYPE, shape: shape.to_vec(), bytes }
    }
}

/// A header with the checksum that [`seal`] fills in.
#[derive(Serialize)]
struct Sealed<'a, H> {
    checksum: String,
    #[serde(flatten)]
    header: &'a H,
}

/// A safetensors file of `tensors` and `header`, sealed.
pub(in crate::classifiers) fn write(
    header: &impl Serialize,
    tensors: &[Tensor],
) -> Result<Vec<u8>, String> {
    let json = serde_json::to_string(&Sealed { checksum: seal::blank(), header })
        .map_err(|error| error.to_string())?;
    let views = tensors
        .iter()
        .map(|t| Ok((t.name, TensorView::new(t.dtype, t.shape.clone(), &t.bytes)?)))
        .collect::<Result<Vec<_>, safetensors::SafeTensorError>>()
        .map_err(|error| error.to_string())?;
    // One entry: the order of a hash map's entries would not be the same every time.
    let metadata = HashMap::from([(ENTRY.to_owned(), json)]);
    let mut bytes = serialize(views, Some(metadata)).map_err(|error| error.to_string())?;
    seal::seal(&mut bytes);
    Ok(bytes)
}

/// Name of the tensor that holds the genuine reference, as the bytes of an `.npz` file.
const REFERENCE: &str = "reference";

/// A model file with a genuine reference in it, made from one without.
pub(crate) fn attach(file: &[u8], reference: &[u8]) -> Result<Vec<u8>, String> {
    rewrite(file, Some(reference))
}

/// A model file, taken apart.
pub(crate) struct Detached {
    /// The file byte for byte as it was before a reference was attached.
    pub(crate) scorer: Vec<u8>,
    /// The reference.
    pub(crate) reference: Vec<u8>,
}

/// Takes the genuine reference out of a model file; `None` of a file that has none.
pub(crate) fn detach(file: &[u8]) -> Result<Option<Detached>, String> {
    let tensors = SafeTensors::deserialize(file).map_err(|error| error.to_string())?;
    let Ok(reference) = tensors.tensor(REFERENCE) else { return Ok(None) };
    let reference = reference.data().to_vec();
    Ok(Some(Detached { scorer: rewrite(file, None)?, reference }))
}

fn rewrite(file: &[u8], reference: Option<&[u8]>) -> Result<Vec<u8>, String> {
    let rewritten = || -> Result<Vec<u8>, safetensors::SafeTensorError> {
        let (_, metadata) = SafeTensors::read_metadata(file)?;
        let tensors = SafeTensors::deserialize(file)?;
        let mut views: Vec<(String, TensorView<'_>)> = tensors.tensors();
        views.retain(|(name, _)| name != REFERENCE);
        if let Some(bytes) = reference {
            views.push((REFERENCE.into(), TensorView::new(Dtype::U8, vec![bytes.len()], bytes)?));
        }
        serialize(views, metadata.metadata().clone())
    };
    let mut bytes = rewritten().map_err(|error| error.to_string())?;
    seal::seal(&mut bytes);
    Ok(bytes)
}

/// The header of a model file, without its checksum.
pub(in crate::classifiers) fn read_header(bytes: &[u8]) -> Result<String, String> {
    let length = bytes.first_chunk().map(|first| u64::from_le_bytes(*first));
    match length {
        None => return Err("too short for a model file".into()),
        Some(length) if length > MAX_HEADER || length > bytes.len() as u64 => {
            return Err("not a model file, or cut short".into());
        }
        Some(_) => {}
    }
    let (_, metadata) =
        SafeTensors::read_metadata(bytes).map_err(|e| format!("not a model file: {e}"))?;
    let entry = metadata.metadata().as_ref().and_then(|entries| entries.get(ENTRY));
    entry
        .map(|entry| seal::without(entry))
        .ok_or_else(|| "safetensors, but not a model of trompe".into())
}

/// The arrays of a model file.
pub(in crate::classifiers) struct Tensors<'a>(SafeTensors<'a>);

impl<'a> Tensors<'a> {
    pub(in crate::classifiers) fn new(bytes: &'a [u8]) -> Result<Self, String> {
        let tensors = SafeTensors::deserialize(bytes).map_err(|error| error.to_string())?;
        if tensors.len() > MAX_TENSORS {
            return Err(format!("{} tensors, a model has at most {MAX_TENSORS}", tensors.len()));
        }
        Ok(Self(tensors))
    }

    /// First length of a tensor's shape.
    pub(in crate::classifiers) fn length(&self, name: &str) -> Result<usize, String> {
        let view = self.0.tensor(name).map_err(|error| error.to_string())?;
        view.shape().first().copied().ok_or_else(|| format!("tensor {name} has no length"))
    }

    /// Values of a tensor of the given shape.
    pub(in crate::classifiers) fn values<T: Number>(
        &self,
        name: &str,
        shape: &[usize],
    ) -> Result<Vec<T>, String> {
        let view = self.0.tensor(name).map_err(|error| error.to_string())?;
        if view.dtype() != T::DTYPE || view.shape() != shape {
            return Err(format!(
                "tensor {name} is {:?} {:?}, expected {:?} {shape:?}",
                view.dtype(),
                view.shape(),
                T::DTYPE
            ));
        }
        Ok(view.data().chunks_exact(T::BYTES).map(T::get).collect())
    }

    /// Values that must all pass `holds`, described by `rule`.
    pub(in crate::classifiers) fn checked<T: Number + std::fmt::Display>(
        &self,
        name: &str,
        shape: &[usize],
        rule: &str,
        holds: impl Fn(T) -> bool,
    ) -> Result<Vec<T>, String> {
        let values = self.values(name, shape)?;
        match values.iter().find(|&&value| !holds(value)) {
            Some(value) => Err(format!("tensor {name} holds {value}, must be {rule}")),
            None => Ok(values),
        }
    }
}
