//! Ctrl-C and SIGTERM as a flag that long work looks at.
//!
//! Before a search takes checkpoints, collections may be fetched and rendered for minutes, and nothing looks
//! at the flag. The program ends at once then, which costs nothing: the cache and a run's folder hold what
//! is finished.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

use crate::pipeline::series::Series;
use crate::search::RunFolder;

static STOP: AtomicBool = AtomicBool::new(false);
/// Whether work that looks at the flag is under way.
static LOOKED_AT: AtomicBool = AtomicBool::new(false);
static HANDLER: OnceLock<()> = OnceLock::new();
/// Folder of the run or series that is under way.
static RUN: Mutex<Option<PathBuf>> = Mutex::new(None);

/// The flag that the first Ctrl-C raises; the second ends the program at once, and so does the first
/// until [`looked_at`] is called. `run` is the folder that resumes.
pub(super) fn flag(run: &Path) -> &'static AtomicBool {
    *RUN.lock().unwrap_or_else(PoisonError::into_inner) = Some(run.to_owned());
    HANDLER.get_or_init(|| {
        if let Err(error) = ctrlc::set_handler(stop) {
            eprintln!("warning: Ctrl-C will not stop cleanly: {error}");
        }
    });
    &STOP
}

/// Tells that the work looks at the flag from now on.
pub(super) fn looked_at() {
    LOOKED_AT.store(true, Ordering::Relaxed);
}

fn stop() {
    if STOP.swap(true, Ordering::Relaxed) {
        std::process::exit(130);
    }
    if LOOKED_AT.load(Ordering::Relaxed) {
        eprintln!("stopping at the next checkpoint (Ctrl-C again to stop at once)");
        return;
    }
    let run = RUN.lock().unwrap_or_else(PoisonError::into_inner).take();
    let begun = |run: &PathBuf| {
        RunFolder::configuration_path(run).exists() || matches!(Series::read(run), Ok(Some(_)))
    };
    match run.filter(begun) {
        Some(run) => eprintln!("stopped; go on with: trompe fool --resume {}", run.display()),
        None => eprintln!("stopped before the search began; give the same command again"),
    }
    std::process::exit(130);
}
