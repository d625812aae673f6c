//! What victims say of sets, files and inputs.

use std::path::PathBuf;

use pyo3::prelude::*;
use trompe::pipeline;
use trompe::pipeline::equalize::EqualizeSettings;
use trompe::pipeline::recordings::Recordings;
use trompe::problem::{AudioFormat, score_all};
use trompe::reference::Criterion;
use trompe::results::Answer;
use trompe::victims::Scorer;

use crate::arrays;
use crate::calls::score;
use crate::errors::{bad, raised};
use crate::fool::no_victim;
use crate::json::json;
use crate::remote::Inputs;
use crate::stated::Medium;
use crate::victim::{Kind, Victim};
use crate::worker::run;

/// Scores every file of a fooling set again.
#[pyfunction]
#[pyo3(signature = (set, victim=None))]
pub(crate) fn verify(py: Python<'_>, set: PathBuf, victim: Option<&Victim>) -> PyResult<String> {
    let verified = run(py, victim, None, |scorer, _| {
        json(&match scorer {
            Some(scorer) => pipeline::verify::verify_by(&set, scorer)?,
            None => pipeline::verify::verify(&set, None)?,
        })
    });
    Ok(verified?.0)
}

/// What a victim calls files, and files below folders.
#[pyfunction]
pub(crate) fn predict(
    py: Python<'_>,
    victim: &Victim,
    paths: Vec<PathBuf>,
    whole: bool,
) -> PyResult<String> {
    let predicted = run(py, Some(victim), None, |scorer, reports| {
        let scorer = scorer.ok_or_else(no_victim)?;
        json(&pipeline::predict::predict_by(scorer, &paths, whole, reports)?)
    });
    Ok(predicted?.0)
}

/// Inputs of a victim from arrays: sounds, or an array of images.
fn inputs_of(victim: &Victim, inputs: &Bound<'_, PyAny>) -> PyResult<Inputs> {
    Ok(match victim.medium()? {
        Medium::Audio { rate } => Inputs::Audio(arrays::sounds("inputs", inputs, rate)?),
        Medium::Image { shape } => Inputs::Image(arrays::images("inputs", inputs, shape)?),
    })
}

fn scores(py: Python<'_>, victim: &Victim, inputs: &Inputs) -> PyResult<Vec<f64>> {
    match &victim.kind {
        Kind::Callable(callable) => score(py, callable, inputs),
        Kind::File { model, .. } => py
            .detach(|| match (model.scorer(), inputs) {
                (Scorer::Audio(sound), Inputs::Audio(sounds)) => {
                    let (sound, AudioFormat { samples: fewest, .. }) = sound.victim()?;
                    match sounds.iter().position(|sound| sound.samples.len() < fewest) {
                        None => score_all(&sound, sounds, Clone::clone),
                        Some(number) => Err(trompe::Error::request(
                            format!(
                                "inputs[{number}]: {} samples, the model needs {fewest}",
                                sounds[number].samples.len()
                            ),
                            "give longer sound",
                        )),
                    }
                }
                (Scorer::Image(image), Inputs::Image(images)) => {
                    score_all(image.victim(), images, Clone::clone)
                }
                _ => Err(no_victim()),
            })
            .map_err(raised),
    }
}

/// One log-odds per class and input.
#[pyfunction]
pub(crate) fn log_odds<'py>(
    py: Python<'py>,
    victim: &Victim,
    inputs: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    let inputs = inputs_of(victim, inputs)?;
    let scores = scores(py, victim, &inputs)?;
    arrays::array(py, scores, &[inputs.len(), victim.class_names().len()])
}

/// What a victim calls inputs in memory.
#[pyfunction]
pub(crate) fn predict_inputs(
    py: Python<'_>,
    victim: &Victim,
    inputs: &Bound<'_, PyAny>,
) -> PyResult<String> {
    let inputs = inputs_of(victim, inputs)?;
    let scores = scores(py, victim, &inputs)?;
    let classes = victim.class_names();
    let reference = victim.reference();
    let answers: Vec<Answer> = scores
        .chunks_exact(classes.len())
        .map(|row| {
            let calibrate = |row: &[f64]| reference.and_then(|own| own.calibrated(row));
            Answer::of(classes, row, reference, calibrate)
        })
        .collect();
    json(&answers).map_err(raised)
}

/// What a victim calls inputs without content.
#[pyfunction]
#[pyo3(signature = (victim, genuine=None))]
pub(crate) fn probe(py: Python<'_>, victim: &Victim, genuine: Option<PathBuf>) -> PyResult<String> {
    let probed = run(py, Some(victim), None, |scorer, _| {
        let scorer = scorer.ok_or_else(no_victim)?;
        json(&pipeline::probe::probe_by(scorer, genuine.as_deref())?)
    });
    Ok(probed?.0)
}

/// What another victim makes of a fooling set.
#[pyfunction]
#[pyo3(signature = (set, victim, threshold=None, level=None))]
pub(crate) fn transfer(
    py: Python<'_>,
    set: PathBuf,
    victim: &Victim,
    threshold: Option<f64>,
    level: Option<f64>,
) -> PyResult<String> {
    let criterion = match (threshold, level) {
        (Some(_), Some(_)) => return Err(bad("threshold, level", "give one of them")),
        (Some(posterior), None) => Some(Criterion::Posterior(posterior)),
        (None, level) => level.map(Criterion::Level),
    };
    let transferred = run(py, Some(victim), None, |scorer, _| {
        let scorer = scorer.ok_or_else(no_victim)?;
        json(&pipeline::transfer::transfer_by(&set, scorer, criterion)?)
    });
    Ok(transferred?.0)
}

/// Sets finished runs side by side, and writes the comparison to `out`.
#[pyfunction]
#[pyo3(signature = (runs, out, study=None))]
pub(crate) fn compare(
    py: Python<'_>,
    runs: Vec<PathBuf>,
    out: PathBuf,
    study: Option<PathBuf>,
) -> PyResult<String> {
    let compared = run(py, None, None, |_, reports| {
        let compared = pipeline::compare::compare(&runs, study.as_deref(), &out, reports)?;
        json(&compared.comparison)
    });
    Ok(compared?.0)
}

/// Relabels recordings, which are files or sounds, by filters alone.
#[pyfunction]
pub(crate) fn equalize(
    py: Python<'_>,
    victim: &Victim,
    recordings: &Bound<'_, PyAny>,
    files: bool,
    severities: Vec<f64>,
    search: &str,
    out: PathBuf,
) -> PyResult<String> {
    let Medium::Audio { rate } = victim.medium()? else {
        return Err(bad("victim", "it takes images; equalize filters sound"));
    };
    let search = serde_json::from_str(search).map_err(|error| bad("settings", error))?;
    let settings = EqualizeSettings { severities, search };
    let paths: Option<Vec<PathBuf>> = files.then(|| recordings.extract()).transpose()?;
    let sounds = match &paths {
        Some(_) => Vec::new(),
        None => arrays::sounds("recordings", recordings, rate)?,
    };
    let equalized = run(py, Some(victim), None, |scorer, reports| {
        let scorer = scorer.ok_or_else(no_victim)?;
        let recordings = match &paths {
            Some(paths) => Recordings::of_files(paths, rate)?,
            None => Recordings::of_sounds(sounds)?,
        };
        let stop = &reports.stop;
        json(&pipeline::equalize::equalize(scorer, &recordings, &settings, &out, reports, stop)?)
    });
    Ok(equalized?.0)
}
