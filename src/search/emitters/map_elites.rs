//! MAP-Elites as Nguyen, Yosinski & Clune (2015) ran it: parents are drawn evenly from the
//! champions of the occupied niches, and each child is tried in every niche. Optionally all
//! elites are parents (ours).

use rand::RngExt;
use serde::{Deserialize, Serialize};

use super::proposal::{EmitterContext, Proposal, number};
use crate::problem::Space;
use crate::search::archive::{Archive, Elite};
use crate::search::settings::{MapElitesSettings, Parents};

/// Proposes children of champions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MapElites {
    settings: MapElitesSettings,
}

impl MapElites {
    /// Whether it has these settings.
    pub(super) fn fits(&self, settings: &MapElitesSettings) -> bool {
        self.settings == *settings
    }

    pub(super) fn new(settings: MapElitesSettings) -> Self {
        Self { settings }
    }

    pub(super) fn ask<S: Space>(
        &mut self,
        space: &S,
        context: &EmitterContext<'_, S::Genome>,
    ) -> Vec<Proposal<S::Genome>> {
        let parents = self.parents(context.archive);
        if parents.is_empty() {
            return (0..self.settings.initial)
                .map(|slot| {
                    Proposal::drawn(space.sample(&mut context.stream(number::MAP_ELITES, slot)))
                })
                .collect();
        }
        let rate = self.rate(context.generation);
        (0..self.settings.batch)
            .map(|slot| {
                let mut rng = context.stream(number::MAP_ELITES, slot);
                let parent = parents[rng.random_range(0..parents.len())];
                let mate = parents[rng.random_range(0..parents.len())];
                let made_by = rng.random_range(0..space.moves().len());
                let (parent_genome, mate) = (&parent.genome, &mate.genome);
                Proposal {
                    genome: space.vary(parent_genome, mate, made_by, rate, &mut rng),
                    parent: Some(parent.evaluation),
                    made_by: Some(made_by),
                    class: None,
                }
            })
            .collect()
    }

    fn parents<'a, G: Clone>(&self, archive: &'a Archive<G>) -> Vec<&'a Elite<G>> {
        let of_class = |class| match self.settings.parents {
            Parents::Champions => archive.niche(class).get(..1).unwrap_or_default(),
            Parents::Elites => archive.niche(class),
        };
        (0..archive.classes()).flat_map(of_class).collect()
    }

    /// What mutation rates are multiplied by in `generation`.
    fn rate(&self, generation: u64) -> f64 {
        let halvings = generation.checked_div(self.settings.halve_every).unwrap_or(0);
        // Beyond this the rates are nothing anyway.
        0.5_f64.powi(halvings.min(60) as i32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_halve_where_that_is_asked_for() {
        let rate = |halve_every, generation| {
            let settings = MapElitesSettings { halve_every, ..Default::default() };
            MapElites::new(settings).rate(generation)
        };
        assert_eq!(rate(0, 5_000), 1.0);
        assert_eq!([rate(1_000, 999), rate(1_000, 1_000), rate(1_000, 3_999)], [1.0, 0.5, 0.125]);
    }
}
