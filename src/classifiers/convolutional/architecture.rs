//! What a convolutional net consists of.

use rand::RngExt;
use serde::{Deserialize, Serialize};
use trompe_corpora::ImageShape;

use crate::error::{Error, Result};
use trompe_base::random::Stream;

/// Pixels less their mean are divided by this (Caffe's LeNet: "scale 0.00390625").
pub(super) const PIXEL_SCALE: f32 = 1.0 / 256.0;

/// Name of this kind of classifier in model files.
pub(crate) const KIND: &str = "convolutional";

/// Most parameters of a net (512 MiB of them): guards against absurd files.
const MAX_PARAMETERS: usize = 1 << 27;

/// One layer. Values lie row by row, the channels of one place together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Layer {
    /// Correlation with square kernels at every place where they fit, plus a bias.
    Convolution {
        /// Side of the kernels.
        kernel: usize,
        /// Kernels, that is channels of the output.
        channels: usize,
    },
    /// Largest value of each channel in squares that do not overlap; a remainder at the right
    /// or lower edge is dropped.
    MaxPool {
        /// Side of the squares.
        side: usize,
    },
    /// max(0, x).
    Rectifier,
    /// Weighted sums of all values, plus a bias.
    Dense {
        /// Number of sums.
        units: usize,
    },
}

/// The layers of a net and the images they start from. The last layer gives the logits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Architecture {
    /// Size of the images.
    pub input: ImageShape,
    /// Layers in the order of the data.
    pub layers: Vec<Layer>,
}

impl Architecture {
    /// The LeNet that Nguyen, Yosinski & Clune (2015) fooled, as Caffe ships it:
    /// 20c5-P2-50c5-P2-500-10, with a rectifier after the 500 only. 431,080 parameters for 10
    /// classes of 28 x 28 grey images.
    pub fn lenet(input: ImageShape, classes: usize) -> Self {
        Self {
            input,
            layers: vec![
                Layer::Convolution { kernel: 5, channels: 20 },
                Layer::MaxPool { side: 2 },
                Layer::Convolution { kernel: 5, channels: 50 },
                Layer::MaxPool { side: 2 },
                Layer::Dense { units: 500 },
                Layer::Rectifier,
                Layer::Dense { units: classes },
            ],
        }
    }

    /// The small LeNet-5, 6c5-P2-16c5-P2-120-84-10, with rectifiers in place of the sigmoids
    /// and sub-sampling of LeCun et al. (1998). 44,426 parameters for 10 classes of 28 x 28
    /// grey images.
    pub fn lenet5(input: ImageShape, classes: usize) -> Self {
        Self {
            input,
            layers: vec![
                Layer::Convolution { kernel: 5, channels: 6 },
                Layer::MaxPool { side: 2 },
                Layer::Rectifier,
                Layer::Convolution { kernel: 5, channels: 16 },
                Layer::MaxPool { side: 2 },
                Layer::Rectifier,
                Layer::Dense { units: 120 },
                Layer::Rectifier,
                Layer::Dense { units: 84 },
                Layer::Rectifier,
                Layer::Dense { units: classes },
            ],
        }
    }

    /// No hidden layer: multinomial logistic regression on pixels.
    pub fn logistic(input: ImageShape, classes: usize) -> Self {
        Self { input, layers: vec![Layer::Dense { units: classes }] }
    }

    /// The architecture called `name`: `lenet`, `lenet-5` or `logistic`.
    ///
    /// # Errors
    /// [`Error::Request`] naming the architectures there are.
    pub fn by_name(name: &str, input: ImageShape, classes: usize) -> Result<Self> {
        match name {
            "lenet" => Ok(Self::lenet(input, classes)),
            "lenet-5" => Ok(Self::lenet5(input, classes)),
            "logistic" => Ok(Self::logistic(input, classes)),
            _ => Err(Error::request(
                format!("unknown net '{name}'"),
                "choose lenet, lenet-5 or logistic",
            )),
        }
    }

    /// Its name as [`Architecture::by_name`] has it; `convolutional` if it has none.
    pub fn name(&self) -> &'static str {
        let classes = match self.layers.last() {
            Some(Layer::Dense { units }) => *units,
            _ => 0,
        };
        let is = |name: &&&str| Self::by_name(name, self.input, classes).is_ok_and(|a| a == *self);
        ["lenet", "lenet-5", "logistic"].iter().find(is).unwrap_or(&"convolutional")
    }

    /// Every layer with its sizes and its place among the parameters.
    ///
    /// # Errors
    /// [`Error::Request`] if the layers do not fit the images or one another, or have more
    /// parameters than a net may have.
    pub(super) fn stages(&self) -> Result<Vec<Stage>> {
        let unfit = |what: String| Error::request(what, "choose another net or other images");
        let absurd = || unfit("a net of absurd size".into());
        let count =
            |shape: ImageShape| shape.width.checked_mul(shape.height)?.checked_mul(shape.channels);
        if count(self.input).is_none_or(|bytes| bytes > MAX_PARAMETERS) {
            return Err(absurd());
        }
        let mut input = self.input;
        let mut first_parameter = 0_usize;
        let mut stages = Vec::with_capacity(self.layers.len());
        for &layer in &self.layers {
            let output = match layer {
                Layer::Convolution { kernel, channels } => {
                    if kernel == 0 || kernel > input.width.min(input.height) {
                        return Err(unfit(format!("kernels of {kernel} do not fit {input}")));
                    }
                    let (width, height) = (input.width - kernel + 1, input.height - kernel + 1);
                    ImageShape { width, height, channels }
                }
                Layer::MaxPool { side } => {
                    if side == 0 {
                        return Err(unfit("squares of no size to pool".into()));
                    }
                    let (width, height) = (input.width / side, input.height / side);
                    ImageShape { width, height, channels: input.channels }
                }
                Layer::Rectifier => input,
                Layer::Dense { units } => ImageShape { width: 1, height: 1, channels: units },
            };
            let values = count(output).ok_or_else(absurd)?;
            if values == 0 {
                return Err(unfit(format!("{layer:?} leaves nothing of {input}")));
            }
            let fan_in = match layer {
                // A kernel is no larger than its input, which has a bound.
                Layer::Convolution { kernel, .. } => kernel * kernel * input.channels,
                Layer::Dense { .. } => input.bytes(),
                Layer::MaxPool { .. } | Layer::Rectifier => 0,
            };
            let weights = fan_in.checked_mul(output.channels).ok_or_else(absurd)?;
            let biases = if fan_in == 0 { 0 } else { output.channels };
            if weights.max(values) > MAX_PARAMETERS {
                return Err(absurd());
            }
            stages.push(Stage { layer, input, output, first_parameter, fan_in, weights, biases });
            first_parameter += weights + biases;
            input = output;
        }
        if first_parameter > MAX_PARAMETERS {
            return Err(absurd());
        }
        if input.width != 1 || input.height != 1 || input.channels < 2 {
            return Err(unfit("a net must end in one logit each for two classes or more".into()));
        }
        Ok(stages)
    }
}

/// A layer with its sizes. Its parameters are `weights` values, `fan_in` rows of one column
/// per output channel, and then `biases` values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stage {
    pub(super) layer: Layer,
    pub(super) input: ImageShape,
    pub(super) output: ImageShape,
    pub(super) first_parameter: usize,
    pub(super) fan_in: usize,
    pub(super) weights: usize,
    pub(super) biases: usize,
}

impl Stage {
    /// This layer's weights and biases among all `parameters`.
    pub(super) fn split<'a>(&self, parameters: &'a [f32]) -> (&'a [f32], &'a [f32]) {
        parameters[self.first_parameter..][..self.weights + self.biases].split_at(self.weights)
    }

    /// As [`Stage::split`], to write to.
    pub(super) fn split_mut<'a>(
        &self,
        parameters: &'a mut [f32],
    ) -> (&'a mut [f32], &'a mut [f32]) {
        parameters[self.first_parameter..][..self.weights + self.biases].split_at_mut(self.weights)
    }

    /// Draws weights uniformly from +-sqrt(3 / fan in), as Caffe's "xavier" filler, and sets
    /// biases to 0.
    pub(super) fn initialize(&self, parameters: &mut [f32], rng: &mut Stream) {
        let (weights, biases) = self.split_mut(parameters);
        let bound = (3.0 / self.fan_in.max(1) as f32).sqrt();
        weights.iter_mut().for_each(|weight| *weight = rng.random_range(-bound..bound));
        biases.fill(0.0);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn parameters(architecture: &Architecture) -> usize {
        architecture.stages().unwrap().iter().map(|stage| stage.weights + stage.biases).sum()
    }

    #[test]
    fn the_published_nets_have_their_published_sizes() {
        let input = ImageShape::grey(28, 28);
        assert_eq!(parameters(&Architecture::lenet(input, 10)), 431_080);
        assert_eq!(parameters(&Architecture::lenet5(input, 10)), 44_426);
        assert_eq!(parameters(&Architecture::logistic(input, 10)), 7_850);
        assert_eq!(Architecture::lenet5(input, 7).name(), "lenet-5");
    }

    #[test]
    fn nets_that_do_not_fit_are_refused() {
        assert!(Architecture::lenet(ImageShape::grey(4, 4), 10).stages().is_err());
        assert!(Architecture::lenet(ImageShape::grey(8, 8), 10).stages().is_err(), "pooled away");
        assert!(Architecture::logistic(ImageShape::grey(28, 28), 1).stages().is_err());
        assert!(Architecture::logistic(ImageShape::rgb(1 << 15, 1 << 15), 10).stages().is_err());
        // As many bytes as no number holds.
        assert!(Architecture::logistic(ImageShape::rgb(1 << 40, 1 << 40), 10).stages().is_err());
        let layers = vec![Layer::Dense { units: usize::MAX / 2 }, Layer::Dense { units: 10 }];
        assert!(Architecture { input: ImageShape::grey(28, 28), layers }.stages().is_err());
        assert!(Architecture::by_name("alexnet", ImageShape::grey(28, 28), 10).is_err());
    }
}
