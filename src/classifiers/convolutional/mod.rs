//! Convolutional nets for small images, trained and run without any deep-learning library.

mod architecture;
mod file;
mod gradient;
mod inference;
mod layers;
mod regression;
mod training;

use serde::{Deserialize, Serialize};
use trompe_corpora::{Image, ImageCorpus, ImageShape, Provenance};

pub(crate) use architecture::KIND;
pub use architecture::{Architecture, Layer};
pub use regression::fit_softmax_regression;
pub use training::{Epoch, TrainingSettings, train};

use trompe_base::random::stream;

use self::architecture::PIXEL_SCALE;
use self::architecture::Stage;
use self::inference::InferencePlan;
use super::PosteriorKind;
use super::softmax::softmax_log_odds;
use crate::error::{Error, Result};
use crate::problem::{Gradient, Input, Observed, Victim, VictimRecord};

/// Images that are best scored together: one vector of the widest instructions, so that a small
/// generation of candidates still keeps two cores busy.
const BATCH: usize = 16;

/// Key of the random streams that initialize nets.
const INITIALIZATION_STREAM: u64 = 0x6e65_7400;

/// A convolutional net with a softmax at its end.
#[derive(Debug, Clone, PartialEq)]
pub struct ConvolutionalNet {
    architecture: Architecture,
    stages: Vec<Stage>,
    classes: Vec<String>,
    /// Mean training image, subtracted from every input.
    mean: Vec<f32>,
    /// Parameters of all layers, one after another.
    parameters: Vec<f32>,
    /// The same, in the order in which logits are computed.
    plan: InferencePlan,
    record: TrainingRecord,
}

/// What a net was trained on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainingRecord {
    /// Name of the corpus.
    pub corpus: String,
    /// Where its images come from.
    pub provenance: Provenance,
    /// [`ImageCorpus::fingerprint`] of the training images.
    pub sha256: String,
    /// Number of training images.
    pub images: usize,
    /// How it was trained.
    pub method: Method,
}

/// How a net was trained.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Method {
    /// Stochastic gradient descent.
    GradientDescent(TrainingSettings),
    /// Multinomial logistic regression to its minimum.
    SoftmaxRegression {
        /// Weight of the squared weights in the loss, halved.
        penalty: f64,
    },
}

impl TrainingRecord {
    /// What there is to say about training on the images `indices` of `corpus`.
    fn new(corpus: &ImageCorpus, indices: &[usize], method: Method) -> Self {
        Self {
            corpus: corpus.name.clone(),
            provenance: corpus.provenance,
            sha256: corpus.fingerprint(indices),
            images: indices.len(),
            method,
        }
    }
}

/// The values of all layers for a few images, and room to work in.
#[derive(Default)]
struct Tape {
    /// Input, then the output of every layer.
    values: Vec<Vec<f32>>,
    columns: Vec<f32>,
}

impl ConvolutionalNet {
    /// A net with random weights drawn by `seed`.
    ///
    /// # Errors
    /// [`Error::Request`] if the architecture does not fit, or ends in another number of
    /// classes than are named.
    fn initialized(
        architecture: Architecture,
        classes: Vec<String>,
        mean: Vec<f32>,
        record: TrainingRecord,
        seed: u64,
    ) -> Result<Self> {
        let stages = architecture.stages()?;
        let size = stages.iter().map(|stage| stage.weights + stage.biases).sum();
        let mut parameters = vec![0.0; size];
        for (layer, stage) in stages.iter().enumerate() {
            let mut rng = stream(seed, INITIALIZATION_STREAM, 0, layer as u64);
            stage.initialize(&mut parameters, &mut rng);
        }
        Self::new(architecture, classes, mean, parameters, record)
    }

    /// A net of given parameters.
    ///
    /// # Errors
    /// [`Error::Request`] if a size does not fit the architecture or a number is not finite.
    pub(crate) fn new(
        architecture: Architecture,
        classes: Vec<String>,
        mean: Vec<f32>,
        parameters: Vec<f32>,
        record: TrainingRecord,
    ) -> Result<Self> {
        let stages = architecture.stages()?;
        let expected: usize = stages.iter().map(|stage| stage.weights + stage.biases).sum();
        let outputs = stages.last().map_or(0, |stage| stage.output.channels);
        for (what, found, expected) in [
            ("classes", classes.len(), outputs),
            ("mean pixels", mean.len(), architecture.input.bytes()),
            ("parameters", parameters.len(), expected),
        ] {
            if found != expected {
                return Err(Error::request(
                    format!("{found} {what} for a net of {expected}"),
                    "train the net again",
                ));
            }
        }
        if !parameters.iter().chain(&mean).all(|value| value.is_finite()) {
            return Err(Error::request(
                "a net with a parameter that is not finite",
                "train it again, with a smaller learning rate",
            ));
        }
        let plan = InferencePlan::new(&stages, &mean, &parameters);
        Ok(Self { architecture, stages, classes, mean, parameters, plan, record })
    }

    /// Its layers.
    pub fn architecture(&self) -> &Architecture {
        &self.architecture
    }

    /// Mean training image, values in [0, 255].
    pub fn mean(&self) -> &[f32] {
        &self.mean
    }

    /// What it was trained on.
    pub fn record(&self) -> &TrainingRecord {
        &self.record
    }

    /// Writes the logits of `images` (8-bit, one after another) to `logits`, row by row.
    ///
    /// # Panics
    /// If the lengths do not fit the net.
    pub fn logits(&self, images: &[u8], logits: &mut [f32]) {
        let (size, classes) = (self.mean.len(), self.classes.len());
        assert_eq!(images.len() % size, 0, "whole images");
        assert_eq!(images.len() / size * classes, logits.len(), "one row of logits per image");
        self.plan.logits(images, logits);
    }

    /// Writes the log-odds of `images` (8-bit, one after another) to `out`, row by row.
    ///
    /// # Panics
    /// As [`ConvolutionalNet::logits`].
    pub fn log_odds(&self, images: &[u8], out: &mut [f64]) {
        let mut logits = vec![0.0; out.len()];
        self.logits(images, &mut logits);
        let classes = self.classes.len();
        for (logits, out) in logits.chunks_exact(classes).zip(out.chunks_exact_mut(classes)) {
            softmax_log_odds(logits, out);
        }
    }
}

impl Tape {
    /// Takes 8-bit images as the net's input.
    fn read(&mut self, net: &ConvolutionalNet, images: &[u8]) {
        self.values.resize_with(net.stages.len() + 1, Vec::new);
        let input = &mut self.values[0];
        input.resize(images.len(), 0.0);
        for (input, image) in
            input.chunks_exact_mut(net.mean.len()).zip(images.chunks_exact(net.mean.len()))
        {
            for ((value, &pixel), &mean) in input.iter_mut().zip(image).zip(&net.mean) {
                *value = (f32::from(pixel) - mean) * PIXEL_SCALE;
            }
        }
    }

    /// Takes one image of values that need not be whole as the net's input.
    fn read_values(&mut self, net: &ConvolutionalNet, image: &[f32]) {
        self.values.resize_with(net.stages.len() + 1, Vec::new);
        let values =
            image.iter().zip(&net.mean).map(|(&value, &mean)| (value - mean) * PIXEL_SCALE);
        self.values[0].clear();
        self.values[0].extend(values);
    }

    /// Runs all layers on what was read.
    fn forward(&mut self, net: &ConvolutionalNet, images: usize) {
        for (layer, stage) in net.stages.iter().enumerate() {
            let (before, after) = self.values.split_at_mut(layer + 1);
            let output = &mut after[0];
            output.resize(images * stage.output.bytes(), 0.0);
            stage.forward(&net.parameters, images, &before[layer], output, &mut self.columns);
        }
    }
}

impl Victim<Image> for ConvolutionalNet {
    fn classes(&self) -> &[String] {
        &self.classes
    }

    fn posterior_kind(&self) -> PosteriorKind {
        PosteriorKind::Softmax
    }

    fn scores(&self, images: &[Image]) -> Result<Vec<f64>> {
        images
            .iter()
            .try_for_each(|image| Image::check_format(&image.shape, &self.architecture.input))?;
        let mut scores = vec![0.0; images.len() * self.classes.len()];
        self.log_odds(&one_after_another(images), &mut scores);
        Ok(scores)
    }

    /// The embedding of an image is what the last layer takes.
    fn observe(&self, images: &[Image]) -> Result<Observed> {
        let scores = self.scores(images)?;
        let mut tape = Tape::default();
        let embeddings = images.iter().map(|image| {
            tape.read(self, &image.pixels);
            tape.forward(self, 1);
            tape.values[self.stages.len() - 1].clone()
        });
        Ok(Observed { scores, embeddings: embeddings.collect() })
    }

    fn format(&self) -> Option<ImageShape> {
        Some(self.architecture.input)
    }

    fn fingerprint(&self) -> Option<String> {
        Some(self.sha256())
    }

    fn record(&self) -> VictimRecord {
        VictimRecord {
            kind: self.architecture.name().to_owned(),
            corpus: self.record.corpus.clone(),
            provenance: self.record.provenance,
            known_as: None,
            runtime: None,
        }
    }

    fn batch_size(&self) -> usize {
        BATCH
    }

    fn gradient(&self, image: &[f32], class: usize) -> Option<Gradient> {
        let mut by_value = vec![0.0; image.len()];
        let log_odds = self.log_odds_and_gradient(image, class, &mut by_value);
        Some(Gradient { log_odds, by_value })
    }
}

/// The pixels of all images.
fn one_after_another(images: &[Image]) -> Vec<u8> {
    images.iter().flat_map(|image| &image.pixels).copied().collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use rand::RngExt;

    use super::*;

    pub(super) fn untrained(architecture: Architecture, seed: u64) -> ConvolutionalNet {
        let classes = (0..10).map(|class| class.to_string()).collect();
        let mean = vec![33.0; architecture.input.bytes()];
        let record = TrainingRecord {
            corpus: "none".into(),
            provenance: Provenance::Synthetic,
            sha256: String::new(),
            images: 0,
            method: Method::GradientDescent(TrainingSettings::default()),
        };
        ConvolutionalNet::initialized(architecture, classes, mean, record, seed).unwrap()
    }

    pub(super) fn noise(bytes: usize) -> Vec<u8> {
        let mut rng = stream(5, 5, 5, 5);
        (0..bytes).map(|_| rng.random()).collect()
    }

    #[test]
    fn an_image_scores_the_same_alone_and_in_any_company() {
        let shape = ImageShape::grey(28, 28);
        for architecture in [Architecture::lenet(shape, 10), Architecture::lenet5(shape, 10)] {
            let net = untrained(architecture, 1);
            let images = noise(37 * shape.bytes());
            let mut together = vec![0.0; 370];
            net.log_odds(&images, &mut together);
            for (image, row) in images.chunks(shape.bytes()).zip(together.chunks(10)) {
                let mut alone = [0.0; 10];
                net.log_odds(image, &mut alone);
                assert_eq!(alone, row);
            }
        }
    }

    /// Convolution, pooling and sums by their definitions, in f64.
    fn plain_logits(net: &ConvolutionalNet, image: &[u8]) -> Vec<f64> {
        let mut values: Vec<f64> = image
            .iter()
            .zip(&net.mean)
            .map(|(&pixel, &mean)| (f64::from(pixel) - f64::from(mean)) / 256.0)
            .collect();
        for stage in &net.stages {
            let (input, output) = (stage.input, stage.output);
            let (weights, biases) = stage.split(&net.parameters);
            let at =
                |y: usize, x: usize, c: usize| values[(y * input.width + x) * input.channels + c];
            let value = |i: usize| -> f64 {
                let c = i % output.channels;
                let (y, x) =
                    (i / output.channels / output.width, i / output.channels % output.width);
                match stage.layer {
                    Layer::Convolution { kernel, channels } => {
                        let mut sum = f64::from(biases[c]);
                        for ky in 0..kernel {
                            for kx in 0..kernel {
                                for k in 0..input.channels {
                                    let row = (ky * kernel + kx) * input.channels + k;
                                    sum += at(y + ky, x + kx, k)
                                        * f64::from(weights[row * channels + c]);
                                }
                            }
                        }
                        sum
                    }
                    Layer::MaxPool { side } => (0..side * side)
                        .map(|d| at(y * side + d / side, x * side + d % side, c))
                        .fold(f64::NEG_INFINITY, f64::max),
                    Layer::Rectifier => values[i].max(0.0),
                    Layer::Dense { units } => {
                        let products = values
                            .iter()
                            .enumerate()
                            .map(|(row, v)| v * f64::from(weights[row * units + c]));
                        f64::from(biases[c]) + products.sum::<f64>()
                    }
                }
            };
            values = (0..output.bytes()).map(value).collect();
        }
        values
    }

    #[test]
    fn the_layers_do_what_they_are_defined_to_do() {
        let shape = ImageShape { width: 13, height: 11, channels: 3 };
        let net = untrained(
            Architecture {
                input: shape,
                layers: vec![
                    Layer::Convolution { kernel: 3, channels: 4 },
                    Layer::MaxPool { side: 2 },
                    Layer::Rectifier,
                    Layer::Convolution { kernel: 2, channels: 7 },
                    Layer::Dense { units: 20 },
                    Layer::Rectifier,
                    Layer::Dense { units: 10 },
                ],
            },
            3,
        );
        let image = noise(shape.bytes());
        let mut logits = [0.0; 10];
        net.logits(&image, &mut logits);
        for (&found, expected) in logits.iter().zip(plain_logits(&net, &image)) {
            approx::assert_relative_eq!(f64::from(found), expected, epsilon = 1e-5);
        }
    }

    #[test]
    fn the_fingerprint_follows_the_parameters() {
        let shape = ImageShape::grey(28, 28);
        let net = |seed| untrained(Architecture::lenet5(shape, 10), seed).fingerprint();
        assert_eq!(net(1), net(1));
        assert_ne!(net(1), net(2));
    }

    #[test]
    fn parameters_that_do_not_fit_are_refused() {
        let net = untrained(Architecture::logistic(ImageShape::grey(4, 4), 10), 1);
        let ConvolutionalNet { architecture, classes, mean, parameters, record, .. } = net;
        let new = |classes: &[String], parameters: &[f32]| {
            let (mean, record) = (mean.clone(), record.clone());
            let classes = classes.to_vec();
            ConvolutionalNet::new(architecture.clone(), classes, mean, parameters.to_vec(), record)
        };
        assert!(new(&classes, &parameters).is_ok());
        assert!(new(&classes[1..], &parameters).is_err());
        assert!(new(&classes, &parameters[1..]).is_err());
        let mut broken = parameters.clone();
        broken[3] = f32::NAN;
        assert!(new(&classes, &broken).is_err());
    }
}
