//! Which signals a dictionary can represent.
//!
//! Sparse representation classification codes a signal x by the shortest s with
//! |x - D s|_2 <= epsilon (Wright et al. 2009; for music genres, Sturm & Noorzad 2012). Every
//! D s lies in the span of the atoms, and the point of that span nearest to x is the
//! orthogonal projection P x. So a code exists if and only if |x - P x|_2 <= epsilon. For any
//! other signal the problem has no solution: the exact path ends at a plain least-squares code,
//! SPGL1 stops somewhere on the way there, and the label that follows is not one of this method.
//! That happens where there are fewer independent atoms than dimensions.
//!
//! The projection goes through an orthonormal basis of the span, by Gram-Schmidt steps that
//! are done twice (Giraud et al. 2005: twice is enough), so the distance is good to about
//! rounding of |x|, however badly conditioned the atoms are.

use super::factor::INDEPENDENT;

/// An orthonormal basis of what the atoms of a dictionary span.
#[derive(Debug, Clone)]
pub(super) struct Span {
    dimensions: usize,
    /// One vector after another.
    basis: Vec<f64>,
}

impl Span {
    /// The span of `atoms`: row-major, `dimensions` values each. An atom that is as near to
    /// the span of those before it as the solver tolerates adds no direction.
    pub(super) fn of(atoms: &[f64], dimensions: usize) -> Self {
        let mut span = Self { dimensions, basis: Vec::new() };
        for atom in atoms.chunks_exact(dimensions) {
            if span.rank() == dimensions {
                break;
            }
            let rest = span.rest(atom);
            let (square, own) = (energy(&rest), energy(atom));
            if square > INDEPENDENT * own {
                let scale = 1.0 / square.sqrt();
                span.basis.extend(rest.into_iter().map(|value| scale * value));
            }
        }
        span
    }

    /// Number of independent directions.
    pub(super) fn rank(&self) -> usize {
        self.basis.len() / self.dimensions
    }

    /// |x - P x|_2: how far any code must miss `signal`.
    pub(super) fn distance(&self, signal: &[f64]) -> f64 {
        if self.rank() == self.dimensions {
            return 0.0;
        }
        energy(&self.rest(signal)).sqrt()
    }

    /// x - P x.
    fn rest(&self, signal: &[f64]) -> Vec<f64> {
        let mut rest = signal.to_vec();
        for _ in 0..2 {
            for direction in self.basis.chunks_exact(self.dimensions) {
                let along: f64 = rest.iter().zip(direction).map(|(a, b)| a * b).sum();
                rest.iter_mut().zip(direction).for_each(|(value, d)| *value -= along * d);
            }
        }
        rest
    }
}

fn energy(vector: &[f64]) -> f64 {
    vector.iter().map(|value| value * value).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_distance_is_that_from_the_nearest_combination_of_atoms() {
        // The plane of the first two axes, by three atoms of which one is a combination.
        let span = Span::of(&[2.0, 0.0, 0.0, 1.0, 1.0, 0.0, 5.0, -3.0, 0.0], 3);
        assert_eq!(span.rank(), 2);
        assert!((span.distance(&[3.0, 4.0, 0.0])).abs() < 1e-15);
        assert!((span.distance(&[3.0, 4.0, -2.0]) - 2.0).abs() < 1e-15);
        let whole = Span::of(&[1.0, 0.0, 1.0, 1e-3], 2);
        assert_eq!((whole.rank(), whole.distance(&[7.0, 9.0])), (2, 0.0));
    }

    #[test]
    fn atoms_that_point_almost_the_same_way_keep_the_distance_exact() {
        // Ten atoms that differ by 1e-4 from one another, in twelve dimensions of which the
        // last is none of theirs.
        let atoms: Vec<f64> = (0..10)
            .flat_map(|atom| {
                (0..12).map(move |at| match at {
                    11 => 0.0,
                    at => 1.0 + if at == atom { 1e-4 } else { 0.0 },
                })
            })
            .collect();
        let span = Span::of(&atoms, 12);
        assert_eq!(span.rank(), 10);
        let mut signal = atoms[..12].to_vec();
        signal[11] = 0.25;
        assert!((span.distance(&signal) - 0.25).abs() < 1e-12);
    }
}
