//! What a node does with its sum.

use rand::RngExt;
use serde::{Deserialize, Serialize};

use crate::search::Stream;

/// The four functions of the authors' published code; all stay in [-1, 1].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Activation {
    /// sin(x).
    Sine,
    /// 2 / (1 + exp(-x)) - 1.
    Sigmoid,
    /// exp(-x^2).
    Gaussian,
    /// x, clipped to [-3, 3] and divided by 3.
    Linear,
}

impl Activation {
    /// One of the four, evenly.
    pub(super) fn random(rng: &mut Stream) -> Self {
        [Self::Sine, Self::Sigmoid, Self::Gaussian, Self::Linear][rng.random_range(0..4)]
    }

    /// Applies the function to every value.
    #[inline(always)]
    pub(super) fn apply(self, values: &mut [f32]) {
        match self {
            Self::Sine => values.iter_mut().for_each(|value| *value = sine(*value)),
            Self::Sigmoid => values
                .iter_mut()
                .for_each(|value| *value = 2.0 / (1.0 + exponential(-*value)) - 1.0),
            Self::Gaussian => {
                values.iter_mut().for_each(|value| *value = exponential(-(*value * *value)));
            }
            Self::Linear => {
                values.iter_mut().for_each(|value| *value = value.clamp(-3.0, 3.0) * (1.0 / 3.0));
            }
        }
    }
}

/// Adding and taking away 1.5 * 2^23 rounds a value below 2^22 to a whole number.
const ROUND: f32 = 12_582_912.0;

/// sin(x) to about 1e-6 for |x| below 10,000, by polynomials only: the same bits on every
/// machine, and a loop that compilers turn into vector code.
#[inline(always)]
fn sine(x: f32) -> f32 {
    // x = k pi + rest, with pi in three parts so that k times the first two is exact.
    let shifted = x * std::f32::consts::FRAC_1_PI + ROUND;
    let k = shifted - ROUND;
    let rest = ((x - k * 3.140_625) - k * 9.670_257_6e-4) - k * 6.277_114e-7;
    // Odd k turn the sign: the lowest bit of `shifted` becomes the sign bit.
    let sign = shifted.to_bits() << 31;
    let square = rest * rest;
    let series = rest
        + rest
            * square
            * (-1.666_666_5e-1
                + square * (8.333_022e-3 + square * (-1.980_741_4e-4 + square * 2.601_903e-6)));
    f32::from_bits(series.to_bits() ^ sign)
}

/// e^x for x <= 87, to about 1e-6; 0 far below.
#[inline(always)]
fn exponential(x: f32) -> f32 {
    let x = x.clamp(-87.0, 87.0);
    let shifted = x * std::f32::consts::LOG2_E + ROUND;
    let k = shifted - ROUND;
    let rest = (x - k * 0.693_359_4) - k * -2.121_944_4e-4;
    let series = 1.0
        + rest
            * (1.0
                + rest
                    * (0.5
                        + rest
                            * (1.666_666_5e-1
                                + rest
                                    * (4.166_579_6e-2
                                        + rest * (8.333_452e-3 + rest * 1.398_2e-3)))));
    // The low bits of `shifted` hold k; moved to the exponent they make 2^k.
    series * f32::from_bits((shifted.to_bits() << 23).wrapping_add(127 << 23))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_polynomials_agree_with_the_functions() {
        for step in -40_000..=40_000 {
            let x = step as f32 * 0.05;
            let error = (f64::from(sine(x)) - libm::sin(f64::from(x))).abs();
            assert!(error < 2e-6, "sin({x}): {error}");
            let x = step as f32 * 0.002;
            let relative = f64::from(exponential(x)) / libm::exp(f64::from(x)) - 1.0;
            assert!(relative.abs() < 2e-6, "exp({x}): {relative}");
        }
    }

    #[test]
    fn every_function_stays_in_its_range() {
        for function in
            [Activation::Sine, Activation::Sigmoid, Activation::Gaussian, Activation::Linear]
        {
            let mut values: Vec<f32> =
                (-3_000..3_000).map(|step| step as f32 * 3.7).chain([-1e30, 1e30]).collect();
            let bounded = if function == Activation::Sine { 6_000 } else { values.len() };
            function.apply(&mut values[..bounded]);
            assert!(values[..bounded].iter().all(|value| (-1.000_01..=1.000_01).contains(value)));
        }
    }
}
