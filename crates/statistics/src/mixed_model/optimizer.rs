//! Maximization of a smooth function of a few parameters: BFGS, started with the curvature
//! at the start (differences of exact gradients).

/// Where the climb ended.
#[derive(Debug, Clone)]
pub(super) struct Summit {
    pub(super) at: Vec<f64>,
    pub(super) value: f64,
}

/// Stops where a full step promises less than this.
const TOLERANCE: f64 = 1e-10;

/// Climbs from `start`; `function` gives value and gradient, or `None` where undefined.
/// `None` if the start is undefined or the climb does not end.
pub(super) fn maximize(
    start: &[f64],
    mut function: impl FnMut(&[f64]) -> Option<(f64, Vec<f64>)>,
) -> Option<Summit> {
    let mut at = start.to_vec();
    let (mut value, mut gradient) = function(&at)?;
    let curvature = curvature(&at, &gradient, &mut function);
    let mut inverse = curvature.and_then(invert).unwrap_or_else(|| identity(at.len()));
    let mut fresh = false;
    for _ in 0..200 {
        let step = product(&inverse, &gradient);
        let promise = dot(&step, &gradient);
        if promise.abs() < TOLERANCE {
            return Some(Summit { at, value });
        }
        // A step of three on the logit scale is already a long way.
        let longest = step.iter().fold(0.0_f64, |longest, s| longest.max(s.abs()));
        let mut length = (3.0 / longest).min(1.0);
        let next = loop {
            let moved: Vec<f64> = at.iter().zip(&step).map(|(x, s)| x + length * s).collect();
            match function(&moved) {
                Some((reached, slope)) if reached >= value + 1e-4 * length * promise => {
                    break Some((moved, reached, slope));
                }
                _ => length *= 0.4,
            }
            if length < 1e-8 {
                break None;
            }
        };
        let Some((moved, reached, slope)) = next else {
            // No climb along the model's best direction: rounding, if the promise is tiny;
            // else a bad model, replaced once.
            if promise < 1e-6 || fresh {
                return (promise < 1e-6).then_some(Summit { at, value });
            }
            inverse = identity(at.len());
            fresh = true;
            continue;
        };
        fresh = false;
        let s: Vec<f64> = moved.iter().zip(&at).map(|(to, from)| to - from).collect();
        let y: Vec<f64> = gradient.iter().zip(&slope).map(|(from, to)| from - to).collect();
        update(&mut inverse, &s, &y);
        (at, value, gradient) = (moved, reached, slope);
    }
    None
}

/// Negative Hessian by central differences of the gradient.
pub(super) fn curvature_at(
    at: &[f64],
    mut gradient: impl FnMut(&[f64]) -> Option<Vec<f64>>,
) -> Option<Vec<Vec<f64>>> {
    const STEP: f64 = 1e-4;
    let column = |k: usize| -> Option<Vec<f64>> {
        let mut moved = at.to_vec();
        moved[k] = at[k] + STEP;
        let above = gradient(&moved)?;
        moved[k] = at[k] - STEP;
        let below = gradient(&moved)?;
        Some(below.iter().zip(&above).map(|(b, a)| (b - a) / (2.0 * STEP)).collect())
    };
    let rows: Vec<Vec<f64>> = (0..at.len()).map(column).collect::<Option<_>>()?;
    Some(symmetric(&rows))
}

/// The mean of a square matrix and its transpose.
fn symmetric(rows: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let n = rows.len();
    (0..n).map(|i| (0..n).map(|j| 0.5 * (rows[i][j] + rows[j][i])).collect()).collect()
}

/// Negative Hessian by one-sided differences: enough for a start.
fn curvature(
    at: &[f64],
    gradient: &[f64],
    function: &mut impl FnMut(&[f64]) -> Option<(f64, Vec<f64>)>,
) -> Option<Vec<Vec<f64>>> {
    const STEP: f64 = 1e-3;
    let mut column = |k: usize| -> Option<Vec<f64>> {
        let mut moved = at.to_vec();
        moved[k] += STEP;
        let slope = function(&moved)?.1;
        Some(gradient.iter().zip(&slope).map(|(here, there)| (here - there) / STEP).collect())
    };
    let rows: Vec<Vec<f64>> = (0..at.len()).map(&mut column).collect::<Option<_>>()?;
    Some(symmetric(&rows))
}

/// Inverse of a symmetric positive definite matrix by its Cholesky factor; `None` if it is
/// not positive definite.
pub(super) fn invert(matrix: Vec<Vec<f64>>) -> Option<Vec<Vec<f64>>> {
    let n = matrix.len();
    let mut lower = matrix;
    for i in 0..n {
        for j in 0..=i {
            let inner: f64 = (0..j).map(|k| lower[i][k] * lower[j][k]).sum();
            let rest = lower[i][j] - inner;
            if i == j && (rest <= 0.0 || !rest.is_finite()) {
                return None;
            }
            lower[i][j] = if i == j { libm::sqrt(rest) } else { rest / lower[j][j] };
        }
    }
    let column = |unit: usize| {
        let mut x = vec![0.0; n];
        for i in 0..n {
            let inner: f64 = (0..i).map(|k| lower[i][k] * x[k]).sum();
            x[i] = (f64::from(u8::from(i == unit)) - inner) / lower[i][i];
        }
        for i in (0..n).rev() {
            let inner: f64 = (i + 1..n).map(|k| lower[k][i] * x[k]).sum();
            x[i] = (x[i] - inner) / lower[i][i];
        }
        x
    };
    Some((0..n).map(column).collect())
}

/// The BFGS update of the inverse curvature; skipped where the curvature along the step is
/// not positive.
fn update(inverse: &mut [Vec<f64>], s: &[f64], y: &[f64]) {
    let along = dot(s, y);
    if along <= 1e-12 * dot(y, y) {
        return;
    }
    let hy = product(inverse, y);
    let scale = (1.0 + dot(y, &hy) / along) / along;
    for (i, row) in inverse.iter_mut().enumerate() {
        for (j, entry) in row.iter_mut().enumerate() {
            *entry += scale * s[i] * s[j] - (hy[i] * s[j] + s[i] * hy[j]) / along;
        }
    }
}

fn identity(n: usize) -> Vec<Vec<f64>> {
    // A hundredth: answers come in hundreds, so curvatures are of that order.
    (0..n).map(|i| (0..n).map(|j| if i == j { 0.01 } else { 0.0 }).collect()).collect()
}

fn product(matrix: &[Vec<f64>], vector: &[f64]) -> Vec<f64> {
    matrix.iter().map(|row| dot(row, vector)).collect()
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn climbs_a_bent_ridge() {
        // Rosenbrock's function, upside down: summit 0 at (1, 1).
        let function = |x: &[f64]| {
            let (a, b) = (1.0 - x[0], x[1] - x[0] * x[0]);
            Some((-a * a - 100.0 * b * b, vec![2.0 * a + 400.0 * x[0] * b, -200.0 * b]))
        };
        let summit = maximize(&[-1.2, 1.0], function).unwrap();
        assert!(summit.value > -1e-9);
        assert!((summit.at[0] - 1.0).abs() < 1e-4 && (summit.at[1] - 1.0).abs() < 1e-4);
    }

    #[test]
    fn inverts_and_refuses() {
        let inverse = invert(vec![vec![4.0, 2.0], vec![2.0, 3.0]]).unwrap();
        assert!((inverse[0][0] - 0.375).abs() < 1e-15 && (inverse[0][1] + 0.25).abs() < 1e-15);
        assert!(invert(vec![vec![1.0, 2.0], vec![2.0, 1.0]]).is_none());
        assert!(maximize(&[0.0], |_| None).is_none());
    }
}
