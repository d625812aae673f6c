//! Counter-based random streams: what a candidate draws depends on where it stands in the
//! run, never on which thread evaluates it or what was drawn before.

use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;

/// The generator of every random number in a run: portable and named, so that the same
/// seed gives the same bytes on every machine.
pub type Stream = ChaCha8Rng;

/// The stream of one slot of one generation of one emitter. The four numbers are the
/// 256-bit key, so no two slots share a stream.
pub fn stream(seed: u64, emitter: u64, generation: u64, slot: u64) -> Stream {
    let mut key = [0; 32];
    for (bytes, word) in key.chunks_exact_mut(8).zip([seed, emitter, generation, slot]) {
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
