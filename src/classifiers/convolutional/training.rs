//! Stochastic gradient descent with momentum.
//!
//! A batch is cut into shards of fixed size, each with a gradient of its own, and the
//! gradients are added in the order of the shards: the same seed trains the same net on any
//! number of threads.

use std::cell::RefCell;

use rand::RngExt;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use trompe_base::random::stream;
use trompe_corpora::ImageCorpus;

use super::{Architecture, ConvolutionalNet, Method, Tape, TrainingRecord};
use crate::error::{Error, Result};

/// Images of a shard.
const SHARD: usize = 16;

/// Key of the random streams that shuffle the images.
const SHUFFLE_STREAM: u64 = 0x6e65_7401;

/// How a net is trained. The defaults are those of Caffe's LeNet solver for momentum, weight
/// decay and batch; learning rate, its fall and the number of epochs are our choice.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TrainingSettings {
    /// Seed of the weights and of the order of the images.
    pub seed: u64,
    /// Passes over the training images.
    pub epochs: usize,
    /// Images per step.
    pub batch: usize,
    /// Step size at the start; it falls evenly to 0 at the end.
    pub learning_rate: f64,
    /// Share of the last step that is made again.
    pub momentum: f64,
    /// Weight of the squared parameters in the loss, halved.
    pub weight_decay: f64,
}

impl Default for TrainingSettings {
    fn default() -> Self {
        Self {
            seed: 1,
            epochs: 5,
            batch: 64,
            learning_rate: 0.03,
            momentum: 0.9,
            weight_decay: 5e-4,
        }
    }
}

impl TrainingSettings {
    fn validate(&self) -> Result<()> {
        for (name, value) in [("epochs", self.epochs), ("batch", self.batch)] {
            if value == 0 {
                return Err(Error::request(format!("{name} = 0"), "give at least 1"));
            }
        }
        for (name, value, limit) in [
            ("learning_rate", self.learning_rate, 10.0),
            ("momentum", self.momentum, 0.999_999),
            ("weight_decay", self.weight_decay, 10.0),
        ] {
            if !(0.0..=limit).contains(&value) {
                return Err(Error::request(
                    format!("{name} = {value}"),
                    format!("give a number between 0 and {limit}"),
                ));
            }
        }
        Ok(())
    }
}

/// What one epoch came to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Epoch {
    /// Epochs done.
    pub number: usize,
    /// Mean cross-entropy of the training images as they were met, in nats.
    pub loss: f64,
}

/// Trains a net of `architecture` on the images `indices` of `corpus`; `progress` hears of
/// every epoch.
///
/// # Errors
/// [`Error::Request`] if settings, architecture and images do not fit or a class has no images;
/// [`Error::Numeric`] if the loss does not stay finite.
pub fn train(
    architecture: Architecture,
    corpus: &ImageCorpus,
    indices: &[usize],
    settings: &TrainingSettings,
    mut progress: impl FnMut(Epoch),
) -> Result<ConvolutionalNet> {
    settings.validate()?;
    if indices.is_empty() || architecture.input != corpus.shape {
        return Err(Error::request(
            format!(
                "{} training images of {} for a net that takes {}",
                indices.len(),
                corpus.shape,
                architecture.input
            ),
            "choose another corpus or net",
        ));
    }
    labels_of_every_class(corpus, indices)?;
    let record = TrainingRecord::new(corpus, indices, Method::GradientDescent(settings.clone()));
    let (classes, mean) = (corpus.classes.clone(), mean_image(corpus, indices));
    let mut net =
        ConvolutionalNet::initialized(architecture, classes, mean, record, settings.seed)?;
    let mut descent = Descent::new(&net, settings);
    let steps = settings.epochs * indices.len().div_ceil(settings.batch);
    let mut order = indices.to_vec();
    let mut step = 0;
    for epoch in 0..settings.epochs {
        shuffle(&mut order, settings.seed, epoch as u64);
        let mut loss = 0.0;
        for batch in order.chunks(settings.batch) {
            let left = 1.0 - step as f64 / steps as f64;
            loss += descent.step(&mut net, corpus, batch, settings.learning_rate * left);
            step += 1;
        }
        loss /= order.len() as f64;
        if !loss.is_finite() || !net.parameters.iter().all(|value| value.is_finite()) {
            return Err(Error::numeric(
                format!("training diverged in epoch {}", epoch + 1),
                "give a smaller learning rate",
            ));
        }
        progress(Epoch { number: epoch + 1, loss });
    }
    let ConvolutionalNet { architecture, classes, mean, parameters, record, .. } = net;
    ConvolutionalNet::new(architecture, classes, mean, parameters, record)
}

/// The class of every image.
///
/// # Errors
/// [`Error::Corpora`] naming a class without images.
pub(super) fn labels_of_every_class(corpus: &ImageCorpus, indices: &[usize]) -> Result<Vec<usize>> {
    corpus.check_for_training(indices)?;
    Ok(indices.iter().map(|&index| corpus.item(index).class).collect())
}

/// Mean of every pixel over the images `indices`.
pub(super) fn mean_image(corpus: &ImageCorpus, indices: &[usize]) -> Vec<f32> {
    let mut sums = vec![0_u64; corpus.shape.bytes()];
    for &index in indices {
        for (sum, &pixel) in sums.iter_mut().zip(corpus.image(index)) {
            *sum += u64::from(pixel);
        }
    }
    sums.into_iter().map(|sum| (sum as f64 / indices.len() as f64) as f32).collect()
}

/// Fisher-Yates, by a stream of its own for each epoch.
fn shuffle(order: &mut [usize], seed: u64, epoch: u64) {
    let mut rng = stream(seed, SHUFFLE_STREAM, epoch, 0);
    for last in (1..order.len()).rev() {
        order.swap(last, rng.random_range(0..=last));
    }
}

/// Gradient and loss of a shard.
struct ShardGradient {
    gradient: Vec<f32>,
    loss: f64,
}

/// The descent under way.
struct Descent {
    momentum: f32,
    decay: f32,
    velocity: Vec<f32>,
    shards: Vec<ShardGradient>,
}

impl Descent {
    fn new(net: &ConvolutionalNet, settings: &TrainingSettings) -> Self {
        Self {
            momentum: settings.momentum as f32,
            decay: settings.weight_decay as f32,
            velocity: vec![0.0; net.parameters.len()],
            shards: Vec::new(),
        }
    }

    /// One step on the images `batch`; returns the sum of their losses before it.
    fn step(
        &mut self,
        net: &mut ConvolutionalNet,
        corpus: &ImageCorpus,
        batch: &[usize],
        learning_rate: f64,
    ) -> f64 {
        let count = batch.len().div_ceil(SHARD);
        let size = net.parameters.len();
        self.shards.resize_with(count, || ShardGradient { gradient: vec![0.0; size], loss: 0.0 });
        batch.par_chunks(SHARD).zip(&mut self.shards).for_each(|(shard, out)| {
            out.gradient.fill(0.0);
            let images: Vec<u8> =
                shard.iter().flat_map(|&index| corpus.image(index)).copied().collect();
            let labels: Vec<usize> = shard.iter().map(|&index| corpus.item(index).class).collect();
            out.loss = net.add_gradient(&images, &labels, &mut out.gradient);
        });
        let (momentum, decay) = (self.momentum, self.decay);
        let (rate, per_image) = (learning_rate as f32, 1.0 / batch.len() as f32);
        let shards = &self.shards;
        // Elementwise, so cutting the parameters into pieces changes no number.
        let piece = size.div_ceil(8).max(1);
        net.parameters
            .par_chunks_mut(piece)
            .zip(self.velocity.par_chunks_mut(piece))
            .enumerate()
            .for_each(|(index, (parameters, velocity))| {
                let start = index * piece;
                let mut sum = vec![0.0_f32; parameters.len()];
                for shard in shards {
                    let gradient = &shard.gradient[start..start + sum.len()];
                    sum.iter_mut().zip(gradient).for_each(|(sum, &value)| *sum += value);
                }
                for ((parameter, velocity), &sum) in parameters.iter_mut().zip(velocity).zip(&sum) {
                    *velocity =
                        momentum * *velocity - rate * (sum * per_image + decay * *parameter);
                    *parameter += *velocity;
                }
            });
        self.shards.iter().map(|shard| shard.loss).sum()
    }
}

/// Gradients between layers, and room for the columns of convolutions.
#[derive(Default)]
struct Room {
    by_output: Vec<f32>,
    by_input: Vec<f32>,
    columns: Vec<f32>,
}

thread_local! {
    static TAPE: RefCell<(Tape, Room)> = RefCell::default();
}

impl ConvolutionalNet {
    /// Adds the gradient of the images' summed cross-entropy by the parameters to `gradient`
    /// and returns that sum.
    fn add_gradient(&self, images: &[u8], labels: &[usize], gradient: &mut [f32]) -> f64 {
        TAPE.with_borrow_mut(|(tape, room)| {
            tape.read(self, images);
            tape.forward(self, labels.len());
            let loss = tape.loss(self.classes.len(), labels, &mut room.by_output);
            for (layer, stage) in self.stages.iter().enumerate().rev() {
                room.by_input.resize(labels.len() * stage.input.bytes(), 0.0);
                stage.backward(
                    &self.parameters,
                    labels.len(),
                    &tape.values[layer],
                    &tape.values[layer + 1],
                    &room.by_output,
                    gradient,
                    (layer > 0).then_some(&mut room.by_input[..]),
                    &mut room.columns,
                );
                std::mem::swap(&mut room.by_output, &mut room.by_input);
            }
            loss
        })
    }
}

impl Tape {
    /// Summed cross-entropy of the softmax of the last layer's logits, and its gradient by
    /// them.
    fn loss(&self, classes: usize, labels: &[usize], by_logits: &mut Vec<f32>) -> f64 {
        let logits = &self.values[self.values.len() - 1];
        by_logits.resize(logits.len(), 0.0);
        let mut loss = 0.0;
        for ((logits, by_logits), &label) in
            logits.chunks_exact(classes).zip(by_logits.chunks_exact_mut(classes)).zip(labels)
        {
            let peak = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            let exp = |logit: f32| libm::exp(f64::from(logit - peak));
            let sum: f64 = logits.iter().map(|&logit| exp(logit)).sum();
            for (by, &logit) in by_logits.iter_mut().zip(logits) {
                *by = (exp(logit) / sum) as f32;
            }
            by_logits[label] -= 1.0;
            loss += libm::log(sum) - f64::from(logits[label] - peak);
        }
        loss
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use trompe_corpora::images::synthetic_digits;
    use trompe_corpora::{ImageShape, Split};

    use super::super::Layer;
    use super::super::tests::untrained;
    use super::*;
    use crate::classifiers::image_classifier::error_rate;

    #[test]
    fn the_gradient_is_the_slope_of_the_loss() {
        let shape = ImageShape { width: 10, height: 9, channels: 2 };
        let layers = vec![
            Layer::Convolution { kernel: 3, channels: 3 },
            Layer::MaxPool { side: 2 },
            Layer::Convolution { kernel: 2, channels: 4 },
            Layer::Rectifier,
            Layer::Dense { units: 12 },
            Layer::Rectifier,
            Layer::Dense { units: 10 },
        ];
        let mut net = untrained(Architecture { input: shape, layers }, 2);
        let mut rng = stream(1, 2, 3, 4);
        let images: Vec<u8> = (0..3 * shape.bytes()).map(|_| rng.random()).collect();
        let labels = [3, 9, 0];
        let mut gradient = vec![0.0; net.parameters.len()];
        net.add_gradient(&images, &labels, &mut gradient);
        let largest = gradient.iter().fold(0.0_f32, |most, value| most.max(value.abs()));
        let mut checked = 0;
        for index in (0..gradient.len()).step_by(3) {
            let mut unused = vec![0.0; gradient.len()];
            let step = 2e-3;
            let kept = net.parameters[index];
            net.parameters[index] = kept + step;
            let above = net.add_gradient(&images, &labels, &mut unused);
            net.parameters[index] = kept - step;
            let below = net.add_gradient(&images, &labels, &mut unused);
            net.parameters[index] = kept;
            let slope = (above - below) / (2.0 * f64::from(step));
            // A step may cross the kink of a maximum, so not every slope need agree.
            let close = (slope - f64::from(gradient[index])).abs() < 5e-3 * f64::from(largest);
            checked += usize::from(close);
        }
        let all = gradient.len().div_ceil(3);
        assert!(all > 100 && checked * 100 >= all * 97, "{checked} of {all} slopes agree");
    }

    fn trained(threads: usize, seed: u64) -> (ConvolutionalNet, f64) {
        let corpus = synthetic_digits(600, 200, 1);
        let settings = TrainingSettings { seed, epochs: 8, ..TrainingSettings::default() };
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let net = Architecture::lenet5(corpus.shape, 10);
            let train_on = corpus.split(Split::Train);
            let net = train(net, &corpus, &train_on, &settings, |_| {}).unwrap();
            let error = error_rate(&net, &corpus, &corpus.split(Split::Test)).unwrap();
            (net, error)
        })
    }

    #[test]
    fn training_learns_and_does_not_depend_on_threads() {
        let (net, error) = trained(1, 1);
        assert!(error < 0.1, "test error {error}");
        for threads in [2, 7] {
            assert_eq!(trained(threads, 1), (net.clone(), error));
        }
        assert_ne!(trained(2, 2).0.parameters, net.parameters);
    }

    #[test]
    fn settings_and_images_that_do_not_fit_are_refused() {
        let corpus = synthetic_digits(20, 0, 1);
        let settings = TrainingSettings::default();
        let run = |architecture: Architecture, indices: &[usize], settings: TrainingSettings| {
            train(architecture, &corpus, indices, &settings, |_| {}).is_err()
        };
        let all: Vec<usize> = (0..corpus.len()).collect();
        let net = || Architecture::logistic(corpus.shape, 10);
        assert!(run(net(), &[], settings.clone()), "no images");
        assert!(run(Architecture::logistic(ImageShape::grey(9, 9), 10), &all, settings.clone()));
        assert!(run(Architecture::logistic(corpus.shape, 7), &all, settings.clone()));
        assert!(run(net(), &all, TrainingSettings { batch: 0, ..settings.clone() }));
        assert!(run(net(), &all, TrainingSettings { momentum: f64::NAN, ..settings.clone() }));
        assert!(run(net(), &[0], settings.clone()), "nine classes without images");
        assert!(!run(net(), &all, settings));
    }
}
