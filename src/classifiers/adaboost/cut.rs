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

use pulp::{Arch, Scalar, Simd, WithSimd};

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

/// The best instructions for [`Search`]: vectors of at most four numbers. Rows padded for
/// wider ones would no longer fit the cache.
pub(super) fn instructions() -> Arch {
    #[cfg(target_arch = "x86_64")]
    if let Some(simd) = pulp::x86::V3::try_new() {
        return Arch::V3(simd);
    }
    Arch::new()
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

/// A search for the best cut of one feature: the first of those with the greatest rank.
/// Finds `None` when all values are equal, or when other features are known to be better.
pub(super) struct Search<'a, const L: usize> {
    /// Values of the feature.
    pub(super) column: &'a [f32],
    /// Examples by ascending value.
    pub(super) order: &'a [u32],
    /// Rows of all examples.
    pub(super) rows: &'a [Row<L>],
    /// Sum of the rows in `order`.
    pub(super) total: &'a Row<L>,
    /// Best edge known.
    pub(super) floor: &'a Floor,
    /// Room to work in.
    pub(super) blocks: &'a mut Vec<Block<L>>,
}

impl<const L: usize> WithSimd for Search<'_, L> {
    type Output = Option<Cut<L>>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Self::Output {
        // Rows hold whole vectors of up to four numbers; `instructions` has no wider ones.
        if S::F64_LANES > 4 { self.best(Scalar) } else { self.best(simd) }
    }
}

/// A row in registers: the first `L / S::F64_LANES` vectors count.
type Sums<S, const L: usize> = [<S as Simd>::f64s; L];

#[inline(always)]
fn load<S: Simd, const L: usize>(simd: S, row: &Row<L>) -> Sums<S, L> {
    let mut sums = [simd.splat_f64s(0.0); L];
    for (sum, &vector) in sums.iter_mut().zip(S::as_simd_f64s(row).0) {
        *sum = vector;
    }
    sums
}

#[inline(always)]
fn store<S: Simd, const L: usize>(sums: &Sums<S, L>) -> Row<L> {
    let mut row = [0.0; L];
    for (vector, &sum) in S::as_mut_simd_f64s(&mut row).0.iter_mut().zip(sums) {
        *vector = sum;
    }
    row
}

#[inline(always)]
fn add<S: Simd, const L: usize>(simd: S, sums: &mut Sums<S, L>, row: &Row<L>) {
    for (sum, &vector) in sums.iter_mut().zip(S::as_simd_f64s(row).0) {
        *sum = simd.add_f64s(*sum, vector);
    }
}

/// sum_l |total_l - 2 prefix_l|, without the last lane. Added in the same order whatever
/// the width of a vector: four partial sums, then (0 + 2) + (1 + 3).
#[inline(always)]
fn edge_of<S: Simd, const L: usize>(simd: S, total: &Sums<S, L>, prefix: &Sums<S, L>) -> f64 {
    let mut partial = [simd.splat_f64s(0.0); 4];
    let wide = 4 / S::F64_LANES;
    for vector in 0..L / S::F64_LANES {
        let twice = simd.add_f64s(prefix[vector], prefix[vector]);
        // The greater of both differences is the absolute one.
        let (low, high) = (total[vector], twice);
        let mut edge = simd.max_f64s(simd.sub_f64s(low, high), simd.sub_f64s(high, low));
        if vector == L / S::F64_LANES - 1 {
            let mut keep = [1.0; 4];
            keep[S::F64_LANES - 1] = 0.0;
            edge = simd.mul_f64s(edge, S::as_simd_f64s(&keep).0[0]);
        }
        partial[vector % wide] = simd.add_f64s(partial[vector % wide], edge);
    }
    let mut four = [0.0; 4];
    for (vector, &sum) in S::as_mut_simd_f64s(&mut four).0.iter_mut().zip(&partial) {
        *vector = sum;
    }
    (four[0] + four[2]) + (four[1] + four[3])
}

impl<const L: usize> Search<'_, L> {
    #[inline(always)]
    fn best<S: Simd>(mut self, simd: S) -> Option<Cut<L>> {
        let total = load(simd, self.total);
        self.bound_blocks(simd, &total);
        let Self { column, order, rows, floor, blocks, .. } = self;
        let mut best: Option<Cut<L>> = None;
        let mut best_rank = -1;
        for (number, block) in blocks.iter().enumerate() {
            if block.bound < floor.get() - SLACK {
                continue;
            }
            let mut prefix = load(simd, &block.prefix);
            let start = number * BLOCK;
            for below in start + 1..(start + BLOCK + 1).min(order.len()) {
                let last = order[below - 1] as usize;
                add(simd, &mut prefix, &rows[last]);
                if column[last] == column[order[below] as usize] {
                    continue;
                }
                let edge = edge_of(simd, &total, &prefix);
                if rank(edge) > best_rank {
                    best_rank = rank(edge);
                    floor.raise(edge);
                    best = Some(Cut { below, prefix: store::<S, L>(&prefix), edge });
                }
            }
        }
        best
    }

    /// Sums every block and bounds the edges of the cuts after each of its examples.
    #[inline(always)]
    fn bound_blocks<S: Simd>(&mut self, simd: S, total: &Sums<S, L>) {
        let (column, order, rows) = (self.column, self.order, self.rows);
        self.blocks.clear();
        let zero = [simd.splat_f64s(0.0); L];
        let mut prefix = zero;
        let mut edge = edge_of(simd, total, &prefix);
        let mut highest = self.floor.get();
        for (number, block) in order.chunks(BLOCK).enumerate() {
            // Two sums at a time hide the latency of an addition.
            let (mut even, mut odd) = (zero, zero);
            let pairs = block.chunks_exact(2);
            if let [last] = pairs.remainder() {
                add(simd, &mut even, &rows[*last as usize]);
            }
            for pair in pairs {
                add(simd, &mut even, &rows[pair[0] as usize]);
                add(simd, &mut odd, &rows[pair[1] as usize]);
            }
            let before = store::<S, L>(&prefix);
            for vector in 0..L / S::F64_LANES {
                even[vector] = simd.add_f64s(even[vector], odd[vector]);
                prefix[vector] = simd.add_f64s(prefix[vector], even[vector]);
            }
            let after = edge_of(simd, total, &prefix);
            let weight = store::<S, L>(&even)[L - 1];
            self.blocks.push(Block { prefix: before, bound: (edge + after) / 2.0 + weight });
            edge = after;
            let end = number * BLOCK + block.len();
            if after > highest && end < order.len() {
                let differs = column[order[end - 1] as usize] != column[order[end] as usize];
                if differs {
                    highest = after;
                }
            }
        }
        self.floor.raise(highest);
    }
}
