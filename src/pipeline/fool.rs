//! A run on disk: from a model and a bank to a verified fooling set and its report.

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use trompe_corpora::Progress;
use trompe_corpora::files::write_atomically;

use super::open;
use crate::audio::{self, ExcerptDelivery, Excerpts, Listener};
use crate::classifiers::{Classifier, Model, posterior_from_log_odds};
use crate::error::{Error, Result};
use crate::exhibits::{
    self, BankUsed, ClassifierUsed, FellShort, GeneratorUsed, Manifest, Medium, Origin,
};
use crate::report::{self, RunRecord, RunReport};
use crate::search::{self, Ending, Problem, RunFolder, Search};

/// A configuration file with every default and what it means.
pub const CONFIGURATION_FILE: &str = include_str!("fool.toml");

/// Everything that decides a run, as `run.toml` holds it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Configuration {
    /// The model's file, as the user named it; the run keeps a copy.
    pub model: PathBuf,
    /// The bank: a folder, or the name of a recipe.
    pub bank: String,
    /// Random candidates that measure the base rate, beside the budget.
    pub base_rate_candidates: u64,
    /// Seconds between two checkpoints: what a kill can cost, and nothing else.
    pub checkpoint_seconds: f64,
    /// Budget, threshold, emitter.
    pub search: search::Settings,
    /// What an excerpt may be.
    pub composition: audio::Settings,
}

impl Default for Configuration {
    fn default() -> Self {
        Self {
            model: PathBuf::from("model.safetensors"),
            bank: "loops".to_owned(),
            base_rate_candidates: 1_000,
            checkpoint_seconds: 5.0,
            search: search::Settings::default(),
            composition: audio::Settings::default(),
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

    /// The configuration as TOML, every key written out.
    ///
    /// # Errors
    /// [`Error::Request`] if a path is no UTF-8.
    pub fn to_toml(&self) -> Result<String> {
        toml::to_string(self)
            .map_err(|e| Error::request(format!("configuration: {e}"), "use paths in UTF-8"))
    }

    fn checkpoint_interval(&self) -> Result<Duration> {
        Duration::try_from_secs_f64(self.checkpoint_seconds).map_err(|_| {
            Error::request(
                format!("checkpoint_seconds = {}", self.checkpoint_seconds),
                "give a number of seconds, 0 or more",
            )
        })
    }
}

/// Where a run stands, told after every generation.
#[derive(Debug, Clone, PartialEq)]
pub struct Standing {
    /// Evaluations done, of the budget.
    pub evaluations: u64,
    /// Evaluations allowed.
    pub budget: u64,
    /// Classes that still want exhibits.
    pub open: usize,
    /// Class with the lowest best posterior, and that posterior.
    pub hardest: Option<(String, f64)>,
}

/// What a run is told to report to while it lasts.
pub struct Watch<'a> {
    /// Stages of opening and of the base rate.
    pub progress: &'a dyn Progress,
    /// Called after every generation.
    pub standing: &'a mut dyn FnMut(&Standing),
    /// Raised to stop at the next generation.
    pub stop: &'a AtomicBool,
}

/// How a run ended.
#[derive(Debug)]
pub enum Fooled {
    /// It was stopped; its folder resumes.
    Stopped {
        /// Evaluations done so far.
        evaluations: u64,
    },
    /// It is finished.
    Done(Box<Finished>),
}

/// A finished run.
#[derive(Debug)]
pub struct Finished {
    /// The fooling set's folder.
    pub set: PathBuf,
    /// The page of the report.
    pub page: PathBuf,
    /// The set's manifest.
    pub manifest: Manifest,
    /// Candidates whose delivered file fell below the threshold.
    pub fell_short: Vec<FellShort>,
    /// The numbers of the run.
    pub report: RunReport,
}

/// The copy of its model that a run keeps.
pub fn model_path(folder: &Path) -> PathBuf {
    folder.join("model.safetensors")
}

/// Starts the run that `configuration` describes in `folder`, which must not hold one.
///
/// # Errors
/// Whatever opening the model or bank meets; [`Error::Request`] for settings out of range or
/// a folder that holds a run; input and output errors.
pub fn start(configuration: &Configuration, folder: &Path, watch: Watch<'_>) -> Result<Fooled> {
    configuration.search.validate()?;
    go(configuration, &configuration.model, folder, Opening::Create, watch)
}

/// Goes on with the run in `folder`, however it ended. A finished run only writes again what
/// is missing.
///
/// # Errors
/// As [`start`]; [`Error::BadFile`] if the folder's files are damaged or do not fit together.
pub fn resume(folder: &Path, watch: Watch<'_>) -> Result<Fooled> {
    let configuration = Configuration::read(&RunFolder::configuration_path(folder))?;
    let kept = model_path(folder);
    let model = if kept.exists() { &kept } else { &configuration.model };
    go(&configuration, model, folder, Opening::Resume, watch)
}

/// Whether a run's folder is made or gone on with.
enum Opening {
    Create,
    Resume,
}

fn go(
    configuration: &Configuration,
    model: &Path,
    folder: &Path,
    opening: Opening,
    watch: Watch<'_>,
) -> Result<Fooled> {
    let model = Model::load(model)?;
    let listener = Listener::of_model(&model)?;
    let bank = open::bank(&configuration.bank, listener.sample_rate(), watch.progress)?;
    let excerpts =
        Excerpts::new(&bank, &listener, &configuration.composition, model.fingerprint())?;

    let origin = origin(configuration, &model, &excerpts)?;
    let fingerprint = excerpts.fingerprint();
    let (mut files, state) = match opening {
        Opening::Create => {
            (RunFolder::create(folder, &configuration.to_toml()?, &fingerprint)?, None)
        }
        Opening::Resume => RunFolder::resume(folder, &fingerprint)?,
    };
    if !model_path(folder).exists() {
        write_atomically(&model_path(folder), &model.to_bytes()?)?;
    }
    let (state, ending) = search::run(
        &excerpts,
        &configuration.search,
        &mut files,
        state,
        configuration.checkpoint_interval()?,
        watch.stop,
        |search| (watch.standing)(&standing(search, &excerpts, configuration)),
    )?;
    if ending == Ending::Stopped {
        return Ok(Fooled::Stopped { evaluations: state.evaluations });
    }

    let delivery = ExcerptDelivery {
        excerpts: &excerpts,
        listener: &listener,
        calibration: model.calibration(),
    };
    let candidates = exhibits::candidates(&state.archive, configuration.search.exhibits);
    let set = folder.join("fooling-set");
    let written =
        exhibits::write(&set, origin.clone(), &candidates, &delivery, report::fooling_set_page)?;
    let random = search::base_rate(
        &excerpts,
        configuration.search.seed,
        configuration.base_rate_candidates,
        &[0.99, 0.999, 0.9999],
        |done| watch.progress.report("base rate", done, configuration.base_rate_candidates),
    )?;
    let report = RunReport::new(&RunRecord {
        origin: &origin,
        emitter: configuration.search.emitter.name(),
        trace: &search::read_trace(&RunFolder::trace_path(folder))?,
        budget: configuration.search.budget,
        evaluations: state.evaluations,
        random: &random,
    })?;
    let page = folder.join("report.html");
    write_atomically(&page, report::run_page(&report).as_bytes())?;
    let json = serde_json::to_vec_pretty(&report)
        .map_err(|e| Error::numeric(format!("report: {e}"), "report this as a fault"))?;
    write_atomically(&folder.join("report.json"), &json)?;
    Ok(Fooled::Done(Box::new(Finished {
        set,
        page,
        manifest: written.manifest,
        fell_short: written.fell_short,
        report,
    })))
}

fn standing(
    search: &Search<'_, Excerpts<'_>>,
    excerpts: &Excerpts<'_>,
    configuration: &Configuration,
) -> Standing {
    let archive = &search.state().archive;
    let hardest = (0..archive.classes())
        .filter_map(|class| Some((class, archive.best(class)?.log_odds[class])))
        .min_by(|a, b| a.1.total_cmp(&b.1));
    Standing {
        evaluations: search.state().evaluations,
        budget: configuration.search.budget,
        open: search.open_classes().into_iter().filter(|&open| open).count(),
        hardest: hardest.map(|(class, log_odds)| {
            (excerpts.classes()[class].clone(), posterior_from_log_odds(log_odds))
        }),
    }
}

/// What the run's files say of where they come from.
fn origin(configuration: &Configuration, model: &Model, excerpts: &Excerpts<'_>) -> Result<Origin> {
    let bank = excerpts.bank();
    let source = &model.trained_on().source;
    let provenance = source.provenance.ok_or_else(|| {
        Error::request(
            format!("nothing says whether the sound of {} is recorded or synthetic", source.name),
            "train the model on a corpus of audio",
        )
    })?;
    Ok(Origin {
        medium: Medium::Audio,
        classes: model.classes().to_vec(),
        classifier: ClassifierUsed {
            kind: model.fitted().kind().to_owned(),
            posterior_kind: model.posterior_kind(),
            sha256: model.fingerprint().to_owned(),
            corpus: source.name.clone(),
            provenance,
        },
        generator: GeneratorUsed {
            name: "loop composition".to_owned(),
            bank: Some(BankUsed {
                name: bank.name.clone(),
                sha256: excerpts.bank_hash().to_owned(),
                provenance: bank.provenance,
            }),
            settings: serde_json::to_value(&configuration.composition).unwrap_or_default(),
        },
        seed: configuration.search.seed,
        threshold: configuration.search.threshold,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_commented_configuration_is_the_default() {
        assert_eq!(toml::from_str(CONFIGURATION_FILE), Ok(Configuration::default()));
        assert_eq!(toml::from_str(""), Ok(Configuration::default()));
    }

    #[test]
    fn unknown_keys_are_refused_by_name() {
        let error =
            toml::from_str::<Configuration>("[search]\nbugdet = 3").map_err(|e| e.to_string());
        assert!(error.is_err_and(|text| text.contains("bugdet")));
    }
}
