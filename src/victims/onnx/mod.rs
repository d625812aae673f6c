//! Foreign nets in ONNX files, run by the `rten` crate.
//!
//! A file is read once into memory, checked, and never leads to another: weights in other
//! files are refused. A TOML file of the same name beside it says what images it takes
//! ([`Description`]). Images go through the net one at a time on one thread, so their
//! log-odds depend neither on the images beside them nor on the number of threads. They do
//! depend on the processor's instruction set, as `rten` adds in another order on another one.

mod description;
mod graph;
mod input;
mod wire;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;

use rten::{Model, ModelOptions, NodeId, RunOptions, ThreadPool, ValueView};
use sha2::{Digest, Sha256};
use trompe_base::files::write_atomically;
use trompe_corpora::{Image, ImageShape};

pub use description::{Colour, Crops, Description, Layout, Output};

use trompe_base::encoding::hex;

use self::input::Crop;
use crate::classifiers::softmax::softmax_log_odds;
use crate::error::{Error, Result};
use crate::log_odds::PosteriorKind;
use crate::problem::{Runtime, Victim, VictimRecord};

/// What runs the nets. It adds by the processor's instruction set, so that other processors give
/// other last bits.
const RUNTIME: &str = "rten 0.27";

/// Largest file that is read: above all usual image classifiers (VGG-19 has 575 MB).
const MAX_BYTES: u64 = 600 << 20;

/// Least probability that an output can tell from 0 (the least positive 32-bit float).
const LEAST_PROBABILITY: f32 = 1e-45;

/// A net from an ONNX file.
pub struct OnnxClassifier {
    model: Model,
    file: Vec<u8>,
    description: Description,
    classes: Vec<String>,
    input: NodeId,
    output: NodeId,
    parts: Vec<Crop>,
    fingerprint: String,
}

impl std::fmt::Debug for OnnxClassifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut shown = f.debug_struct("OnnxClassifier");
        shown.field("description", &self.description).field("fingerprint", &self.fingerprint);
        shown.finish_non_exhaustive()
    }
}

impl PartialEq for OnnxClassifier {
    fn eq(&self, other: &Self) -> bool {
        self.fingerprint == other.fingerprint
    }
}

impl OnnxClassifier {
    /// Opens the net in `path`, whose description lies beside it, and runs it once.
    ///
    /// # Errors
    /// [`Error::BadFile`] naming the file at fault if it is damaged, too large, keeps weights
    /// in other files, uses operators that are not run, or does not fit its description;
    /// an input or output error.
    pub fn open(path: &Path) -> Result<Self> {
        let file = read(path)?;
        let (description, classes) = Description::read(path)?;
        let bad = |what: String| {
            Error::bad_file(path, what, "export the net again, with its weights in the file")
        };
        let model = contained(|| load(&file)).map_err(bad)?;
        let &[input] = model.input_ids() else {
            return Err(bad(format!("takes {} inputs, not one image", model.input_ids().len())));
        };
        let output = match &description.output_name {
            Some(name) => model.find_node(name).filter(|id| model.output_ids().contains(id)),
            None => model.output_ids().first().copied(),
        };
        let output = output.ok_or_else(|| match &description.output_name {
            Some(name) => bad(format!("has no output {name:?}")),
            None => bad("has no output".into()),
        })?;
        let fingerprint = fingerprint(&file, &description, &classes);
        let parts = description.parts();
        let net = Self { model, file, description, classes, input, output, parts, fingerprint };
        net.try_out().map_err(|what| {
            Error::bad_file(path, what, "correct the net, or the description beside it")
        })?;
        Ok(net)
    }

    /// What was said of the net.
    pub fn description(&self) -> &Description {
        &self.description
    }

    /// Writes the net, its description and its class names to `path` and beside it.
    ///
    /// # Errors
    /// An input or output error naming the file.
    pub fn save(&self, path: &Path) -> Result<()> {
        let described = Description::path(path);
        let text = toml::to_string(&self.description).map_err(|e| {
            Error::bad_file(&described, format!("cannot be written: {e}"), "report this as a fault")
        })?;
        let classes = described.with_file_name(&self.description.classes);
        write_atomically(&classes, (self.classes.join("\n") + "\n").as_bytes())?;
        write_atomically(&described, text.as_bytes())?;
        Ok(write_atomically(path, &self.file)?)
    }

    /// Runs the net on a grey image, to meet what does not fit before a search does.
    fn try_out(&self) -> Result<(), String> {
        let image = vec![128; self.description.image_shape().bytes()];
        let thread = one_thread();
        for &part in &self.parts {
            let outputs = contained(|| self.run(&image, part, &thread))?;
            if outputs.len() != self.classes.len() {
                return Err(format!(
                    "gives {} outputs, but {} names {} classes",
                    outputs.len(),
                    self.description.classes,
                    self.classes.len()
                ));
            }
            if let Some(value) = outputs.iter().find(|value| !value.is_finite()) {
                return Err(format!("gives {value} for a grey image"));
            }
            let probability = |value: &f32| (-1e-4..=1.0001).contains(value);
            if self.description.output == Output::Probabilities && !outputs.iter().all(probability)
            {
                return Err("gives outputs that are no probabilities: are they logits?".into());
            }
        }
        Ok(())
    }

    /// The net's output for one part of an image.
    fn run(&self, image: &[u8], part: Crop, thread: &RunOptions) -> Result<Vec<f32>, String> {
        let axes = self.description.input_axes();
        let mut input = vec![0.0; axes.iter().product()];
        self.description.write_input(image, part, &mut input);
        let view = ValueView::from_shape(axes, &input).map_err(|e| e.to_string())?;
        let inputs = vec![(self.input, view.into())];
        let [output] = self
            .model
            .run_n(inputs, [self.output], Some(thread.clone()))
            .map_err(|e| format!("cannot be run: {e}"))?;
        let output = output.into_tensor::<f32>();
        output.map(|tensor| tensor.into_data()).ok_or_else(|| "its output is no float".into())
    }

    /// One log-odds per class for one image: of the mean posterior over its parts.
    fn score(&self, image: &[u8], thread: &RunOptions, out: &mut [f64]) -> Result<(), String> {
        let mut of_parts = vec![0.0; self.parts.len() * out.len()];
        for (&part, row) in self.parts.iter().zip(of_parts.chunks_exact_mut(out.len())) {
            let mut logits = self.run(image, part, thread)?;
            if logits.len() != row.len() || !logits.iter().all(|value| value.is_finite()) {
                return Err("gives outputs that are not finite".into());
            }
            if self.description.output == Output::Probabilities {
                logits.iter_mut().for_each(|value| {
                    *value = libm::log(f64::from(value.max(LEAST_PROBABILITY))) as f32;
                });
            }
            softmax_log_odds(&logits, row);
        }
        match self.parts.len() {
            1 => out.copy_from_slice(&of_parts),
            _ => log_odds_of_mean(&of_parts, out),
        }
        Ok(())
    }
}

impl Victim<Image> for OnnxClassifier {
    fn classes(&self) -> &[String] {
        &self.classes
    }

    fn posterior_kind(&self) -> PosteriorKind {
        PosteriorKind::Softmax
    }

    fn scores(&self, images: &[Image]) -> Result<Vec<f64>> {
        let classes = self.classes.len();
        let mut scores = vec![0.0; images.len() * classes];
        let work = || {
            let thread = one_thread();
            for (image, row) in images.iter().zip(scores.chunks_exact_mut(classes)) {
                contained(|| self.score(&image.pixels, &thread, row))?;
            }
            Ok::<(), String>(())
        };
        // Not on the caller's thread: a worker of a pool that waits for another pool takes up
        // further work in the meantime, and so on, deeper than its stack.
        let done = std::thread::scope(|scope| scope.spawn(work).join());
        done.unwrap_or_else(|_| Err("its thread panicked".to_owned()))
            .map_err(|what| Error::victim(format!("the net {what}")))?;
        Ok(scores)
    }

    fn format(&self) -> Option<ImageShape> {
        Some(self.description.image_shape())
    }

    fn fingerprint(&self) -> Option<String> {
        Some(self.fingerprint.clone())
    }

    fn record(&self) -> VictimRecord {
        VictimRecord {
            kind: "onnx".to_owned(),
            corpus: self.description.corpus.clone(),
            provenance: self.description.provenance,
            runtime: Some(Runtime { name: RUNTIME.to_owned(), exact: false }),
        }
    }

    /// For each call a thread is started.
    fn batch_size(&self) -> usize {
        4
    }
}

/// Runs a net on one thread: on several, `rten` would divide an image among them.
fn one_thread() -> RunOptions {
    RunOptions::default().with_thread_pool(Some(Arc::new(ThreadPool::with_num_threads(1))))
}

fn read(path: &Path) -> Result<Vec<u8>> {
    let size = std::fs::metadata(path).map_err(|e| Error::io(path, e))?.len();
    if size > MAX_BYTES {
        return Err(Error::bad_file(
            path,
            format!("{size} bytes, more than the {MAX_BYTES} of the largest net that is read"),
            "choose a smaller net",
        ));
    }
    std::fs::read(path).map_err(|e| Error::io(path, e))
}

fn load(file: &[u8]) -> Result<Model, String> {
    graph::check(file)?;
    // From memory, and without any source of external data.
    ModelOptions::with_ops(graph::operators())
        .load(file.to_vec())
        .map_err(|e| format!("cannot be loaded: {e}"))
}

/// Runs `work` on a foreign file; should the foreign library panic on it, that is an error.
fn contained<T>(work: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|_| Err("makes the library that runs it fail".into()))
}

fn fingerprint(file: &[u8], description: &Description, classes: &[String]) -> String {
    let mut hash = Sha256::new();
    hash.update(format!("onnx {description:?} {classes:?}"));
    hash.update(file);
    hex(&hash.finalize())
}

/// Log-odds of the mean of posteriors, given as rows of log-odds.
fn log_odds_of_mean(rows: &[f64], out: &mut [f64]) {
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

#[cfg(test)]
mod tests;
