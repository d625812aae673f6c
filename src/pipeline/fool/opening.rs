//! From a configuration to a problem: the one place where a model decides the medium.
//!
//! Excerpts and images are problems of different types, so what is to be done with one is
//! given as a [`Work`], and called with whatever was opened.

use std::path::Path;

use trompe_corpora::Progress;

use super::{Configuration, excerpts, images};
use crate::classifiers::AnyModel;
use crate::error::Result;
use crate::exhibits::{Delivery, Origin};
use crate::pipeline::open;
use crate::search::Problem;

/// A problem, how what is found becomes files, and what is to be said of it.
pub(crate) struct Opened<'a, P, D> {
    /// The configuration, its threshold filled in.
    pub(crate) configuration: &'a Configuration,
    pub(crate) model: &'a AnyModel,
    pub(crate) problem: &'a P,
    pub(crate) delivery: &'a D,
    pub(crate) origin: Origin,
}

/// What is done with a problem once it is open, whatever its medium.
pub(crate) trait Work {
    /// What comes of it.
    type Output;

    /// Does it.
    ///
    /// # Errors
    /// Whatever it meets.
    fn on<P: Problem, D: Delivery<P::Genome>>(
        self,
        opened: Opened<'_, P, D>,
    ) -> Result<Self::Output>;
}

/// Work that waits for its problem.
pub(super) struct Waiting<'a, W> {
    pub(super) configuration: &'a Configuration,
    pub(super) model: &'a AnyModel,
    pub(super) progress: &'a dyn Progress,
    pub(super) work: W,
}

impl<W: Work> Waiting<'_, W> {
    pub(super) fn on<P: Problem, D: Delivery<P::Genome>>(
        self,
        problem: &P,
        delivery: &D,
        origin: Origin,
    ) -> Result<W::Output> {
        let (configuration, model) = (self.configuration, self.model);
        self.work.on(Opened { configuration, model, problem, delivery, origin })
    }
}

/// Opens the problem that `configuration` describes, with the model at `model`, and does
/// `work` on it.
///
/// # Errors
/// Whatever opening the model or the bank meets; [`crate::Error::Request`] for settings out
/// of range.
pub(crate) fn open<W: Work>(
    configuration: &Configuration,
    model: &Path,
    progress: &dyn Progress,
    work: W,
) -> Result<W::Output> {
    let model = open::model(model, progress)?;
    let mut configuration = configuration.clone();
    configuration.search.threshold.get_or_insert(model.posterior_kind().default_threshold());
    let waiting = Waiting { configuration: &configuration, model: &model, progress, work };
    match &model {
        AnyModel::Audio(model) => excerpts::open(waiting, model),
        AnyModel::Image(model) => images::open(waiting, model),
    }
}
