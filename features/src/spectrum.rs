//! Windowed frames and their power spectra, two frames to one complex transform.

use std::sync::Arc;

use rustfft::num_complex::Complex;
use rustfft::{Fft, FftPlanner};

/// Hann window of `length` samples, periodic: `w[n] = 0.5 - 0.5 cos(2 pi n / length)`, as
/// overlapping frames want it (the symmetric form repeats the zero at the end).
pub(crate) fn hann(length: usize) -> Vec<f64> {
    let step = std::f64::consts::TAU / length as f64;
    (0..length).map(|n| 0.5 - 0.5 * libm::cos(step * n as f64)).collect()
}

/// What all extractors of one setting share: window and transform.
#[derive(Clone)]
pub(crate) struct SpectrumPlan {
    window: Arc<[f64]>,
    fft: Arc<dyn Fft<f64>>,
}

impl SpectrumPlan {
    /// SharedTables for frames of `length` samples (even).
    pub(crate) fn new(length: usize) -> Self {
        let fft = FftPlanner::new().plan_fft_forward(length);
        Self { window: hann(length).into(), fft }
    }
}

/// Number of samples kept at each end of a windowed frame (see [`crate::lpc`]).
pub(crate) const EDGE: usize = 32;

/// One frame in the frequency domain, with the ends of the windowed frame.
#[derive(Clone)]
pub(crate) struct FrameSpectrum {
    /// `|X[b]|^2` for b = 0 ..= length / 2.
    pub(crate) power: Vec<f64>,
    /// First [`EDGE`] samples of the windowed frame.
    pub(crate) head: [f64; EDGE],
    /// Last [`EDGE`] samples of the windowed frame.
    pub(crate) tail: [f64; EDGE],
}

impl FrameSpectrum {
    fn new(length: usize) -> Self {
        Self { power: vec![0.0; length / 2 + 1], head: [0.0; EDGE], tail: [0.0; EDGE] }
    }
}

/// Transforms pairs of real frames: one becomes the real, the other the imaginary part of a
/// complex frame, and the symmetries of the spectrum part them again. All in f64, because
/// the linear predictor needs more of the spectrum than f32 holds.
#[derive(Clone)]
pub(crate) struct PairTransform {
    plan: SpectrumPlan,
    buffer: Vec<Complex<f64>>,
    scratch: Vec<Complex<f64>>,
    /// The two frames of the last [`PairTransform::run`].
    pub(crate) pair: [FrameSpectrum; 2],
}

impl PairTransform {
    pub(crate) fn new(plan: SpectrumPlan) -> Self {
        let length = plan.window.len();
        let scratch = vec![Complex::default(); plan.fft.get_inplace_scratch_len()];
        let frame = FrameSpectrum::new(length);
        Self {
            plan,
            buffer: vec![Complex::default(); length],
            scratch,
            pair: [frame.clone(), frame],
        }
    }

    /// Windows and transforms two frames of the plan's length. A frame that the window
    /// leaves all zero gets a spectrum of exact zeros, whatever its partner holds.
    #[inline(always)]
    pub(crate) fn run(&mut self, first: &[f32], second: &[f32]) {
        let frames = first.iter().zip(second);
        for ((z, w), (a, b)) in self.buffer.iter_mut().zip(self.plan.window.iter()).zip(frames) {
            *z = Complex { re: f64::from(*a) * w, im: f64::from(*b) * w };
        }
        let [one, two] = &mut self.pair;
        let length = self.buffer.len();
        for i in 0..EDGE {
            (one.head[i], two.head[i]) = (self.buffer[i].re, self.buffer[i].im);
            let z = self.buffer[length - EDGE + i];
            (one.tail[i], two.tail[i]) = (z.re, z.im);
        }
        self.plan.fft.process_with_scratch(&mut self.buffer, &mut self.scratch);
        separate(&self.buffer, &mut one.power, &mut two.power);
        if silent(first) {
            one.power.fill(0.0);
        }
        if silent(second) {
            two.power.fill(0.0);
        }
    }
}

/// Whether nothing is left of a frame under the window, whose first value is 0.
#[inline(always)]
fn silent(frame: &[f32]) -> bool {
    frame[1..].iter().fold(0, |bits, sample| bits | sample.to_bits() << 1) == 0
}

/// Power spectra of the real and of the imaginary part from the transform of both:
/// `A[b] = (Z[b] + conj Z[N - b]) / 2`, `i B[b] = (Z[b] - conj Z[N - b]) / 2`.
#[inline(always)]
fn separate(z: &[Complex<f64>], real: &mut [f64], imaginary: &mut [f64]) {
    let half = z.len() / 2;
    for b in [0, half] {
        real[b] = z[b].re * z[b].re;
        imaginary[b] = z[b].im * z[b].im;
    }
    let rising = z[1..half].iter();
    let falling = z[half + 1..].iter().rev();
    let outputs = real[1..half].iter_mut().zip(&mut imaginary[1..half]);
    for ((p, q), (real, imaginary)) in rising.zip(falling).zip(outputs) {
        let (a_re, a_im) = (p.re + q.re, p.im - q.im);
        let (b_re, b_im) = (p.re - q.re, p.im + q.im);
        *real = 0.25 * (a_re * a_re + a_im * a_im);
        *imaginary = 0.25 * (b_re * b_re + b_im * b_im);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_is_the_periodic_hann_window() {
        let w = hann(8);
        for (n, expected) in [(0, 0.0), (2, 0.5), (4, 1.0), (6, 0.5)] {
            assert!((w[n] - expected).abs() < 1e-15, "w[{n}] = {}", w[n]);
        }
        // overlapped by half it sums to one
        assert!((0..4).all(|n| (w[n] + w[n + 4] - 1.0).abs() < 1e-15));
    }

    #[test]
    fn both_frames_have_the_power_of_a_direct_transform() {
        let length = 128;
        let first: Vec<f32> = (0..length).map(|n| ((n * n % 31) as f32 - 15.0) / 16.0).collect();
        let second: Vec<f32> = (0..length).map(|n| ((n * 7 % 13) as f32) / 1e3).collect();
        let mut transform = PairTransform::new(SpectrumPlan::new(length));
        transform.run(&first, &second);
        let window = hann(length);
        for (frame, spectrum) in [first, second].iter().zip(&transform.pair) {
            for b in 0..=length / 2 {
                let (mut re, mut im) = (0.0, 0.0);
                for (n, (&x, w)) in frame.iter().zip(&window).enumerate() {
                    let angle = std::f64::consts::TAU * (n * b % length) as f64 / length as f64;
                    re += f64::from(x) * w * libm::cos(angle);
                    im -= f64::from(x) * w * libm::sin(angle);
                }
                let expected = re * re + im * im;
                assert!((spectrum.power[b] - expected).abs() < 1e-12 * (1.0 + expected), "bin {b}");
            }
            assert_eq!(spectrum.head[3], f64::from(frame[3]) * window[3]);
            assert_eq!(spectrum.tail[31], f64::from(frame[length - 1]) * window[length - 1]);
        }
    }

    #[test]
    fn a_silent_frame_stays_silent_beside_a_loud_one() {
        let loud: Vec<f32> = (0..256).map(|n| if n % 5 < 2 { 1.0 } else { -0.7 }).collect();
        let mut transform = PairTransform::new(SpectrumPlan::new(256));
        transform.run(&loud, &[0.0; 256]);
        assert!(transform.pair[1].power.iter().all(|&p| p == 0.0));
        assert!(transform.pair[0].power.iter().all(|&p| p > 0.0));
    }
}
