//! Work of the library on threads of its own, while this thread answers its jobs.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use trompe::corpora::Progress;
use trompe::error::Result;
use trompe::pipeline::fool::Standing;
use trompe::pipeline::scoring::FileScorer;
use trompe::reference::Reference;

use crate::callable::Callable;
use crate::calls::{gradient, score};
use crate::errors::raised;
use crate::remote::{Job, Remote};
use crate::stated::{Medium, Stated};
use crate::victim::{Kind, Victim};

/// How often signals are looked at while nothing is asked.
const PATIENCE: Duration = Duration::from_millis(50);

/// What work reports to.
pub(crate) struct Reports {
    jobs: Mutex<Sender<Job>>,
    notes: Mutex<Vec<String>>,
    /// Raised when the user interrupts, or a callable fails.
    pub(crate) stop: AtomicBool,
}

impl Reports {
    pub(crate) fn new(jobs: Sender<Job>) -> Self {
        Self { jobs: Mutex::new(jobs), notes: Mutex::default(), stop: AtomicBool::new(false) }
    }

    /// Tells the thread of Python where a run stands. Nobody listens after an interrupt.
    pub(crate) fn stands(&self, standing: &Standing) {
        let job = Job::Standing(standing.evaluations, standing.budget, standing.open);
        let _ = self.jobs.lock().unwrap_or_else(PoisonError::into_inner).send(job);
    }

    pub(crate) fn notes(&self) -> Vec<String> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Progress for Reports {
    fn report(&self, _stage: &str, _done: u64, _total: u64) {}

    fn note(&self, text: &str) {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner).push(text.to_owned());
    }
}

/// Does `work` on threads of its own, with the scorer of `victim` if there is one, and answers its
/// jobs here. Returns what it made, and its notes.
///
/// The pool of threads is its own, because a callable may use the package itself, whose parallel
/// parts would wait for threads that wait for the callable.
///
/// # Errors
/// What a callable raised; `KeyboardInterrupt`; else what `work` failed on.
pub(crate) fn run<T: Send>(
    py: Python<'_>,
    victim: Option<&Victim>,
    standing: Option<&Bound<'_, PyAny>>,
    work: impl FnOnce(Option<&FileScorer<'_>>, &Reports) -> Result<T> + Send,
) -> PyResult<(T, Vec<String>)> {
    let pool = rayon::ThreadPoolBuilder::new()
        .build()
        .map_err(|error| PyRuntimeError::new_err(error.to_string()))?;
    let callable = match victim.map(|victim| &victim.kind) {
        Some(Kind::Callable(callable)) => Some(&**callable),
        _ => None,
    };
    let (remote, jobs, sender) = match callable {
        Some(callable) => {
            let (remote, jobs) = Remote::new(callable.stated.clone());
            let sender = remote.jobs.lock().unwrap_or_else(PoisonError::into_inner).clone();
            (Some(remote), jobs, sender)
        }
        None => {
            let (sender, jobs) = channel();
            (None, jobs, sender)
        }
    };
    let ends = Ends(sender.clone());
    let reports = &Reports::new(sender);
    let jobs = &Mutex::new(jobs);
    let scored = move || {
        let _ends = ends;
        pool.install(|| match (victim.map(|victim| &victim.kind), callable, remote) {
            (Some(Kind::File { model, .. }), ..) => work(Some(&FileScorer::new(model)?), reports),
            (_, Some(callable), Some(remote)) => {
                let scorer = scorer(&callable.stated, callable.reference.get(), remote);
                work(Some(&scorer), reports)
            }
            _ => work(None, reports),
        })
    };
    std::thread::scope(|scope| {
        let worker = scope.spawn(scored);
        let failed = answer(py, callable, standing, jobs, &reports.stop);
        let outcome = py.detach(|| worker.join());
        if let Some(failed) = failed {
            return Err(failed);
        }
        match outcome {
            Ok(made) => Ok((made.map_err(raised)?, reports.notes())),
            Err(_) => Err(PyRuntimeError::new_err("the library failed: report this as a fault")),
        }
    })
}

/// Says that work ended, also by a panic.
struct Ends(Sender<Job>);

impl Drop for Ends {
    fn drop(&mut self) {
        let _ = self.0.send(Job::Done);
    }
}

/// The scorer of a callable, whose calls go through `remote`.
pub(crate) fn scorer<'r>(
    stated: &Stated,
    reference: Option<&'r Reference>,
    remote: Remote,
) -> FileScorer<'r> {
    match stated.medium {
        Medium::Audio { rate } => FileScorer::of_sound(remote, rate, stated.seconds, reference),
        Medium::Image { shape } => FileScorer::of_images(remote, shape, stated.mean(), reference),
    }
}

/// Answers jobs until the work is done, and returns what was raised meanwhile. After that, jobs are
/// dropped unanswered, which ends the work.
fn answer(
    py: Python<'_>,
    callable: Option<&Callable>,
    standing: Option<&Bound<'_, PyAny>>,
    jobs: &Mutex<Receiver<Job>>,
    stop: &AtomicBool,
) -> Option<PyErr> {
    let mut failed: Option<PyErr> = None;
    loop {
        let next = py
            .detach(|| jobs.lock().unwrap_or_else(PoisonError::into_inner).recv_timeout(PATIENCE));
        let outcome = match next {
            Err(RecvTimeoutError::Disconnected) | Ok(Job::Done) => break,
            Err(RecvTimeoutError::Timeout) => py.check_signals(),
            Ok(_) if failed.is_some() => Ok(()),
            Ok(job) => py.check_signals().and_then(|()| do_job(py, callable, standing, job)),
        };
        if let Err(error) = outcome {
            failed.get_or_insert(error);
            stop.store(true, Ordering::Relaxed);
        }
    }
    failed
}

fn do_job(
    py: Python<'_>,
    callable: Option<&Callable>,
    standing: Option<&Bound<'_, PyAny>>,
    job: Job,
) -> PyResult<()> {
    // Whoever asked may have given up: then nobody receives the answer.
    match (job, callable) {
        (Job::Score(inputs, answer), Some(callable)) => {
            let _ = answer.send(score(py, callable, &inputs)?);
        }
        (Job::Gradient(values, class, answer), Some(callable)) => {
            let _ = answer.send(gradient(py, callable, values, class)?);
        }
        (Job::Standing(evaluations, budget, open), _) => {
            if let Some(standing) = standing {
                standing.call1((evaluations, budget, open))?;
            }
        }
        _ => {}
    }
    Ok(())
}
