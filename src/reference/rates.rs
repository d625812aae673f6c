//! How many candidates, and how many genuine items, are at a posterior or at a level.

use serde::{Deserialize, Serialize};
use trompe_statistics::Interval;
use trompe_statistics::groups::resampled_interval;
use trompe_statistics::intervals::wilson;

use super::levels::Levels;
use super::share::{CONFIDENCE, RESAMPLES, SEED, Share, ShareReached, grouped_share};
use super::{LEVELS, Reference};
use crate::error::{Error, Result};
use crate::log_odds::{Labelling, check_level, check_threshold, label, log_odds_from_posterior};

/// Posteriors that every report states.
pub const THRESHOLDS: [f64; 3] = [0.99, 0.999, 0.9999];

/// What a candidate must reach in the class of its label.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Criterion {
    /// A posterior, in (0, 1).
    Posterior(f64),
    /// A level among genuine items, in (0, 1).
    Level(f64),
}

/// The least log-odds that reach a criterion.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Limits {
    /// The same for every class.
    Same(f64),
    /// One a class; `None` for classes in which the criterion is undefined.
    PerClass(Vec<Option<f64>>),
}

impl Limits {
    /// The limit of a class; infinite where the criterion is undefined.
    pub fn of(&self, class: usize) -> f64 {
        match self {
            Self::Same(limit) => *limit,
            Self::PerClass(limits) => limits.get(class).copied().flatten().unwrap_or(f64::INFINITY),
        }
    }

    /// Whether the class can be reached.
    pub fn is_defined(&self, class: usize) -> bool {
        self.of(class) < f64::INFINITY
    }

    /// The limits of being at `level`: to exceed a genuine score, hence the next greater number.
    fn at_level(levels: &Levels, level: f64) -> Self {
        let thresholds = levels.thresholds(level).into_iter();
        Self::PerClass(thresholds.map(|limit| limit.map(f64::next_up)).collect())
    }
}

impl Criterion {
    /// Those that every report states.
    pub fn all() -> Vec<Self> {
        let posteriors = THRESHOLDS.into_iter().map(Self::Posterior);
        posteriors.chain(LEVELS.into_iter().map(Self::Level)).collect()
    }

    /// What it asks for.
    ///
    /// # Errors
    /// [`Error::Request`] for a level without a reference, or one that no class has.
    pub fn limits(self, reference: Option<&Reference>) -> Result<Limits> {
        match self {
            Self::Posterior(posterior) => Ok(Limits::Same(log_odds_from_posterior(posterior))),
            Self::Level(level) => {
                let reference = reference.ok_or_else(|| {
                    Error::request(
                        format!("the level {level} of a classifier without a genuine reference"),
                        "give it one with `trompe reference`, or ask for a posterior with \
                         --threshold",
                    )
                })?;
                let limits = Limits::at_level(reference.levels(), level);
                if (0..reference.classes().len()).all(|class| !limits.is_defined(class)) {
                    return Err(Error::request(
                        format!(
                            "no class has enough groups of genuine items for the level {level}"
                        ),
                        "give a larger genuine corpus, a level nearer to 0.5, or a posterior with \
                         --threshold",
                    ));
                }
                Ok(limits)
            }
        }
    }

    /// Checks that it is one.
    ///
    /// # Errors
    /// [`Error::Request`] for a number outside (0, 1).
    pub fn check(self) -> Result<()> {
        match self {
            Self::Posterior(posterior) => check_threshold(posterior),
            Self::Level(level) => check_level(level),
        }
    }

    /// As on screen: `posterior 0.999`, `level 0.5`.
    pub fn in_words(self) -> String {
        match self {
            Self::Posterior(posterior) => format!("posterior {posterior}"),
            Self::Level(level) => format!("level {level}"),
        }
    }
}

/// The shares at one criterion.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Rates {
    /// The criterion.
    pub at: Criterion,
    /// Of random candidates. At a level, those whose label is a class without one are left out, and
    /// those without a label stay. Where a victim names tags, of pairs of a candidate and a tag that
    /// genuine items have: the mean over these tags.
    pub random: Share,
    /// Of genuine items whose label is their class; of pairs of an item and a tag that it has.
    pub genuine_right: Share,
    /// Of the other genuine items; of pairs of an item and a known tag that it has not.
    pub genuine_wrong: Share,
}

impl Rates {
    /// The shares of `random` candidates, one log-odds a class row by row, and of the genuine items
    /// of `reference`. A genuine item is ranked among the other groups.
    pub fn of(reference: &Reference, random: &[f64], at: Criterion) -> Self {
        Self {
            at,
            random: share_of_candidates(reference, random, at),
            genuine_right: share_of_genuine(reference, at, true),
            genuine_wrong: share_of_genuine(reference, at, false),
        }
    }
}

/// The share of candidates at a criterion. The interval is Wilson's; at a level, it also counts how
/// the level's thresholds vary when groups of genuine items are drawn again.
fn share_of_candidates(reference: &Reference, rows: &[f64], at: Criterion) -> Share {
    let classes = reference.classes().len();
    let labelling = reference.posterior_kind().labelling();
    let limits = match at {
        Criterion::Posterior(posterior) => Limits::Same(log_odds_from_posterior(posterior)),
        Criterion::Level(level) => Limits::at_level(reference.levels(), level),
    };
    let known = reference.known();
    let claims = |row: &[f64]| -> Vec<Option<(usize, f64)>> {
        let claimed: Vec<Option<usize>> = match labelling {
            Labelling::Single => vec![label(row)],
            Labelling::Multi => known.iter().map(|&tag| Some(tag)).collect(),
        };
        let defined = claimed.into_iter().filter(|of| of.is_none_or(|of| limits.is_defined(of)));
        defined.map(|of| of.map(|class| (class, row[class]))).collect()
    };
    let counted: Vec<Vec<Option<(usize, f64)>>> = rows.chunks_exact(classes).map(claims).collect();
    let reaches = |limits: &Limits, top: &Option<(usize, f64)>| {
        top.is_some_and(|(class, score)| score >= limits.of(class))
    };
    let outcomes: Vec<(usize, bool)> = (0..)
        .zip(&counted)
        .flat_map(|(row, claims)| claims.iter().map(move |claim| (row, claim)))
        .map(|(row, claim)| (row, reaches(&limits, claim)))
        .collect();
    let hits = outcomes.iter().filter(|(_, hit)| *hit).count() as u64;
    let of = outcomes.len() as u64;
    let chance = match (labelling, grouped_share(&outcomes)) {
        // The tags of one candidate stand or fall together.
        (Labelling::Multi, Some(share)) => Interval { low: share.low, high: share.high },
        _ => wilson(hits, of, CONFIDENCE),
    };
    let Criterion::Level(level) = at else { return ShareReached::new(hits, of, chance) };
    if (0..classes).all(|class| !limits.is_defined(class)) {
        return None;
    }
    let groups = reference.groups().count();
    let strata = [(0..groups).collect(), (groups..groups + counted.len()).collect()];
    let resampled = resampled_interval(&strata, CONFIDENCE, RESAMPLES, SEED, |weights| {
        let (of_groups, of_candidates) = weights.split_at(groups);
        let drawn = |class: usize| {
            let of_class = reference.levels().of_class(class);
            let limit = of_class.resampled_threshold(level, of_groups).map(f64::next_up);
            limit.filter(|_| limits.is_defined(class))
        };
        let limits = Limits::PerClass((0..classes).map(drawn).collect());
        let (mut hits, mut total) = (0.0, 0.0);
        for (claims, weight) in counted.iter().zip(of_candidates) {
            let reaching = claims.iter().filter(|claim| reaches(&limits, claim)).count();
            hits += weight * reaching as f64;
            total += weight * claims.len() as f64;
        }
        (total > 0.0).then_some(hits / total)
    });
    let widest = resampled.map_or(chance, |interval| Interval {
        low: interval.low.min(chance.low),
        high: interval.high.max(chance.high),
    });
    ShareReached::new(hits, of, widest)
}

/// The share of the genuine items that are labelled `right`ly, or not, at a criterion. Intervals are
/// by resampling groups.
fn share_of_genuine(reference: &Reference, at: Criterion, right: bool) -> Share {
    let items = reference.items().iter().zip(reference.groups().of_item());
    let known = reference.known();
    let outcomes: Vec<(usize, bool)> = items
        .flat_map(|(item, &group)| {
            let claims: Vec<Option<usize>> = match reference.posterior_kind().labelling() {
                Labelling::Single => {
                    let label = label(&item.log_odds);
                    ((label == Some(item.class)) == right).then_some(label).into_iter().collect()
                }
                Labelling::Multi => {
                    let tags = known.iter().copied();
                    tags.filter(|&tag| item.is(tag) == right).map(Some).collect()
                }
            };
            let outcome = move |class: Option<usize>| {
                let Some(class) = class else { return Some((group, false)) };
                Some((group, genuine_reaches(reference, class, group, item.log_odds[class], at)?))
            };
            claims.into_iter().filter_map(outcome)
        })
        .collect();
    grouped_share(&outcomes)
}

/// Whether a genuine item of `group` is at a criterion in `class`, ranked among the other groups;
/// `None` where the class has no level.
fn genuine_reaches(
    reference: &Reference,
    class: usize,
    group: usize,
    score: f64,
    at: Criterion,
) -> Option<bool> {
    match at {
        Criterion::Posterior(posterior) => Some(score >= log_odds_from_posterior(posterior)),
        Criterion::Level(level) => {
            let class = reference.levels().of_class(class);
            class.is_defined_at(level).then_some(())?;
            Some(class.level_without(group, score)? + 1e-9 >= level)
        }
    }
}
