//! The spaces of images by their settings.

use trompe_corpora::recipes::Options;
use trompe_corpora::{Image, ImageShape, Progress, Split};

use super::open;
use super::train_images::part;
use crate::error::{Error, Result};
use crate::image::{Binned, Cppn, Descriptor, GeneratorSettings, Patches, Pixels, Tiles, Values};
use crate::problem::Space;

/// What is done with a space of images, whichever it is.
pub(crate) trait SpaceVisitor {
    /// What comes of it.
    type Output;

    /// Does it.
    ///
    /// # Errors
    /// Whatever it meets.
    fn visit<S: Space<Input = Image>>(self, space: S) -> Result<Self::Output>;
}

/// Opens the space that `settings` describe, for images of `shape`, and hands it to `visitor`.
/// Gradient ascent starts from `mean`.
///
/// # Errors
/// [`Error::Request`] for settings out of range or a victim without what the space needs; whatever
/// opening a corpus meets.
pub(crate) fn open<V: SpaceVisitor>(
    settings: &GeneratorSettings,
    descriptor: Descriptor,
    shape: ImageShape,
    mean: Option<&[f32]>,
    progress: &dyn Progress,
    visitor: V,
) -> Result<V::Output> {
    match settings {
        GeneratorSettings::Patches(of) => bin(Patches::new(shape, of)?, descriptor, visitor),
        GeneratorSettings::Pixels(of) => bin(Pixels::new(shape, of)?, descriptor, visitor),
        GeneratorSettings::Cppn(of) => bin(Cppn::new(shape, of), descriptor, visitor),
        GeneratorSettings::Values(of) => {
            let mean = mean.ok_or_else(|| {
                Error::request(
                    "values follow a gradient, which this model does not have",
                    "choose another generator, such as cppn",
                )
            })?;
            bin(Values::new(shape, of, mean)?, descriptor, visitor)
        }
        GeneratorSettings::Tiles(of) => {
            let options = Options { seed: open::CORPUS_SEED, ..Options::default() };
            let corpus = open::images(&of.corpus, &options, progress)?;
            let indices = part(&corpus, Split::Train, false)?;
            bin(Tiles::cut(&corpus, &indices, of, open::BANK_SEED)?, descriptor, visitor)
        }
    }
}

fn bin<V: SpaceVisitor, S: Space<Input = Image>>(
    space: S,
    descriptor: Descriptor,
    visitor: V,
) -> Result<V::Output> {
    match descriptor {
        Descriptor::None => visitor.visit(space),
        Descriptor::BrightnessAndEdges => visitor.visit(Binned(space)),
    }
}
