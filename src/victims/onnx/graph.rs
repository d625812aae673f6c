//! What is checked in an ONNX file before it is run: it must hold all its weights, use only
//! operators that an image classifier needs, and not blow images up.

use super::wire;
use rten::{OpRegistry, op_registry};
use rten_onnx::onnx::{DataLocation, GraphProto, ModelProto, NodeProto, TensorProto};

/// Largest dilation of a convolution or pooling.
const MAX_DILATION: i64 = 64;

/// Largest side of a window.
const MAX_WINDOW: i64 = 1_024;

/// The operators that are run. Those that make large tensors out of small files (such as
/// `ConstantOfShape`, `Expand`, `Tile`, `Resize`), loops and branches are left out.
pub(super) fn operators() -> OpRegistry {
    op_registry!(
        Abs,
        Add,
        AveragePool,
        BatchNormalization,
        Cast,
        Clip,
        Concat,
        Conv,
        Div,
        Elu,
        Erf,
        Exp,
        Flatten,
        Gather,
        Gelu,
        Gemm,
        GlobalAveragePool,
        HardSigmoid,
        HardSwish,
        Identity,
        InstanceNormalization,
        LayerNormalization,
        LeakyRelu,
        Log,
        LogSoftmax,
        MatMul,
        Max,
        MaxPool,
        Mean,
        Min,
        Mul,
        Neg,
        PRelu,
        Pow,
        Reciprocal,
        ReduceL2,
        ReduceMax,
        ReduceMean,
        ReduceMin,
        ReduceSum,
        Relu,
        Reshape,
        Shape,
        Sigmoid,
        Slice,
        Softmax,
        Softplus,
        Split,
        Sqrt,
        Squeeze,
        Sub,
        Sum,
        Tanh,
        Transpose,
        Unsqueeze
    )
}

/// Checks what can be told from the file alone.
///
/// # Errors
/// What is wrong, in words.
pub(super) fn check(file: &[u8]) -> Result<(), String> {
    if !wire::is_whole(file) {
        return Err("not an ONNX file: a field claims more than there is".into());
    }
    let model = ModelProto::parse_buf(file).map_err(|e| format!("not an ONNX file ({e})"))?;
    let graph = model.graph.as_ref().ok_or("not an ONNX file: it holds no graph")?;
    if graph.node.is_empty() {
        return Err("its graph has no operators".into());
    }
    graph.initializer.iter().try_for_each(check_tensor)?;
    for node in &graph.node {
        check_node(node, graph).map_err(|what| format!("{}: {what}", name_of(node)))?;
    }
    Ok(())
}

fn name_of(node: &NodeProto) -> String {
    let operator = node.op_type.as_deref().unwrap_or("an operator without a type");
    match node.name.as_deref().filter(|name| !name.is_empty()) {
        Some(name) => format!("{operator} {name:?}"),
        None => operator.to_owned(),
    }
}

fn check_tensor(tensor: &TensorProto) -> Result<(), String> {
    let name = tensor.name.as_deref().unwrap_or("without a name");
    let location = tensor.data_location.unwrap_or(DataLocation::DEFAULT);
    if location != DataLocation::DEFAULT || !tensor.external_data.is_empty() {
        return Err(format!("the weights {name:?} lie in another file"));
    }
    Ok(())
}

fn check_node(node: &NodeProto, graph: &GraphProto) -> Result<(), String> {
    for attribute in &node.attribute {
        if attribute.g.is_some() {
            return Err("holds a graph of its own".into());
        }
        attribute.t.iter().try_for_each(check_tensor)?;
    }
    match node.op_type.as_deref() {
        Some("Conv") => check_window(node, kernel_of_weights(node, graph)?),
        Some("MaxPool" | "AveragePool") => check_window(node, integers(node, "kernel_shape")),
        _ => Ok(()),
    }
}

/// Sides of the kernels, from the shape of the weights.
fn kernel_of_weights<'a>(node: &NodeProto, graph: &'a GraphProto) -> Result<&'a [i64], String> {
    let name = node.input.get(1).ok_or("has no weights")?;
    graph
        .initializer
        .iter()
        .find(|tensor| tensor.name.as_ref() == Some(name))
        .and_then(|tensor| tensor.dims.get(2..))
        .ok_or_else(|| "its weights are not stored in the file".to_owned())
}

/// Refuses padding that no window reaches: it would only make the output large.
fn check_window(node: &NodeProto, kernel: &[i64]) -> Result<(), String> {
    let largest_dilation = integers(node, "dilations").iter().copied().max().unwrap_or(1);
    if largest_dilation > MAX_DILATION {
        return Err(format!("a dilation of {largest_dilation}, more than {MAX_DILATION}"));
    }
    if let Some(side) = kernel.iter().find(|&&side| !(1..=MAX_WINDOW).contains(&side)) {
        return Err(format!("a window of {side}, not between 1 and {MAX_WINDOW}"));
    }
    for (index, &padding) in integers(node, "pads").iter().enumerate() {
        let side = kernel.get(index % kernel.len().max(1)).copied().unwrap_or(1);
        if padding < 0 || padding > side.saturating_mul(largest_dilation) {
            return Err(format!("a padding of {padding} for a window of {side}"));
        }
    }
    Ok(())
}

fn integers<'a>(node: &'a NodeProto, name: &str) -> &'a [i64] {
    let attribute = node.attribute.iter().find(|a| a.name.as_deref() == Some(name));
    attribute.map_or(&[], |attribute| &attribute.ints)
}
