//! A network made ready to draw: only the nodes that an output needs, in order.

use std::ops::Range;

use pulp::{Simd, WithSimd};

use super::activation::Activation;
use super::graph::{Graph, INPUTS};

/// Planes of values that come from outside: all inputs but the constant 1.
pub(super) const PLANES: usize = INPUTS - 1;

/// Vectors that are computed together.
const TOGETHER: usize = 2;

/// Places are drawn in multiples of this: the lanes of the widest vectors there are, together.
pub(super) const MULTIPLE: usize = 16 * TOGETHER;

/// The nodes in order. Values are planes: first the inputs, then one per node.
#[derive(Debug)]
pub(super) struct Program {
    nodes: Vec<Node>,
    links: Vec<Link>,
    /// Planes of the outputs.
    outputs: Vec<usize>,
}

#[derive(Debug)]
struct Node {
    function: Activation,
    /// Weight of the constant 1.
    bias: f32,
    links: Range<usize>,
}

#[derive(Debug)]
struct Link {
    plane: usize,
    weight: f32,
}

impl Program {
    /// The program of `graph`; `None` if it is not feed-forward.
    pub(super) fn new(graph: &Graph) -> Option<Self> {
        let order = graph.order()?;
        let count = INPUTS + graph.activations().len();
        let into = |node: usize| graph.links().iter().filter(move |link| link.to == node);
        let mut needed = vec![false; count];
        needed[INPUTS..INPUTS + graph.outputs()].fill(true);
        for &node in order.iter().rev() {
            if needed[node] {
                into(node).for_each(|link| needed[link.from] = true);
            }
        }
        let mut plane_of: Vec<usize> = (0..count).collect();
        let (mut nodes, mut links) = (Vec::new(), Vec::new());
        for node in order.into_iter().filter(|&node| needed[node]) {
            let (first, mut bias) = (links.len(), 0.0);
            for link in into(node) {
                let weight = link.weight as f32;
                if link.from == PLANES {
                    bias = weight;
                } else {
                    links.push(Link { plane: plane_of[link.from], weight });
                }
            }
            plane_of[node] = PLANES + nodes.len();
            let function = graph.activations()[node - INPUTS];
            nodes.push(Node { function, bias, links: first..links.len() });
        }
        let outputs = plane_of[INPUTS..INPUTS + graph.outputs()].to_vec();
        Some(Self { nodes, links, outputs })
    }

    /// Number of planes.
    pub(super) fn planes(&self) -> usize {
        PLANES + self.nodes.len()
    }

    /// Planes of the outputs.
    pub(super) fn outputs(&self) -> &[usize] {
        &self.outputs
    }

    /// Fills the planes of all nodes from those of the inputs. `planes` holds as many values
    /// each, a multiple of [`MULTIPLE`].
    pub(super) fn run(&self, planes: &mut [f32]) {
        pulp::Arch::new().dispatch(Run { program: self, planes });
    }
}

/// A call of [`Program::run`].
struct Run<'a> {
    program: &'a Program,
    planes: &'a mut [f32],
}

impl WithSimd for Run<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { program, planes } = self;
        let planes = S::as_mut_simd_f32s(planes).0.as_chunks_mut::<TOGETHER>().0;
        let size = planes.len() / program.planes();
        for (number, node) in program.nodes.iter().enumerate() {
            let (known, rest) = planes.split_at_mut((PLANES + number) * size);
            let sums = Sums {
                simd,
                bias: simd.splat_f32s(node.bias),
                links: &program.links[node.links.clone()],
                known,
                out: &mut rest[..size],
            };
            // One loop per function, chosen outside of it.
            match node.function {
                Activation::Sine => sums.apply(Activation::Sine),
                Activation::Sigmoid => sums.apply(Activation::Sigmoid),
                Activation::Gaussian => sums.apply(Activation::Gaussian),
                Activation::Linear => sums.apply(Activation::Linear),
            }
        }
    }
}

/// The weighted sums of one node, vector by vector.
struct Sums<'a, S: Simd> {
    simd: S,
    bias: S::f32s,
    links: &'a [Link],
    known: &'a [[S::f32s; TOGETHER]],
    out: &'a mut [[S::f32s; TOGETHER]],
}

impl<S: Simd> Sums<'_, S> {
    #[inline(always)]
    fn apply(self, function: Activation) {
        let size = self.out.len();
        for (place, out) in self.out.iter_mut().enumerate() {
            let mut sums = [self.bias; TOGETHER];
            for link in self.links {
                let weight = self.simd.splat_f32s(link.weight);
                let values = &self.known[link.plane * size + place];
                for (sum, &value) in sums.iter_mut().zip(values) {
                    *sum = self.simd.mul_add_f32s(weight, value, *sum);
                }
            }
            for (out, sum) in out.iter_mut().zip(sums) {
                *out = function.apply(self.simd, sum);
            }
        }
    }
}
