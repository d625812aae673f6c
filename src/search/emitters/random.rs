//! Independent random candidates: what Sturm (2012) did, and the baseline of every report.

use serde::{Deserialize, Serialize};

use super::proposal::{EmitterContext, Proposal, number};
use crate::problem::Space;
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

    pub(super) fn ask<S: Space>(
        &mut self,
        space: &S,
        context: &EmitterContext<'_, S::Genome>,
    ) -> Vec<Proposal<S::Genome>> {
        (0..self.settings.batch)
            .map(|slot| Proposal::drawn(space.sample(&mut context.stream(number::RANDOM, slot))))
            .collect()
    }
}
