//! What exhibits withstand: how many still reach a threshold when their file is treated, or
//! when another classifier hears or sees it.

use serde::{Deserialize, Serialize};

use super::runs::Group;
use crate::exhibits::Exhibit;
use crate::report::intervals::{Share, median};

/// All exhibits of a group after one intervention.
#[derive(Debug, Clone, PartialEq)]
pub struct Rescored {
    /// The intervention, in words.
    pub intervention: String,
    /// What came of it.
    pub outcome: Outcome,
}

/// What came of a intervention.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// Posterior of its own class for every exhibit, in the order of runs and exhibits.
    Posteriors(Vec<f64>),
    /// It could not be tried; why.
    Skipped(String),
}

/// One exhibit as a classifier judges it.
#[derive(Debug, Clone, PartialEq)]
pub struct Judged {
    /// Index of the class it is an exhibit of.
    pub class: usize,
    /// One posterior per class.
    pub posteriors: Vec<f64>,
}

/// What the exhibits of a group withstand of one intervention.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Survival {
    /// The intervention, in words.
    pub intervention: String,
    /// Why it was not tried, if so.
    pub skipped: Option<String>,
    /// Of the exhibits that reach each threshold of the comparison, the share that still
    /// does; `None` where there are none.
    pub levels: Vec<Option<Share>>,
    /// Median posterior of all exhibits after it.
    pub median_posterior: Option<f64>,
}

/// Exhibits of a group scored by another classifier.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Transfer {
    /// The group whose exhibits they are.
    pub from: String,
    /// The group whose classifier scores them.
    pub to: String,
    /// Exhibits scored.
    pub exhibits: u64,
    /// Number of classes: one in so many agrees by chance.
    pub classes: usize,
    /// Share whose class has the highest posterior there too.
    pub same_top: Option<Share>,
    /// That share beyond chance: 0 is chance, 1 is all.
    pub same_top_beyond_chance: Option<f64>,
    /// Share with the same class at each threshold of the comparison.
    pub same_class: Vec<Option<Share>>,
    /// Share with whatever class at each threshold of the comparison.
    pub any_class: Vec<Option<Share>>,
}

impl Rescored {
    pub(super) fn summary(&self, group: &Group, thresholds: &[f64]) -> Survival {
        let posteriors = match &self.outcome {
            Outcome::Posteriors(posteriors) => posteriors.as_slice(),
            Outcome::Skipped(_) => &[],
        };
        let exhibits: Vec<&Exhibit> =
            group.runs().iter().flat_map(|run| &run.manifest.exhibits).collect();
        let level = |&threshold: &f64| {
            let before = exhibits.iter().zip(posteriors);
            let after: Vec<f64> =
                before.filter(|(e, _)| e.posterior >= threshold).map(|(_, &now)| now).collect();
            let kept = after.iter().filter(|&&now| now >= threshold).count();
            Share::new(kept as u64, after.len() as u64)
        };
        Survival {
            intervention: self.intervention.clone(),
            skipped: match &self.outcome {
                Outcome::Posteriors(_) => None,
                Outcome::Skipped(why) => Some(why.clone()),
            },
            levels: thresholds.iter().map(level).collect(),
            median_posterior: median(posteriors),
        }
    }
}

impl Transfer {
    /// Sums up exhibits of `from` as the classifier of `to` judges them.
    pub fn new(from: String, to: String, judged: &[Judged], thresholds: &[f64]) -> Self {
        let exhibits = judged.len() as u64;
        let share = |holds: &dyn Fn(usize, &[f64]) -> bool| {
            let count = judged.iter().filter(|e| holds(e.class, &e.posteriors)).count();
            Share::new(count as u64, exhibits)
        };
        let classes = judged.first().map_or(0, |exhibit| exhibit.posteriors.len());
        let same_top = share(&|class, row| crate::classifiers::top_class(row) == class);
        Self {
            from,
            to,
            exhibits,
            classes,
            same_top_beyond_chance: same_top.map(|top| beyond_chance(top.share, classes)),
            same_top,
            same_class: thresholds
                .iter()
                .map(|&threshold| share(&|class, row| row[class] >= threshold))
                .collect(),
            any_class: thresholds
                .iter()
                .map(|&threshold| share(&|_, row| row.iter().any(|&p| p >= threshold)))
                .collect(),
        }
    }
}

/// A share of agreement between `classes` classes as a part of what chance leaves: 0 where
/// one in `classes` agrees, 1 where all do.
pub(super) fn beyond_chance(share: f64, classes: usize) -> f64 {
    let chance = 1.0 / classes.max(2) as f64;
    (share - chance) / (1.0 - chance)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::super::runs::tests::run;
    use super::*;

    #[test]
    fn only_what_reached_a_threshold_can_keep_it() {
        let exhibit = &crate::exhibits::toy::manifest().exhibits[0];
        let mut run = run(1, "x", &[]);
        for posterior in [0.9995, 0.9999, 0.9992] {
            run.manifest.exhibits.push(Exhibit { posterior, ..exhibit.clone() });
        }
        let group = Group::of(vec![run]).unwrap().remove(0);
        let treated = Rescored {
            intervention: "resampled".into(),
            outcome: Outcome::Posteriors(vec![0.9991, 0.7, 0.9999]),
        };
        let summary = treated.summary(&group, &[0.999, 0.9999, 0.99999]);
        let counts: Vec<Option<(u64, u64)>> =
            summary.levels.iter().map(|level| level.map(|s| (s.count, s.of))).collect();
        assert_eq!(counts, [Some((2, 3)), Some((0, 1)), None]);
        assert_eq!(summary.median_posterior, Some(0.9991));
        let skipped =
            Rescored { intervention: "MP3".into(), outcome: Outcome::Skipped("no lame".into()) };
        let summary = skipped.summary(&group, &[0.999]);
        assert_eq!((summary.levels[0], summary.skipped.as_deref()), (None, Some("no lame")));
    }

    #[test]
    fn transfer_counts_the_class_the_top_and_any() {
        let judged =
            [(0, [0.9995, 0.0003, 0.0002]), (0, [0.4, 0.3, 0.3]), (1, [0.9995, 0.0004, 0.0001])];
        let judged = judged.map(|(class, row)| Judged { class, posteriors: row.to_vec() });
        let transfer = Transfer::new("A".into(), "B".into(), &judged, &[0.999]);
        let count = |share: Option<Share>| share.map(|s| (s.count, s.of));
        assert_eq!(count(transfer.same_top), Some((2, 3)));
        assert_eq!(count(transfer.same_class[0]), Some((1, 3)));
        assert_eq!(count(transfer.any_class[0]), Some((2, 3)));
        assert!((transfer.same_top_beyond_chance.unwrap() - 0.5).abs() < 1e-12);
    }

    #[test]
    fn chance_is_zero_and_all_is_one() {
        assert_eq!(beyond_chance(1.0, 10), 1.0);
        assert_eq!(beyond_chance(0.1, 10), 0.0);
        assert!(beyond_chance(0.05, 10) < 0.0);
    }
}
