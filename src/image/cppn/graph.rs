//! The network as a genome: a graph without cycles, and its mutations at the rates of the
//! authors' published code.

use rand::RngExt;
use serde::{Deserialize, Serialize};

use super::activation::Activation;
use trompe_base::random::Stream;

/// Inputs: column, row, distance from the centre, and 1.
pub(super) const INPUTS: usize = 4;

/// Weights lie in [-this, this].
const WEIGHT_BOUND: f64 = 10.0;

/// Share of weights and activations that a mutation draws anew.
const GENE_RATE: f64 = 0.1;

/// Distribution index of the polynomial mutation of weights.
const MUTATION_INDEX: f64 = 15.0;

/// Most hidden nodes (our choice; more take longer to draw than to score).
const MAX_HIDDEN: usize = 100;

/// Tries at a link that is new and closes no cycle.
const TRIES: usize = 10;

type Mutation = fn(&mut Graph, &mut Stream);

/// Structural mutations with their rates.
pub(super) const STRUCTURAL: [(f64, Mutation); 5] = [
    (0.5, Graph::add_link),
    (0.3, Graph::remove_link),
    (0.5, Graph::rewire_link),
    (0.5, Graph::add_node),
    (0.2, Graph::remove_node),
];

/// A weighted connection. Ends below 4 are inputs, then come the outputs, then hidden nodes.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Link {
    /// Where it comes from: an input or a hidden node.
    pub from: usize,
    /// Where it leads: an output or a hidden node.
    pub to: usize,
    /// In [-10, 10].
    pub weight: f64,
}

/// A feed-forward network.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Graph {
    /// Number of outputs.
    outputs: usize,
    /// Function of every output, then of every hidden node.
    activations: Vec<Activation>,
    /// Links, no two between the same nodes, no cycle.
    links: Vec<Link>,
}

impl Graph {
    /// All inputs linked to all `outputs`, no hidden node, random weights and functions.
    pub(super) fn random(outputs: usize, rng: &mut Stream) -> Self {
        let activations = (0..outputs).map(|_| Activation::random(rng)).collect();
        let ends = (0..outputs).flat_map(|out| (0..INPUTS).map(move |from| (from, INPUTS + out)));
        let links = ends.map(|(from, to)| Link { from, to, weight: random_weight(rng) }).collect();
        Self { outputs, activations, links }
    }

    /// Number of outputs.
    pub fn outputs(&self) -> usize {
        self.outputs
    }

    /// Function of every output, then of every hidden node.
    pub fn activations(&self) -> &[Activation] {
        &self.activations
    }

    /// All links.
    pub fn links(&self) -> &[Link] {
        &self.links
    }

    /// Checks a network read from a file for images of `outputs` channels.
    ///
    /// # Errors
    /// What cannot be, in words.
    pub(super) fn check(&self, outputs: usize) -> Result<(), String> {
        if self.outputs != outputs || self.activations.len() < outputs {
            return Err(format!(
                "a network of {} outputs and {} nodes for {outputs} channels",
                self.outputs,
                self.activations.len()
            ));
        }
        if self.hidden() > MAX_HIDDEN || self.links.len() > self.nodes() * self.nodes() {
            return Err(format!("{} nodes, {} links", self.nodes(), self.links.len()));
        }
        let bounded = |link: &Link| (-WEIGHT_BOUND..=WEIGHT_BOUND).contains(&link.weight);
        if !self.links.iter().all(bounded) {
            return Err(format!("a weight beyond {WEIGHT_BOUND}"));
        }
        match self.order() {
            Some(_) => Ok(()),
            None => Err("links that form a cycle or lead nowhere".into()),
        }
    }

    /// Number of inputs, outputs and hidden nodes together.
    fn nodes(&self) -> usize {
        INPUTS + self.activations.len()
    }

    fn hidden(&self) -> usize {
        self.activations.len() - self.outputs
    }

    fn is_output(&self, node: usize) -> bool {
        (INPUTS..INPUTS + self.outputs).contains(&node)
    }

    /// Outputs and hidden nodes so that every link leads to a later one; `None` if there is a
    /// cycle, an output without a function, a link that leads nowhere, or one that leaves an
    /// output.
    pub(super) fn order(&self) -> Option<Vec<usize>> {
        if self.outputs > self.activations.len() {
            return None;
        }
        let mut waiting = vec![0_usize; self.nodes()];
        for link in &self.links {
            if self.is_output(link.from) || link.from >= self.nodes() || link.to < INPUTS {
                return None;
            }
            *waiting.get_mut(link.to)? += 1;
        }
        let mut order: Vec<usize> = (0..self.nodes()).filter(|&node| waiting[node] == 0).collect();
        let mut next = 0;
        while next < order.len() {
            let node = order[next];
            next += 1;
            for link in self.links.iter().filter(|link| link.from == node) {
                waiting[link.to] -= 1;
                if waiting[link.to] == 0 {
                    order.push(link.to);
                }
            }
        }
        (order.len() == self.nodes())
            .then(|| order.into_iter().filter(|&node| node >= INPUTS).collect())
    }

    /// Whether a link from `from` to `to` is allowed: new, from no output, closing no cycle.
    fn allows(&self, from: usize, to: usize) -> bool {
        from != to
            && !self.is_output(from)
            && !self.links.iter().any(|link| link.from == from && link.to == to)
            && !self.leads(to, from)
    }

    /// Whether a path leads from `start` to `goal`.
    fn leads(&self, start: usize, goal: usize) -> bool {
        let mut seen = vec![false; self.nodes()];
        let mut open = vec![start];
        while let Some(node) = open.pop() {
            if node == goal {
                return true;
            }
            if !std::mem::replace(&mut seen[node], true) {
                open.extend(self.links.iter().filter(|link| link.from == node).map(|link| link.to));
            }
        }
        false
    }

    /// Ends of a link that may be added, if a few tries find some.
    fn free_ends(&self, rng: &mut Stream) -> Option<(usize, usize)> {
        (0..TRIES)
            .map(|_| (rng.random_range(0..self.nodes()), rng.random_range(INPUTS..self.nodes())))
            .find(|&(from, to)| self.allows(from, to))
    }

    fn add_link(&mut self, rng: &mut Stream) {
        if let Some((from, to)) = self.free_ends(rng) {
            self.links.push(Link { from, to, weight: random_weight(rng) });
        }
    }

    fn remove_link(&mut self, rng: &mut Stream) {
        if !self.links.is_empty() {
            self.links.remove(rng.random_range(0..self.links.len()));
        }
    }

    /// Gives a link other ends and keeps its weight.
    fn rewire_link(&mut self, rng: &mut Stream) {
        if self.links.is_empty() {
            return;
        }
        let link = self.links.remove(rng.random_range(0..self.links.len()));
        let (from, to) = self.free_ends(rng).unwrap_or((link.from, link.to));
        self.links.push(Link { from, to, ..link });
    }

    /// Puts a node into a link: weight 1 into it, the link's weight out of it (as NEAT does).
    fn add_node(&mut self, rng: &mut Stream) {
        if self.links.is_empty() || self.hidden() >= MAX_HIDDEN {
            return;
        }
        let node = self.nodes();
        self.activations.push(Activation::random(rng));
        let link = self.links.remove(rng.random_range(0..self.links.len()));
        self.links.push(Link { from: link.from, to: node, weight: 1.0 });
        self.links.push(Link { from: node, ..link });
    }

    /// Removes a hidden node and its links.
    fn remove_node(&mut self, rng: &mut Stream) {
        if self.hidden() == 0 {
            return;
        }
        let first = INPUTS + self.outputs;
        let node = rng.random_range(first..self.nodes());
        self.activations.remove(node - INPUTS);
        self.links.retain(|link| link.from != node && link.to != node);
        for link in &mut self.links {
            link.from -= usize::from(link.from > node);
            link.to -= usize::from(link.to > node);
        }
    }

    /// Draws the function of every node anew at the rate of a gene.
    pub(super) fn mutate_activations(&mut self, rng: &mut Stream) {
        for activation in &mut self.activations {
            if rng.random_bool(GENE_RATE) {
                *activation = Activation::random(rng);
            }
        }
    }

    /// Polynomial mutation of every weight at the rate of a gene.
    pub(super) fn mutate_weights(&mut self, rng: &mut Stream) {
        for link in &mut self.links {
            if rng.random_bool(GENE_RATE) {
                let u: f64 = rng.random();
                let exponent = 1.0 / (MUTATION_INDEX + 1.0);
                let step = if u < 0.5 {
                    libm::pow(2.0 * u, exponent) - 1.0
                } else {
                    1.0 - libm::pow(2.0 * (1.0 - u), exponent)
                };
                let weight = link.weight + step * 2.0 * WEIGHT_BOUND;
                link.weight = weight.clamp(-WEIGHT_BOUND, WEIGHT_BOUND);
            }
        }
    }

    /// Draws one weight anew.
    pub(super) fn redraw_weight(&mut self, rng: &mut Stream) {
        if !self.links.is_empty() {
            let link = rng.random_range(0..self.links.len());
            self.links[link].weight = random_weight(rng);
        }
    }

    /// Draws one node's function anew.
    pub(super) fn redraw_activation(&mut self, rng: &mut Stream) {
        let node = rng.random_range(0..self.activations.len());
        self.activations[node] = Activation::random(rng);
    }
}

fn random_weight(rng: &mut Stream) -> f64 {
    rng.random_range(-WEIGHT_BOUND..=WEIGHT_BOUND)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use trompe_base::random::stream;

    use super::*;

    #[test]
    fn mutation_keeps_the_network_feed_forward_and_its_weights_bounded() {
        let mut largest = 0;
        for seed in 0..20 {
            let mut rng = stream(seed, 0, 0, 0);
            let mut graph = Graph::random(1 + 2 * (seed as usize % 2), &mut rng);
            for _ in 0..300 {
                for (rate, mutation) in STRUCTURAL {
                    if rng.random_bool(rate) {
                        mutation(&mut graph, &mut rng);
                    }
                }
                graph.mutate_activations(&mut rng);
                graph.mutate_weights(&mut rng);
                let order = graph.order().unwrap();
                assert_eq!(order.len(), graph.activations.len());
                let mut ends: Vec<_> = graph.links.iter().map(|l| (l.from, l.to)).collect();
                ends.sort_unstable();
                ends.dedup();
                assert_eq!(ends.len(), graph.links.len(), "no link twice");
                assert!(graph.links.iter().all(|link| link.weight.abs() <= WEIGHT_BOUND));
                assert!(graph.hidden() <= MAX_HIDDEN);
            }
            largest = largest.max(graph.hidden());
        }
        assert!(largest > 20, "networks grow: {largest}");
    }

    #[test]
    fn a_graph_with_a_cycle_has_no_order() {
        let mut graph = Graph::random(1, &mut stream(1, 0, 0, 0));
        graph.activations.extend([Activation::Sine, Activation::Linear]);
        assert!(graph.order().is_some());
        graph.links.push(Link { from: 5, to: 6, weight: 1.0 });
        assert!(graph.order().is_some());
        assert!(!graph.allows(6, 5));
        graph.links.push(Link { from: 6, to: 5, weight: 1.0 });
        assert!(graph.order().is_none());
        graph.links.pop();
        graph.links.push(Link { from: 0, to: 99, weight: 1.0 });
        assert!(graph.order().is_none());
    }

    #[test]
    fn networks_from_strangers_are_checked() {
        let graph = Graph::random(3, &mut stream(1, 0, 0, 0));
        assert_eq!(graph.check(3), Ok(()));
        assert!(graph.check(1).is_err());
        let changed = |change: &dyn Fn(&mut Graph)| {
            let mut graph = graph.clone();
            change(&mut graph);
            graph.check(3).unwrap_err()
        };
        assert!(changed(&|graph| graph.links[0].weight = f64::NAN).contains("weight"));
        assert!(changed(&|graph| graph.links[0].to = 70).contains("nowhere"));
        assert!(changed(&|graph| graph.activations.truncate(2)).contains("2 nodes"));
        let sines = vec![Activation::Sine; 200];
        assert!(changed(&|graph| graph.activations.extend(&sines)).contains("207 nodes"));
    }
}
