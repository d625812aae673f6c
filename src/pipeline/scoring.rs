//! Delivered files, scored by a victim of either medium: a model's file, or any other victim.

use std::path::Path;

use trompe_corpora::{Audio, Image, ImageShape};

use crate::audio::WavCodec;
use crate::dataset::extract::as_delivered;
use crate::error::{Error, Result};
use crate::exhibits::{Codec, score_file, score_input};
use crate::image::PngCodec;
use crate::log_odds::PosteriorKind;
use crate::pipeline::reference::SECONDS;
use crate::problem::{AudioFormat, Victim, VictimRecord, WithReference};
use crate::reference::Reference;
use crate::victims::{AnyModel, Scorer};

/// A victim with the codec of its medium and its genuine reference.
pub struct FileScorer<'v> {
    victim: OfMedium<'v>,
    reference: Option<&'v Reference>,
    model: Option<&'v AnyModel>,
}

/// A victim, by what it takes.
enum OfMedium<'v> {
    /// Sound, with the seconds of it that the victim is asked about.
    Audio(Box<dyn Victim<Audio> + 'v>, WavCodec, f64),
    Image(Box<dyn Victim<Image> + 'v>, ImageShape, Option<Vec<f32>>),
}

/// A victim of either medium, borrowed, without its reference.
pub(super) enum AnyVictim<'s> {
    /// It takes sound, and is asked about so many seconds.
    Audio(&'s dyn Victim<Audio>, WavCodec, f64),
    /// It takes images of this shape; the last is the image that gradient ascent starts from.
    Image(&'s dyn Victim<Image>, ImageShape, Option<&'s [f32]>),
}

impl<'v> FileScorer<'v> {
    /// # Errors
    /// [`crate::Error::Request`] if the model judges sound, but nothing says how its features are
    /// computed.
    pub fn new(model: &'v AnyModel) -> Result<Self> {
        let scorer = match model.scorer() {
            Scorer::Audio(scorer) => {
                let (victim, AudioFormat { sample_rate, .. }) = scorer.victim()?;
                Self::of_sound(victim, sample_rate, SECONDS, model.reference())
            }
            Scorer::Image(scorer) => Self::of_images(
                scorer.victim(),
                scorer.shape(),
                scorer.mean().map(<[f32]>::to_vec),
                model.reference(),
            ),
        };
        Ok(Self { model: Some(model), ..scorer })
    }

    /// Any victim of sound at `sample_rate` hertz. Probes last `seconds`, and files are cut to it, if
    /// the genuine items are not of another length.
    pub fn of_sound(
        victim: impl Victim<Audio> + 'v,
        sample_rate: u32,
        seconds: f64,
        reference: Option<&'v Reference>,
    ) -> Self {
        let codec = WavCodec { sample_rate };
        let victim = OfMedium::Audio(Box::new(victim), codec, seconds);
        Self { victim, reference, model: None }
    }

    /// Any victim of images of `shape`. Gradient ascent starts from `mean`, if there is one.
    pub fn of_images(
        victim: impl Victim<Image> + 'v,
        shape: ImageShape,
        mean: Option<Vec<f32>>,
        reference: Option<&'v Reference>,
    ) -> Self {
        let victim = OfMedium::Image(Box::new(victim), shape, mean);
        Self { victim, reference, model: None }
    }

    /// The victim alone.
    pub(super) fn victim(&self) -> AnyVictim<'_> {
        match &self.victim {
            OfMedium::Audio(victim, codec, seconds) => {
                AnyVictim::Audio(&**victim, *codec, *seconds)
            }
            OfMedium::Image(victim, shape, mean) => {
                AnyVictim::Image(&**victim, *shape, mean.as_deref())
            }
        }
    }

    /// The model that it is the scorer of, which runs keep a copy of; `None` of a victim that is no file.
    pub(super) fn model(&self) -> Option<&'v AnyModel> {
        self.model
    }

    /// The genuine items that scores are held against.
    pub fn reference(&self) -> Option<&'v Reference> {
        self.reference
    }

    /// Class names, in the order of the log-odds.
    pub fn classes(&self) -> &[String] {
        match &self.victim {
            OfMedium::Audio(victim, ..) => victim.classes(),
            OfMedium::Image(victim, ..) => victim.classes(),
        }
    }

    /// What kind of number its posterior is.
    pub fn posterior_kind(&self) -> PosteriorKind {
        match &self.victim {
            OfMedium::Audio(victim, ..) => victim.posterior_kind(),
            OfMedium::Image(victim, ..) => victim.posterior_kind(),
        }
    }

    /// [`Victim::fingerprint`].
    pub(super) fn fingerprint(&self) -> Option<String> {
        match &self.victim {
            OfMedium::Audio(victim, ..) => victim.fingerprint(),
            OfMedium::Image(victim, ..) => victim.fingerprint(),
        }
    }

    fn record(&self) -> VictimRecord {
        match &self.victim {
            OfMedium::Audio(victim, ..) => victim.record(),
            OfMedium::Image(victim, ..) => victim.record(),
        }
    }

    /// Name of what computes its scores, if not trompe itself.
    pub(super) fn runtime(&self) -> Option<String> {
        self.record().runtime.map(|runtime| runtime.name)
    }

    /// Whether it gives the same bits on every machine.
    pub(super) fn is_exact(&self) -> bool {
        self.record().runtime.is_none_or(|runtime| runtime.exact)
    }

    /// One log-odds per class of the file at `path`.
    ///
    /// # Errors
    /// As [`score_file`].
    pub fn score(&self, path: &Path) -> Result<Vec<f64>> {
        match &self.victim {
            OfMedium::Audio(victim, codec, _) => Ok(score_file(&**victim, codec, path)?.1),
            OfMedium::Image(victim, ..) => Ok(score_file(&**victim, &PngCodec, path)?.1),
        }
    }

    /// The same of sound as it would be delivered: 16 bits, and the length of the genuine items.
    ///
    /// # Errors
    /// As [`score_file`].
    pub(super) fn score_delivered(&self, path: &Path) -> Result<Vec<f64>> {
        let OfMedium::Audio(victim, codec, seconds) = &self.victim else { return self.score(path) };
        let cut = self.reference.and_then(|reference| reference.source().samples);
        let most = cut.unwrap_or((seconds * f64::from(codec.sample_rate)) as usize);
        let mut audio = codec.read(path)?;
        audio.samples = as_delivered(&audio.samples, most);
        score_input(&**victim, &audio).map_err(|error| match error {
            Error::Features(why) => Error::bad_file(path, why.to_string(), "give a longer file"),
            other => other,
        })
    }

    /// One calibrated posterior per class for these log-odds, if the victim is calibrated.
    pub(super) fn calibrated(&self, log_odds: &[f64]) -> Option<Vec<f64>> {
        let reference = self.reference;
        match &self.victim {
            OfMedium::Audio(victim, ..) => {
                WithReference::new(&**victim, reference).calibrated(log_odds)
            }
            OfMedium::Image(victim, ..) => {
                WithReference::new(&**victim, reference).calibrated(log_odds)
            }
        }
    }

    /// The victim's embedding of the file at `path`; empty if it has none.
    ///
    /// # Errors
    /// As [`Codec::read`] and [`Victim::observe`].
    pub(super) fn embedding(&self, path: &Path) -> Result<Vec<f32>> {
        let observed = match &self.victim {
            OfMedium::Audio(victim, codec, _) => victim.observe(&[codec.read(path)?])?,
            OfMedium::Image(victim, ..) => victim.observe(&[PngCodec.read(path)?])?,
        };
        Ok(observed.embeddings.into_iter().next().unwrap_or_default())
    }

    /// [`Victim::out_of_reach`] of the file at `path`.
    ///
    /// # Errors
    /// As [`Codec::read`] and [`Victim::out_of_reach`].
    pub(super) fn out_of_reach(&self, path: &Path) -> Result<Option<bool>> {
        match &self.victim {
            OfMedium::Audio(victim, codec, _) => victim.out_of_reach(&codec.read(path)?),
            OfMedium::Image(victim, ..) => victim.out_of_reach(&PngCodec.read(path)?),
        }
    }
}
