//! The search for the best cut of one feature: the hot loop of boosting.
//!
//! With examples in ascending order of the feature and signed weights r_il = w_il y_il, a
//! stump that cuts after some of them has the edge sum_l |T_l - 2 P_l|, where T is the sum
//! of all r and P that of the examples below the cut. The exact maximum is found by branch
//! and bound: P is summed block by block, and because moving the cut past an example
//! changes the edge by at most twice the example's weight, a block of weight m between two
//! cuts of edges a and b holds none above (a + b) / 2 + m. Only blocks that could beat the
//! best edge known so far are looked at cut by cut.

use std::sync::atomic::{AtomicU64, Ordering};

/// Examples per block: long enough to skip most edges, short enough to bound them well.
const BLOCK: usize = 16;

/// More than what rounding can do to an edge or its bound.
const SLACK: f64 = 1e-11;

/// One example's signed weights, zeros, and in the last lane the sum of its weights.
pub(super) type Row<const L: usize> = [f64; L];

/// Order of edges: they are compared in steps of 2^-40, so that a tie in theory is a tie in
/// fact, whatever the order of summation. (Our choice: the original leaves it to rounding.)
pub(super) fn rank(edge: f64) -> i64 {
    libm::round(edge * (1u64 << 40) as f64) as i64
}

/// The best edge any thread has met, to skip what cannot beat it. It decides how much work
/// is done, never which cut is found.
pub(super) struct Floor(AtomicU64);

impl Floor {
    pub(super) fn new() -> Self {
        Self(AtomicU64::new(0))
    }

    fn get(&self) -> f64 {
        f64::from_bits(self.0.load(Ordering::Relaxed))
    }

    /// Edges are not negative, and such floats are ordered as their bits are.
    fn raise(&self, edge: f64) {
        self.0.fetch_max(edge.to_bits(), Ordering::Relaxed);
    }
}

/// A cut of one feature.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cut<const L: usize> {
    /// How many examples lie below, at least 1, not all.
    pub(super) below: usize,
    /// Sum of their rows.
    pub(super) prefix: Row<L>,
    /// Its edge.
    pub(super) edge: f64,
}

/// Sum of rows up to a block, and the bound on the edges in it.
pub(super) struct Block<const L: usize> {
    prefix: Row<L>,
    bound: f64,
}

/// sum_l |total_l - 2 prefix_l|, without the last lane; always added in the same order.
#[inline(always)]
fn edge_of<const L: usize>(total: &Row<L>, prefix: &Row<L>) -> f64 {
    let mut edges = [0.0; L];
    for lane in 0..L {
        edges[lane] = (total[lane] - 2.0 * prefix[lane]).abs();
    }
    edges[L - 1] = 0.0;
    let mut four = [0.0; 4];
    for group in edges.chunks_exact(4) {
        for lane in 0..4 {
            four[lane] += group[lane];
        }
    }
    (four[0] + four[2]) + (four[1] + four[3])
}

#[inline(always)]
fn add<const L: usize>(sum: &mut Row<L>, row: &Row<L>) {
    for lane in 0..L {
        sum[lane] += row[lane];
    }
}

/// Best cut of one feature: the first of those with the greatest rank. `order` holds the
/// examples by ascending value in `column`, `total` the sum of their rows. `None` when all
/// values are equal, or when other features are known to have better cuts.
#[inline(always)]
pub(super) fn best_cut<const L: usize>(
    column: &[f32],
    order: &[u32],
    rows: &[Row<L>],
    total: &Row<L>,
    floor: &Floor,
    blocks: &mut Vec<Block<L>>,
) -> Option<Cut<L>> {
    bound_blocks(column, order, rows, total, floor, blocks);
    let mut best: Option<Cut<L>> = None;
    let mut best_rank = -1;
    for (number, block) in blocks.iter().enumerate() {
        if block.bound < floor.get() - SLACK {
            continue;
        }
        let mut prefix = block.prefix;
        let start = number * BLOCK;
        for below in start + 1..(start + BLOCK + 1).min(order.len()) {
            let last = order[below - 1] as usize;
            add(&mut prefix, &rows[last]);
            if column[last] == column[order[below] as usize] {
                continue;
            }
            let edge = edge_of(total, &prefix);
            if rank(edge) > best_rank {
                best_rank = rank(edge);
                floor.raise(edge);
                best = Some(Cut { below, prefix, edge });
            }
        }
    }
    best
}

/// Sums every block and bounds the edges of the cuts after each of its examples.
#[inline(always)]
fn bound_blocks<const L: usize>(
    column: &[f32],
    order: &[u32],
    rows: &[Row<L>],
    total: &Row<L>,
    floor: &Floor,
    blocks: &mut Vec<Block<L>>,
) {
    blocks.clear();
    let mut prefix = [0.0; L];
    let mut edge = edge_of(total, &prefix);
    let mut highest = 0.0;
    for (number, block) in order.chunks(BLOCK).enumerate() {
        // Two sums at a time hide the latency of an addition.
        let (mut even, mut odd) = ([0.0; L], [0.0; L]);
        let pairs = block.chunks_exact(2);
        if let [last] = pairs.remainder() {
            add(&mut even, &rows[*last as usize]);
        }
        for pair in pairs {
            add(&mut even, &rows[pair[0] as usize]);
            add(&mut odd, &rows[pair[1] as usize]);
        }
        add(&mut even, &odd);
        let before = prefix;
        add(&mut prefix, &even);
        let after = edge_of(total, &prefix);
        blocks.push(Block { prefix: before, bound: (edge + after) / 2.0 + even[L - 1] });
        edge = after;
        let end = number * BLOCK + block.len();
        if after > highest && end < order.len() {
            let differs = column[order[end - 1] as usize] != column[order[end] as usize];
            if differs {
                highest = after;
            }
        }
    }
    floor.raise(highest);
}
