//! Victims: trained classifiers, foreign nets, closures.

use std::time::{Duration, Instant};

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use sha2::{Digest, Sha256};
use trompe_base::encoding::hex;
use trompe_base::words::counted;
use trompe_corpora::Provenance;

use super::input::Input;
use crate::error::{Error, Result};
use crate::log_odds::PosteriorKind;
use crate::reference::Reference;

/// Log-odds of every class for silence that a victim cannot score: no class is likely, and all
/// are equal, so that silence has no label (our choice).
pub const SILENCE_SCORE: f64 = -100.0;

/// Kind of a victim that is a function of the caller's program, such as a Python callable: no file holds
/// it.
pub const CALLABLE: &str = "callable";

/// What a victim says of itself beside its classes and scores.
#[derive(Debug, Clone, PartialEq)]
pub struct VictimRecord {
    /// Name of its kind, such as `adaboost-mh`.
    pub kind: String,
    /// Name of the corpus that it was trained on.
    pub corpus: String,
    /// Where that corpus comes from.
    pub provenance: Provenance,
    /// The published data set that this is known of; `None` if it was stated.
    pub known_as: Option<String>,
    /// What computes its scores, if not trompe itself.
    pub runtime: Option<Runtime>,
}

/// What computes the scores of a foreign victim.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Runtime {
    /// Name and version.
    pub name: String,
    /// Whether it gives the same bits on every machine.
    pub exact: bool,
    /// Whether it was chosen in place of the victim's usual one: a run goes on with the same one only.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub chosen: bool,
}

impl Default for VictimRecord {
    /// A victim of which nothing is stated.
    fn default() -> Self {
        Self {
            kind: "custom".to_owned(),
            corpus: "not stated".to_owned(),
            provenance: Provenance::Unstated,
            known_as: None,
            runtime: None,
        }
    }
}

/// Log-odds of one class for one input, and how they change with it.
#[derive(Debug, Clone, PartialEq)]
pub struct Gradient {
    /// The log-odds.
    pub log_odds: f64,
    /// Their derivative by every value of the input.
    pub by_value: Vec<f32>,
}

/// What a victim makes of inputs.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Observed {
    /// As [`Victim::scores`].
    pub scores: Vec<f64>,
    /// For each input, the numbers by which the victim compares it with others: its mean feature vector, or
    /// the activations before the last layer of a net. Empty where it has none.
    pub embeddings: Vec<Vec<f32>>,
}

impl Observed {
    /// Adds what was made of more inputs.
    pub fn extend(&mut self, more: Self) {
        self.scores.extend(more.scores);
        self.embeddings.extend(more.embeddings);
    }
}

/// Gives every class of an input its log-odds. It knows no genome and no search.
pub trait Victim<I: Input>: Send + Sync {
    /// Class names, in the order of the log-odds.
    fn classes(&self) -> &[String];

    /// One finite log-odds per class and input, row by row. Called from several threads with up to
    /// [`Victim::batch_size`] inputs. The log-odds of an input must not depend on the inputs
    /// beside it, or runs cannot be reproduced.
    ///
    /// # Errors
    /// Whatever the victim fails on; [`Error::victim`] keeps a foreign cause.
    fn scores(&self, inputs: &[I]) -> Result<Vec<f64>>;

    /// The same scores, and an embedding of every input.
    ///
    /// # Errors
    /// As [`Victim::scores`].
    fn observe(&self, inputs: &[I]) -> Result<Observed> {
        let embeddings = vec![Vec::new(); inputs.len()];
        Ok(Observed { scores: self.scores(inputs)?, embeddings })
    }

    /// What inputs must be; `None` takes any.
    fn format(&self) -> Option<I::Format> {
        None
    }

    /// Which kind of posterior this is.
    fn posterior_kind(&self) -> PosteriorKind {
        PosteriorKind::Stated
    }

    /// Hash of everything that the log-odds depend on, in hexadecimal; `None` if nothing tells
    /// this victim from another one: runs of it can then be neither resumed nor verified.
    fn fingerprint(&self) -> Option<String> {
        None
    }

    /// What it is and what it was trained on, for manifests and reports.
    fn record(&self) -> VictimRecord {
        VictimRecord::default()
    }

    /// How many inputs are best scored in one call, at least 1.
    fn batch_size(&self) -> usize {
        1
    }

    /// Log-odds of `class` and their gradient for one input as real values (pixels in [0, 255]
    /// or samples in [-1, 1], which need not be rounded); `None` if the victim has none.
    fn gradient(&self, _values: &[f32], _class: usize) -> Option<Gradient> {
        None
    }

    /// Genuine items that the victim was not trained on, with its scores of them: what levels and
    /// calibrated posteriors are made of. [`WithReference`] gives a victim one.
    fn reference(&self) -> Option<&Reference> {
        None
    }

    /// One calibrated posterior per class for these log-odds, if the victim was calibrated.
    fn calibrated(&self, log_odds: &[f64]) -> Option<Vec<f64>> {
        self.reference()?.calibrated(log_odds)
    }

    /// Whether the victim's method has no answer for this input, so that its log-odds are a
    /// makeshift: sparse representation where no code comes as close as epsilon. `None` for
    /// methods that always have one.
    ///
    /// # Errors
    /// As [`Victim::scores`].
    fn out_of_reach(&self, _input: &I) -> Result<Option<bool>> {
        Ok(None)
    }
}

/// A pointer to a victim is one.
macro_rules! pointer_is_victim {
    ($pointer:ty) => {
        impl<I: Input, V: Victim<I> + ?Sized> Victim<I> for $pointer {
            fn classes(&self) -> &[String] {
                (**self).classes()
            }

            fn scores(&self, inputs: &[I]) -> Result<Vec<f64>> {
                (**self).scores(inputs)
            }

            fn observe(&self, inputs: &[I]) -> Result<Observed> {
                (**self).observe(inputs)
            }

            fn format(&self) -> Option<I::Format> {
                (**self).format()
            }

            fn posterior_kind(&self) -> PosteriorKind {
                (**self).posterior_kind()
            }

            fn fingerprint(&self) -> Option<String> {
                (**self).fingerprint()
            }

            fn record(&self) -> VictimRecord {
                (**self).record()
            }

            fn batch_size(&self) -> usize {
                (**self).batch_size()
            }

            fn gradient(&self, values: &[f32], class: usize) -> Option<Gradient> {
                (**self).gradient(values, class)
            }

            fn reference(&self) -> Option<&Reference> {
                (**self).reference()
            }

            fn calibrated(&self, log_odds: &[f64]) -> Option<Vec<f64>> {
                (**self).calibrated(log_odds)
            }

            fn out_of_reach(&self, input: &I) -> Result<Option<bool>> {
                (**self).out_of_reach(input)
            }
        }
    };
}

pointer_is_victim!(&V);
pointer_is_victim!(Box<V>);

/// A victim with a genuine reference beside it.
pub struct WithReference<'r, V> {
    victim: V,
    reference: Option<&'r Reference>,
}

impl<'r, V> WithReference<'r, V> {
    /// Puts `reference` beside `victim`; `None` leaves it as it is.
    pub fn new(victim: V, reference: Option<&'r Reference>) -> Self {
        Self { victim, reference }
    }
}

impl<I: Input, V: Victim<I>> Victim<I> for WithReference<'_, V> {
    fn classes(&self) -> &[String] {
        self.victim.classes()
    }

    fn scores(&self, inputs: &[I]) -> Result<Vec<f64>> {
        self.victim.scores(inputs)
    }

    fn observe(&self, inputs: &[I]) -> Result<Observed> {
        self.victim.observe(inputs)
    }

    fn format(&self) -> Option<I::Format> {
        self.victim.format()
    }

    fn posterior_kind(&self) -> PosteriorKind {
        self.victim.posterior_kind()
    }

    fn fingerprint(&self) -> Option<String> {
        self.victim.fingerprint()
    }

    fn record(&self) -> VictimRecord {
        self.victim.record()
    }

    fn batch_size(&self) -> usize {
        self.victim.batch_size()
    }

    fn gradient(&self, values: &[f32], class: usize) -> Option<Gradient> {
        self.victim.gradient(values, class)
    }

    fn reference(&self) -> Option<&Reference> {
        self.reference.or_else(|| self.victim.reference())
    }

    fn calibrated(&self, log_odds: &[f64]) -> Option<Vec<f64>> {
        let reference = self.reference.and_then(|reference| reference.calibrated(log_odds));
        reference.or_else(|| self.victim.calibrated(log_odds))
    }

    fn out_of_reach(&self, input: &I) -> Result<Option<bool>> {
        self.victim.out_of_reach(input)
    }
}

/// A closure as a victim: it gets one input and returns one log-odds per class.
///
/// ```
/// use trompe::corpora::Audio;
/// use trompe::problem::{Closure, Victim};
///
/// // "loud" is certain at full scale, "quiet" in silence.
/// let victim = Closure::new(["loud", "quiet"], |sound: &Audio| {
///     let peak = sound.samples.iter().fold(0.0_f32, |peak, sample| peak.max(sample.abs()));
///     let loud = f64::from(20.0 * peak - 10.0);
///     Ok::<_, std::io::Error>(vec![loud, -loud])
/// });
/// let silence = Audio { samples: vec![0.0; 100], sample_rate: 22_050 };
/// assert_eq!(victim.scores(&[silence]).unwrap(), [-10.0, 10.0]);
/// ```
pub struct Closure<F> {
    classes: Vec<String>,
    score: F,
    fingerprint: Option<String>,
}

impl<F> Closure<F> {
    /// A victim of these classes, whose log-odds `score` gives.
    pub fn new<C: Into<String>>(classes: impl IntoIterator<Item = C>, score: F) -> Self {
        let classes = classes.into_iter().map(Into::into).collect();
        Self { classes, score, fingerprint: None }
    }

    /// Names what the closure computes, so that its runs can be resumed: the text, whose hash is the
    /// fingerprint, must change whenever its log-odds would.
    #[must_use]
    pub fn with_fingerprint(mut self, text: impl AsRef<[u8]>) -> Self {
        self.fingerprint = Some(hex(&Sha256::digest(text)));
        self
    }
}

impl<I, F, E> Victim<I> for Closure<F>
where
    I: Input,
    F: Fn(&I) -> Result<Vec<f64>, E> + Send + Sync,
    E: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    fn classes(&self) -> &[String] {
        &self.classes
    }

    fn scores(&self, inputs: &[I]) -> Result<Vec<f64>> {
        let mut scores = Vec::with_capacity(inputs.len() * self.classes.len());
        for input in inputs {
            let row = (self.score)(input).map_err(Error::victim)?;
            check_row(&row, &self.classes)?;
            scores.extend(row);
        }
        Ok(scores)
    }

    fn fingerprint(&self) -> Option<String> {
        self.fingerprint.clone()
    }
}

/// One log-odds per class for each of `items`, row by row; `input` makes the input of one.
///
/// Batches have a fixed size and each gives its own rows, so the numbers do not depend on the
/// number of threads; of several errors the first in the order of the items is returned.
///
/// # Errors
/// What the victim fails on; [`Error::Request`] if it has no class; [`Error::Numeric`] if it gives another number of log-odds than one
/// per class and input, or one that is not finite.
pub fn score_all<T, I, V>(
    victim: &V,
    items: &[T],
    input: impl Fn(&T) -> I + Sync,
) -> Result<Vec<f64>>
where
    T: Sync,
    I: Input,
    V: Victim<I> + ?Sized,
{
    let classes = victim.classes();
    let scored = in_batches(victim, items, input, |inputs| {
        let scores = victim.scores(inputs)?;
        check_rows(&scores, inputs.len(), classes)?;
        Ok(scores)
    })?;
    Ok(scored.concat())
}

/// As [`score_all`], with embeddings.
///
/// # Errors
/// As [`score_all`].
pub fn observe_all<T, I, V>(
    victim: &V,
    items: &[T],
    input: impl Fn(&T) -> I + Sync,
) -> Result<Observed>
where
    T: Sync,
    I: Input,
    V: Victim<I> + ?Sized,
{
    let classes = victim.classes();
    let batches = in_batches(victim, items, input, |inputs| {
        let observed = victim.observe(inputs)?;
        check_rows(&observed.scores, inputs.len(), classes)?;
        Ok(observed)
    })?;
    let mut all = Observed::default();
    batches.into_iter().for_each(|batch| all.extend(batch));
    Ok(all)
}

/// What `work` makes of the inputs of `items`, batch by batch, in parallel.
fn in_batches<T, I, V, R>(
    victim: &V,
    items: &[T],
    input: impl Fn(&T) -> I + Sync,
    work: impl Fn(&[I]) -> Result<R> + Sync,
) -> Result<Vec<R>>
where
    T: Sync,
    I: Input,
    V: Victim<I> + ?Sized,
    R: Send,
{
    if victim.classes().is_empty() {
        return Err(Error::request("the victim has no class", "give it at least one"));
    }
    let batch = victim.batch_size().max(1);
    if items.len() <= batch {
        // One batch: its inputs are what can be made in parallel.
        return Ok(vec![work(&made(items, input))?]);
    }
    let one = |items: &[T]| work(&items.iter().map(&input).collect::<Vec<I>>());
    let batches: Vec<Result<R>> = items.par_chunks(batch).map(one).collect();
    batches.into_iter().collect()
}

/// Checks that there is one finite log-odds per class for each input.
fn check_rows(scores: &[f64], inputs: usize, classes: &[String]) -> Result<()> {
    if scores.len() != inputs * classes.len() {
        return Err(wrong_count(scores.len(), inputs, classes.len()));
    }
    scores.chunks_exact(classes.len()).try_for_each(|row| check_row(row, classes))
}

/// The input of each item: in parallel if the first shows that it is worth waking threads.
fn made<T: Sync, I: Send>(items: &[T], input: impl Fn(&T) -> I + Sync) -> Vec<I> {
    /// Work that takes no longer is done before another thread has begun.
    const WAKING: Duration = Duration::from_micros(50);
    let Some((first, others)) = items.split_first() else { return Vec::new() };
    let begun = Instant::now();
    let mut inputs = Vec::with_capacity(items.len());
    inputs.push(input(first));
    if begun.elapsed().as_secs_f64() * others.len() as f64 <= WAKING.as_secs_f64() {
        inputs.extend(others.iter().map(input));
    } else {
        inputs.par_extend(others.par_iter().map(&input));
    }
    inputs
}

/// Checks that there is one finite log-odds per class for one input.
///
/// # Errors
/// [`Error::Numeric`] if not.
pub(crate) fn check_row(row: &[f64], classes: &[String]) -> Result<()> {
    if row.len() != classes.len() {
        return Err(wrong_count(row.len(), 1, classes.len()));
    }
    match row.iter().position(|log_odds| !log_odds.is_finite()) {
        None => Ok(()),
        Some(class) => Err(Error::numeric(
            format!(
                "the classifier gave the log-odds {} for class '{}'",
                row[class], classes[class]
            ),
            "give every class a finite number; train the model again if trompe made it",
        )),
    }
}

fn wrong_count(found: usize, inputs: usize, classes: usize) -> Error {
    Error::numeric(
        format!(
            "the classifier gave {found} log-odds for {} and {}",
            counted(inputs, "input"),
            counted(classes, "class")
        ),
        "give one log-odds per class and input",
    )
}
