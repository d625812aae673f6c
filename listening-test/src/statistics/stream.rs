//! Random streams keyed by seed, purpose and place: what is drawn never depends on which
//! thread draws it.

use rand::rngs::ChaCha8Rng;
use rand::{Rng, RngExt, SeedableRng};

/// What a stream is for; part of its key, so purposes never share numbers.
#[derive(Debug, Clone, Copy)]
pub enum Purpose {
    /// Resampling of participants and items.
    Bootstrap = 101,
    /// Permuting labels over items.
    Permutation,
    /// Simulating whole studies.
    Study,
    /// Simulating studies like an actual one.
    Parametric,
    /// Permuting labels over groups of items.
    GroupPermutation,
    /// Resampling groups of items.
    GroupBootstrap,
    /// Simulating collections of items.
    Collection,
}

/// The stream of one purpose and one place.
pub fn stream(seed: u64, purpose: Purpose, place: u64) -> ChaCha8Rng {
    let mut key = [0; 32];
    for (bytes, word) in key.chunks_exact_mut(8).zip([seed, purpose as u64, place, 0]) {
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
    fn normal_numbers_have_the_moments_of_a_normal() {
        let mut stream = stream(1, Purpose::Study, 0);
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
    fn purposes_and_places_have_their_own_numbers() {
        let first = |purpose, place| stream(1, purpose, place).next_u64();
        assert_ne!(first(Purpose::Study, 0), first(Purpose::Study, 1));
        assert_ne!(first(Purpose::Study, 0), first(Purpose::Bootstrap, 0));
    }
}
