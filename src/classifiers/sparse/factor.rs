//! Cholesky factor of the Gram matrix of a growing and shrinking set of atoms.

use pulp::Simd;

use super::kernels::{add_scaled, dot};

/// Least squared distance of an atom from the span of the others, relative to its own
/// square, at which it still counts as independent.
pub(super) const INDEPENDENT: f64 = 1e-10;

/// Lower triangular L with L L^T = Gram matrix, rows one after another, and half of the
/// solution of (Gram matrix) direction = signs.
#[derive(Debug, Clone, Default)]
pub(super) struct Factor {
    rows: Vec<f64>,
    /// 1 / diagonal.
    inverses: Vec<f64>,
    /// One sign per atom.
    signs: Vec<f64>,
    /// L^-1 signs.
    half: Vec<f64>,
}

/// Where row `number` of a packed triangle starts.
fn start(number: usize) -> usize {
    number * (number + 1) / 2
}

impl Factor {
    /// Adds an atom, given its products with the others and with itself, and its sign. Says
    /// no, and changes nothing, when it depends on the others.
    #[inline(always)]
    pub(super) fn extend<S: Simd>(
        &mut self,
        simd: S,
        products: impl Iterator<Item = f64>,
        own: f64,
        sign: f64,
    ) -> bool {
        let from = self.rows.len();
        self.rows.extend(products);
        let (rows, new) = self.rows.split_at_mut(from);
        solve_forward(simd, rows, &self.inverses, new);
        let square = own - dot(simd, new, new);
        if square <= INDEPENDENT * own {
            self.rows.truncate(from);
            return false;
        }
        let length = square.sqrt();
        self.half.push((sign - dot(simd, new, &self.half)) / length);
        self.signs.push(sign);
        self.rows.push(length);
        self.inverses.push(1.0 / length);
        true
    }

    /// Takes the atom at `position` out: its row goes, and rotations of neighbouring columns
    /// make the rows below triangular again.
    #[inline(always)]
    pub(super) fn shorten<S: Simd>(&mut self, simd: S, position: usize) {
        let mut rotations: Vec<(f64, f64)> = Vec::new();
        let mut write = start(position);
        for number in position + 1..self.signs.len() {
            let row = start(number);
            // Columns before the position stay.
            self.rows.copy_within(row..row + position, write);
            let mut carried = self.rows[row + position];
            for (offset, &(cosine, sine)) in rotations.iter().enumerate() {
                let next = self.rows[row + position + offset + 1];
                self.rows[write + position + offset] = cosine * carried + sine * next;
                carried = cosine * next - sine * carried;
            }
            let diagonal = self.rows[row + number];
            let length = libm::hypot(carried, diagonal);
            rotations.push((carried / length, diagonal / length));
            self.rows[write + number - 1] = length;
            self.inverses[number - 1] = 1.0 / length;
            write += number;
        }
        self.rows.truncate(write);
        self.inverses.pop();
        self.signs.remove(position);
        self.half.clone_from(&self.signs);
        solve_forward(simd, &self.rows, &self.inverses, &mut self.half);
    }

    /// Signs of the atoms.
    pub(super) fn signs(&self) -> &[f64] {
        &self.signs
    }

    /// signs . direction: how fast the squared length of the moving sum grows.
    #[inline(always)]
    pub(super) fn growth<S: Simd>(&self, simd: S) -> f64 {
        dot(simd, &self.half, &self.half)
    }

    /// Writes the solution of (Gram matrix) direction = signs to `solution`.
    #[inline(always)]
    pub(super) fn direction(&self, solution: &mut Vec<f64>) {
        solution.clone_from(&self.half);
        for number in (0..solution.len()).rev() {
            solution[number] *= self.inverses[number];
            let (before, rest) = solution.split_at_mut(number);
            add_scaled(before, -rest[0], &self.rows[start(number)..][..number]);
        }
    }
}

/// Solves L y = b in place, for as many rows as `b` has.
#[inline(always)]
fn solve_forward<S: Simd>(simd: S, rows: &[f64], inverses: &[f64], b: &mut [f64]) {
    for number in 0..b.len() {
        let row = &rows[start(number)..][..number];
        b[number] = (b[number] - dot(simd, row, &b[..number])) * inverses[number];
    }
}

#[cfg(test)]
mod tests {
    use pulp::Scalar;

    use super::*;

    fn product(i: usize, j: usize) -> f64 {
        // Inner products of the rows of a fixed matrix.
        let value = |i: usize, k: usize| {
            libm::sin((3 * i + 7 * k + i * k) as f64) + f64::from(u8::from(i == k))
        };
        (0..9).map(|k| value(i, k) * value(j, k)).sum()
    }

    fn factor_of(atoms: &[usize], signs: &[f64]) -> Factor {
        let mut factor = Factor::default();
        for (number, (&atom, &sign)) in atoms.iter().zip(signs).enumerate() {
            let products = atoms[..number].iter().map(|&other| product(atom, other));
            assert!(factor.extend(Scalar, products, product(atom, atom), sign));
        }
        factor
    }

    const SIGNS: [f64; 6] = [1.0, -1.0, -1.0, 1.0, 1.0, -1.0];

    #[test]
    fn a_shortened_factor_is_that_of_the_atoms_left() {
        for position in 0..6 {
            let (mut atoms, mut signs) = (vec![4, 0, 2, 7, 1, 5], SIGNS.to_vec());
            let mut factor = factor_of(&atoms, &signs);
            factor.shorten(Scalar, position);
            atoms.remove(position);
            signs.remove(position);
            let fresh = factor_of(&atoms, &signs);
            assert_eq!(factor.signs, fresh.signs);
            assert_eq!(factor.rows.len(), fresh.rows.len());
            let (ours, theirs) = (factor.rows.iter().chain(&factor.half), fresh.rows.iter());
            for (ours, fresh) in ours.zip(theirs.chain(&fresh.half)) {
                assert!((ours - fresh).abs() < 1e-12);
            }
        }
    }

    #[test]
    fn the_direction_solves_the_system() {
        let atoms = [3, 6, 1, 8];
        let factor = factor_of(&atoms, &SIGNS[..4]);
        let mut direction = Vec::new();
        factor.direction(&mut direction);
        for (i, sign) in atoms.iter().zip(SIGNS) {
            let sum: f64 = atoms.iter().zip(&direction).map(|(j, d)| product(*i, *j) * d).sum();
            assert!((sum - sign).abs() < 1e-10);
        }
        let growth: f64 = direction.iter().zip(SIGNS).map(|(d, sign)| d * sign).sum();
        assert!((factor.growth(Scalar) - growth).abs() < 1e-10);
    }

    #[test]
    fn a_dependent_atom_is_refused_and_changes_nothing() {
        let mut factor = factor_of(&[3, 6], &SIGNS);
        let before = factor.rows.clone();
        let sum = |i: usize| product(i, 3) + product(i, 6);
        let products = [sum(3), sum(6)].into_iter();
        assert!(!factor.extend(Scalar, products, sum(3) + sum(6), 1.0));
        assert_eq!((factor.rows, factor.signs.len()), (before, 2));
    }
}
