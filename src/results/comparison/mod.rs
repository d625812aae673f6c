//! Fooling rates of groups of runs side by side, sound beside images, by the same code.
//!
//! A group is a classifier, a generator and an emitter with several seeds. Its numbers come
//! from the reports of its runs (the search) and from their delivered files.

mod agreement;
mod at_level;
mod csv;
mod differences;
mod group;
mod places;
mod runs;
mod survival;
mod times;

use serde::{Deserialize, Serialize};
use trompe_listening_test::analysis::HumanAgreement;

use super::run::THRESHOLDS;
use crate::reference::LEVELS;
use places::Places;

pub use agreement::{Agreement, JudgedSet};
pub use at_level::{AtLevel, HEADLINE, limits};
pub use csv::comparison_csv;
pub use differences::{Difference, LevelDifference, Ratio};
pub use group::{BestPosterior, Coverage, GroupReport, Level, group_name};
pub use runs::{Group, Run, SeedRun};
pub use survival::{Judged, Outcome, Rescored, Survival, Transfer};
pub use times::{LEVEL, MedianTime, RESAMPLES};

/// Everything a comparison found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// Layout version of this structure: 1.
    pub schema_version: u32,
    /// Version of the program that wrote it.
    pub trompe_version: String,
    /// Posteriors that everything is counted at, ascending.
    pub thresholds: Vec<f64>,
    /// Levels that shares `at_levels` are counted at, ascending.
    #[serde(default)]
    pub levels: Vec<f64>,
    /// One entry per group, in the order of the runs given.
    pub groups: Vec<GroupReport>,
    /// One entry per pair of groups.
    pub differences: Vec<Difference>,
    /// Exhibits of one group scored by the classifier of another.
    pub transfer: Vec<Transfer>,
}

impl Comparison {
    /// Compares groups. `rescored` are the exhibits of each group after each intervention, and
    /// `transfer` those scored by other classifiers; both may be empty. `study` adds what
    /// people say.
    pub fn new(
        groups: &[Group],
        rescored: &[Vec<Rescored>],
        transfer: Vec<Transfer>,
        study: Option<&HumanAgreement>,
    ) -> Self {
        let (thresholds, levels) = (Self::thresholds(groups), Self::levels(groups));
        let reports = groups.iter().enumerate().map(|(index, group)| {
            let treated = rescored.get(index).map_or(&[][..], Vec::as_slice);
            let places = Places { thresholds: &thresholds, levels: &levels };
            GroupReport::new(group_name(index), group, places, treated, study)
        });
        let mut reports: Vec<GroupReport> = reports.collect();
        group::tell_apart(&mut reports);
        Self {
            schema_version: 1,
            trompe_version: env!("CARGO_PKG_VERSION").to_owned(),
            groups: reports,
            differences: differences::between(groups, &thresholds, &levels),
            thresholds,
            levels,
            transfer,
        }
    }

    /// Levels that groups are compared at: the usual three and their own.
    pub fn levels(groups: &[Group]) -> Vec<f64> {
        let mut levels = LEVELS.to_vec();
        levels.extend(groups.iter().filter_map(|group| group.origin().level));
        levels.sort_by(f64::total_cmp);
        levels.dedup();
        levels
    }

    /// Posteriors that groups are compared at: the usual three and their own.
    pub fn thresholds(groups: &[Group]) -> Vec<f64> {
        let mut thresholds = THRESHOLDS.to_vec();
        thresholds.extend(groups.iter().map(|group| group.origin().threshold));
        thresholds.sort_by(f64::total_cmp);
        thresholds.dedup();
        thresholds
    }
}

#[cfg(test)]
pub(crate) mod tests {
    #![allow(clippy::unwrap_used)]

    pub(crate) use super::agreement::tests::judged;
    use super::runs::tests::reaching;
    use super::*;
    use crate::log_odds::log_odds_from_posterior;

    /// Two groups of three seeds: one fast, one that misses a class.
    pub(crate) fn comparison() -> Comparison {
        let mut runs = Vec::new();
        for seed in 1..=3 {
            runs.push(reaching(seed, "random", [Some(50 + seed), None]));
            runs.push(reaching(seed, "climber", [Some(5 + seed), Some(9)]));
        }
        let groups = Group::of(runs).unwrap();
        let rescored = vec![
            vec![
                Rescored { intervention: "as delivered".into(), outcome: Outcome::Judged(vec![]) },
                Rescored {
                    intervention: "MP3".into(),
                    outcome: Outcome::Skipped("no lame".into()),
                },
            ],
            vec![],
        ];
        let judged = [(0, [0.9995, 0.2]), (1, [0.7, 0.3])].map(|(class, row)| Judged {
            class,
            log_odds: row.map(log_odds_from_posterior).to_vec(),
            labelling: crate::log_odds::Labelling::Single,
        });
        let transfer = Transfer::new("A".into(), "B".into(), &judged, &[0.99, 0.999, 0.9999], &[]);
        Comparison::new(&groups, &rescored, vec![transfer], None)
    }
}
