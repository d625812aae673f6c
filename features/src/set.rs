//! Feature sets by name, as model files store them.

use serde::{Deserialize, Serialize};

use crate::adabffs::{self, AdaBffs, AdaBffsExtractor};
use crate::error::Result;
use crate::extractor::Extractor;
use crate::modulations::{self, Modulations, ModulationsExtractor};

/// Which feature set, with its settings: what a model stores to see sound again as it did
/// when it was trained.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "set", rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub enum FeatureSettings {
    /// Bags of frames of features: several vectors a clip.
    #[serde(rename = "adabffs")]
    AdaBffs(AdaBffs),
    /// Auditory temporal modulations: one vector a clip.
    Modulations(Modulations),
}

impl FeatureSettings {
    /// # Errors
    /// [`crate::Error::Setting`] naming the first value out of its range.
    pub fn validate(&self) -> Result<()> {
        match self {
            Self::AdaBffs(settings) => settings.validate(),
            Self::Modulations(settings) => settings.validate(),
        }
    }

    /// An extractor of this set.
    ///
    /// # Errors
    /// As [`FeatureSettings::validate`].
    pub fn extractor(&self) -> Result<Box<dyn Extractor>> {
        match self {
            Self::AdaBffs(settings) => Ok(Box::new(AdaBffsExtractor::new(settings.clone())?)),
            Self::Modulations(settings) => {
                Ok(Box::new(ModulationsExtractor::new(settings.clone())?))
            }
        }
    }

    /// Values in one feature vector.
    pub fn dimensions(&self) -> usize {
        match self {
            Self::AdaBffs(_) => adabffs::DIMENSIONS,
            Self::Modulations(_) => modulations::DIMENSIONS,
        }
    }

    /// Names of the values of a vector, [`FeatureSettings::dimensions`] of them.
    pub fn names(&self) -> Vec<String> {
        match self {
            Self::AdaBffs(_) => AdaBffs::names(),
            Self::Modulations(_) => Modulations::names(),
        }
    }

    /// Sample rate in hertz that clips must have.
    pub fn sample_rate(&self) -> u32 {
        match self {
            Self::AdaBffs(settings) => settings.sample_rate,
            Self::Modulations(settings) => settings.sample_rate,
        }
    }

    /// Samples of the shortest clip that gives a vector.
    pub fn minimum_samples(&self) -> usize {
        match self {
            Self::AdaBffs(settings) => settings.minimum_samples(),
            Self::Modulations(settings) => settings.minimum_samples(),
        }
    }
}
