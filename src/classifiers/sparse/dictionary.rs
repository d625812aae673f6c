//! A dictionary: atoms, their inner products, and what a solver needs of a signal.

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use super::kernels::{dot, dot4};

/// Atoms d_j (columns of D in the literature, rows here) and their Gram matrix.
#[derive(Debug, Clone, PartialEq)]
pub struct Dictionary {
    dimensions: usize,
    atoms: Vec<f64>,
    gram: Vec<f64>,
    gram_single: Vec<f32>,
    /// Greatest square of an atom's length.
    largest: f64,
}

/// Why atoms are no dictionary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DictionaryFault {
    /// The atom of this number is zero.
    Zero(usize),
    /// These two atoms are multiples of each other: which of them a code uses is arbitrary.
    Parallel(usize, usize),
}

/// A sparse code: the signal is nearly the sum of `weight * atom` over its entries.
#[derive(Debug, Clone, PartialEq)]
pub struct Code {
    /// Atom and weight; no atom twice.
    pub entries: Vec<(usize, f64)>,
    /// How the solver ended.
    pub exit: Exit,
    /// Steps or iterations it took.
    pub steps: usize,
}

/// How a solver ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Exit {
    /// Solved.
    Solved,
    /// No code comes as close as epsilon asks: the nearest one was returned.
    OutOfReach,
    /// Stopped at the limit of iterations: an approximation was returned.
    IterationLimit,
    /// The line search found nothing better: an approximation was returned.
    LineSearch,
}

/// cos^2 of the angle between two atoms above which they count as parallel.
const PARALLEL: f64 = 1.0 - 1e-12;

struct Rows<'a> {
    atoms: &'a [f64],
    vector: &'a [f64],
    out: &'a mut [f64],
}

impl WithSimd for Rows<'_> {
    type Output = ();

    /// Inner products of the vector with every atom, four atoms at a time.
    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let length = self.vector.len();
        let fours = self.atoms.chunks_exact(4 * length);
        let singles = fours.remainder().chunks_exact(length);
        let (head, tail) = self.out.split_at_mut(self.out.len() / 4 * 4);
        for (atoms, out) in fours.zip(head.chunks_exact_mut(4)) {
            let (a, b) = atoms.split_at(2 * length);
            let ((a, b), (c, d)) = (a.split_at(length), b.split_at(length));
            out.copy_from_slice(&dot4(simd, self.vector, [a, b, c, d]));
        }
        for (atom, out) in singles.zip(tail) {
            *out = dot(simd, self.vector, atom);
        }
    }
}

struct Batch<'a> {
    atoms: &'a [f64],
    vectors: [&'a [f64]; 4],
    out: &'a mut [Vec<f64>; 4],
}

impl WithSimd for Batch<'_> {
    type Output = ();

    /// Inner products of four vectors with every atom, reading the atoms once.
    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        for (number, atom) in self.atoms.chunks_exact(self.vectors[0].len()).enumerate() {
            let products = dot4(simd, atom, self.vectors);
            for (out, product) in self.out.iter_mut().zip(products) {
                out[number] = product;
            }
        }
    }
}

/// Inner products of all pairs of row-major `rows` of `length` values, row-major.
pub(super) fn gram(rows: &[f64], length: usize) -> Vec<f64> {
    let count = rows.len() / length;
    let mut gram = vec![0.0; count * count];
    let arch = Arch::new();
    gram.par_chunks_exact_mut(count.max(1)).enumerate().for_each(|(number, out)| {
        let vector = &rows[number * length..][..length];
        arch.dispatch(Rows { atoms: rows, vector, out });
    });
    gram
}

/// Inner products of row-major `rows` with a `vector`.
pub(super) fn products(rows: &[f64], vector: &[f64]) -> Vec<f64> {
    let mut out = vec![0.0; rows.len() / vector.len()];
    Arch::new().dispatch(Rows { atoms: rows, vector, out: &mut out });
    out
}

impl Dictionary {
    /// A dictionary of `atoms`: row-major, `dimensions` finite values each.
    ///
    /// # Errors
    /// [`DictionaryFault`] when an atom is zero or two are parallel.
    pub fn new(dimensions: usize, atoms: Vec<f64>) -> Result<Self, DictionaryFault> {
        let count = atoms.len() / dimensions;
        let gram = gram(&atoms, dimensions);
        for i in 0..count {
            if gram[i * count + i] == 0.0 {
                return Err(DictionaryFault::Zero(i));
            }
        }
        for i in 0..count {
            for j in i + 1..count {
                let cosine = gram[i * count + j];
                if cosine * cosine > PARALLEL * gram[i * count + i] * gram[j * count + j] {
                    return Err(DictionaryFault::Parallel(i, j));
                }
            }
        }
        let gram_single = gram.iter().map(|&product| product as f32).collect();
        let largest = (0..count).fold(0.0, |most: f64, i| most.max(gram[i * count + i]));
        Ok(Self { dimensions, atoms, gram, gram_single, largest })
    }

    /// Values of an atom.
    pub fn dimensions(&self) -> usize {
        self.dimensions
    }

    /// Number of atoms.
    pub fn len(&self) -> usize {
        self.atoms.len() / self.dimensions
    }

    /// Whether there is no atom.
    pub fn is_empty(&self) -> bool {
        self.atoms.is_empty()
    }

    /// Atoms, row-major.
    pub fn atoms(&self) -> &[f64] {
        &self.atoms
    }

    /// Inner products of all atoms, row-major.
    pub(super) fn gram(&self) -> &[f64] {
        &self.gram
    }

    /// The same in single precision.
    pub(super) fn gram_single(&self) -> &[f32] {
        &self.gram_single
    }

    /// Greatest inner product of two atoms, in magnitude.
    pub(super) fn largest(&self) -> f64 {
        self.largest
    }

    /// Inner product of atoms `i` and `j`.
    pub fn product(&self, i: usize, j: usize) -> f64 {
        self.gram[i * self.len() + j]
    }

    /// Inner products of `signal` with every atom: D^T x.
    pub fn correlations(&self, signal: &[f64]) -> Vec<f64> {
        products(&self.atoms, signal)
    }

    /// [`Dictionary::correlations`] of several signals, to the same bits, reading the atoms
    /// once for every four.
    pub fn correlations_of_all(&self, signals: &[Vec<f64>]) -> Vec<Vec<f64>> {
        let fours = signals.chunks_exact(4);
        let singles = fours.remainder();
        let mut all = Vec::with_capacity(signals.len());
        for four in fours {
            let mut out = [(); 4].map(|()| vec![0.0; self.len()]);
            let vectors = [&four[0][..], &four[1], &four[2], &four[3]];
            Arch::new().dispatch(Batch { atoms: &self.atoms, vectors, out: &mut out });
            all.extend(out);
        }
        all.extend(singles.iter().map(|signal| self.correlations(signal)));
        all
    }
}
