//! The stored tensors of a graph, found by name.

use std::collections::BTreeMap;

use rten_onnx::onnx::{GraphProto, NodeProto, TensorProto};

use super::proto::values;

/// Tensors that others join.
pub(super) struct Tensors {
    all: Vec<TensorProto>,
    places: BTreeMap<String, usize>,
}

impl Tensors {
    /// These, of which a later one hides an earlier one of the same name.
    pub(super) fn new(all: Vec<TensorProto>) -> Self {
        Self { places: places(&all), all }
    }

    pub(super) fn get(&self, name: &str) -> Option<&TensorProto> {
        self.places.get(name).map(|&place| &self.all[place])
    }

    pub(super) fn push(&mut self, tensor: TensorProto) {
        self.places.insert(tensor.name.clone().unwrap_or_default(), self.all.len());
        self.all.push(tensor);
    }

    pub(super) fn into_vec(self) -> Vec<TensorProto> {
        self.all
    }
}

/// Those of a graph that stays as it is.
pub(super) struct Stored<'g> {
    all: &'g [TensorProto],
    places: BTreeMap<String, usize>,
}

impl<'g> Stored<'g> {
    pub(super) fn new(graph: &'g GraphProto) -> Self {
        Self { all: &graph.initializer, places: places(&graph.initializer) }
    }

    pub(super) fn get(&self, name: &str) -> Option<&'g TensorProto> {
        self.places.get(name).map(|&place| &self.all[place])
    }

    /// The tensor that an input of a node is.
    pub(super) fn input(&self, node: &NodeProto, place: usize) -> Option<&'g TensorProto> {
        self.get(node.input.get(place)?)
    }

    /// Its values.
    pub(super) fn values(&self, node: &NodeProto, place: usize) -> Option<Vec<f64>> {
        values(self.input(node, place)?).ok()
    }
}

fn places(tensors: &[TensorProto]) -> BTreeMap<String, usize> {
    let named =
        |(place, tensor): (usize, &TensorProto)| (tensor.name.clone().unwrap_or_default(), place);
    tensors.iter().enumerate().map(named).collect()
}
