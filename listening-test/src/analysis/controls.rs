//! Assay sensitivity: could this study have shown a difference at all?
//!
//! People who cannot name the classes of genuine material, or who do not try, are at chance on
//! exhibits, too. So absence is claimed only where the genuine controls of the same people in
//! the same block are above chance by the plan's amount (the "assay sensitivity" of ICH E10).

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use trompe_statistics::Interval;

use super::compare::SideBySide;
use super::evidence;
use super::group::{Group, REAL};
use super::plan::AnalysisPlan;

/// The genuine controls behind a condition.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Controls {
    /// Accuracy that the lower end of the controls' interval must exceed.
    pub needed: f64,
    /// What the same people made of the controls of the block; absent if there are none.
    pub found: Option<Genuine>,
    /// Whether the controls are above chance by the plan's amount: only then can absence be
    /// claimed.
    pub suffice: bool,
}

/// Genuine controls as the people of one condition judged them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Genuine {
    /// Participants with answers to controls.
    pub participants: usize,
    /// Controls with answers.
    pub items: usize,
    /// Answers.
    pub answers: usize,
    /// Accuracy on the controls.
    pub accuracy: f64,
    /// Its interval.
    pub interval: Interval,
    /// Accuracy of the condition less that of these controls, with interval and p-value; absent
    /// for the controls themselves, and where no resample differs.
    #[serde(default)]
    pub difference: Option<ToControls>,
}

/// A condition less its genuine controls.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ToControls {
    /// Accuracy of the condition less that of the controls.
    pub difference: f64,
    /// Its interval: listeners resampled together for both, items apart.
    pub interval: Interval,
    /// Two-sided p of no difference.
    pub p: f64,
}

impl Controls {
    /// The controls for `group`: the genuine items of `real` (the same block), answered by the
    /// people of `group`.
    pub(super) fn of(group: &Group, real: Option<&Group>, plan: &AnalysisPlan) -> Self {
        let needed = plan.accuracy_at(plan.controls_above, group.chance());
        let found = real.and_then(|real| {
            let people: BTreeSet<&str> = group.participants.iter().copied().collect();
            let rows: Vec<_> = real
                .rows
                .iter()
                .map(|&(_, _, row)| row)
                .filter(|row| people.contains(row.participant.as_str()))
                .collect();
            let same = Group::new(&rows, real.classes.clone())?;
            let (accuracy, interval) = evidence::accuracy(&same, plan);
            let difference = (group.condition != REAL)
                .then(|| {
                    let values = |of: &Group| of.values(plan.dont_know);
                    SideBySide::new(group, &same, values(group), values(&same)).test(plan)
                })
                .flatten();
            Some(Genuine {
                difference: difference.map(|found| ToControls {
                    difference: found.difference,
                    interval: found.interval,
                    p: found.p,
                }),
                participants: same.participants.len(),
                items: same.items.len(),
                answers: rows.len(),
                accuracy,
                interval,
            })
        });
        let suffice = found.as_ref().is_some_and(|found| found.interval.low > needed);
        Self { needed, found, suffice }
    }

    /// What the controls show, as a sentence.
    pub fn sentence(&self) -> String {
        let percent = |share: f64| format!("{:.1} %", 100.0 * share);
        match &self.found {
            None => "There are no genuine controls of these people in this block".to_owned(),
            Some(found) => {
                let difference = found.difference.map_or(String::new(), |found| {
                    format!(
                        "; {:+.1} points from them ({:+.1} to {:+.1})",
                        100.0 * found.difference,
                        100.0 * found.interval.low,
                        100.0 * found.interval.high
                    )
                });
                format!(
                    "Genuine controls of the same people: accuracy {} (lower end {}), {} the {} \
                     that the plan asks for{difference}",
                    percent(found.accuracy),
                    percent(found.interval.low),
                    if self.suffice { "above" } else { "not above" },
                    percent(self.needed)
                )
            }
        }
    }
}
