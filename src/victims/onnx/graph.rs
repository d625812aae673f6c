//! What is checked in a net before it is run: it must use only operators that a classifier needs, and
//! not blow its inputs up.

use rten::{OpRegistry, op_registry};
use rten_onnx::onnx::{ModelProto, NodeProto};

use super::proto::{attribute, integers};
use super::tensors::Stored;

/// Largest dilation of a convolution or pooling.
const MAX_DILATION: i64 = 64;

/// Largest side of a window.
const MAX_WINDOW: i64 = 1_024;

/// Most values that the paddings of a net add to an axis, all together.
const MAX_PADDING: f64 = 1_024.0;

/// Greatest factor by which all resizings of a net together enlarge a tensor.
const MAX_SCALE: f64 = 256.0;

/// Most values of an axis that a resizing makes.
const MAX_SIZE: f64 = 1_024.0;

/// The operators that are run. Loops and branches, detectors', those of sequences, and those whose output
/// has a size or values that do not follow from the input's size (`Range`, `NonZero`, random numbers) are
/// left out.
pub(super) fn operators() -> OpRegistry {
    op_registry!(
        Abs,
        Acos,
        Add,
        And,
        ArgMax,
        ArgMin,
        Asin,
        Atan,
        AveragePool,
        BatchNormalization,
        Cast,
        CastLike,
        Ceil,
        Clip,
        Concat,
        ConstantOfShape,
        Conv,
        ConvInteger,
        ConvTranspose,
        Cos,
        CumSum,
        DepthToSpace,
        DequantizeLinear,
        Div,
        DynamicQuantizeLinear,
        Einsum,
        Elu,
        Equal,
        Erf,
        Exp,
        Expand,
        EyeLike,
        Flatten,
        Floor,
        GRU,
        Gather,
        GatherElements,
        GatherND,
        Gelu,
        Gemm,
        GlobalAveragePool,
        Greater,
        GreaterOrEqual,
        GridSample,
        HardSigmoid,
        HardSwish,
        Identity,
        InstanceNormalization,
        IsInf,
        IsNaN,
        LSTM,
        LayerNormalization,
        LeakyRelu,
        Less,
        LessOrEqual,
        Log,
        LogSoftmax,
        LpNormalization,
        MatMul,
        MatMulInteger,
        Max,
        MaxPool,
        Mean,
        Min,
        Mod,
        Mul,
        Neg,
        Not,
        OneHot,
        Or,
        PRelu,
        Pad,
        Pow,
        QuantizeLinear,
        Reciprocal,
        ReduceL2,
        ReduceLogSum,
        ReduceLogSumExp,
        ReduceMax,
        ReduceMean,
        ReduceMin,
        ReduceProd,
        ReduceSum,
        ReduceSumSquare,
        Relu,
        Reshape,
        Resize,
        Round,
        ScatterElements,
        ScatterND,
        Shape,
        Sigmoid,
        Sign,
        Sin,
        Size,
        Slice,
        Softmax,
        Softplus,
        Softsign,
        Split,
        Sqrt,
        Squeeze,
        Sub,
        Sum,
        Tan,
        Tanh,
        Tile,
        TopK,
        Transpose,
        Trilu,
        Unsqueeze,
        Upsample,
        Where,
        Xor
    )
}

/// Checks what can be told from the file alone.
///
/// # Errors
/// What is wrong, in words.
pub(super) fn check(model: &ModelProto) -> Result<(), String> {
    let graph = model.graph.as_ref().ok_or("not an ONNX file: it holds no graph")?;
    if graph.node.is_empty() {
        return Err("its graph has no operators".into());
    }
    let stored = Stored::new(graph);
    let mut growth = Growth { padding: 0.0, scale: 1.0 };
    for node in &graph.node {
        check_node(node, &stored, &mut growth)
            .map_err(|what| format!("{}: {what}", name_of(node)))?;
    }
    Ok(())
}

pub(super) fn name_of(node: &NodeProto) -> String {
    let operator = node.op_type.as_deref().unwrap_or("an operator without a type");
    match node.name.as_deref().filter(|name| !name.is_empty()) {
        Some(name) => format!("{operator} {name:?}"),
        None => operator.to_owned(),
    }
}

/// By how much the nodes so far enlarge tensors.
struct Growth {
    padding: f64,
    scale: f64,
}

/// Checks one node.
fn check_node(node: &NodeProto, stored: &Stored<'_>, growth: &mut Growth) -> Result<(), String> {
    if node.attribute.iter().any(|attribute| attribute.g.is_some()) {
        return Err("holds a graph of its own: loops and branches are not run".into());
    }
    match node.op_type.as_deref() {
        Some("Conv" | "ConvInteger" | "ConvTranspose") => {
            check_window(node, &kernel_of_weights(node, stored)?)
        }
        Some("MaxPool" | "AveragePool") => check_window(node, integers(node, "kernel_shape")),
        Some("Pad") => check_padding(node, stored, growth),
        Some("Resize" | "Upsample") => check_scale(node, stored, growth),
        _ => Ok(()),
    }
}

/// Refuses padding that is not stored, or large.
fn check_padding(node: &NodeProto, stored: &Stored<'_>, growth: &mut Growth) -> Result<(), String> {
    let listed = integers(node, "pads").iter().map(|&pad| pad as f64).collect::<Vec<_>>();
    let pads = if listed.is_empty() { stored.values(node, 1) } else { Some(listed) };
    let pads = pads.ok_or("its padding is not stored in the file")?;
    if pads.first().is_some_and(|&first| first != 0.0)
        || pads.get(pads.len() / 2).is_some_and(|&first| first != 0.0)
    {
        return Err("pads the axis that counts the inputs".into());
    }
    growth.padding += pads.iter().map(|pad| pad.abs()).fold(0.0, f64::max);
    match growth.padding <= MAX_PADDING && pads.iter().filter(|pad| **pad > 0.0).count() <= 4 {
        true => Ok(()),
        false => Err(format!(
            "a padding of more than two axes, or of more than {MAX_PADDING} with those before it"
        )),
    }
}

/// Refuses enlargements that are not stored, or large.
fn check_scale(node: &NodeProto, stored: &Stored<'_>, growth: &mut Growth) -> Result<(), String> {
    let listed = attribute(node, "scales").map(|attribute| attribute.floats.as_slice());
    let listed: Vec<f64> = listed.unwrap_or_default().iter().map(|&s| f64::from(s)).collect();
    let place = if node.op_type.as_deref() == Some("Upsample") { 1 } else { 2 };
    let scales = if listed.is_empty() { stored.values(node, place) } else { Some(listed) };
    let sizes = stored.values(node, 3).filter(|sizes| !sizes.is_empty());
    let largest = |values: &[f64]| values.iter().copied().fold(1.0, f64::max);
    match (scales.filter(|scales| !scales.is_empty()), sizes) {
        (Some(scales), _) => {
            growth.scale *= scales.iter().map(|scale| scale.max(1.0)).product::<f64>()
        }
        // As if from one row and one column.
        (None, Some(sizes)) if largest(&sizes) <= MAX_SIZE => {}
        (None, Some(sizes)) => return Err(format!("a size of {}", largest(&sizes))),
        (None, None) => return Err("its scale is not stored in the file".into()),
    }
    match growth.scale <= MAX_SCALE {
        true => Ok(()),
        false => Err(format!("enlarges a tensor by more than {MAX_SCALE}")),
    }
}

/// Sides of the kernels, from the shape of the weights, or as the node states them.
fn kernel_of_weights(node: &NodeProto, stored: &Stored<'_>) -> Result<Vec<i64>, String> {
    if node.input.len() < 2 {
        return Err("has no weights".into());
    }
    let sides = match stored.input(node, 1) {
        Some(tensor) => tensor.dims.get(2..).unwrap_or_default(),
        None => integers(node, "kernel_shape"),
    };
    match sides {
        [] => Err("has weights that are not stored, and no kernel_shape".to_owned()),
        sides => Ok(sides.to_vec()),
    }
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
