//! Studies with people: build, simulate, analyze.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use pyo3::prelude::*;
use trompe::listening_test::StudyFolder;
use trompe::listening_test::analysis::{Who, analyze_study};
use trompe::listening_test::build::{self as building, BuildArguments, Counts};
use trompe::listening_test::export::export;
use trompe::listening_test::simulate::{Hearing, ListenerKind, SimulateArguments, simulate_alone};

use crate::errors::{bad, raised};
use crate::json::json;
use crate::worker::run;

/// Builds a study of fooling sets and real controls in the new folder `out`; its report as JSON.
#[pyfunction]
#[allow(clippy::too_many_arguments)]
pub(crate) fn build(
    py: Python<'_>,
    out: PathBuf,
    sets: Vec<PathBuf>,
    real: Vec<PathBuf>,
    contact: String,
    retain_until: String,
    title: Option<String>,
    seed: u64,
    seconds: Option<f64>,
    counts: (u32, u32, u32, u32),
) -> PyResult<String> {
    let standard = BuildArguments::default();
    let (fooling, real_count, catch, practice) = counts;
    let arguments = BuildArguments {
        out,
        title: title.unwrap_or_else(|| standard.title.clone()),
        contact,
        retain_until,
        seed,
        fooling_sets: sets,
        real,
        seconds,
        counts: Counts { fooling, real: real_count, catch, practice },
        ..standard
    };
    Ok(run(py, None, None, |_, _| json(&building::build(&arguments)?))?.0)
}

/// Lets simulated listeners take a study that is served for them alone; what happened as JSON.
#[pyfunction]
pub(crate) fn simulate(
    py: Python<'_>,
    study: PathBuf,
    database: PathBuf,
    listeners: u32,
    kinds: Vec<String>,
    seed: u64,
    longest: f64,
) -> PyResult<String> {
    let kind = |name: &String| match name.as_str() {
        "chance" => Ok(ListenerKind::Chance),
        "skilled" => Ok(ListenerKind::Skilled),
        "biased" => Ok(ListenerKind::Biased),
        "careless" => Ok(ListenerKind::Careless),
        "leaving" => Ok(ListenerKind::Leaving),
        _ => {
            let what = format!("'{name}' is not chance, skilled, biased, careless or leaving");
            Err(bad("kinds", what))
        }
    };
    let longest = Duration::try_from_secs_f64(longest)
        .map_err(|_| bad("longest", format!("{longest} is no duration in seconds")))?;
    let arguments = SimulateArguments {
        study,
        address: SocketAddr::from(([127, 0, 0, 1], 0)),
        listeners,
        kinds: kinds.iter().map(kind).collect::<PyResult<_>>()?,
        seed,
        pause: Duration::ZERO,
        fetch: false,
        longest,
        hearing: Hearing::default(),
    };
    let (report, _) = run(py, None, None, |_, _| Ok(simulate_alone(&arguments, &database)?))?;
    Ok(serde_json::json!({
        "finished": report.finished,
        "left": report.left,
        "failed": report.failed,
        "answers": report.acknowledged.len(),
    })
    .to_string())
}

/// Analyzes the answers of a study as its plan says, and writes report and tables to `out`; the
/// report as JSON.
#[pyfunction]
pub(crate) fn analyze(
    py: Python<'_>,
    study: PathBuf,
    database: PathBuf,
    out: PathBuf,
    simulated: bool,
) -> PyResult<String> {
    let who = if simulated { Who::Simulated } else { Who::People };
    let analyzed = run(py, None, None, |_, _| {
        let folder = StudyFolder::open(&study)?;
        let results = analyze_study(&folder, &export(&study, &database)?, who)?;
        results.write(&out)?;
        json(&results.report)
    });
    Ok(analyzed?.0)
}

/// The answers of a study as rows of a CSV table.
#[pyfunction]
pub(crate) fn answers(study: PathBuf, database: PathBuf) -> PyResult<String> {
    let exported = export(&study, &database).map_err(|error| raised(error.into()))?;
    json(&exported.answers).map_err(raised)
}
