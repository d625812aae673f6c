//! Direct encoding: every byte of the image is a gene ("irregular images", Nguyen, Yosinski &
//! Clune 2015, section 2.2).

use rand::RngExt;
use serde::{Deserialize, Serialize};
use trompe_corpora::{Image, ImageShape};

use super::deb_variation;
use super::raster::{Raster, unlikeness};
use super::record::record;
use crate::error::{Error, Result};
use crate::problem::{GeneratorUsed, MoveId, Render, Space};
use trompe_base::random::Stream;

/// Rates of the variation; the defaults are the published ones.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PixelSettings {
    /// Share of children that are crossed with a mate (the authors' published configuration).
    pub crossover_rate: f64,
    /// Share of genes that mutate (Nguyen et al., section 2.2).
    pub mutation_rate: f64,
}

impl Default for PixelSettings {
    fn default() -> Self {
        Self { crossover_rate: 0.5, mutation_rate: 0.1 }
    }
}

/// Makes images from one gene per byte.
///
/// Genes are whole numbers from 0 to 255, as the paper's text has them (its code keeps
/// fractions and rounds when it renders). Sampling is uniform. The one move is the paper's:
/// simulated binary crossover with the mate, bounded, then polynomial mutation, cut to the
/// range, by K. Deb's formulas ("Multi-Objective Optimization using Evolutionary Algorithms", 2001, pages
/// 113 and 124). The paper also halves the mutation rate every 1,000 generations; its
/// published code does not, and this does so only where a search asks for it.
#[derive(Debug, Clone)]
pub struct Pixels {
    shape: ImageShape,
    settings: PixelSettings,
}

impl Pixels {
    /// Makes images of `shape`.
    ///
    /// # Errors
    /// [`Error::Request`] for a rate outside [0, 1].
    pub fn new(shape: ImageShape, settings: &PixelSettings) -> Result<Self> {
        for (name, rate) in
            [("crossover_rate", settings.crossover_rate), ("mutation_rate", settings.mutation_rate)]
        {
            if !(0.0..=1.0).contains(&rate) {
                return Err(Error::request(
                    format!("{name} = {rate}"),
                    "give a number between 0 and 1",
                ));
            }
        }
        Ok(Self { shape, settings: settings.clone() })
    }
}

impl Render for Pixels {
    type Genome = Raster;
    type Input = Image;

    fn render(&self, genome: &Raster) -> Image {
        Image { shape: self.shape, pixels: genome.to_vec() }
    }
}

impl Space for Pixels {
    fn format(&self) -> ImageShape {
        self.shape
    }

    fn describe(&self) -> GeneratorUsed {
        record("pixels", None, &self.settings)
    }

    fn check(&self, genome: &Raster) -> Result<(), String> {
        genome.check(self.shape)
    }

    fn sample(&self, rng: &mut Stream) -> Raster {
        let mut pixels = vec![0; self.shape.bytes()];
        rng.fill(&mut pixels[..]);
        pixels.into()
    }

    fn moves(&self) -> &'static [&'static str] {
        &["crossover and mutation"]
    }

    fn vary(
        &self,
        parent: &Raster,
        mate: &Raster,
        _: MoveId,
        rate: f64,
        rng: &mut Stream,
    ) -> Raster {
        let mut child = parent.to_vec();
        if rng.random_bool(self.settings.crossover_rate) {
            deb_variation::cross(&mut child, mate, rng);
        }
        let limit = (rate * self.settings.mutation_rate * f64::from(u32::MAX)) as u32;
        deb_variation::mutate(&mut child, limit, rng);
        child.into()
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
    fn about_a_tenth_of_the_genes_mutate() {
        let shape = ImageShape::grey(100, 100);
        let generator = Pixels::new(shape, &PixelSettings::default()).unwrap();
        let absurd = PixelSettings { mutation_rate: f64::NAN, ..PixelSettings::default() };
        assert!(Pixels::new(shape, &absurd).is_err());
        let mut rng = stream(3, 0, 0, 0);
        let parent = generator.sample(&mut rng);
        let child = generator.vary(&parent, &parent, 0, 1.0, &mut rng);
        let changed = parent.iter().zip(child.iter()).filter(|(a, b)| a != b).count();
        // A few mutations round to no change.
        assert!((850..1_060).contains(&changed), "{changed}");
        let gentle = generator.vary(&parent, &parent, 0, 0.25, &mut rng);
        let changed = parent.iter().zip(gentle.iter()).filter(|(a, b)| a != b).count();
        assert!((180..300).contains(&changed), "{changed}");
        assert!(generator.distance(&parent, &child) < 0.1);
        assert!(generator.distance(&parent, &generator.sample(&mut rng)) > 0.9);
    }
}
