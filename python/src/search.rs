//! A search by turns: it asks, the caller scores and tells.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use trompe::error::{Error, Result};
use trompe::pipeline::fool::{Configuration, Standing, Watch, search_by};

use crate::arrays;
use crate::errors::{bad, raised};
use crate::fool::{configuration, holds_run};
use crate::remote::{Inputs, Job, Remote};
use crate::stated::{Medium, Stated};
use crate::victim::{Kind, Victim};
use crate::worker::{Reports, scorer};

/// How often signals are looked at while the search prepares candidates.
const PATIENCE: Duration = Duration::from_millis(50);

/// A search in a folder that waits for scores.
#[pyclass(frozen, module = "trompe._trompe")]
pub(crate) struct Search {
    stated: Arc<Stated>,
    stop: Arc<AtomicBool>,
    turn: Mutex<Turn>,
}

/// Where the search and the caller stand.
struct Turn {
    jobs: Receiver<Job>,
    /// Candidates that wait for scores: how many, and where scores go.
    asked: Option<(usize, SyncSender<Vec<f64>>)>,
    evaluations: u64,
    open_classes: Option<usize>,
    /// Gone when the search ended.
    worker: Option<JoinHandle<Result<u64>>>,
}

#[pymethods]
impl Search {
    /// Starts or resumes the search in `out`. The victim states classes and inputs; it is not called.
    #[new]
    fn new(py: Python<'_>, victim: &Victim, settings: &str, out: PathBuf) -> PyResult<Self> {
        let Kind::Callable(callable) = &victim.kind else {
            return Err(bad("victim", "a model's file scores itself: use trompe.fool"));
        };
        let settings = configuration(settings, victim)?;
        let stated = callable.stated.clone();
        let reference = callable.reference.get().cloned();
        let (remote, jobs) = Remote::new(stated.clone());
        let stop = Arc::new(AtomicBool::new(false));
        let resume = holds_run(&out);
        let (of_worker, stop_of_worker) = (stated.clone(), stop.clone());
        let worker =
            std::thread::Builder::new().name("trompe-search".to_owned()).spawn(move || {
                let sender = remote.jobs.lock().unwrap_or_else(PoisonError::into_inner).clone();
                let reports = Reports::new(sender.clone());
                let scorer = scorer(&of_worker, reference.as_ref(), remote);
                let searched = search(&scorer, &settings, &out, resume, &reports, &stop_of_worker);
                // Nobody listens once the search is closed.
                let _ = sender.send(Job::Done);
                searched
            });
        let worker = worker.map_err(|error| PyRuntimeError::new_err(error.to_string()))?;
        let turn = Mutex::new(Turn {
            jobs,
            asked: None,
            evaluations: 0,
            open_classes: None,
            worker: Some(worker),
        });
        let search = Self { stated, stop, turn };
        py.check_signals()?;
        Ok(search)
    }

    /// The candidates of the next generation as an array; `None` when the search has ended.
    fn ask<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let turn: &mut Turn = &mut self.turn(py);
        if turn.asked.is_some() {
            return Err(PyRuntimeError::new_err("ask: tell the scores of what was asked first"));
        }
        while turn.worker.is_some() {
            let job = py.detach(|| turn.next());
            match job {
                None => py.check_signals()?,
                Some(Job::Standing(evaluations, _, open)) => {
                    turn.evaluations = evaluations;
                    turn.open_classes = Some(open);
                }
                Some(Job::Score(inputs, answer)) => {
                    turn.asked = Some((inputs.len(), answer));
                    return match (inputs, self.stated.medium) {
                        (Inputs::Audio(sounds), _) => arrays::of_sounds(py, &sounds).map(Some),
                        (Inputs::Image(images), Medium::Image { shape }) => {
                            arrays::of_images(py, &images, shape).map(Some)
                        }
                        _ => Err(PyRuntimeError::new_err("images of a victim of sound")),
                    };
                }
                Some(Job::Gradient(_, _, answer)) => {
                    let _ = answer.send(None);
                }
                Some(Job::Done) => {
                    let ended = py.detach(|| turn.join());
                    turn.evaluations = ended?;
                }
            }
        }
        Ok(None)
    }

    /// Takes the scores of the candidates last asked for, of shape (candidates, classes).
    fn tell(&self, py: Python<'_>, scores: &Bound<'_, PyAny>) -> PyResult<()> {
        let mut turn = self.turn(py);
        let Some((count, answer)) = turn.asked.take() else {
            return Err(PyRuntimeError::new_err("tell: nothing was asked"));
        };
        let classes = &self.stated.classes;
        let told = arrays::rows("scores", scores, count, classes.len())
            .and_then(|rows| self.stated.output.log_odds(rows, classes));
        match told {
            Ok(log_odds) => {
                let _ = answer.send(log_odds);
                Ok(())
            }
            Err(error) => {
                // The caller may tell them again.
                turn.asked = Some((count, answer));
                Err(error)
            }
        }
    }

    /// Writes a checkpoint and ends; what was asked and not told is asked again after resuming.
    fn close(&self, py: Python<'_>) {
        self.stop.store(true, Ordering::Relaxed);
        let turn: &mut Turn = &mut self.turn(py);
        turn.asked = None;
        py.detach(|| {
            while turn.worker.is_some() {
                // Unanswered jobs end the work, which keeps its state first.
                if let Some(Job::Done) = turn.next() {
                    let _ = turn.join();
                }
            }
        });
    }

    /// Evaluations told so far.
    #[getter]
    fn evaluations(&self, py: Python<'_>) -> u64 {
        self.turn(py).evaluations
    }

    /// Classes that still want exhibits; `None` before the first scores.
    #[getter]
    fn open_classes(&self, py: Python<'_>) -> Option<usize> {
        self.turn(py).open_classes
    }
}

impl Search {
    fn turn<'a>(&'a self, py: Python<'_>) -> MutexGuard<'a, Turn> {
        // Another thread may hold it and wait for the interpreter.
        loop {
            match self.turn.try_lock() {
                Ok(turn) => return turn,
                Err(std::sync::TryLockError::Poisoned(poisoned)) => return poisoned.into_inner(),
                Err(std::sync::TryLockError::WouldBlock) => {
                    py.detach(|| std::thread::sleep(Duration::from_millis(1)));
                }
            }
        }
    }
}

impl Drop for Search {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let turn = self.turn.get_mut().unwrap_or_else(PoisonError::into_inner);
        turn.asked = None;
        while turn.worker.is_some() {
            if let Some(Job::Done) = turn.next() {
                let _ = turn.join();
            }
        }
    }
}

impl Turn {
    /// The next job; `None` if none came for a while.
    fn next(&mut self) -> Option<Job> {
        match self.jobs.recv_timeout(PATIENCE) {
            Ok(job) => Some(job),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => Some(Job::Done),
        }
    }

    fn join(&mut self) -> PyResult<u64> {
        match self.worker.take().map(JoinHandle::join) {
            None => Ok(self.evaluations),
            Some(Ok(searched)) => searched.map_err(raised),
            Some(Err(_)) => {
                Err(PyRuntimeError::new_err("the search failed: report this as a fault"))
            }
        }
    }
}

fn search(
    scorer: &trompe::pipeline::scoring::FileScorer<'_>,
    settings: &Configuration,
    out: &std::path::Path,
    resume: bool,
    reports: &Reports,
    stop: &AtomicBool,
) -> Result<u64> {
    let pool = rayon::ThreadPoolBuilder::new()
        .build()
        .map_err(|error| Error::request(format!("threads: {error}"), "end other programs"))?;
    pool.install(|| {
        let mut standing = |standing: &Standing| reports.stands(standing);
        let watch = Watch { progress: reports, standing: &mut standing, stop };
        search_by(scorer, settings, out, resume, watch)
    })
}
