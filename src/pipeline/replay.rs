//! Rebuilding exhibits from what their manifest says: the same file, to the bit.

use std::path::{Path, PathBuf};

use serde::Serialize;
use trompe_corpora::Progress;

use super::fool::{Configuration, Opened, ProblemVisitor, open};
use super::verify::no_model;
use crate::error::{Error, Result};
use crate::exhibits::digest::sha256_of_file;
use crate::exhibits::{Exhibit, Manifest, Origin, read_manifest, score_file};
use crate::image::{DESCRIPTOR_KEY, Descriptor, GeneratorSettings};
use crate::problem::{Medium, Space};
use crate::search::RunFolder;
use crate::victims::AnyModel;

/// What became of one exhibit.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Replayed {
    /// File name inside the set.
    pub file: String,
    /// Its class.
    pub label: String,
    /// Posterior of its class, of the file that was rebuilt.
    pub posterior: f64,
    /// What differs, in words; empty if nothing does.
    pub problems: Vec<String>,
}

/// Rebuilds the exhibit whose file is at `path`, or all exhibits of the fooling set there,
/// from their genomes, and compares files and log-odds with the manifest, bit by bit. The
/// files of the set are not looked at. `model` is that of the set; else the one kept in the
/// run's folder around it.
///
/// # Errors
/// [`Error::Request`] if no model is found, or model, bank or generator are not the set's;
/// [`Error::BadFile`] for a damaged manifest; whatever opening them meets.
pub fn replay(path: &Path, model: Option<&Path>, progress: &dyn Progress) -> Result<Vec<Replayed>> {
    let (set, file) = place(path)?;
    let manifest = read_manifest(&set)?;
    let exhibits: Vec<&Exhibit> = manifest
        .exhibits
        .iter()
        .filter(|exhibit| file.as_ref().is_none_or(|file| exhibit.file == *file))
        .collect();
    if let (Some(file), true) = (&file, exhibits.is_empty()) {
        return Err(Error::request(
            format!("{file} is no exhibit of {}", set.display()),
            "its manifest.json names those there are",
        ));
    }
    let run = set.parent().map(Path::to_owned).unwrap_or_default();
    let model = model
        .map(Path::to_owned)
        .or_else(|| AnyModel::kept(&run))
        .ok_or_else(|| no_model(&set, "runs of models' files are replayed, and no others"))?;
    let configuration = configuration(&manifest, &run)?;
    let replay = Replay { set: &set, manifest: &manifest, exhibits: &exhibits };
    open(&configuration, &model, progress, replay)
}

/// The set's folder, and the exhibit's name if `path` is one.
fn place(path: &Path) -> Result<(PathBuf, Option<String>)> {
    let absolute = std::path::absolute(path).map_err(|e| Error::io(path, e))?;
    if absolute.is_dir() {
        return Ok((absolute, None));
    }
    std::fs::metadata(&absolute).map_err(|e| Error::io(path, e))?;
    match (absolute.parent(), absolute.file_name().and_then(|name| name.to_str())) {
        (Some(set), Some(name)) => Ok((set.to_owned(), Some(name.to_owned()))),
        _ => Err(Error::request(
            format!("{} is no exhibit", path.display()),
            "give a fooling set, or a file of one",
        )),
    }
}

/// What the set was made with: of the run's configuration only what no manifest says, such as
/// where the bank lies.
fn configuration(manifest: &Manifest, run: &Path) -> Result<Configuration> {
    let path = RunFolder::configuration_path(run);
    let mut configuration = match path.exists() {
        true => Configuration::read(&path)?,
        false => Configuration::default(),
    };
    let origin = &manifest.origin;
    let mut settings = origin.generator.settings.clone();
    let unknown = |e: serde_json::Error| {
        Error::request(
            format!("the set was made by \"{}\", not by a search: {e}", origin.generator.name),
            "give a set that `trompe fool` wrote",
        )
    };
    match origin.medium {
        Medium::Audio => {
            configuration.composition = serde_json::from_value(settings).map_err(unknown)?;
        }
        Medium::Image => {
            // Sets of schema 1 do not say how their niches were divided; the run's file does.
            let keys = settings.as_object_mut();
            if let Some(descriptor) = keys.and_then(|keys| keys.remove(DESCRIPTOR_KEY)) {
                configuration.descriptor = serde_json::from_value(descriptor).map_err(unknown)?;
            } else if !path.exists() && manifest.exhibits.iter().any(is_placed) {
                configuration.descriptor = Descriptor::BrightnessAndEdges;
            }
            let there = std::mem::take(&mut configuration.image);
            configuration.image = serde_json::from_value(settings).map_err(unknown)?;
            if let GeneratorSettings::Tiles(tiles) = &mut configuration.image {
                match (there, &origin.generator.bank) {
                    (GeneratorSettings::Tiles(there), _) => tiles.corpus = there.corpus,
                    (_, Some(bank)) => tiles.corpus.clone_from(&bank.name),
                    _ => {}
                }
            }
        }
    }
    if let (Some(bank), false) = (&origin.generator.bank, path.exists()) {
        configuration.bank.clone_from(&bank.name);
    }
    configuration.search.seed = origin.seed;
    configuration.search.threshold = Some(origin.threshold);
    Ok(configuration)
}

/// Whether the exhibit's genome is one with its cell.
fn is_placed(exhibit: &Exhibit) -> bool {
    exhibit.genome.get("cell").is_some()
}

struct Replay<'a> {
    set: &'a Path,
    manifest: &'a Manifest,
    exhibits: &'a [&'a Exhibit],
}

impl ProblemVisitor for Replay<'_> {
    type Output = Vec<Replayed>;

    fn visit<S: Space>(self, opened: Opened<'_, S>) -> Result<Vec<Replayed>> {
        let (mut then, mut now) = (self.manifest.origin.clone(), opened.origin()?);
        // Sets of schema 1 do not name the descriptor, and name the corpus of tiles.
        let old = then.generator.settings.get(DESCRIPTOR_KEY).is_none();
        if let (true, Some(keys)) = (old, now.generator.settings.as_object_mut()) {
            keys.remove(DESCRIPTOR_KEY);
        }
        if let Some(keys) = then.generator.settings.as_object_mut() {
            keys.remove("corpus");
        }
        let bank = |origin: &Origin| origin.generator.bank.as_ref().map(|bank| bank.sha256.clone());
        for (same, what) in [
            (!then.classifier.sha256.is_empty(), "model, one without a fingerprint"),
            (then.classifier.sha256 == now.classifier.sha256, "model"),
            (then.classes == now.classes, "classes"),
            (bank(&then) == bank(&now), "bank"),
            (then.generator.name == now.generator.name, "generator"),
            (then.generator.settings == now.generator.settings, "generator settings"),
        ] {
            if !same {
                return Err(Error::request(
                    format!("{} was made with another {what}", self.set.display()),
                    "restore it, or name the model with --model",
                ));
            }
        }
        let folder = tempfile::tempdir().map_err(|e| Error::io(std::env::temp_dir(), e))?;
        let rebuild = |exhibit: &&Exhibit| rebuild(&opened, exhibit, folder.path());
        self.exhibits.iter().map(rebuild).collect()
    }
}

/// Rebuilds one exhibit in `folder` and says what differs.
fn rebuild<S: Space>(opened: &Opened<'_, S>, exhibit: &Exhibit, folder: &Path) -> Result<Replayed> {
    let damaged = |what: String| {
        Error::request(
            format!("the genome of {} is invalid: {what}", exhibit.file),
            "copy the set again from where it was made, in its run's folder",
        )
    };
    let genome: S::Genome =
        serde_json::from_value(exhibit.genome.clone()).map_err(|e| damaged(e.to_string()))?;
    opened.problem.space().check(&genome).map_err(damaged)?;
    let path = folder.join(&exhibit.file);
    opened.codec.write(&opened.problem.space().render(&genome), &path)?;
    let (_, log_odds) = score_file(*opened.problem.victim(), opened.codec, &path)?;
    let sha256 = sha256_of_file(&path).map_err(|e| Error::io(&path, e))?;

    let bits = |values: &[f64]| values.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
    let mut problems = Vec::new();
    if sha256 != exhibit.sha256 {
        problems.push("the file that was rebuilt has other bytes".to_owned());
    }
    if bits(&log_odds) != bits(&exhibit.log_odds) {
        problems.push("its log-odds are other numbers".to_owned());
    }
    let posterior =
        log_odds.get(exhibit.class).copied().map(crate::log_odds::posterior_from_log_odds);
    Ok(Replayed {
        file: exhibit.file.clone(),
        label: exhibit.label.clone(),
        posterior: posterior.unwrap_or(f64::NAN),
        problems,
    })
}
