//! A victim whose scores come from another thread: the one that Python runs on.
//!
//! Searches render and keep their books on threads of their own. They never touch the interpreter: an
//! input becomes a [`Job`], and the thread that called into the package answers it. So callables
//! run where the user called from, which is what thread-local state of frameworks needs, and what lets
//! Ctrl-C interrupt them.

use std::sync::mpsc::{Receiver, Sender, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};

use trompe::corpora::{Audio, Image, Provenance};
use trompe::error::{Error, Result};
use trompe::problem::{
    AudioFormat, CALLABLE, Gradient, Input, PosteriorKind, Runtime, VictimRecord,
};

use crate::stated::{Medium, Stated};

/// Inputs of one call.
#[derive(Debug, Clone)]
pub(crate) enum Inputs {
    /// Sounds of one length.
    Audio(Vec<Audio>),
    /// Images of one shape.
    Image(Vec<Image>),
}

impl Inputs {
    /// How many.
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Audio(sounds) => sounds.len(),
            Self::Image(images) => images.len(),
        }
    }
}

/// What is asked of the thread that Python runs on. A dropped answer says that the work is given up.
pub(crate) enum Job {
    /// One log-odds per class and input.
    Score(Inputs, SyncSender<Vec<f64>>),
    /// The log-odds of a class and its gradient at these values.
    Gradient(Vec<f32>, usize, SyncSender<Option<Gradient>>),
    /// Where the work stands: evaluations done, of how many, open classes.
    Standing(u64, u64, usize),
    /// Nothing more is asked.
    Done,
}

/// The sending end of jobs, with what the victim states of itself.
pub(crate) struct Remote {
    pub(crate) stated: Arc<Stated>,
    pub(crate) jobs: Mutex<Sender<Job>>,
}

impl Remote {
    /// A victim, and where its jobs arrive.
    pub(crate) fn new(stated: Arc<Stated>) -> (Self, Receiver<Job>) {
        let (sender, receiver) = std::sync::mpsc::channel();
        (Self { stated, jobs: Mutex::new(sender) }, receiver)
    }

    fn send(&self, job: Job) -> Option<()> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner).send(job).ok()
    }

    fn ask<T>(&self, job: impl FnOnce(SyncSender<T>) -> Job) -> Option<T> {
        let (answer, answered) = sync_channel(1);
        self.send(job(answer))?;
        answered.recv().ok()
    }

    fn scores_of(&self, inputs: Inputs) -> Result<Vec<f64>> {
        self.ask(|answer| Job::Score(inputs, answer)).ok_or_else(|| Error::victim("given up"))
    }

    fn record(&self) -> VictimRecord {
        VictimRecord {
            kind: CALLABLE.to_owned(),
            corpus: "not stated".to_owned(),
            provenance: Provenance::Unstated,
            known_as: None,
            runtime: Some(Runtime {
                name: self.stated.runtime.clone(),
                exact: false,
                chosen: false,
            }),
        }
    }
}

/// What both media have in common.
macro_rules! stated {
    () => {
        fn classes(&self) -> &[String] {
            &self.stated.classes
        }

        fn posterior_kind(&self) -> PosteriorKind {
            self.stated.output.posterior_kind()
        }

        fn fingerprint(&self) -> Option<String> {
            self.stated.fingerprint.clone()
        }

        fn record(&self) -> VictimRecord {
            Remote::record(self)
        }

        fn batch_size(&self) -> usize {
            self.stated.batch
        }
    };
}

impl trompe::problem::Victim<Audio> for Remote {
    stated!();

    fn scores(&self, inputs: &[Audio]) -> Result<Vec<f64>> {
        let mut scores = Vec::with_capacity(inputs.len() * self.stated.classes.len());
        // One array holds sounds of one length.
        for run in inputs.chunk_by(|a, b| a.samples.len() == b.samples.len()) {
            scores.extend(self.scores_of(Inputs::Audio(run.to_vec()))?);
        }
        Ok(scores)
    }

    fn format(&self) -> Option<AudioFormat> {
        match self.stated.medium {
            Medium::Audio { rate } => Some(AudioFormat { sample_rate: rate, samples: 1 }),
            Medium::Image { .. } => None,
        }
    }
}

impl trompe::problem::Victim<Image> for Remote {
    stated!();

    fn scores(&self, inputs: &[Image]) -> Result<Vec<f64>> {
        self.scores_of(Inputs::Image(inputs.to_vec()))
    }

    fn format(&self) -> Option<<Image as Input>::Format> {
        match self.stated.medium {
            Medium::Image { shape } => Some(shape),
            Medium::Audio { .. } => None,
        }
    }

    fn gradient(&self, values: &[f32], class: usize) -> Option<Gradient> {
        if !self.stated.has_gradient {
            return None;
        }
        self.ask(|answer| Job::Gradient(values.to_vec(), class, answer))?
    }
}
