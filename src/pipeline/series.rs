//! The same run with several seeds: a folder of runs that differ in nothing else, so that
//! every number of a comparison has a spread.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use trompe_base::files::write_atomically;

use super::folder_toml;
use super::fool::{self, Configuration, Fooled, Watch};
use crate::error::{Error, Result};
use crate::results::RunReport;
use crate::search::{RunFolder, refuse_foreign};

/// What `series.toml` holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Series {
    /// Number of runs; their seeds count up from the one in `run`.
    pub seeds: u64,
    /// The first run. Its random candidates for the base rate are those of the whole series:
    /// every run draws its share of them.
    pub run: Configuration,
}

impl Series {
    /// The file that makes a folder a series.
    pub fn path(folder: &Path) -> PathBuf {
        folder.join("series.toml")
    }

    /// Reads the series in `folder`; `None` if it holds none.
    ///
    /// # Errors
    /// [`Error::BadFile`] if `series.toml` is damaged; an input error.
    pub fn read(folder: &Path) -> Result<Option<Self>> {
        let found = folder_toml::read::<Self>(&Self::path(folder), "start the series again")?;
        found.as_ref().map_or(Ok(()), Self::check)?;
        Ok(found)
    }

    /// The folders of its runs, in the order of their seeds.
    pub fn runs(&self, folder: &Path) -> Vec<PathBuf> {
        self.seed_numbers().map(|seed| folder.join(format!("seed-{seed}"))).collect()
    }

    fn seed_numbers(&self) -> std::ops::Range<u64> {
        let first = self.run.search.seed;
        first..first.saturating_add(self.seeds)
    }

    fn check(&self) -> Result<()> {
        if self.seeds == 0 {
            return Err(Error::request("a series of 0 seeds", "give at least 1"));
        }
        if self.run.search.seed.checked_add(self.seeds).is_none() {
            return Err(Error::request("the seeds of the series overflow", "give a smaller seed"));
        }
        Ok(())
    }

    fn configuration(&self, seed: u64) -> Configuration {
        let mut configuration = self.run.clone();
        configuration.search.seed = seed;
        configuration.base_rate_candidates = self.run.base_rate_candidates.div_ceil(self.seeds);
        configuration
    }
}

/// How a series ended.
#[derive(Debug)]
pub enum SeriesEnd {
    /// It was stopped; its folder resumes.
    Stopped,
    /// All runs are finished; their reports, in the order of their seeds.
    Done(Vec<RunReport>),
}

/// Starts `series` in `folder`, which must hold neither a run nor a series.
///
/// # Errors
/// As [`resume`]; [`Error::Request`] for a folder that is taken.
pub fn start(
    series: &Series,
    folder: &Path,
    watch: Watch<'_>,
    announce: &mut dyn FnMut(u64),
) -> Result<SeriesEnd> {
    series.check()?;
    series.run.search.validate()?;
    if Series::path(folder).exists() || RunFolder::configuration_path(folder).exists() {
        return Err(Error::request(
            format!("{} already holds runs", folder.display()),
            "resume them with --resume, or name another folder with --out",
        ));
    }
    let is_new = !folder.exists();
    std::fs::create_dir_all(folder).map_err(|e| Error::io(folder, e))?;
    refuse_foreign(folder)?;
    let text = toml::to_string(series)
        .map_err(|e| Error::request(format!("configuration: {e}"), "use paths in UTF-8"))?;
    write_atomically(&Series::path(folder), text.as_bytes())?;
    let ended = resume(series, folder, watch, announce);
    let begun = series.runs(folder).iter().any(|run| run.exists());
    if ended.is_err() && !begun {
        // Nothing to resume: the same folder takes the command once it is corrected.
        let _ = std::fs::remove_file(Series::path(folder));
        if is_new {
            let _ = std::fs::remove_dir(folder);
        }
    }
    ended
}

/// Goes on with `series` in `folder`, one run after the other; finished runs are kept as they
/// are. `announce` is told the seed of every run that is begun or gone on with.
///
/// # Errors
/// As [`fool::start`] and [`fool::resume`].
pub fn resume(
    series: &Series,
    folder: &Path,
    watch: Watch<'_>,
    announce: &mut dyn FnMut(u64),
) -> Result<SeriesEnd> {
    let Watch { progress, standing, stop } = watch;
    let mut reports = Vec::new();
    for (seed, run) in series.seed_numbers().zip(series.runs(folder)) {
        if let Some(report) = RunReport::read(&run)? {
            reports.push(report);
            continue;
        }
        announce(seed);
        let watch = Watch { progress, standing: &mut *standing, stop };
        let fooled = if RunFolder::configuration_path(&run).exists() {
            fool::resume(&run, watch)?
        } else {
            fool::start(&series.configuration(seed), &run, watch)?
        };
        match fooled {
            Fooled::Stopped { .. } => return Ok(SeriesEnd::Stopped),
            Fooled::Done(finished) => reports.push(finished.report),
        }
    }
    Ok(SeriesEnd::Done(reports))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn series() -> Series {
        let mut run = Configuration { base_rate_candidates: 1_001, ..Configuration::default() };
        run.search.seed = 7;
        Series { seeds: 3, run }
    }

    #[test]
    fn runs_differ_in_the_seed_alone_and_share_the_base_rate() {
        let series = series();
        let runs: Vec<Configuration> =
            series.seed_numbers().map(|seed| series.configuration(seed)).collect();
        assert_eq!(runs.iter().map(|run| run.search.seed).collect::<Vec<_>>(), [7, 8, 9]);
        assert!(runs.iter().all(|run| run.base_rate_candidates == 334));
        let folders = series.runs(Path::new("x"));
        assert_eq!(folders[2], Path::new("x/seed-9"));
    }

    #[test]
    fn a_series_is_read_back_and_its_faults_are_named() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(Series::read(folder.path()).unwrap(), None);
        std::fs::write(Series::path(folder.path()), toml::to_string(&series()).unwrap()).unwrap();
        assert_eq!(Series::read(folder.path()).unwrap(), Some(series()));
        std::fs::write(Series::path(folder.path()), "seeds = 2\nsede = 1").unwrap();
        assert!(Series::read(folder.path()).unwrap_err().to_string().contains("sede"));
        let none = Series { seeds: 0, ..series() };
        assert!(none.check().is_err());
    }
}
