//! Feature sets: sound in, arrays out.

use std::path::PathBuf;

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use rayon::prelude::*;
use trompe::corpora::{Limits, read_mono};
use trompe::features::FeatureSettings;

use crate::arrays;
use crate::errors::{bad, raised};

/// One clip: samples, or the file that holds them.
enum Clip {
    Samples(Vec<f32>),
    File(PathBuf),
}

/// Settings of a feature set from JSON.
pub(crate) fn settings_of(json: &str) -> PyResult<FeatureSettings> {
    let settings: FeatureSettings =
        serde_json::from_str(json).map_err(|error| bad("settings", error))?;
    settings.validate().map_err(|error| raised(error.into()))?;
    Ok(settings)
}

/// Names of the values of a vector.
#[pyfunction]
pub(crate) fn feature_names(settings: &str) -> PyResult<Vec<String>> {
    Ok(settings_of(settings)?.names())
}

/// Feature vectors of clips, an array (vectors, values) each, by at most `threads` threads (0: all).
#[pyfunction]
pub(crate) fn extract<'py>(
    py: Python<'py>,
    settings: &str,
    clips: &Bound<'py, PyAny>,
    threads: usize,
) -> PyResult<Vec<Bound<'py, PyAny>>> {
    let settings = settings_of(settings)?;
    let rate = settings.sample_rate();
    let mut given = Vec::new();
    for (number, clip) in clips.try_iter()?.enumerate() {
        let clip = clip?;
        let is_path =
            clip.is_instance_of::<pyo3::types::PyString>() || clip.hasattr("__fspath__")?;
        given.push(match is_path {
            true => Clip::File(clip.extract()?),
            false => Clip::Samples(arrays::sound(&format!("X[{number}]"), &clip, rate)?.samples),
        });
    }
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .map_err(|error| PyRuntimeError::new_err(error.to_string()))?;
    let dimensions = settings.dimensions();
    let extracted: Vec<Result<Vec<f32>, PyErr>> = py.detach(|| {
        let one = |(number, clip): (usize, &Clip)| {
            let mut extractor = settings.extractor().map_err(|error| raised(error.into()))?;
            let mut vectors = Vec::new();
            let (name, done) = match clip {
                Clip::Samples(samples) => {
                    (format!("X[{number}]"), extractor.extract(samples, &mut vectors))
                }
                Clip::File(path) => {
                    let audio = read_mono(path, rate, &Limits::default())
                        .map_err(|error| raised(error.into()))?;
                    (path.display().to_string(), extractor.extract(&audio.samples, &mut vectors))
                }
            };
            done.map_err(|error| bad(&name, error))?;
            Ok(vectors)
        };
        pool.install(|| given.par_iter().enumerate().map(one).collect())
    });
    extracted
        .into_iter()
        .map(|vectors| {
            let vectors = vectors?;
            let rows = vectors.len() / dimensions;
            arrays::array(py, vectors, &[rows, dimensions])
        })
        .collect()
}
