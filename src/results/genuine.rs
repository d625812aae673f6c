//! A run held against genuine items: how certain its classifier is of them, of random candidates,
//! and of exhibits.

use serde::{Deserialize, Serialize};

use crate::log_odds::{Labelling, PosteriorKind};
use crate::reference::{
    CalibrationReport, Criterion, Rates, Reference, ReferenceSource, Reliability, Separation,
    highest_scores, reliable_threshold,
};

/// Name of the score that closeness is.
pub const BY_DISTANCE: &str = "Mahalanobis distance";

/// Bins of a distribution of highest scores.
const BINS: usize = 48;

/// The genuine items of a run's classifier, and what they say of the run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AgainstGenuine {
    /// Where the items come from and how they were scored.
    pub source: ReferenceSource,
    /// Number of items.
    pub items: usize,
    /// Number of groups.
    pub groups: usize,
    /// Whether nested folds found that levels promise too much; `None` of a cross-fit that they did
    /// not check.
    pub biased: Option<bool>,
    /// Classes without a level.
    pub undefined: Vec<String>,
    /// Shares of random candidates and of genuine items at every threshold and level.
    pub rates: Vec<Rates>,
    /// How far genuine items lie above random candidates and exhibits.
    pub separation: Vec<Separation>,
    /// What posteriors are worth.
    pub calibration: CalibrationReport,
    /// Whether classes are tags, of which several may hold of one item.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub tags: bool,
    /// From which posterior on the classifier is reliable; `None` if there is none, and of tags.
    pub reliable: Option<Reliability>,
    /// How the highest scores are distributed.
    pub distributions: Distributions,
}

/// Distributions of the highest log-odds over the same bins.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Distributions {
    /// Lower edge of the first bin.
    pub low: f64,
    /// Upper edge of the last.
    pub high: f64,
    /// Name and number of items in each bin.
    pub counts: Vec<(String, Vec<u64>)>,
}

/// One level of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LevelReport {
    /// The level.
    pub level: f64,
    /// Classes searched for in which it is defined.
    pub classes_defined: usize,
    /// Those of them that reached it.
    pub classes_reached: usize,
    /// Their share.
    pub coverage: f64,
    /// Kaplan-Meier median over these classes of the evaluations to reach it; `None` if fewer than
    /// half did.
    pub median_evaluations: Option<u64>,
    /// Classes that the random candidates of the first generation reached; `None` as in
    /// [`super::RunReport::random_draws`].
    pub reached_in_draws: Option<usize>,
    /// Names of the classes in which it is undefined.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub undefined: Vec<String>,
    /// For each class searched for, the evaluations until it was reached.
    pub evaluations: Vec<Option<u64>>,
}

/// Squared Mahalanobis distances to genuine items; `None` of victims without embeddings.
#[derive(Debug, Clone, Copy, Default)]
pub struct Distances<'a> {
    /// Of random candidates.
    pub random: Option<&'a [f64]>,
    /// Of exhibits.
    pub exhibits: Option<&'a [f64]>,
}

impl AgainstGenuine {
    /// Of a run with these `random` scores, one log-odds a class row by row, exhibits with these scores,
    /// and the distances of both.
    pub fn new(
        reference: &Reference,
        random: &[f64],
        exhibits: &[f64],
        distances: Distances<'_>,
    ) -> Self {
        let rates = Criterion::all().into_iter().map(|at| Rates::of(reference, random, at));
        Self {
            source: reference.source().clone(),
            items: reference.items().len(),
            groups: reference.groups().count(),
            biased: reference.is_biased(),
            undefined: reference.undefined().into_iter().map(str::to_owned).collect(),
            rates: rates.collect(),
            separation: [
                separations(reference, random, exhibits),
                separations_by_distance(reference, distances),
            ]
            .concat(),
            calibration: reference.calibration(),
            tags: reference.posterior_kind().labelling() == Labelling::Multi,
            reliable: reliable_threshold(reference),
            distributions: Distributions::of(reference, random, exhibits),
        }
    }
}

/// The scores of the items of a reference, row by row.
fn genuine_rows(reference: &Reference) -> Vec<f64> {
    reference.items().iter().flat_map(|item| item.log_odds.iter().copied()).collect()
}

/// By the highest score, and by energy where the log-odds are those of votes: the logarithm of the
/// sum of exp(2 F) (Liu, Wang, Owens & Li 2020).
fn separations(reference: &Reference, random: &[f64], exhibits: &[f64]) -> Vec<Separation> {
    let classes = reference.classes().len();
    let genuine = genuine_rows(reference);
    let votes = matches!(
        reference.posterior_kind(),
        PosteriorKind::LogisticOfVote | PosteriorKind::LogisticOfNormalizedVote
    );
    let scores = [("highest score", highest_scores as Score), ("energy", energies as Score)];
    let mut found = Vec::new();
    for (name, score) in scores.into_iter().take(if votes { 2 } else { 1 }) {
        for (against, rows) in [("random candidates", random), ("exhibits", exhibits)] {
            found.extend(Separation::of(
                name,
                against,
                &score(&genuine, classes),
                reference.groups(),
                &score(rows, classes),
            ));
        }
    }
    found
}

/// By closeness: the squared Mahalanobis distance to the nearest class, with its sign turned.
fn separations_by_distance(reference: &Reference, distances: Distances<'_>) -> Vec<Separation> {
    let Some(genuine) = reference.mahalanobis() else { return Vec::new() };
    let turned = |distances: &[f64]| distances.iter().map(|distance| -distance).collect::<Vec<_>>();
    let closeness = turned(genuine.genuine());
    let others = [("random candidates", distances.random), ("exhibits", distances.exhibits)];
    let against = |(name, others): (&str, Option<&[f64]>)| {
        let groups = reference.groups();
        Separation::of(BY_DISTANCE, name, &closeness, groups, &turned(others?))
    };
    others.into_iter().filter_map(against).collect()
}

/// One number for each row of log-odds.
type Score = fn(&[f64], usize) -> Vec<f64>;

fn energies(rows: &[f64], classes: usize) -> Vec<f64> {
    let energy = |row: &[f64]| {
        let top = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        top + libm::log(row.iter().map(|value| libm::exp(value - top)).sum::<f64>())
    };
    rows.chunks_exact(classes).map(energy).collect()
}

impl Distributions {
    fn of(reference: &Reference, random: &[f64], exhibits: &[f64]) -> Self {
        let classes = reference.classes().len();
        let all = [
            ("genuine items", highest_scores(&genuine_rows(reference), classes)),
            ("random candidates", highest_scores(random, classes)),
            ("exhibits", highest_scores(exhibits, classes)),
        ];
        let values = || all.iter().flat_map(|(_, scores)| scores.iter().copied());
        let low = values().fold(f64::INFINITY, f64::min);
        let high = values().fold(f64::NEG_INFINITY, f64::max);
        let width = (high - low).max(f64::MIN_POSITIVE);
        let count = |scores: &[f64]| {
            let mut counts = vec![0; BINS];
            for score in scores {
                let bin = ((score - low) / width * BINS as f64) as usize;
                counts[bin.min(BINS - 1)] += 1;
            }
            counts
        };
        let counts = all.iter().map(|(name, scores)| ((*name).to_owned(), count(scores))).collect();
        Self { low, high, counts }
    }
}
