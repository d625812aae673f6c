//! Verifying a fooling set: every delivered file is heard or seen again by its model.

use std::path::{Path, PathBuf};

use rayon::prelude::*;
use serde::Serialize;

use super::scoring::FileScorer;
use crate::error::{Error, Result};
use crate::exhibits::{self, Exhibit, Manifest, Verification, Verifier};
use crate::problem::CALLABLE;
use crate::reference::{Criterion, Reference};
use crate::victims::AnyModel;

/// A fooling set that was scored again.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Verified {
    /// Every exhibit against the manifest.
    #[serde(flatten)]
    pub verification: Verification,
    /// Exhibits of which the classifier's method has no answer
    /// ([`crate::problem::Victim::out_of_reach`]), by file name; `None` for methods
    /// that always have one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub out_of_reach: Option<Vec<String>>,
    /// Said if another runtime, or another version of it, scored the files than when the set was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub other_runtime: Option<OtherRuntime>,
}

/// Two runtimes that scored the files of one set.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OtherRuntime {
    /// The one that the set was made with.
    pub made: String,
    /// The one that scored its files again.
    pub now: String,
    /// The largest difference between their posteriors.
    pub largest_difference: f64,
}

impl OtherRuntime {
    fn of(verification: &Verification, now: Option<String>) -> Option<Self> {
        let (made, now) = (verification.runtime.clone()?, now?);
        let differences = verification.exhibits.iter().filter_map(|one| one.largest_difference);
        let largest_difference = differences.fold(0.0, f64::max);
        (made != now).then_some(Self { made, now, largest_difference })
    }
}

/// Scores every file of the fooling set in `set` again, by the model in `model`, or else the
/// one kept in the run's folder around the set.
///
/// # Errors
/// [`Error::Request`] if no model is found or it is not the set's; [`Error::BadFile`] if the
/// model or the manifest cannot be read.
pub fn verify(set: &Path, model: Option<&Path>) -> Result<Verified> {
    verify_besides(set, model, None)
}

/// The same, where every exhibit must reach `besides`, too.
///
/// # Errors
/// As [`verify`]; [`Error::Request`] for a level that nothing tells.
pub fn verify_besides(
    set: &Path,
    model: Option<&Path>,
    besides: Option<Criterion>,
) -> Result<Verified> {
    let path = match model {
        Some(path) => path.to_owned(),
        None => model_beside(set)?,
    };
    scored(set, &FileScorer::new(&AnyModel::load(&path)?)?, besides)
}

/// The same by any victim.
///
/// # Errors
/// As [`verify`]; also if the victim has no fingerprint, so that nothing tells whether it is the
/// set's.
pub fn verify_by(set: &Path, scorer: &FileScorer<'_>) -> Result<Verified> {
    scored(set, scorer, None)
}

fn scored(set: &Path, scorer: &FileScorer<'_>, besides: Option<Criterion>) -> Result<Verified> {
    let mut said = Vec::new();
    let fingerprint = scorer.fingerprint().unwrap_or_default();
    let by = Verifier {
        classifier_sha256: &fingerprint,
        exact: scorer.is_exact(),
        reference: scorer.reference(),
        besides,
    };
    let verification = exhibits::verify(set, by, |file| {
        let log_odds = scorer.score(file)?;
        said.push((named(file), scorer.out_of_reach(file)?));
        Ok(log_odds)
    })?;
    let other_runtime = OtherRuntime::of(&verification, scorer.runtime());
    Ok(Verified { verification, out_of_reach: out_of_reach(said), other_runtime })
}

/// The exhibits of the set in `set`, which the victim of `scorer` was fooled by, of which its method
/// has no answer; `None` for methods that always have one.
///
/// # Errors
/// If the victim cannot judge the files.
pub(super) fn exhibits_out_of_reach(
    set: &Path,
    manifest: &Manifest,
    scorer: &FileScorer<'_>,
) -> Result<Option<Vec<String>>> {
    let said = manifest
        .exhibits
        .iter()
        .map(|exhibit| Ok((exhibit.file.clone(), scorer.out_of_reach(&set.join(&exhibit.file))?)));
    Ok(out_of_reach(said.collect::<Result<_>>()?))
}

/// How far every exhibit lies from the genuine items; `None` of victims without embeddings.
///
/// # Errors
/// Whatever reading and scoring meet.
pub(super) fn exhibit_distances(
    set: &Path,
    manifest: &Manifest,
    scorer: &FileScorer<'_>,
) -> Result<Option<Vec<f64>>> {
    let Some(genuine) = scorer.reference().and_then(Reference::mahalanobis) else {
        return Ok(None);
    };
    let distance = |exhibit: &Exhibit| {
        scorer.embedding(&set.join(&exhibit.file)).map(|embedding| genuine.distance(&embedding))
    };
    manifest.exhibits.par_iter().map(distance).collect::<Result<_>>().map(Some)
}

/// The names of those that are out of reach, if that was said of any file.
fn out_of_reach(said: Vec<(String, Option<bool>)>) -> Option<Vec<String>> {
    let told = said.iter().any(|(_, missed)| missed.is_some());
    let missed = said.into_iter().filter(|(_, missed)| *missed == Some(true));
    told.then(|| missed.map(|(file, _)| file).collect())
}

fn named(file: &Path) -> String {
    file.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn model_beside(set: &Path) -> Result<PathBuf> {
    let absolute = std::path::absolute(set).map_err(|e| Error::io(set, e))?;
    absolute.parent().and_then(AnyModel::kept).ok_or_else(|| {
        no_model(
            set,
            "verify it in the program that has the callable: in Python, trompe.verify(set, victim)",
        )
    })
}

/// That no model lies beside the set in `set`; `of_callable` is what to do where none can.
pub(super) fn no_model(set: &Path, of_callable: &str) -> Error {
    let callable = |manifest: Manifest| manifest.origin.classifier.kind == CALLABLE;
    match exhibits::read_manifest(set).is_ok_and(callable) {
        true => Error::request(
            format!("{} was made on a callable, which no file holds", set.display()),
            of_callable,
        ),
        false => Error::request(
            format!("no model beside {}", set.display()),
            "name the model the set was made on with --model",
        ),
    }
}
