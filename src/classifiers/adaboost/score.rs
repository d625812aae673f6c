//! Fast votes. Stumps on one feature add up to a step function of its value, so a vector's
//! vote is one table row a feature, found by binary search: 120 rows instead of 4,000
//! stumps. Trees with a branch are no such sum and are walked one by one.

use super::{Stump, WeakHypothesis};

/// Tables of a strong classifier.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Tables {
    classes: usize,
    total_weight: f64,
    steps: Vec<Steps>,
    trees: Vec<Tree>,
}

/// All stumps on one feature.
#[derive(Debug, Clone, PartialEq)]
struct Steps {
    feature: usize,
    /// Ascending.
    thresholds: Vec<f32>,
    /// Row `i`: votes of a value above exactly the first `i` thresholds.
    votes: Vec<f64>,
}

/// A tree with a branch.
#[derive(Debug, Clone, PartialEq)]
struct Tree {
    root: (usize, f32),
    branch: (usize, f32),
    branch_above: bool,
    /// Votes of the root's other side, and of the branch below and above its threshold.
    votes: Vec<f64>,
}

impl Tables {
    /// Tables of the hypotheses, weights divided by their sum.
    pub(super) fn new(hypotheses: &[WeakHypothesis], classes: usize) -> Self {
        let total: f64 = hypotheses.iter().map(|hypothesis| hypothesis.alpha).sum();
        let mut stumps: Vec<(&Stump, f64)> = Vec::new();
        let mut trees = Vec::new();
        for hypothesis in hypotheses {
            let weight = hypothesis.alpha / total;
            match &hypothesis.branch {
                None => stumps.push((&hypothesis.root, weight)),
                Some(_) => trees.push(Tree::new(hypothesis, weight)),
            }
        }
        // Stable: equal thresholds stay in the order of their rounds.
        stumps.sort_by(|(a, _), (b, _)| {
            a.feature.cmp(&b.feature).then(a.threshold.total_cmp(&b.threshold))
        });
        let steps = stumps
            .chunk_by(|(a, _), (b, _)| a.feature == b.feature)
            .map(|stumps| Steps::new(stumps, classes))
            .collect();
        Self { classes, total_weight: total, steps, trees }
    }

    /// Sum of the hypotheses' weights, which turns normalized votes into raw ones.
    pub(super) fn total_weight(&self) -> f64 {
        self.total_weight
    }

    /// Writes the sum of the vectors' votes to `out`, one per class.
    pub(super) fn sum(&self, vectors: &[f32], dimensions: usize, out: &mut [f64]) {
        out.fill(0.0);
        for steps in &self.steps {
            for vector in vectors.chunks_exact(dimensions) {
                let value = vector[steps.feature];
                let row = steps.thresholds.partition_point(|&threshold| value > threshold);
                add(out, &steps.votes[row * self.classes..]);
            }
        }
        for tree in &self.trees {
            for vector in vectors.chunks_exact(dimensions) {
                let on_branch = (vector[tree.root.0] > tree.root.1) == tree.branch_above;
                let above = vector[tree.branch.0] > tree.branch.1;
                let row = usize::from(on_branch) * (1 + usize::from(above));
                add(out, &tree.votes[row * self.classes..]);
            }
        }
    }
}

fn add(sum: &mut [f64], votes: &[f64]) {
    for (sum, vote) in sum.iter_mut().zip(votes) {
        *sum += vote;
    }
}

impl Steps {
    /// `stumps` share a feature and stand in ascending order of their thresholds.
    fn new(stumps: &[(&Stump, f64)], classes: usize) -> Self {
        let rows = stumps.len() + 1;
        let mut votes = vec![0.0; rows * classes];
        for class in 0..classes {
            let vote = |number: usize| {
                let (stump, weight) = &stumps[number];
                weight * f64::from(stump.votes[class])
            };
            let (mut passed, mut ahead) = (0.0, 0.0);
            for row in 1..rows {
                passed += vote(row - 1);
                ahead += vote(rows - 1 - row);
                votes[row * classes + class] += passed;
                votes[(rows - 1 - row) * classes + class] -= ahead;
            }
        }
        let thresholds = stumps.iter().map(|(stump, _)| stump.threshold).collect();
        Self { feature: stumps[0].0.feature, thresholds, votes }
    }
}

impl Tree {
    fn new(hypothesis: &WeakHypothesis, weight: f64) -> Self {
        let root = &hypothesis.root;
        // Only called with a branch; without one, the root would answer for both sides.
        let (branch, branch_above) = match &hypothesis.branch {
            Some(branch) => (&branch.stump, branch.above),
            None => (root, true),
        };
        let kept = if branch_above { -weight } else { weight };
        let scaled = |stump: &Stump, factor: f64| -> Vec<f64> {
            stump.votes.iter().map(|&vote| factor * f64::from(vote)).collect()
        };
        let votes = [scaled(root, kept), scaled(branch, -weight), scaled(branch, weight)].concat();
        Self {
            root: (root.feature, root.threshold),
            branch: (branch.feature, branch.threshold),
            branch_above,
            votes,
        }
    }
}
