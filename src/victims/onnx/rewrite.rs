//! Operators as files have them, in terms of those that are run: what `rten` lacks or reads otherwise
//! than the ONNX standard (local response normalization, dropout, softmax before opset 13, padding at
//! the lower end, pooling without strides, operators of 8-bit integers) is written with others.

use rten_onnx::onnx::{DataType, GraphProto, ModelProto, NodeProto, TensorProto};

use super::proto::{
    floats, integer, integers, longs, node, number, text, values, with_integer, with_integers,
    with_text,
};
use super::tensors::Tensors;

/// Softmax and its logarithm took the axes from one on together before this version.
const SOFTMAX_OF_ONE_AXIS: i64 = 13;

/// Rewrites the operators of a model.
///
/// # Errors
/// What cannot be written with others, in words.
pub(super) fn rewrite(model: &mut ModelProto) -> Result<(), String> {
    let opset = opset(model);
    let Some(graph) = &mut model.graph else { return Ok(()) };
    let inputs = bytes_as_floats(graph);
    let known = Tensors::new(std::mem::take(&mut graph.initializer));
    let mut rewriter = Rewriter { opset, nodes: inputs, tensors: Vec::new(), known };
    for node in std::mem::take(&mut graph.node) {
        let name = node.name.clone().unwrap_or_default();
        let operator = node.op_type.clone().unwrap_or_default();
        rewriter.take(node).map_err(|what| format!("{operator} {name:?}: {what}"))?;
    }
    graph.node = rewriter.nodes;
    graph.initializer = rewriter.known.into_vec();
    graph.initializer.append(&mut rewriter.tensors);
    Ok(())
}

/// Version of the standard operators.
fn opset(model: &ModelProto) -> i64 {
    let of_onnx =
        |domain: &Option<String>| domain.as_deref().is_none_or(|d| d.is_empty() || d == "ai.onnx");
    let versions = model.opset_import.iter().filter(|import| of_onnx(&import.domain));
    versions.filter_map(|import| import.version).max().unwrap_or(1)
}

/// Lets inputs of bytes take floats, which a cast makes bytes again; the casts.
fn bytes_as_floats(graph: &mut GraphProto) -> Vec<NodeProto> {
    let mut casts = Vec::new();
    let stored: Vec<&Option<String>> =
        graph.initializer.iter().map(|tensor| &tensor.name).collect();
    for input in &mut graph.input {
        let Some(name) = input.name.clone().filter(|_| !stored.contains(&&input.name)) else {
            continue;
        };
        let tensor = input.r#type.as_mut().and_then(|of| of.tensor_type.as_mut());
        let Some(tensor) = tensor else { continue };
        if tensor.elem_type != Some(DataType::UINT8) {
            continue;
        }
        tensor.elem_type = Some(DataType::FLOAT);
        let renamed = format!("{name} as floats");
        let mut cast = node("Cast", &[&renamed], &name);
        cast.attribute = vec![with_integer("to", i64::from(DataType::UINT8.0))];
        input.name = Some(renamed);
        casts.push(cast);
    }
    casts
}

/// The nodes so far, and what new ones need.
struct Rewriter {
    opset: i64,
    nodes: Vec<NodeProto>,
    /// New tensors.
    tensors: Vec<TensorProto>,
    /// Those of the file.
    known: Tensors,
}

impl Rewriter {
    fn take(&mut self, mut node: NodeProto) -> Result<(), String> {
        // Operators of other makers may have the same names.
        let known = ["", "ai.onnx", "com.microsoft"];
        let operator = match known.contains(&node.domain.as_deref().unwrap_or_default()) {
            true => node.op_type.as_deref().unwrap_or_default(),
            false => "",
        };
        match operator {
            "Dropout" => {
                node.op_type = Some("Identity".to_owned());
                node.input.truncate(1);
                node.output.truncate(1);
                node.attribute.clear();
                self.nodes.push(node);
            }
            "GlobalMaxPool" => self.global_maximum(&node)?,
            // The first version of this operator is the last one of that, of which scales are the second input.
            "Resize" if self.opset < 11 => {
                node.op_type = Some("Upsample".to_owned());
                self.nodes.push(node);
            }
            "LRN" => self.local_response_normalization(&node)?,
            "Softmax" | "LogSoftmax" if self.opset < SOFTMAX_OF_ONE_AXIS => {
                self.flattened_softmax(node);
            }
            "MaxPool" | "AveragePool" | "Conv" => self.windowed(node)?,
            "ConvTranspose" => self.transposed_convolution(node)?,
            "QLinearConv" => self.quantized_convolution(&node)?,
            "QLinearMatMul" => self.quantized(&node, "MatMul", &[(0, 1, 2), (3, 4, 5)], (6, 7))?,
            "QLinearAdd" => self.quantized(&node, "Add", &[(0, 1, 2), (3, 4, 5)], (6, 7))?,
            "QLinearMul" => self.quantized(&node, "Mul", &[(0, 1, 2), (3, 4, 5)], (6, 7))?,
            "QLinearSigmoid" => self.quantized(&node, "Sigmoid", &[(0, 1, 2)], (3, 4))?,
            "QLinearGlobalAveragePool" if integer(&node, "channels_last") != Some(1) => {
                self.quantized(&node, "GlobalAveragePool", &[(0, 1, 2)], (3, 4))?;
            }
            "QGemm" => self.quantized_gemm(&node)?,
            _ => self.nodes.push(node),
        }
        Ok(())
    }

    fn known(&self, name: &str) -> Option<&TensorProto> {
        self.known.get(name)
    }

    /// Adds a node that computes `output`.
    fn add(&mut self, operator: &str, inputs: &[&str], output: &str) -> &mut NodeProto {
        self.nodes.push(node(operator, inputs, output));
        let last = self.nodes.len() - 1;
        &mut self.nodes[last]
    }

    /// Adds a tensor of one float.
    fn scalar(&mut self, name: String, value: f32) -> String {
        self.tensors.push(floats(&name, &[], &[value]));
        name
    }

    /// x / (bias + alpha / size * sum of squares of the channels around)^beta. The sum is a pooling along
    /// channels, which change places with rows for it.
    fn local_response_normalization(&mut self, node: &NodeProto) -> Result<(), String> {
        let size = integer(node, "size").filter(|size| *size >= 1).ok_or("has no size")?;
        let (input, output) = ends(node)?;
        let of = |part: &str| format!("{output} {part}");
        let alpha = self.scalar(of("alpha"), number(node, "alpha").unwrap_or(1e-4));
        let bias = self.scalar(of("bias"), number(node, "bias").unwrap_or(1.0));
        let beta = self.scalar(of("beta"), number(node, "beta").unwrap_or(0.75));
        let turn = |rewriter: &mut Self, from: &str, to: &str| {
            rewriter.add("Transpose", &[from], to).attribute =
                vec![with_integers("perm", &[0, 2, 1, 3])];
        };
        self.add("Mul", &[input, input], &of("squares"));
        turn(self, &of("squares"), &of("turned"));
        let (before, after) = ((size - 1) / 2, size / 2);
        self.add("AveragePool", &[&of("turned")], &of("means")).attribute = vec![
            with_integers("kernel_shape", &[size, 1]),
            with_integers("strides", &[1, 1]),
            with_integers("pads", &[before, 0, after, 0]),
            with_integer("count_include_pad", 1),
        ];
        turn(self, &of("means"), &of("turned back"));
        self.add("Mul", &[&of("turned back"), &alpha], &of("scaled"));
        self.add("Add", &[&of("scaled"), &bias], &of("base"));
        self.add("Pow", &[&of("base"), &beta], &of("divisor"));
        self.add("Div", &[input, &of("divisor")], output);
        Ok(())
    }

    /// The maximum over all axes from the third on, whose sizes become 1.
    fn global_maximum(&mut self, node: &NodeProto) -> Result<(), String> {
        let (input, output) = ends(node)?;
        let of = |part: &str| format!("{output} {part}");
        for (name, value) in [("from 0", 0), ("to 2", 2), ("to the end", i64::from(i32::MAX))] {
            self.tensors.push(longs(&of(name), &[1], &[value]));
        }
        self.tensors.push(longs(&of("flat shape"), &[3], &[0, 0, -1]));
        self.add("Reshape", &[input, &of("flat shape")], &of("flat"));
        self.add("ReduceMax", &[&of("flat")], &of("highest")).attribute =
            vec![with_integers("axes", &[2]), with_integer("keepdims", 1)];
        self.add("Shape", &[input], &of("shape"));
        self.add("Slice", &[&of("shape"), &of("from 0"), &of("to 2")], &of("first axes"));
        self.add("Slice", &[&of("shape"), &of("to 2"), &of("to the end")], &of("other axes"));
        self.add("Div", &[&of("other axes"), &of("other axes")], &of("ones"));
        self.add("Concat", &[&of("first axes"), &of("ones")], &of("new shape")).attribute =
            vec![with_integer("axis", 0)];
        self.add("Reshape", &[&of("highest"), &of("new shape")], output);
        Ok(())
    }

    /// Softmax over all axes from one on, as it was before opset 13.
    fn flattened_softmax(&mut self, mut node: NodeProto) {
        let axis = integer(&node, "axis").unwrap_or(1);
        let (Some(input), Some(output)) =
            (node.input.first().cloned(), node.output.first().cloned())
        else {
            return self.nodes.push(node);
        };
        let (flat, soft, shape) =
            (format!("{output} flat"), format!("{output} soft"), format!("{output} shape"));
        self.add("Flatten", &[&input], &flat).attribute = vec![with_integer("axis", axis)];
        node.input = vec![flat];
        node.output = vec![soft.clone()];
        node.attribute = vec![with_integer("axis", 1)];
        self.nodes.push(node);
        self.add("Shape", &[&input], &shape);
        self.add("Reshape", &[&soft, &shape], &output);
    }

    /// Pooling and convolution: what the standard lets files leave out, and padding at the lower end.
    fn windowed(&mut self, mut node: NodeProto) -> Result<(), String> {
        let kernel = self.kernel(&mut node)?;
        if integers(&node, "strides").is_empty() {
            node.attribute.retain(|attribute| attribute.name.as_deref() != Some("strides"));
            node.attribute.push(with_integers("strides", &vec![1; kernel.len()]));
        }
        if text(&node, "auto_pad") != Some("SAME_LOWER") {
            self.nodes.push(node);
            return Ok(());
        }
        let strides = integers(&node, "strides").to_vec();
        let dilations = match integers(&node, "dilations") {
            [] => vec![1; kernel.len()],
            given => given.to_vec(),
        };
        let reach: Vec<i64> =
            kernel.iter().zip(&dilations).map(|(side, dilation)| (side - 1) * dilation).collect();
        node.attribute.retain(|a| !matches!(a.name.as_deref(), Some("auto_pad" | "pads")));
        if strides.iter().all(|&stride| stride == 1) {
            let before = reach.iter().map(|reach| (reach + 1) / 2);
            let pads: Vec<i64> = before.chain(reach.iter().map(|reach| reach / 2)).collect();
            node.attribute.push(with_integers("pads", &pads));
            self.nodes.push(node);
            return Ok(());
        }
        if reach.iter().zip(&strides).any(|(&reach, &stride)| reach + 1 < stride && reach > 0) {
            return Err(
                "pads at the lower end (SAME_LOWER) a window smaller than its stride".into()
            );
        }
        if reach.iter().all(|&reach| reach == 0) {
            self.nodes.push(node);
            return Ok(());
        }
        self.mirrored(node, kernel.len());
        Ok(())
    }

    /// States what is left out of a transposed convolution.
    fn transposed_convolution(&mut self, mut node: NodeProto) -> Result<(), String> {
        if text(&node, "auto_pad") == Some("SAME_LOWER") {
            return Err("pads at the lower end (SAME_LOWER)".into());
        }
        let axes = self.kernel(&mut node)?.len();
        for name in ["strides", "dilations"] {
            if integers(&node, name).is_empty() {
                node.attribute.retain(|attribute| attribute.name.as_deref() != Some(name));
                node.attribute.push(with_integers(name, &vec![1; axes]));
            }
        }
        self.nodes.push(node);
        Ok(())
    }

    /// Padding at the lower end is padding at the upper end of what is mirrored.
    fn mirrored(&mut self, mut node: NodeProto, axes: usize) {
        node.attribute.push(with_text("auto_pad", "SAME_UPPER"));
        let output = node.output[0].clone();
        let [starts, ends, which, steps] =
            ["starts", "ends", "axes", "steps"].map(|part| format!("{output} mirror {part}"));
        let all: Vec<i64> = (2..axes as i64 + 2).collect();
        let sizes = [axes as i64];
        self.tensors.push(longs(&starts, &sizes, &vec![-1; axes]));
        self.tensors.push(longs(&ends, &sizes, &vec![i64::from(i32::MIN); axes]));
        self.tensors.push(longs(&which, &sizes, &all));
        self.tensors.push(longs(&steps, &sizes, &vec![-1; axes]));
        let mirror = |rewriter: &mut Self, from: &str, to: &str| {
            rewriter.add("Slice", &[from, &starts, &ends, &which, &steps], to);
        };
        let weights = usize::from(node.op_type.as_deref() == Some("Conv"));
        for place in 0..=weights {
            let to = format!("{output} mirrored input {place}");
            mirror(self, &node.input[place], &to);
            node.input[place] = to;
        }
        let mirrored = format!("{output} mirrored");
        node.output[0].clone_from(&mirrored);
        self.nodes.push(node);
        mirror(self, &mirrored, &output);
    }

    /// Sides of a window. Convolutions may leave them to their weights.
    fn kernel(&self, node: &mut NodeProto) -> Result<Vec<i64>, String> {
        let given = integers(node, "kernel_shape");
        if !given.is_empty() {
            return Ok(given.to_vec());
        }
        let weights = node.input.get(1).and_then(|name| self.known(name));
        let sides =
            weights.and_then(|weights| weights.dims.get(2..)).ok_or("has no kernel_shape")?;
        let sides = sides.to_vec();
        node.attribute.push(with_integers("kernel_shape", &sides));
        Ok(sides)
    }

    /// Adds the floats that stored or computed integers stand for; their name.
    fn dequantize(
        &mut self,
        node: &NodeProto,
        (value, scale, zero): (usize, usize, usize),
        axis: i64,
    ) -> Result<String, String> {
        let input = |place: usize| node.input.get(place).map_or("", String::as_str);
        let to = format!("{} input {value} as floats", node.output[0]);
        if input(value).is_empty() || input(scale).is_empty() {
            return Err("has too few inputs".into());
        }
        let inputs: &[&str] = match input(zero) {
            "" => &[input(value), input(scale)],
            zero => &[input(value), input(scale), zero],
        };
        let mut dequantize = super::proto::node("DequantizeLinear", inputs, &to);
        dequantize.attribute = vec![with_integer("axis", axis)];
        self.nodes.push(dequantize);
        Ok(to)
    }

    /// Adds the quantization of the floats called `from` to what `node` gives.
    fn quantize(
        &mut self,
        node: &NodeProto,
        from: &str,
        (scale, zero): (usize, usize),
    ) -> Result<(), String> {
        let input = |place: usize| node.input.get(place).filter(|name| !name.is_empty());
        let scale = input(scale).ok_or("has too few inputs")?;
        let mut inputs = vec![from, scale];
        inputs.extend(input(zero).map(String::as_str));
        self.nodes.push(super::proto::node("QuantizeLinear", &inputs, &node.output[0]));
        Ok(())
    }

    /// An operator of 8-bit integers: that of floats between dequantization and quantization.
    fn quantized(
        &mut self,
        node: &NodeProto,
        operator: &str,
        inputs: &[(usize, usize, usize)],
        output: (usize, usize),
    ) -> Result<(), String> {
        let mut names = Vec::new();
        for &input in inputs {
            names.push(self.dequantize(node, input, 1)?);
        }
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let to = format!("{} as floats", node.output[0]);
        self.add(operator, &names, &to);
        self.quantize(node, &to, output)
    }

    fn quantized_convolution(&mut self, quantized: &NodeProto) -> Result<(), String> {
        let image = self.dequantize(quantized, (0, 1, 2), 1)?;
        let weights = self.dequantize(quantized, (3, 4, 5), 0)?;
        let to = format!("{} as floats", quantized.output[0]);
        let mut inputs = vec![image, weights];
        if let Some(bias) = quantized.input.get(8).filter(|name| !name.is_empty()) {
            inputs.push(self.bias(quantized, bias, 1.0)?);
        }
        let names: Vec<&str> = inputs.iter().map(String::as_str).collect();
        let mut convolution = node("Conv", &names, &to);
        convolution.attribute = quantized.attribute.clone();
        // Its weights are integers yet: the sides are those of the file's tensor.
        if integers(&convolution, "kernel_shape").is_empty() {
            let weights = quantized.input.get(3).and_then(|name| self.known(name));
            let sides =
                weights.and_then(|weights| weights.dims.get(2..)).ok_or("has no weights")?;
            convolution.attribute.push(with_integers("kernel_shape", sides));
        }
        self.windowed(convolution)?;
        self.quantize(quantized, &to, (6, 7))
    }

    fn quantized_gemm(&mut self, quantized: &NodeProto) -> Result<(), String> {
        let left = self.dequantize(quantized, (0, 1, 2), 1)?;
        let turned = integer(quantized, "transB") == Some(1);
        let right = self.dequantize(quantized, (3, 4, 5), i64::from(!turned))?;
        let mut inputs = vec![left, right];
        if let Some(bias) = quantized.input.get(6).filter(|name| !name.is_empty()) {
            let alpha = f64::from(number(quantized, "alpha").unwrap_or(1.0));
            inputs.push(self.bias(quantized, bias, alpha)?);
        }
        let names: Vec<&str> = inputs.iter().map(String::as_str).collect();
        let has_scale = quantized.input.get(7).is_some_and(|name| !name.is_empty());
        let to = match has_scale {
            true => format!("{} as floats", quantized.output[0]),
            false => quantized.output[0].clone(),
        };
        let mut gemm = node("Gemm", &names, &to);
        gemm.attribute = quantized.attribute.clone();
        self.nodes.push(gemm);
        if has_scale { self.quantize(quantized, &to, (7, 8)) } else { Ok(()) }
    }

    /// The floats of a stored bias, whose scale is the product of those of the inputs (at the places 1 and
    /// 4) and of `alpha`.
    fn bias(&mut self, node: &NodeProto, bias: &str, alpha: f64) -> Result<String, String> {
        let numbers = |name: Option<&String>| {
            let tensor =
                name.and_then(|name| self.known(name)).ok_or("its scales are not stored")?;
            values(tensor)
        };
        let (first, second) = (numbers(node.input.get(1))?, numbers(node.input.get(4))?);
        let integers = numbers(Some(&bias.to_owned()))?;
        let at = |values: &[f64], place: usize| values[place % values.len().max(1)];
        if first.is_empty() || second.is_empty() {
            return Err("its scales are empty".into());
        }
        let scaled = |(place, value): (usize, &f64)| {
            (alpha * value * at(&first, 0) * at(&second, place)) as f32
        };
        let floats_of: Vec<f32> = integers.iter().enumerate().map(scaled).collect();
        let name = format!("{} bias as floats", node.output[0]);
        self.tensors.push(floats(&name, &[floats_of.len() as i64], &floats_of));
        Ok(name)
    }
}

/// The first input and the first output.
fn ends(node: &NodeProto) -> Result<(&str, &str), String> {
    match (node.input.first(), node.output.first()) {
        (Some(input), Some(output)) => Ok((input, output)),
        _ => Err("has no input or no output".into()),
    }
}
