//! Eigenvectors of a symmetric matrix: Householder's reduction to tridiagonal form, then
//! implicit QL steps with Wilkinson's shift (Golub & Van Loan, *Matrix Computations*, 8.3).
//! Every sum has a fixed order, so the same matrix gives the same bits.

/// Most QL steps for one eigenvalue; two or three are usual.
const STEPS: usize = 60;

/// Eigenvalues of the symmetric `matrix` (row-major, `n` x `n`), greatest first, and their
/// eigenvectors of length 1, one a row.
pub(super) fn eigen(mut matrix: Vec<f64>, n: usize) -> (Vec<f64>, Vec<Vec<f64>>) {
    let (mut diagonal, mut beside, mut vectors) = tridiagonal(&mut matrix, n);
    implicit_ql(&mut diagonal, &mut beside, &mut vectors);
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by(|&a, &b| diagonal[b].total_cmp(&diagonal[a]));
    let values = order.iter().map(|&i| diagonal[i]).collect();
    (values, order.into_iter().map(|i| std::mem::take(&mut vectors[i])).collect())
}

/// Reduces to tridiagonal form T = Q^T A Q: the diagonal of T, the entries beside it (the
/// last is 0), and the rows of Q^T.
fn tridiagonal(a: &mut [f64], n: usize) -> (Vec<f64>, Vec<f64>, Vec<Vec<f64>>) {
    let mut rows: Vec<Vec<f64>> =
        (0..n).map(|i| (0..n).map(|j| f64::from(i == j)).collect()).collect();
    let mut beside = vec![0.0; n];
    for k in 0..n.saturating_sub(1) {
        let first = k + 1;
        let mut v: Vec<f64> = (first..n).map(|i| a[i * n + k]).collect();
        let length = libm::sqrt(v.iter().map(|x| x * x).sum());
        let alpha = if v[0] > 0.0 { -length } else { length };
        beside[k] = alpha;
        v[0] -= alpha;
        let square: f64 = v.iter().map(|x| x * x).sum();
        if square == 0.0 {
            continue;
        }
        // Reflection I - beta v v^T on both sides of what is left of A.
        let beta = 2.0 / square;
        let mut w: Vec<f64> =
            (first..n).map(|i| beta * dot(&a[i * n + first..][..v.len()], &v)).collect();
        let half = 0.5 * beta * dot(&w, &v);
        w.iter_mut().zip(&v).for_each(|(w, v)| *w -= half * v);
        for (i, row) in a.chunks_exact_mut(n).skip(first).enumerate() {
            for ((x, v_j), w_j) in row[first..].iter_mut().zip(&v).zip(&w) {
                *x -= v[i] * w_j + w[i] * v_j;
            }
        }
        let mut sum = vec![0.0; n];
        for (row, v) in rows[first..].iter().zip(&v) {
            sum.iter_mut().zip(row).for_each(|(sum, x)| *sum += v * x);
        }
        for (row, v) in rows[first..].iter_mut().zip(&v) {
            row.iter_mut().zip(&sum).for_each(|(x, sum)| *x -= beta * v * sum);
        }
    }
    ((0..n).map(|i| a[i * n + i]).collect(), beside, rows)
}

/// Turns a tridiagonal matrix into its eigenvalues, and `rows` along with it.
fn implicit_ql(d: &mut [f64], e: &mut [f64], rows: &mut [Vec<f64>]) {
    let n = d.len();
    for l in 0..n {
        for _ in 0..STEPS {
            let negligible =
                |&m: &usize| e[m].abs() <= f64::EPSILON * (d[m].abs() + d[m + 1].abs());
            let m = (l..n - 1).find(negligible).unwrap_or(n - 1);
            if m == l {
                break;
            }
            step(d, e, rows, l, m);
        }
    }
}

/// One QL step on the block from `l` to `m`.
fn step(d: &mut [f64], e: &mut [f64], rows: &mut [Vec<f64>], l: usize, m: usize) {
    let shift = (d[l + 1] - d[l]) / (2.0 * e[l]);
    let root = libm::hypot(shift, 1.0).copysign(shift);
    let mut g = d[m] - d[l] + e[l] / (shift + root);
    let (mut sine, mut cosine, mut p) = (1.0, 1.0, 0.0);
    for i in (l..m).rev() {
        let (f, b) = (sine * e[i], cosine * e[i]);
        let r = libm::hypot(f, g);
        e[i + 1] = r;
        if r == 0.0 {
            d[i + 1] -= p;
            e[m] = 0.0;
            return;
        }
        (sine, cosine) = (f / r, g / r);
        g = d[i + 1] - p;
        let q = (d[i] - g) * sine + 2.0 * cosine * b;
        p = sine * q;
        d[i + 1] = g + p;
        g = cosine * q - b;
        let (upper, lower) = rows.split_at_mut(i + 1);
        for (x, y) in upper[i].iter_mut().zip(&mut lower[0]) {
            (*x, *y) = (cosine * *x - sine * *y, sine * *x + cosine * *y);
        }
    }
    d[l] -= p;
    e[l] = g;
    e[m] = 0.0;
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use trompe_base::random::stream;

    use super::*;
    use crate::dataset::generated::normal;

    #[test]
    fn vectors_are_orthonormal_and_give_the_matrix_back() {
        for (n, rank) in [(1, 1), (2, 2), (7, 7), (40, 40), (30, 12)] {
            let mut rng = stream(n as u64, 1, 0, 0);
            let factor: Vec<f64> = (0..n * rank).map(|_| normal(&mut rng)).collect();
            let matrix: Vec<f64> = (0..n * n)
                .map(|at| dot(&factor[at / n * rank..][..rank], &factor[at % n * rank..][..rank]))
                .collect();
            let (values, vectors) = eigen(matrix.clone(), n);
            assert!(values.windows(2).all(|pair| pair[0] >= pair[1]));
            for i in 0..n {
                for j in 0..n {
                    let product = dot(&vectors[i], &vectors[j]);
                    assert!((product - f64::from(i == j)).abs() < 1e-12, "{n}: {product}");
                    let back: f64 = values.iter().zip(&vectors).map(|(l, v)| l * v[i] * v[j]).sum();
                    assert!((back - matrix[i * n + j]).abs() < 1e-10 * n as f64, "{n}: {back}");
                }
            }
        }
    }

    /// The second differences of six points have the eigenvalues 2 - 2 cos(pi k / 7).
    #[test]
    fn known_eigenvalues() {
        let second = |i: usize, j: usize| match i.abs_diff(j) {
            0 => 2.0,
            1 => -1.0,
            _ => 0.0,
        };
        let (values, _) = eigen((0..36).map(|at| second(at / 6, at % 6)).collect(), 6);
        for (k, value) in (1..=6).rev().zip(values) {
            let exact = 2.0 - 2.0 * (std::f64::consts::PI * f64::from(k) / 7.0).cos();
            assert!((value - exact).abs() < 1e-13, "{value} {exact}");
        }
    }
}
