//! A search in rounds of independent shards, so that any number of machines can share it.
//!
//! Every shard of a round starts from the same parents, the elites of all rounds before, and
//! searches alone with random streams of its own. A round ends when all its shards are there:
//! their elites compete in one archive, in the order of their evaluations. What comes out
//! depends on the set of shards alone: not on their order, nor on where, when or how often
//! each was computed.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};

use rand::Rng;
use serde::{Deserialize, Serialize};
use trompe_base::random::stream;
use trompe_base::words::counted;

use super::archive::{Archive, Elite};
use super::emitters::Emitter;
use super::engine::{Search, State};
use super::sealed::Sealed;
use super::settings::SearchSettings;
use super::trace::Improvement;
use crate::error::{Error, Result};
use crate::problem::{Problem, Space, Victim};

/// Key of the stream that gives a shard its seed; emitters have small numbers.
const STREAM: u64 = 1 << 33;

/// How a search is divided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rounds {
    /// Rounds, one after the other.
    pub rounds: u32,
    /// Shards of a round, in any order or at once.
    pub shards: u32,
    /// Evaluations of a shard.
    pub evaluations: u64,
}

/// Which shard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ShardId {
    /// Round, from 0.
    pub round: u32,
    /// Shard of the round, from 0.
    pub shard: u32,
}

/// What one shard found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, bound(deserialize = "G: Clone + Deserialize<'de>"))]
pub struct Shard<G> {
    /// Which shard it is.
    pub id: ShardId,
    /// [`Problem::fingerprint`] of what it searched.
    pub fingerprint: String,
    /// SHA-256 of the merged round it started from; empty in the first.
    pub parents: String,
    /// Its elites, those it started from among them.
    pub archive: Archive<G>,
    /// Each time it found a class' best, as far as it knew.
    pub improvements: Vec<Improvement>,
    /// Generations done in all rounds.
    pub generation: u64,
    /// Evaluations it did: those of the plan, or 0 where nothing was left to search for.
    pub evaluations: u64,
}

/// What all rounds so far found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, bound(deserialize = "G: Clone + Deserialize<'de>"))]
pub struct Merged<G> {
    /// Rounds that are in it.
    pub rounds: u32,
    /// [`Problem::fingerprint`] of what was searched.
    pub fingerprint: String,
    /// The elites of all of them.
    pub archive: Archive<G>,
    /// Improvements of the last of them, in the order of evaluation.
    pub improvements: Vec<Improvement>,
    /// Generations done in all rounds.
    pub generation: u64,
    /// Evaluations done in all rounds.
    pub evaluations: u64,
}

impl Rounds {
    /// Checks that there is something to do and that it can be numbered.
    ///
    /// # Errors
    /// [`Error::Request`] naming what is out of range.
    pub fn validate(&self) -> Result<()> {
        if self.rounds == 0 || self.shards == 0 || self.evaluations == 0 {
            return Err(Error::request(
                format!(
                    "{} of {} of {}",
                    counted(self.rounds, "round"),
                    counted(self.shards, "shard"),
                    counted(self.evaluations, "evaluation")
                ),
                "give at least 1 of each",
            ));
        }
        let shards = u64::from(self.rounds) * u64::from(self.shards);
        if shards.checked_mul(self.evaluations).is_none() {
            return Err(Error::request("more evaluations than can be counted", "plan fewer"));
        }
        Ok(())
    }

    /// Evaluations of all shards of all rounds.
    pub fn budget(&self) -> u64 {
        u64::from(self.rounds) * u64::from(self.shards) * self.evaluations
    }

    /// The shards of `round`.
    pub fn of(&self, round: u32) -> impl Iterator<Item = ShardId> + use<> {
        (0..self.shards).map(move |shard| ShardId { round, shard })
    }

    /// Evaluations that are numbered before those of `id`.
    fn evaluations_before(&self, id: ShardId) -> u64 {
        let shards = u64::from(id.round) * u64::from(self.shards) + u64::from(id.shard);
        shards * self.evaluations
    }
}

/// A divided search: what is searched, how, and in which parts.
pub struct Division<'a, S, V> {
    /// The problem.
    pub problem: &'a Problem<S, V>,
    /// The settings of the whole search.
    pub settings: &'a SearchSettings,
    /// Its parts.
    pub rounds: Rounds,
}

/// What a shard starts from: the rounds before it.
pub type Parents<G> = Sealed<Merged<G>>;

impl<S: Space, V: Victim<S::Input>> Division<'_, S, V> {
    /// What is known before the first round: nothing, whose SHA-256 is left empty.
    ///
    /// # Errors
    /// As [`Search::new`].
    pub fn nothing(&self) -> Result<Parents<S::Genome>> {
        let content = Merged {
            rounds: 0,
            fingerprint: self.problem.fingerprint()?,
            archive: self.empty()?,
            improvements: Vec::new(),
            generation: 0,
            evaluations: 0,
        };
        Ok(Sealed { content, sha256: String::new() })
    }

    fn empty(&self) -> Result<Archive<S::Genome>> {
        Ok(Search::new(self.problem.by_ref(), self.settings)?.into_state().archive)
    }

    /// Computes the shard `id`; `None` if `stop` was raised.
    ///
    /// The shard spends all its evaluations, unless its parents leave nothing to search for. Its
    /// seed is drawn from the run's under the key (round, shard), and its evaluations are
    /// numbered on from those of the shards before it, so that no two shards share a stream or
    /// a number.
    ///
    /// # Errors
    /// As [`Search::resume`] and [`Search::step`].
    pub fn compute(
        &self,
        id: ShardId,
        parents: &Parents<S::Genome>,
        stop: &AtomicBool,
        mut observe: impl FnMut(&Search<&S, &V>),
    ) -> Result<Option<Shard<S::Genome>>> {
        let (problem, first) = (self.problem, self.rounds.evaluations_before(id));
        let emitter = &self.settings.emitter;
        let state = State {
            generation: parents.content.generation,
            evaluations: first,
            archive: parents.content.archive.clone(),
            emitter: Emitter::new(emitter, problem.classes().len(), problem.space().moves().len()),
        };
        let mut search = Search::resume(problem.by_ref(), &self.settings_of(id), state)?;
        let wanted = self.settings.whole_budget || search.open_classes().contains(&true);
        let mut improvements = Vec::new();
        while wanted && search.finished().is_none() {
            if stop.load(Ordering::Relaxed) {
                return Ok(None);
            }
            improvements.extend(search.step()?);
            observe(&search);
        }
        let state = search.into_state();
        Ok(Some(Shard {
            id,
            fingerprint: problem.fingerprint()?,
            parents: parents.sha256.clone(),
            archive: state.archive,
            improvements,
            generation: state.generation,
            evaluations: state.evaluations - first,
        }))
    }

    /// The settings of one shard: a seed of its own, and its part of the budget to the end.
    fn settings_of(&self, id: ShardId) -> SearchSettings {
        let mut key = stream(self.settings.seed, STREAM, id.round.into(), id.shard.into());
        SearchSettings {
            seed: key.next_u64(),
            budget: self.rounds.evaluations_before(id) + self.rounds.evaluations,
            whole_budget: true,
            ..self.settings.clone()
        }
    }

    /// Lets the elites of all `shards` of the round after `parents` compete in one archive.
    ///
    /// # Errors
    /// [`Error::Request`] if a shard is missing, or two contradict each other.
    pub fn merge(
        &self,
        parents: &Merged<S::Genome>,
        shards: &[Shard<S::Genome>],
    ) -> Result<Merged<S::Genome>> {
        let shards = self.each_once(parents.rounds, shards)?;
        let mut elites: BTreeMap<u64, &Elite<S::Genome>> = BTreeMap::new();
        for elite in shards.iter().flat_map(|shard| shard.archive.elites()) {
            if elites.insert(elite.evaluation, elite).is_some_and(|other| other != elite) {
                return Err(Error::request(
                    format!("evaluation {} has two results", elite.evaluation),
                    "merge with --verify, which finds the shard that is wrong",
                ));
            }
        }
        let mut archive = self.empty()?;
        for elite in elites.into_values() {
            archive.insert(elite, |a, b| self.problem.space().distance(a, b));
        }
        Ok(Merged {
            rounds: parents.rounds + 1,
            fingerprint: parents.fingerprint.clone(),
            archive,
            improvements: improvements(parents, &shards),
            generation: shards.iter().map(|shard| shard.generation).max().unwrap_or(0),
            evaluations: parents.evaluations
                + shards.iter().map(|shard| shard.evaluations).sum::<u64>(),
        })
    }

    /// The shards of `round` in their order; the same one may be given several times.
    fn each_once<'s>(
        &self,
        round: u32,
        shards: &'s [Shard<S::Genome>],
    ) -> Result<Vec<&'s Shard<S::Genome>>> {
        let mut by_id: BTreeMap<ShardId, &Shard<S::Genome>> = BTreeMap::new();
        for shard in shards {
            if by_id.insert(shard.id, shard).is_some_and(|other| other != shard) {
                return Err(Error::request(
                    format!("shard {} is there twice, and not the same", shard.id.shard),
                    "remove one, and compute it again",
                ));
            }
        }
        if !by_id.keys().copied().eq(self.rounds.of(round)) {
            return Err(Error::request(
                format!(
                    "round {round} has not exactly its {}",
                    counted(self.rounds.shards, "shard")
                ),
                "compute those that are missing",
            ));
        }
        Ok(by_id.into_values().collect())
    }

    /// Checks a shard that someone else may have computed, or damaged, and says what is wrong.
    /// With `rescore`, every elite that is not of `parents` is scored again, to the bit.
    ///
    /// # Errors
    /// As [`Problem::scores`].
    pub fn check(
        &self,
        id: ShardId,
        parents: &Parents<S::Genome>,
        shard: &Shard<S::Genome>,
        rescore: bool,
    ) -> Result<Option<String>> {
        let known: BTreeMap<u64, &Elite<S::Genome>> =
            parents.content.archive.elites().map(|elite| (elite.evaluation, elite)).collect();
        let found: BTreeMap<u64, &Elite<S::Genome>> = shard
            .archive
            .elites()
            .filter(|elite| known.get(&elite.evaluation) != Some(elite))
            .map(|elite| (elite.evaluation, elite))
            .collect();
        let first = self.rounds.evaluations_before(id);
        let own = |evaluation: u64| (first + 1..=first + shard.evaluations).contains(&evaluation);
        let classes = self.problem.classes().len();
        let possible = |line: &Improvement| {
            line.class < classes && own(line.evaluation) && line.log_odds.is_finite()
        };
        let rules = [
            (shard.id == id, "it is another shard"),
            (
                shard.fingerprint == self.problem.fingerprint()?,
                "it was computed with another model, bank or setting",
            ),
            (
                shard.parents == parents.sha256,
                "it starts from another round than the one before it",
            ),
            (
                [0, self.rounds.evaluations].contains(&shard.evaluations),
                "it did not do the evaluations of the plan",
            ),
            (
                shard.archive.classes() == classes
                    && shard.archive.rules() == parents.content.archive.rules(),
                "its archive is not one of this run",
            ),
            (
                found.keys().all(|&evaluation| own(evaluation)),
                "it holds an elite that is neither its own nor of the round before",
            ),
            (shard.improvements.iter().all(possible), "it holds an invalid trace entry"),
        ];
        if let Some((_, what)) = rules.iter().find(|(holds, _)| !holds) {
            return Ok(Some((*what).to_owned()));
        }
        if !rescore {
            return Ok(None);
        }
        self.rescore(&found.into_values().collect::<Vec<_>>())
    }

    /// Scores elites again and names the first whose scores differ.
    fn rescore(&self, elites: &[&Elite<S::Genome>]) -> Result<Option<String>> {
        let genomes: Vec<S::Genome> = elites.iter().map(|elite| elite.genome.clone()).collect();
        if let Some(what) =
            genomes.iter().find_map(|genome| self.problem.space().check(genome).err())
        {
            return Ok(Some(format!("it holds an invalid genome: {what}")));
        }
        let scores = self.problem.scores(&genomes)?;
        let bits = |row: &[f64]| row.iter().map(|score| score.to_bits()).collect::<Vec<_>>();
        let mut rows = elites.iter().zip(scores.chunks_exact(self.problem.classes().len()));
        let other = rows.find(|(elite, row)| bits(&elite.log_odds) != bits(row));
        Ok(other.map(|(elite, _)| format!("evaluation {} scores otherwise now", elite.evaluation)))
    }
}

/// The improvements of the shards that are above all records known before them.
fn improvements<G: Clone>(parents: &Merged<G>, shards: &[&Shard<G>]) -> Vec<Improvement> {
    let classes = 0..parents.archive.classes();
    let mut records: Vec<Option<f64>> = classes.map(|c| parents.archive.record(c)).collect();
    let improvements = shards.iter().flat_map(|shard| &shard.improvements);
    let improves = |line: &&Improvement| {
        let better = records[line.class].is_none_or(|known| line.log_odds > known);
        if better {
            records[line.class] = Some(line.log_odds);
        }
        better
    };
    improvements.filter(improves).cloned().collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::search::settings::EmitterSettings;
    use crate::search::toy::{Cube, Peaks, Point, Toy};

    const ROUNDS: Rounds = Rounds { rounds: 3, shards: 4, evaluations: 150 };

    type ToyDivision<'a> = Division<'a, Cube, Peaks>;

    fn settings(emitter: &str) -> SearchSettings {
        SearchSettings {
            min_distance: 0.1,
            emitter: EmitterSettings::by_name(emitter).unwrap(),
            ..SearchSettings::default()
        }
    }

    fn division<'a>(toy: &'a Toy, settings: &'a SearchSettings) -> ToyDivision<'a> {
        Division { problem: toy, settings, rounds: ROUNDS }
    }

    fn shards(of: &ToyDivision<'_>, parents: &Parents<Point>) -> Vec<Shard<Point>> {
        let stop = AtomicBool::new(false);
        let compute = |id| of.compute(id, parents, &stop, |_| {}).unwrap().unwrap();
        ROUNDS.of(parents.content.rounds).map(compute).collect()
    }

    fn all(of: &ToyDivision<'_>) -> Merged<Point> {
        let mut parents = of.nothing().unwrap();
        for _ in 0..ROUNDS.rounds {
            let content = of.merge(&parents.content, &shards(of, &parents)).unwrap();
            parents = Sealed { content, sha256: "parents".into() };
        }
        parents.content
    }

    #[test]
    fn neither_order_nor_repetition_changes_what_is_merged() {
        let toy = Toy::of(4);
        for emitter in ["random", "map-elites", "climber"] {
            let settings = settings(emitter);
            let division = division(&toy, &settings);
            let nothing = division.nothing().unwrap();
            let shards = shards(&division, &nothing);
            let merged = division.merge(&nothing.content, &shards).unwrap();
            let stop = AtomicBool::new(false);
            let again = division.compute(shards[2].id, &nothing, &stop, |_| {}).unwrap().unwrap();
            let shuffled: Vec<_> = shards.iter().rev().cloned().chain([again]).collect();
            assert_eq!(division.merge(&nothing.content, &shuffled).unwrap(), merged);
            assert_eq!(merged.evaluations, 600);
        }
    }

    #[test]
    fn a_later_round_climbs_from_the_elites_of_all_shards_before() {
        let toy = Toy::of(5);
        let settings = SearchSettings { whole_budget: true, ..settings("climber") };
        let division = division(&toy, &settings);
        let nothing = division.nothing().unwrap();
        let first = shards(&division, &nothing);
        let merged = division.merge(&nothing.content, &first).unwrap();
        let end = all(&division);
        assert_eq!((end.rounds, end.evaluations), (3, ROUNDS.budget()));
        for class in 0..5 {
            let best = |archive: &Archive<Point>| archive.record(class).unwrap();
            let of_shards = first.iter().map(|shard| best(&shard.archive));
            assert_eq!(best(&merged.archive), of_shards.fold(f64::NEG_INFINITY, f64::max));
            assert!(best(&end.archive) > best(&merged.archive), "class {class}");
        }
        let numbers: Vec<u64> = end.improvements.iter().map(|line| line.evaluation).collect();
        assert!(!numbers.is_empty() && numbers.is_sorted());
        assert!(*numbers.first().unwrap() > 2 * 600 && *numbers.last().unwrap() <= ROUNDS.budget());
    }

    #[test]
    fn rounds_after_the_last_exhibit_cost_nothing() {
        let toy = Toy::of(2);
        let settings = SearchSettings { exhibits: 1, threshold: Some(0.5), ..settings("climber") };
        let end = all(&division(&toy, &settings));
        assert_eq!((end.rounds, end.evaluations), (3, 600));
    }

    #[test]
    fn a_missing_or_contradicting_shard_is_refused() {
        let toy = Toy::of(3);
        let settings = settings("random");
        let division = division(&toy, &settings);
        let nothing = division.nothing().unwrap();
        let mut shards = shards(&division, &nothing);
        let error = |shards: &[Shard<Point>]| {
            division.merge(&nothing.content, shards).unwrap_err().to_string()
        };
        assert!(error(&shards[1..]).contains("exactly its 4 shards"));
        let mut other = shards[1].clone();
        other.generation += 1;
        shards.push(other);
        assert!(error(&shards).contains("shard 1 is there twice"));
    }

    #[test]
    fn strangers_shards_are_found_out() {
        let toy = Toy::of(3);
        let settings = settings("map-elites");
        let division = division(&toy, &settings);
        let nothing = division.nothing().unwrap();
        let id = ShardId { round: 0, shard: 1 };
        let good = shards(&division, &nothing).swap_remove(1);
        let what = |shard: &Shard<Point>| {
            division.check(id, &nothing, shard, true).unwrap().unwrap_or_default()
        };
        assert_eq!(what(&good), "");
        let changed = |change: &dyn Fn(&mut serde_json::Value)| {
            let mut json = serde_json::to_value(&good).unwrap();
            change(&mut json);
            what(&serde_json::from_value(json).unwrap())
        };
        assert!(changed(&|json| json["id"]["shard"] = 2.into()).contains("another shard"));
        assert!(changed(&|json| json["fingerprint"] = "x".into()).contains("another model"));
        assert!(changed(&|json| json["parents"] = "y".into()).contains("another round"));
        assert!(changed(&|json| json["evaluations"] = 7.into()).contains("evaluations of"));
        assert!(
            changed(&|json| json["archive"]["rules"]["capacity"] = 9.into()).contains("archive")
        );
        let evaluation = |json: &mut serde_json::Value| {
            let text = json.to_string().replace("\"evaluation\":1", "\"evaluation\":9");
            *json = serde_json::from_str(&text).unwrap();
            for niche in json["archive"]["niches"].as_array_mut().unwrap() {
                *niche = serde_json::json!([]);
            }
            for labelled in json["archive"]["labelled"].as_array_mut().unwrap() {
                *labelled = serde_json::Value::Null;
            }
        };
        assert!(changed(&evaluation).contains("invalid trace entry"));
        let first = |json: &mut serde_json::Value, key: &str, by: f64| {
            let cell = &mut json["archive"]["elites"][0][key][0];
            *cell = (cell.as_f64().unwrap() + by).into();
        };
        assert!(changed(&|json| first(json, "log_odds", 1e-9)).contains("otherwise"));
        assert!(changed(&|json| first(json, "genome", 7.0)).contains("genome"));
    }
}
