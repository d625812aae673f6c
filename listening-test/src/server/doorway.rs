//! How fast people may come in: a flood of enrolments must not fill the disk.
//!
//! Behind a proxy all requests come from one address, so the limit is one for all. A place comes
//! back after a moment; a lecture hall that starts at once has room.

use std::sync::Mutex;
use std::time::Instant;

/// Enrolments that may come at once.
const PLACES: f64 = 2000.0;

/// Enrolments a second that may follow.
const RATE: f64 = 5.0;

/// The places that are free.
#[derive(Debug)]
pub(crate) struct Doorway(Mutex<(f64, Instant)>);

impl Doorway {
    pub(crate) fn new() -> Self {
        Self(Mutex::new((PLACES, Instant::now())))
    }

    /// Takes a place, if one is free.
    pub(crate) fn admits(&self) -> bool {
        self.admits_at(Instant::now())
    }

    fn admits_at(&self, now: Instant) -> bool {
        let Ok(mut state) = self.0.lock() else { return true };
        let (free, since) = *state;
        let free = (free + RATE * now.saturating_duration_since(since).as_secs_f64()).min(PLACES);
        let admitted = free >= 1.0;
        *state = (if admitted { free - 1.0 } else { free }, now);
        admitted
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_hall_comes_in_at_once_and_a_flood_does_not() {
        let doorway = Doorway::new();
        let start = Instant::now();
        let count = |now| (0..10_000).filter(|_| doorway.admits_at(now)).count();
        assert_eq!(count(start), 2000);
        assert_eq!(count(start + Duration::from_secs(10)), 50);
        assert_eq!(count(start + Duration::from_secs(36_000)), 2000);
    }
}
