//! Which generator makes the images of a run, and how.

use serde::{Deserialize, Serialize};

use super::{cppn, patches, pixels, tiles, values};
use crate::error::{Error, Result};

/// A generator with its settings.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "generator", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Settings {
    /// Squares of one colour on a striped ground.
    Patches(patches::Settings),
    /// One gene per byte.
    Pixels(pixels::Settings),
    /// Tiles of a corpus' images.
    Tiles(tiles::Settings),
    /// Networks that map places to values.
    Cppn(cppn::Settings),
    /// One real number per byte, for gradient ascent.
    Values(values::Settings),
}

impl Default for Settings {
    fn default() -> Self {
        Self::Patches(patches::Settings::default())
    }
}

impl Settings {
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
            "patches" => Ok(Self::Patches(patches::Settings::default())),
            "pixels" => Ok(Self::Pixels(pixels::Settings::default())),
            "tiles" => Ok(Self::Tiles(tiles::Settings::default())),
            "cppn" => Ok(Self::Cppn(cppn::Settings::default())),
            "values" => Ok(Self::Values(values::Settings::default())),
            _ => Err(Error::request(
                format!("unknown generator '{name}'"),
                "choose patches, pixels, tiles, cppn or values",
            )),
        }
    }
}
