//! The loop: ask, score, insert, tell. One call of [`Search::step`] is one generation.

use serde::{Deserialize, Serialize};
use trompe_base::random::stream;

use super::archive::{Archive, Elite, Ranking, Rules};
use super::emitters::{Emitter, EmitterContext, Evaluated, MAX_COUNT, Proposal};
use super::settings::{EmitterSettings, SearchSettings};
use super::trace::Improvement;
use crate::error::{Error, Result};
use crate::log_odds::{Labelling, posterior_from_log_odds};
use crate::problem::{Problem, Space, Victim, score_all};

/// Spare places of a niche for elites below the threshold, from which a climb can start.
const SPARE_PLACES: usize = 5;

/// Everything a search knows between two generations: what a checkpoint keeps.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, bound(deserialize = "G: Clone + Deserialize<'de>"))]
pub struct State<G> {
    /// Generations done.
    pub generation: u64,
    /// Evaluations done.
    pub evaluations: u64,
    /// The elites.
    pub archive: Archive<G>,
    /// The emitter's state.
    pub emitter: Emitter<G>,
}

impl<G: Clone + PartialEq> State<G> {
    /// Checks a state that may have been read from a file, and says what is wrong with it.
    fn check<S, V>(&self, problem: &Problem<S, V>, settings: &SearchSettings) -> Result<(), String>
    where
        S: Space<Genome = G>,
        V: Victim<S::Input>,
    {
        let (classes, moves) = (problem.classes().len(), problem.space().moves().len());
        if self.archive.classes() != classes {
            return Err(format!("{} niches for {classes} classes", self.archive.classes()));
        }
        let rules = rules(problem, settings).map_err(|error| error.to_string())?;
        if *self.archive.rules() != rules {
            return Err("its archive has other rules than the settings".to_owned());
        }
        if !self.emitter.fits(&settings.emitter, classes, moves) {
            return Err("its emitter has other settings".to_owned());
        }
        if self.generation.max(self.evaluations) >= MAX_COUNT {
            return Err("its counters are out of range".to_owned());
        }
        let of_emitter = self.emitter.genomes().into_iter();
        let mut genomes = self.archive.elites().map(|elite| &elite.genome).chain(of_emitter);
        genomes.try_for_each(|genome| problem.space().check(genome))
    }
}

/// What the archive of a search with these settings keeps.
fn rules<S: Space, V: Victim<S::Input>>(
    problem: &Problem<S, V>,
    settings: &SearchSettings,
) -> Result<Rules> {
    let labelling = problem.victim().posterior_kind().labelling();
    if labelling == Labelling::Multi && settings.ranking == Ranking::Gap {
        return Err(Error::request(
            "ranking by the gap to the next class, of a victim whose tags do not exclude each other",
            "leave out --gap",
        ));
    }
    Ok(Rules {
        capacity: settings.exhibits + SPARE_PLACES,
        min_distance: settings.min_distance,
        ranking: settings.ranking,
        threshold: settings.criterion().limits(problem.victim().reference())?,
        labelling,
    })
}

/// For each class of `problem`, whether it is searched for: a target, and one in which a level is
/// defined where one is asked for.
///
/// # Errors
/// As [`SearchSettings::targeted`] and [`Criterion::limits`](crate::reference::Criterion::limits);
/// [`Error::Request`] naming a target without a level.
pub fn searched<S: Space, V: Victim<S::Input>>(
    problem: &Problem<S, V>,
    settings: &SearchSettings,
) -> Result<Vec<bool>> {
    let classes = problem.classes();
    let limits = settings.criterion().limits(problem.victim().reference())?;
    let targeted = settings.targeted(classes)?;
    let undefined = |class: &usize| targeted[*class] && !limits.is_defined(*class);
    if !settings.targets.is_empty()
        && let Some(class) = (0..classes.len()).find(undefined)
    {
        return Err(Error::request(
            format!("target '{}' has too few groups of genuine items for a level", classes[class]),
            "leave it out, or ask for a posterior with --threshold",
        ));
    }
    Ok(targeted.iter().enumerate().map(|(class, &is)| is && limits.is_defined(class)).collect())
}

/// Why a search has nothing left to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Finished {
    /// Every class has the exhibits that were asked for.
    AllClasses,
    /// The budget is spent.
    Budget,
}

/// A search under way. It owns its problem; [`Problem::by_ref`] makes one of references.
pub struct Search<S: Space, V> {
    problem: Problem<S, V>,
    settings: SearchSettings,
    targeted: Vec<bool>,
    state: State<S::Genome>,
}

/// Candidates that wait for their scores: what [`Search::ask`] gives and [`Search::tell`] takes.
pub struct Asked<G> {
    proposals: Vec<Proposal<G>>,
    /// The emitter after it was asked.
    emitter: Emitter<G>,
    /// The generation that they belong to.
    generation: u64,
}

impl<G> Asked<G> {
    /// The genomes to score, in order.
    pub fn genomes(&self) -> impl ExactSizeIterator<Item = &G> {
        self.proposals.iter().map(|proposal| &proposal.genome)
    }
}

impl<S: Space, V: Victim<S::Input>> Search<S, V> {
    /// A search that has not begun.
    ///
    /// # Errors
    /// As [`Search::resume`].
    pub fn new(problem: Problem<S, V>, settings: &SearchSettings) -> Result<Self> {
        let classes = problem.classes().len();
        let archive = Archive::new(classes, rules(&problem, settings)?);
        let emitter = Emitter::new(&settings.emitter, classes, problem.space().moves().len());
        Self::resume(problem, settings, State { generation: 0, evaluations: 0, archive, emitter })
    }

    /// A search that continues from `state`.
    ///
    /// # Errors
    /// As [`SearchSettings::validate`] and [`SearchSettings::targeted`]; [`Error::Request`] for gradient
    /// ascent on a problem without a gradient, and for a state that no search of these settings
    /// can have reached, or with a genome that [`Space::check`] refuses.
    pub fn resume(
        problem: Problem<S, V>,
        settings: &SearchSettings,
        state: State<S::Genome>,
    ) -> Result<Self> {
        settings.validate()?;
        if let EmitterSettings::GradientAscent(_) = settings.emitter {
            let start = problem.space().sample(&mut stream(settings.seed, 0, 0, 0));
            if problem.ascend(&start, 0).is_none() {
                return Err(Error::request(
                    "gradient ascent, but this generator or model has no gradient",
                    "choose another emitter",
                ));
            }
        }
        if let Err(what) = state.check(&problem, settings) {
            return Err(Error::request(
                format!("invalid checkpoint: {what}"),
                "start the run again in another folder",
            ));
        }
        Ok(Self {
            targeted: searched(&problem, settings)?,
            problem,
            settings: settings.clone(),
            state,
        })
    }

    /// What is searched.
    pub fn problem(&self) -> &Problem<S, V> {
        &self.problem
    }

    /// What is known so far.
    pub fn state(&self) -> &State<S::Genome> {
        &self.state
    }

    /// What is known in the end.
    pub fn into_state(self) -> State<S::Genome> {
        self.state
    }

    /// Whether the class is one that is searched for.
    pub fn is_target(&self, class: usize) -> bool {
        self.targeted[class]
    }

    /// For each class, whether it still wants exhibits.
    pub fn open_classes(&self) -> Vec<bool> {
        (0..self.state.archive.classes())
            .map(|class| {
                let reaching = self.state.archive.reaching(class).count();
                self.targeted[class] && reaching < self.settings.exhibits
            })
            .collect()
    }

    /// Why nothing is left to do, if so.
    pub fn finished(&self) -> Option<Finished> {
        if !self.settings.whole_budget && !self.open_classes().contains(&true) {
            Some(Finished::AllClasses)
        } else if self.state.evaluations >= self.settings.budget {
            Some(Finished::Budget)
        } else {
            None
        }
    }

    /// Runs one generation and returns the improvements of a class' record, in the order of
    /// evaluation.
    ///
    /// # Errors
    /// As [`Problem::scores`]; the state is then that of before.
    pub fn step(&mut self) -> Result<Vec<Improvement>> {
        let asked = self.ask();
        let space = self.problem.space();
        let render = |proposal: &Proposal<S::Genome>| space.render(&proposal.genome);
        let scores = score_all(self.problem.victim(), &asked.proposals, render)?;
        self.tell(asked, &scores)
    }

    /// The candidates of the next generation, for callers that score them elsewhere. The last
    /// generation is cut to the budget. The state changes only when they are told.
    pub fn ask(&self) -> Asked<S::Genome> {
        let mut open = self.open_classes();
        if !open.contains(&true) {
            // What is left of the budget goes to all that are searched for.
            open.clone_from(&self.targeted);
        }
        let mut emitter = self.state.emitter.clone();
        let context = EmitterContext {
            archive: &self.state.archive,
            seed: self.settings.seed,
            generation: self.state.generation,
            open: &open,
        };
        let mut proposals = emitter.ask(&self.problem, &context);
        let left = self.settings.budget.saturating_sub(self.state.evaluations);
        proposals.truncate(usize::try_from(left).unwrap_or(usize::MAX));
        Asked { proposals, emitter, generation: self.state.generation }
    }

    /// Takes the scores of the candidates last asked for, one log-odds per class and candidate
    /// row by row, and returns the improvements of a class' record.
    ///
    /// # Errors
    /// [`Error::Request`] if the candidates are of another generation, the number of scores is not
    /// that of the candidates times the classes, or one is not finite; the state is then that of
    /// before.
    pub fn tell(&mut self, asked: Asked<S::Genome>, scores: &[f64]) -> Result<Vec<Improvement>> {
        let Asked { proposals, mut emitter, generation } = asked;
        if generation != self.state.generation {
            return Err(Error::request(
                format!("scores of generation {generation}, not of {}", self.state.generation),
                "tell the scores of the candidates last asked for, once",
            ));
        }
        let classes = self.problem.classes().len();
        if scores.len() != proposals.len() * classes {
            return Err(Error::request(
                format!(
                    "{} scores for {} candidates and {classes} classes",
                    scores.len(),
                    proposals.len()
                ),
                "give one score per candidate and class",
            ));
        }
        if let Some(score) = scores.iter().find(|score| !score.is_finite()) {
            return Err(Error::request(
                format!("a score of {score}"),
                "give finite log-odds; leave out what cannot be scored",
            ));
        }
        let first = self.state.evaluations + 1;
        let evaluated: Vec<Evaluated<'_, S::Genome>> = proposals
            .iter()
            .zip(scores.chunks_exact(classes))
            .zip(first..)
            .map(|((proposal, log_odds), evaluation)| Evaluated { evaluation, proposal, log_odds })
            .collect();
        let improvements = evaluated.iter().flat_map(|one| self.insert(one)).collect();
        emitter.tell(&evaluated, self.state.archive.rules());
        self.state.evaluations += evaluated.len() as u64;
        self.state.generation += 1;
        self.state.emitter = emitter;
        Ok(improvements)
    }

    fn insert(&mut self, evaluated: &Evaluated<'_, S::Genome>) -> Vec<Improvement> {
        let Proposal { genome, parent, made_by, .. } = evaluated.proposal;
        let space = self.problem.space();
        let elite = Elite {
            evaluation: evaluated.evaluation,
            parent: *parent,
            emitter: self.settings.emitter.name().to_owned(),
            made_by: made_by.map(|id| space.moves()[id].to_owned()),
            log_odds: evaluated.log_odds.to_vec(),
            genome: genome.clone(),
        };
        let raised = self.state.archive.insert(&elite, |a, b| space.distance(a, b));
        let improvement = |class: usize| Improvement {
            evaluation: elite.evaluation,
            class,
            log_odds: elite.log_odds[class],
            posterior: posterior_from_log_odds(elite.log_odds[class]),
            emitter: elite.emitter.clone(),
            made_by: elite.made_by.clone(),
            parent: elite.parent,
        };
        raised.into_iter().map(improvement).collect()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::search::toy::{Toy, ToySearch};

    fn settings(emitter: &str) -> SearchSettings {
        SearchSettings {
            budget: 3_000,
            min_distance: 0.1,
            emitter: EmitterSettings::by_name(emitter).unwrap(),
            ..SearchSettings::default()
        }
    }

    fn run(search: &mut ToySearch<'_>) -> Vec<Improvement> {
        let mut trace = Vec::new();
        while search.finished().is_none() {
            trace.extend(search.step().unwrap());
        }
        trace
    }

    #[test]
    fn the_climber_reaches_every_class_and_random_does_not() {
        let toy = Toy::of(5);
        let mut climber = Search::new(toy.by_ref(), &settings("climber")).unwrap();
        run(&mut climber);
        assert_eq!(climber.finished(), Some(Finished::AllClasses));
        let mut random = Search::new(toy.by_ref(), &settings("random")).unwrap();
        run(&mut random);
        assert_eq!(random.finished(), Some(Finished::Budget));
        assert_eq!(random.state().evaluations, 3_000);
        assert!(random.open_classes().contains(&true));
    }

    /// Every random candidate is at the threshold in the first class, under the label of the
    /// second: the class is open until a candidate carries its label.
    #[test]
    fn the_climber_reaches_a_class_whose_first_candidates_carry_another_label() {
        let toy = Toy::eclipsed();
        let mut search = Search::new(toy.by_ref(), &settings("climber")).unwrap();
        search.step().unwrap();
        let first = search.state().archive.best(0).unwrap();
        assert!(first.log_odds[0] > search.state().archive.rules().threshold.of(0));
        assert_eq!(search.open_classes(), [true, false]);
        run(&mut search);
        assert_eq!(search.finished(), Some(Finished::AllClasses));
        let reaching: Vec<_> = search.state().archive.reaching(0).collect();
        assert!(reaching.len() >= 3 && reaching.iter().all(|e| e.log_odds[0] > e.log_odds[1]));
    }

    #[test]
    fn the_climber_spends_nothing_on_a_class_that_has_its_exhibits() {
        let toy = Toy::of(5);
        let mut search = Search::new(toy.by_ref(), &settings("climber")).unwrap();
        search.step().unwrap();
        let mut closed = 0;
        while search.finished().is_none() {
            let open = search.open_classes().into_iter().filter(|&open| open).count();
            let before = search.state().evaluations;
            search.step().unwrap();
            assert_eq!(search.state().evaluations - before, 2 * open as u64);
            closed = closed.max(5 - open);
        }
        assert!(closed > 0, "some class is done before the others");
    }

    #[test]
    fn the_whole_budget_is_spent_where_that_is_asked_for() {
        let toy = Toy::of(5);
        for emitter in ["climber", "map-elites"] {
            let settings = SearchSettings { whole_budget: true, ..settings(emitter) };
            let mut search = Search::new(toy.by_ref(), &settings).unwrap();
            run(&mut search);
            assert_eq!(search.finished(), Some(Finished::Budget));
            assert_eq!(search.state().evaluations, 3_000);
        }
    }

    #[test]
    fn map_elites_beats_random() {
        let toy = Toy::of(5);
        let worst = |emitter| {
            let mut search = Search::new(toy.by_ref(), &settings(emitter)).unwrap();
            run(&mut search);
            let archive = &search.state().archive;
            (0..5).map(|c| archive.best(c).unwrap().log_odds[c]).fold(f64::INFINITY, f64::min)
        };
        assert!(worst("map-elites") > worst("random") + 1.0);
    }

    /// A search of a week keeps no more than one of a minute.
    #[test]
    fn the_state_does_not_grow_with_the_evaluations() {
        let toy = Toy::of(3);
        let size = |emitter: &str, budget: u64| {
            let settings =
                SearchSettings { budget, threshold: Some(0.999_999_9), ..settings(emitter) };
            let mut search = Search::new(toy.by_ref(), &settings).unwrap();
            run(&mut search);
            assert_eq!(search.state().evaluations, budget);
            serde_json::to_string(search.state()).unwrap().len()
        };
        for emitter in ["random", "map-elites", "climber"] {
            let (short, long) = (size(emitter, 4_000), size(emitter, 100_000));
            assert!(long < short + short / 5, "{emitter}: {short}, then {long} bytes");
        }
    }

    #[test]
    fn exhibits_of_a_class_are_no_near_copies() {
        let toy = Toy::of(3);
        let mut search = Search::new(toy.by_ref(), &settings("climber")).unwrap();
        run(&mut search);
        for class in 0..3 {
            let kept: Vec<_> = search.state().archive.reaching(class).collect();
            assert!(kept.len() >= 3);
            for (i, a) in kept.iter().enumerate() {
                for b in &kept[i + 1..] {
                    assert!(toy.space().distance(&a.genome, &b.genome) >= 0.1);
                }
            }
        }
    }

    #[test]
    fn threads_and_interruptions_change_nothing() {
        let toy = Toy::of(4);
        for emitter in ["random", "map-elites", "climber"] {
            let settings = SearchSettings { budget: 1_000, ..settings(emitter) };
            let mut outcomes = Vec::new();
            for threads in [1, 2, 7] {
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
                outcomes.push(pool.install(|| {
                    let mut search = Search::new(toy.by_ref(), &settings).unwrap();
                    let trace = run(&mut search);
                    (trace, search.state().clone())
                }));
            }
            // Through its serialized form and back after every generation.
            let mut search = Search::new(toy.by_ref(), &settings).unwrap();
            let mut trace = Vec::new();
            while search.finished().is_none() {
                let written = serde_json::to_string(search.state()).unwrap();
                let state = serde_json::from_str(&written).unwrap();
                search = Search::resume(toy.by_ref(), &settings, state).unwrap();
                trace.extend(search.step().unwrap());
            }
            outcomes.push((trace, search.state().clone()));
            assert!(outcomes.iter().all(|outcome| *outcome == outcomes[0]), "{emitter}");
        }
    }

    #[test]
    fn only_targets_are_searched_for() {
        let toy = Toy::of(4);
        let targets = vec![toy.classes()[2].clone()];
        let settings = SearchSettings { targets, ..settings("climber") };
        let mut search = Search::new(toy.by_ref(), &settings).unwrap();
        assert_eq!(search.open_classes(), [false, false, true, false]);
        run(&mut search);
        assert_eq!(search.finished(), Some(Finished::AllClasses));
        let settings = SearchSettings { targets: vec!["polka".into()], ..settings };
        let error = Search::new(toy.by_ref(), &settings).err().map(|error| error.to_string());
        assert!(error.is_some_and(|error| error.contains("polka") && error.contains("class 3")));
    }

    #[test]
    fn a_state_that_no_search_comes_to_is_refused() {
        let toy = Toy::of(3);
        for emitter in ["random", "map-elites", "climber"] {
            let settings = settings(emitter);
            let mut search = Search::new(toy.by_ref(), &settings).unwrap();
            search.step().unwrap();
            let good = serde_json::to_value(search.state()).unwrap();
            let resumed = |state: serde_json::Value| {
                let state: State<_> = serde_json::from_value(state).unwrap();
                Search::resume(toy.by_ref(), &settings, state).map(drop)
            };
            resumed(good.clone()).unwrap();
            let other = if emitter == "random" { "climber" } else { "random" };
            let other = Search::new(toy.by_ref(), &self::settings(other)).unwrap();
            for (key, value) in [
                ("generation", u64::MAX.into()),
                ("evaluations", u64::MAX.into()),
                ("emitter", serde_json::to_value(&other.state().emitter).unwrap()),
            ] {
                let mut state = good.clone();
                state[key] = value;
                assert!(resumed(state).is_err(), "{emitter}: {key}");
            }
            let two = Toy::of(2);
            let fewer = Search::new(two.by_ref(), &settings).unwrap();
            let fewer = serde_json::to_value(fewer.state()).unwrap();
            assert!(resumed(fewer).is_err(), "{emitter}: classes");
        }
    }

    #[test]
    fn a_budget_of_zero_is_refused() {
        let toy = Toy::of(2);
        let settings = SearchSettings { budget: 0, ..SearchSettings::default() };
        assert!(Search::new(toy.by_ref(), &settings).is_err());
    }
}
