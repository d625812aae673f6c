//! Cholesky factorization of the matrix that crossed random intercepts give: two diagonal
//! blocks (one a side) joined by a cross block. The larger side is eliminated first, which
//! leaves a dense matrix only as large as the smaller side.

use libm::{log, sqrt};

/// The matrix \[diag(large), cross; cross', diag(small)\] and its factorization.
#[derive(Debug, Clone)]
pub(super) struct Bordered {
    /// Diagonal of the larger side.
    pub(super) large: Vec<f64>,
    /// Diagonal of the smaller side.
    pub(super) small: Vec<f64>,
    /// Cross block, one row a level of the larger side.
    pub(super) cross: Vec<f64>,
    /// Lower Cholesky factor of the Schur complement of the larger side, row by row.
    lower: Vec<f64>,
}

/// Entries of the inverse that the gradient needs.
#[derive(Debug, Clone)]
pub(super) struct Inverse {
    pub(super) large: Vec<f64>,
    pub(super) small: Vec<f64>,
    /// Laid out as the cross block.
    pub(super) cross: Vec<f64>,
}

impl Bordered {
    pub(super) fn new(large: usize, small: usize) -> Self {
        Self {
            large: vec![1.0; large],
            small: vec![1.0; small],
            cross: vec![0.0; large * small],
            lower: vec![0.0; small * small],
        }
    }

    fn rows(&self) -> impl Iterator<Item = (&[f64], f64)> {
        self.cross.chunks_exact(self.small.len()).zip(self.large.iter().copied())
    }

    /// Factorizes and returns the log-determinant; `None` if not positive definite.
    pub(super) fn factorize(&mut self) -> Option<f64> {
        let n = self.small.len();
        let mut lower = std::mem::take(&mut self.lower);
        lower.fill(0.0);
        for (place, &diagonal) in self.small.iter().enumerate() {
            lower[place * (n + 1)] = diagonal;
        }
        for (row, diagonal) in self.rows() {
            for (i, &left) in row.iter().enumerate().filter(|&(_, &left)| left != 0.0) {
                let scale = left / diagonal;
                for (target, &right) in lower[i * n..=i * n + i].iter_mut().zip(row) {
                    *target -= scale * right;
                }
            }
        }
        let mut log_determinant: f64 = self.large.iter().map(|&d| log(d)).sum();
        let mut definite = true;
        for i in 0..n {
            let (above, rest) = lower.split_at_mut(i * n);
            let row = &mut rest[..=i];
            for j in 0..i {
                let (done, open) = row.split_at_mut(j);
                open[0] = (open[0] - dot(done, &above[j * n..j * n + j])) / above[j * n + j];
            }
            let pivot = row[i] - dot(&row[..i], &row[..i]);
            definite &= pivot > 0.0;
            row[i] = sqrt(pivot);
            log_determinant += log(pivot);
        }
        self.lower = lower;
        (definite && log_determinant.is_finite()).then_some(log_determinant)
    }

    /// Solves in place for one right-hand side, given by its two sides.
    pub(super) fn solve(&self, large: &mut [f64], small: &mut [f64]) {
        for ((row, diagonal), value) in self.rows().zip(large.iter()) {
            axpy(-value / diagonal, row, small);
        }
        self.solve_small(small);
        for ((row, diagonal), value) in self.rows().zip(large) {
            *value = (*value - dot(row, small)) / diagonal;
        }
    }

    fn solve_small(&self, values: &mut [f64]) {
        let n = self.small.len();
        for i in 0..n {
            let row = &self.lower[i * n..];
            values[i] = (values[i] - dot(&row[..i], &values[..i])) / row[i];
        }
        for i in (0..n).rev() {
            let row = &self.lower[i * n..];
            values[i] /= row[i];
            let value = values[i];
            axpy(-value, &row[..i], &mut values[..i]);
        }
    }

    pub(super) fn inverse(&self) -> Inverse {
        let n = self.small.len();
        let mut schur = vec![0.0; n * n];
        for (place, column) in schur.chunks_exact_mut(n).enumerate() {
            column[place] = 1.0;
            self.solve_small(column);
        }
        let mut cross = vec![0.0; self.cross.len()];
        let mut large = Vec::with_capacity(self.large.len());
        for ((row, diagonal), target) in self.rows().zip(cross.chunks_exact_mut(n)) {
            for (&value, column) in row.iter().zip(schur.chunks_exact(n)) {
                if value != 0.0 {
                    axpy(-value / diagonal, column, target);
                }
            }
            large.push((1.0 - dot(row, target)) / diagonal);
        }
        Inverse { large, small: (0..n).map(|i| schur[i * (n + 1)]).collect(), cross }
    }
}

/// Inner product in four fixed lanes: fast, and the same order of additions everywhere.
fn dot(a: &[f64], b: &[f64]) -> f64 {
    let n = a.len().min(b.len());
    let (a, b) = (&a[..n], &b[..n]);
    let mut lanes = [0.0; 4];
    let (fours_a, fours_b) = (a.chunks_exact(4), b.chunks_exact(4));
    let rest: f64 = fours_a.remainder().iter().zip(fours_b.remainder()).map(|(a, b)| a * b).sum();
    for (a, b) in fours_a.zip(fours_b) {
        for lane in 0..4 {
            lanes[lane] += a[lane] * b[lane];
        }
    }
    (lanes[0] + lanes[1]) + (lanes[2] + lanes[3]) + rest
}

fn axpy(scale: f64, from: &[f64], to: &mut [f64]) {
    for (to, from) in to.iter_mut().zip(from) {
        *to += scale * from;
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn solves_and_inverts_a_matrix_built_by_hand() {
        let mut matrix = Bordered::new(3, 2);
        matrix.large = vec![4.0, 5.0, 6.0];
        matrix.small = vec![7.0, 8.0];
        matrix.cross = vec![1.0, 2.0, 0.0, 1.5, -1.0, 0.5];
        let dense = |i: usize, j: usize| match (i.min(j), i.max(j)) {
            (a, b) if a == b => [4.0, 5.0, 6.0, 7.0, 8.0][a],
            (a, b) if a < 3 && b >= 3 => matrix.cross[a * 2 + b - 3],
            _ => 0.0,
        };
        let dense: Vec<Vec<f64>> = (0..5).map(|i| (0..5).map(|j| dense(i, j)).collect()).collect();
        let log_determinant = matrix.factorize().unwrap();
        let mut columns = Vec::new();
        for unit in 0..5 {
            let mut x = [0.0; 5];
            x[unit] = 1.0;
            let (large, small) = x.split_at_mut(3);
            matrix.solve(large, small);
            for (i, row) in dense.iter().enumerate() {
                let product: f64 = row.iter().zip(&x).map(|(a, x)| a * x).sum();
                assert!((product - f64::from(u8::from(i == unit))).abs() < 1e-14);
            }
            columns.push(x);
        }
        let inverse = matrix.inverse();
        for a in 0..3 {
            assert!((inverse.large[a] - columns[a][a]).abs() < 1e-15);
            for b in 0..2 {
                assert!((inverse.cross[a * 2 + b] - columns[a][3 + b]).abs() < 1e-15);
                assert!((inverse.small[b] - columns[3 + b][3 + b]).abs() < 1e-15);
            }
        }
        // The determinant by Gaussian elimination.
        let mut work = dense;
        let mut determinant = 1.0;
        for i in 0..5 {
            let pivot = work[i].clone();
            determinant *= pivot[i];
            for row in &mut work[i + 1..] {
                let scale = row[i] / pivot[i];
                axpy(-scale, &pivot, row);
            }
        }
        assert!((log_determinant - libm::log(determinant)).abs() < 1e-13);
        matrix.large[0] = 0.1;
        assert!(matrix.factorize().is_none());
    }
}
