//! Basis pursuit denoising by exact homotopy.
//!
//! min |s|_1 subject to |x - D s|_2 <= epsilon is solved by one point of the LASSO path
//! s(lambda) = argmin |x - D s|^2 / 2 + lambda |s|_1, which is piecewise linear (Osborne,
//! Presnell & Turlach 2000; Efron et al. 2004 with the LASSO modification). Starting at
//! lambda = max |D^T x|, s = 0, every step goes to the next corner, where an atom joins the
//! support or leaves it, until the residual is epsilon: between corners |r|^2 is a known
//! quadratic, so that point is exact too. All in terms of the Gram matrix, with a Cholesky
//! factor of the support's part of it that is extended and shortened, never computed anew.

use pulp::{Arch, Simd, WithSimd};

use super::dictionary::{Code, Dictionary, Exit};
use super::factor::Factor;
use super::kernels::combine;

/// Solves for a signal given by its `correlations` D^T x and its `energy` |x|^2.
/// `epsilon` is positive.
pub fn homotopy(dictionary: &Dictionary, correlations: &[f64], energy: f64, epsilon: f64) -> Code {
    Arch::new().dispatch(Path { dictionary, start: correlations, energy, epsilon })
}

struct Path<'a> {
    dictionary: &'a Dictionary,
    start: &'a [f64],
    energy: f64,
    epsilon: f64,
}

/// Where the path is.
struct State {
    lambda: f64,
    /// Inner product of every atom with the residual; +-lambda on the support.
    correlations: Vec<f64>,
    support: Vec<usize>,
    weights: Vec<f64>,
    factor: Factor,
    /// 0 where an atom may join, infinity where it is in the support or depends on it.
    barred: Vec<f64>,
    /// An atom that has just left: it stands on the boundary, and is not arriving at it.
    left: Option<usize>,
    /// What lowering lambda by 1 adds to the weights ...
    direction: Vec<f64>,
    /// ... and takes from the correlations; the sign on the support.
    slopes: Vec<f64>,
    /// How far lambda falls until an atom joins.
    joins: Vec<f64>,
}

/// What ends a straight piece of the path.
enum Corner {
    Target,
    Join(usize),
    Drop(usize),
    End,
}

impl WithSimd for Path<'_> {
    type Output = Code;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Code {
        let (count, gram) = (self.start.len(), self.dictionary.gram());
        let target = self.epsilon * self.epsilon;
        let mut state = State::new(self.start);
        if self.energy <= target || state.lambda == 0.0 {
            let exit = if self.energy <= target { Exit::Solved } else { Exit::OutOfReach };
            return Code { entries: Vec::new(), exit, steps: 0 };
        }
        let first = state.correlations.iter().position(|c| c.abs() == state.lambda).unwrap_or(0);
        state.join(simd, gram, first);
        // Paths rarely take more than two steps an atom of the support.
        let limit = 20 * count + 100;
        for steps in 1..=limit {
            state.factor.direction(&mut state.direction);
            combine(simd, gram, &state.support, &state.direction, &mut state.slopes);
            let (gamma, corner) = self.corner(simd, &mut state, target);
            state.advance(gamma);
            match corner {
                Corner::Target => return state.code(Exit::Solved, steps),
                Corner::End => return state.code(Exit::OutOfReach, steps),
                Corner::Join(atom) => state.join(simd, gram, atom),
                Corner::Drop(position) => state.drop(simd, position),
            }
            if state.support.is_empty() {
                // Only rounding can empty the support of a path that has left its start.
                return state.code(Exit::OutOfReach, steps);
            }
        }
        state.code(Exit::IterationLimit, limit)
    }
}

impl Path<'_> {
    /// How far the path is straight, and what bends it.
    #[inline(always)]
    fn corner<S: Simd>(&self, simd: S, state: &mut State, target: f64) -> (f64, Corner) {
        let (mut gamma, mut corner) = (state.lambda, Corner::End);
        let (join, atom) = state.first_to_join();
        if join < gamma {
            (gamma, corner) = (join, Corner::Join(atom));
        }
        for (position, (weight, change)) in state.weights.iter().zip(&state.direction).enumerate() {
            // A weight that has just joined is zero and grows.
            if weight * change < 0.0 && -weight / change < gamma {
                (gamma, corner) = (-weight / change, Corner::Drop(position));
            }
        }
        // |r|^2 = |x|^2 - weights . (D^T x + lambda signs), and falls by
        // (2 gamma lambda - gamma^2) growth.
        let lambda = state.lambda;
        let explained: f64 = state
            .support
            .iter()
            .zip(&state.weights)
            .zip(state.factor.signs())
            .map(|((&atom, weight), sign)| weight * (self.start[atom] + lambda * sign))
            .sum();
        let excess = (self.energy - explained - target) / state.factor.growth(simd);
        let square = lambda * lambda - excess;
        if square >= 0.0 {
            // The smaller root, without cancellation.
            let stop = (excess / (lambda + square.sqrt())).max(0.0);
            if stop <= gamma {
                (gamma, corner) = (stop, Corner::Target);
            }
        }
        (gamma, corner)
    }
}

/// How far lambda falls until `correlation` meets +lambda, and until it meets -lambda.
#[inline(always)]
fn meets(lambda: f64, correlation: f64, slope: f64) -> [f64; 2] {
    [(lambda - correlation, 1.0 - slope), (lambda + correlation, 1.0 + slope)].map(
        |(distance, speed)| {
            let step = distance / speed;
            // Rounding may have carried it a little past the boundary.
            let step = if step > 0.0 { step } else { 0.0 };
            if speed > 1e-12 { step } else { f64::INFINITY }
        },
    )
}

impl State {
    fn new(correlations: &[f64]) -> Self {
        let count = correlations.len();
        Self {
            lambda: correlations.iter().fold(0.0, |most: f64, c| most.max(c.abs())),
            correlations: correlations.to_vec(),
            support: Vec::new(),
            weights: Vec::new(),
            factor: Factor::default(),
            barred: vec![0.0; count],
            left: None,
            direction: Vec::new(),
            slopes: vec![0.0; count],
            joins: vec![0.0; count],
        }
    }

    /// How far lambda falls until the first atom meets +-lambda, and that atom.
    #[inline(always)]
    fn first_to_join(&mut self) -> (f64, usize) {
        let atoms = self.correlations.iter().zip(&self.slopes).zip(&self.barred);
        for (join, ((&correlation, &slope), &barred)) in self.joins.iter_mut().zip(atoms) {
            let [up, down] = meets(self.lambda, correlation, slope);
            *join = if up < down { up } else { down } + barred;
        }
        if let Some(left) = self.left.take() {
            let correlation = self.correlations[left];
            let [up, down] = meets(self.lambda, correlation, self.slopes[left]);
            self.joins[left] = if correlation > 0.0 { down } else { up };
        }
        let least = self.joins.iter().fold(f64::INFINITY, |a, &b| if b < a { b } else { a });
        (least, self.joins.iter().position(|&join| join == least).unwrap_or(0))
    }

    #[inline(always)]
    fn join<S: Simd>(&mut self, simd: S, gram: &[f64], atom: usize) {
        let row = &gram[atom * self.barred.len()..][..self.barred.len()];
        self.barred[atom] = f64::INFINITY;
        let sign = if self.correlations[atom] < 0.0 { -1.0 } else { 1.0 };
        let products = self.support.iter().map(|&other| row[other]);
        // An atom that is a combination of the support stays out until one leaves.
        if self.factor.extend(simd, products, row[atom], sign) {
            self.support.push(atom);
            self.weights.push(0.0);
        }
    }

    /// Takes the atom at a position of the support out.
    #[inline(always)]
    fn drop<S: Simd>(&mut self, simd: S, position: usize) {
        self.factor.shorten(simd, position);
        self.weights.remove(position);
        self.left = Some(self.support.remove(position));
        self.barred.fill(0.0);
        for &atom in &self.support {
            self.barred[atom] = f64::INFINITY;
        }
    }

    #[inline(always)]
    fn advance(&mut self, gamma: f64) {
        self.lambda -= gamma;
        for (weight, change) in self.weights.iter_mut().zip(&self.direction) {
            *weight += gamma * change;
        }
        for (correlation, slope) in self.correlations.iter_mut().zip(&self.slopes) {
            *correlation -= gamma * slope;
        }
    }

    fn code(self, exit: Exit, steps: usize) -> Code {
        let entries = self.support.into_iter().zip(self.weights);
        Code { entries: entries.filter(|(_, weight)| *weight != 0.0).collect(), exit, steps }
    }
}
