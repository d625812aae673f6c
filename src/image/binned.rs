//! Niches of class x descriptor: two images are of one niche if they look alike in two plain
//! measures, so that a class keeps one elite for every look (a grid as MAP-Elites has it,
//! Mouret & Clune 2015; which measures, and how fine, is our choice).

use serde::{Deserialize, Serialize};
use trompe_corpora::{Image, ImageShape};

use crate::problem::{GeneratorUsed, Gradient, MoveId, Render, Space};
use trompe_base::random::Stream;

/// Cells of the grid along each measure.
const CELLS: usize = 8;

/// Where the settings of a binned space name its [`Descriptor`].
pub const DESCRIPTOR_KEY: &str = "descriptor";

/// What tells niches of one class apart.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Descriptor {
    /// Nothing: a class has one niche.
    #[default]
    None,
    /// Mean brightness and share of edges, in eight steps each.
    BrightnessAndEdges,
}

/// A space with niches: two images are different only if they fall in different cells.
#[derive(Debug, Clone)]
pub struct Binned<S>(pub S);

/// A genome with the cell that its image falls in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Placed<T> {
    cell: usize,
    genome: T,
}

impl<S: Space<Input = Image>> Binned<S> {
    fn place(&self, genome: S::Genome) -> Placed<S::Genome> {
        let image = self.0.render(&genome);
        Placed { cell: cell(&image.pixels, image.shape), genome }
    }
}

/// The cell of an image: its mean brightness, and the mean step between neighbours to the
/// right, both as a share of the whole range. A step of a quarter or more is the last cell.
fn cell(pixels: &[u8], shape: ImageShape) -> usize {
    let sum: u64 = pixels.iter().map(|&value| u64::from(value)).sum();
    let line = shape.width * shape.channels;
    let step = |line: &[u8]| -> u64 {
        let next = line.iter().skip(shape.channels);
        line.iter().zip(next).map(|(&a, &b)| u64::from(a.abs_diff(b))).sum()
    };
    let steps: u64 = pixels.chunks_exact(line).map(step).sum();
    let whole = 256 * pixels.len() as u64;
    let bin = |sum: u64| (sum * CELLS as u64 / whole).min(CELLS as u64 - 1) as usize;
    bin(sum) * CELLS + bin(4 * steps)
}

impl<S: Space<Input = Image>> Render for Binned<S> {
    type Genome = Placed<S::Genome>;
    type Input = Image;

    fn render(&self, genome: &Self::Genome) -> Image {
        self.0.render(&genome.genome)
    }

    fn descriptions(&self, genome: &Self::Genome) -> Vec<String> {
        let (brightness, edges) = (genome.cell / CELLS + 1, genome.cell % CELLS + 1);
        let mut words = vec![format!("brightness {brightness}, edges {edges} of {CELLS}")];
        words.extend(self.0.descriptions(&genome.genome));
        words
    }
}

impl<S: Space<Input = Image>> Space for Binned<S> {
    fn format(&self) -> ImageShape {
        self.0.format()
    }

    fn describe(&self) -> GeneratorUsed {
        let mut described = self.0.describe();
        described.settings[DESCRIPTOR_KEY] =
            serde_json::to_value(Descriptor::BrightnessAndEdges).unwrap_or_default();
        described
    }

    fn version(&self) -> u32 {
        self.0.version()
    }

    fn check(&self, genome: &Self::Genome) -> Result<(), String> {
        self.0.check(&genome.genome)?;
        if self.place(genome.genome.clone()).cell == genome.cell {
            Ok(())
        } else {
            Err(format!("its image is not in the cell {}", genome.cell))
        }
    }

    fn sample(&self, rng: &mut Stream) -> Self::Genome {
        self.place(self.0.sample(rng))
    }

    fn moves(&self) -> &'static [&'static str] {
        self.0.moves()
    }

    fn vary(
        &self,
        parent: &Self::Genome,
        mate: &Self::Genome,
        move_id: MoveId,
        rate: f64,
        rng: &mut Stream,
    ) -> Self::Genome {
        self.place(self.0.vary(&parent.genome, &mate.genome, move_id, rate, rng))
    }

    fn ascend(
        &self,
        genome: &Self::Genome,
        gradient: &dyn Fn(&[f32]) -> Option<Gradient>,
    ) -> Option<Self::Genome> {
        Some(self.place(self.0.ascend(&genome.genome, gradient)?))
    }

    /// 0 within a cell, 1 between two.
    fn distance(&self, a: &Self::Genome, b: &Self::Genome) -> f64 {
        f64::from(u8::from(a.cell != b.cell))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use trompe_base::random::stream;

    use super::*;
    use crate::image::{Patches, patches};

    #[test]
    fn cells_follow_brightness_and_edges() {
        let shape = ImageShape::grey(8, 8);
        let stripes = |wide: usize| -> Vec<u8> {
            (0..64).map(|i| if (i % 8 / wide).is_multiple_of(2) { 255 } else { 0 }).collect()
        };
        assert_eq!(cell(&[0; 64], shape), 0);
        assert_eq!(cell(&[255; 64], shape), 7 * CELLS);
        assert_eq!(cell(&stripes(1), shape), 3 * CELLS + 7);
        assert_eq!(cell(&stripes(4), shape), 3 * CELLS + 3);
    }

    #[test]
    fn the_cell_of_a_genome_is_that_of_its_image() {
        let shape = ImageShape::grey(28, 28);
        let patches = Patches::new(shape, &patches::PatchSettings::default()).unwrap();
        let generator = Binned(patches);
        let mut rng = stream(1, 0, 0, 0);
        let mut parent = generator.sample(&mut rng);
        let mut cells = std::collections::BTreeSet::new();
        for _ in 0..200 {
            let child = generator.vary(&parent, &parent, 0, 1.0, &mut rng);
            assert_eq!(child.cell, cell(&generator.render(&child).pixels, shape));
            let apart = child.cell != parent.cell;
            assert_eq!(generator.distance(&parent, &child), f64::from(u8::from(apart)));
            cells.insert(child.cell);
            parent = child;
        }
        assert!(cells.len() > 2, "{cells:?}");
    }
}
