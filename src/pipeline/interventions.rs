//! The fixed interventions on recordings: how many labels follow a change that is none of
//! genre.

use serde::Serialize;
use trompe_corpora::{Audio, Progress};

use super::recordings::Recordings;
use crate::audio::interventions::{INTERVENTIONS, Intervention, Mp3Encoder};
use crate::error::Result;
use crate::log_odds::label;
use crate::problem::Victim;

/// How many labels a fixed intervention changes.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Intervened {
    /// The intervention.
    pub intervention: String,
    /// Clips whose label changed, or was lost in a tie; `None` where it could not be made on this machine.
    pub changed: Option<usize>,
    /// Clips whose label agrees with their corpus' after it, of those that have one.
    pub right: Option<usize>,
}

/// Tries them all; `before` are the labels of the recordings as they are.
///
/// # Errors
/// If an encoder was found and failed.
pub(super) fn intervene(
    recordings: &Recordings,
    before: &[Option<usize>],
    listener: &dyn Victim<Audio>,
    progress: &dyn Progress,
) -> Result<Vec<Intervened>> {
    let encoder = Mp3Encoder::find();
    let total = INTERVENTIONS.len() as u64;
    let tried = INTERVENTIONS.iter().zip(0..).map(|(&intervention, done)| {
        progress.report("interventions", done, total);
        let after = labels_after(intervention, recordings, listener, encoder.as_ref())?;
        let changed = after.as_ref().map(|after| {
            after.iter().zip(before).filter(|(after, before)| after != before).count()
        });
        let right = after.and_then(|after| recordings.count_right(&after));
        Ok(Intervened { intervention: intervention.name(), changed, right })
    });
    tried.collect()
}

/// The label of every recording after an intervention; `None` if it cannot be made here.
fn labels_after(
    intervention: Intervention,
    recordings: &Recordings,
    listener: &dyn Victim<Audio>,
    encoder: Option<&Mp3Encoder>,
) -> Result<Option<Vec<Option<usize>>>> {
    let mut labels = Vec::new();
    for recording in &recordings.all {
        let Audio { samples, sample_rate } = &recording.audio;
        let Some(samples) = intervention.apply(samples, *sample_rate, encoder)? else {
            return Ok(None);
        };
        let after = Audio { samples, sample_rate: *sample_rate };
        labels.push(label(&listener.scores(&[after])?));
    }
    Ok(Some(labels))
}
