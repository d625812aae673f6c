//! What a model calls sounds and images without content.

use std::path::Path;

use trompe_corpora::{Limits, read_mono};

use crate::audio::probes as sounds;
use crate::dataset::extract::as_delivered;
use crate::error::Result;
use crate::exhibits::{Codec, score_input};
use crate::image::{PngCodec, probes as images};
use crate::pipeline::reference::SECONDS;
use crate::problem::{AudioFormat, Input, Victim};
use crate::results::{Answer, Probe};
use crate::victims::{AnyModel, Scorer};

/// What `model` calls probes of its medium, and the file at `genuine` taken apart, if one is given.
///
/// # Errors
/// Whatever reading the file or scoring meets.
pub fn probe(model: &AnyModel, genuine: Option<&Path>) -> Result<Vec<Probe>> {
    match model.scorer() {
        Scorer::Audio(scorer) => {
            let (victim, AudioFormat { sample_rate: rate, samples: fewest }) = scorer.victim()?;
            let seconds = SECONDS.max(fewest as f64 / f64::from(rate));
            let mut inputs = sounds::probes(rate, seconds);
            if let Some(path) = genuine {
                let mut clip = read_mono(path, rate, &Limits::default())?;
                clip.samples = as_delivered(&clip.samples, (seconds * f64::from(rate)) as usize);
                inputs.extend(sounds::probes_of_clip(&clip));
            }
            scored(&victim, model, &inputs)
        }
        Scorer::Image(scorer) => {
            let mut inputs = images::probes(scorer.shape());
            if let Some(path) = genuine {
                inputs.extend(images::probes_of_image(&PngCodec.read(path)?));
            }
            scored(scorer.victim(), model, &inputs)
        }
    }
}

fn scored<I: Input>(
    victim: &dyn Victim<I>,
    model: &AnyModel,
    inputs: &[(&'static str, I)],
) -> Result<Vec<Probe>> {
    let of = |(name, input): &(&'static str, I)| {
        let log_odds = score_input(victim, input)?;
        let answer = Answer::of(victim.classes(), &log_odds, model.reference(), |log_odds| {
            let reference = model.reference().and_then(|own| own.calibrated(log_odds));
            reference.or_else(|| victim.calibrated(log_odds))
        });
        Ok(Probe { probe: (*name).to_owned(), answer })
    };
    inputs.iter().map(of).collect()
}
