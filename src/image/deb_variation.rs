//! K. Deb's variation of bounded numbers, on the bytes of an image: simulated binary crossover and
//! polynomial mutation ("Multi-Objective Optimization using Evolutionary Algorithms", 2001, pages 113 and
//! 124). Numbers are drawn gene by gene; what is computed from them is computed for many genes at once, in
//! the widest registers of the machine, with the same bits on every machine.

use pulp::{Arch, Simd, WithSimd};
use rand::{Rng, RngExt};

/// Distribution index of the crossover: the higher, the nearer children are to a parent.
const CROSSOVER_INDEX: f32 = 10.0;
/// Distribution index of the mutation ("mutation strength 15").
const MUTATION_INDEX: f32 = 15.0;
/// Genes whose values are computed together.
const BLOCK: usize = 64;

/// One number for each gene of a block.
type Numbers = [f32; BLOCK];

/// Crosses every gene of `child` that differs from the one of `mate`: one of the two children that
/// bounded simulated binary crossover has.
pub(super) fn cross(child: &mut [u8], mate: &[u8], rng: &mut impl Rng) {
    let arch = Arch::new();
    let differing: Vec<usize> =
        (0..child.len().min(mate.len())).filter(|&gene| child[gene] != mate[gene]).collect();
    let mut draws = [0; 2 * BLOCK];
    let mut genes =
        Pairs { low: [0.0; BLOCK], high: [1.0; BLOCK], u: [0.0; BLOCK], below: [0; BLOCK] };
    for block in differing.chunks(BLOCK) {
        let draws = &mut draws[..2 * block.len()];
        rng.fill(draws);
        for (n, (&gene, draw)) in block.iter().zip(draws.chunks_exact(2)).enumerate() {
            let (a, b) = (child[gene], mate[gene]);
            (genes.low[n], genes.high[n]) = (f32::from(a.min(b)), f32::from(a.max(b)));
            genes.u[n] = fraction(draw[0]);
            // The child below the parents' middle is bounded by 0, the one above by 255.
            genes.below[n] = draw[1] >> 31;
        }
        let values = arch.dispatch(Children(&genes));
        block.iter().zip(values).for_each(|(&gene, value)| child[gene] = value);
    }
}

/// Mutates a share of the genes: each where a draw lies below `limit`.
pub(super) fn mutate(child: &mut [u8], limit: u32, rng: &mut impl Rng) {
    let arch = Arch::new();
    let chosen = chosen(child.len(), limit, rng);
    let (mut genes, mut u) = ([0.0; BLOCK], [0.0; BLOCK]);
    for block in chosen.chunks(BLOCK) {
        for (n, &(gene, draw)) in block.iter().enumerate() {
            (genes[n], u[n]) = (f32::from(child[gene]), draw);
        }
        let values = arch.dispatch(Mutants { genes: &genes, u: &u });
        block.iter().zip(values).for_each(|(&(gene, _), value)| child[gene] = value);
    }
}

/// The genes of so many that mutate, with a uniform number for each. A word is drawn for each gene, and
/// another one for each that mutates; as many are drawn at once as are used in any case.
fn chosen(genes: usize, limit: u32, rng: &mut impl Rng) -> Vec<(usize, f32)> {
    let mut chosen = Vec::with_capacity(genes / 4);
    let mut words = vec![0; genes];
    let mut gene = 0;
    while gene < genes {
        words.truncate(genes - gene);
        rng.fill(&mut words[..]);
        let mut left = &words[..];
        while let Some(others) = left.iter().position(|&word| word < limit) {
            gene += others;
            let draw = match left[others + 1..].split_first() {
                Some((&word, after)) => {
                    left = after;
                    word
                }
                None => {
                    left = &[];
                    rng.random()
                }
            };
            chosen.push((gene, fraction(draw)));
            gene += 1;
        }
        gene += left.len();
    }
    chosen
}

/// A uniform number in [0, 1) of 24 bits, as `rand` makes it of a word.
fn fraction(word: u32) -> f32 {
    (word >> 8) as f32 / (1 << 24) as f32
}

/// What the children of a block of genes are made of: both parents' values, a uniform number, and 1
/// for the child below their middle.
struct Pairs {
    low: Numbers,
    high: Numbers,
    u: Numbers,
    below: [u32; BLOCK],
}

/// The children of a block of genes.
struct Children<'a>(&'a Pairs);

impl WithSimd for Children<'_> {
    type Output = [u8; BLOCK];

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> [u8; BLOCK] {
        let Pairs { low, high, u, below } = self.0;
        let mut values = [0; BLOCK];
        for (n, value) in values.iter_mut().enumerate() {
            *value = offspring(low[n], high[n], u[n], below[n] != 0);
        }
        values
    }
}

/// The child of two unequal genes that the uniform number `u` gives, below or above their middle.
#[inline(always)]
fn offspring(low: f32, high: f32, u: f32, below: bool) -> u8 {
    let apart = high - low;
    let room = if below { low } else { 255.0 - high };
    let alpha = 2.0 - power(1.0 + 2.0 * room / apart, -(CROSSOVER_INDEX + 1.0));
    let spread = u * alpha;
    let spread = if spread <= 1.0 { spread } else { 1.0 / (2.0 - spread) };
    let half = 0.5 * power(spread, 1.0 / (CROSSOVER_INDEX + 1.0)) * apart;
    let middle = 0.5 * (low + high);
    quantize(if below { middle - half } else { middle + half })
}

/// A block of genes, mutated.
struct Mutants<'a> {
    genes: &'a Numbers,
    u: &'a Numbers,
}

impl WithSimd for Mutants<'_> {
    type Output = [u8; BLOCK];

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> [u8; BLOCK] {
        let mut values = [0; BLOCK];
        for (n, value) in values.iter_mut().enumerate() {
            *value = mutant(self.genes[n], self.u[n]);
        }
        values
    }
}

/// Polynomial mutation: mean absolute step 1 / (index + 2) of the range, that is 15 levels.
#[inline(always)]
fn mutant(gene: f32, u: f32) -> u8 {
    let rises = u >= 0.5;
    let size = power(2.0 * if rises { 1.0 - u } else { u }, 1.0 / (MUTATION_INDEX + 1.0));
    let step = if rises { 1.0 - size } else { size - 1.0 };
    quantize(gene + 255.0 * step)
}

/// The nearest byte.
#[inline(always)]
fn quantize(value: f32) -> u8 {
    integer(truncated((value + 0.5).clamp(0.0, 255.0))) as u8
}

/// base^exponent for a finite base >= 0 to about six digits, by polynomials: the same bits on
/// every machine, and many times faster than an exact power, which 8 bits would not show.
#[inline(always)]
fn power(base: f32, exponent: f32) -> f32 {
    // log2: exponent bits, and ln((1 + s) / (1 - s)) = 2 (s + s^3 / 3 + s^5 / 5 + ...) for a
    // mantissa in [sqrt(1/2), sqrt(2)).
    let bits = base.to_bits();
    let exponent_bits = ((bits.wrapping_sub(0x3f35_04f3)) as i32) >> 23;
    let mantissa = f32::from_bits(bits.wrapping_sub((exponent_bits << 23) as u32));
    let s = (mantissa - 1.0) / (mantissa + 1.0);
    let s2 = s * s;
    let series = s * (2.0 + s2 * (2.0 / 3.0 + s2 * (2.0 / 5.0 + s2 * (2.0 / 7.0))));
    let log2 = exponent_bits as f32 + series * std::f32::consts::LOG2_E;
    let value = (log2 * exponent).clamp(-126.0, 126.0);
    let whole = truncated(value + if value < 0.0 { -0.5 } else { 0.5 });
    let rest = (value - whole) * std::f32::consts::LN_2;
    // e^rest, |rest| <= ln(2) / 2, by its series.
    let exp = 1.0
        + rest
            * (1.0
                + rest
                    * (0.5
                        + rest
                            * (1.0 / 6.0
                                + rest * (1.0 / 24.0 + rest * (1.0 / 120.0 + rest / 720.0)))));
    let found = exp * f32::from_bits(((integer(whole) + 127) << 23) as u32);
    if base < f32::MIN_POSITIVE { 0.0 } else { found }
}

/// 1.5 * 2^23: added to a small number, it leaves the nearest whole number in the lowest bits.
const SHIFT: f32 = 12_582_912.0;

/// The number without its fraction, below 2^22. A cast would say the same, gene by gene.
#[inline(always)]
fn truncated(value: f32) -> f32 {
    let nearest = (value + SHIFT) - SHIFT;
    let beyond = nearest.abs() > value.abs();
    nearest - if beyond { 1.0_f32.copysign(value) } else { 0.0 }
}

/// A whole number below 2^22 as an integer.
#[inline(always)]
fn integer(whole: f32) -> i32 {
    (whole + SHIFT).to_bits().wrapping_sub(SHIFT.to_bits()) as i32
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use sha2::{Digest, Sha256};
    use trompe_base::encoding::hex;
    use trompe_base::random::stream;

    use super::*;

    #[test]
    fn power_agrees_with_an_exact_one() {
        for (base, exponent) in
            (0..2_000).map(|i| (libm::exp2((i as f64 - 1_000.0) / 90.0), i % 23))
        {
            let exponent = f64::from(exponent - 11) / 11.0;
            let exact = libm::pow(base, exponent);
            let found = f64::from(power(base as f32, exponent as f32));
            assert!((found / exact - 1.0).abs() < 3e-6, "{base}^{exponent}: {found} {exact}");
        }
        assert_eq!(power(0.0, 0.1), 0.0);
    }

    #[test]
    fn fractions_are_cut_off() {
        for quarter in -1_200_i32..1_200 {
            let value = quarter as f32 / 4.0;
            assert_eq!(truncated(value), value.trunc());
            assert_eq!(integer(value.trunc()), quarter / 4);
        }
    }

    #[test]
    fn a_mutation_moves_a_gene_by_fifteen_levels_on_average() {
        let mut genes = vec![128; 20_000];
        mutate(&mut genes, u32::MAX, &mut stream(1, 0, 0, 0));
        let steps: u32 = genes.iter().map(|gene| u32::from(gene.abs_diff(128))).sum();
        let mean = f64::from(steps) / 20_000.0;
        assert!((14.5..15.5).contains(&mean), "{mean}");
    }

    #[test]
    fn crossover_keeps_the_mean_of_the_parents_and_stays_near_one() {
        let mut children = vec![100; 20_000];
        cross(&mut children, &[140; 20_000], &mut stream(2, 0, 0, 0));
        let mean = children.iter().map(|&c| f64::from(c)).sum::<f64>() / 20_000.0;
        assert!((mean - 120.0).abs() < 0.5, "{mean}");
        let near = children.iter().filter(|c| c.abs_diff(100) <= 6 || c.abs_diff(140) <= 6).count();
        assert!(near > 15_000, "{near}");
    }

    /// Images of all runs so far were made by the same formulas, gene by gene.
    #[test]
    fn children_are_those_of_one_gene_at_a_time() {
        let mut hash = Sha256::new();
        for size in 0..200 {
            let mut rng = stream(7, size, 0, 0);
            let draw = |_| (rng.random::<u8>(), rng.random::<u8>());
            let (mut child, mate): (Vec<u8>, Vec<u8>) = (0..100 + size).map(draw).unzip();
            cross(&mut child, &mate, &mut rng);
            mutate(&mut child, (0.1 * f64::from(u32::MAX)) as u32, &mut rng);
            hash.update(&child);
        }
        let children = "f6a899d6f66dfe92573f91fde262144ee2316b3c3c65bb61ba53146d5f079e2f";
        assert_eq!(hex(&hash.finalize()), children);
    }
}
