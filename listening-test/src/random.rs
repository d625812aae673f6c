//! Seeded randomness for building and planning: what is drawn depends on the study's seed
//! and the purpose, never on what was drawn before.

use rand::rngs::ChaCha8Rng;
use rand::{Rng, RngExt, SeedableRng};

/// What a stream is for; part of its key, so purposes never share numbers.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Purpose {
    Names = 1,
    Practice,
    Catch,
    Pairs,
    Checks,
    Selection,
    Order,
    Listener,
    Controls,
    Design,
    Encoding,
}

/// The stream of one purpose, keyed by the study's seed and two counters.
pub(crate) fn stream(seed: u64, purpose: Purpose, a: u64, b: u64) -> ChaCha8Rng {
    let mut key = [0; 32];
    for (bytes, word) in key.chunks_exact_mut(8).zip([seed, purpose as u64, a, b]) {
        bytes.copy_from_slice(&word.to_le_bytes());
    }
    ChaCha8Rng::from_seed(key)
}

/// Fisher-Yates: every order equally likely.
pub(crate) fn shuffle<T>(items: &mut [T], stream: &mut ChaCha8Rng) {
    for last in (1..items.len()).rev() {
        let other = stream.random_range(0..=last as u64) as usize;
        items.swap(last, other);
    }
}

/// An opaque name: 16 lower-case letters and digits without look-alikes (80 bits).
pub(crate) fn opaque_name(stream: &mut impl Rng) -> String {
    let mut bytes = [0; 10];
    stream.fill_bytes(&mut bytes);
    base32(&bytes)
}

/// Lower-case Crockford base 32 of whole 5-byte groups.
pub(crate) fn base32(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
    let mut text = String::new();
    for group in bytes.chunks_exact(5) {
        let word = group.iter().fold(0u64, |word, &byte| word << 8 | u64::from(byte));
        for digit in (0..8).rev() {
            text.push(char::from(DIGITS[(word >> (5 * digit)) as usize & 31]));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base32_matches_hand_computed_digits() {
        assert_eq!(base32(&[0, 0, 0, 0, 1]), "00000001");
        assert_eq!(base32(&[0xff; 5]), "zzzzzzzz");
        assert_eq!(
            base32(&[0b1000_0100, 0b0010_0001, 0b0000_1000, 0b0100_0010, 0b0001_0000]),
            "ggggggg".to_owned() + "g"
        );
    }

    #[test]
    fn every_order_of_three_is_equally_likely() {
        let mut counts = std::collections::BTreeMap::new();
        let mut stream = stream(1, Purpose::Order, 0, 0);
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
