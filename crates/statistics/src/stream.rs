//! Random streams keyed by seed, purpose and place: what is drawn never depends on which
//! thread draws it.

use trompe_base::random::Stream;

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
pub fn stream(seed: u64, purpose: Purpose, place: u64) -> Stream {
    trompe_base::random::stream(seed, purpose as u64, place, 0)
}

#[cfg(test)]
mod tests {
    use rand::Rng;

    use super::*;

    #[test]
    fn purposes_and_places_have_their_own_numbers() {
        let first = |purpose, place| stream(1, purpose, place).next_u64();
        assert_ne!(first(Purpose::Study, 0), first(Purpose::Study, 1));
        assert_ne!(first(Purpose::Study, 0), first(Purpose::Bootstrap, 0));
    }
}
