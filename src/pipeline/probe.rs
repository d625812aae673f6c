//! What a model calls sounds and images without content, and genuine ones taken apart.

use std::path::Path;

use trompe_corpora::{Audio, Image, Limits, read_mono};

use super::scoring::{AnyVictim, FileScorer};
use crate::audio::probes as sounds;
use crate::dataset::extract::as_delivered;
use crate::error::Result;
use crate::exhibits::{Codec, score_input};
use crate::image::{PngCodec, probes as images};
use crate::problem::{Input, Victim};
use crate::results::{Answer, Probe};
use crate::victims::AnyModel;

/// Something genuine that can be taken apart.
pub(super) enum Genuine {
    /// A clip at the victim's sample rate.
    Sound(Audio),
    /// An image of the victim's shape.
    Image(Image),
}

/// A probe with its log-odds, one a class.
type Scored = (String, Vec<f64>);

/// What `model` calls probes of its medium, and the file at `genuine` taken apart. Without a file, the
/// item that was taken apart when the model's reference was made stands for it.
///
/// # Errors
/// Whatever reading the file or scoring meets.
pub fn probe(model: &AnyModel, genuine: Option<&Path>) -> Result<Vec<Probe>> {
    probe_by(&FileScorer::new(model)?, genuine)
}

/// The same by any victim.
///
/// # Errors
/// As [`probe`].
pub fn probe_by(scorer: &FileScorer<'_>, genuine: Option<&Path>) -> Result<Vec<Probe>> {
    let mut probes = without_content(scorer)?;
    if let Some(path) = genuine {
        probes.extend(taken_apart(scorer, &read(scorer, path)?)?);
    }
    let said = |(probe, log_odds): Scored, item: Option<&str>| {
        let answer = Answer::of(scorer.classes(), &log_odds, scorer.reference(), |log_odds| {
            scorer.calibrated(log_odds)
        });
        Probe { probe, item: item.map(str::to_owned), answer }
    };
    let mut said_of: Vec<Probe> = probes.into_iter().map(|probe| said(probe, None)).collect();
    let kept = scorer.reference().and_then(|reference| reference.taken_apart());
    if let (None, Some(kept)) = (genuine, kept) {
        said_of.extend(kept.parts.iter().cloned().map(|part| said(part, Some(&kept.item))));
    }
    Ok(said_of)
}

fn without_content(scorer: &FileScorer<'_>) -> Result<Vec<Scored>> {
    match scorer.victim() {
        AnyVictim::Audio(victim, codec, _) => {
            let rate = codec.sample_rate;
            scored(victim, &sounds::probes(rate, seconds(scorer)))
        }
        AnyVictim::Image(victim, shape, _) => scored(victim, &images::probes(shape)),
    }
}

/// What a victim calls something genuine, as it is and taken apart.
///
/// # Errors
/// Whatever scoring meets; an input of the wrong medium has no parts.
pub(super) fn taken_apart(scorer: &FileScorer<'_>, genuine: &Genuine) -> Result<Vec<Scored>> {
    match (scorer.victim(), genuine) {
        (AnyVictim::Audio(victim, codec, _), Genuine::Sound(clip)) => {
            let samples = (seconds(scorer) * f64::from(codec.sample_rate)) as usize;
            let clip = Audio { samples: as_delivered(&clip.samples, samples), ..*clip };
            scored(victim, &sounds::probes_of_clip(&clip))
        }
        (AnyVictim::Image(victim, ..), Genuine::Image(image)) => {
            scored(victim, &images::probes_of_image(image))
        }
        _ => Ok(Vec::new()),
    }
}

fn read(scorer: &FileScorer<'_>, path: &Path) -> Result<Genuine> {
    Ok(match scorer.victim() {
        AnyVictim::Audio(_, codec, _) => {
            Genuine::Sound(read_mono(path, codec.sample_rate, &Limits::default())?)
        }
        AnyVictim::Image(..) => Genuine::Image(PngCodec.read(path)?),
    })
}

/// How long the sounds are that a victim of sound is asked about.
fn seconds(scorer: &FileScorer<'_>) -> f64 {
    match scorer.victim() {
        AnyVictim::Audio(victim, codec, seconds) => {
            let fewest = victim.format().map_or(0, |format| format.samples);
            seconds.max(fewest as f64 / f64::from(codec.sample_rate))
        }
        AnyVictim::Image(..) => 0.0,
    }
}

fn scored<I: Input>(victim: &dyn Victim<I>, inputs: &[(&'static str, I)]) -> Result<Vec<Scored>> {
    let of =
        |(name, input): &(&'static str, I)| Ok(((*name).to_owned(), score_input(victim, input)?));
    inputs.iter().map(of).collect()
}
