//! Basis pursuit denoising by exact homotopy.
//!
//! min |s|_1 subject to |x - D s|_2 <= epsilon is solved by one point of the LASSO path
//! s(lambda) = argmin |x - D s|^2 / 2 + lambda |s|_1, which is piecewise linear (Osborne,
//! Presnell & Turlach 2000; Efron et al. 2004 with the LASSO modification). Starting at
//! lambda = max |D^T x|, s = 0, every step goes to the next corner, where an atom joins the
//! support or leaves it, until the residual is epsilon: between corners |r|^2 is a known
//! quadratic, so that point is exact too. All in terms of the Gram matrix, with a Cholesky
//! factor of the support's part of it that is extended and shortened, never computed anew.
//!
//! Which atom joins next depends on the slopes of all correlations, the only work that
//! reads much memory. It is done in single precision with an estimate of the error (roundings
//! add up like a random walk), and the few atoms that could be first within that error are
//! then computed in double precision, which decides. Where the support is so ill-conditioned
//! that the estimate says nothing, all slopes are computed in double precision.

use pulp::{Arch, Simd, WithSimd};

use super::dictionary::{Code, Dictionary, Exit};
use super::factor::Factor;
use super::kernels::{combine, combine_single};

/// Rounding of single precision, as a share.
const SINGLE: f64 = 1.0 / (1u64 << 24) as f64;
/// Error of slopes above which they are computed in double precision.
const SLOPE_ERROR: f64 = 1e-3;
/// Error of correlations, as a share of lambda, above which they are computed anew.
const DRIFT: f64 = 1e-4;
/// Atoms looked through together for those that may be first.
const GROUP: usize = 64;

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
    /// Inner product of every atom with the residual, to within `drift`; +-lambda on the
    /// support.
    correlations: Vec<f64>,
    drift: f64,
    support: Vec<usize>,
    weights: Vec<f64>,
    factor: Factor,
    /// 0 where an atom may join, infinity where it is in the support or depends on it.
    barred: Vec<f64>,
    /// An atom that has just left: it stands on the boundary, and is not arriving at it.
    left: Option<usize>,
    /// What lowering lambda by 1 adds to the weights ...
    direction: Vec<f64>,
    /// ... and takes from the correlations, to within `slope_error`.
    slopes: Vec<f64>,
    slope_error: f64,
    room: Room,
}

/// Room to work in.
#[derive(Default)]
struct Room {
    direction: Vec<f32>,
    slopes: Vec<f32>,
    /// Of every atom, how far it is from the boundary it will meet first, and how fast it
    /// comes nearer.
    distances: Vec<f64>,
    speeds: Vec<f64>,
    /// Their ratios.
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
            self.slopes(simd, &mut state);
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
    /// Computes the slopes, and the correlations if they have drifted too far.
    #[inline(always)]
    fn slopes<S: Simd>(&self, simd: S, state: &mut State) {
        let gram = self.dictionary.gram();
        if state.drift > DRIFT * state.lambda {
            combine(simd, gram, &state.support, &state.weights, &mut state.correlations);
            for (correlation, start) in state.correlations.iter_mut().zip(self.start) {
                *correlation = start - *correlation;
            }
            state.drift = 0.0;
        }
        let magnitude: f64 = state.direction.iter().map(|change| change.abs()).sum();
        // Roundings add up like a random walk of as many steps as there are terms.
        let walk = (state.support.len() as f64).sqrt();
        state.slope_error = SINGLE * walk * magnitude * self.dictionary.largest();
        if state.slope_error > SLOPE_ERROR {
            combine(simd, gram, &state.support, &state.direction, &mut state.slopes);
            state.slope_error = 0.0;
            return;
        }
        let room = &mut state.room;
        room.direction.clear();
        room.direction.extend(state.direction.iter().map(|&change| change as f32));
        let gram = self.dictionary.gram_single();
        combine_single(simd, gram, &state.support, &room.direction, &mut room.slopes);
        for (slope, &single) in state.slopes.iter_mut().zip(&room.slopes) {
            *slope = f64::from(single);
        }
    }

    /// How far the path is straight, and what bends it.
    #[inline(always)]
    fn corner<S: Simd>(&self, simd: S, state: &mut State, target: f64) -> (f64, Corner) {
        let (mut gamma, mut corner) = (state.lambda, Corner::End);
        let (join, atom) = self.first_to_join(state);
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

    /// How far lambda falls until the first atom meets +-lambda, and that atom; the lowest
    /// if several do.
    #[inline(always)]
    fn first_to_join(&self, state: &mut State) -> (f64, usize) {
        state.approach();
        let joins = &state.room.joins;
        let least = least(joins);
        let Some(likely) = joins.iter().position(|&join| join == least && join < f64::INFINITY)
        else {
            return (f64::INFINITY, 0);
        };
        let mut best = (self.exactly(state, likely), likely);
        // Whoever could be earlier, errors granted, is computed exactly too.
        let (bound, error) = (best.0, state.slope_error);
        let drift = state.drift + 1e-12 * state.lambda;
        let may_be_first = |distance: f64, speed: f64, barred: f64| {
            distance - drift + barred <= bound * (speed + error)
        };
        for start in (0..self.start.len()).step_by(GROUP) {
            let group = start..(start + GROUP).min(self.start.len());
            let (distances, speeds) = (&state.room.distances, &state.room.speeds);
            let mut hits = 0;
            for ((&distance, &speed), &barred) in distances[group.clone()]
                .iter()
                .zip(&speeds[group.clone()])
                .zip(&state.barred[group.clone()])
            {
                hits += u64::from(may_be_first(distance, speed, barred));
            }
            if hits == 0 {
                continue;
            }
            for atom in group {
                if atom != likely && may_be_first(distances[atom], speeds[atom], state.barred[atom])
                {
                    let join = self.exactly(state, atom);
                    if join < best.0 || (join == best.0 && atom < best.1) {
                        best = (join, atom);
                    }
                }
            }
        }
        best
    }

    /// How far lambda falls until `atom` joins, in double precision.
    #[inline(always)]
    fn exactly(&self, state: &State, atom: usize) -> f64 {
        let row = &self.dictionary.gram()[atom * self.start.len()..][..self.start.len()];
        let (mut correlation, mut slope) = (self.start[atom], 0.0);
        for ((&other, weight), change) in
            state.support.iter().zip(&state.weights).zip(&state.direction)
        {
            correlation -= weight * row[other];
            slope += change * row[other];
        }
        let side = state.side(atom, correlation, slope);
        meets(state.lambda - side * correlation, 1.0 - side * slope)
    }
}

/// The least of some numbers; eight at a time, so that no comparison waits for the last.
#[inline(always)]
fn least(values: &[f64]) -> f64 {
    let (eights, rest) = values.as_chunks::<8>();
    let mut least = [f64::INFINITY; 8];
    for eight in eights {
        for (least, &value) in least.iter_mut().zip(eight) {
            *least = if value < *least { value } else { *least };
        }
    }
    let all = least.iter().chain(rest);
    all.fold(f64::INFINITY, |least, &value| if value < least { value } else { least })
}

/// How far lambda falls until a correlation that is `distance` from a boundary meets it.
#[inline(always)]
fn meets(distance: f64, speed: f64) -> f64 {
    let step = distance / speed;
    // Rounding may have carried it a little past the boundary.
    let step = if step > 0.0 { step } else { 0.0 };
    if speed > 1e-12 { step } else { f64::INFINITY }
}

impl State {
    fn new(correlations: &[f64]) -> Self {
        let count = correlations.len();
        Self {
            lambda: correlations.iter().fold(0.0, |most: f64, c| most.max(c.abs())),
            correlations: correlations.to_vec(),
            drift: 0.0,
            support: Vec::new(),
            weights: Vec::new(),
            factor: Factor::default(),
            barred: vec![0.0; count],
            left: None,
            direction: Vec::new(),
            slopes: vec![0.0; count],
            slope_error: 0.0,
            room: Room {
                direction: Vec::new(),
                slopes: vec![0.0; count],
                distances: vec![0.0; count],
                speeds: vec![0.0; count],
                joins: vec![0.0; count],
            },
        }
    }

    /// Which boundary, +lambda or -lambda, an atom meets first: the upper one if
    /// (l - c) / (1 - a) <= (l + c) / (1 + a). Of one that has just left only the other
    /// boundary counts.
    #[inline(always)]
    fn side(&self, atom: usize, correlation: f64, slope: f64) -> f64 {
        let up = match self.left == Some(atom) {
            true => correlation < 0.0,
            false => correlation >= self.lambda * slope,
        };
        if up { 1.0 } else { -1.0 }
    }

    /// Distance and speed of every atom, as the correlations and slopes have it.
    #[inline(always)]
    fn approach(&mut self) {
        let lambda = self.lambda;
        let room = &mut self.room;
        let atoms = self.correlations.iter().zip(&self.slopes).zip(&self.barred);
        let places = room.distances.iter_mut().zip(&mut room.speeds).zip(&mut room.joins);
        for (((&correlation, &slope), &barred), ((distance, speed), join)) in atoms.zip(places) {
            let side = if correlation >= lambda * slope { 1.0 } else { -1.0 };
            *distance = lambda - side * correlation;
            *speed = 1.0 - side * slope;
            *join = meets(*distance, *speed) + barred;
        }
        if let Some(left) = self.left {
            let (correlation, slope) = (self.correlations[left], self.slopes[left]);
            let side = self.side(left, correlation, slope);
            let (distance, speed) = (lambda - side * correlation, 1.0 - side * slope);
            let room = &mut self.room;
            (room.distances[left], room.speeds[left]) = (distance, speed);
            room.joins[left] = meets(distance, speed);
        }
    }

    #[inline(always)]
    fn join<S: Simd>(&mut self, simd: S, gram: &[f64], atom: usize) {
        let row = &gram[atom * self.barred.len()..][..self.barred.len()];
        self.barred[atom] = f64::INFINITY;
        self.left = None;
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
        let sign = self.factor.signs()[position];
        self.factor.shorten(simd, position);
        self.weights.remove(position);
        let atom = self.support.remove(position);
        self.correlations[atom] = sign * self.lambda;
        self.left = Some(atom);
        self.barred.fill(0.0);
        for &atom in &self.support {
            self.barred[atom] = f64::INFINITY;
        }
    }

    #[inline(always)]
    fn advance(&mut self, gamma: f64) {
        self.lambda -= gamma;
        self.drift += gamma * self.slope_error;
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
