//! From a configuration to a problem: the one place where the victim's medium and the space are
//! chosen.
//!
//! Excerpts and images are of different types, so what is done with one is a [`ProblemVisitor`], which is
//! called with whatever was opened.

use std::path::Path;
use std::sync::atomic::AtomicBool;

use trompe_corpora::{Bank, Progress};

use super::Configuration;
use crate::audio::Excerpts;
use crate::error::{Error, Result};
use crate::exhibits::{Codec, Delivery, Origin};
use crate::image::{ImageSpace, PngCodec};
use crate::pipeline::scoring::{self, FileScorer};
use crate::pipeline::{image_spaces, open};
use crate::problem::{AudioFormat, Medium, Problem, Space, Victim, WithReference};
use crate::reference::Reference;

/// A victim of any kind that scores the inputs of `S`.
pub(crate) type AnyVictim<'a, S> = &'a dyn Victim<<S as crate::problem::Render>::Input>;

/// A problem, and what its exhibits need to become files.
pub(crate) struct Opened<'a, S: Space> {
    /// The configuration, its threshold filled in.
    pub(crate) configuration: &'a Configuration,
    /// What scores delivered files.
    pub(crate) scorer: &'a FileScorer<'a>,
    pub(crate) problem: Problem<S, AnyVictim<'a, S>>,
    pub(crate) codec: &'a dyn Codec<S::Input>,
    /// The loops of excerpts; `None` of images.
    pub(crate) bank: Option<&'a Bank>,
}

impl<S: Space> Opened<'_, S> {
    /// Why there are no levels although the model has a genuine reference, if so.
    pub(crate) fn no_levels(&self) -> Option<String> {
        let reference = self.scorer.reference()?;
        if self.problem.victim().reference().is_some() {
            return None;
        }
        Some(format!(
            "genuine items were scored as sound of another length ({} samples), and scores of other \
             lengths do not compare",
            reference.source().samples.unwrap_or(0)
        ))
    }

    /// What a fooling set says of itself.
    ///
    /// # Errors
    /// As [`Origin::of`].
    pub(crate) fn origin(&self) -> Result<Origin> {
        let search = &self.configuration.search;
        let generator = self.problem.space().describe();
        Origin::of(*self.problem.victim(), generator, search.seed, search.criterion())
    }

    /// How candidates become files, until `stop` is raised.
    pub(crate) fn delivery<'d>(&'d self, stop: &'d AtomicBool) -> Delivery<'d, S> {
        let Self { problem, codec, .. } = self;
        Delivery {
            space: problem.space(),
            victim: *problem.victim(),
            codec: *codec,
            stop: Some(stop),
        }
    }
}

/// What is done with a problem once it is open, be it of sound or of images.
pub(crate) trait ProblemVisitor {
    /// What comes of it.
    type Output;

    /// Does it.
    ///
    /// # Errors
    /// Whatever it meets.
    fn visit<S: Space>(self, opened: Opened<'_, S>) -> Result<Self::Output>;
}

/// Opens the problem that `configuration` describes, with the model at `model`, and hands it to
/// `visitor`.
///
/// # Errors
/// Whatever opening the model or the bank meets; [`crate::Error::Request`] for settings out
/// of range.
pub(crate) fn open<V: ProblemVisitor>(
    configuration: &Configuration,
    model: &Path,
    progress: &dyn Progress,
    visitor: V,
) -> Result<V::Output> {
    let model = open::model(model, progress)?;
    open_by(configuration, &FileScorer::new(&model)?, progress, visitor)
}

/// The same for the victim of `scorer`, which is open already.
///
/// # Errors
/// As [`open`].
pub(crate) fn open_by<V: ProblemVisitor>(
    configuration: &Configuration,
    scorer: &FileScorer<'_>,
    progress: &dyn Progress,
    visitor: V,
) -> Result<V::Output> {
    let mut configuration = configuration.clone();
    if configuration.search.level.is_none() {
        let default = scorer.posterior_kind().default_threshold();
        configuration.search.threshold.get_or_insert(default);
    }
    let configuration = &configuration;
    match scorer.victim() {
        scoring::AnyVictim::Audio(victim, codec, _) => {
            configuration.check_options(Medium::Audio)?;
            if configuration.named_here {
                open::unambiguous(&configuration.bank)?;
            }
            let bank = open::bank(&configuration.bank, codec.sample_rate, progress)?;
            let space = Excerpts::new(&bank, &configuration.composition)?;
            let reference = of_length(scorer.reference(), space.format(), configuration)?;
            let listener = WithReference::new(victim, reference);
            let victim: AnyVictim<'_, Excerpts<'_>> = &listener;
            let problem = Problem::new(space, victim)?;
            let bank = Some(&bank);
            visitor.visit(Opened { configuration, scorer, problem, codec: &codec, bank })
        }
        scoring::AnyVictim::Image(victim, shape, mean) => {
            configuration.check_options(Medium::Image)?;
            let victim = &WithReference::new(victim, scorer.reference());
            let Configuration { image: settings, descriptor, .. } = configuration;
            let space = image_spaces::open(settings, *descriptor, shape, mean, progress)?;
            let victim: AnyVictim<'_, ImageSpace> = victim;
            let problem = Problem::new(space, victim)?;
            let codec = &PngCodec;
            visitor.visit(Opened { configuration, scorer, problem, codec, bank: None })
        }
    }
}

/// The genuine reference of a victim of sound, if its items have the length of excerpts: scores of
/// other lengths do not compare.
///
/// # Errors
/// [`Error::Request`] if they have not, and a level was asked for.
fn of_length<'m>(
    reference: Option<&'m Reference>,
    excerpts: AudioFormat,
    configuration: &Configuration,
) -> Result<Option<&'m Reference>> {
    let Some(reference) = reference else { return Ok(None) };
    match reference.source().samples {
        Some(samples) if samples != excerpts.samples => {
            if configuration.search.level.is_some() {
                return Err(Error::request(
                    format!("a level: {}", other_length(reference, excerpts)),
                    "compose excerpts of that length (--seconds), or ask for a posterior",
                ));
            }
            Ok(None)
        }
        _ => Ok(Some(reference)),
    }
}

/// That genuine items and excerpts differ in length, in words.
fn other_length(reference: &Reference, excerpts: AudioFormat) -> String {
    let seconds = |samples: usize| samples as f64 / f64::from(excerpts.sample_rate);
    format!(
        "genuine items were scored as {:.1} s of sound, excerpts last {:.1} s, and scores of other \
         lengths do not compare",
        seconds(reference.source().samples.unwrap_or(0)),
        seconds(excerpts.samples)
    )
}
