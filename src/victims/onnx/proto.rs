//! Small tools for the messages of ONNX files: attributes, new nodes, values of tensors.

use std::cell::RefCell;

use rten_onnx::onnx::{AttributeProto, AttributeType, DataType, NodeProto, TensorProto};

/// Most values of a tensor that is computed while a net is loaded.
const MOST_FOLDED: usize = 1 << 26;

/// The attribute of this name.
pub(super) fn attribute<'n>(node: &'n NodeProto, name: &str) -> Option<&'n AttributeProto> {
    node.attribute.iter().find(|attribute| attribute.name.as_deref() == Some(name))
}

/// The integers of an attribute; none without it.
pub(super) fn integers<'n>(node: &'n NodeProto, name: &str) -> &'n [i64] {
    attribute(node, name).map_or(&[], |attribute| &attribute.ints)
}

/// The integer of an attribute.
pub(super) fn integer(node: &NodeProto, name: &str) -> Option<i64> {
    attribute(node, name)?.i
}

/// The number of an attribute.
pub(super) fn number(node: &NodeProto, name: &str) -> Option<f32> {
    attribute(node, name)?.f
}

/// The text of an attribute.
pub(super) fn text<'n>(node: &'n NodeProto, name: &str) -> Option<&'n str> {
    attribute(node, name)?.s.as_deref()
}

/// A node with one output.
pub(super) fn node(operator: &str, inputs: &[&str], output: &str) -> NodeProto {
    NodeProto {
        op_type: Some(operator.to_owned()),
        name: Some(format!("{operator} of {output}")),
        input: inputs.iter().map(|&input| input.to_owned()).collect(),
        output: vec![output.to_owned()],
        ..NodeProto::default()
    }
}

/// An attribute of one integer.
pub(super) fn with_integer(name: &str, value: i64) -> AttributeProto {
    AttributeProto {
        name: Some(name.to_owned()),
        i: Some(value),
        r#type: Some(AttributeType::INT),
        ..AttributeProto::default()
    }
}

/// An attribute of integers.
pub(super) fn with_integers(name: &str, values: &[i64]) -> AttributeProto {
    AttributeProto {
        name: Some(name.to_owned()),
        ints: values.to_vec(),
        r#type: Some(AttributeType::INTS),
        ..AttributeProto::default()
    }
}

/// An attribute of text.
pub(super) fn with_text(name: &str, value: &str) -> AttributeProto {
    AttributeProto {
        name: Some(name.to_owned()),
        s: Some(value.to_owned()),
        r#type: Some(AttributeType::STRING),
        ..AttributeProto::default()
    }
}

/// A tensor of 32-bit floats.
pub(super) fn floats(name: &str, dims: &[i64], values: &[f32]) -> TensorProto {
    let bytes = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    stored(name, dims, DataType::FLOAT, bytes)
}

/// A tensor of 64-bit integers.
pub(super) fn longs(name: &str, dims: &[i64], values: &[i64]) -> TensorProto {
    let bytes = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    stored(name, dims, DataType::INT64, bytes)
}

/// A tensor of these bytes.
pub(super) fn stored(name: &str, dims: &[i64], kind: DataType, bytes: Vec<u8>) -> TensorProto {
    TensorProto {
        name: Some(name.to_owned()),
        dims: dims.to_vec(),
        data_type: Some(kind),
        raw_data: Some(RefCell::new(bytes)),
        ..TensorProto::default()
    }
}

/// Bytes of one value; `None` of kinds that are not read.
fn size_of(kind: DataType) -> Option<usize> {
    match kind {
        DataType::FLOAT | DataType::INT32 | DataType::UINT32 => Some(4),
        DataType::UINT8 | DataType::INT8 | DataType::BOOL => Some(1),
        DataType::UINT16 | DataType::INT16 | DataType::FLOAT16 | DataType::BFLOAT16 => Some(2),
        DataType::INT64 | DataType::UINT64 | DataType::DOUBLE => Some(8),
        _ => None,
    }
}

/// How many values a tensor has; an error if that is too many to compute with.
pub(super) fn count(tensor: &TensorProto) -> Result<usize, String> {
    let count = tensor.dims.iter().try_fold(1_usize, |count, &size| {
        usize::try_from(size).ok().and_then(|size| count.checked_mul(size))
    });
    let name = tensor.name.as_deref().unwrap_or("without a name");
    count
        .filter(|&count| count <= MOST_FOLDED)
        .ok_or_else(|| format!("the tensor {name:?} has the shape {:?}", tensor.dims))
}

/// The values of a tensor as bytes, however the file holds them, with the size of one.
pub(super) fn bytes(tensor: &TensorProto) -> Result<(Vec<u8>, usize), String> {
    let name = tensor.name.as_deref().unwrap_or("without a name");
    let kind = tensor.data_type.unwrap_or(DataType::FLOAT);
    let size = size_of(kind).ok_or_else(|| format!("the tensor {name:?} is of {kind}"))?;
    let bytes = match &tensor.raw_data {
        Some(raw) => raw.borrow().clone(),
        None if !tensor.float_data.is_empty() => {
            tensor.float_data.iter().flat_map(|value| value.to_le_bytes()).collect()
        }
        None if !tensor.int64_data.is_empty() => {
            tensor.int64_data.iter().flat_map(|value| value.to_le_bytes()).collect()
        }
        None if !tensor.double_data.is_empty() => {
            tensor.double_data.iter().flat_map(|value| value.to_le_bytes()).collect()
        }
        None => {
            let low = |value: &i32| value.to_le_bytes().into_iter().take(size.min(4));
            tensor.int32_data.iter().flat_map(low).collect()
        }
    };
    match count(tensor)?.checked_mul(size) == Some(bytes.len()) {
        true => Ok((bytes, size)),
        false => Err(format!(
            "the tensor {name:?} of the shape {:?} has {} bytes",
            tensor.dims,
            bytes.len()
        )),
    }
}

/// The values of a tensor as numbers.
pub(super) fn values(tensor: &TensorProto) -> Result<Vec<f64>, String> {
    let kind = tensor.data_type.unwrap_or(DataType::FLOAT);
    let (bytes, size) = bytes(tensor)?;
    let value = |bytes: &[u8]| -> f64 {
        let mut wide = [0; 8];
        wide[..size].copy_from_slice(bytes);
        let bits = u64::from_le_bytes(wide);
        match kind {
            DataType::FLOAT => f64::from(f32::from_bits(bits as u32)),
            DataType::DOUBLE => f64::from_bits(bits),
            DataType::FLOAT16 => f64::from(half(bits as u16)),
            DataType::BFLOAT16 => f64::from(f32::from_bits((bits as u32) << 16)),
            DataType::INT8 => f64::from(bits as u8 as i8),
            DataType::INT16 => f64::from(bits as u16 as i16),
            DataType::INT32 => f64::from(bits as u32 as i32),
            DataType::INT64 => bits as i64 as f64,
            _ => bits as f64,
        }
    };
    Ok(bytes.chunks_exact(size).map(value).collect())
}

/// A 16-bit float (IEEE 754 binary16).
fn half(bits: u16) -> f32 {
    let sign = if bits >> 15 == 1 { -1.0 } else { 1.0 };
    let (exponent, fraction) = (i32::from(bits >> 10 & 0x1f), f32::from(bits & 0x3ff));
    match exponent {
        0 => sign * fraction * 2.0_f32.powi(-24),
        31 if fraction == 0.0 => sign * f32::INFINITY,
        31 => f32::NAN,
        _ => sign * (1.0 + fraction / 1024.0) * 2.0_f32.powi(exponent - 15),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn halves_are_read() {
        for (bits, value) in [
            (0x3c00, 1.0),
            (0xc000, -2.0),
            (0x3555, 0.333_251_95),
            (0x0001, 5.960_464_5e-8),
            (0x7bff, 65_504.0),
        ] {
            assert_eq!(half(bits), value);
        }
        assert!(half(0x7c00).is_infinite() && half(0x7e00).is_nan());
    }

    #[test]
    fn values_are_read_however_they_are_kept() {
        let raw = floats("a", &[2], &[1.5, -2.0]);
        assert_eq!(values(&raw).unwrap(), [1.5, -2.0]);
        let listed = TensorProto {
            dims: vec![2],
            data_type: Some(DataType::INT8),
            int32_data: vec![-3, 4],
            ..TensorProto::default()
        };
        assert_eq!(values(&listed).unwrap(), [-3.0, 4.0]);
        let short = TensorProto { dims: vec![3], ..raw };
        assert!(values(&short).unwrap_err().contains("8 bytes"));
        let huge = TensorProto { dims: vec![1 << 40, 1 << 40], ..listed };
        assert!(values(&huge).is_err());
    }
}
