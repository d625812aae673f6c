//! `trompe retrain`: train, fool, add what fooled as a class, and again.

use std::path::PathBuf;

use super::common::{Common, Outcome, print, print_json};
use super::data::{Choice, ClassifierArguments, DataArguments};
use super::fool::EMITTERS;
use super::overwrite::Overwrite;
use super::progress::Bars;
use super::srcam;
use crate::error::{Error, Result};
use crate::exhibits::names::truncated;
use crate::pipeline::evaluate::{Division, divide, notes_on};
use crate::pipeline::open;
use crate::pipeline::retrain::{
    ExcerptSubject, ImageSubject, RetrainSettings, Round, Subject, retrain,
};
use crate::report::terminal;
use crate::search::{self, EmitterSettings};
use crate::{audio, image};
use trompe_base::files::write_atomically;

/// Names of generators that images are made by.
const GENERATORS: [&str; 4] = ["cppn", "patches", "pixels", "values"];

/// Train a classifier, fool it, and train it again with what fooled it as one more class
///
/// Each round tells the test error, the median posterior that the search reached, and how
/// much of what no search varied the new class catches (Nguyen et al. 2015).
#[derive(Debug, clap::Args)]
#[command(mut_args = srcam::shown_by_train)]
#[command(after_help = "Example:\n  \
    trompe retrain synthetic-digits --classifier lenet-5 --retrainings 2 --budget 300")]
pub(super) struct Arguments {
    #[command(flatten)]
    data: DataArguments,
    #[command(flatten)]
    classifier: ClassifierArguments,
    /// Classifiers to train and fool, one after another
    #[arg(long, value_name = "N", default_value_t = 6)]
    retrainings: usize,
    /// Searches of the first classifier, each with a seed of its own
    #[arg(long, value_name = "N", default_value_t = 30, hide_short_help = true)]
    first_searches: usize,
    /// Searches of every later classifier
    #[arg(long, value_name = "N", default_value_t = 10, hide_short_help = true)]
    later_searches: usize,
    /// Evaluations of one search at most
    #[arg(long, value_name = "N", default_value_t = 2_000)]
    budget: u64,
    /// Posterior at which a search leaves a class
    #[arg(long, value_name = "P", default_value_t = 0.9999)]
    threshold: f64,
    /// How candidates are proposed: climber, map-elites, random or gradient-ascent
    #[arg(long, value_name = "NAME", default_value = "map-elites", hide_possible_values = true,
        value_parser = clap::builder::PossibleValuesParser::new(EMITTERS))]
    emitter: String,
    /// How images are made: cppn, patches, pixels or values
    #[arg(long, value_name = "NAME", default_value = "cppn", hide_possible_values = true,
        value_parser = clap::builder::PossibleValuesParser::new(GENERATORS))]
    generator: String,
    /// Train on the first N training images only
    #[arg(long, value_name = "N", hide_short_help = true)]
    images: Option<usize>,
    /// Bank of loops, for sound
    #[arg(long, value_name = "BANK", default_value = "loops")]
    bank: String,
    /// One of so many folds is held out, where a corpus of clips has no test part
    #[arg(long, value_name = "N", default_value_t = 5, hide_short_help = true)]
    folds: usize,
    /// Where the table goes (JSON)
    #[arg(long, short, value_name = "FILE", default_value = "retraining.json")]
    out: PathBuf,
    #[command(flatten)]
    overwrite: Overwrite,
}

impl Arguments {
    fn settings(&self) -> Result<RetrainSettings> {
        Ok(RetrainSettings {
            rounds: self.retrainings,
            first_searches: self.first_searches,
            later_searches: self.later_searches,
            search: search::SearchSettings {
                seed: self.data.seed,
                budget: self.budget,
                threshold: Some(self.threshold),
                exhibits: 1,
                min_distance: 0.0,
                emitter: EmitterSettings::by_name(&self.emitter)?,
                ..search::SearchSettings::default()
            },
        })
    }
}

pub(super) fn run(arguments: &Arguments, common: &Common) -> Result<Outcome> {
    arguments.overwrite.check_file(&arguments.out, "--out")?;
    let settings = arguments.settings()?;
    let bars = Bars::new(common);
    match arguments.classifier.choice(&arguments.data)? {
        Choice::Image(training) => {
            let generator = image::GeneratorSettings::by_name(&arguments.generator)?;
            let corpus = arguments.data.images()?.load(&bars)?;
            let subject = ImageSubject::new(&corpus, arguments.images, &training, &generator)?;
            rounds(&subject, &settings, arguments, &bars, common)
        }
        Choice::Audio(training) => {
            let (dataset, _) = arguments.data.data().load(&training.features(), &bars)?;
            let rate = dataset.settings.as_ref().map(|settings| settings.sample_rate());
            let rate = rate.ok_or_else(|| {
                Error::request(
                    "the features file does not say how its features were computed",
                    "give a corpus of audio instead",
                )
            })?;
            open::unambiguous(&arguments.bank)?;
            let bank = open::bank(&arguments.bank, rate, &bars)?;
            let composition = audio::CompositionSettings::default();
            let seed = arguments.data.seed;
            let folds = arguments.folds;
            let division = Division::strictest(&dataset);
            let divided = divide(&dataset, division, folds, seed, 0)?;
            for note in notes_on(&dataset, division, folds, &divided) {
                bars.say(&format!("note on the test error: {note}"));
            }
            let subject =
                ExcerptSubject::new(&dataset, folds, &training, &bank, &composition, seed)?;
            rounds(&subject, &settings, arguments, &bars, common)
        }
    }
}

fn rounds<S: Subject>(
    subject: &S,
    settings: &RetrainSettings,
    arguments: &Arguments,
    bars: &Bars,
    common: &Common,
) -> Result<Outcome> {
    let mut done: Vec<Round> = Vec::new();
    retrain(subject, settings, bars, |round| {
        done.push(round.clone());
        let report = serde_json::json!({
            "corpus": arguments.data.data().name,
            "generator": arguments.generator,
            "bank": arguments.bank,
            "settings": settings,
            "rounds": done,
        });
        let text = serde_json::to_vec_pretty(&report)
            .map_err(|e| Error::numeric(format!("report: {e}"), "report this as a fault"))?;
        Ok(write_atomically(&arguments.out, &text)?)
    })?;
    bars.clear();
    if common.json {
        print_json(&done);
        return Ok(Outcome::Done);
    }
    let head =
        ["round", "fooling examples", "test error", "median posterior", "reached", "recognized"];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    rows.extend(done.iter().map(|round| {
        vec![
            round.round.to_string(),
            format!(
                "{} of {}",
                round.fooling_examples,
                round.fooling_examples + round.other_examples
            ),
            format!("{:.2} %", 100.0 * round.test_error),
            truncated(round.median_posterior, 6),
            format!("{:.1} %", 100.0 * round.reached),
            round.recognized.map_or("-".to_owned(), |share| format!("{:.1} %", 100.0 * share)),
        ]
    }));
    print(&terminal::table(&rows));
    print(&format!("table: {}", arguments.out.display()));
    Ok(Outcome::Done)
}
