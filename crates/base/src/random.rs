//! Keyed random streams: what is drawn depends on a key (a seed and up to three numbers), never on the
//! thread that draws or on what was drawn before.

use rand::rngs::ChaCha8Rng;
use rand::{Rng, RngExt, SeedableRng};

/// The generator of every random number: portable and named, so that the same seed gives the same bytes
/// on every machine.
pub type Stream = ChaCha8Rng;

/// The stream under a key of four numbers, such as seed, emitter, generation and slot. The numbers are the
/// 256-bit key of the generator, so different keys never share a stream.
pub fn stream(seed: u64, a: u64, b: u64, c: u64) -> Stream {
    let mut key = [0; 32];
    for (bytes, word) in key.chunks_exact_mut(8).zip([seed, a, b, c]) {
        bytes.copy_from_slice(&word.to_le_bytes());
    }
    ChaCha8Rng::from_seed(key)
}

/// A uniform index below `count`, which must not be 0.
pub fn index(count: usize, stream: &mut impl Rng) -> usize {
    stream.random_range(0..count as u64) as usize
}

/// A uniform number in (0, 1), never an end.
pub fn uniform(stream: &mut impl Rng) -> f64 {
    // 53 random bits, moved to the middle of their cell.
    ((stream.next_u64() >> 11) as f64 + 0.5) / (1u64 << 53) as f64
}

/// A standard normal number (Box and Muller 1958, the cosine half).
pub fn normal(stream: &mut impl Rng) -> f64 {
    let radius = libm::sqrt(-2.0 * libm::log(uniform(stream)));
    radius * libm::cos(2.0 * std::f64::consts::PI * uniform(stream))
}

/// Fisher-Yates: every order equally likely.
pub fn shuffle<T>(items: &mut [T], stream: &mut impl Rng) {
    for last in (1..items.len()).rev() {
        items.swap(last, index(last + 1, stream));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_of_the_key_changes_the_stream() {
        let first = |a, b, c, d| stream(a, b, c, d).next_u64();
        let base = first(1, 2, 3, 4);
        assert_eq!(base, first(1, 2, 3, 4));
        for other in [first(2, 2, 3, 4), first(1, 3, 3, 4), first(1, 2, 4, 4), first(1, 2, 3, 5)] {
            assert_ne!(base, other);
        }
    }

    /// All runs so far drew from these streams. The numbers were computed independently, from the
    /// definition of ChaCha8; they may change only together with the versions of all files.
    #[test]
    fn streams_are_those_of_every_version() {
        let first = |seed, emitter, generation, slot| {
            let mut rng = stream(seed, emitter, generation, slot);
            [rng.next_u64(), rng.next_u64()]
        };
        assert_eq!(first(1, 0, 0, 0), [7_037_237_572_835_827_407, 5_440_448_899_038_119_230]);
        assert_eq!(first(42, 2, 7, 3), [15_202_020_301_500_546_468, 1_972_140_563_697_774_174]);
        assert_eq!(
            first(u64::MAX, 1 << 32, 1 << 40, 1),
            [4_794_419_326_270_815_949, 2_674_284_668_277_128_866]
        );
    }

    #[test]
    fn normal_numbers_have_the_moments_of_a_normal() {
        let mut stream = stream(1, 103, 0, 0);
        let draws: Vec<f64> = (0..100_000).map(|_| normal(&mut stream)).collect();
        let moment =
            |power: i32| draws.iter().map(|z| z.powi(power)).sum::<f64>() / draws.len() as f64;
        for (power, expected, error) in
            [(1, 0.0, 0.015), (2, 1.0, 0.02), (3, 0.0, 0.06), (4, 3.0, 0.15)]
        {
            assert!((moment(power) - expected).abs() < error, "moment {power}: {}", moment(power));
        }
    }

    #[test]
    fn every_order_of_three_is_equally_likely() {
        let mut counts = std::collections::BTreeMap::new();
        let mut stream = stream(1, 7, 0, 0);
        for _ in 0..6000 {
            let mut items = [0, 1, 2];
            shuffle(&mut items, &mut stream);
            *counts.entry(items).or_insert(0) += 1;
        }
        assert_eq!(counts.len(), 6);
        // chi-square with 5 degrees of freedom: 20.5 is the 0.1 % point
        let chi: f64 = counts.values().map(|&n| (f64::from(n) - 1000.0).powi(2) / 1000.0).sum();
        assert!(chi < 20.5, "{counts:?}");
    }
}
