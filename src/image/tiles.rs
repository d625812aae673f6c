//! Composition: images put together from tiles of a corpus' images, as excerpts are from
//! loops (ours: the image side of Sturm's random compositions).

use rand::RngExt;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use trompe_corpora::{Image, ImageCorpus, ImageShape};

use super::record::record;
use crate::error::{Error, Result};
use crate::problem::{BankUsed, GeneratorUsed, MoveId, Render, Space};
use trompe_base::encoding::hex;
use trompe_base::random::Stream;
use trompe_base::random::stream;

/// Key of the random stream that draws the tiles.
const LIBRARY_STREAM: u64 = 0x7469_6c65;

/// Which tile of the library stands in each slot, row by row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Composition {
    slots: Vec<u32>,
}

/// Where tiles are cut from, and how many.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TileSettings {
    /// Name of a corpus of images, or its path; its training images are cut.
    pub corpus: String,
    /// Tiles a side of an image.
    pub side: usize,
    /// Tiles of the library.
    pub count: usize,
}

impl Default for TileSettings {
    fn default() -> Self {
        Self { corpus: "mnist".to_owned(), side: 4, count: 100 }
    }
}

/// Makes images of `side` x `side` tiles, each drawn from a library.
#[derive(Debug, Clone)]
pub struct Tiles {
    shape: ImageShape,
    side: usize,
    tile: ImageShape,
    /// Pixels of all tiles, one after another.
    library: Vec<u8>,
    bank: BankUsed,
    settings: TileSettings,
}

impl Tiles {
    /// Cuts the tiles out of the images `indices` of `corpus`, which the settings name, each from
    /// an image and a slot drawn by `seed`.
    ///
    /// # Errors
    /// [`Error::Request`] if there are no images or tiles, or the tiles do not cover an image.
    pub fn cut(
        corpus: &ImageCorpus,
        indices: &[usize],
        settings: &TileSettings,
        seed: u64,
    ) -> Result<Self> {
        let (shape, &TileSettings { side, count, .. }) = (corpus.shape, settings);
        let covers =
            side > 0 && shape.width.is_multiple_of(side) && shape.height.is_multiple_of(side);
        if indices.is_empty() || !(1..=1 << 20).contains(&count) || !covers {
            return Err(Error::request(
                format!("{count} tiles, {side} a side, from {} images of {shape}", indices.len()),
                "ask for at least one tile, of a size that divides the image",
            ));
        }
        let tile = ImageShape { width: shape.width / side, height: shape.height / side, ..shape };
        let mut library = Vec::with_capacity(count * tile.bytes());
        let mut rng = stream(seed, LIBRARY_STREAM, 0, 0);
        for _ in 0..count {
            let image = corpus.image(indices[rng.random_range(0..indices.len())]);
            let slot = rng.random_range(0..side * side);
            for line in 0..tile.height {
                let start =
                    slot_start(shape, tile, slot, side) + line * shape.width * shape.channels;
                library.extend(&image[start..start + tile.width * tile.channels]);
            }
        }
        let bank = BankUsed {
            name: corpus.name.clone(),
            sha256: hex(&Sha256::digest(&library)),
            provenance: corpus.provenance,
            licence: None,
        };
        Ok(Self { shape, side, tile, library, bank, settings: settings.clone() })
    }

    /// Number of tiles in the library.
    pub fn library_size(&self) -> usize {
        self.library.len() / self.tile.bytes()
    }

    fn draw(&self, rng: &mut Stream) -> u32 {
        rng.random_range(0..self.library_size() as u32)
    }
}

/// First byte of a slot in an image.
fn slot_start(shape: ImageShape, tile: ImageShape, slot: usize, side: usize) -> usize {
    let (row, column) = (slot / side, slot % side);
    (row * tile.height * shape.width + column * tile.width) * shape.channels
}

impl Render for Tiles {
    type Genome = Composition;
    type Input = Image;

    fn render(&self, genome: &Composition) -> Image {
        let mut pixels = vec![0; self.shape.bytes()];
        let line = self.tile.width * self.tile.channels;
        for (slot, &tile) in genome.slots.iter().enumerate() {
            let tile = &self.library[tile as usize * self.tile.bytes()..][..self.tile.bytes()];
            let start = slot_start(self.shape, self.tile, slot, self.side);
            for (row, values) in tile.chunks_exact(line).enumerate() {
                let start = start + row * self.shape.width * self.shape.channels;
                pixels[start..start + line].copy_from_slice(values);
            }
        }
        Image { shape: self.shape, pixels }
    }

    fn descriptions(&self, genome: &Composition) -> Vec<String> {
        let tiles: Vec<String> = genome.slots.iter().map(u32::to_string).collect();
        vec![format!("tiles {}", tiles.join(" "))]
    }
}

impl Space for Tiles {
    fn format(&self) -> ImageShape {
        self.shape
    }

    fn describe(&self) -> GeneratorUsed {
        // The bank stands for the corpus, which may be moved.
        let mut described = record("tiles", Some(self.bank.clone()), &self.settings);
        if let Some(keys) = described.settings.as_object_mut() {
            keys.remove("corpus");
        }
        described
    }

    fn check(&self, genome: &Composition) -> Result<(), String> {
        let slots = self.side * self.side;
        if genome.slots.len() != slots {
            return Err(format!("{} tiles, where an image has {slots}", genome.slots.len()));
        }
        match genome.slots.iter().find(|&&tile| tile as usize >= self.library_size()) {
            Some(tile) => Err(format!("tile {tile} of {}", self.library_size())),
            None => Ok(()),
        }
    }

    fn sample(&self, rng: &mut Stream) -> Composition {
        Composition { slots: (0..self.side * self.side).map(|_| self.draw(rng)).collect() }
    }

    fn moves(&self) -> &'static [&'static str] {
        &["replace", "swap", "cross"]
    }

    fn vary(
        &self,
        parent: &Composition,
        mate: &Composition,
        move_id: MoveId,
        _: f64,
        rng: &mut Stream,
    ) -> Composition {
        let mut slots = parent.slots.clone();
        let count = slots.len();
        match move_id {
            0 => slots[rng.random_range(0..count)] = self.draw(rng),
            1 => slots.swap(rng.random_range(0..count), rng.random_range(0..count)),
            _ => {
                for (slot, &other) in slots.iter_mut().zip(&mate.slots) {
                    *slot = if rng.random() { other } else { *slot };
                }
            }
        }
        Composition { slots }
    }

    /// Share of slots that hold different tiles.
    fn distance(&self, a: &Composition, b: &Composition) -> f64 {
        let different = a.slots.iter().zip(&b.slots).filter(|(a, b)| a != b).count();
        different as f64 / a.slots.len().max(1) as f64
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use trompe_corpora::Split;
    use trompe_corpora::images::synthetic_digits;

    use super::*;

    fn settings(side: usize, count: usize) -> TileSettings {
        TileSettings { side, count, ..TileSettings::default() }
    }

    #[test]
    fn a_composition_renders_the_tiles_it_names() {
        let corpus = synthetic_digits(30, 0, 1);
        let tiles = Tiles::cut(&corpus, &corpus.split(Split::Train), &settings(4, 50), 1).unwrap();
        let mut rng = stream(1, 0, 0, 0);
        let genome = tiles.sample(&mut rng);
        let pixels = tiles.render(&genome).pixels;
        // Slot 6 is the third of the second row: lines 7.., columns 14..
        let tile = &tiles.library[genome.slots[6] as usize * 49..][..49];
        for line in 0..7 {
            assert_eq!(pixels[(7 + line) * 28 + 14..][..7], tile[line * 7..][..7]);
        }
        assert!(Tiles::cut(&corpus, &[0], &settings(5, 50), 1).is_err(), "28 is not divided by 5");
        assert!(Tiles::cut(&corpus, &[], &settings(4, 50), 1).is_err());
        assert!(Tiles::cut(&corpus, &[0], &settings(4, 0), 1).is_err());
    }

    #[test]
    fn moves_change_as_many_slots_as_they_say() {
        let corpus = synthetic_digits(30, 0, 1);
        let tiles = Tiles::cut(&corpus, &corpus.split(Split::Train), &settings(4, 50), 1).unwrap();
        for slot in 0..60 {
            let mut rng = stream(2, 0, 0, slot);
            let (parent, mate) = (tiles.sample(&mut rng), tiles.sample(&mut rng));
            let replaced = tiles.vary(&parent, &mate, 0, 1.0, &mut rng);
            assert!(tiles.distance(&parent, &replaced) <= 1.0 / 16.0);
            let swapped = tiles.vary(&parent, &mate, 1, 1.0, &mut rng);
            assert!(tiles.distance(&parent, &swapped) <= 2.0 / 16.0);
            let crossed = tiles.vary(&parent, &mate, 2, 1.0, &mut rng);
            for (slot, parents) in crossed.slots.iter().zip(parent.slots.iter().zip(&mate.slots)) {
                assert!(slot == parents.0 || slot == parents.1);
            }
        }
    }
}
