//! Error of a linear predictor of order 32 (autocorrelation method).
//!
//! The autocorrelation comes from the power spectrum that the other features need anyway:
//! its inverse transform at 33 lags, less the few products that wrap around the frame's
//! ends. The symmetries of the cosine leave 6 multiplications a sample for 33 lags. All of
//! it is f64: predictors of tonal sound are so ill-conditioned that f32 sums miss the error
//! by factors.

use crate::spectrum::{EDGE, FrameSpectrum};

/// Order of the predictor.
pub const LPC_ORDER: usize = 32;

/// Frames that go through the recursion side by side.
pub(crate) const LANES: usize = 8;

/// `r[lag][frame]`.
pub(crate) type Autocorrelations = [[f64; LANES]; LPC_ORDER + 1];

/// Cosine tables of one frame length.
///
/// With `P[b]` the power at b = 0 ..= N / 2, `r[k] = sum of P[b] cos(2 pi b k / N)`. Because
/// `cos(2 pi (N/2 - b) k / N) = (-1)^k cos(2 pi b k / N)`, odd lags need only the difference
/// of the two halves, even lags only their sum, which is the same problem at half the size.
#[derive(Debug, Clone)]
pub(crate) struct LagTransform {
    frame: usize,
    /// Cosines of lags 1, 3, ..., 31 over N / 4 bins.
    odd: Vec<[f64; 16]>,
    /// Cosines of lags 2, 6, ..., 30 over N / 8 bins.
    twice_odd: Vec<[f64; 8]>,
    /// Cosines of lags 4, 12, 20, 28 over N / 16 bins.
    four_times_odd: Vec<[f64; 4]>,
    /// Cosines of lags 8, 16, 24, 32 over N / 16 + 1 bins.
    coarse: Vec<[f64; 4]>,
}

impl LagTransform {
    /// Tables for frames of `frame` samples, a multiple of 16 and at least 64.
    pub(crate) fn new(frame: usize) -> Self {
        let cosine = |bin: usize, lag: usize| {
            libm::cos(std::f64::consts::TAU * (bin * lag % frame) as f64 / frame as f64)
        };
        Self {
            frame,
            odd: (0..frame / 4).map(|b| std::array::from_fn(|i| cosine(b, 2 * i + 1))).collect(),
            twice_odd: (0..frame / 8)
                .map(|b| std::array::from_fn(|i| cosine(b, 4 * i + 2)))
                .collect(),
            four_times_odd: (0..frame / 16)
                .map(|b| std::array::from_fn(|i| cosine(b, 8 * i + 4)))
                .collect(),
            coarse: (0..=frame / 16)
                .map(|b| std::array::from_fn(|i| cosine(b, 8 * i + 8)))
                .collect(),
        }
    }

    /// Autocorrelations of two windowed frames at lags 0 ..= 32, as sums over samples
    /// (`r[0]` is the frame's energy). Overwrites the power spectra.
    #[inline(always)]
    pub(crate) fn run(&self, pair: &mut [FrameSpectrum; 2]) -> [[f64; LPC_ORDER + 1]; 2] {
        let n = self.frame;
        let wrapped = [wrapped(&pair[0]), wrapped(&pair[1])];
        let [first, second] = pair;
        let mut power = [&mut first.power[..=n / 2], &mut second.power[..=n / 2]];
        // The spectrum of a real signal holds every bin twice but the first and the last.
        for power in &mut power {
            power[0] *= 0.5;
            power[n / 2] *= 0.5;
        }
        let odd = folded(&self.odd, power.each_mut().map(|p| &mut **p));
        let twice_odd = folded(&self.twice_odd, power.each_mut().map(|p| &mut p[..=n / 4]));
        let four_times_odd =
            folded(&self.four_times_odd, power.each_mut().map(|p| &mut p[..=n / 8]));
        let coarse = weighted(&self.coarse, power.each_ref().map(|p| &p[..=n / 16]));

        let mut r = [[0.0; LPC_ORDER + 1]; 2];
        for (side, r) in r.iter_mut().enumerate() {
            r[0] = power[side][..=n / 16].iter().sum();
            for i in 0..16 {
                r[2 * i + 1] = odd[side][i];
            }
            for i in 0..8 {
                r[4 * i + 2] = twice_odd[side][i];
            }
            for i in 0..4 {
                r[8 * i + 4] = four_times_odd[side][i];
                r[8 * i + 8] = coarse[side][i];
            }
            let scale = 2.0 / n as f64;
            r[0] *= scale;
            for (r, wrapped) in r[1..].iter_mut().zip(wrapped[side]) {
                *r = *r * scale - wrapped;
            }
        }
        r
    }
}

/// One folding of two spectra: returns the difference of the halves under the cosines, and
/// leaves the sum of the halves (and the middle bin) in the lower half of `power`.
#[inline(always)]
fn folded<const LAGS: usize>(cosines: &[[f64; LAGS]], power: [&mut [f64]; 2]) -> [[f64; LAGS]; 2] {
    let half = cosines.len();
    let [first, second] = power.map(|p| p.split_at_mut(half));
    // The upper half begins with the middle bin and ends with the mirror of bin 0.
    let first = first.0.iter_mut().zip(first.1[1..].iter().rev());
    let second = second.0.iter_mut().zip(second.1[1..].iter().rev());
    let mut sums = [[0.0; LAGS]; 2];
    for (((p, p_mirror), (q, q_mirror)), row) in first.zip(second).zip(cosines) {
        let difference = [*p - p_mirror, *q - q_mirror];
        (*p, *q) = (*p + p_mirror, *q + q_mirror);
        for (sums, difference) in sums.iter_mut().zip(difference) {
            for (sum, cosine) in sums.iter_mut().zip(row) {
                *sum += difference * cosine;
            }
        }
    }
    sums
}

#[inline(always)]
fn weighted<const LAGS: usize>(cosines: &[[f64; LAGS]], power: [&[f64]; 2]) -> [[f64; LAGS]; 2] {
    let mut sums = [[0.0; LAGS]; 2];
    for ((p, q), row) in power[0].iter().zip(power[1]).zip(cosines) {
        for (sums, power) in sums.iter_mut().zip([p, q]) {
            for (sum, cosine) in sums.iter_mut().zip(row) {
                *sum += power * cosine;
            }
        }
    }
    sums
}

/// Products that the circular autocorrelation adds to lags 1 ..= 32: sample n of the head
/// meets sample N - lag + n of the tail, n < lag.
#[inline(always)]
fn wrapped(frame: &FrameSpectrum) -> [f64; LPC_ORDER] {
    // Tail backwards after zeros, so that lags above n read samples and the others nothing.
    let mut backwards = [0.0; 2 * EDGE];
    for (i, sample) in frame.tail.iter().rev().enumerate() {
        backwards[EDGE + i] = *sample;
    }
    let mut sums = [0.0; LPC_ORDER];
    for (n, sample) in frame.head.iter().enumerate() {
        let partners = &backwards[EDGE - n..2 * EDGE - n];
        for (sum, partner) in sums.iter_mut().zip(partners) {
            *sum += sample * partner;
        }
    }
    sums
}

/// Energy of the prediction error of order 32 for eight frames at once, by the
/// Levinson-Durbin recursion. Where rounding lets a reflection coefficient leave (-1, 1),
/// the recursion of that frame stops and the error of the order before stands; so the
/// result is never negative, NaN or infinite, and 0 only for silence.
#[inline(always)]
pub(crate) fn prediction_errors(r: &Autocorrelations) -> [f64; LANES] {
    let mut error = r[0];
    let mut live = [true; LANES];
    let mut a = [[0.0; LANES]; LPC_ORDER + 1];
    for order in 1..=LPC_ORDER {
        let mut ahead = [r[order], [0.0; LANES]];
        for j in 1..order {
            for lane in 0..LANES {
                ahead[j % 2][lane] += a[j][lane] * r[order - j][lane];
            }
        }
        let mut reflection = [0.0; LANES];
        for lane in 0..LANES {
            let k = -(ahead[0][lane] + ahead[1][lane]) / error[lane];
            // false for NaN, too: a silent frame divides zero by zero
            live[lane] &= k.abs() < 1.0;
            reflection[lane] = if live[lane] { k } else { 0.0 };
        }
        for j in 1..=order / 2 {
            let (left, right) = (a[j], a[order - j]);
            for lane in 0..LANES {
                a[j][lane] = left[lane] + reflection[lane] * right[lane];
                a[order - j][lane] = right[lane] + reflection[lane] * left[lane];
            }
        }
        a[order] = reflection;
        for lane in 0..LANES {
            error[lane] *= 1.0 - reflection[lane] * reflection[lane];
        }
    }
    error
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spectrum::{PairTransform, SpectrumPlan, hann};

    fn direct(frame: &[f64]) -> [f64; LPC_ORDER + 1] {
        std::array::from_fn(|lag| frame.iter().zip(&frame[lag..]).map(|(a, b)| a * b).sum())
    }

    #[test]
    fn lags_from_the_spectrum_are_those_of_the_samples() {
        for length in [256, 1024] {
            let first: Vec<f32> =
                (0..length).map(|n| ((n * n * 7 % 1009) as f32 - 500.0) / 500.0).collect();
            let second: Vec<f32> = (0..length).map(|n| ((n % 40) as f32 - 20.0) / 20.0).collect();
            let mut transform = PairTransform::new(SpectrumPlan::new(length));
            transform.run(&first, &second);
            let lags = LagTransform::new(length);
            let pair = lags.run(&mut transform.pair);
            for (frame, r) in [first, second].iter().zip(pair) {
                let windowed: Vec<f64> =
                    frame.iter().zip(hann(length)).map(|(&x, w)| f64::from(x) * w).collect();
                let expected = direct(&windowed);
                for lag in 0..=LPC_ORDER {
                    let error = (r[lag] - expected[lag]).abs();
                    assert!(error < 1e-14 * expected[0], "{length}, lag {lag}: {error:e}");
                }
            }
        }
    }

    #[test]
    fn the_error_of_a_first_order_process_is_its_innovation() {
        // r[k] = c^k / (1 - c^2) has innovation 1 at every order above 0
        let mut r = [[0.0; LANES]; LPC_ORDER + 1];
        for lane in 0..LANES {
            let c = 0.1 * lane as f64 + 0.2;
            for (lag, r) in r.iter_mut().enumerate() {
                r[lane] = libm::pow(c, lag as f64) / (1.0 - c * c);
            }
        }
        for error in prediction_errors(&r) {
            assert!((error - 1.0).abs() < 1e-12, "{error}");
        }
    }

    #[test]
    fn silence_and_perfect_predictability_stay_finite() {
        let mut r = [[0.0; LANES]; LPC_ORDER + 1];
        for (lag, r) in r.iter_mut().enumerate() {
            r[1] = 1.0; // DC: every lag equal
            r[2] = libm::cos(0.3 * lag as f64); // a line
        }
        let errors = prediction_errors(&r);
        assert_eq!(errors[0], 0.0);
        assert!(errors.iter().all(|e| e.is_finite() && *e >= 0.0), "{errors:?}");
        assert!(errors[2] < 1e-6);
    }
}
