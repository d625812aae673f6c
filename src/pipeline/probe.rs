//! What a model calls sounds and images without content.

use std::path::Path;

use trompe_corpora::{Limits, read_mono};

use super::scoring::{AnyVictim, FileScorer};
use crate::audio::probes as sounds;
use crate::dataset::extract::as_delivered;
use crate::error::Result;
use crate::exhibits::{Codec, score_input};
use crate::image::{PngCodec, probes as images};
use crate::problem::{Input, Victim};
use crate::results::{Answer, Probe};
use crate::victims::AnyModel;

/// What `model` calls probes of its medium, and the file at `genuine` taken apart, if one is given.
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
    match scorer.victim() {
        AnyVictim::Audio(victim, codec, seconds) => {
            let rate = codec.sample_rate;
            let fewest = victim.format().map_or(0, |format| format.samples);
            let seconds = seconds.max(fewest as f64 / f64::from(rate));
            let mut inputs = sounds::probes(rate, seconds);
            if let Some(path) = genuine {
                let mut clip = read_mono(path, rate, &Limits::default())?;
                clip.samples = as_delivered(&clip.samples, (seconds * f64::from(rate)) as usize);
                inputs.extend(sounds::probes_of_clip(&clip));
            }
            scored(victim, scorer, &inputs)
        }
        AnyVictim::Image(victim, shape, _) => {
            let mut inputs = images::probes(shape);
            if let Some(path) = genuine {
                inputs.extend(images::probes_of_image(&PngCodec.read(path)?));
            }
            scored(victim, scorer, &inputs)
        }
    }
}

fn scored<I: Input>(
    victim: &dyn Victim<I>,
    scorer: &FileScorer<'_>,
    inputs: &[(&'static str, I)],
) -> Result<Vec<Probe>> {
    let of = |(name, input): &(&'static str, I)| {
        let log_odds = score_input(victim, input)?;
        let answer = Answer::of(victim.classes(), &log_odds, scorer.reference(), |log_odds| {
            scorer.calibrated(log_odds)
        });
        Ok(Probe { probe: (*name).to_owned(), answer })
    };
    inputs.iter().map(of).collect()
}
