//! What exhibits withstand: how many still reach a threshold when their file is treated, or
//! when another classifier hears or sees it.

use serde::{Deserialize, Serialize};

use super::at_level::limits;
use super::places::Places;
use super::runs::Group;
use crate::exhibits::Exhibit;
use crate::log_odds::{Labelling, label, posterior_from_log_odds};
use crate::results::intervals::{Share, median};

/// All exhibits of a group after one intervention.
#[derive(Debug, Clone, PartialEq)]
pub struct Rescored {
    /// The intervention, in words.
    pub intervention: String,
    /// What came of it.
    pub outcome: Outcome,
}

/// What came of an intervention.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// Every exhibit after it, in the order of runs and exhibits.
    Judged(Vec<Judged>),
    /// It could not be tried; why.
    Skipped(String),
}

/// One exhibit as a classifier judges it.
#[derive(Debug, Clone, PartialEq)]
pub struct Judged {
    /// Index of the class it is an exhibit of.
    pub class: usize,
    /// One log-odds per class.
    pub log_odds: Vec<f64>,
    /// How many classes the classifier may name for one exhibit.
    pub labelling: Labelling,
}

impl Judged {
    /// Whether the label is the exhibit's class; always so of tags, which the threshold decides alone.
    fn keeps_label(&self) -> bool {
        self.labelling.lead(&self.log_odds, self.class) > 0.0
    }

    /// The share of exhibits that keep their label; `None` of tags.
    fn same_label(judged: &[Self]) -> Option<Share> {
        if judged.iter().any(|exhibit| exhibit.labelling == Labelling::Multi) {
            return None;
        }
        let same = judged.iter().filter(|exhibit| exhibit.keeps_label()).count();
        Share::new(same as u64, judged.len() as u64)
    }

    /// Posterior of the exhibit's class.
    fn posterior(&self) -> f64 {
        posterior_from_log_odds(self.log_odds[self.class])
    }
}

/// What the exhibits of a group withstand of one intervention.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Survival {
    /// The intervention, in words.
    pub intervention: String,
    /// Why it was not tried, if so.
    pub skipped: Option<String>,
    /// Share of all exhibits that still have their label.
    #[serde(default)]
    pub same_label: Option<Share>,
    /// Of the exhibits that reach each threshold of the comparison, the share that still
    /// does, under the same label; `None` where there are none.
    pub levels: Vec<Option<Share>>,
    /// The same at each level of the comparison; `None` also where the group does not have it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub at_levels: Vec<Option<Share>>,
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
    /// Share that has the same label there.
    pub same_top: Option<Share>,
    /// That share beyond chance: 0 is chance, 1 is all.
    pub same_top_beyond_chance: Option<f64>,
    /// Share with the same label at each threshold of the comparison.
    pub same_class: Vec<Option<Share>>,
    /// Share with whatever label at each threshold of the comparison.
    pub any_class: Vec<Option<Share>>,
    /// Share with the same label at each level of the comparison, of exhibits of classes in which
    /// it is defined; `None` also where the other classifier does not have it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub same_class_at_levels: Vec<Option<Share>>,
    /// Share with whatever label at each level of the comparison, of exhibits whose label there has it
    /// defined, or which have no label.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub any_class_at_levels: Vec<Option<Share>>,
}

impl Rescored {
    pub(super) fn summary(&self, group: &Group, places: Places<'_>) -> Survival {
        let judged = match &self.outcome {
            Outcome::Judged(judged) => judged.as_slice(),
            Outcome::Skipped(_) => &[],
        };
        let exhibits: Vec<&Exhibit> =
            group.runs().iter().flat_map(|run| &run.manifest.exhibits).collect();
        let level = |&threshold: &f64| {
            let before = exhibits.iter().zip(judged);
            let after: Vec<&Judged> =
                before.filter(|(e, _)| e.posterior >= threshold).map(|(_, now)| now).collect();
            let kept = |now: &&&Judged| now.keeps_label() && now.posterior() >= threshold;
            Share::new(after.iter().filter(kept).count() as u64, after.len() as u64)
        };
        let at_level = |&level: &f64| {
            let limits = limits(group, level)?;
            let holds = |class: usize, log_odds: &[f64]| {
                limits.get(class).copied().flatten().is_some_and(|limit| log_odds[class] > limit)
            };
            let before = exhibits.iter().zip(judged);
            let after: Vec<&Judged> =
                before.filter(|(e, _)| holds(e.class, &e.log_odds)).map(|(_, now)| now).collect();
            let kept = |now: &&&Judged| now.keeps_label() && holds(now.class, &now.log_odds);
            Share::new(after.iter().filter(kept).count() as u64, after.len() as u64)
        };
        let posteriors: Vec<f64> = judged.iter().map(Judged::posterior).collect();
        Survival {
            intervention: self.intervention.clone(),
            skipped: match &self.outcome {
                Outcome::Judged(_) => None,
                Outcome::Skipped(why) => Some(why.clone()),
            },
            same_label: Judged::same_label(judged),
            levels: places.thresholds.iter().map(level).collect(),
            at_levels: places.levels.iter().map(at_level).collect(),
            median_posterior: median(&posteriors),
        }
    }
}

impl Transfer {
    /// Sums up exhibits of `from` as the classifier of `to` judges them. `limits` are what log-odds of
    /// each class of that classifier must exceed at each level of the comparison, where it has it.
    pub fn new(
        from: String,
        to: String,
        judged: &[Judged],
        thresholds: &[f64],
        limits: &[Option<&[Option<f64>]>],
    ) -> Self {
        let exhibits = judged.len() as u64;
        let share = |holds: &dyn Fn(&Judged) -> bool| {
            Share::new(judged.iter().filter(|exhibit| holds(exhibit)).count() as u64, exhibits)
        };
        let at_threshold = |holds: &dyn Fn(&Judged, f64) -> bool| {
            thresholds
                .iter()
                .map(|&threshold| share(&|exhibit| holds(exhibit, threshold)))
                .collect()
        };
        let classes = judged.first().map_or(0, |exhibit| exhibit.log_odds.len());
        let same_top = Judged::same_label(judged);
        Self {
            from,
            to,
            exhibits,
            classes,
            same_top_beyond_chance: same_top.map(|top| beyond_chance(top.share, classes)),
            same_top,
            same_class: at_threshold(&|exhibit, threshold| {
                exhibit.keeps_label() && exhibit.posterior() >= threshold
            }),
            any_class: at_threshold(&|exhibit, threshold| {
                let at = |log_odds: f64| posterior_from_log_odds(log_odds) >= threshold;
                match exhibit.labelling {
                    Labelling::Single => {
                        label(&exhibit.log_odds).is_some_and(|top| at(exhibit.log_odds[top]))
                    }
                    Labelling::Multi => exhibit.log_odds.iter().any(|&log_odds| at(log_odds)),
                }
            }),
            same_class_at_levels: limits.iter().map(|limits| same_at(judged, (*limits)?)).collect(),
            any_class_at_levels: limits.iter().map(|limits| any_at(judged, (*limits)?)).collect(),
        }
    }
}

/// Share of exhibits with their own label above its limit, of those of a class with a limit.
fn same_at(judged: &[Judged], limits: &[Option<f64>]) -> Option<Share> {
    let (mut reached, mut of) = (0, 0);
    for exhibit in judged {
        if let Some(limit) = limits.get(exhibit.class).copied().flatten() {
            of += 1;
            let above = exhibit.log_odds[exhibit.class] > limit;
            reached += u64::from(above && exhibit.keeps_label());
        }
    }
    Share::new(reached, of)
}

/// Share of exhibits with whatever label above its limit, of those without a label or whose label
/// has a limit; of tags, share of exhibits with a tag above its limit.
fn any_at(judged: &[Judged], limits: &[Option<f64>]) -> Option<Share> {
    let (mut reached, mut of) = (0, 0);
    for exhibit in judged {
        match exhibit.labelling {
            Labelling::Single => match label(&exhibit.log_odds) {
                None => of += 1,
                Some(top) => {
                    if let Some(limit) = limits.get(top).copied().flatten() {
                        of += 1;
                        reached += u64::from(exhibit.log_odds[top] > limit);
                    }
                }
            },
            Labelling::Multi => {
                of += 1;
                let mut tags = exhibit.log_odds.iter().zip(limits);
                reached += u64::from(tags.any(|(x, limit)| limit.is_some_and(|limit| *x > limit)));
            }
        }
    }
    Share::new(reached, of)
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
    use crate::log_odds::log_odds_from_posterior;

    fn at(thresholds: &[f64]) -> Places<'_> {
        Places { thresholds, levels: &[] }
    }

    #[test]
    fn only_what_reached_a_threshold_can_keep_it() {
        let exhibit = &crate::exhibits::toy::manifest().exhibits[0];
        let mut run = run(1, "x", &[]);
        for posterior in [0.9995, 0.9999, 0.9992] {
            run.manifest.exhibits.push(Exhibit { posterior, ..exhibit.clone() });
        }
        let group = Group::of(vec![run]).unwrap().remove(0);
        let judged = |class: usize, posteriors: [f64; 3]| Judged {
            class,
            log_odds: posteriors.map(log_odds_from_posterior).to_vec(),
            labelling: Labelling::Single,
        };
        let outcome = |last| {
            Outcome::Judged(vec![
                judged(0, [0.9991, 0.5, 0.5]),
                judged(0, [0.7, 0.5, 0.5]),
                judged(0, last),
            ])
        };
        let treated =
            Rescored { intervention: "resampled".into(), outcome: outcome([0.9999, 0.5, 0.5]) };
        let summary = treated.summary(&group, at(&[0.999, 0.9999, 0.99999]));
        let counts: Vec<Option<(u64, u64)>> =
            summary.levels.iter().map(|level| level.map(|s| (s.count, s.of))).collect();
        assert_eq!(counts, [Some((2, 3)), Some((0, 1)), None]);
        approx::assert_relative_eq!(summary.median_posterior.unwrap(), 0.9991, epsilon = 1e-12);
        assert_eq!(summary.same_label.unwrap().count, 3);
        // At the threshold still, but under another label.
        let treated =
            Rescored { intervention: "cut".into(), outcome: outcome([0.9999, 0.99999, 0.5]) };
        let summary = treated.summary(&group, at(&[0.999]));
        assert_eq!(summary.levels[0].map(|s| (s.count, s.of)), Some((1, 3)));
        assert_eq!(summary.same_label.unwrap().count, 2);
        let skipped =
            Rescored { intervention: "MP3".into(), outcome: Outcome::Skipped("no lame".into()) };
        let summary = skipped.summary(&group, at(&[0.999]));
        assert_eq!((summary.levels[0], summary.skipped.as_deref()), (None, Some("no lame")));
    }

    #[test]
    fn transfer_counts_the_class_the_top_and_any() {
        let judged =
            [(0, [0.9995, 0.0003, 0.0002]), (0, [0.4, 0.3, 0.3]), (1, [0.9995, 0.0004, 0.0001])];
        let judged = judged.map(|(class, row)| Judged {
            class,
            log_odds: row.map(log_odds_from_posterior).to_vec(),
            labelling: Labelling::Single,
        });
        // The second class has no level there.
        let limits: [Option<&[Option<f64>]>; 3] =
            [Some(&[Some(0.0), None, None]), None, Some(&[Some(9.0), None, Some(0.0)])];
        let transfer = Transfer::new("A".into(), "B".into(), &judged, &[0.999], &limits);
        let count = |share: Option<Share>| share.map(|s| (s.count, s.of));
        assert_eq!(count(transfer.same_top), Some((2, 3)));
        assert_eq!(count(transfer.same_class[0]), Some((1, 3)));
        assert_eq!(count(transfer.any_class[0]), Some((2, 3)));
        let counts =
            |shares: &[Option<Share>]| shares.iter().map(|s| count(*s)).collect::<Vec<_>>();
        assert_eq!(counts(&transfer.same_class_at_levels), [Some((1, 2)), None, Some((0, 2))]);
        // All three are labelled with the first class; its log-odds are 7.6, -0.4 and 7.6.
        assert_eq!(counts(&transfer.any_class_at_levels), [Some((2, 3)), None, Some((0, 3))]);
        assert!((transfer.same_top_beyond_chance.unwrap() - 0.5).abs() < 1e-12);
    }

    #[test]
    fn chance_is_zero_and_all_is_one() {
        assert_eq!(beyond_chance(1.0, 10), 1.0);
        assert_eq!(beyond_chance(0.1, 10), 0.0);
        assert!(beyond_chance(0.05, 10) < 0.0);
    }
}
