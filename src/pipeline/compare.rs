//! Comparing finished runs: read, group, treat their exhibits, write page, JSON and CSV.

use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use trompe_base::encoding::hex;
use trompe_base::files::write_atomically;
use trompe_corpora::Progress;
use trompe_listening_test::analysis::HumanAgreement;

use super::planned::Plan;
use super::series::Series;
use super::{exhibit_media, rescoring};
use crate::error::{Error, Result};
use crate::exhibits::{self, load::MANIFEST_FILE};
use crate::report::comparison::{Shown, comparison_page};
use crate::results::RunReport;
use crate::results::comparison::{
    Comparison, Group, Run, Transfer, comparison_csv, group_name, limits,
};
use crate::search::RunFolder;

/// Keys of a run's configuration that change no result, or that runs of a group may differ in.
const ASIDE: [&str; 4] = ["model", "bank", "base_rate_candidates", "checkpoint_seconds"];

/// What a comparison wrote.
#[derive(Debug)]
pub struct Compared {
    /// The numbers.
    pub comparison: Comparison,
    /// The page.
    pub page: PathBuf,
}

/// Compares the finished runs in `folders` (runs, or series of them) and writes `index.html`,
/// `comparison.json` and `comparison.csv` into `out`. `study` is what `trompe listen analyze`
/// wrote, for what people say.
///
/// # Errors
/// [`Error::Request`] for folders without a run, runs that are not finished or cannot be
/// compared, and a study of other fooling sets; [`Error::BadFile`] for damaged files; input
/// and output errors. Nothing is then written.
pub fn compare(
    folders: &[PathBuf],
    study: Option<&Path>,
    out: &Path,
    progress: &dyn Progress,
) -> Result<Compared> {
    let runs: Vec<Run> = run_folders(folders)?.iter().map(|f| read(f)).collect::<Result<_>>()?;
    let study = study.map(|path| read_study(path, &runs)).transpose()?;
    let groups = Group::of(runs)?;
    let rescored = groups
        .iter()
        .map(|group| rescoring::after_interventions(group, progress))
        .collect::<Result<Vec<_>>>()?;
    let transfer = transfer(&groups, progress)?;
    let comparison = Comparison::new(&groups, &rescored, transfer, study.as_ref());
    let shown = groups.iter().map(exhibit_media::exhibits).collect::<Result<Vec<_>>>()?;
    let page = write(&comparison, &shown, out)?;
    Ok(Compared { comparison, page })
}

/// The exhibits of every group by the classifier of every other that judges the same classes.
fn transfer(groups: &[Group], progress: &dyn Progress) -> Result<Vec<Transfer>> {
    let (thresholds, levels) = (Comparison::thresholds(groups), Comparison::levels(groups));
    let mut found = Vec::new();
    for (i, from) in groups.iter().enumerate() {
        let mut tried: Vec<&str> = Vec::new();
        for (j, to) in groups.iter().enumerate() {
            let classifier = to.origin().classifier.sha256.as_str();
            if tried.contains(&classifier) {
                continue;
            }
            tried.push(classifier);
            progress.report("transfer", found.len() as u64, 0);
            if let Some(judged) = rescoring::by_other(from, to)? {
                let limits: Vec<Option<&[Option<f64>]>> =
                    levels.iter().map(|&level| limits(to, level)).collect();
                let (from, to) = (group_name(i), group_name(j));
                found.push(Transfer::new(from, to, &judged, &thresholds, &limits));
            }
        }
    }
    Ok(found)
}

/// The runs in `folders`, series taken apart.
fn run_folders(folders: &[PathBuf]) -> Result<Vec<PathBuf>> {
    let mut runs = Vec::new();
    for folder in folders {
        match Series::read(folder)? {
            Some(series) => runs.extend(series.runs(folder)),
            None => runs.push(folder.clone()),
        }
    }
    Ok(runs)
}

fn read(folder: &Path) -> Result<Run> {
    let configuration = RunFolder::configuration_path(folder);
    if !configuration.exists() {
        return Err(Error::request(
            format!("{} holds no run", folder.display()),
            "give folders that `trompe fool` wrote; a series that was stopped goes on with \
             `trompe fool --resume`",
        ));
    }
    let report = RunReport::read(folder)?.ok_or_else(|| {
        Error::request(
            format!("the run in {} is not finished", folder.display()),
            format!("go on with it: trompe fool --resume {}", folder.display()),
        )
    })?;
    let set = folder.join("fooling-set");
    let manifest = exhibits::load(&set)?;
    if manifest.origin != report.origin {
        return Err(Error::bad_file(
            &set,
            "its fooling set is not the one of its report",
            "restore the run's folder, or start the run again",
        ));
    }
    let path = set.join(MANIFEST_FILE);
    let bytes = std::fs::read(&path).map_err(|e| Error::io(&path, e))?;
    Ok(Run {
        folder: folder.to_owned(),
        report,
        manifest,
        set_sha256: hex(&Sha256::digest(&bytes)),
        settings: settings(folder)?,
    })
}

/// The configuration of the run in `folder` but its seed and what changes no result; how it
/// was divided changes it.
fn settings(folder: &Path) -> Result<serde_json::Value> {
    let path = &RunFolder::configuration_path(folder);
    let text = std::fs::read_to_string(path).map_err(|e| Error::io(path, e))?;
    let mut table: toml::Table = toml::from_str(&text).map_err(|e| {
        Error::bad_file(
            path,
            e.to_string().trim_end().to_owned(),
            "restore the file, or start the run again in another folder",
        )
    })?;
    for key in ASIDE {
        table.remove(key);
    }
    if let Some(image) = table.get_mut("image").and_then(toml::Value::as_table_mut) {
        image.remove("corpus");
    }
    if let Some(search) = table.get_mut("search").and_then(toml::Value::as_table_mut) {
        search.remove("seed");
    }
    let mut settings = serde_json::to_value(table)
        .map_err(|e| Error::bad_file(path, e.to_string(), "start the run again"))?;
    if let Some(plan) = Plan::read(folder)? {
        settings["rounds"] = serde_json::json!(plan.rounds);
    }
    Ok(settings)
}

/// A study of at least one of the runs' fooling sets.
fn read_study(path: &Path, runs: &[Run]) -> Result<HumanAgreement> {
    let study = HumanAgreement::read(path).map_err(|error| {
        Error::bad_file(path, error.to_string(), "give what `trompe listen analyze` wrote")
    })?;
    if !runs.iter().any(|run| study.of_set(&run.set_sha256).is_some()) {
        return Err(Error::bad_file(
            path,
            format!("the study “{}” is of none of the fooling sets of these runs", study.study),
            "give the study of their fooling sets, or leave --study out",
        ));
    }
    Ok(study)
}

/// Writes page, JSON and CSV; returns the page's path.
fn write(comparison: &Comparison, shown: &[Vec<Shown>], out: &Path) -> Result<PathBuf> {
    let fault = |e: String| Error::numeric(format!("comparison: {e}"), "report this as a fault");
    let json = serde_json::to_vec_pretty(comparison).map_err(|e| fault(e.to_string()))?;
    let csv = comparison_csv(comparison).map_err(|e| fault(e.to_string()))?;
    std::fs::create_dir_all(out).map_err(|e| Error::io(out, e))?;
    write_atomically(&out.join("comparison.json"), &json)?;
    write_atomically(&out.join("comparison.csv"), &csv)?;
    let page = out.join("index.html");
    write_atomically(&page, comparison_page(comparison, shown).as_bytes())?;
    Ok(page)
}
