//! Counter-based random streams: what a clip draws depends on where it stands in its
//! collection, never on which thread makes it.

use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;

/// The stream of one attempt at one item of one section (a class, a style file). The four
/// numbers are the 256-bit key, so no two share a stream.
pub(crate) fn stream(seed: u64, section: u64, item: u64, attempt: u64) -> ChaCha8Rng {
    let mut key = [0; 32];
    for (bytes, word) in key.chunks_exact_mut(8).zip([seed, section, item, attempt]) {
        bytes.copy_from_slice(&word.to_le_bytes());
    }
    ChaCha8Rng::from_seed(key)
}

#[cfg(test)]
mod tests {
    use rand::Rng;

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
}
