//! Direct encoding: every byte of the image is a gene ("irregular images", Nguyen, Yosinski &
//! Clune 2015, section 2.2).

use rand::RngExt;
use serde::{Deserialize, Serialize};
use trompe_corpora::{Image, ImageShape};

use super::raster::{Raster, unlikeness};
use super::record::record;
use crate::error::{Error, Result};
use crate::problem::{GeneratorUsed, MoveId, Render, Space};
use trompe_base::random::Stream;

/// Distribution index of the crossover: the higher, the nearer children are to a parent.
const CROSSOVER_INDEX: f32 = 10.0;

/// Distribution index of the mutation ("mutation strength 15").
const MUTATION_INDEX: f32 = 15.0;

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
            for (gene, &other) in child.iter_mut().zip(mate.iter()).filter(|(a, b)| *a != *b) {
                *gene = cross(*gene, other, rng);
            }
        }
        let limit = (rate * self.settings.mutation_rate * f64::from(u32::MAX)) as u32;
        for gene in &mut child {
            if rng.random::<u32>() < limit {
                *gene = mutate(*gene, rng);
            }
        }
        child.into()
    }

    fn distance(&self, a: &Raster, b: &Raster) -> f64 {
        unlikeness(a, b)
    }
}

/// One of the two children of two unequal genes, drawn by bounded simulated binary crossover.
fn cross(a: u8, b: u8, rng: &mut Stream) -> u8 {
    let (low, high) = (f32::from(a.min(b)), f32::from(a.max(b)));
    let apart = high - low;
    let u: f32 = rng.random();
    // The child below the parents' middle is bounded by 0, the one above by 255.
    let below: bool = rng.random();
    let room = if below { low } else { 255.0 - high };
    let alpha = 2.0 - power(1.0 + 2.0 * room / apart, -(CROSSOVER_INDEX + 1.0));
    let spread = u * alpha;
    let spread = if spread <= 1.0 { spread } else { 1.0 / (2.0 - spread) };
    let half = 0.5 * power(spread, 1.0 / (CROSSOVER_INDEX + 1.0)) * apart;
    let middle = 0.5 * (low + high);
    quantize(if below { middle - half } else { middle + half })
}

/// Polynomial mutation: mean absolute step 1 / (index + 2) of the range, that is 15 levels.
fn mutate(gene: u8, rng: &mut Stream) -> u8 {
    let u: f32 = rng.random();
    let exponent = 1.0 / (MUTATION_INDEX + 1.0);
    let step = if u < 0.5 {
        power(2.0 * u, exponent) - 1.0
    } else {
        1.0 - power(2.0 * (1.0 - u), exponent)
    };
    quantize(f32::from(gene) + 255.0 * step)
}

/// The nearest byte.
fn quantize(value: f32) -> u8 {
    (value + 0.5).clamp(0.0, 255.0) as u8
}

/// base^exponent for a finite base >= 0 to about six digits, by polynomials: the same bits on
/// every machine, and many times faster than an exact power, which 8 bits would not show.
fn power(base: f32, exponent: f32) -> f32 {
    if base < f32::MIN_POSITIVE {
        return 0.0;
    }
    // log2: exponent bits, and ln((1 + s) / (1 - s)) = 2 (s + s^3 / 3 + s^5 / 5 + ...) for a
    // mantissa in [sqrt(1/2), sqrt(2)).
    let bits = base.to_bits();
    let exponent_bits = ((bits.wrapping_sub(0x3f35_04f3)) as i32) >> 23;
    let mantissa = f32::from_bits(bits.wrapping_sub((exponent_bits << 23) as u32));
    let s = (mantissa - 1.0) / (mantissa + 1.0);
    let s2 = s * s;
    let series = s * (2.0 + s2 * (2.0 / 3.0 + s2 * (2.0 / 5.0 + s2 * (2.0 / 7.0))));
    let log2 = exponent_bits as f32 + series * std::f32::consts::LOG2_E;
    let (whole, rest) = {
        let value = (log2 * exponent).clamp(-126.0, 126.0);
        let whole = (value + if value < 0.0 { -0.5 } else { 0.5 }) as i32;
        (whole, (value - whole as f32) * std::f32::consts::LN_2)
    };
    // e^rest, |rest| <= ln(2) / 2, by its series.
    let exp = 1.0
        + rest
            * (1.0
                + rest
                    * (0.5
                        + rest
                            * (1.0 / 6.0
                                + rest * (1.0 / 24.0 + rest * (1.0 / 120.0 + rest / 720.0)))));
    exp * f32::from_bits(((whole + 127) << 23) as u32)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use trompe_base::random::stream;

    use super::*;

    #[test]
    fn power_agrees_with_an_exact_one() {
        for (base, exponent) in
            (0..2_000).map(|i| (libm::exp2((i as f64 - 1_000.0) / 90.0), i % 23))
        {
            let exponent = f64::from(exponent - 11) / 11.0;
            let exact = libm::pow(base, exponent);
            let found = f64::from(power(base as f32, exponent as f32));
            assert!((found / exact - 1.0).abs() < 3e-6, "{base}^{exponent}: {found} {exact}");
        }
        assert_eq!(power(0.0, 0.1), 0.0);
    }

    #[test]
    fn a_mutation_moves_a_gene_by_fifteen_levels_on_average() {
        let mut rng = stream(1, 0, 0, 0);
        let steps: u32 = (0..20_000).map(|_| u32::from(mutate(128, &mut rng).abs_diff(128))).sum();
        let mean = f64::from(steps) / 20_000.0;
        assert!((14.5..15.5).contains(&mean), "{mean}");
    }

    #[test]
    fn crossover_keeps_the_mean_of_the_parents_and_stays_near_one() {
        let mut rng = stream(2, 0, 0, 0);
        let children: Vec<u8> = (0..20_000).map(|_| cross(100, 140, &mut rng)).collect();
        let mean = children.iter().map(|&c| f64::from(c)).sum::<f64>() / 20_000.0;
        assert!((mean - 120.0).abs() < 0.5, "{mean}");
        let near = children.iter().filter(|c| c.abs_diff(100) <= 6 || c.abs_diff(140) <= 6).count();
        assert!(near > 15_000, "{near}");
    }

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
