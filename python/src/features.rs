//! Feature sets: sound in, arrays out.

use std::borrow::Cow;
use std::path::PathBuf;

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use rayon::prelude::*;
use trompe::corpora::{Limits, read_mono};
use trompe::features::{FeatureSettings, MelSettings, MelSpectrogram, PRESETS, preset_rate};

use crate::arrays;
use crate::errors::{bad, raised};

/// One clip: samples, or the file that holds them.
enum Clip {
    Samples(Vec<f32>),
    File(PathBuf),
}

/// Clips at a sample rate in hertz.
struct Clips {
    clips: Vec<Clip>,
    rate: u32,
}

impl Clips {
    /// Those of the argument `X`: arrays and paths.
    fn given(clips: &Bound<'_, PyAny>, rate: u32) -> PyResult<Self> {
        let one = |(number, clip): (usize, PyResult<Bound<'_, PyAny>>)| {
            let clip = clip?;
            let is_path =
                clip.is_instance_of::<pyo3::types::PyString>() || clip.hasattr("__fspath__")?;
            Ok(match is_path {
                true => Clip::File(clip.extract()?),
                false => {
                    Clip::Samples(arrays::sound(&format!("X[{number}]"), &clip, rate)?.samples)
                }
            })
        };
        let clips = clips.try_iter()?.enumerate().map(one).collect::<PyResult<_>>()?;
        Ok(Self { clips, rate })
    }

    /// What `work` makes of every clip, in their order, by at most `threads` threads (0: all).
    ///
    /// # Errors
    /// That of the first clip that fails, which it names.
    fn each<T: Send>(
        &self,
        py: Python<'_>,
        threads: usize,
        work: impl Fn(&[f32]) -> Result<T, trompe::features::Error> + Sync,
    ) -> PyResult<Vec<T>> {
        let one = |(number, clip): (usize, &Clip)| {
            let (name, samples) = match clip {
                Clip::Samples(samples) => (format!("X[{number}]"), Cow::Borrowed(samples)),
                Clip::File(path) => {
                    let audio = read_mono(path, self.rate, &Limits::default())
                        .map_err(|error| raised(error.into()))?;
                    (path.display().to_string(), Cow::Owned(audio.samples))
                }
            };
            work(&samples).map_err(|error| bad(&name, error))
        };
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .map_err(|error| PyRuntimeError::new_err(error.to_string()))?;
        let made: Vec<PyResult<T>> =
            py.detach(|| pool.install(|| self.clips.par_iter().enumerate().map(one).collect()));
        made.into_iter().collect()
    }
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
    let dimensions = settings.dimensions();
    let clips = Clips::given(clips, settings.sample_rate())?;
    let vectors = clips.each(py, threads, |samples| {
        let mut vectors = Vec::new();
        settings.extractor()?.extract(samples, &mut vectors)?;
        Ok(vectors)
    })?;
    let array = |vectors: Vec<f32>| {
        let rows = vectors.len() / dimensions;
        arrays::array(py, vectors, &[rows, dimensions])
    };
    vectors.into_iter().map(array).collect()
}

/// Settings of the front end of a published net as JSON, and its sample rate in hertz.
#[pyfunction]
pub(crate) fn mel_preset(name: &str) -> PyResult<(String, u32)> {
    let (Some(settings), Some(rate)) = (MelSettings::preset(name), preset_rate(name)) else {
        return Err(bad("preset", format!("'{name}' is not one of {}", PRESETS.join(", "))));
    };
    let json = crate::json::json(&settings).map_err(raised)?;
    Ok((json, rate))
}

/// What computes spectrograms of sound at `rate` hertz by settings from JSON.
fn planned(settings: &str, rate: u32) -> PyResult<MelSpectrogram> {
    let settings: MelSettings =
        serde_json::from_str(settings).map_err(|error| bad("settings", error))?;
    MelSpectrogram::new(&settings, rate).map_err(|error| raised(error.into()))
}

/// Checks settings of mel spectrograms of sound at `rate` hertz.
#[pyfunction]
pub(crate) fn check_mel(settings: &str, rate: u32) -> PyResult<()> {
    planned(settings, rate).map(|_| ())
}

/// Mel spectrograms of clips at `rate` hertz: an array (frames, bands) each, or their patches as a net
/// takes them.
#[pyfunction]
pub(crate) fn mel_spectrograms<'py>(
    py: Python<'py>,
    settings: &str,
    rate: u32,
    patches: bool,
    clips: &Bound<'py, PyAny>,
    threads: usize,
) -> PyResult<Vec<Bound<'py, PyAny>>> {
    let plan = planned(settings, rate)?;
    let clips = Clips::given(clips, rate)?;
    let made = clips.each(py, threads, |samples| {
        if patches {
            return plan.patches(samples);
        }
        let rows = plan.spectrogram(samples)?;
        let shape = vec![rows.nrows(), rows.ncols()];
        Ok((rows.into_raw_vec_and_offset().0, shape))
    })?;
    made.into_iter().map(|(values, shape)| arrays::array(py, values, &shape)).collect()
}
