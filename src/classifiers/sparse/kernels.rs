//! Inner products and sums of columns, the same bits on every instruction set: products and
//! sums are rounded apart, and added in an order that does not depend on vector width.

use pulp::Simd;

/// Partial sums of an inner product.
const PARTIAL: usize = 8;

/// Inner products of `a` with four vectors of its length.
#[inline(always)]
pub(super) fn dot4<S: Simd>(simd: S, a: &[f64], b: [&[f64]; 4]) -> [f64; 4] {
    let whole = a.len() - a.len() % PARTIAL;
    let (head, tail) = a.split_at(whole);
    let heads = b.map(|b| S::as_simd_f64s(&b[..whole]).0);
    let wide = (PARTIAL / S::F64_LANES).max(1);
    let mut sums = [[simd.splat_f64s(0.0); PARTIAL]; 4];
    let vectors = S::as_simd_f64s(head).0;
    for (number, vectors) in vectors.chunks_exact(wide).enumerate() {
        for (lane, &vector) in vectors.iter().enumerate() {
            for (sum, other) in sums.iter_mut().zip(&heads) {
                let product = simd.mul_f64s(vector, other[number * wide + lane]);
                sum[lane] = simd.add_f64s(sum[lane], product);
            }
        }
    }
    let mut result = [0.0; 4];
    for ((result, sum), b) in result.iter_mut().zip(&sums).zip(b) {
        let mut partial = [0.0; PARTIAL];
        for (vector, &sum) in S::as_mut_simd_f64s(&mut partial).0.iter_mut().zip(sum) {
            *vector = sum;
        }
        for (lane, (a, b)) in tail.iter().zip(&b[whole..]).enumerate() {
            partial[lane] += a * b;
        }
        let [p0, p1, p2, p3, p4, p5, p6, p7] = partial;
        *result = ((p0 + p4) + (p2 + p6)) + ((p1 + p5) + (p3 + p7));
    }
    result
}

/// Inner product of two vectors of equal length, as [`dot4`] adds it.
#[inline(always)]
pub(super) fn dot<S: Simd>(simd: S, a: &[f64], b: &[f64]) -> f64 {
    let whole = a.len() - a.len() % PARTIAL;
    let wide = (PARTIAL / S::F64_LANES).max(1);
    let mut sums = [simd.splat_f64s(0.0); PARTIAL];
    let (a_head, b_head) = (S::as_simd_f64s(&a[..whole]).0, S::as_simd_f64s(&b[..whole]).0);
    for (a, b) in a_head.chunks_exact(wide).zip(b_head.chunks_exact(wide)) {
        for lane in 0..wide {
            sums[lane] = simd.add_f64s(sums[lane], simd.mul_f64s(a[lane], b[lane]));
        }
    }
    let mut partial = [0.0; PARTIAL];
    for (vector, &sum) in S::as_mut_simd_f64s(&mut partial).0.iter_mut().zip(&sums) {
        *vector = sum;
    }
    for (lane, (a, b)) in a[whole..].iter().zip(&b[whole..]).enumerate() {
        partial[lane] += a * b;
    }
    let [p0, p1, p2, p3, p4, p5, p6, p7] = partial;
    ((p0 + p4) + (p2 + p6)) + ((p1 + p5) + (p3 + p7))
}

/// `out += factor * row`.
#[inline(always)]
pub(super) fn add_scaled(out: &mut [f64], factor: f64, row: &[f64]) {
    for (out, value) in out.iter_mut().zip(row) {
        *out += factor * value;
    }
}

/// Vectors of a sum that are kept in registers.
const TILE: usize = 8;

/// `out = sum_i factors[i] * rows[numbers[i]]`, where `rows` is row-major with rows as long
/// as `out`. Every value is summed in the order of `numbers`.
#[inline(always)]
pub(super) fn combine<S: Simd>(
    simd: S,
    rows: &[f64],
    numbers: &[usize],
    factors: &[f64],
    out: &mut [f64],
) {
    let length = out.len();
    let mut column = 0;
    while column + TILE * S::F64_LANES <= length {
        let width = TILE * S::F64_LANES;
        let mut sums = [simd.splat_f64s(0.0); TILE];
        for (&number, &factor) in numbers.iter().zip(factors) {
            let row = S::as_simd_f64s(&rows[number * length + column..][..width]).0;
            let factor = simd.splat_f64s(factor);
            for (sum, &value) in sums.iter_mut().zip(row) {
                *sum = simd.add_f64s(*sum, simd.mul_f64s(factor, value));
            }
        }
        let tile = S::as_mut_simd_f64s(&mut out[column..column + width]).0;
        tile.copy_from_slice(&sums);
        column += width;
    }
    let rest = &mut out[column..];
    rest.fill(0.0);
    for (&number, &factor) in numbers.iter().zip(factors) {
        add_scaled(rest, factor, &rows[number * length + column..(number + 1) * length]);
    }
}

/// [`combine`] in single precision: half the memory to read, twice the numbers a vector.
#[inline(always)]
pub(super) fn combine_single<S: Simd>(
    simd: S,
    rows: &[f32],
    numbers: &[usize],
    factors: &[f32],
    out: &mut [f32],
) {
    let length = out.len();
    let mut column = 0;
    while column + TILE * S::F32_LANES <= length {
        let width = TILE * S::F32_LANES;
        let mut sums = [simd.splat_f32s(0.0); TILE];
        for (&number, &factor) in numbers.iter().zip(factors) {
            let row = S::as_simd_f32s(&rows[number * length + column..][..width]).0;
            let factor = simd.splat_f32s(factor);
            for (sum, &value) in sums.iter_mut().zip(row) {
                *sum = simd.add_f32s(*sum, simd.mul_f32s(factor, value));
            }
        }
        S::as_mut_simd_f32s(&mut out[column..column + width]).0.copy_from_slice(&sums);
        column += width;
    }
    let rest = &mut out[column..];
    rest.fill(0.0);
    for (&number, &factor) in numbers.iter().zip(factors) {
        let row = &rows[number * length + column..(number + 1) * length];
        for (sum, value) in rest.iter_mut().zip(row) {
            *sum += factor * value;
        }
    }
}

#[cfg(test)]
mod tests {
    use pulp::{Arch, WithSimd};

    use super::*;

    struct Dots<'a>(&'a [f64], [&'a [f64]; 4]);

    impl WithSimd for Dots<'_> {
        type Output = ([f64; 4], f64);

        #[inline(always)]
        fn with_simd<S: Simd>(self, simd: S) -> Self::Output {
            (dot4(simd, self.0, self.1), dot(simd, self.0, self.1[2]))
        }
    }

    #[test]
    fn products_are_right_and_the_same_bits_on_every_instruction_set() {
        for length in [0, 1, 7, 8, 9, 31, 768] {
            let vector = |seed: usize| -> Vec<f64> {
                (0..length).map(|i| ((i * 37 + seed * 11) % 101) as f64 / 7.0 - 6.0).collect()
            };
            let (a, b) = (vector(0), [1, 2, 3, 4].map(vector));
            let others = || [&b[0][..], &b[1], &b[2], &b[3]];
            let (four, one) = Arch::new().dispatch(Dots(&a, others()));
            let (scalar, _) = Arch::Scalar.dispatch(Dots(&a, others()));
            assert_eq!(four.map(f64::to_bits), scalar.map(f64::to_bits));
            assert_eq!(four[2].to_bits(), one.to_bits());
            for (product, b) in four.iter().zip(&b) {
                let plain: f64 = a.iter().zip(b).map(|(a, b)| a * b).sum();
                assert!((product - plain).abs() < 1e-9);
            }
        }
    }

    struct Sum<'a>(&'a [f64], &'a [usize], &'a [f64], usize);

    impl WithSimd for Sum<'_> {
        type Output = (Vec<f64>, Vec<f32>);

        #[inline(always)]
        fn with_simd<S: Simd>(self, simd: S) -> Self::Output {
            let mut double = vec![f64::NAN; self.3];
            combine(simd, self.0, self.1, self.2, &mut double);
            let short = |values: &[f64]| values.iter().map(|&v| v as f32).collect::<Vec<_>>();
            let mut single = vec![f32::NAN; self.3];
            combine_single(simd, &short(self.0), self.1, &short(self.2), &mut single);
            (double, single)
        }
    }

    #[test]
    fn rows_are_combined_to_the_same_bits_on_every_instruction_set() {
        for length in [1, 3, 8, 33, 70, 300] {
            let rows: Vec<f64> = (0..20 * length).map(|i| libm::sin(i as f64)).collect();
            let numbers: Vec<usize> = (0..11).map(|i| (7 * i) % 20).collect();
            let factors: Vec<f64> = (0..11).map(|i| f64::from(i) - 4.3).collect();
            let sum = |arch: Arch| arch.dispatch(Sum(&rows, &numbers, &factors, length));
            let ((best, short), (scalar, same)) = (sum(Arch::new()), sum(Arch::Scalar));
            assert!(short.iter().map(|v| v.to_bits()).eq(same.iter().map(|v| v.to_bits())));
            for (short, best) in short.iter().zip(&best) {
                assert!((f64::from(*short) - best).abs() < 1e-5);
            }
            for (column, (best, scalar)) in best.iter().zip(&scalar).enumerate() {
                assert_eq!(best.to_bits(), scalar.to_bits());
                let plain: f64 =
                    numbers.iter().zip(&factors).map(|(n, f)| f * rows[n * length + column]).sum();
                assert!((best - plain).abs() < 1e-12);
            }
        }
    }
}
