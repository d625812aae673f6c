//! Constants of a net: nodes and chains of nodes that depend on nothing become stored tensors, and
//! numbers of other sizes 32-bit floats.

use rten_onnx::onnx::{DataType, GraphProto, NodeProto, TensorProto, ValueInfoProto};

use super::proto::{attribute, bytes, count, floats, integer, integers, longs, stored, values};
use super::tensors::Tensors;

/// Floats that are computed with as 32-bit floats.
const OTHER_FLOATS: [DataType; 3] = [DataType::FLOAT16, DataType::BFLOAT16, DataType::DOUBLE];

/// Most bytes of all tensors that are computed while a net is loaded.
const MOST_COMPUTED: usize = 1 << 30;

/// Makes stored tensors of the constants of `graph`.
///
/// # Errors
/// What is wrong, in words.
pub(super) fn fold(graph: &mut GraphProto) -> Result<(), String> {
    for tensor in &mut graph.initializer {
        widen(tensor)?;
    }
    for info in graph.input.iter_mut().chain(&mut graph.output).chain(&mut graph.value_info) {
        widen_type(info);
    }
    let mut known = Tensors::new(std::mem::take(&mut graph.initializer));
    let mut kept = Vec::new();
    let mut computed = 0;
    for mut node in std::mem::take(&mut graph.node) {
        narrow_cast(&mut node);
        let Some(tensor) = constant(&node, &known)? else {
            kept.push(node);
            continue;
        };
        computed += bytes(&tensor)?.0.len();
        if computed > MOST_COMPUTED {
            return Err(format!("computes constants of more than {MOST_COMPUTED} bytes"));
        }
        known.push(tensor);
    }
    graph.node = kept;
    graph.initializer = known.into_vec();
    Ok(())
}

/// A tensor of 16- or 64-bit floats as one of 32-bit floats.
fn widen(tensor: &mut TensorProto) -> Result<(), String> {
    if tensor.data_type.is_some_and(|kind| OTHER_FLOATS.contains(&kind)) {
        let name = tensor.name.clone().unwrap_or_default();
        let numbers: Vec<f32> = values(tensor)?.into_iter().map(|value| value as f32).collect();
        *tensor = floats(&name, &tensor.dims, &numbers);
    }
    Ok(())
}

fn widen_type(info: &mut ValueInfoProto) {
    let tensor = info.r#type.as_mut().and_then(|of| of.tensor_type.as_mut());
    if let Some(tensor) = tensor
        && tensor.elem_type.is_some_and(|kind| OTHER_FLOATS.contains(&kind))
    {
        tensor.elem_type = Some(DataType::FLOAT);
    }
}

/// A cast to floats of another size is one to 32-bit floats.
fn narrow_cast(node: &mut NodeProto) {
    if node.op_type.as_deref() != Some("Cast") {
        return;
    }
    let to = node.attribute.iter_mut().find(|attribute| attribute.name.as_deref() == Some("to"));
    if let Some(to) = to
        && OTHER_FLOATS.iter().any(|kind| to.i == Some(i64::from(kind.0)))
    {
        to.i = Some(i64::from(DataType::FLOAT.0));
    }
}

/// What a node gives, if it depends on nothing but known tensors and is one that moves or scales
/// values.
fn constant(node: &NodeProto, known: &Tensors) -> Result<Option<TensorProto>, String> {
    let Some(name) = node.output.first() else { return Ok(None) };
    if node.op_type.as_deref() == Some("Constant") {
        return of_node(node, name).map(Some);
    }
    let input = |place: usize| known.get(node.input.get(place)?);
    let Some(first) = input(0) else { return Ok(None) };
    if node.input.iter().any(|name| !name.is_empty() && known.get(name).is_none()) {
        return Ok(None);
    }
    let moved = |dims: Vec<i64>| TensorProto { dims, name: Some(name.clone()), ..first.clone() };
    let axes = |place: usize| -> Result<Vec<i64>, String> {
        match input(place) {
            Some(tensor) => Ok(values(tensor)?.into_iter().map(|value| value as i64).collect()),
            None => Ok(integers(node, "axes").to_vec()),
        }
    };
    let tensor = match node.op_type.as_deref() {
        Some("Identity") => moved(first.dims.clone()),
        Some("Cast") if integer(node, "to") == Some(i64::from(DataType::FLOAT.0)) => {
            let numbers: Vec<f32> = values(first)?.into_iter().map(|value| value as f32).collect();
            floats(name, &first.dims, &numbers)
        }
        Some("Reshape") if integer(node, "allowzero").unwrap_or(0) == 0 => {
            let shape = match input(1) {
                Some(_) => axes(1)?,
                None => integers(node, "shape").to_vec(),
            };
            moved(reshaped(first, &shape)?)
        }
        Some("Unsqueeze") => moved(unsqueezed(&first.dims, &axes(1)?)?),
        Some("Squeeze") => moved(squeezed(&first.dims, &axes(1)?)),
        Some("Transpose") => transposed(first, integers(node, "perm"), name)?,
        Some("DequantizeLinear") => {
            let Some(scale) = input(1) else { return Ok(None) };
            dequantized(first, scale, input(2), integer(node, "axis").unwrap_or(1), name)?
        }
        _ => return Ok(None),
    };
    Ok(Some(tensor))
}

/// The tensor of a node of the kind `Constant`.
fn of_node(node: &NodeProto, name: &str) -> Result<TensorProto, String> {
    if let Some(tensor) = attribute(node, "value").and_then(|attribute| attribute.t.as_ref()) {
        let mut tensor = TensorProto { name: Some(name.to_owned()), ..tensor.clone() };
        widen(&mut tensor)?;
        return Ok(tensor);
    }
    let of = |key: &str| attribute(node, key);
    let tensor = of("value_float").and_then(|value| Some(floats(name, &[], &[value.f?])));
    let tensor = tensor
        .or_else(|| of("value_int").and_then(|value| Some(longs(name, &[], &[value.i?]))))
        .or_else(|| of("value_floats").map(|v| floats(name, &[v.floats.len() as i64], &v.floats)))
        .or_else(|| of("value_ints").map(|v| longs(name, &[v.ints.len() as i64], &v.ints)));
    tensor.ok_or_else(|| format!("the constant {name:?} is neither a tensor nor numbers"))
}

fn reshaped(tensor: &TensorProto, shape: &[i64]) -> Result<Vec<i64>, String> {
    let total = count(tensor)? as i64;
    let mut dims: Vec<i64> = Vec::new();
    for (place, &size) in shape.iter().enumerate() {
        dims.push(if size == 0 { tensor.dims.get(place).copied().unwrap_or(0) } else { size });
    }
    let given: i64 = dims.iter().filter(|&&size| size != -1).product();
    if let Some(open) = dims.iter_mut().find(|size| **size == -1) {
        *open = total.checked_div(given).unwrap_or(0);
    }
    match dims.iter().product::<i64>() == total && dims.iter().all(|&size| size >= 0) {
        true => Ok(dims),
        false => Err(format!("a constant of shape {:?} cannot have {shape:?}", tensor.dims)),
    }
}

fn unsqueezed(dims: &[i64], axes: &[i64]) -> Result<Vec<i64>, String> {
    let rank = dims.len() + axes.len();
    let axes: Vec<i64> = axes.iter().map(|&a| if a < 0 { a + rank as i64 } else { a }).collect();
    let mut old = dims.iter().copied();
    let sizes =
        (0..rank as i64).map(|axis| if axes.contains(&axis) { Some(1) } else { old.next() });
    sizes.collect::<Option<_>>().ok_or_else(|| format!("axes {axes:?} of a constant of {dims:?}"))
}

fn squeezed(dims: &[i64], axes: &[i64]) -> Vec<i64> {
    let rank = dims.len() as i64;
    let goes = |axis: i64, size: i64| {
        size == 1 && (axes.is_empty() || axes.contains(&axis) || axes.contains(&(axis - rank)))
    };
    (0..).zip(dims).filter(|&(axis, &size)| !goes(axis, size)).map(|(_, &size)| size).collect()
}

fn transposed(tensor: &TensorProto, order: &[i64], name: &str) -> Result<TensorProto, String> {
    let rank = tensor.dims.len();
    let order: Vec<usize> = match order {
        [] => (0..rank).rev().collect(),
        _ => order.iter().map(|&axis| axis as usize).collect(),
    };
    let mut sorted = order.clone();
    sorted.sort_unstable();
    if sorted != (0..rank).collect::<Vec<_>>() {
        return Err(format!("the order {order:?} of a constant of {rank} axes"));
    }
    let (old, size) = bytes(tensor)?;
    let mut steps = vec![1_usize; rank];
    for axis in (1..rank).rev() {
        steps[axis - 1] = steps[axis] * tensor.dims[axis] as usize;
    }
    let dims: Vec<i64> = order.iter().map(|&axis| tensor.dims[axis]).collect();
    let mut new = Vec::with_capacity(old.len());
    let mut place = vec![0_usize; rank];
    for _ in 0..old.len() / size {
        let from: usize = place.iter().zip(&order).map(|(&at, &axis)| at * steps[axis]).sum();
        new.extend_from_slice(&old[from * size..(from + 1) * size]);
        for axis in (0..rank).rev() {
            place[axis] += 1;
            if place[axis] < dims[axis] as usize {
                break;
            }
            place[axis] = 0;
        }
    }
    Ok(stored(name, &dims, tensor.data_type.unwrap_or(DataType::FLOAT), new))
}

/// (x - zero) * scale, with one scale, or one for each place along `axis`.
fn dequantized(
    tensor: &TensorProto,
    scale: &TensorProto,
    zero: Option<&TensorProto>,
    axis: i64,
    name: &str,
) -> Result<TensorProto, String> {
    let (numbers, scales) = (values(tensor)?, values(scale)?);
    let zeros = zero.map(values).transpose()?.unwrap_or_else(|| vec![0.0]);
    let rank = tensor.dims.len() as i64;
    let axis = if axis < 0 { axis + rank } else { axis };
    let (along, inner) = match scales.len() {
        1 => (1, numbers.len().max(1)),
        along => {
            let after = usize::try_from(axis).ok().and_then(|axis| tensor.dims.get(axis + 1..));
            let Some(after) = after.filter(|_| tensor.dims[axis as usize] == along as i64) else {
                return Err(format!("{along} scales of a constant of {:?}", tensor.dims));
            };
            (along, after.iter().product::<i64>().max(1) as usize)
        }
    };
    let of = |(place, &value): (usize, &f64)| {
        let which = place / inner % along;
        ((value - zeros[which % zeros.len().max(1)]) * scales[which]) as f32
    };
    let numbers: Vec<f32> = numbers.iter().enumerate().map(of).collect();
    Ok(floats(name, &tensor.dims, &numbers))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::super::proto::{node, with_integer, with_integers};
    use super::*;

    #[test]
    fn a_chain_of_constants_becomes_one_tensor() {
        let half = |value: u16| value.to_le_bytes();
        let halves = stored(
            "h",
            &[6],
            DataType::FLOAT16,
            [0x3c00, 0x4000, 0x4200, 0x4400, 0x4500, 0x4600].map(half).concat(),
        );
        let mut constant = node("Constant", &[], "c");
        constant.attribute = vec![rten_onnx::onnx::AttributeProto {
            name: Some("value".into()),
            t: Some(halves),
            ..Default::default()
        }];
        let mut cast = node("Cast", &["c"], "f");
        cast.attribute = vec![with_integer("to", 1)];
        let mut turned = node("Transpose", &["r"], "t");
        turned.attribute = vec![with_integers("perm", &[1, 0])];
        let mut graph = GraphProto {
            node: vec![
                constant,
                cast,
                node("Reshape", &["f", "s"], "r"),
                turned,
                node("Relu", &["t"], "y"),
            ],
            initializer: vec![longs("s", &[2], &[2, -1])],
            ..GraphProto::default()
        };
        fold(&mut graph).unwrap();
        assert_eq!(graph.node.len(), 1);
        let last = graph.initializer.last().unwrap();
        assert_eq!((last.name.as_deref(), &last.dims[..]), (Some("t"), &[3, 2][..]));
        assert_eq!(values(last).unwrap(), [1.0, 4.0, 2.0, 5.0, 3.0, 6.0]);
    }

    #[test]
    fn integers_with_scales_become_floats() {
        let weights = stored("w", &[2, 2], DataType::INT8, vec![1, 255, 2, 3]);
        let scale = floats("s", &[2], &[0.5, 2.0]);
        let zero = stored("z", &[2], DataType::INT8, vec![0, 1]);
        let each = dequantized(&weights, &scale, Some(&zero), 0, "x").unwrap();
        assert_eq!(values(&each).unwrap(), [0.5, -0.5, 2.0, 4.0]);
        let across = dequantized(&weights, &scale, None, 1, "x").unwrap();
        assert_eq!(values(&across).unwrap(), [0.5, -2.0, 1.0, 6.0]);
        assert!(dequantized(&weights, &floats("s", &[3], &[1.0; 3]), None, 0, "x").is_err());
    }
}
