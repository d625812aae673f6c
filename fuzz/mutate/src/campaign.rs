//! Many runs of one reader on damaged files, and what became of them.

use std::collections::BTreeMap;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, Once, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use rand::RngExt;
use tempfile::TempDir;
use trompe::base::random::stream;

use crate::mutation::mutate;
use crate::readers::Reader;
use crate::seeds::Seed;

/// Longest that one file may take.
pub const LONGEST: Duration = Duration::from_secs(5);
/// A run that has not ended by then never will.
const HUNG: Duration = Duration::from_secs(60);
/// One file in so many is left with wrong checksums.
const UNREPAIRED: u32 = 8;

/// Places in the source at which something panicked, and how often.
static PANICS: Mutex<BTreeMap<String, u64>> = Mutex::new(BTreeMap::new());

/// What a campaign saw.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// Files read.
    pub runs: u64,
    /// Files that were accepted.
    pub accepted: u64,
    /// Runs whose panic reached the caller.
    pub escaped: Vec<u64>,
    /// Runs that took longer than [`LONGEST`].
    pub slow: Vec<u64>,
    /// The longest run.
    pub slowest: Duration,
    /// Places of all panics, those that a reader contained among them.
    pub panics: BTreeMap<String, u64>,
}

impl Report {
    /// Whether every file did no harm.
    pub fn is_clean(&self) -> bool {
        self.escaped.is_empty() && self.slow.is_empty()
    }
}

/// A reader with its seeds, in a folder of its own.
pub struct Campaign {
    reader: Reader,
    seeds: Vec<Seed>,
    folder: TempDir,
}

impl Campaign {
    /// Prepares a folder, in memory where the system has such.
    ///
    /// # Errors
    /// If the seeds cannot be made.
    pub fn new(reader: Reader) -> Result<Self> {
        let memory = Path::new("/dev/shm");
        let parent = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
        let folder = tempfile::tempdir_in(parent)?;
        let seeds = (reader.seeds)().with_context(|| format!("seeds of {}", reader.name))?;
        (reader.surround)(folder.path())?;
        Ok(Self { reader, seeds, folder })
    }

    /// Names of the seeds that the reader accepts undamaged, and of those that it refuses.
    ///
    /// # Errors
    /// If one cannot be written.
    pub fn judge_seeds(&self) -> Result<(Vec<String>, Vec<String>)> {
        let (mut accepted, mut refused) = (Vec::new(), Vec::new());
        for seed in &self.seeds {
            let judged =
                if self.feed(&seed.name, &seed.bytes)? { &mut accepted } else { &mut refused };
            judged.push(seed.name.clone());
        }
        Ok((accepted, refused))
    }

    /// Writes a file of this name and reads it.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn feed(&self, name: &str, bytes: &[u8]) -> Result<bool> {
        let path = self.folder.path().join(name);
        fs::write(&path, bytes).with_context(|| path.display().to_string())?;
        Ok((self.reader.read)(self.folder.path(), name))
    }

    /// Feeds the reader bytes from elsewhere, under the name of the seed that they choose, with
    /// right checksums: for fuzzers.
    pub fn feed_any(&self, bytes: &[u8]) {
        let Some((&choice, bytes)) = bytes.split_first() else { return };
        let mut bytes = bytes.to_vec();
        (self.reader.repair)(&mut bytes);
        let seed = &self.seeds[usize::from(choice) % self.seeds.len()];
        drop(self.feed(&seed.name, &bytes));
    }

    /// The seeds in the form that [`Campaign::feed_any`] takes.
    pub fn corpus(&self) -> impl Iterator<Item = Vec<u8>> {
        self.seeds.iter().zip(0_u8..).map(|(seed, n)| [&[n][..], &seed.bytes].concat())
    }

    /// The damaged file of one run.
    pub fn damaged(&self, seed: u64, run: u64) -> Seed {
        let mut rng = stream(seed, run, 0, 0);
        let pick = |rng: &mut _| &self.seeds[RngExt::random_range(rng, 0..self.seeds.len())];
        let mut file = pick(&mut rng).clone();
        let other = pick(&mut rng);
        mutate(&mut file.bytes, &other.bytes, &mut rng);
        if rng.random_range(0..UNREPAIRED) > 0 {
            (self.reader.repair)(&mut file.bytes);
        }
        file
    }

    /// Reads the damaged files of `runs` runs. The first file of every kind of harm is kept in
    /// `keep`.
    ///
    /// # Errors
    /// If a file cannot be written.
    pub fn go(&self, seed: u64, runs: std::ops::Range<u64>, keep: &Path) -> Result<Report> {
        note_panics();
        let _watchdog = Watchdog::start();
        let mut report = Report::default();
        for run in runs {
            let file = self.damaged(seed, run);
            BEGUN.store(run + 1, Ordering::Relaxed);
            let begun = Instant::now();
            let outcome = catch_unwind(AssertUnwindSafe(|| self.feed(&file.name, &file.bytes)));
            let took = begun.elapsed();
            report.runs += 1;
            report.slowest = report.slowest.max(took);
            if took > LONGEST {
                report.slow.push(run);
                self.keep(keep, run, &file)?;
            }
            match outcome {
                Ok(accepted) => report.accepted += u64::from(accepted?),
                Err(_) => {
                    if report.escaped.len() < 20 {
                        self.keep(keep, run, &file)?;
                    }
                    report.escaped.push(run);
                }
            }
        }
        drop(std::panic::take_hook());
        report.panics = std::mem::take(&mut *PANICS.lock().unwrap_or_else(PoisonError::into_inner));
        Ok(report)
    }

    fn keep(&self, folder: &Path, run: u64, file: &Seed) -> Result<PathBuf> {
        fs::create_dir_all(folder)?;
        let path = folder.join(format!("{}-{run}-{}", self.reader.name, file.name));
        fs::write(&path, &file.bytes)?;
        Ok(path)
    }
}

/// Number of the run under way, from 1; 0 when there is none.
static BEGUN: AtomicU64 = AtomicU64::new(0);

/// Ends the program when a run hangs: nothing else can.
struct Watchdog;

impl Watchdog {
    fn start() -> Self {
        static ONCE: Once = Once::new();
        ONCE.call_once(|| {
            std::thread::spawn(|| {
                let mut seen = 0;
                loop {
                    std::thread::sleep(HUNG);
                    let now = BEGUN.load(Ordering::Relaxed);
                    if now != 0 && now == seen {
                        eprintln!("run {} hangs", now - 1);
                        std::process::exit(1);
                    }
                    seen = now;
                }
            });
        });
        Self
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        BEGUN.store(0, Ordering::Relaxed);
    }
}

/// Counts panics by their place instead of printing them.
fn note_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map_or_else(String::new, ToString::to_string);
        // The place inside its crate, whichever folder the crate lies in.
        let place = place.rsplit_once("/src/").map_or(place.clone(), |(before, after)| {
            format!("{}/src/{after}", before.rsplit('/').next().unwrap_or(before))
        });
        let mut panics = PANICS.lock().unwrap_or_else(PoisonError::into_inner);
        *panics.entry(place).or_default() += 1;
    }));
}

/// Most memory that the process has had, in MiB; `None` where the system does not say.
pub fn peak_memory() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    Some(line.split_whitespace().nth(1)?.parse::<u64>().ok()? / 1024)
}
