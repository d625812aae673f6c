//! AdaBoost.MH as one would write it down: every threshold of every feature is tried on
//! every example. Slow and obvious; the real one must agree with it round by round.

use super::cut::rank;
use super::{Branch, Stump, WeakHypothesis, WeakLearner};
use crate::dataset::Dataset;

pub(super) struct Plain {
    x: Vec<Vec<f32>>,
    /// y[i][l]: +1 at the true class, -1 elsewhere.
    y: Vec<Vec<f64>>,
    labels: Vec<usize>,
    /// w[i][l], of sum 1.
    pub(super) w: Vec<Vec<f64>>,
}

impl Plain {
    pub(super) fn new(dataset: &Dataset) -> Self {
        let labels = dataset.labels();
        let (n, k) = (labels.len() as f64, dataset.classes.len());
        let y: Vec<Vec<f64>> = labels
            .iter()
            .map(|&label| (0..k).map(|l| if l == label { 1.0 } else { -1.0 }).collect())
            .collect();
        let w = labels
            .iter()
            .map(|&label| {
                (0..k)
                    .map(|l| if l == label { 0.5 / n } else { 0.5 / (n * (k as f64 - 1.0)) })
                    .collect()
            })
            .collect();
        let x = dataset.vectors.outer_iter().map(|row| row.to_vec()).collect();
        Self { x, y, labels, w }
    }

    /// sum_i w_il y_il s_i over the given examples, per class, with s_i = +-1.
    fn edges(&self, examples: &[usize], sign: impl Fn(usize) -> f64) -> Vec<f64> {
        let mut edges = vec![0.0; self.y[0].len()];
        for &i in examples {
            for (l, edge) in edges.iter_mut().enumerate() {
                *edge += self.w[i][l] * self.y[i][l] * sign(i);
            }
        }
        edges
    }

    fn best_stump(&self, examples: &[usize]) -> Option<(Stump, f64)> {
        let mut best: Option<(Stump, f64)> = None;
        for feature in 0..self.x[0].len() {
            let mut values: Vec<f32> = examples.iter().map(|&i| self.x[i][feature]).collect();
            values.sort_by(f32::total_cmp);
            values.dedup();
            for pair in values.windows(2) {
                let threshold = (pair[0] + pair[1]) / 2.0;
                let side = |i: usize| if self.x[i][feature] > threshold { 1.0 } else { -1.0 };
                let edges = self.edges(examples, side);
                let edge: f64 = edges.iter().map(|e| e.abs()).sum();
                if best.as_ref().is_none_or(|(_, most)| rank(edge) > rank(*most)) {
                    let votes = edges.iter().map(|&e| if e < 0.0 { -1 } else { 1 }).collect();
                    best = Some((Stump { feature, threshold, votes }, edge));
                }
            }
        }
        best
    }

    fn branch(&self, root: &Stump) -> Option<Branch> {
        let mut best: Option<(i64, Branch)> = None;
        for above in [false, true] {
            let examples: Vec<usize> =
                (0..self.x.len()).filter(|&i| root.above(&self.x[i]) == above).collect();
            if examples.iter().all(|&i| self.labels[i] == self.labels[examples[0]]) {
                continue;
            }
            let constant: f64 = self.edges(&examples, |_| 1.0).iter().map(|e| e.abs()).sum();
            if let Some((stump, edge)) = self.best_stump(&examples) {
                let gain = rank(edge) - rank(constant);
                if gain > 0 && best.as_ref().is_none_or(|(most, _)| gain > *most) {
                    best = Some((gain, Branch { above, stump }));
                }
            }
        }
        best.map(|(_, branch)| branch)
    }

    pub(super) fn round(&mut self, learner: WeakLearner) -> WeakHypothesis {
        let everyone: Vec<usize> = (0..self.x.len()).collect();
        let (root, _) = self.best_stump(&everyone).expect("some feature varies");
        let branch = match learner {
            WeakLearner::Stump => None,
            WeakLearner::TwoNodeTree => self.branch(&root),
        };
        let mut hypothesis = WeakHypothesis { alpha: 0.0, root, branch };
        let h = |i: usize, l: usize| {
            let (stump, above) = hypothesis.voter(&self.x[i]);
            f64::from(stump.votes[l]) * if above { 1.0 } else { -1.0 }
        };
        let (mut right, mut wrong) = (0.0, 0.0);
        for i in 0..self.x.len() {
            for l in 0..self.y[0].len() {
                let is_right = h(i, l) == self.y[i][l];
                *(if is_right { &mut right } else { &mut wrong }) += self.w[i][l];
            }
        }
        let smoothing = 0.01 / self.x.len() as f64;
        let alpha = 0.5 * ((right + smoothing) / (wrong + smoothing)).ln();
        let mut w = self.w.clone();
        for (i, w) in w.iter_mut().enumerate() {
            for (l, w) in w.iter_mut().enumerate() {
                *w *= (-alpha * h(i, l) * self.y[i][l]).exp();
            }
        }
        let sum: f64 = w.iter().flatten().sum();
        w.iter_mut().flatten().for_each(|w| *w /= sum);
        self.w = w;
        hypothesis.alpha = alpha;
        hypothesis
    }
}

/// sum_t alpha_t h_t(x) / sum_t alpha_t.
pub(super) fn votes(hypotheses: &[WeakHypothesis], vector: &[f32]) -> Vec<f64> {
    let total: f64 = hypotheses.iter().map(|h| h.alpha).sum();
    let mut votes = vec![0.0; hypotheses[0].root.votes.len()];
    for hypothesis in hypotheses {
        let (stump, above) = hypothesis.voter(vector);
        for (vote, &v) in votes.iter_mut().zip(&stump.votes) {
            *vote += hypothesis.alpha * f64::from(v) * if above { 1.0 } else { -1.0 };
        }
    }
    votes.iter().map(|vote| vote / total).collect()
}
