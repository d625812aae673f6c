//! How large the tensors become that are computed while a net is loaded, from what the file stores and from
//! shapes alone. Bounds, as they are found before anything is loaded; padding and resizing have limits of
//! their own (`graph.rs`).

use std::collections::BTreeMap;

use rten_onnx::onnx::{GraphProto, NodeProto, TensorProto};

use super::graph::name_of;
use super::tensors::Stored;

/// Most values of a stored tensor that the net without weights keeps: shapes and factors, which decide
/// on the shapes of others.
pub(super) const MOST_KEPT: usize = 4_096;

/// Most values of a tensor that is computed from such tensors alone, while a net is loaded.
const MOST_COMPUTED: usize = 1 << 20;

/// Operators whose output has the size that values of their inputs or attributes tell.
pub(super) const SIZED_BY_VALUES: [&str; 5] =
    ["ConstantOfShape", "ConvTranspose", "Expand", "OneHot", "Tile"];

/// More axes than any tensor has.
const MOST_AXES: usize = 16;

/// What is known of the shape of a tensor that is computed while a net is loaded.
#[derive(Clone)]
enum Computed {
    Axes(Vec<usize>),
    Values(usize),
}

impl Computed {
    fn values(&self) -> usize {
        match self {
            Self::Axes(axes) => product(axes),
            Self::Values(count) => *count,
        }
    }

    /// What an operator makes of such tensors, at most.
    fn by(operator: &str, inputs: &[&Self]) -> Self {
        let counts = inputs.iter().map(|input| input.values());
        match (operator, inputs) {
            ("Concat", _) => Self::Values(counts.fold(0, usize::saturating_add)),
            ("Slice" | "Reshape" | "Squeeze" | "Unsqueeze" | "Split", [first, ..]) => {
                Self::Values(first.values())
            }
            (
                "Cast" | "Identity" | "Abs" | "Neg" | "Sqrt" | "Reciprocal" | "Exp" | "Log",
                [one],
            ) => (*one).clone(),
            (
                "Add" | "Sub" | "Mul" | "Div" | "Pow" | "Min" | "Max",
                [Self::Axes(a), Self::Axes(b)],
            ) => {
                let (long, short) = if a.len() < b.len() { (b, a) } else { (a, b) };
                let mut axes = long.clone();
                for (axis, &other) in axes.iter_mut().rev().zip(short.iter().rev()) {
                    *axis = (*axis).max(other);
                }
                Self::Axes(axes)
            }
            _ => Self::Values(counts.fold(1, usize::saturating_mul)),
        }
    }
}

/// Checks that what depends on small stored tensors or on shapes alone stays small.
pub(super) fn stay_small(graph: &GraphProto) -> Result<(), String> {
    let axes = |tensor: &TensorProto| {
        let axes = tensor.dims.iter().map(|&size| usize::try_from(size).unwrap_or(usize::MAX));
        Computed::Axes(axes.collect())
    };
    let stored = Stored::new(graph);
    let small = graph.initializer.iter().filter(|tensor| count(&tensor.dims) <= MOST_KEPT);
    let mut computed: BTreeMap<&str, Computed> =
        small.map(|tensor| (tensor.name.as_deref().unwrap_or_default(), axes(tensor))).collect();
    for node in &graph.node {
        let operator = node.op_type.as_deref().unwrap_or_default();
        let inputs = node.input.iter().filter(|name| !name.is_empty());
        let inputs: Option<Vec<&Computed>> =
            inputs.map(|name| computed.get(name.as_str())).collect();
        let output = match inputs {
            _ if operator == "Shape" => Computed::Values(MOST_AXES),
            _ if operator == "Size" => Computed::Values(1),
            Some(_) if SIZED_BY_VALUES.contains(&operator) => match filled(node, &stored) {
                Some(axes) => Computed::Axes(axes),
                None => continue,
            },
            Some(inputs) if !inputs.is_empty() => Computed::by(operator, &inputs),
            _ => continue,
        };
        if output.values() > MOST_COMPUTED {
            let what = format!("computes constants of more than {MOST_COMPUTED} values");
            return Err(format!("{}: {what}", name_of(node)));
        }
        computed.extend(node.output.iter().map(|name| (name.as_str(), output.clone())));
    }
    Ok(())
}

/// The axes of a small tensor that `node` fills with one value, where the file stores them.
pub(super) fn filled(node: &NodeProto, stored: &Stored<'_>) -> Option<Vec<usize>> {
    if node.op_type.as_deref() != Some("ConstantOfShape") {
        return None;
    }
    let axes: Vec<usize> = stored.values(node, 0)?.iter().map(|&axis| axis as usize).collect();
    Some(axes).filter(|axes| product(axes) <= MOST_KEPT)
}

pub(super) fn product(axes: &[usize]) -> usize {
    axes.iter().fold(1, |product, &axis| product.saturating_mul(axis))
}

pub(super) fn count(dims: &[i64]) -> usize {
    dims.iter()
        .fold(1, |count, &size| count.saturating_mul(usize::try_from(size).unwrap_or(usize::MAX)))
}
