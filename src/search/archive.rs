//! The archive: one niche per class, where every candidate competes by its whole vector of
//! log-odds (Nguyen, Yosinski & Clune 2015 keep one champion per class). Here a niche keeps
//! up to `capacity` elites, no two of them near-copies; how many, and what a near-copy is,
//! is our choice.
//!
//! A class is *reached* by a candidate that the victim labels with it and whose log-odds are at
//! the threshold. Reaching elites rank before all others, so that a candidate with another
//! label never takes the place of one. The others stay because a search can start from them.
//! Victims of tags ([`Labelling::Multi`]) label a candidate with every tag: there the threshold decides alone.

use std::collections::BTreeMap;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::log_odds::{Labelling, label, lead, posterior_from_log_odds};
use crate::reference::Limits;

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

/// Whether a candidate with these log-odds reaches `class`: it carries its label, and its
/// log-odds are at the limit of the class.
pub fn reaches(log_odds: &[f64], class: usize, limits: &Limits, labelling: Labelling) -> bool {
    log_odds[class] >= limits.of(class) && labelling.lead(log_odds, class) > 0.0
}

/// What a niche ranks by, after whether the class is reached.
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
    /// Quality of a candidate in the niche of `class` (higher is better); `None` if it does not
    /// compete there.
    pub fn quality(self, log_odds: &[f64], class: usize) -> Option<f64> {
        match self {
            Self::LogOdds => Some(log_odds[class]),
            Self::Gap => {
                let runner_up = log_odds[class] - lead(log_odds, class);
                (log_odds[class] > runner_up).then(|| {
                    posterior_from_log_odds(log_odds[class]) - posterior_from_log_odds(runner_up)
                })
            }
        }
    }
}

/// What an archive keeps: the same for all its niches.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rules {
    /// Most elites of a niche.
    pub capacity: usize,
    /// Least distance between two elites of a niche, in [0, 1].
    pub min_distance: f64,
    /// What a niche ranks by, after whether the class is reached.
    pub ranking: Ranking,
    /// Log-odds from which a class is reached.
    pub threshold: Limits,
    /// How many classes the victim may name for one candidate.
    #[serde(default, skip_serializing_if = "Labelling::is_single")]
    pub labelling: Labelling,
}

impl Rules {
    /// Whether a candidate with these log-odds reaches `class`.
    pub fn reaches(&self, log_odds: &[f64], class: usize) -> bool {
        reaches(log_odds, class, &self.threshold, self.labelling)
    }

    /// Whether a candidate with this `label`, its class of the highest log-odds, is labelled with `class`.
    fn labels(&self, label: Option<usize>, class: usize) -> bool {
        self.labelling == Labelling::Multi || label == Some(class)
    }

    /// Place in the niche of `class` of a candidate with this label; `None` if it does not
    /// compete there.
    fn rank(&self, log_odds: &[f64], label: Option<usize>, class: usize) -> Option<Rank> {
        let quality = self.ranking.quality(log_odds, class)?;
        let reaches = self.labels(label, class) && log_odds[class] >= self.threshold.of(class);
        Some(Rank { reaches, quality })
    }
}

/// Place in a niche, compared field by field.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
struct Rank {
    reaches: bool,
    quality: f64,
}

/// The elites of a class, best first, with their ranks.
#[derive(Debug, Clone, PartialEq)]
struct Niche<G> {
    elites: Vec<Elite<G>>,
    ranks: Vec<Rank>,
}

impl<G: Clone> Niche<G> {
    /// Lets a candidate of this `rank` compete, where `near` tells near-copies of it.
    fn insert(
        &mut self,
        candidate: &Elite<G>,
        rank: Rank,
        capacity: usize,
        mut near: impl FnMut(&Elite<G>) -> bool,
    ) {
        if self.ranks.len() == capacity && self.ranks.last().is_some_and(|&last| rank <= last) {
            return;
        }
        let mut kept = self.elites.iter().zip(&self.ranks);
        if kept.any(|(elite, &kept)| rank <= kept && near(elite)) {
            return;
        }
        for place in (0..self.elites.len()).rev() {
            if near(&self.elites[place]) {
                self.elites.remove(place);
                self.ranks.remove(place);
            }
        }
        let place = self.ranks.partition_point(|&kept| rank <= kept);
        self.elites.insert(place, candidate.clone());
        self.ranks.insert(place, rank);
        self.elites.truncate(capacity);
        self.ranks.truncate(capacity);
    }
}

/// One niche per class, and beside it the candidate with the highest log-odds of all that were
/// labelled with the class.
#[derive(Debug, Clone, PartialEq)]
pub struct Archive<G> {
    rules: Rules,
    niches: Vec<Niche<G>>,
    labelled: Vec<Option<Elite<G>>>,
}

/// The form of an archive in files: every elite once, and in the niches their evaluation
/// numbers. One elite may hold hundreds of niches.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written<E> {
    rules: Rules,
    elites: Vec<E>,
    niches: Vec<Vec<u64>>,
    labelled: Vec<Option<u64>>,
}

impl<G: Serialize> Serialize for Archive<G> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let in_niches = self.niches.iter().flat_map(|niche| &niche.elites);
        let all = in_niches.chain(self.labelled.iter().flatten());
        let elites: BTreeMap<u64, &Elite<G>> = all.map(|elite| (elite.evaluation, elite)).collect();
        let numbers =
            |niche: &Niche<G>| niche.elites.iter().map(|elite| elite.evaluation).collect();
        let number = |elite: &Option<Elite<G>>| elite.as_ref().map(|elite| elite.evaluation);
        let written = Written {
            rules: self.rules.clone(),
            elites: elites.into_values().collect(),
            niches: self.niches.iter().map(numbers).collect(),
            labelled: self.labelled.iter().map(number).collect(),
        };
        written.serialize(serializer)
    }
}

impl<'de, G: Clone + Deserialize<'de>> Deserialize<'de> for Archive<G> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Written { rules, elites, niches, labelled } =
            Written::<Elite<G>>::deserialize(deserializer)?;
        if labelled.len() != niches.len() {
            return Err(D::Error::custom("it has not one labelled candidate a niche"));
        }
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
        let labelled: Vec<Option<Elite<G>>> = labelled
            .iter()
            .map(|number| number.as_ref().map(elite).transpose())
            .collect::<Result<_, _>>()?;
        let mut by_class = labelled.iter().enumerate();
        if let Some((class, _)) = by_class.find(|(class, elite)| {
            elite.as_ref().is_some_and(|elite| !rules.labels(label(&elite.log_odds), *class))
        }) {
            return Err(D::Error::custom(format!("class {class} is not the label it keeps")));
        }
        let ranked = |(class, numbers): (usize, &Vec<u64>)| {
            let elites: Vec<Elite<G>> = numbers.iter().map(elite).collect::<Result<_, _>>()?;
            let rank = |elite: &Elite<G>| {
                let rank = rules.rank(&elite.log_odds, label(&elite.log_odds), class);
                rank.ok_or_else(|| D::Error::custom(format!("class {class} has a foreign elite")))
            };
            let ranks = elites.iter().map(rank).collect::<Result<_, _>>()?;
            Ok(Niche { elites, ranks })
        };
        let niches = niches.iter().enumerate().map(ranked).collect::<Result<_, D::Error>>()?;
        Ok(Self { rules, niches, labelled })
    }
}

impl<G: Clone> Archive<G> {
    /// An empty archive of `classes` niches.
    pub fn new(classes: usize, rules: Rules) -> Self {
        let empty = Niche { elites: Vec::new(), ranks: Vec::new() };
        Self { rules, niches: vec![empty; classes], labelled: vec![None; classes] }
    }

    /// What it keeps.
    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    /// Elites of `class`, best first.
    pub fn niche(&self, class: usize) -> &[Elite<G>] {
        &self.niches[class].elites
    }

    /// All that it keeps; an elite that holds several niches comes once for each.
    pub fn elites(&self) -> impl Iterator<Item = &Elite<G>> {
        let in_niches = self.niches.iter().flat_map(|niche| &niche.elites);
        in_niches.chain(self.labelled.iter().flatten())
    }

    /// Number of niches.
    pub fn classes(&self) -> usize {
        self.niches.len()
    }

    /// The best elite of `class`, whatever its label.
    pub fn best(&self, class: usize) -> Option<&Elite<G>> {
        self.niches[class].elites.first()
    }

    /// Of all candidates labelled with `class`, the one with its highest log-odds.
    pub fn best_labelled(&self, class: usize) -> Option<&Elite<G>> {
        self.labelled[class].as_ref()
    }

    /// The highest log-odds of `class` among candidates labelled with it.
    pub fn record(&self, class: usize) -> Option<f64> {
        self.best_labelled(class).map(|elite| elite.log_odds[class])
    }

    /// The elites that reach `class`, best first.
    pub fn reaching(&self, class: usize) -> impl Iterator<Item = &Elite<G>> {
        let Niche { elites, ranks } = &self.niches[class];
        elites.iter().zip(ranks).filter(|(_, rank)| rank.reaches).map(|(elite, _)| elite)
    }

    /// Lets `candidate` compete in every niche. Returns the classes whose [record](Self::record) it
    /// raised: at most its label, or several tags.
    ///
    /// In a niche, a candidate that is nearer than `min_distance` to some elites enters only
    /// by beating all of them, and takes their place; otherwise it enters if there is room or
    /// if it beats the last. Equal rank never displaces: the earlier evaluation stays.
    pub fn insert(&mut self, candidate: &Elite<G>, distance: impl Fn(&G, &G) -> f64) -> Vec<usize> {
        let rules = &self.rules;
        // One elite may hold many niches: its distance is measured once.
        let mut known: BTreeMap<u64, bool> = BTreeMap::new();
        let mut near = |elite: &Elite<G>| {
            rules.min_distance > 0.0
                && *known.entry(elite.evaluation).or_insert_with(|| {
                    distance(&elite.genome, &candidate.genome) < rules.min_distance
                })
        };
        let label = label(&candidate.log_odds);
        for (class, niche) in self.niches.iter_mut().enumerate() {
            if let Some(rank) = rules.rank(&candidate.log_odds, label, class) {
                niche.insert(candidate, rank, rules.capacity, &mut near);
            }
        }
        let raises =
            |class: &usize| self.record(*class).is_none_or(|old| candidate.log_odds[*class] > old);
        let raised: Vec<usize> = match rules.labelling {
            Labelling::Single => label.filter(raises).into_iter().collect(),
            Labelling::Multi => (0..self.classes()).filter(raises).collect(),
        };
        for &class in &raised {
            self.labelled[class] = Some(candidate.clone());
        }
        raised
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

    /// An archive whose classes are reached at log-odds of 7.
    fn empty(classes: usize, capacity: usize, min_distance: f64, ranking: Ranking) -> Archive<f64> {
        Archive::new(
            classes,
            Rules {
                capacity,
                min_distance,
                ranking,
                threshold: Limits::Same(7.0),
                labelling: Labelling::Single,
            },
        )
    }

    fn kept(archive: &Archive<f64>, class: usize) -> Vec<u64> {
        archive.niche(class).iter().map(|elite| elite.evaluation).collect()
    }

    fn distance(a: &f64, b: &f64) -> f64 {
        (a - b).abs().min(1.0)
    }

    #[test]
    fn a_candidate_competes_in_every_class() {
        let mut archive = empty(3, 2, 0.0, Ranking::LogOdds);
        assert_eq!(archive.insert(&elite(1, 0.0, &[1.0, 2.0, 3.0]), distance), [2]);
        assert_eq!(archive.insert(&elite(2, 0.5, &[0.0, 5.0, 3.0]), distance), [1]);
        assert_eq!(archive.best(0).map(|e| e.evaluation), Some(1));
        assert_eq!(archive.best(1).map(|e| e.evaluation), Some(2));
        // Equal quality ranks behind the earlier evaluation.
        assert_eq!(archive.best(2).map(|e| e.evaluation), Some(1));
    }

    #[test]
    fn the_record_is_the_highest_log_odds_under_the_label_whatever_a_niche_ranks_by() {
        let mut archive = empty(2, 2, 0.0, Ranking::Gap);
        assert_eq!(archive.insert(&elite(1, 0.0, &[3.0, -9.0]), distance), [0]);
        assert_eq!(archive.insert(&elite(2, 0.5, &[5.0, 1.0]), distance), [0]);
        assert_eq!(archive.best(0).map(|e| e.evaluation), Some(1));
        assert_eq!(archive.record(0), Some(5.0));
        // A greater gap, but no higher log-odds.
        assert_eq!(archive.insert(&elite(3, 0.7, &[4.0, -9.0]), distance), [] as [usize; 0]);
        // No label, and the label of another class: no record of class 0 or 1.
        assert_eq!(archive.insert(&elite(4, 0.8, &[9.0, 9.0]), distance), [] as [usize; 0]);
        assert_eq!(archive.record(1), None);
    }

    #[test]
    fn tags_are_reached_by_their_threshold_alone() {
        let rules = Rules {
            labelling: Labelling::Multi,
            ..empty(3, 2, 0.0, Ranking::LogOdds).rules().clone()
        };
        let mut archive = Archive::new(3, rules);
        // Both of the first two tags, the lesser one, too.
        assert_eq!(archive.insert(&elite(1, 0.0, &[8.0, 7.5, 1.0]), distance), [0, 1, 2]);
        assert_eq!(archive.insert(&elite(2, 0.5, &[6.0, 7.6, 0.0]), distance), [1]);
        let reaching = |class| archive.reaching(class).map(|e| e.evaluation).collect::<Vec<_>>();
        assert_eq!([reaching(0), reaching(1), reaching(2)], [vec![1], vec![2, 1], vec![]]);
        let text = serde_json::to_string(&archive).unwrap();
        assert_eq!(serde_json::from_str::<Archive<f64>>(&text).unwrap(), archive);
        // Archives of labels are written as they always were.
        let single = serde_json::to_string(&empty(3, 2, 0.0, Ranking::LogOdds)).unwrap();
        assert!(!single.contains("labelling"));
    }

    #[test]
    fn a_record_stays_when_its_elite_has_left_the_niche() {
        let mut archive = empty(2, 1, 0.0, Ranking::LogOdds);
        assert_eq!(archive.insert(&elite(1, 0.0, &[2.0, 1.0]), distance), [0]);
        assert_eq!(archive.insert(&elite(2, 0.5, &[3.0, 4.0]), distance), [1]);
        assert_eq!(kept(&archive, 0), [2]);
        assert_eq!(archive.best_labelled(0).map(|e| e.evaluation), Some(1));
        assert_eq!(archive.insert(&elite(3, 0.7, &[1.5, 1.0]), distance), [] as [usize; 0]);
        let text = serde_json::to_string(&archive).unwrap();
        assert_eq!(serde_json::from_str::<Archive<f64>>(&text).unwrap(), archive);
        let forged = text.replacen("\"labelled\":[1,2]", "\"labelled\":[2,2]", 1);
        let error = serde_json::from_str::<Archive<f64>>(&forged).unwrap_err().to_string();
        assert!(error.contains("class 0 is not the label"), "{error}");
    }

    #[test]
    fn what_reaches_a_class_is_never_displaced_by_what_carries_another_label() {
        let mut archive = empty(2, 1, 0.3, Ranking::LogOdds);
        // At the threshold in both classes, labelled with the second.
        archive.insert(&elite(1, 0.0, &[8.0, 9.0]), distance);
        assert_eq!(archive.reaching(0).count(), 0);
        // Lower log-odds and a near-copy, but labelled with the first: it takes the place.
        archive.insert(&elite(2, 0.1, &[7.5, 7.0]), distance);
        assert_eq!((kept(&archive, 0), kept(&archive, 1)), (vec![2], vec![1]));
        // Higher log-odds under another label, near or far: refused.
        archive.insert(&elite(3, 0.1, &[99.0, 100.0]), distance);
        archive.insert(&elite(4, 0.9, &[99.0, 100.0]), distance);
        assert_eq!(kept(&archive, 0), [2]);
        // A tie is no label.
        archive.insert(&elite(5, 0.9, &[99.0, 99.0]), distance);
        assert_eq!(archive.reaching(0).map(|e| e.evaluation).collect::<Vec<_>>(), [2]);
    }

    #[test]
    fn an_elite_of_many_niches_is_written_once() {
        let mut archive = empty(500, 2, 0.0, Ranking::LogOdds);
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
        let mut archive = empty(500, 2, 0.1, Ranking::LogOdds);
        archive.insert(&elite(1, 0.25, &[1.0; 500]), counted);
        archive.insert(&elite(2, 0.5, &[2.0; 500]), counted);
        assert_eq!(measured.get(), 1);
        let mut archive = empty(500, 2, 0.0, Ranking::LogOdds);
        archive.insert(&elite(1, 0.25, &[1.0; 500]), counted);
        archive.insert(&elite(2, 0.5, &[2.0; 500]), counted);
        assert_eq!(measured.get(), 1);
    }

    #[test]
    fn near_copies_replace_and_never_accumulate() {
        let mut archive = empty(1, 3, 0.3, Ranking::LogOdds);
        archive.insert(&elite(1, 0.0, &[1.0]), distance);
        archive.insert(&elite(2, 0.1, &[0.5]), distance); // near and worse: refused
        archive.insert(&elite(3, 0.5, &[0.2]), distance); // apart: kept
        archive.insert(&elite(4, 0.1, &[2.0]), distance); // near and better: replaces 1
        assert_eq!(kept(&archive, 0), [4, 3]);
        archive.insert(&elite(5, 0.3, &[9.0]), distance); // near both: takes both places
        assert_eq!(archive.niche(0).len(), 1);
    }

    #[test]
    fn a_full_niche_drops_its_last() {
        let mut archive = empty(1, 2, 0.0, Ranking::LogOdds);
        for (evaluation, quality) in [(1, 1.0), (2, 3.0), (3, 2.0), (4, 0.5)] {
            archive.insert(&elite(evaluation, quality, &[quality]), distance);
        }
        assert_eq!(kept(&archive, 0), [2, 3]);
    }

    #[test]
    fn gap_ranking_keeps_a_candidate_in_its_top_class_only() {
        let mut archive = empty(2, 1, 0.0, Ranking::Gap);
        archive.insert(&elite(1, 0.0, &[2.0, 1.9]), distance);
        // A higher posterior with a smaller gap does not win; a larger gap does.
        archive.insert(&elite(2, 0.1, &[3.0, 2.99]), distance);
        assert_eq!(archive.best(0).map(|e| e.evaluation), Some(1));
        archive.insert(&elite(3, 0.2, &[2.0, 0.0]), distance);
        assert_eq!(archive.best(0).map(|e| e.evaluation), Some(3));
        assert!(archive.niche(1).is_empty());
    }
}
