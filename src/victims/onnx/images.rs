//! Nets of images.

use std::path::Path;

use rten::RunOptions;
use trompe_corpora::{Image, ImageShape};

use super::description::{Described, ImageDescription};
use super::image_input::Crop;
use super::net::{NOT_AS_DESCRIBED, Net, on_own_thread, one_thread};
use super::stated::{Fingerprint, LOGITS_LIKE_PROBABILITIES, save_beside};
use crate::error::{Error, Result};
use crate::log_odds::PosteriorKind;
use crate::problem::{Victim, VictimRecord};

/// A net of images in an ONNX file.
pub struct OnnxImages {
    net: Net,
    described: Described<ImageDescription>,
    parts: Vec<Crop>,
    fingerprint: String,
}

impl std::fmt::Debug for OnnxImages {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut shown = f.debug_struct("OnnxImages");
        shown.field("description", self.description()).field("fingerprint", &self.fingerprint);
        shown.finish_non_exhaustive()
    }
}

impl PartialEq for OnnxImages {
    fn eq(&self, other: &Self) -> bool {
        self.fingerprint == other.fingerprint
    }
}

impl OnnxImages {
    /// Opens the net in `path`, which `described` says how to show images, and runs it.
    pub(super) fn open(path: &Path, described: Described<ImageDescription>) -> Result<Self> {
        let description = &described.description;
        let axes = description.input_axes();
        let net = Net::open(path, &axes, description.output_name.as_deref())?;
        let fingerprint =
            Fingerprint { description, classes: &described.classes, files: net.files() }.hash();
        let parts = description.parts();
        let mut net = Self { net, described, parts, fingerprint };
        let look_otherwise =
            net.try_out().map_err(|what| Error::bad_file(path, what, NOT_AS_DESCRIBED))?;
        if look_otherwise {
            net.described.notes.push(LOGITS_LIKE_PROBABILITIES.to_owned());
        }
        Ok(net)
    }

    /// What was said of the net.
    pub fn description(&self) -> &ImageDescription {
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

    /// Runs the net on grey and on patterns, to meet what does not fit before a search does; whether
    /// outputs that are declared logits look like probabilities.
    fn try_out(&self) -> Result<bool, String> {
        let bytes = self.description().image_shape().bytes();
        let pattern = |step: usize| (0..bytes).map(|place| (place * step % 251) as u8).collect();
        let images: [Vec<u8>; 3] = [vec![128; bytes], pattern(37), pattern(101)];
        let thread = one_thread();
        let output = self.description().output;
        let mut probabilities = true;
        for image in &images {
            for &part in &self.parts {
                let outputs = self.run(image, part, &thread)?;
                self.described.check_count(outputs.len())?;
                output.check(&outputs)?;
                probabilities &= output.look_like_probabilities(&outputs);
            }
        }
        Ok(probabilities)
    }

    /// The net's output for one part of an image.
    fn run(&self, image: &[u8], part: Crop, thread: &RunOptions) -> Result<Vec<f64>, String> {
        let axes = self.description().input_axes();
        let mut input = vec![0.0; axes.iter().product()];
        self.description().write_input(image, part, &mut input);
        self.net.run(&axes, &input, thread)
    }

    /// One log-odds per class for one image: of the mean posterior over its parts.
    fn score(&self, image: &[u8], thread: &RunOptions, out: &mut [f64]) -> Result<(), String> {
        let output = self.description().output;
        let mut of_parts = vec![0.0; self.parts.len() * out.len()];
        for (&part, row) in self.parts.iter().zip(of_parts.chunks_exact_mut(out.len())) {
            let outputs = self.run(image, part, thread)?;
            self.described.check_count(outputs.len())?;
            output.check(&outputs)?;
            output.log_odds(&outputs, row);
        }
        match self.parts.len() {
            1 => out.copy_from_slice(&of_parts),
            _ => log_odds_of_mean(&of_parts, out),
        }
        Ok(())
    }
}

impl Victim<Image> for OnnxImages {
    fn classes(&self) -> &[String] {
        &self.described.classes
    }

    fn posterior_kind(&self) -> PosteriorKind {
        self.description().output.posterior_kind()
    }

    fn scores(&self, images: &[Image]) -> Result<Vec<f64>> {
        let classes = self.described.classes.len();
        let mut scores = vec![0.0; images.len() * classes];
        on_own_thread(|thread| {
            let rows = scores.chunks_exact_mut(classes);
            images
                .iter()
                .zip(rows)
                .try_for_each(|(image, row)| self.score(&image.pixels, thread, row))
        })?;
        Ok(scores)
    }

    fn format(&self) -> Option<ImageShape> {
        Some(self.description().image_shape())
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
        4
    }
}

/// Log-odds of the mean of posteriors, given as rows of log-odds.
pub(super) fn log_odds_of_mean(rows: &[f64], out: &mut [f64]) {
    // ln of the sum over rows of the logistic function of sign * log-odds.
    let log_sum = |class: usize, sign: f64| {
        let logs = || {
            rows[class..].iter().step_by(out.len()).map(|&log_odds| {
                let x = sign * log_odds;
                x.min(0.0) - libm::log1p(libm::exp(-x.abs()))
            })
        };
        let most = logs().fold(f64::NEG_INFINITY, f64::max);
        most + libm::log(logs().map(|log| libm::exp(log - most)).sum())
    };
    let means: Vec<f64> =
        (0..out.len()).map(|class| log_sum(class, 1.0) - log_sum(class, -1.0)).collect();
    out.copy_from_slice(&means);
}
