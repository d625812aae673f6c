//! Functions that a file defines for itself, put in the place of the nodes that call them.

use std::collections::BTreeMap;

use rten_onnx::onnx::{ModelProto, NodeProto, TensorProto};

use super::wire::{self, field, fields};

/// Most nodes of a net with its functions put in place, and most bytes of the tensors in them.
const MOST_NODES: usize = 20_000;
const MOST_BYTES: usize = 256 << 20;

/// Numbers of fields: functions of a model; a model's graph and a graph's node; parts of a function.
const FUNCTIONS: u64 = 25;
const GRAPH: u64 = 7;
const NODE: u64 = 1;
const NAME: u64 = 1;
const INPUT: u64 = 4;
const OUTPUT: u64 = 5;
const ATTRIBUTE: u64 = 6;
const BODY: u64 = 7;
const DOMAIN: u64 = 10;
const ATTRIBUTE_WITH_DEFAULT: u64 = 11;

/// A function of a file.
struct Function {
    inputs: Vec<String>,
    outputs: Vec<String>,
    body: Vec<NodeProto>,
    has_attributes: bool,
}

/// Puts the functions of the file `bytes`, of which `model` was read, in the place of their calls.
///
/// # Errors
/// What is wrong, in words.
pub(super) fn inline(model: &mut ModelProto, bytes: &[u8]) -> Result<(), String> {
    let mut functions = BTreeMap::new();
    for found in fields(bytes).filter(|found| found.number == FUNCTIONS) {
        let (key, function) = read(found.content.unwrap_or_default())?;
        functions.insert(key, function);
    }
    let Some(graph) = model.graph.as_mut().filter(|_| !functions.is_empty()) else { return Ok(()) };
    // A function may call others that stand before it: as many passes as there are functions end it.
    let mut bytes = 0;
    for pass in 0..=functions.len() {
        let mut nodes = Vec::new();
        let mut calls = 0;
        for node in std::mem::take(&mut graph.node) {
            match functions.get(&key_of(&node)) {
                None => nodes.push(node),
                Some(function) => {
                    calls += 1;
                    bytes += function.bytes();
                    if bytes > MOST_BYTES {
                        return Err(format!("has functions of more than {MOST_BYTES} bytes"));
                    }
                    nodes.extend(function.called_by(&node, pass, calls)?);
                }
            }
            if nodes.len() > MOST_NODES {
                return Err(format!(
                    "has more than {MOST_NODES} nodes with its functions in place"
                ));
            }
        }
        graph.node = nodes;
        if calls == 0 {
            return Ok(());
        }
    }
    Err("has a function that calls itself".into())
}

fn key_of(node: &NodeProto) -> (String, String) {
    (node.domain.clone().unwrap_or_default(), node.op_type.clone().unwrap_or_default())
}

/// A function and its domain and name.
fn read(bytes: &[u8]) -> Result<((String, String), Function), String> {
    let text = |content: &[u8]| String::from_utf8_lossy(content).into_owned();
    let texts = |number: u64| -> Vec<String> {
        let found = fields(bytes).filter(|found| found.number == number);
        found.filter_map(|found| found.content.map(text)).collect()
    };
    let first = |number: u64| texts(number).into_iter().next().unwrap_or_default();
    // Its nodes are read as those of a graph.
    let body = fields(bytes).filter(|found| found.number == BODY).filter_map(|found| found.content);
    let graph: Vec<u8> = body.flat_map(|node| field(NODE, node)).collect();
    let model = field(GRAPH, &graph);
    if !wire::is_whole(&model) {
        return Err("not an ONNX file: a function claims more than there is".into());
    }
    let model = ModelProto::parse_buf(&model).map_err(|e| format!("not an ONNX file ({e})"))?;
    let has_attributes =
        fields(bytes).any(|found| matches!(found.number, ATTRIBUTE | ATTRIBUTE_WITH_DEFAULT));
    let function = Function {
        inputs: texts(INPUT),
        outputs: texts(OUTPUT),
        body: model.graph.map(|graph| graph.node).unwrap_or_default(),
        has_attributes,
    };
    Ok(((first(DOMAIN), first(NAME)), function))
}

impl Function {
    /// Bytes of the tensors in its nodes.
    fn bytes(&self) -> usize {
        let tensors =
            self.body.iter().flat_map(|node| &node.attribute).filter_map(|a| a.t.as_ref());
        let of = |tensor: &TensorProto| {
            tensor.raw_data.as_ref().map_or(0, |raw| raw.borrow().len())
                + 4 * (tensor.float_data.len() + tensor.int32_data.len())
                + 8 * (tensor.int64_data.len() + tensor.double_data.len())
        };
        tensors.map(of).sum()
    }

    /// Its nodes, with the names of the values of one call.
    fn called_by(
        &self,
        call: &NodeProto,
        pass: usize,
        number: usize,
    ) -> Result<Vec<NodeProto>, String> {
        if self.has_attributes {
            let name = call.op_type.as_deref().unwrap_or_default();
            return Err(format!(
                "its function {name:?} has attributes: inline it (onnx.inliner.inline_local_functions)"
            ));
        }
        let given = |own: &[String], outer: &[String]| -> BTreeMap<String, String> {
            let pairs = own.iter().enumerate();
            pairs
                .map(|(at, name)| (name.clone(), outer.get(at).cloned().unwrap_or_default()))
                .collect()
        };
        let mut names = given(&self.inputs, &call.input);
        names.extend(
            given(&self.outputs, &call.output).into_iter().filter(|(_, to)| !to.is_empty()),
        );
        let rename = |name: &String| match names.get(name) {
            Some(outer) => outer.clone(),
            None if name.is_empty() => String::new(),
            None => format!("{name} of call {pass}.{number}"),
        };
        let renamed = |node: &NodeProto| NodeProto {
            input: node.input.iter().map(rename).collect(),
            output: node.output.iter().map(rename).collect(),
            ..node.clone()
        };
        Ok(self.body.iter().map(renamed).collect())
    }
}
