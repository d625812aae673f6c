//! The SoundFonts that style files are played with.

use trompe_base::Result;

use crate::cache::Cache;
use crate::midi::Sampler;
use crate::recipes::packages;
use crate::recipes::recipe::{PackageFile, Recipe};
use crate::recipes::tools::Tools;

/// The SoundFont of recipes that name none.
const PACKAGE: &str = "timgm6mb-soundfont";
const FILE: &str = "usr/share/sounds/sf2/TimGM6mb.sf2";

/// A SoundFont, ready to play.
#[derive(Debug, Clone)]
pub(crate) struct Font {
    /// The package that it comes from.
    pub(crate) package: String,
    pub(crate) sampler: Sampler,
}

impl Font {
    /// Fetches and loads the SoundFonts of `files`, or the usual one if there are none.
    ///
    /// # Errors
    /// Those of fetching, and [`trompe_base::Error::BadFile`] for a file that is no SoundFont.
    pub(crate) fn open_all(
        recipe: &Recipe,
        files: &[PackageFile],
        cache: &Cache,
        tools: &Tools,
    ) -> Result<Vec<Self>> {
        if files.is_empty() {
            return Ok(vec![Self::usual(recipe, cache, tools)?]);
        }
        files
            .iter()
            .map(|file| Self::open(recipe, &file.package, &file.path, cache, tools))
            .collect()
    }

    /// Fetches and loads the usual SoundFont.
    ///
    /// # Errors
    /// As [`Font::open_all`].
    pub(crate) fn usual(recipe: &Recipe, cache: &Cache, tools: &Tools) -> Result<Self> {
        Self::open(recipe, PACKAGE, FILE, cache, tools)
    }

    fn open(
        recipe: &Recipe,
        package: &str,
        file: &str,
        cache: &Cache,
        tools: &Tools,
    ) -> Result<Self> {
        let folder = packages::unpacked(recipe.package(package)?, cache, tools)?;
        Ok(Self { package: package.to_owned(), sampler: Sampler::open(&folder.join(file))? })
    }
}
