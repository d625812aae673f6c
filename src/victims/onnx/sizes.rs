//! How large the tensors of a net become, told before it is run.
//!
//! A small file can make large tensors: by joining a tensor with itself, or by adding a row to a column.
//! `rten` infers the shapes of all values from those of the inputs while it loads a net. So the net without
//! its weights, whose shapes suffice, is loaded with the shape of the input that it is to be given.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::catch_unwind;
use std::sync::{Mutex, PoisonError};

use rten::{Dimension, ModelOptions, NodeId};
use rten_onnx::onnx::{
    DataType, Dimension as Axis, GraphProto, ModelProto, NodeProto, TensorProto, TensorShapeProto,
    TypeProto, TypeProtoTensor, ValueInfoProto,
};

use super::computed::{MOST_KEPT, SIZED_BY_VALUES, count, filled, product, stay_small};
use super::graph::{name_of, operators};
use super::input::axes;
use super::proto;
use super::tensors::Stored;

/// Most values that the tensors held at once may have, weights aside: 2 GiB of 32-bit floats.
const MOST_HELD: usize = 1 << 29;

/// Most tensors that are resized by factors that are no whole numbers.
const MOST_RESIZED: usize = 64;

/// Name of an input of one value in the net without weights.
const UNKNOWN: &str = "an unknown value";

/// A net without its weights, and what was found of it.
pub(super) struct Sizes {
    steps: Vec<Step>,
    net: Vec<u8>,
    /// Name of its input.
    input: String,
    known: Mutex<Vec<Found>>,
}

/// A node, as it is run.
struct Step {
    /// What messages call it.
    name: String,
    /// Whether it joins its inputs.
    joins: bool,
    inputs: Vec<String>,
    outputs: Vec<String>,
}

/// Whether there is room for an input of these axes.
struct Found {
    axes: Vec<usize>,
    room: Result<(), String>,
}

impl Step {
    fn of(node: &NodeProto) -> Self {
        let names =
            |names: &[String]| names.iter().filter(|name| !name.is_empty()).cloned().collect();
        Self {
            name: name_of(node),
            joins: node.op_type.as_deref() == Some("Concat"),
            inputs: names(&node.input),
            outputs: names(&node.output),
        }
    }

    /// What is wrong where the shape of its output is not known, in words.
    fn unknown(&self, shapes: &BTreeMap<String, Vec<usize>>) -> String {
        let named = |name: &String| match shapes.get(name) {
            Some(axes) => format!("{name} {axes:?}"),
            None => format!("{name} [?]"),
        };
        let inputs: Vec<String> = self.inputs.iter().map(named).collect();
        format!(
            "{}: the shape of its output does not follow from those of its inputs, {}",
            self.name,
            inputs.join(" and ")
        )
    }
}

impl Sizes {
    /// Of the net `model`, whose input is called `input` and which stays as it is.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub(super) fn new(model: &mut ModelProto, input: &str) -> Result<Self, String> {
        let whole = model.graph.take().ok_or("holds no graph")?;
        stay_small(&whole)?;
        model.graph = Some(without_weights(&whole));
        let net = model.write_buf().map_err(|error| error.to_string())?;
        let steps = whole.node.iter().map(Step::of).collect();
        model.graph = Some(whole);
        Ok(Self { steps, net, input: input.to_owned(), known: Mutex::default() })
    }

    /// Checks that there is room for what the net makes of an input of these axes. A shorter input needs
    /// no more, and is not looked at again.
    ///
    /// # Errors
    /// Which operator makes too much, in words.
    pub(super) fn check(&self, axes: &[usize]) -> Result<(), String> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let no_longer =
            |a: &[usize], b: &[usize]| a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a <= b);
        let told = known.iter().find(|found| match found.room {
            Ok(()) => no_longer(axes, &found.axes),
            Err(_) => no_longer(&found.axes, axes),
        });
        if let Some(found) = told {
            return found.room.clone();
        }
        let room = self.infer(axes);
        known.push(Found { axes: axes.to_vec(), room: room.clone() });
        room
    }

    fn infer(&self, axes: &[usize]) -> Result<(), String> {
        let mut model = ModelProto::parse_buf(&self.net).map_err(|error| error.to_string())?;
        let mut graph = model.graph.take().ok_or("holds no graph")?;
        let dims: Vec<i64> = axes.iter().map(|&axis| axis as i64).collect();
        graph.input.retain(|input| input.name.as_ref() != Some(&self.input));
        graph.input.push(value(&self.input, DataType::FLOAT, &dims));
        let asked = ask(&mut graph);
        let mut shapes = given(&graph);
        // Each pass but the last tells the shape of one more resized tensor.
        for _ in 0..=MOST_RESIZED {
            model.graph = Some(graph);
            shapes.extend(inferred(&model, &asked)?);
            graph = model.graph.take().unwrap_or_default();
            if !give_resized(&mut graph, &mut shapes) {
                break;
            }
        }
        held_at_once(&self.steps, &asked, &shapes)
    }
}

/// Makes outputs of all values of a graph that something takes; their names. Each is the sum of the value
/// and an unknown one, so that it is neither optimized away nor the same as another.
fn ask(graph: &mut GraphProto) -> Vec<String> {
    let outputs = graph.output.iter().filter_map(|output| output.name.as_ref());
    let taken: BTreeSet<&String> =
        graph.node.iter().flat_map(|node| &node.input).chain(outputs).collect();
    let made = graph.node.iter().flat_map(|node| &node.output);
    let asked: Vec<String> =
        made.filter(|name| !name.is_empty() && taken.contains(name)).cloned().collect();
    let sums = asked.iter().map(|name| (name, format!("{name} + {UNKNOWN}")));
    graph.output = sums.clone().map(|(_, sum)| value(&sum, DataType::FLOAT, &[])).collect();
    graph.node.extend(sums.map(|(name, sum)| proto::node("Add", &[name, UNKNOWN], &sum)));
    asked
}

/// The shapes of the inputs and the stored tensors of a graph.
fn given(graph: &GraphProto) -> BTreeMap<String, Vec<usize>> {
    let input = |input: &ValueInfoProto| {
        Some((input.name.clone()?, axes(input)?.into_iter().collect::<Option<_>>()?))
    };
    let tensor = |tensor: &TensorProto| {
        let axes = tensor.dims.iter().map(|&size| usize::try_from(size).ok());
        Some((tensor.name.clone()?, axes.collect::<Option<_>>()?))
    };
    graph
        .input
        .iter()
        .filter_map(input)
        .chain(graph.initializer.iter().filter_map(tensor))
        .collect()
}

/// The shapes of values that were asked for, as far as they follow from those of the inputs.
fn inferred(model: &ModelProto, asked: &[String]) -> Result<BTreeMap<String, Vec<usize>>, String> {
    let bytes = model.write_buf().map_err(|error| error.to_string())?;
    // It adds and multiplies 32-bit integers, in builds with checks not beyond them.
    let loaded = catch_unwind(|| ModelOptions::with_ops(operators()).load(bytes))
        .map_err(|_| format!("tensors of more than {MOST_HELD} values would be held at once"))?
        .map_err(|error| format!("cannot be loaded: {error}"))?;
    let fixed = |axis: &Dimension| match axis {
        Dimension::Fixed(size) => Some(*size),
        Dimension::Symbolic(_) => None,
    };
    let shape = |(name, &id): (&String, &NodeId)| {
        let axes = loaded.node_info(id)?.shape()?;
        Some((name.clone(), axes.iter().map(fixed).collect::<Option<_>>()?))
    };
    Ok(asked.iter().zip(loaded.output_ids()).filter_map(shape).collect())
}

/// Puts an input in place of the first node that resizes a tensor of known shape to one of unknown shape,
/// as `rten` infers no shapes from factors that are no whole numbers; whether there was one.
fn give_resized(graph: &mut GraphProto, shapes: &mut BTreeMap<String, Vec<usize>>) -> bool {
    let stored = Stored::new(graph);
    let scaled = |node: &NodeProto| {
        let scales = match node.op_type.as_deref()? {
            "Resize" if node.input.len() > 2 => stored.values(node, 2)?,
            "Resize" | "Upsample" => stored.values(node, 1)?,
            _ => return None,
        };
        let output = node.output.first().filter(|name| !shapes.contains_key(*name))?;
        let axes = shapes.get(node.input.first()?)?.iter().zip(&scales);
        let shape: Vec<usize> = axes.map(|(&axis, scale)| (axis as f64 * scale) as usize).collect();
        Some((output.clone(), shape))
    };
    let found =
        graph.node.iter().enumerate().find_map(|(place, node)| Some((place, scaled(node)?)));
    let Some((place, (name, shape))) = found else { return false };
    graph.node.remove(place);
    let dims: Vec<i64> = shape.iter().map(|&axis| axis as i64).collect();
    graph.input.push(value(&name, DataType::FLOAT, &dims));
    shapes.insert(name, shape);
    true
}

/// The graph with inputs in place of large stored tensors. Stated shapes of values are left out.
fn without_weights(graph: &GraphProto) -> GraphProto {
    let (kept, large): (Vec<&TensorProto>, Vec<_>) =
        graph.initializer.iter().partition(|tensor| count(&tensor.dims) <= MOST_KEPT);
    let names: BTreeSet<&Option<String>> = large.iter().map(|tensor| &tensor.name).collect();
    let given = graph.input.iter().filter(|input| !names.contains(&input.name)).cloned();
    let weights = large.iter().map(|tensor| {
        let kind = tensor.data_type.unwrap_or(DataType::FLOAT);
        value(tensor.name.as_deref().unwrap_or_default(), kind, &tensor.dims)
    });
    let unknown = value(UNKNOWN, DataType::FLOAT, &[]);
    let stored = Stored::new(graph);
    let node = graph.node.iter().flat_map(|node| without_values(node, &stored)).collect();
    GraphProto {
        node,
        output: graph.output.clone(),
        initializer: kept.into_iter().cloned().collect(),
        input: given.chain(weights).chain([unknown]).collect(),
        value_info: Vec::new(),
    }
}

/// A node, with values that are not known before it where it has the size that values tell: otherwise it
/// would be computed while the net without weights is loaded.
fn without_values(node: &NodeProto, stored: &Stored<'_>) -> Vec<NodeProto> {
    let (operator, [first, ..]) = (node.op_type.as_deref().unwrap_or_default(), &node.input[..])
    else {
        return vec![node.clone()];
    };
    if !SIZED_BY_VALUES.contains(&operator) || filled(node, stored).is_some() {
        return vec![node.clone()];
    }
    if operator == "ConstantOfShape" {
        let expanded = NodeProto {
            op_type: Some("Expand".to_owned()),
            input: vec![UNKNOWN.to_owned(), first.clone()],
            attribute: Vec::new(),
            ..node.clone()
        };
        return vec![expanded];
    }
    let name = format!("{first} of {}", node.output.first().map_or("", String::as_str));
    let sum = proto::node("Add", &[first, UNKNOWN], &name);
    let mut node = node.clone();
    node.input[0] = name;
    vec![sum, node]
}

/// A value of this kind and these axes.
fn value(name: &str, kind: DataType, dims: &[i64]) -> ValueInfoProto {
    let dim = |&size: &i64| Axis { dim_value: Some(size), ..Axis::default() };
    let shape = TensorShapeProto { dim: dims.iter().map(dim).collect() };
    let tensor = TypeProtoTensor { elem_type: Some(kind), shape: Some(shape) };
    let of = TypeProto { tensor_type: Some(tensor), ..TypeProto::default() };
    ValueInfoProto { name: Some(name.to_owned()), r#type: Some(of) }
}

/// Checks what is held at once where nodes are run in their order.
fn held_at_once(
    steps: &[Step],
    asked: &[String],
    shapes: &BTreeMap<String, Vec<usize>>,
) -> Result<(), String> {
    let mut last_use = BTreeMap::new();
    for (place, step) in steps.iter().enumerate() {
        last_use.extend(step.inputs.iter().chain(&step.outputs).map(|name| (name, place)));
    }
    let asked: BTreeSet<&String> = asked.iter().collect();
    let size = |name: &String| shapes.get(name).map(|axes| product(axes));
    let mut sizes = BTreeMap::new();
    let mut held = 0_usize;
    for (place, step) in steps.iter().enumerate() {
        for name in step.outputs.iter().filter(|name| asked.contains(name)) {
            // The sum that `rten` infers may go beyond its 32 bits.
            let size = match step.joins {
                true => step.inputs.iter().map(size).sum(),
                false => size(name),
            };
            let size = size.ok_or_else(|| step.unknown(shapes))?;
            sizes.insert(name, size);
            held = held.saturating_add(size);
        }
        if held > MOST_HELD {
            let what = format!("tensors of more than {MOST_HELD} values would be held at once");
            return Err(format!("{}: {what}", step.name));
        }
        for name in step.inputs.iter().chain(&step.outputs) {
            if last_use.get(name) == Some(&place) {
                held -= sizes.remove(name).unwrap_or(0);
            }
        }
    }
    Ok(())
}
