//! Runs, and the command.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use trompe::corpora::Progress;
use trompe::error::{Error, Result};
use trompe::image::GeneratorSettings;
use trompe::pipeline::fool::{
    self as pipeline, CALLABLE_MODEL, Configuration, Fooled, Standing, Watch,
};
use trompe::pipeline::open;

use crate::errors::{bad, raised};
use crate::victim::{Kind, Victim, own_python};
use crate::worker::{Reports, run};

/// A configuration from JSON, as the command writes it: paths are absolute.
///
/// # Errors
/// `ValueError` naming a key that is unknown or of another type.
pub(crate) fn configuration(json: &str, victim: &Victim) -> PyResult<Configuration> {
    let mut configuration: Configuration =
        serde_json::from_str(json).map_err(|error| bad("settings", error))?;
    configuration.model = match &victim.kind {
        Kind::File { path, .. } => path.clone(),
        Kind::Callable(_) => PathBuf::from(CALLABLE_MODEL),
    };
    let mut absolute = || -> Result<()> {
        configuration.bank = open::absolute_name(&configuration.bank)?;
        if let GeneratorSettings::Tiles(tiles) = &mut configuration.image {
            tiles.corpus = open::absolute_name(&tiles.corpus)?;
        }
        Ok(())
    };
    absolute().map_err(raised)?;
    Ok(configuration)
}

/// Starts the run of `settings` in the folder `out`. Returns the evaluations done, and notes.
#[pyfunction]
#[pyo3(signature = (victim, settings, out, standing=None))]
pub(crate) fn fool(
    py: Python<'_>,
    victim: &Victim,
    settings: &str,
    out: PathBuf,
    standing: Option<Bound<'_, PyAny>>,
) -> PyResult<(u64, Vec<String>)> {
    let configuration = configuration(settings, victim)?;
    run(py, Some(victim), standing.as_ref(), |scorer, reports| {
        if let Kind::File { model, .. } = &victim.kind {
            model.notes().iter().for_each(|note| reports.note(note));
        }
        let scorer = scorer.ok_or_else(no_victim)?;
        ended(reports, |watch| pipeline::start_by(scorer, &configuration, &out, watch))
    })
}

/// Goes on with the run in the folder `out`, however it ended.
#[pyfunction]
#[pyo3(signature = (out, victim=None, standing=None))]
pub(crate) fn resume(
    py: Python<'_>,
    out: PathBuf,
    victim: Option<&Victim>,
    standing: Option<Bound<'_, PyAny>>,
) -> PyResult<(u64, Vec<String>)> {
    run(py, victim, standing.as_ref(), |scorer, reports| {
        ended(reports, |watch| match scorer {
            Some(scorer) => pipeline::resume_by(scorer, &out, watch),
            None => pipeline::resume(&out, watch),
        })
    })
}

/// Evaluations of a run that went to its end, or was stopped.
fn ended(reports: &Reports, start: impl FnOnce(Watch<'_>) -> Result<Fooled>) -> Result<u64> {
    let mut standing = |standing: &Standing| reports.stands(standing);
    let watch = Watch { progress: reports, standing: &mut standing, stop: &reports.stop };
    Ok(match start(watch)? {
        Fooled::Stopped { evaluations } => evaluations,
        Fooled::Done(finished) => finished.report.evaluations,
    })
}

/// Work that needs a victim got none.
pub(crate) fn no_victim() -> Error {
    Error::request("no victim", "give one")
}

/// The command `trompe` with these arguments, the program's name first: its exit code.
#[pyfunction]
pub(crate) fn main(py: Python<'_>, arguments: Vec<OsString>) -> PyResult<u8> {
    own_python(py)?;
    // Ctrl-C is the command's, which stops at the next checkpoint.
    let work = || {
        let command = trompe::cli::Command::from_arguments(arguments);
        trompe::cli::run(&command)
    };
    let worker = std::thread::Builder::new()
        .name("trompe".to_owned())
        .stack_size(8 << 20)
        .spawn(work)
        .map_err(|error| PyRuntimeError::new_err(error.to_string()))?;
    py.detach(|| worker.join()).map_err(|_| PyRuntimeError::new_err("the command failed"))
}

/// Whether a folder holds a run.
pub(crate) fn holds_run(folder: &Path) -> bool {
    trompe::search::RunFolder::configuration_path(folder).exists()
}
