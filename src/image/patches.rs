//! Large coherent moves: squares of one colour on a striped ground (ours; random squares are
//! what query-efficient attacks under a norm use, here there is no norm).

use rand::RngExt;
use serde::{Deserialize, Serialize};
use trompe_corpora::{Image, ImageShape};

use super::raster::{Raster, unlikeness};
use super::record::record;
use crate::error::{Error, Result};
use crate::problem::{GeneratorUsed, MoveId, Render, Space};
use trompe_base::random::Stream;

/// What a patch may be (our choice).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PatchSettings {
    /// Longest side of a square, as a share of the image's shorter side. The default makes
    /// 6 pixels of 28.
    pub longest_side: f64,
}

impl Default for PatchSettings {
    fn default() -> Self {
        Self { longest_side: 0.2143 }
    }
}

/// Makes images from patches whose colour channels are all fully off or fully on.
#[derive(Debug, Clone)]
pub struct Patches {
    shape: ImageShape,
    settings: PatchSettings,
    longest: usize,
}

impl Patches {
    /// Makes images of `shape`.
    ///
    /// # Errors
    /// [`Error::Request`] for a side outside (0, 1].
    pub fn new(shape: ImageShape, settings: &PatchSettings) -> Result<Self> {
        let share = settings.longest_side;
        if !(share > 0.0 && share <= 1.0) {
            return Err(Error::request(
                format!("longest_side = {share}"),
                "give a share of the image's side, above 0 and up to 1",
            ));
        }
        let shorter = shape.width.min(shape.height);
        let longest = ((shorter as f64 * share).round() as usize).clamp(1, shorter);
        Ok(Self { shape, settings: settings.clone(), longest })
    }

    /// Fills a rectangle with one colour.
    fn fill(
        &self,
        pixels: &mut [u8],
        (x, y): (usize, usize),
        size: (usize, usize),
        colour: [u8; 3],
    ) {
        let ImageShape { width, channels, .. } = self.shape;
        for row in y..y + size.1 {
            let line = &mut pixels[(row * width + x) * channels..][..size.0 * channels];
            for pixel in line.chunks_exact_mut(channels) {
                pixel.copy_from_slice(&colour[..channels]);
            }
        }
    }

    /// A rectangle of at most `longest` a side that lies inside the image: place and size.
    fn place(&self, size: (usize, usize), rng: &mut Stream) -> (usize, usize) {
        (
            rng.random_range(0..=self.shape.width - size.0),
            rng.random_range(0..=self.shape.height - size.1),
        )
    }
}

/// A corner of the colour cube.
fn colour(rng: &mut Stream) -> [u8; 3] {
    std::array::from_fn(|_| if rng.random() { u8::MAX } else { 0 })
}

impl Render for Patches {
    type Genome = Raster;
    type Input = Image;

    fn render(&self, genome: &Raster) -> Image {
        Image { shape: self.shape, pixels: genome.to_vec() }
    }
}

impl Space for Patches {
    fn format(&self) -> ImageShape {
        self.shape
    }

    fn describe(&self) -> GeneratorUsed {
        record("patches", None, &self.settings)
    }

    fn check(&self, genome: &Raster) -> Result<(), String> {
        genome.check(self.shape)
    }

    /// Stripes of two colours, across or down, one to `longest` pixels wide.
    fn sample(&self, rng: &mut Stream) -> Raster {
        let mut pixels = vec![0; self.shape.bytes()];
        let down: bool = rng.random();
        let wide = rng.random_range(1..=self.longest);
        let phase = rng.random_range(0..2 * wide);
        let first = colour(rng);
        let second = first.map(|value| !value);
        for y in 0..self.shape.height {
            for x in 0..self.shape.width {
                let along = if down { x } else { y };
                let stripe =
                    if ((along + phase) / wide).is_multiple_of(2) { first } else { second };
                self.fill(&mut pixels, (x, y), (1, 1), stripe);
            }
        }
        pixels.into()
    }

    fn moves(&self) -> &'static [&'static str] {
        &["square", "rectangle", "stamp"]
    }

    fn vary(
        &self,
        parent: &Raster,
        mate: &Raster,
        move_id: MoveId,
        _: f64,
        rng: &mut Stream,
    ) -> Raster {
        let mut pixels = parent.to_vec();
        match move_id {
            0 => {
                let side = rng.random_range(1..=self.longest);
                let place = self.place((side, side), rng);
                self.fill(&mut pixels, place, (side, side), colour(rng));
            }
            1 => {
                let mut side = || rng.random_range(1..=2 * self.longest);
                let size = (side().min(self.shape.width), side().min(self.shape.height));
                let place = self.place(size, rng);
                self.fill(&mut pixels, place, size, colour(rng));
            }
            _ => {
                let side = rng.random_range(1..=2 * self.longest);
                let side = side.min(self.shape.width).min(self.shape.height);
                let (x, y) = self.place((side, side), rng);
                let ImageShape { width, channels, .. } = self.shape;
                for row in y..y + side {
                    let start = (row * width + x) * channels;
                    let line = start..start + side * channels;
                    pixels[line.clone()].copy_from_slice(&mate[line]);
                }
            }
        }
        pixels.into()
    }

    fn distance(&self, a: &Raster, b: &Raster) -> f64 {
        unlikeness(a, b)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use trompe_base::random::stream;

    use super::*;

    #[test]
    fn every_channel_is_off_or_on_and_every_move_changes_the_image() {
        for shape in [ImageShape::grey(28, 28), ImageShape::rgb(3, 17)] {
            let generator = Patches::new(shape, &PatchSettings::default()).unwrap();
            let mut changed = [0; 3];
            for slot in 0..300 {
                let mut rng = stream(1, 0, 0, slot);
                let (parent, mate) = (generator.sample(&mut rng), generator.sample(&mut rng));
                let move_id = slot as usize % 3;
                let child = generator.vary(&parent, &mate, move_id, 1.0, &mut rng);
                assert!(child.iter().all(|value| [0, 255].contains(value)));
                changed[move_id] += usize::from(child != parent);
            }
            assert!(changed.iter().all(|&count| count > 50), "{changed:?}");
        }
    }
}
