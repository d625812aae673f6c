//! The genome of an excerpt: a few loops of a bank, each repeated to the excerpt's length.
//!
//! Sturm (2012) mixed three loops drawn at random. How they were levelled and aligned is not
//! known; level, offset, crop, direction and octave as varied genes are our choice.

use rand::RngExt;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::problem::MoveId;
use trompe_base::random::Stream;
use trompe_base::words::counted;

/// What a composition may be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CompositionSettings {
    /// Length of an excerpt, in seconds. Posteriors grow with it: compare equal lengths.
    pub seconds: f64,
    /// Loops of a random composition. Sturm (2012): 3.
    pub loops: usize,
    /// Fewest loops that moves may leave.
    pub min_loops: usize,
    /// Most loops that moves may reach.
    pub max_loops: usize,
}

impl Default for CompositionSettings {
    fn default() -> Self {
        Self { seconds: 30.0, loops: 3, min_loops: 2, max_loops: 5 }
    }
}

impl CompositionSettings {
    /// Checks every setting against a bank of `bank` loops.
    ///
    /// # Errors
    /// [`Error::Request`] naming the first setting that is out of its range.
    pub fn validate(&self, bank: usize) -> Result<()> {
        if !(0.1..=3600.0).contains(&self.seconds) {
            return Err(Error::request(
                format!("seconds = {}", self.seconds),
                "give an excerpt between 0.1 and 3600 seconds",
            ));
        }
        if !(1 <= self.min_loops && self.min_loops <= self.loops && self.loops <= self.max_loops) {
            return Err(Error::request(
                format!(
                    "min_loops = {}, loops = {}, max_loops = {}",
                    self.min_loops, self.loops, self.max_loops
                ),
                "give 1 <= min_loops <= loops <= max_loops",
            ));
        }
        if bank < self.max_loops {
            return Err(Error::request(
                format!(
                    "a bank of {} is too small for max_loops = {}",
                    counted(bank, "loop"),
                    self.max_loops
                ),
                "name a larger bank, or lower max_loops",
            ));
        }
        Ok(())
    }
}

/// An excerpt before it is rendered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Composition {
    /// What is mixed; no loop occurs twice.
    pub layers: Vec<Layer>,
}

/// One loop of a composition and how it is played.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Layer {
    /// Index of the loop in the bank.
    #[serde(rename = "loop")]
    pub loop_index: usize,
    /// Level relative to the other layers (all have equal RMS at 0), in decibels.
    pub gain_db: f32,
    /// Where in its period the loop starts, in [0, 1).
    pub offset: f32,
    /// Start of the stretch that is repeated, as a fraction of the loop in [0, 1).
    pub crop_start: f32,
    /// Length of that stretch as a fraction of the loop, in (0, 1]; start + length <= 1.
    pub crop_length: f32,
    /// Played backwards.
    pub reverse: bool,
    /// Octaves up (+1) or down (-1) by resampling, or 0.
    pub octave: i8,
}

/// Range of [`Layer::gain_db`].
const GAIN_DB: std::ops::RangeInclusive<f32> = -18.0..=12.0;

/// Shortest stretch of a loop that a crop leaves, as a fraction.
const MIN_CROP: f32 = 0.125;

/// Names of the moves, in the order of the arms of [`Composition::vary`].
pub const MOVES: &[&str] =
    &["swap loop", "gain", "offset", "crop", "reverse", "octave", "insert", "delete", "crossover"];

impl Layer {
    /// A loop played as it is, from `offset`.
    fn plain(loop_index: usize, offset: f32) -> Self {
        Self {
            loop_index,
            gain_db: 0.0,
            offset,
            crop_start: 0.0,
            crop_length: 1.0,
            reverse: false,
            octave: 0,
        }
    }
}

impl Composition {
    /// A random composition: distinct loops at equal level, each from a random point.
    pub fn sample(settings: &CompositionSettings, bank: usize, rng: &mut Stream) -> Self {
        let mut composition = Self { layers: Vec::with_capacity(settings.loops) };
        for _ in 0..settings.loops {
            let loop_index = composition.unused_loop(bank, rng);
            composition.layers.push(Layer::plain(loop_index, rng.random()));
        }
        composition
    }

    /// Checks a composition read from a file.
    ///
    /// # Errors
    /// What cannot be, in words.
    pub fn check(&self, settings: &CompositionSettings, bank: usize) -> Result<(), String> {
        let loops = self.layers.len();
        if !(settings.min_loops..=settings.max_loops).contains(&loops) {
            return Err(format!("an excerpt of {}", counted(loops, "loop")));
        }
        for (place, layer) in self.layers.iter().enumerate() {
            let cropped = layer.crop_start + layer.crop_length;
            let plain = layer.loop_index < bank
                && GAIN_DB.contains(&layer.gain_db)
                && (0.0..1.0).contains(&layer.offset)
                && (0.0..1.0).contains(&layer.crop_start)
                && (MIN_CROP..=1.0).contains(&layer.crop_length)
                && cropped <= 1.0 + f32::EPSILON
                && (-1..=1).contains(&layer.octave);
            let twice = self.layers[..place].iter().any(|l| l.loop_index == layer.loop_index);
            if !plain || twice {
                return Err(format!("layer {}, {layer:?}, of a bank of {bank} loops", place + 1));
            }
        }
        Ok(())
    }

    /// A copy changed by the move `move_id` of [`MOVES`]. A move that cannot be made (such as
    /// deleting the last loop) is replaced by a swap, or by another offset where all loops of
    /// the bank play already, so that a child always differs.
    pub fn vary(
        &self,
        mate: &Self,
        move_id: MoveId,
        settings: &CompositionSettings,
        bank: usize,
        rng: &mut Stream,
    ) -> Self {
        let mut child = self.clone();
        let count = child.layers.len();
        let chosen = rng.random_range(0..count);
        match MOVES[move_id] {
            "gain" => child.layers[chosen].gain_db = rng.random_range(GAIN_DB),
            "offset" => child.layers[chosen].offset = rng.random(),
            "crop" => {
                let length = rng.random_range(MIN_CROP..=1.0);
                child.layers[chosen].crop_length = length;
                child.layers[chosen].crop_start = rng.random_range(0.0..=1.0 - length);
            }
            "reverse" => child.layers[chosen].reverse ^= true,
            "octave" => {
                let others = match child.layers[chosen].octave {
                    0 => [-1, 1],
                    1 => [-1, 0],
                    _ => [0, 1],
                };
                child.layers[chosen].octave = others[rng.random_range(0..2)];
            }
            "insert" if count < settings.max_loops => {
                let loop_index = child.unused_loop(bank, rng);
                child.layers.push(Layer::plain(loop_index, rng.random()));
            }
            "delete" if count > settings.min_loops => {
                child.layers.remove(chosen);
            }
            "crossover" if child.take_layer_from(mate, chosen, rng) => {}
            _ if count < bank => child.layers[chosen].loop_index = child.unused_loop(bank, rng),
            _ => child.layers[chosen].offset = rng.random(),
        }
        child
    }

    /// Replaces the layer `chosen` by one of the mate's that plays a loop not yet here; says
    /// whether there was one.
    fn take_layer_from(&mut self, mate: &Self, chosen: usize, rng: &mut Stream) -> bool {
        let new: Vec<&Layer> =
            mate.layers.iter().filter(|layer| !self.plays(layer.loop_index)).collect();
        if new.is_empty() {
            return false;
        }
        self.layers[chosen] = new[rng.random_range(0..new.len())].clone();
        true
    }

    fn plays(&self, loop_index: usize) -> bool {
        self.layers.iter().any(|layer| layer.loop_index == loop_index)
    }

    /// A loop that no layer plays; of a bank that has more loops than there are layers.
    fn unused_loop(&self, bank: usize, rng: &mut Stream) -> usize {
        loop {
            let loop_index = rng.random_range(0..bank);
            if !self.plays(loop_index) {
                return loop_index;
            }
        }
    }

    /// Share of loops that two compositions do not have in common: 1 - |A and B| / |A or B|,
    /// in [0, 1]. How a loop is played does not count, so two compositions of the same loops
    /// are copies however they are mixed.
    pub fn distance(&self, other: &Self) -> f64 {
        let common = self.layers.iter().filter(|layer| other.plays(layer.loop_index)).count();
        let all = self.layers.len() + other.layers.len() - common;
        1.0 - common as f64 / all as f64
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;
    use trompe_base::random::stream;

    use super::*;

    const BANK: usize = 12;

    fn check(composition: &Composition, settings: &CompositionSettings) {
        let count = composition.layers.len();
        assert!((settings.min_loops..=settings.max_loops).contains(&count));
        for (i, layer) in composition.layers.iter().enumerate() {
            assert!(layer.loop_index < BANK && GAIN_DB.contains(&layer.gain_db));
            assert!((0.0..1.0).contains(&layer.offset) && (-1..=1).contains(&layer.octave));
            assert!(layer.crop_length >= MIN_CROP && layer.crop_start >= 0.0);
            assert!(layer.crop_start + layer.crop_length <= 1.0 + 1e-6);
            assert!(
                composition.layers[..i].iter().all(|other| other.loop_index != layer.loop_index)
            );
        }
    }

    proptest! {
        #[test]
        fn every_child_is_valid_and_differs(seed: u64, moves in prop::collection::vec(0..MOVES.len(), 1..40)) {
            let settings = CompositionSettings::default();
            let mut rng = stream(seed, 0, 0, 0);
            let mut parent = Composition::sample(&settings, BANK, &mut rng);
            let mate = Composition::sample(&settings, BANK, &mut rng);
            for id in moves {
                let child = parent.vary(&mate, id, &settings, BANK, &mut rng);
                check(&child, &settings);
                prop_assert_ne!(&child, &parent);
                parent = child;
            }
        }
    }

    #[test]
    fn a_bank_of_no_more_loops_than_a_composition_may_have_is_enough() {
        let settings = CompositionSettings { loops: 5, ..CompositionSettings::default() };
        let mut rng = stream(1, 0, 0, 0);
        let whole = Composition::sample(&settings, settings.max_loops, &mut rng);
        for (id, name) in MOVES.iter().enumerate() {
            let child = whole.vary(&whole, id, &settings, settings.max_loops, &mut rng);
            assert_ne!(child, whole, "{name}");
            child.check(&settings, settings.max_loops).unwrap();
        }
    }

    #[test]
    fn distance_counts_loops_that_differ() {
        let of = |loops: &[usize]| Composition {
            layers: loops.iter().map(|&index| Layer::plain(index, 0.0)).collect(),
        };
        assert_eq!(of(&[1, 2, 3]).distance(&of(&[3, 2, 1])), 0.0);
        assert_eq!(of(&[1, 2, 3]).distance(&of(&[1, 2, 4])), 0.5);
        assert_eq!(of(&[1, 2, 3]).distance(&of(&[1, 4, 5])), 0.8);
        assert_eq!(of(&[1, 2]).distance(&of(&[3, 4])), 1.0);
    }

    #[test]
    fn settings_out_of_range_are_refused() {
        let with = |change: fn(&mut CompositionSettings)| {
            let mut settings = CompositionSettings::default();
            change(&mut settings);
            settings.validate(BANK).is_err()
        };
        assert!(with(|s| s.seconds = f64::NAN));
        assert!(with(|s| s.loops = 9));
        assert!(with(|s| s.min_loops = 0));
        assert!(with(|s| s.max_loops = 13));
        assert!(CompositionSettings::default().validate(BANK).is_ok());
    }
}
