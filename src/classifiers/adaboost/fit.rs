//! The rounds of boosting: weights, weak hypotheses, their alphas.

use pulp::Arch;
use rayon::prelude::*;

use super::cut::{Cut, Floor, Row, Search, instructions, rank};
use super::{AdaBoost, AdaBoostParams, Branch, Round, Stump, WeakHypothesis, WeakLearner};
use crate::dataset::Dataset;
use crate::error::{Error, Result};

impl AdaBoostParams {
    /// Trains on every vector of `dataset`, calling `progress` after every round. The result
    /// is the same bits on any number of threads and any instruction set.
    ///
    /// # Errors
    /// What [`AdaBoostParams::check`] and [`Dataset::check`] find; [`Error::Request`] above
    /// 127 classes; [`Error::Numeric`] when no feature separates anything.
    pub fn fit(&self, dataset: &Dataset, progress: &mut dyn FnMut(&Round)) -> Result<AdaBoost> {
        self.check()?;
        dataset.check()?;
        let hypotheses = boost(self, dataset, progress)?;
        Ok(AdaBoost::new(self.clone(), dataset.classes.clone(), dataset.dimensions(), hypotheses))
    }
}

/// Trains. Rows are padded to a multiple of four numbers, with room for one beside the
/// classes, so that additions vectorize.
fn boost(
    params: &AdaBoostParams,
    dataset: &Dataset,
    progress: &mut dyn FnMut(&Round),
) -> Result<Vec<WeakHypothesis>> {
    match dataset.classes.len() {
        0..=3 => Boosting::<4>::new(dataset).run(params, progress),
        4..=7 => Boosting::<8>::new(dataset).run(params, progress),
        8..=11 => Boosting::<12>::new(dataset).run(params, progress),
        12..=15 => Boosting::<16>::new(dataset).run(params, progress),
        16..=23 => Boosting::<24>::new(dataset).run(params, progress),
        24..=31 => Boosting::<32>::new(dataset).run(params, progress),
        32..=63 => Boosting::<64>::new(dataset).run(params, progress),
        64..=127 => Boosting::<128>::new(dataset).run(params, progress),
        more => Err(Error::request(
            format!("AdaBoost.MH on {more} classes"),
            "it is made for at most 127: use another classifier",
        )),
    }
}

/// Examples and their weights.
pub(super) struct Boosting<const L: usize> {
    arch: Arch,
    classes: usize,
    labels: Vec<usize>,
    /// Values of every feature.
    columns: Vec<Vec<f32>>,
    /// Examples by ascending value of every feature, equal values by number.
    orders: Vec<Vec<u32>>,
    /// Signed weights of every example.
    pub(super) rows: Vec<Row<L>>,
}

/// A stump on some examples, with the edge of every class.
struct Candidate {
    stump: Stump,
    edge: f64,
}

impl<const L: usize> Boosting<L> {
    /// Half of the weight on the true classes, half on the others, equal shares within:
    /// w = 1 / 2n and 1 / 2n(K - 1).
    pub(super) fn new(dataset: &Dataset) -> Self {
        let labels = dataset.labels();
        let (classes, examples) = (dataset.classes.len(), labels.len() as f64);
        let of_label: Vec<Row<L>> = (0..classes)
            .map(|label| {
                let mut row = [0.0; L];
                row[..classes].fill(-1.0 / (2.0 * examples * (classes - 1) as f64));
                row[label] = 1.0 / (2.0 * examples);
                row[L - 1] = 1.0 / examples;
                row
            })
            .collect();
        let columns: Vec<Vec<f32>> =
            dataset.vectors.columns().into_iter().map(|column| column.to_vec()).collect();
        let orders = columns.par_iter().map(|column| ascending(column)).collect();
        let rows = labels.iter().map(|&label| of_label[label]).collect();
        Self { arch: instructions(), classes, labels, columns, orders, rows }
    }

    fn run(
        mut self,
        params: &AdaBoostParams,
        progress: &mut dyn FnMut(&Round),
    ) -> Result<Vec<WeakHypothesis>> {
        let mut hypotheses = Vec::with_capacity(params.rounds);
        for number in 1..=params.rounds {
            let Some((hypothesis, edge)) = self.round(params.learner) else { break };
            hypotheses.push(hypothesis);
            progress(&Round { number, of: params.rounds, edge });
        }
        if hypotheses.is_empty() {
            let what = "AdaBoost.MH found no feature that separates the classes";
            return Err(Error::numeric(what, "check that the features are not constant"));
        }
        Ok(hypotheses)
    }

    /// Finds a weak hypothesis and reweights the examples. `None` when none beats chance.
    pub(super) fn round(&mut self, learner: WeakLearner) -> Option<(WeakHypothesis, f64)> {
        let everyone = vec![true; self.labels.len()];
        let root = self.best_stump(&everyone, true)?;
        let (branch, edge) = match learner {
            WeakLearner::Stump => (None, root.edge),
            WeakLearner::TwoNodeTree => self.grow(&root),
        };
        if rank(edge) <= 0 {
            return None;
        }
        // Weights sum to 1, so the right ones sum to (1 + edge) / 2. Smoothing as in
        // MultiBoost keeps alpha finite.
        let smoothing = 0.01 / self.labels.len() as f64;
        let (right, wrong) = ((1.0 + edge) / 2.0, (1.0 - edge).max(0.0) / 2.0);
        let alpha = 0.5 * libm::log((right + smoothing) / (wrong + smoothing));
        let hypothesis = WeakHypothesis { alpha, root: root.stump, branch };
        self.reweight(&hypothesis);
        Some((hypothesis, edge))
    }

    /// The second stump, on the side where it gains most over the best constant vote there
    /// (the side below on a tie), and the edge of the whole tree. A side of one class, or
    /// without gain, keeps the vote of the root.
    fn grow(&self, root: &Candidate) -> (Option<Branch>, f64) {
        let column = &self.columns[root.stump.feature];
        let above: Vec<bool> = column.iter().map(|&value| value > root.stump.threshold).collect();
        let mut best: Option<(i64, bool, Candidate)> = None;
        for side in [false, true] {
            if self.one_class(&above, side) {
                continue;
            }
            let constant: f64 =
                self.total(&above, side)[..self.classes].iter().map(|e| e.abs()).sum();
            let Some(child) = self.best_stump(&above, side) else { continue };
            let gain = rank(child.edge) - rank(constant);
            if gain > 0 && best.as_ref().is_none_or(|(most, ..)| gain > *most) {
                best = Some((gain, side, child));
            }
        }
        let Some((_, side, child)) = best else { return (None, root.edge) };
        // The other side keeps the root's vote.
        let total = self.total(&above, !side);
        let sign = if side { -1.0 } else { 1.0 };
        let votes = root.stump.votes.iter().map(|&vote| f64::from(vote));
        let kept: f64 = votes.zip(&total).map(|(vote, edge)| sign * vote * edge).sum();
        let edge = kept + child.edge;
        (Some(Branch { above: side, stump: child.stump }), edge)
    }

    fn one_class(&self, above: &[bool], side: bool) -> bool {
        let mut labels =
            self.labels.iter().zip(above).filter(|&(_, &is)| is == side).map(|(label, _)| label);
        let first = labels.next();
        labels.all(|label| Some(label) == first)
    }

    /// Sum of the rows of one side, in order of examples.
    fn total(&self, above: &[bool], side: bool) -> Row<L> {
        let mut total = [0.0; L];
        for (row, _) in self.rows.iter().zip(above).filter(|&(_, &is)| is == side) {
            for lane in 0..L {
                total[lane] += row[lane];
            }
        }
        total
    }

    /// Best stump on the examples where `above` is `side`: the greatest edge, then the
    /// lowest feature, then the lowest threshold. (Weights of right and wrong votes sum to
    /// a constant, so the greatest edge is the least energy Z = 2 sqrt(right wrong).)
    fn best_stump(&self, above: &[bool], side: bool) -> Option<Candidate> {
        let total = self.total(above, side);
        let all = above.iter().all(|&is| is == side);
        let floor = Floor::new();
        let cuts: Vec<Option<Cut<L>>> = (0..self.columns.len())
            .into_par_iter()
            .map_init(
                || (Vec::new(), Vec::new()),
                |(order, blocks), feature| {
                    let (column, rows) = (&self.columns[feature], &self.rows);
                    let order = match all {
                        true => &self.orders[feature],
                        false => {
                            keep_side(&self.orders[feature], above, side, order);
                            &*order
                        }
                    };
                    let (total, floor) = (&total, &floor);
                    self.arch.dispatch(Search { column, order, rows, total, floor, blocks })
                },
            )
            .collect();
        let mut best: Option<(usize, &Cut<L>)> = None;
        for (feature, cut) in cuts.iter().enumerate() {
            if let Some(cut) = cut
                && best.is_none_or(|(_, best)| rank(cut.edge) > rank(best.edge))
            {
                best = Some((feature, cut));
            }
        }
        let (feature, cut) = best?;
        let (low, high) = self.around(feature, cut.below, above, side);
        let vote = |class: usize| if total[class] - 2.0 * cut.prefix[class] < 0.0 { -1 } else { 1 };
        let votes = (0..self.classes).map(vote).collect();
        let stump = Stump { feature, threshold: middle(low, high), votes };
        Some(Candidate { stump, edge: cut.edge })
    }

    /// Values on the two sides of the cut with `below` of the side's examples below it.
    fn around(&self, feature: usize, below: usize, above: &[bool], side: bool) -> (f32, f32) {
        let mut kept = Vec::new();
        keep_side(&self.orders[feature], above, side, &mut kept);
        let value = |position: usize| self.columns[feature][kept[position] as usize];
        (value(below - 1), value(below))
    }

    /// w <- w exp(-alpha h y), scaled to sum 1.
    fn reweight(&mut self, hypothesis: &WeakHypothesis) {
        let (right, wrong) = (libm::exp(-hypothesis.alpha), libm::exp(hypothesis.alpha));
        let factors = |stump: &Stump| -> [Vec<Row<L>>; 2] {
            [-1i8, 1].map(|sign| {
                (0..self.classes)
                    .map(|label| {
                        let mut row = [1.0; L];
                        for (class, factor) in row[..self.classes].iter_mut().enumerate() {
                            let vote_is_yes = stump.votes[class] == sign;
                            *factor = if vote_is_yes == (class == label) { right } else { wrong };
                        }
                        row
                    })
                    .collect()
            })
        };
        let root = factors(&hypothesis.root);
        let branch = hypothesis.branch.as_ref().map(|b| (b, factors(&b.stump)));
        let is_above =
            |stump: &Stump, example: usize| self.columns[stump.feature][example] > stump.threshold;
        let mut sum = 0.0;
        for (example, row) in self.rows.iter_mut().enumerate() {
            let above = is_above(&hypothesis.root, example);
            let factor = match &branch {
                Some((branch, factors)) if branch.above == above => {
                    &factors[usize::from(is_above(&branch.stump, example))]
                }
                _ => &root[usize::from(above)],
            };
            let factor = &factor[self.labels[example]];
            row[L - 1] = 0.0;
            for lane in 0..L {
                row[lane] *= factor[lane];
            }
            let mut weight = 0.0;
            for lane in &row[..L - 1] {
                weight += lane.abs();
            }
            row[L - 1] = weight;
            sum += weight;
        }
        let scale = 1.0 / sum;
        for row in &mut self.rows {
            for lane in row {
                *lane *= scale;
            }
        }
    }
}

#[cfg(test)]
impl<const L: usize> Boosting<L> {
    /// The scan of every feature with the best instructions here and with none.
    pub(super) fn assert_scan_is_the_same_without_vector_instructions(&self) {
        let everyone = vec![true; self.labels.len()];
        let total = self.total(&everyone, true);
        let mut blocks = Vec::new();
        for (column, order) in self.columns.iter().zip(&self.orders) {
            let mut scan = |arch: Arch| {
                let floor = Floor::new();
                let (rows, total, floor, blocks) = (&self.rows, &total, &floor, &mut blocks);
                let cut = arch.dispatch(Search { column, order, rows, total, floor, blocks });
                cut.map(|cut| (cut.below, cut.edge.to_bits(), cut.prefix.map(f64::to_bits)))
            };
            assert!(scan(instructions()).is_some());
            assert_eq!(scan(instructions()), scan(Arch::Scalar));
        }
    }
}

/// Numbers of the values in ascending order; equal ones by number.
fn ascending(column: &[f32]) -> Vec<u32> {
    let mut order: Vec<u32> = (0..column.len() as u32).collect();
    // Zero and minus zero are equal values.
    order.sort_by(|&a, &b| (column[a as usize] + 0.0).total_cmp(&(column[b as usize] + 0.0)));
    order
}

/// The examples of one side, in the same order.
fn keep_side(order: &[u32], above: &[bool], side: bool, kept: &mut Vec<u32>) {
    kept.clear();
    kept.resize(order.len(), 0);
    let mut count = 0;
    for &example in order {
        // Written always, counted when it belongs: no branch to mispredict.
        kept[count] = example;
        count += usize::from(above[example as usize] == side);
    }
    kept.truncate(count);
}

/// Middle of two values, never so rounded that `high` would not lie above it.
fn middle(low: f32, high: f32) -> f32 {
    let middle = ((f64::from(low) + f64::from(high)) / 2.0) as f32;
    if middle < high { middle } else { low }
}
