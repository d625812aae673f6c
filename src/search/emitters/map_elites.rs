//! MAP-Elites as Nguyen, Yosinski & Clune (2015) ran it: parents are drawn evenly from the
//! champions of the occupied niches, and each child is tried in every niche.

use rand::RngExt;
use serde::{Deserialize, Serialize};

use super::{Proposal, View, number};
use crate::search::archive::Elite;
use crate::search::problem::Problem;
use crate::search::settings::MapElitesSettings;

/// Proposes children of champions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MapElites {
    settings: MapElitesSettings,
}

impl MapElites {
    pub(super) fn new(settings: MapElitesSettings) -> Self {
        Self { settings }
    }

    pub(super) fn ask<P: Problem>(
        &mut self,
        problem: &P,
        view: &View<'_, P::Genome>,
    ) -> Vec<Proposal<P::Genome>> {
        let champions: Vec<&Elite<P::Genome>> =
            (0..view.archive.classes()).filter_map(|class| view.archive.best(class)).collect();
        if champions.is_empty() {
            return (0..self.settings.initial)
                .map(|slot| {
                    Proposal::drawn(problem.sample(&mut view.stream(number::MAP_ELITES, slot)))
                })
                .collect();
        }
        (0..self.settings.batch)
            .map(|slot| {
                let mut rng = view.stream(number::MAP_ELITES, slot);
                let parent = champions[rng.random_range(0..champions.len())];
                let mate = champions[rng.random_range(0..champions.len())];
                let made_by = rng.random_range(0..problem.moves().len());
                Proposal {
                    genome: problem.vary(&parent.genome, &mate.genome, made_by, &mut rng),
                    parent: Some(parent.evaluation),
                    made_by: Some(made_by),
                    class: None,
                }
            })
            .collect()
    }
}
