//! Drawing of real controls.

use std::collections::BTreeMap;

use trompe_base::random::shuffle;

use crate::random::{Purpose, stream};

/// Draws `count` of things that have these classes, evenly over the classes as far as they
/// go; the same for the same seed. Gives their places, in order.
pub fn draw_evenly(classes: &[usize], count: usize, seed: u64) -> Vec<usize> {
    let mut places: Vec<usize> = (0..classes.len()).collect();
    shuffle(&mut places, &mut stream(seed, Purpose::Controls, 0, 0));
    let mut taken = BTreeMap::new();
    let mut rounds: Vec<(usize, usize)> = Vec::new(); // how many of its class came before it
    for place in places {
        let before = taken.entry(classes[place]).or_insert(0usize);
        rounds.push((*before, place));
        *before += 1;
    }
    rounds.sort_by_key(|&(before, _)| before); // stable: the draw decides within a round
    let mut drawn: Vec<usize> = rounds.into_iter().take(count).map(|(_, place)| place).collect();
    drawn.sort_unstable();
    drawn
}
