//! Retraining with a fooling class (Nguyen, Yosinski & Clune 2015): a classifier is
//! trained and fooled, what fooled it becomes an additional class, and so on. Sound and images
//! go through the same rounds.

mod excerpts;
mod images;

use serde::{Deserialize, Serialize};
use trompe_corpora::Progress;

pub use excerpts::ExcerptSubject;
pub use images::ImageSubject;

use trompe_base::random::stream;

use crate::classifiers::posterior_from_log_odds;
use crate::error::{Error, Result};
use crate::log_odds::label;
use crate::problem::{Problem, Space, Victim};
use crate::results::intervals::median;
use crate::search::{self, Search};

/// Name of the class that holds what fooled the classifiers before.
pub const FOOLING_CLASS: &str = "fooling";

/// RNG key of candidates that no search varied: the initial population of each search.
const FIRST_GENERATION: u64 = 0x7265_7472;

/// How many rounds, and how each is searched. The paper's numbers for MNIST are 15 rounds, 300
/// searches in the first and 50 in each later one; the defaults are ours and much smaller.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RetrainSettings {
    /// Classifiers to train and fool.
    pub rounds: usize,
    /// Independent searches of the first classifier.
    pub first_searches: usize,
    /// Independent searches of each later classifier.
    pub later_searches: usize,
    /// One search; its seed is that of the first.
    pub search: search::SearchSettings,
}

/// What a round came to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Round {
    /// Number of the round, from 1.
    pub round: usize,
    /// Examples of the fooling class that the classifier was trained on.
    pub fooling_examples: usize,
    /// Examples of all other classes.
    pub other_examples: usize,
    /// Share of test examples whose top class is another than theirs.
    pub test_error: f64,
    /// Median over classes and searches of the best posterior of candidates labelled with the
    /// class; 0 where there were none.
    pub median_posterior: f64,
    /// Share of classes and searches that reached the threshold with a candidate labelled with
    /// the class.
    pub reached: f64,
    /// Share of candidates that no search varied whose top class is the fooling class; `None`
    /// where there is none.
    pub recognized: Option<f64>,
}

/// A kind of classifier with its data: what is trained and fooled again and again.
pub trait Subject {
    /// A trained classifier.
    type Trained;
    /// What is trained on.
    type Example;

    /// Examples of the original classes that are trained on.
    fn examples(&self) -> usize;

    /// Trains a classifier on the original classes and on `fooling` as one more, if there are any.
    ///
    /// # Errors
    /// A fit that fails.
    fn train(&self, fooling: &[Self::Example], progress: &dyn Progress) -> Result<Self::Trained>;

    /// Share of the held-out examples whose top class is another than theirs.
    ///
    /// # Errors
    /// Examples that do not fit the classifier.
    fn test_error(&self, trained: &Self::Trained) -> Result<f64>;

    /// One search.
    ///
    /// # Errors
    /// As [`Search::step`].
    fn fool(
        &self,
        trained: &Self::Trained,
        settings: &search::SearchSettings,
    ) -> Result<Fooled<Self::Example>>;
}

/// What one search came to.
#[derive(Debug, Clone, PartialEq)]
pub struct Fooled<T> {
    /// Best log-odds of every original class, of the candidates labelled with it; negative
    /// infinity where there were none.
    pub best: Vec<f64>,
    /// As many candidates of the first generation as there are classes, then the champions of
    /// the last.
    pub examples: Vec<T>,
    /// How many of those of the first generation the classifier calls fooling.
    pub recognized: usize,
}

/// Trains and fools `subject` round after round; `finished` hears of each round.
///
/// # Errors
/// [`Error::Request`] for settings out of range; whatever training and fooling meet.
pub fn retrain<S: Subject>(
    subject: &S,
    settings: &RetrainSettings,
    progress: &dyn Progress,
    mut finished: impl FnMut(&Round) -> Result<()>,
) -> Result<Vec<Round>> {
    settings.search.validate()?;
    for (name, value) in [
        ("retrainings", settings.rounds),
        ("first-searches", settings.first_searches),
        ("later-searches", settings.later_searches),
    ] {
        if value == 0 {
            return Err(Error::request(format!("{name} = 0"), "give at least 1"));
        }
    }
    // Models that are trained in between have no genuine reference: posteriors alone.
    let limits = settings.search.criterion().limits(None)?;
    let mut fooling = Vec::new();
    let mut rounds = Vec::new();
    let mut seed = settings.search.seed;
    for round in 1..=settings.rounds {
        let trained = subject.train(&fooling, progress)?;
        let searches = if round == 1 { settings.first_searches } else { settings.later_searches };
        let (mut best, mut recognized, mut first) = (Vec::new(), 0, 0);
        let fooling_examples = fooling.len();
        for done in 0..searches {
            let stage = format!("round {round}: searches");
            progress.report(&stage, done as u64, searches as u64);
            let fooled = subject
                .fool(&trained, &search::SearchSettings { seed, ..settings.search.clone() })?;
            seed += 1;
            first += fooled.best.len();
            recognized += fooled.recognized;
            best.extend(fooled.best);
            fooling.extend(fooled.examples);
        }
        let reached = best.iter().filter(|&&log_odds| log_odds >= limits.of(0)).count();
        rounds.push(Round {
            round,
            fooling_examples,
            other_examples: subject.examples(),
            test_error: subject.test_error(&trained)?,
            median_posterior: posterior_from_log_odds(median(&best).unwrap_or(f64::NEG_INFINITY)),
            reached: reached as f64 / best.len().max(1) as f64,
            recognized: (fooling_examples > 0).then(|| recognized as f64 / first.max(1) as f64),
        });
        finished(&rounds[rounds.len() - 1])?;
    }
    Ok(rounds)
}

/// Searches `problem`, whose classifier has the `originals` first classes and perhaps the
/// fooling class.
fn fool<S: Space, V: Victim<S::Input>>(
    problem: &Problem<S, V>,
    originals: usize,
    settings: &search::SearchSettings,
) -> Result<Fooled<S::Input>> {
    let classes = problem.classes().len();
    let space = problem.space();
    let mut examples: Vec<S::Genome> = (0..originals)
        .map(|slot| space.sample(&mut stream(settings.seed, FIRST_GENERATION, 0, slot as u64)))
        .collect();
    let scores = problem.scores(&examples)?;
    let recognized = scores
        .chunks_exact(classes)
        .filter(|row| label(row).is_some_and(|label| label >= originals))
        .count();

    let mut settings = settings.clone();
    if settings.targets.is_empty() {
        // The fooling class can be a label, but is not searched for.
        settings.targets = problem.classes()[..originals].to_vec();
    }
    let mut search = Search::new(problem.by_ref(), &settings)?;
    while search.finished().is_none() {
        search.step()?;
    }
    let archive = &search.state().archive;
    let best =
        (0..originals).map(|class| archive.record(class).unwrap_or(f64::NEG_INFINITY)).collect();
    // One image may be the champion of several classes; it is one example all the same.
    let mut seen = std::collections::BTreeSet::new();
    let champions = (0..originals).filter_map(|class| archive.best(class));
    let champions = champions.filter(|elite| seen.insert(elite.evaluation));
    examples.extend(champions.map(|elite| elite.genome.clone()));
    let examples = examples.iter().map(|genome| space.render(genome)).collect();
    Ok(Fooled { best, examples, recognized })
}

#[cfg(test)]
mod tests;
