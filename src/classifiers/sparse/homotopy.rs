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
    signs: Vec<f64>,
    weights: Vec<f64>,
    factor: Factor,
    /// 0 where an atom may join, infinity where it is in the support or depends on it.
    barred: Vec<f64>,
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
        let mut slopes = vec![0.0; count];
        let mut left = None;
        // Paths rarely take more than two steps an atom of the support.
        let limit = 20 * count + 100;
        for steps in 1..=limit {
            // Moving lambda down by gamma moves the weights by gamma * direction and the
            // correlations by -gamma * slopes; slopes on the support are its signs.
            let direction = state.factor.direction(&state.signs, simd);
            combine(gram, &state.support, &direction, &mut slopes);
            let (gamma, corner) = self.corner(&state, &direction, &slopes, left, target);
            state.advance(gamma, &direction, &slopes);
            left = None;
            match corner {
                Corner::Target => return state.code(Exit::Solved, steps),
                Corner::End => return state.code(Exit::OutOfReach, steps),
                Corner::Join(atom) => state.join(simd, gram, atom),
                Corner::Drop(position) => left = Some(state.drop(simd, position)),
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
    /// How far the path is straight, and what bends it. `left` is an atom that has just
    /// dropped out: it stands on the boundary and must not be taken for one that arrives.
    #[inline(always)]
    fn corner(
        &self,
        state: &State,
        direction: &[f64],
        slopes: &[f64],
        left: Option<usize>,
        target: f64,
    ) -> (f64, Corner) {
        let lambda = state.lambda;
        let (mut gamma, mut corner) = (lambda, Corner::End);
        let (join, atom) = first_to_join(state, slopes, left);
        if join < gamma {
            (gamma, corner) = (join, Corner::Join(atom));
        }
        for (position, (weight, change)) in state.weights.iter().zip(direction).enumerate() {
            // A weight that has just joined is zero and grows.
            if weight * change < 0.0 && -weight / change < gamma {
                (gamma, corner) = (-weight / change, Corner::Drop(position));
            }
        }
        // |r|^2 falls by 2 gamma lambda q - gamma^2 q.
        let q: f64 = state.signs.iter().zip(direction).map(|(sign, change)| sign * change).sum();
        let explained: f64 = state
            .support
            .iter()
            .zip(&state.weights)
            .zip(&state.signs)
            .map(|((&atom, weight), sign)| weight * (self.start[atom] + lambda * sign))
            .sum();
        let excess = self.energy - explained - target;
        let square = lambda * lambda - excess / q;
        if square >= 0.0 {
            // The smaller root, without cancellation.
            let stop = ((excess / q) / (lambda + square.sqrt())).max(0.0);
            if stop <= gamma {
                (gamma, corner) = (stop, Corner::Target);
            }
        }
        (gamma, corner)
    }
}

/// The step at which the first atom reaches the boundary +-lambda, and that atom.
#[inline(always)]
fn first_to_join(state: &State, slopes: &[f64], left: Option<usize>) -> (f64, usize) {
    let lambda = state.lambda;
    let reach = |atom: usize| {
        let (correlation, slope) = (state.correlations[atom], slopes[atom]);
        let up = ((lambda - correlation) / (1.0 - slope)).max(0.0);
        let down = ((lambda + correlation) / (1.0 + slope)).max(0.0);
        let up = if 1.0 - slope > 1e-12 { up } else { f64::INFINITY };
        let down = if 1.0 + slope > 1e-12 { down } else { f64::INFINITY };
        (up, down)
    };
    let mut least = f64::INFINITY;
    for atom in 0..slopes.len() {
        let (up, down) = reach(atom);
        let step = up.min(down) + state.barred[atom];
        least = if step < least { step } else { least };
    }
    let found = (0..slopes.len()).find(|&atom| {
        let (up, down) = reach(atom);
        up.min(down) + state.barred[atom] == least
    });
    match (found, left) {
        (Some(atom), Some(left)) if atom == left => {
            // Of the atom that has just left only the opposite boundary counts.
            let (up, down) = reach(left);
            let own = if state.correlations[left] > 0.0 { down } else { up };
            let others = (0..slopes.len()).filter(|&other| other != left);
            others.fold((own, left), |(least, atom), other| {
                let (up, down) = reach(other);
                let step = up.min(down) + state.barred[other];
                if step < least { (step, other) } else { (least, atom) }
            })
        }
        (Some(atom), _) => (least, atom),
        (None, _) => (f64::INFINITY, 0),
    }
}

impl State {
    fn new(correlations: &[f64]) -> Self {
        Self {
            lambda: correlations.iter().fold(0.0, |most: f64, c| most.max(c.abs())),
            correlations: correlations.to_vec(),
            support: Vec::new(),
            signs: Vec::new(),
            weights: Vec::new(),
            factor: Factor::default(),
            barred: vec![0.0; correlations.len()],
        }
    }

    #[inline(always)]
    fn join<S: Simd>(&mut self, simd: S, gram: &[f64], atom: usize) {
        let row = &gram[atom * self.barred.len()..][..self.barred.len()];
        self.barred[atom] = f64::INFINITY;
        let products = self.support.iter().map(|&other| row[other]);
        if !self.factor.extend(simd, products, row[atom]) {
            // The atom is a combination of the support: it may try again when one leaves.
            return;
        }
        self.support.push(atom);
        self.signs.push(if self.correlations[atom] < 0.0 { -1.0 } else { 1.0 });
        self.weights.push(0.0);
    }

    /// Takes an atom out of the support and returns it.
    #[inline(always)]
    fn drop<S: Simd>(&mut self, _simd: S, position: usize) -> usize {
        self.factor.shorten(position);
        self.signs.remove(position);
        self.weights.remove(position);
        let atom = self.support.remove(position);
        self.barred.fill(0.0);
        for &other in &self.support {
            self.barred[other] = f64::INFINITY;
        }
        atom
    }

    #[inline(always)]
    fn advance(&mut self, gamma: f64, direction: &[f64], slopes: &[f64]) {
        self.lambda -= gamma;
        for (weight, change) in self.weights.iter_mut().zip(direction) {
            *weight += gamma * change;
        }
        for (correlation, slope) in self.correlations.iter_mut().zip(slopes) {
            *correlation -= gamma * slope;
        }
    }

    fn code(self, exit: Exit, steps: usize) -> Code {
        let entries = self.support.into_iter().zip(self.weights);
        Code { entries: entries.filter(|(_, weight)| *weight != 0.0).collect(), exit, steps }
    }
}
