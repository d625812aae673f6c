//! Independent random candidates: what Sturm (2012) did, and the baseline of every report.

use serde::{Deserialize, Serialize};

use super::{Proposal, View, number};
use crate::search::problem::Problem;
use crate::search::settings::RandomSettings;

/// Proposes independent random candidates.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Random {
    settings: RandomSettings,
}

impl Random {
    /// Whether it has these settings.
    pub(super) fn fits(&self, settings: &RandomSettings) -> bool {
        self.settings == *settings
    }

    pub(super) fn new(settings: RandomSettings) -> Self {
        Self { settings }
    }

    pub(super) fn ask<P: Problem>(
        &mut self,
        problem: &P,
        view: &View<'_, P::Genome>,
    ) -> Vec<Proposal<P::Genome>> {
        (0..self.settings.batch)
            .map(|slot| Proposal::drawn(problem.sample(&mut view.stream(number::RANDOM, slot))))
            .collect()
    }
}
