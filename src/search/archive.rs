//! The archive: one niche per class, where every candidate competes by its whole vector of
//! log-odds (Nguyen, Yosinski & Clune 2015 keep one champion per class). Here a niche keeps
//! up to `capacity` elites, no two of them near-copies; how many, and what a near-copy is,
//! is our choice.

use std::collections::BTreeMap;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::odds::posterior_from_log_odds;

/// A candidate that an archive keeps.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Elite<G> {
    /// Number of the evaluation that found it, from 1.
    pub evaluation: u64,
    /// Evaluation number of its parent, if it was varied from one.
    pub parent: Option<u64>,
    /// Name of the emitter that proposed it.
    pub emitter: String,
    /// Name of the move that made it, if it was varied.
    pub made_by: Option<String>,
    /// One log-odds per class.
    pub log_odds: Vec<f64>,
    /// The genome.
    pub genome: G,
}

/// What a niche ranks by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ranking {
    /// The class' own log-odds; every candidate competes in every class.
    LogOdds,
    /// Sturm's rule: a candidate competes in its top class only, by the gap between the two
    /// highest posteriors (reported on his weblog, 3 April 2012).
    Gap,
}

impl Ranking {
    /// Rank of a candidate in the niche of `class` (higher is better); `None` if it does not
    /// compete there.
    pub fn quality(self, log_odds: &[f64], class: usize) -> Option<f64> {
        match self {
            Self::LogOdds => Some(log_odds[class]),
            Self::Gap => {
                let runner_up = log_odds
                    .iter()
                    .enumerate()
                    .filter(|&(other, _)| other != class)
                    .map(|(_, &value)| value)
                    .fold(f64::NEG_INFINITY, f64::max);
                (log_odds[class] > runner_up).then(|| {
                    posterior_from_log_odds(log_odds[class]) - posterior_from_log_odds(runner_up)
                })
            }
        }
    }
}

/// One niche per class, each with its elites, best first.
#[derive(Debug, Clone, PartialEq)]
pub struct Archive<G> {
    capacity: usize,
    min_distance: f64,
    ranking: Ranking,
    niches: Vec<Vec<Elite<G>>>,
}

/// The form of an archive in files: every elite once, and in the niches their evaluation
/// numbers. One elite may hold hundreds of niches.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written<E> {
    capacity: usize,
    min_distance: f64,
    ranking: Ranking,
    elites: Vec<E>,
    niches: Vec<Vec<u64>>,
}

impl<G: Serialize> Serialize for Archive<G> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let all = self.niches.iter().flatten();
        let elites: BTreeMap<u64, &Elite<G>> = all.map(|elite| (elite.evaluation, elite)).collect();
        let numbers = |niche: &Vec<Elite<G>>| niche.iter().map(|elite| elite.evaluation).collect();
        let written = Written {
            capacity: self.capacity,
            min_distance: self.min_distance,
            ranking: self.ranking,
            elites: elites.into_values().collect(),
            niches: self.niches.iter().map(numbers).collect(),
        };
        written.serialize(serializer)
    }
}

impl<'de, G: Clone + Deserialize<'de>> Deserialize<'de> for Archive<G> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let written = Written::<Elite<G>>::deserialize(deserializer)?;
        let Written { capacity, min_distance, ranking, elites, niches } = written;
        let elites: BTreeMap<u64, Elite<G>> =
            elites.into_iter().map(|elite| (elite.evaluation, elite)).collect();
        let elite = |number: &u64| {
            let found = elites.get(number).cloned();
            found.ok_or_else(|| D::Error::custom(format!("no elite of evaluation {number}")))
        };
        let whole = |elite: &&Elite<G>| {
            elite.log_odds.len() == niches.len() && elite.log_odds.iter().all(|v| v.is_finite())
        };
        if let Some(elite) = elites.values().find(|elite| !whole(elite)) {
            let number = elite.evaluation;
            return Err(D::Error::custom(format!("elite {number} has not one log-odds a niche")));
        }
        let niches = niches
            .iter()
            .map(|niche| niche.iter().map(elite).collect())
            .collect::<Result<_, _>>()?;
        Ok(Self { capacity, min_distance, ranking, niches })
    }
}

impl<G: Clone> Archive<G> {
    /// An empty archive of `classes` niches with up to `capacity` elites each, any two of a
    /// niche at least `min_distance` (in [0, 1]) apart.
    pub fn new(classes: usize, capacity: usize, min_distance: f64, ranking: Ranking) -> Self {
        Self { capacity, min_distance, ranking, niches: vec![Vec::new(); classes] }
    }

    /// Elites of `class`, best first.
    pub fn niche(&self, class: usize) -> &[Elite<G>] {
        &self.niches[class]
    }

    /// The elites of all niches; one that holds several comes once for each.
    pub fn elites(&self) -> impl Iterator<Item = &Elite<G>> {
        self.niches.iter().flatten()
    }

    /// Whether `other` keeps by the same rules as this archive.
    pub fn is_like(&self, other: &Self) -> bool {
        let rules = |archive: &Self| {
            (archive.classes(), archive.capacity, archive.min_distance, archive.ranking)
        };
        rules(self) == rules(other)
    }

    /// Number of niches.
    pub fn classes(&self) -> usize {
        self.niches.len()
    }

    /// The best elite of `class`.
    pub fn best(&self, class: usize) -> Option<&Elite<G>> {
        self.niches[class].first()
    }

    /// The highest log-odds of `class` among its elites. Under [`Ranking::Gap`] it need not be
    /// that of the best.
    pub fn record(&self, class: usize) -> Option<f64> {
        self.niches[class].iter().map(|elite| elite.log_odds[class]).max_by(f64::total_cmp)
    }

    /// The elites of `class` whose log-odds reach `threshold`, best first.
    pub fn reaching(&self, class: usize, threshold: f64) -> impl Iterator<Item = &Elite<G>> {
        self.niches[class].iter().filter(move |elite| elite.log_odds[class] >= threshold)
    }

    /// Lets `candidate` compete in every niche and returns the classes whose [record](Self::record)
    /// it raised.
    ///
    /// In a niche, a candidate that is nearer than `min_distance` to some elites enters only
    /// by beating all of them, and takes their place; otherwise it enters if there is room or
    /// if it beats the last. Equal quality never displaces: the earlier evaluation stays.
    pub fn insert(&mut self, candidate: &Elite<G>, distance: impl Fn(&G, &G) -> f64) -> Vec<usize> {
        let (ranking, min_distance) = (self.ranking, self.min_distance);
        // One elite may hold many niches: its distance is measured once.
        let mut known: BTreeMap<u64, bool> = BTreeMap::new();
        let mut near = |elite: &Elite<G>| {
            min_distance > 0.0
                && *known
                    .entry(elite.evaluation)
                    .or_insert_with(|| distance(&elite.genome, &candidate.genome) < min_distance)
        };
        let mut improved = Vec::new();
        for (class, niche) in self.niches.iter_mut().enumerate() {
            let Some(quality) = ranking.quality(&candidate.log_odds, class) else { continue };
            // An elite competes in its niche, so its quality there is always known.
            let beaten = |elite: &Elite<G>| {
                ranking.quality(&elite.log_odds, class).is_none_or(|kept| quality > kept)
            };
            if niche.len() == self.capacity && !niche.last().is_some_and(&beaten) {
                continue;
            }
            if niche.iter().any(|elite| near(elite) && !beaten(elite)) {
                continue;
            }
            if niche.iter().all(|elite| elite.log_odds[class] < candidate.log_odds[class]) {
                improved.push(class);
            }
            niche.retain(|elite| !near(elite));
            let position = niche.partition_point(|elite| !beaten(elite));
            niche.insert(position, candidate.clone());
            niche.truncate(self.capacity);
        }
        improved
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn elite(evaluation: u64, genome: f64, log_odds: &[f64]) -> Elite<f64> {
        Elite {
            evaluation,
            parent: None,
            emitter: "random".into(),
            made_by: None,
            log_odds: log_odds.to_vec(),
            genome,
        }
    }

    fn distance(a: &f64, b: &f64) -> f64 {
        (a - b).abs().min(1.0)
    }

    #[test]
    fn a_candidate_competes_in_every_class() {
        let mut archive = Archive::new(3, 2, 0.0, Ranking::LogOdds);
        assert_eq!(archive.insert(&elite(1, 0.0, &[1.0, 2.0, 3.0]), distance), [0, 1, 2]);
        assert_eq!(archive.insert(&elite(2, 0.5, &[0.0, 5.0, 3.0]), distance), [1]);
        assert_eq!(archive.best(1).map(|e| e.evaluation), Some(2));
        // Equal quality ranks behind the earlier evaluation.
        assert_eq!(archive.best(2).map(|e| e.evaluation), Some(1));
    }

    #[test]
    fn a_higher_log_odds_is_told_of_even_where_the_gap_ranks_it_lower() {
        let mut archive = Archive::new(2, 2, 0.0, Ranking::Gap);
        assert_eq!(archive.insert(&elite(1, 0.0, &[3.0, -9.0]), distance), [0]);
        assert_eq!(archive.insert(&elite(2, 0.5, &[5.0, 1.0]), distance), [0]);
        assert_eq!(archive.best(0).map(|e| e.evaluation), Some(1));
        assert_eq!(archive.record(0), Some(5.0));
        // A greater gap, but no higher log-odds.
        assert!(archive.insert(&elite(3, 0.7, &[4.0, -9.0]), distance).is_empty());
    }

    #[test]
    fn an_elite_of_many_niches_is_written_once() {
        let mut archive = Archive::new(500, 2, 0.0, Ranking::LogOdds);
        archive.insert(&elite(1, 0.25, &[1.0; 500]), distance);
        archive.insert(&elite(2, 0.5, &[0.5; 500]), distance);
        let text = serde_json::to_string(&archive).unwrap();
        assert_eq!(text.matches("genome").count(), 2);
        assert_eq!(serde_json::from_str::<Archive<f64>>(&text).unwrap(), archive);
        let damaged = text.replacen("[1,2]", "[1,3]", 1);
        let error = serde_json::from_str::<Archive<f64>>(&damaged).unwrap_err().to_string();
        assert!(error.contains("no elite of evaluation 3"), "{error}");
    }

    #[test]
    fn distances_are_measured_once_an_insertion_and_only_where_they_matter() {
        let measured = std::cell::Cell::new(0);
        let counted = |a: &f64, b: &f64| {
            measured.set(measured.get() + 1);
            distance(a, b)
        };
        let mut archive = Archive::new(500, 2, 0.1, Ranking::LogOdds);
        archive.insert(&elite(1, 0.25, &[1.0; 500]), counted);
        archive.insert(&elite(2, 0.5, &[2.0; 500]), counted);
        assert_eq!(measured.get(), 1);
        let mut archive = Archive::new(500, 2, 0.0, Ranking::LogOdds);
        archive.insert(&elite(1, 0.25, &[1.0; 500]), counted);
        archive.insert(&elite(2, 0.5, &[2.0; 500]), counted);
        assert_eq!(measured.get(), 1);
    }

    #[test]
    fn near_copies_replace_and_never_accumulate() {
        let mut archive = Archive::new(1, 3, 0.3, Ranking::LogOdds);
        archive.insert(&elite(1, 0.0, &[1.0]), distance);
        archive.insert(&elite(2, 0.1, &[0.5]), distance); // near and worse: refused
        archive.insert(&elite(3, 0.5, &[0.2]), distance); // apart: kept
        archive.insert(&elite(4, 0.1, &[2.0]), distance); // near and better: replaces 1
        let kept: Vec<u64> = archive.niche(0).iter().map(|e| e.evaluation).collect();
        assert_eq!(kept, [4, 3]);
        archive.insert(&elite(5, 0.3, &[9.0]), distance); // near both: takes both places
        assert_eq!(archive.niche(0).len(), 1);
    }

    #[test]
    fn a_full_niche_drops_its_last() {
        let mut archive = Archive::new(1, 2, 0.0, Ranking::LogOdds);
        for (evaluation, quality) in [(1, 1.0), (2, 3.0), (3, 2.0), (4, 0.5)] {
            archive.insert(&elite(evaluation, quality, &[quality]), distance);
        }
        let kept: Vec<u64> = archive.niche(0).iter().map(|e| e.evaluation).collect();
        assert_eq!(kept, [2, 3]);
    }

    #[test]
    fn gap_ranking_keeps_a_candidate_in_its_top_class_only() {
        let mut archive = Archive::new(2, 1, 0.0, Ranking::Gap);
        assert_eq!(archive.insert(&elite(1, 0.0, &[2.0, 1.9]), distance), [0]);
        // A higher posterior with a smaller gap does not win; a larger gap does.
        assert!(archive.insert(&elite(2, 0.1, &[3.0, 2.99]), distance).is_empty());
        archive.insert(&elite(3, 0.2, &[2.0, 0.0]), distance);
        assert_eq!(archive.best(0).map(|e| e.evaluation), Some(3));
        assert!(archive.niche(1).is_empty());
    }
}
