//! Every space of images as one type, so that what is generic over spaces is compiled once for all
//! of them.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use trompe_corpora::{Image, ImageShape};

use super::binned::{Binned, Placed};
use super::cppn::{Cppn, Graph};
use super::patches::Patches;
use super::pixels::Pixels;
use super::raster::Raster;
use super::tiles::{Composition, Tiles};
use super::values::{RealImage, Values};
use crate::problem::{GeneratorUsed, Gradient, MoveId, Render, Space};
use trompe_base::random::Stream;

/// A space of images of any kind.
#[derive(Debug, Clone)]
pub enum ImageSpace {
    /// Squares of one colour on a striped ground.
    Patches(Patches),
    /// One gene per byte.
    Pixels(Pixels),
    /// Tiles of a corpus' images.
    Tiles(Tiles),
    /// Networks that map places to values.
    Cppn(Cppn),
    /// One real number per byte.
    Values(Values),
    /// One of these with niches by the look of its images.
    Binned(Box<Binned<ImageSpace>>),
}

/// A genome of an [`ImageSpace`], in files as that space alone would write it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum ImageGenome {
    /// Of patches and of pixels: a text.
    Raster(Raster),
    /// Of tiles: an array of whole numbers.
    Tiles(Composition),
    /// Of a network: an object.
    Cppn(Graph),
    /// Of real values: an array of numbers, of which not all are whole.
    Values(RealImage),
    /// Of a binned space: an object with its cell.
    Binned(Box<Placed<ImageGenome>>),
}

/// The form tells what it is of; [`Space::check`] tells whether it is of the space at hand.
impl<'de> Deserialize<'de> for ImageGenome {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(from)?;
        match &value {
            Value::String(_) => serde_json::from_value(value).map(Self::Raster),
            // A real number is written with its point, even a whole one.
            Value::Array(items) if items.iter().all(Value::is_u64) => {
                serde_json::from_value(value).map(Self::Tiles)
            }
            Value::Array(_) => serde_json::from_value(value).map(Self::Values),
            Value::Object(keys) if keys.contains_key("cell") => {
                serde_json::from_value(value).map(Self::Binned)
            }
            _ => serde_json::from_value(value).map(Self::Cppn),
        }
        .map_err(D::Error::custom)
    }
}

/// The genomes of one space among those of all.
trait Own: Sized {
    fn of(genome: &ImageGenome) -> Option<&Self>;
    fn any(self) -> ImageGenome;
}

macro_rules! own {
    ($($variant:ident: $genome:ty, $wrap:expr;)*) => {$(
        impl Own for $genome {
            fn of(genome: &ImageGenome) -> Option<&Self> {
                match genome {
                    ImageGenome::$variant(own) => Some(own),
                    _ => None,
                }
            }

            fn any(self) -> ImageGenome {
                ImageGenome::$variant($wrap(self))
            }
        }
    )*};
}

own! {
    Raster: Raster, std::convert::identity;
    Tiles: Composition, std::convert::identity;
    Cppn: Graph, std::convert::identity;
    Values: RealImage, std::convert::identity;
    Binned: Placed<ImageGenome>, Box::new;
}

/// `genome` as one of `_space`.
///
/// # Panics
/// If it is of another space: all that a space is given are those that it made or checked.
fn own<'g, S: Render<Genome: Own>>(_space: &S, genome: &'g ImageGenome) -> &'g S::Genome {
    Own::of(genome).expect("a genome of this space")
}

/// The same expression for whichever space it is.
macro_rules! each {
    ($any:expr, $space:ident => $body:expr) => {
        match $any {
            ImageSpace::Patches($space) => $body,
            ImageSpace::Pixels($space) => $body,
            ImageSpace::Tiles($space) => $body,
            ImageSpace::Cppn($space) => $body,
            ImageSpace::Values($space) => $body,
            ImageSpace::Binned(boxed) => {
                let $space: &Binned<ImageSpace> = boxed;
                $body
            }
        }
    };
}

impl Render for ImageSpace {
    type Genome = ImageGenome;
    type Input = Image;

    fn render(&self, genome: &ImageGenome) -> Image {
        each!(self, space => space.render(own(space, genome)))
    }

    fn descriptions(&self, genome: &ImageGenome) -> Vec<String> {
        each!(self, space => space.descriptions(own(space, genome)))
    }
}

impl Space for ImageSpace {
    fn format(&self) -> ImageShape {
        each!(self, space => space.format())
    }

    fn describe(&self) -> GeneratorUsed {
        each!(self, space => space.describe())
    }

    fn version(&self) -> u32 {
        each!(self, space => space.version())
    }

    fn check(&self, genome: &ImageGenome) -> Result<(), String> {
        fn check<S: Space<Genome: Own>>(space: &S, genome: &ImageGenome) -> Result<(), String> {
            match Own::of(genome) {
                Some(genome) => space.check(genome),
                None => Err(format!("it is none of {}", space.describe().name)),
            }
        }
        each!(self, space => check(space, genome))
    }

    fn sample(&self, rng: &mut Stream) -> ImageGenome {
        each!(self, space => space.sample(rng).any())
    }

    fn moves(&self) -> &'static [&'static str] {
        each!(self, space => space.moves())
    }

    fn vary(
        &self,
        parent: &ImageGenome,
        mate: &ImageGenome,
        move_id: MoveId,
        rate: f64,
        rng: &mut Stream,
    ) -> ImageGenome {
        each!(self, space => {
            space.vary(own(space, parent), own(space, mate), move_id, rate, rng).any()
        })
    }

    fn ascend(
        &self,
        genome: &ImageGenome,
        gradient: &dyn Fn(&[f32]) -> Option<Gradient>,
    ) -> Option<ImageGenome> {
        each!(self, space => space.ascend(own(space, genome), gradient).map(Own::any))
    }

    fn distance(&self, a: &ImageGenome, b: &ImageGenome) -> f64 {
        each!(self, space => space.distance(own(space, a), own(space, b)))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use trompe_base::random::stream;

    use super::*;
    use crate::image::{cppn, patches, pixels, values};

    fn spaces() -> Vec<ImageSpace> {
        let shape = ImageShape::grey(6, 6);
        let plain = [
            ImageSpace::Patches(Patches::new(shape, &patches::PatchSettings::default()).unwrap()),
            ImageSpace::Pixels(Pixels::new(shape, &pixels::PixelSettings::default()).unwrap()),
            ImageSpace::Cppn(Cppn::new(shape, &cppn::CppnSettings::default())),
            ImageSpace::Values(
                Values::new(shape, &values::ValueSettings::default(), &[9.0; 36]).unwrap(),
            ),
        ];
        let binned = plain.clone().map(|space| ImageSpace::Binned(Box::new(Binned(space))));
        plain.into_iter().chain(binned).collect()
    }

    #[test]
    fn a_genome_is_read_back_as_what_it_was() {
        for space in spaces() {
            let mut rng = stream(1, 0, 0, 0);
            let parent = space.sample(&mut rng);
            for genome in [space.vary(&parent, &parent, 0, 1.0, &mut rng), parent] {
                let text = serde_json::to_string(&genome).unwrap();
                let read: ImageGenome = serde_json::from_str(&text).unwrap();
                assert!(read == genome, "{text}");
                assert_eq!(space.check(&read), Ok(()));
            }
        }
        let tiles = r#"[3,0,255]"#;
        let read: ImageGenome = serde_json::from_str(tiles).unwrap();
        assert!(matches!(read, ImageGenome::Tiles(_)));
        assert_eq!(serde_json::to_string(&read).unwrap(), tiles);
        // Real values that happen to be whole keep their point.
        let whole: ImageGenome = serde_json::from_str("[3.0,255.0]").unwrap();
        assert!(matches!(whole, ImageGenome::Values(_)));
        assert_eq!(serde_json::to_string(&whole).unwrap(), "[3.0,255.0]");
    }

    #[test]
    fn a_genome_of_another_space_is_refused() {
        let spaces = spaces();
        let genomes: Vec<_> =
            spaces.iter().map(|space| space.sample(&mut stream(2, 0, 0, 0))).collect();
        let names = |space: &ImageSpace| (space.describe().name, space.describe().settings);
        for space in &spaces {
            for (other, genome) in spaces.iter().zip(&genomes) {
                let same_form = std::mem::discriminant(&space.sample(&mut stream(3, 0, 0, 0)))
                    == std::mem::discriminant(genome);
                let fits = space.check(genome).is_ok();
                assert!(fits || names(space) != names(other));
                assert!(!fits || same_form, "{:?} takes {:?}", names(space), names(other));
            }
        }
    }
}
