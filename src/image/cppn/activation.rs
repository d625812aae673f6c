//! What a node does with its sum.

use pulp::Simd;
use rand::RngExt;
use serde::{Deserialize, Serialize};

use trompe_base::random::Stream;

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

    /// The function of every value of a vector.
    #[inline(always)]
    pub(super) fn apply<S: Simd>(self, simd: S, x: S::f32s) -> S::f32s {
        match self {
            Self::Sine => sine(simd, x),
            Self::Sigmoid => {
                let one = simd.splat_f32s(1.0);
                let power = exponential(simd, simd.neg_f32s(x));
                simd.div_f32s(simd.sub_f32s(one, power), simd.add_f32s(one, power))
            }
            Self::Gaussian => exponential(simd, simd.neg_f32s(simd.mul_f32s(x, x))),
            Self::Linear => {
                let clipped = simd.max_f32s(x, simd.splat_f32s(-3.0));
                let clipped = simd.min_f32s(clipped, simd.splat_f32s(3.0));
                simd.mul_f32s(clipped, simd.splat_f32s(1.0 / 3.0))
            }
        }
    }
}

/// Adding and taking away 1.5 * 2^23 rounds a value below 2^22 to a whole number.
const ROUND: f32 = 12_582_912.0;

/// sin(x) to 2e-7 for |x| below 10,000, by fused products and sums alone: the same bits on
/// every instruction set.
#[inline(always)]
fn sine<S: Simd>(simd: S, x: S::f32s) -> S::f32s {
    // x = k pi + rest; pi in two parts, as the first alone leaves 9e-8 k.
    let shifted =
        simd.mul_add_f32s(x, simd.splat_f32s(std::f32::consts::FRAC_1_PI), simd.splat_f32s(ROUND));
    let k = simd.sub_f32s(shifted, simd.splat_f32s(ROUND));
    let rest = simd.mul_add_f32s(k, simd.splat_f32s(-std::f32::consts::PI), x);
    let rest = simd.mul_add_f32s(k, simd.splat_f32s(8.742_278e-8), rest);
    // Odd k turn the sign: the lowest bit of `shifted` becomes the sign bit.
    let sign = shift_left(simd, simd.transmute_u32s_f32s(shifted), 31);
    let square = simd.mul_f32s(rest, rest);
    let series =
        polynomial(simd, square, [2.599_903_2e-6, -1.980_654_6e-4, 8.333_016e-3, -1.666_665_7e-1]);
    let series = simd.mul_add_f32s(simd.mul_f32s(rest, square), series, rest);
    simd.transmute_f32s_u32s(simd.xor_u32s(simd.transmute_u32s_f32s(series), sign))
}

/// e^x for |x| up to 87, and e^87 or e^-87 beyond; what is made of it here is right to 2e-7.
#[inline(always)]
fn exponential<S: Simd>(simd: S, x: S::f32s) -> S::f32s {
    let x = simd.min_f32s(simd.max_f32s(x, simd.splat_f32s(-87.0)), simd.splat_f32s(87.0));
    let shifted =
        simd.mul_add_f32s(x, simd.splat_f32s(std::f32::consts::LOG2_E), simd.splat_f32s(ROUND));
    let k = simd.sub_f32s(shifted, simd.splat_f32s(ROUND));
    let rest = simd.mul_add_f32s(k, simd.splat_f32s(-std::f32::consts::LN_2), x);
    let rest = simd.mul_add_f32s(k, simd.splat_f32s(1.904_654_2e-9), rest);
    let series = polynomial(
        simd,
        rest,
        [1.381_446_7e-3, 8.368_781e-3, 4.166_839_3e-2, 1.666_652e-1, 0.499_999_94, 1.0, 1.0],
    );
    // The low bits of `shifted` hold k; moved to the exponent they make 2^k.
    let power = shift_left(simd, simd.transmute_u32s_f32s(shifted), 23);
    let power = simd.add_u32s(power, simd.splat_u32s(127 << 23));
    simd.mul_f32s(series, simd.transmute_f32s_u32s(power))
}

/// A polynomial by Horner's rule, the highest coefficient first.
#[inline(always)]
fn polynomial<S: Simd, const N: usize>(simd: S, x: S::f32s, coefficients: [f32; N]) -> S::f32s {
    // A loop: closures given to `map` would not be compiled for the instruction set.
    let mut sum = simd.splat_f32s(coefficients[0]);
    for &coefficient in &coefficients[1..] {
        sum = simd.mul_add_f32s(sum, x, simd.splat_f32s(coefficient));
    }
    sum
}

#[inline(always)]
fn shift_left<S: Simd>(simd: S, bits: S::u32s, places: u32) -> S::u32s {
    simd.wrapping_dyn_shl_u32s(bits, simd.splat_u32s(places))
}

#[cfg(test)]
mod tests {
    use pulp::{Arch, WithSimd};

    use super::*;

    struct All<'a>(&'a [f32], &'a mut [f32], Activation);

    impl WithSimd for All<'_> {
        type Output = ();

        #[inline(always)]
        fn with_simd<S: Simd>(self, simd: S) {
            let (values, out) = (S::as_simd_f32s(self.0).0, S::as_mut_simd_f32s(self.1).0);
            for (out, &value) in out.iter_mut().zip(values) {
                *out = self.2.apply(simd, value);
            }
        }
    }

    const FUNCTIONS: [Activation; 4] =
        [Activation::Sine, Activation::Sigmoid, Activation::Gaussian, Activation::Linear];

    /// Values by every arch there is, which must agree.
    fn values(function: Activation, at: &[f32]) -> Vec<f32> {
        let values = |arch: Arch| {
            let mut out = vec![0.0; at.len()];
            arch.dispatch(All(at, &mut out, function));
            out
        };
        let found = values(Arch::new());
        let bits = |values: &[f32]| values.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(&found), bits(&values(Arch::Scalar)), "{function:?}");
        found
    }

    #[test]
    fn the_polynomials_agree_with_the_functions() {
        let at = |step: f32| (-40_000..40_000).map(|i| i as f32 * step).collect::<Vec<f32>>();
        for step in [1e-4, 0.05, 0.25] {
            let at = at(step);
            for function in FUNCTIONS {
                for (x, found) in at.iter().zip(values(function, &at)) {
                    let x = f64::from(*x);
                    let exact = match function {
                        Activation::Sine => libm::sin(x),
                        Activation::Sigmoid => 2.0 / (1.0 + libm::exp(-x)) - 1.0,
                        Activation::Gaussian => libm::exp(-x * x),
                        Activation::Linear => x.clamp(-3.0, 3.0) / 3.0,
                    };
                    let error = (f64::from(found) - exact).abs();
                    assert!(error < 2e-7, "{function:?} of {x}: {error}");
                }
            }
        }
    }

    #[test]
    fn every_function_stays_in_its_range() {
        let at: Vec<f32> = (-3_000..3_000).map(|step| step as f32 * 3.7).collect();
        let far = [-1e30, -1e10, 1e10, 1e30].repeat(4);
        let in_range = |value: &f32| (-1.000_01..=1.000_01).contains(value);
        for function in FUNCTIONS {
            assert!(values(function, &at).iter().all(in_range));
            let bounded =
                function == Activation::Sine || values(function, &far).iter().all(in_range);
            assert!(bounded, "{function:?}");
        }
    }
}
