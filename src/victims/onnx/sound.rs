//! Nets of sound.

use std::path::Path;

use rten::RunOptions;
use trompe_corpora::Audio;

use super::description::{Described, SoundDescription};
use super::front_end::FrontEnd;
use super::net::{NOT_AS_DESCRIBED, Net, on_own_thread, one_thread};
use super::stated::{Fingerprint, LOGITS_LIKE_PROBABILITIES, save_beside};
use crate::error::{Error, Result};
use crate::log_odds::PosteriorKind;
use crate::problem::{AudioFormat, Victim, VictimRecord};

/// A net of sound in an ONNX file, with what turns samples into its input.
pub struct OnnxSound {
    net: Net,
    front_end: FrontEnd,
    described: Described<SoundDescription>,
    fingerprint: String,
}

impl std::fmt::Debug for OnnxSound {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut shown = f.debug_struct("OnnxSound");
        shown.field("description", self.description()).field("fingerprint", &self.fingerprint);
        shown.finish_non_exhaustive()
    }
}

impl PartialEq for OnnxSound {
    fn eq(&self, other: &Self) -> bool {
        self.fingerprint == other.fingerprint
    }
}

impl OnnxSound {
    /// Opens the net in `path`, whose front end is `described`, and runs it.
    pub(super) fn open(path: &Path, described: Described<SoundDescription>) -> Result<Self> {
        let description = &described.description;
        let front_end = FrontEnd::new(&description.audio).map_err(|error| {
            Error::bad_file(path.with_extension("toml"), error.to_string(), "correct [audio]")
        })?;
        let unfit = |what: String| Error::bad_file(path, what, NOT_AS_DESCRIBED);
        let (_, axes) = front_end.patches(&noise(1, front_end.fewest_samples())).map_err(unfit)?;
        let net = Net::open(path, &axes, description.output_name.as_deref())?;
        let fingerprint =
            Fingerprint { description, classes: &described.classes, files: net.files() }.hash();
        let mut net = Self { net, front_end, described, fingerprint };
        let look_otherwise = net.try_out().map_err(unfit)?;
        if look_otherwise {
            net.described.notes.push(LOGITS_LIKE_PROBABILITIES.to_owned());
        }
        Ok(net)
    }

    /// What was said of the net.
    pub fn description(&self) -> &SoundDescription {
        &self.described.description
    }

    /// What to say of the net once, when it is opened.
    pub fn notes(&self) -> &[String] {
        &self.described.notes
    }

    /// Writes the net, its description and its class names to `path` and beside it.
    ///
    /// # Errors
    /// An input or output error naming the file.
    pub fn save(&self, path: &Path) -> Result<()> {
        save_beside(
            path,
            &self.described.text,
            &self.description().classes,
            &self.described.names,
        )?;
        self.net.files().save(path)
    }

    /// Runs the net on noise, to meet what does not fit before a search does; whether
    /// outputs that are declared logits look like probabilities.
    fn try_out(&self) -> Result<bool, String> {
        let thread = one_thread();
        let output = self.description().audio.output;
        let mut probabilities = true;
        for seed in 1..3 {
            let (patches, axes) =
                self.front_end.patches(&noise(seed, self.front_end.fewest_samples()))?;
            let rows = self.net.run(&axes, &patches, &thread)?;
            self.described.check_count(rows.len() / axes[0])?;
            for row in rows.chunks_exact(self.described.classes.len()) {
                output.check(row)?;
                probabilities &= output.look_like_probabilities(row);
            }
        }
        Ok(probabilities)
    }

    /// One log-odds per class for one excerpt: of the combined outputs of its patches.
    fn score(&self, samples: &[f32], thread: &RunOptions, out: &mut [f64]) -> Result<(), String> {
        let audio = &self.description().audio;
        let (patches, axes) = self.front_end.patches(samples)?;
        let rows = self.net.run(&axes, &patches, thread)?;
        self.described.check_count(rows.len() / axes[0])?;
        rows.chunks_exact(out.len()).try_for_each(|row| audio.output.check(row))?;
        audio.output.log_odds(&audio.combine.of(&rows, out.len()), out);
        Ok(())
    }
}

/// Quiet noise by a multiplicative generator: any sound that is not silent will do.
fn noise(seed: u32, samples: usize) -> Vec<f32> {
    let next = |state: &mut u32| {
        *state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        Some(0.1 * (*state as f32 / u32::MAX as f32 - 0.5))
    };
    (0..samples).scan(seed, |state, _| next(state)).collect()
}

impl Victim<Audio> for OnnxSound {
    fn classes(&self) -> &[String] {
        &self.described.classes
    }

    fn posterior_kind(&self) -> PosteriorKind {
        self.description().audio.output.posterior_kind()
    }

    fn scores(&self, excerpts: &[Audio]) -> Result<Vec<f64>> {
        let classes = self.described.classes.len();
        let mut scores = vec![0.0; excerpts.len() * classes];
        on_own_thread(|thread| {
            let rows = scores.chunks_exact_mut(classes);
            let mut pairs = excerpts.iter().zip(rows);
            pairs.try_for_each(|(audio, row)| self.score(&audio.samples, thread, row))
        })?;
        Ok(scores)
    }

    fn format(&self) -> Option<AudioFormat> {
        let samples = self.front_end.fewest_samples();
        Some(AudioFormat { sample_rate: self.description().audio.rate, samples })
    }

    fn fingerprint(&self) -> Option<String> {
        Some(self.fingerprint.clone())
    }

    fn record(&self) -> VictimRecord {
        VictimRecord {
            kind: "onnx".to_owned(),
            corpus: self.description().corpus.clone(),
            provenance: self.description().provenance,
            known_as: None,
            runtime: Some(self.net.runtime()),
        }
    }

    /// For each call a thread is started.
    fn batch_size(&self) -> usize {
        2
    }
}
