//! The spaces of images by their settings.

use trompe_corpora::recipes::Options;
use trompe_corpora::{ImageShape, Progress, Split};

use super::open;
use super::train_images::part;
use crate::error::{Error, Result};
use crate::image::{
    Binned, Cppn, Descriptor, GeneratorSettings, ImageSpace, Patches, Pixels, Tiles, Values,
};

/// Opens the space that `settings` describe, for images of `shape`. Gradient ascent starts from `mean`.
///
/// # Errors
/// [`Error::Request`] for settings out of range or a victim without what the space needs; whatever
/// opening a corpus meets.
pub(crate) fn open(
    settings: &GeneratorSettings,
    descriptor: Descriptor,
    shape: ImageShape,
    mean: Option<&[f32]>,
    progress: &dyn Progress,
) -> Result<ImageSpace> {
    let space = match settings {
        GeneratorSettings::Patches(of) => ImageSpace::Patches(Patches::new(shape, of)?),
        GeneratorSettings::Pixels(of) => ImageSpace::Pixels(Pixels::new(shape, of)?),
        GeneratorSettings::Cppn(of) => ImageSpace::Cppn(Cppn::new(shape, of)),
        GeneratorSettings::Values(of) => {
            let mean = mean.ok_or_else(|| {
                Error::request(
                    "values follow a gradient, which this model does not have",
                    "choose another generator, such as cppn",
                )
            })?;
            ImageSpace::Values(Values::new(shape, of, mean)?)
        }
        GeneratorSettings::Tiles(of) => {
            let options = Options { seed: open::CORPUS_SEED, ..Options::default() };
            let corpus = open::images(&of.corpus, &options, progress)?;
            let indices = part(&corpus, Split::Train, false)?;
            ImageSpace::Tiles(Tiles::cut(&corpus, &indices, of, open::BANK_SEED)?)
        }
    };
    Ok(match descriptor {
        Descriptor::None => space,
        Descriptor::BrightnessAndEdges => ImageSpace::Binned(Box::new(Binned(space))),
    })
}
