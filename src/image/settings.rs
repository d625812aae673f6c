//! Which generator makes the images of a run, and how.

use serde::{Deserialize, Serialize};

use super::{cppn, patches, pixels, tiles, values};
use crate::error::{Error, Result};

/// A generator with its settings.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "generator", rename_all = "kebab-case", deny_unknown_fields)]
pub enum GeneratorSettings {
    /// Squares of one colour on a striped ground.
    Patches(patches::PatchSettings),
    /// One gene per byte.
    Pixels(pixels::PixelSettings),
    /// Tiles of a corpus' images.
    Tiles(tiles::TileSettings),
    /// Networks that map places to values.
    Cppn(cppn::CppnSettings),
    /// One real number per byte, for gradient ascent.
    Values(values::ValueSettings),
}

impl Default for GeneratorSettings {
    fn default() -> Self {
        Self::Patches(patches::PatchSettings::default())
    }
}

impl GeneratorSettings {
    /// The generator's name in files and on the command line.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Patches(_) => "patches",
            Self::Pixels(_) => "pixels",
            Self::Tiles(_) => "tiles",
            Self::Cppn(_) => "cppn",
            Self::Values(_) => "values",
        }
    }

    /// Default settings of the generator called `name`.
    ///
    /// # Errors
    /// [`Error::Request`] naming the generators there are.
    pub fn by_name(name: &str) -> Result<Self> {
        match name {
            "patches" => Ok(Self::Patches(patches::PatchSettings::default())),
            "pixels" => Ok(Self::Pixels(pixels::PixelSettings::default())),
            "tiles" => Ok(Self::Tiles(tiles::TileSettings::default())),
            "cppn" => Ok(Self::Cppn(cppn::CppnSettings::default())),
            "values" => Ok(Self::Values(values::ValueSettings::default())),
            _ => Err(Error::request(
                format!("unknown generator '{name}'"),
                "choose patches, pixels, tiles, cppn or values",
            )),
        }
    }
}
