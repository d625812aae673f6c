//! Everything that decides a run, as a file.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::problem::Medium;
use crate::{audio, image, search};

/// A configuration file with every default and what it means.
pub const CONFIGURATION_FILE: &str = include_str!("fool.toml");

/// Configurations that come with trompe, by name.
pub const PRESETS: [(&str, &str); 3] = [
    ("nguyen-direct", include_str!("presets/nguyen-direct.toml")),
    ("nguyen-cppn", include_str!("presets/nguyen-cppn.toml")),
    ("diverse", include_str!("presets/diverse.toml")),
];

/// Everything that decides a run, as `run.toml` holds it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Configuration {
    /// The model's file, as the user named it; the run keeps a copy.
    pub model: PathBuf,
    /// The bank of loops, where the model judges sound: a folder, or the name of a recipe.
    pub bank: String,
    /// Random candidates that measure the base rate, beside the budget.
    pub base_rate_candidates: u64,
    /// Seconds between two checkpoints: what a kill can cost, and nothing else.
    pub checkpoint_seconds: f64,
    /// What tells niches of one class apart, where the model judges images.
    pub descriptor: image::Descriptor,
    /// Budget, threshold, emitter.
    pub search: search::SearchSettings,
    /// What an excerpt may be, where the model judges sound.
    pub composition: audio::CompositionSettings,
    /// What an image may be, where the model judges images.
    pub image: image::GeneratorSettings,
    /// Options of the command line that apply to one medium alone: a model of the other medium is
    /// refused. No file holds them.
    #[serde(skip)]
    pub options_of: Vec<(Medium, &'static str)>,
    /// Whether somebody named the bank in the working folder of today: a name that is a collection's and
    /// a path's there is refused. A run that is resumed means the collection. No file holds it.
    #[serde(skip)]
    pub named_here: bool,
}

impl Default for Configuration {
    fn default() -> Self {
        Self {
            model: PathBuf::from("model.safetensors"),
            bank: "loops".to_owned(),
            base_rate_candidates: 1_000,
            checkpoint_seconds: 5.0,
            search: search::SearchSettings::default(),
            composition: audio::CompositionSettings::default(),
            image: image::GeneratorSettings::default(),
            descriptor: image::Descriptor::default(),
            options_of: Vec::new(),
            named_here: false,
        }
    }
}

impl Configuration {
    /// Reads a configuration; keys that are not there have their defaults.
    ///
    /// # Errors
    /// [`Error::BadFile`] naming the file and the line at fault.
    pub fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).map_err(|e| Error::io(path, e))?;
        toml::from_str(&text).map_err(|e| {
            Error::bad_file(
                path,
                e.to_string().trim_end().to_owned(),
                "`trompe fool --print-config` shows every key with its default",
            )
        })
    }

    /// The configuration of [`PRESETS`] called `name`.
    ///
    /// # Errors
    /// [`Error::Request`] naming those there are.
    pub fn preset(name: &str) -> Result<Self> {
        let Some((_, text)) = PRESETS.iter().find(|(known, _)| *known == name) else {
            return Err(Error::request(
                format!("no preset '{name}'"),
                format!("choose {}", PRESETS.map(|(known, _)| known).join(", ")),
            ));
        };
        toml::from_str(text).map_err(|e| {
            Error::request(format!("preset {name}: {e}"), "this is a fault of the program")
        })
    }

    /// The configuration as TOML, every key written out.
    ///
    /// # Errors
    /// [`Error::Request`] if a path is no UTF-8.
    pub fn to_toml(&self) -> Result<String> {
        toml::to_string(self)
            .map_err(|e| Error::request(format!("configuration: {e}"), "use paths in UTF-8"))
    }

    /// Refuses options that do not apply to a model of `medium`.
    pub(super) fn check_options(&self, medium: Medium) -> Result<()> {
        let other = self.options_of.iter().find(|(of, _)| *of != medium);
        let Some((_, option)) = other else { return Ok(()) };
        let (only, judged) = match medium {
            Medium::Audio => ("images", "sound"),
            Medium::Image => ("sound", "images"),
        };
        Err(Error::request(
            format!("{option} works for {only} only, and the model judges {judged}"),
            "leave it out",
        ))
    }

    pub(super) fn checkpoint_interval(&self) -> Result<Duration> {
        Duration::try_from_secs_f64(self.checkpoint_seconds).map_err(|_| {
            Error::request(
                format!("checkpoint_seconds = {}", self.checkpoint_seconds),
                "give a number of seconds, 0 or more",
            )
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn the_commented_configuration_is_the_default() {
        assert_eq!(toml::from_str(CONFIGURATION_FILE), Ok(Configuration::default()));
        assert_eq!(toml::from_str(""), Ok(Configuration::default()));
    }

    #[test]
    fn presets_are_configurations_of_valid_searches() {
        for (name, _) in PRESETS {
            Configuration::preset(name).unwrap().search.validate().unwrap();
        }
        let direct = Configuration::preset("nguyen-direct").unwrap();
        assert_eq!(direct.search.emitter.evaluations_after(200), Some(direct.search.budget));
        assert!(Configuration::preset("sturm").unwrap_err().to_string().contains("diverse"));
    }

    #[test]
    fn unknown_keys_are_refused_by_name() {
        let error =
            toml::from_str::<Configuration>("[search]\nbugdet = 3").map_err(|e| e.to_string());
        assert!(error.is_err_and(|text| text.contains("bugdet")));
    }
}
