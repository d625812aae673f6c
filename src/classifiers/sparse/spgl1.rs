//! Basis pursuit denoising by SPGL1: spectral projected gradient with root finding on the
//! Pareto curve (van den Berg & Friedlander, SIAM J. Sci. Comput. 2008), written from the
//! paper, with the tolerances of the authors' program.
//!
//! phi(tau) = min |x - D s|_2 subject to |s|_1 <= tau falls and is convex; its slope is
//! -|D^T r|_inf / |r|. Newton's method seeks phi(tau) = epsilon, and every phi(tau) is
//! approached by projected gradient steps of Barzilai-Borwein length with a line search
//! that may rise above the last value but not above the last three. Sturm stopped it after
//! 200 iterations: what it had found by then is part of his system.

use pulp::{Arch, Simd, WithSimd};

use super::dictionary::{Code, Dictionary, Exit};
use super::kernels::{add_scaled, dot};

/// Tolerance of optimality and of the residual.
const OPTIMAL: f64 = 1e-4;
/// Relative change of the objective below which tau moves on.
const STALLED: f64 = 1e-4;
/// Share of the promised decrease a step must keep.
const SUFFICIENT: f64 = 1e-4;
/// Shortest Barzilai-Borwein step.
const SHORTEST: f64 = 1e-16;
/// Longest Barzilai-Borwein step, a tenth after every failure of the line search.
const LONGEST: f64 = 1e5;
/// Failures of the line search that are forgiven.
const FAILURES: usize = 10;
/// Values the line search looks back on.
const MEMORY: usize = 3;
/// Halvings of a step before the line search gives up.
const HALVINGS: usize = 10;

/// Solves for `signal`, in at most `iterations` iterations.
pub fn spgl1(dictionary: &Dictionary, signal: &[f64], epsilon: f64, iterations: usize) -> Code {
    Arch::new().dispatch(Problem { dictionary, signal, epsilon, iterations })
}

struct Problem<'a> {
    dictionary: &'a Dictionary,
    signal: &'a [f64],
    epsilon: f64,
    iterations: usize,
}

/// A code with its residual and gradient.
#[derive(Clone)]
struct Point {
    code: Vec<f64>,
    residual: Vec<f64>,
    /// |r|^2 / 2.
    value: f64,
}

impl WithSimd for Problem<'_> {
    type Output = Code;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Code {
        let (weights, exit, steps) = self.solve(simd);
        let entries = weights.into_iter().enumerate().filter(|(_, weight)| *weight != 0.0);
        Code { entries: entries.collect(), exit, steps }
    }
}

impl Problem<'_> {
    #[inline(always)]
    fn at<S: Simd>(&self, simd: S, code: Vec<f64>) -> Point {
        let mut residual = self.signal.to_vec();
        let atoms = self.dictionary.atoms().chunks_exact(self.signal.len());
        for (atom, &weight) in atoms.zip(&code).filter(|(_, weight)| **weight != 0.0) {
            add_scaled(&mut residual, -weight, atom);
        }
        let value = dot(simd, &residual, &residual) / 2.0;
        Point { code, residual, value }
    }

    /// Gradient of |r|^2 / 2.
    fn gradient(&self, residual: &[f64]) -> Vec<f64> {
        self.dictionary.correlations(residual).into_iter().map(|c| -c).collect()
    }

    #[inline(always)]
    fn solve<S: Simd>(&self, simd: S) -> (Vec<f64>, Exit, usize) {
        let mut tau = 0.0;
        let mut point = self.at(simd, vec![0.0; self.dictionary.len()]);
        let mut gradient = self.gradient(&point.residual);
        if (2.0 * point.value).sqrt() <= self.epsilon {
            return (point.code, Exit::Solved, 0);
        }
        let mut step = initial_step(&point.code, &gradient, tau);
        let (mut longest, mut failures) = (LONGEST, 0);
        let mut recent = [f64::NEG_INFINITY; MEMORY];
        recent[0] = point.value;
        let mut last_value = point.value;
        let mut moved_tau = false;
        for iteration in 0..=self.iterations {
            let steepest = gradient.iter().fold(0.0, |most: f64, g| most.max(g.abs()));
            let norm = (2.0 * point.value).sqrt();
            if steepest <= 1e-12 {
                return (point.code, Exit::OutOfReach, iteration);
            }
            // Duality gap of the problem at tau, and distance from the root.
            let along: f64 = dot(simd, &point.residual, &point.residual)
                - dot(simd, &point.residual, self.signal);
            let gap = (along + tau * steepest).abs() / point.value.max(1.0);
            let off = norm - self.epsilon;
            let off_squared = (point.value - self.epsilon * self.epsilon / 2.0).abs();
            let relative = off.abs() / norm.max(1.0);
            if gap <= OPTIMAL.max(off_squared / point.value.max(1.0)) || relative <= OPTIMAL {
                // At the root, or inside it: a code that is good enough and may be too long.
                if relative <= OPTIMAL || norm <= self.epsilon {
                    return (point.code, Exit::Solved, iteration);
                }
            }
            if iteration == self.iterations {
                break;
            }
            let change = (point.value - last_value).abs();
            let stalled = match norm > 2.0 * self.epsilon {
                true => change <= STALLED * point.value,
                false => change <= 0.1 * point.value * off.abs(),
            };
            last_value = point.value;
            moved_tau = stalled && !moved_tau;
            if moved_tau {
                let next = (tau + norm * off / steepest).max(0.0);
                if next < tau {
                    point = self.at(simd, project(&point.code, next));
                    gradient = self.gradient(&point.residual);
                    recent = [f64::NEG_INFINITY; MEMORY];
                    recent[0] = point.value;
                }
                tau = next;
            }
            let ceiling = recent.iter().fold(f64::NEG_INFINITY, |most, v| most.max(*v));
            let Some(next) = self
                .along_the_boundary(simd, &point, &gradient, step, tau, ceiling)
                .or_else(|| self.straight(simd, &point, &gradient, step, tau, ceiling))
            else {
                // Nothing lower here: try shorter steps, and let tau move on.
                if failures == FAILURES {
                    return (point.code, Exit::LineSearch, iteration);
                }
                failures += 1;
                longest /= 10.0;
                step = longest;
                continue;
            };
            let next_gradient = self.gradient(&next.residual);
            step = spectral_step(&point.code, &next.code, &gradient, &next_gradient)
                .clamp(SHORTEST, longest);
            recent[(iteration + 1) % MEMORY] = next.value;
            (point, gradient) = (next, next_gradient);
        }
        (point.code, Exit::IterationLimit, self.iterations)
    }

    /// Projects ever shorter steps down the gradient until one falls far enough.
    #[inline(always)]
    fn along_the_boundary<S: Simd>(
        &self,
        simd: S,
        point: &Point,
        gradient: &[f64],
        step: f64,
        tau: f64,
        ceiling: f64,
    ) -> Option<Point> {
        let mut length = step;
        for _ in 0..HALVINGS {
            let code = project(&stepped(&point.code, -length, gradient), tau);
            let slope: f64 = gradient
                .iter()
                .zip(&code)
                .zip(&point.code)
                .map(|((g, new), old)| g * (new - old))
                .sum();
            if slope >= 0.0 {
                return None;
            }
            let next = self.at(simd, code);
            if next.value < ceiling + SUFFICIENT * slope {
                return Some(next);
            }
            length /= 2.0;
        }
        None
    }

    /// Projects one step and shortens the way to it.
    #[inline(always)]
    fn straight<S: Simd>(
        &self,
        simd: S,
        point: &Point,
        gradient: &[f64],
        step: f64,
        tau: f64,
        ceiling: f64,
    ) -> Option<Point> {
        let target = project(&stepped(&point.code, -step, gradient), tau);
        let way: Vec<f64> = target.iter().zip(&point.code).map(|(new, old)| new - old).collect();
        let slope: f64 = gradient.iter().zip(&way).map(|(g, w)| g * w).sum();
        if slope >= 0.0 {
            return None;
        }
        let mut length = 1.0;
        for _ in 0..HALVINGS {
            let next = self.at(simd, stepped(&point.code, length, &way));
            if next.value < ceiling + SUFFICIENT * length * slope {
                return Some(next);
            }
            length /= 2.0;
        }
        None
    }
}

fn stepped(code: &[f64], length: f64, way: &[f64]) -> Vec<f64> {
    code.iter().zip(way).map(|(code, way)| code + length * way).collect()
}

/// First step length: the inverse of the length of a projected unit step.
fn initial_step(code: &[f64], gradient: &[f64], tau: f64) -> f64 {
    let projected = project(&stepped(code, -1.0, gradient), tau);
    let longest =
        projected.iter().zip(code).fold(0.0, |most: f64, (new, old)| most.max((new - old).abs()));
    (1.0 / longest).clamp(SHORTEST, LONGEST)
}

/// Barzilai & Borwein's step: |ds|^2 / (ds . dg).
fn spectral_step(old: &[f64], new: &[f64], old_gradient: &[f64], new_gradient: &[f64]) -> f64 {
    let (mut square, mut product) = (0.0, 0.0);
    for i in 0..old.len() {
        let moved = new[i] - old[i];
        square += moved * moved;
        product += moved * (new_gradient[i] - old_gradient[i]);
    }
    if product <= 0.0 { LONGEST } else { square / product }
}

/// The nearest point with |s|_1 <= tau: all magnitudes lowered by the same amount.
fn project(code: &[f64], tau: f64) -> Vec<f64> {
    let norm: f64 = code.iter().map(|weight| weight.abs()).sum();
    if norm <= tau {
        return code.to_vec();
    }
    let mut magnitudes: Vec<f64> = code.iter().map(|weight| weight.abs()).collect();
    magnitudes.sort_by(|a, b| b.total_cmp(a));
    let (mut sum, mut lower) = (0.0, 0.0);
    for (number, magnitude) in magnitudes.iter().enumerate() {
        sum += magnitude;
        let candidate = (sum - tau) / (number + 1) as f64;
        if candidate > *magnitude {
            break;
        }
        lower = candidate;
    }
    code.iter().map(|weight| weight.signum() * (weight.abs() - lower).max(0.0)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_projection_is_the_nearest_point_of_the_ball() {
        let code = [3.0, -1.0, 0.5, 0.0, -2.0];
        let projected = project(&code, 4.0);
        // Lowered by 2/3: 7/3 + 1/3 + 0 + 0 + 4/3 = 4.
        let expected = [7.0 / 3.0, -1.0 / 3.0, 0.0, 0.0, -4.0 / 3.0];
        for (ours, expected) in projected.iter().zip(expected) {
            assert!((ours - expected).abs() < 1e-12, "{projected:?}");
        }
        assert_eq!(project(&code, 7.0), code);
        assert!(project(&code, 0.0).iter().all(|weight| *weight == 0.0));
    }
}
