//! What a run is asked for on the command line.

use std::path::PathBuf;

use crate::cli::criterion::CriterionArguments;
use crate::error::{Error, Result};
use crate::image;
use crate::pipeline::fool::{self, Configuration};
use crate::pipeline::open::{absolute_model, absolute_name, unambiguous};
use crate::problem::Medium;
use crate::search::{EmitterSettings, Ranking};
use crate::victims::program::is_command;

/// Names of emitters.
pub(in crate::cli) const EMITTERS: [&str; 4] =
    ["climber", "map-elites", "random", "gradient-ascent"];

/// Names of generators of images.
const GENERATORS: [&str; 5] = ["patches", "pixels", "tiles", "cppn", "values"];

/// Settings of a run; what is not given comes from --config, else from the defaults.
#[derive(Debug, clap::Args)]
#[group(id = "Wanted")]
pub(super) struct Wanted {
    /// The model: a file from `trompe train`, or what else --help names
    ///
    /// Also an ONNX file with its description beside it, a model's name from `trompe corpus list`, or a
    /// program: "command:PROGRAM".
    model: Option<PathBuf>,
    /// Bank of loops for sound: a folder or a name [default: loops]
    ///
    /// `trompe corpus list` shows the names. A collection is fetched and rendered where it is not yet.
    #[arg(long)]
    bank: Option<String>,
    /// Configuration file (TOML)
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// A configuration that comes with trompe
    #[arg(hide_short_help = true, long, value_name = "NAME", conflicts_with = "config",
        value_parser = clap::builder::PossibleValuesParser::new(fool::PRESETS.map(|(name, _)| name)))]
    preset: Option<String>,
    /// Seed of every random number of the run
    #[arg(long)]
    seed: Option<u64>,
    /// Evaluations to spend at most
    ///
    /// The random ones that the base rate counts are besides these.
    #[arg(long, value_name = "N")]
    budget: Option<u64>,
    #[command(flatten)]
    criterion: CriterionArguments,
    /// Classes to search for [default: all]
    #[arg(long, value_name = "CLASS", value_delimiter = ',')]
    targets: Vec<String>,
    /// Exhibits wanted per class
    #[arg(long, value_name = "N")]
    exhibits: Option<usize>,
    /// What proposes candidates: climber, map-elites, random, gradient-ascent
    #[arg(long, value_name = "NAME", hide_possible_values = true,
        value_parser = clap::builder::PossibleValuesParser::new(EMITTERS))]
    emitter: Option<String>,
    /// Rank by the gap between the two highest posteriors, as Sturm did
    #[arg(long, hide_short_help = true)]
    gap: bool,
    /// Length of an excerpt in seconds
    #[arg(long, value_name = "S")]
    seconds: Option<f64>,
    /// How images are made: patches, pixels, tiles, cppn or values
    #[arg(long, value_name = "NAME", hide_possible_values = true,
        value_parser = clap::builder::PossibleValuesParser::new(GENERATORS))]
    generator: Option<String>,
}

impl Wanted {
    /// The configuration file's settings, overridden by those of the command line. Its paths are
    /// absolute, so that the run resumes from every working folder.
    pub(super) fn configuration(&self) -> Result<Configuration> {
        let mut settings = match (&self.config, &self.preset) {
            (Some(path), _) => Configuration::read(path)?,
            (None, Some(name)) => Configuration::preset(name)?,
            (None, None) => Configuration::default(),
        };
        match (&self.model, &self.config) {
            (Some(model), _) => settings.model.clone_from(model),
            (None, Some(path)) if is_command(&settings.model) => {
                return Err(Error::bad_file(
                    path,
                    format!("its model is a program, {}", settings.model.display()),
                    "no file makes a program run: name it on the command line",
                ));
            }
            (None, Some(_)) => {}
            (None, None) => {
                return Err(Error::request(
                    "no model to fool",
                    "name one: trompe fool MODEL (`trompe train` makes models)",
                ));
            }
        }
        if let Some(bank) = &self.bank {
            unambiguous(bank)?;
            settings.bank.clone_from(bank);
        }
        settings.named_here = true;
        let search = &mut settings.search;
        search.seed = self.seed.unwrap_or(search.seed);
        search.budget = self.budget.unwrap_or(search.budget);
        if let Some(criterion) = self.criterion.criterion() {
            search.ask_for(criterion);
        }
        if !self.targets.is_empty() {
            search.targets.clone_from(&self.targets);
        }
        search.exhibits = self.exhibits.unwrap_or(search.exhibits);
        if let Some(name) = &self.emitter {
            search.emitter = EmitterSettings::by_name(name)?;
        }
        if self.gap {
            search.ranking = Ranking::Gap;
        }
        let climbs = matches!(settings.search.emitter, EmitterSettings::GradientAscent(_));
        match &self.generator {
            Some(name) => settings.image = image::GeneratorSettings::by_name(name)?,
            // The gradient moves single values, so those are what is meant.
            None if climbs && self.emitter.is_some() => {
                settings.image = image::GeneratorSettings::by_name("values")?;
            }
            None => {}
        }
        let options = [
            (self.bank.is_some(), Medium::Audio, "--bank"),
            (self.seconds.is_some(), Medium::Audio, "--seconds"),
            (self.generator.is_some(), Medium::Image, "--generator"),
        ];
        let given = options.into_iter().filter(|(given, ..)| *given);
        settings.options_of = given.map(|(_, medium, option)| (medium, option)).collect();
        settings.composition.seconds = self.seconds.unwrap_or(settings.composition.seconds);
        settings.model = absolute_model(&settings.model)?;
        settings.bank = absolute_name(&settings.bank)?;
        if let image::GeneratorSettings::Tiles(tiles) = &mut settings.image {
            unambiguous(&tiles.corpus)?;
            tiles.corpus = absolute_name(&tiles.corpus)?;
        }
        Ok(settings)
    }
}
