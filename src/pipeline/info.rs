//! What a file or folder is, in a few facts.

use std::path::Path;

use trompe_base::words::counted;
use trompe_corpora::{ImageCorpus, Limits, layout};

use super::fool::Configuration;
use crate::error::{Error, Result};
use crate::exhibits::read_manifest;
use crate::results::RunReport;
use crate::search::RunFolder;
use crate::victims::{AnyModel, AudioModel, ImageModel, Scorer};

/// Facts in order: name and value.
pub type Facts = Vec<(String, String)>;

/// What is at `path`: its kind, and facts about it.
///
/// # Errors
/// [`Error::Request`] if it is nothing that trompe knows; whatever reading meets.
pub fn info(path: &Path) -> Result<(&'static str, Facts)> {
    if path.join("manifest.json").is_file() {
        return Ok(("fooling set", of_set(path)?));
    }
    if RunFolder::configuration_path(path).is_file() {
        return Ok(("run", of_run(path)?));
    }
    if path.join("series.toml").is_file() {
        return Ok(("series", of_series(path)?));
    }
    if path.join("study.toml").is_file() {
        return Ok(("study", of_study(path)?));
    }
    let named = path.to_str().unwrap_or_default();
    let of_model =
        path.is_file() || path.join("model.onnx").is_file() || named.starts_with("onnx:");
    if of_model {
        return Ok(("model", self::of_model(&AnyModel::load(path)?)));
    }
    if path.is_dir() {
        return Ok(("corpus", of_corpus(path)?));
    }
    Err(Error::request(
        format!("{}: no such file or folder", path.display()),
        "name a model, a run, a series, a fooling set, a study or a corpus",
    ))
}

fn fact(name: &str, value: impl ToString) -> (String, String) {
    (name.to_owned(), value.to_string())
}

fn of_model(model: &AnyModel) -> Facts {
    let mut facts = vec![fact("kind", model.kind()), fact("sha256", model.fingerprint())];
    match model.scorer() {
        Scorer::Audio(scorer) => {
            facts.push(fact("judges", "sound"));
            match &**scorer {
                AudioModel::Trained(model) => {
                    let trained_on = model.trained_on();
                    facts.push(fact("trained on", &trained_on.source.name));
                    facts.push(fact("excerpts", trained_on.excerpts));
                    facts.push(fact("feature vectors", trained_on.vectors));
                    if let Some(settings) = &trained_on.settings {
                        facts.push(fact("sample rate", format!("{} Hz", settings.sample_rate())));
                    }
                }
                #[cfg(feature = "onnx")]
                AudioModel::Onnx(net) => {
                    let description = net.description();
                    facts.push(fact("trained on", &description.corpus));
                    facts.push(fact("sample rate", format!("{} Hz", description.audio.rate)));
                }
                AudioModel::Program(program) => {
                    facts.push(fact("trained on", &program.hello().corpus));
                    if let Some(audio) = &program.hello().audio {
                        facts.push(fact("sample rate", format!("{} Hz", audio.rate)));
                    }
                }
            }
        }
        Scorer::Image(scorer) => {
            let shape = scorer.shape();
            facts.push(fact("judges", "images"));
            facts.push(fact("size", format!("{} x {}", shape.width, shape.height)));
            match &**scorer {
                ImageModel::Net(net) => {
                    facts.push(fact("trained on", &net.record().corpus));
                    facts.push(fact("images", net.record().images));
                }
                ImageModel::Pixels(pixels) => {
                    let trained_on = pixels.model().trained_on();
                    facts.push(fact("trained on", &trained_on.source.name));
                    facts.push(fact("images", trained_on.excerpts));
                }
                #[cfg(feature = "onnx")]
                ImageModel::Onnx(net) => facts.push(fact("trained on", &net.description().corpus)),
                ImageModel::Program(program) => {
                    facts.push(fact("trained on", &program.hello().corpus));
                }
            }
        }
    }
    facts.push(fact("classes", model.classes().join(", ")));
    match model.reference() {
        None => facts.push(fact("genuine reference", "none: no levels, no calibrated posterior")),
        Some(reference) => {
            let source = reference.source();
            facts.push(fact(
                "genuine reference",
                format!(
                    "{} of {} of {}, {}",
                    counted(reference.items().len(), "item"),
                    counted(reference.groups().count(), "group"),
                    source.corpus,
                    source.kind.name()
                ),
            ));
            facts.push(fact("reference sha256", reference.sha256()));
            if !reference.undefined().is_empty() {
                facts.push(fact("no levels in", reference.undefined().join(", ")));
            }
            if let Some(map) = reference.calibration_map() {
                let parameters = format!("{} ({})", map.parameters(), map.formula());
                facts.push(fact(map.name(), parameters));
            }
            if reference.is_biased() == Some(true) {
                facts.push(fact("levels", "BIASED: nested folds found too many items at a level"));
            }
        }
    }
    facts
}

fn of_set(path: &Path) -> Result<Facts> {
    let manifest = read_manifest(path)?;
    let origin = &manifest.origin;
    let reached = (0..origin.classes.len()).filter(|&c| manifest.of_class(c).next().is_some());
    let mut facts = vec![
        fact("exhibits", manifest.exhibits.len()),
        fact("classes reached", format!("{} of {}", reached.count(), origin.classes.len())),
        fact("asked for", origin.criterion().in_words()),
        fact("classifier", format!("{} {}", origin.classifier.kind, origin.classifier.sha256)),
        fact("trained on", &origin.classifier.corpus),
        fact("generator", &origin.generator.name),
        fact("seed", origin.seed),
        fact("schema", manifest.schema_version),
    ];
    if let Some(bank) = &origin.generator.bank {
        facts.push(fact("bank", &bank.name));
    }
    let reference = match &origin.reference {
        None => "none".to_owned(),
        Some(used) => format!("{} {}", used.corpus, used.sha256),
    };
    facts.push(fact("genuine reference", reference));
    Ok(facts)
}

fn of_run(path: &Path) -> Result<Facts> {
    let configuration = Configuration::read(&RunFolder::configuration_path(path))?;
    let mut facts = vec![
        fact("model", configuration.model.display()),
        fact("seed", configuration.search.seed),
        fact("budget", configuration.search.budget),
        fact("emitter", configuration.search.emitter.name()),
        fact("asked for", configuration.search.criterion().in_words()),
    ];
    match RunReport::read(path)? {
        None => facts.push(fact("state", "not finished: `trompe fool --resume` goes on with it")),
        Some(report) => {
            facts.push(fact("state", "finished"));
            facts.push(fact("evaluations", report.evaluations));
            for at in &report.thresholds {
                let reached = format!("{} of {}", at.classes_reached, report.classes.len());
                facts.push(fact(&format!("classes at posterior {}", at.threshold), reached));
            }
            for at in &report.levels {
                let reached = format!("{} of {}", at.classes_reached, at.classes_defined);
                facts.push(fact(&format!("classes at level {}", at.level), reached));
            }
        }
    }
    Ok(facts)
}

fn of_series(path: &Path) -> Result<Facts> {
    let entries = std::fs::read_dir(path).map_err(|e| Error::io(path, e))?;
    let mut runs = Vec::new();
    for entry in entries {
        let folder = entry.map_err(|e| Error::io(path, e))?.path();
        if RunFolder::configuration_path(&folder).is_file() {
            runs.push(folder);
        }
    }
    runs.sort();
    let mut finished = 0;
    for run in &runs {
        finished += usize::from(RunReport::read(run)?.is_some());
    }
    Ok(vec![fact("runs", runs.len()), fact("finished", finished)])
}

#[cfg(feature = "listen")]
fn of_study(path: &Path) -> Result<Facts> {
    let folder = trompe_listening_test::StudyFolder::open(path)?;
    let study = &folder.study;
    let mut facts = vec![fact("name", &study.name), fact("languages", study.languages.join(", "))];
    facts.extend(
        study.title.iter().map(|(language, title)| fact(&format!("title ({language})"), title)),
    );
    facts.push(fact("items", folder.answer_key.items.len()));
    facts.push(fact("sha256", &folder.sha256));
    Ok(facts)
}

#[cfg(not(feature = "listen"))]
fn of_study(path: &Path) -> Result<Facts> {
    Err(Error::request(
        format!("{} is a study, which this build does not read", path.display()),
        "build trompe with the cargo feature listen",
    ))
}

fn of_corpus(path: &Path) -> Result<Facts> {
    if ImageCorpus::is_in(path) {
        let corpus = ImageCorpus::open(path, &Limits::default())?;
        return Ok(vec![
            fact("name", &corpus.name),
            fact("images", corpus.len()),
            fact("classes", corpus.classes.join(", ")),
            fact("size", format!("{} x {}", corpus.shape.width, corpus.shape.height)),
        ]);
    }
    let corpus = layout::open(path, &Limits::default())?;
    let groups: std::collections::BTreeSet<&str> =
        corpus.clips.iter().filter_map(|clip| clip.group.as_deref()).collect();
    Ok(vec![
        fact("name", &corpus.name),
        fact("clips", corpus.clips.len()),
        fact("classes", corpus.classes.join(", ")),
        fact("groups", groups.len()),
    ])
}
