//! How a class' log-odds change with the pixels: what gradient ascent follows.

use std::cell::RefCell;

use super::architecture::PIXEL_SCALE;
use super::{ConvolutionalNet, Tape};
use crate::classifiers::softmax::softmax_log_odds;

/// Room for one backward pass.
#[derive(Default)]
struct Room {
    tape: Tape,
    by_output: Vec<f32>,
    by_input: Vec<f32>,
    /// The gradient by the parameters, which comes along and is not used.
    unused: Vec<f32>,
}

thread_local! {
    static ROOM: RefCell<Room> = RefCell::default();
}

impl ConvolutionalNet {
    /// Log-odds of `class` for an image of values in [0, 255] that need not be whole; writes
    /// their derivative by every value to `slope`.
    ///
    /// # Panics
    /// If the lengths do not fit the net, or there is no such class.
    pub fn log_odds_and_gradient(&self, image: &[f32], class: usize, slope: &mut [f32]) -> f64 {
        assert_eq!(image.len(), self.mean.len(), "an image of the net's size");
        assert_eq!(image.len(), slope.len(), "a slope for every value");
        ROOM.with_borrow_mut(|room| {
            let Room { tape, by_output, by_input, unused } = room;
            tape.read_values(self, image);
            tape.forward(self, 1);
            let logits = &tape.values[self.stages.len()];
            let mut log_odds = vec![0.0; logits.len()];
            softmax_log_odds(logits, &mut log_odds);
            by_logits(logits, class, by_output);
            unused.resize(self.parameters.len(), 0.0);
            for (layer, stage) in self.stages.iter().enumerate().rev() {
                by_input.resize(stage.input.bytes(), 0.0);
                stage.backward(
                    &self.parameters,
                    1,
                    &tape.values[layer],
                    &tape.values[layer + 1],
                    by_output,
                    unused,
                    Some(by_input),
                    &mut tape.columns,
                );
                std::mem::swap(by_output, by_input);
            }
            for (slope, &value) in slope.iter_mut().zip(by_output.iter()) {
                *slope = value * PIXEL_SCALE;
            }
            log_odds[class]
        })
    }
}

/// Derivative of the log-odds of `class` by the logits: 1 by its own, and by each other less
/// that class' share among the others.
fn by_logits(logits: &[f32], class: usize, out: &mut Vec<f32>) {
    let others = || (0..logits.len()).filter(|&other| other != class);
    let peak = others().map(|other| logits[other]).fold(f32::NEG_INFINITY, f32::max);
    let weight = |other: usize| libm::exp(f64::from(logits[other] - peak));
    let sum: f64 = others().map(weight).sum();
    out.clear();
    out.resize(logits.len(), 1.0);
    others().for_each(|other| out[other] = (-weight(other) / sum) as f32);
}

#[cfg(test)]
mod tests {
    use rand::RngExt;
    use trompe_base::random::stream;
    use trompe_corpora::ImageShape;

    use super::super::Architecture;
    use super::super::tests::untrained;

    #[test]
    fn the_slope_is_that_of_finite_differences() {
        let shape = ImageShape::grey(28, 28);
        for architecture in [Architecture::lenet(shape, 10), Architecture::lenet5(shape, 10)] {
            let net = untrained(architecture, 3);
            let mut rng = stream(1, 1, 1, 1);
            let mut image: Vec<f32> = (0..784).map(|_| rng.random_range(0.0..255.0)).collect();
            let (mut slope, mut unused) = (vec![0.0; 784], vec![0.0; 784]);
            for class in [0, 7] {
                net.log_odds_and_gradient(&image, class, &mut slope);
                let largest = slope.iter().fold(0.0_f32, |most, value| most.max(value.abs()));
                let mut agree = 0;
                for place in (0..784).step_by(7) {
                    let kept = image[place];
                    let mut at = |value: f32| {
                        image[place] = value;
                        net.log_odds_and_gradient(&image, class, &mut unused)
                    };
                    let difference = (at(kept + 1.0) - at(kept - 1.0)) / 2.0;
                    image[place] = kept;
                    let error = (difference - f64::from(slope[place])).abs();
                    // A step may cross the kink of a maximum, so not every slope need agree.
                    agree += usize::from(error < 0.02 * f64::from(largest));
                }
                assert!(agree >= 106, "{agree} of 112 slopes agree");
            }
        }
    }
}
