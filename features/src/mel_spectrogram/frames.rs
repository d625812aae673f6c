//! Frames of sound and their spectra.

use std::sync::Arc;

use rustfft::num_complex::Complex;
use rustfft::{Fft, FftPlanner};

use super::filters::{LANES, Lanes};
use super::settings::{MelSettings, Padding, Window};
use crate::error::{Error, Result};
use crate::spectrum::hann;

/// Where frames lie.
#[derive(Debug, Clone, Copy)]
pub(super) struct Framing {
    frame: usize,
    fft: usize,
    pub(super) hop: usize,
    pad: Padding,
}

impl Framing {
    pub(super) fn new(settings: &MelSettings) -> Self {
        Self { frame: settings.frame, fft: settings.fft(), hop: settings.hop, pad: settings.pad }
    }

    /// Number of frames of sound of `samples` samples. Centred frames are as long as the FFT
    /// in this count, and the sound is padded by half of that at both ends (librosa, torch).
    pub(super) fn count(&self, samples: usize) -> usize {
        let (length, frame) = match self.pad {
            Padding::None => (samples, self.frame),
            Padding::Zero | Padding::Reflect => (samples + self.fft, self.fft),
        };
        if samples == 0 || length < frame { 0 } else { (length - frame) / self.hop + 1 }
    }

    /// Fewest samples that give at least `frames` frames.
    pub(super) fn fewest(&self, frames: usize) -> usize {
        let hops = (frames - 1) * self.hop;
        match self.pad {
            Padding::None => hops + self.frame,
            Padding::Zero => hops.max(1),
            // A mirror image of so many samples needs one more.
            Padding::Reflect => hops.max(self.fft / 2 + 1),
        }
    }

    /// Frames that leave no sample out.
    pub(super) fn covering(&self, samples: usize) -> usize {
        match self.pad {
            Padding::None => samples.saturating_sub(self.frame).div_ceil(self.hop) + 1,
            Padding::Zero | Padding::Reflect => self.count(samples),
        }
    }

    /// The sound with what lies beyond its ends, so that frame i starts at `i * hop`, and one
    /// sample more.
    fn padded(&self, samples: &[f32]) -> Vec<f32> {
        let (before, length) = match self.pad {
            Padding::None => (0, samples.len()),
            // The window stands in the middle of the FFT.
            Padding::Zero | Padding::Reflect => (
                self.fft / 2 - (self.fft - self.frame) / 2,
                (self.count(samples.len()) - 1) * self.hop + self.frame,
            ),
        };
        let end = before + samples.len();
        // The last frame of an odd length is read with one sample more, of weight 0.
        let length = length.max(end) + 1;
        let mut out = Vec::with_capacity(length);
        out.resize(before, 0.0);
        out.extend_from_slice(samples);
        out.resize(length, 0.0);
        if self.pad == Padding::Reflect {
            for i in 0..before {
                out[before - 1 - i] = samples[i + 1];
            }
            for (i, sample) in out[end..length - 1].iter_mut().enumerate() {
                *sample = samples[samples.len() - 2 - i];
            }
        }
        out
    }
}

/// Windowed spectra: magnitudes or power.
pub(super) struct Spectra {
    pub(super) framing: Framing,
    /// The window times the scale of the samples, in pairs; the last may hold a zero more.
    window: Vec<[f64; 2]>,
    transform: RealTransform,
    remove_dc: bool,
    preemphasis: f64,
    magnitudes: bool,
}

/// Buffers of one thread.
pub(super) struct Buffers {
    input: Vec<Complex<f64>>,
    scratch: Vec<Complex<f64>>,
    /// Real and imaginary parts of one frame's transform.
    parts: [Vec<f64>; 2],
    /// Power of one frame.
    power: Vec<f64>,
    /// Spectra of [`LANES`] frames, bin by bin.
    pub(super) spectra: Vec<Lanes>,
}

impl Spectra {
    pub(super) fn new(settings: &MelSettings) -> Self {
        let mut window = match settings.window {
            Window::Hann => hann(settings.frame),
            // A period of one sample less, and the zero that follows it.
            Window::HannSymmetric => {
                let mut window = hann(settings.frame - 1);
                window.push(0.0);
                window
            }
        };
        window.resize(window.len().next_multiple_of(2), 0.0);
        let scaled = |pair: &[f64; 2]| pair.map(|weight| weight * settings.scale);
        Self {
            framing: Framing::new(settings),
            window: window.as_chunks::<2>().0.iter().map(scaled).collect(),
            transform: RealTransform::new(settings.fft()),
            remove_dc: settings.remove_dc,
            preemphasis: settings.preemphasis,
            magnitudes: settings.power == 1,
        }
    }

    pub(super) fn buffers(&self) -> Buffers {
        let bins = self.framing.fft / 2 + 1;
        Buffers {
            input: vec![Complex::default(); bins - 1],
            scratch: vec![Complex::default(); self.transform.fft.get_inplace_scratch_len()],
            parts: [vec![0.0; bins - 1], vec![0.0; bins - 1]],
            power: vec![0.0; bins],
            spectra: vec![[0.0; LANES]; bins],
        }
    }

    /// The sound as [`Spectra::run`] takes it.
    ///
    /// # Errors
    /// [`Error::TooShort`] below one frame.
    pub(super) fn pad(&self, samples: &[f32]) -> Result<Vec<f32>> {
        let needed = self.framing.fewest(1);
        if samples.len() < needed {
            return Err(Error::TooShort { samples: samples.len(), needed });
        }
        Ok(self.framing.padded(samples))
    }

    /// Spectra of `count` frames from frame `first` on, at most [`LANES`]; the other lanes
    /// hold what they held.
    #[inline(always)]
    pub(super) fn run(&self, padded: &[f32], first: usize, count: usize, work: &mut Buffers) {
        for lane in 0..count {
            let start = (first + lane) * self.framing.hop;
            self.load(&padded[start..start + 2 * self.window.len()], &mut work.input);
            self.transform.run(
                &mut work.input,
                &mut work.scratch,
                &mut work.parts,
                &mut work.power,
            );
            for (bins, power) in work.spectra.iter_mut().zip(&work.power) {
                bins[lane] = *power;
            }
        }
        if self.magnitudes {
            for power in work.spectra.as_flattened_mut() {
                *power = power.sqrt();
            }
        }
    }

    /// Writes a frame, windowed and followed by zeros, where the FFT reads it: samples of even
    /// index as real parts, those of odd index as imaginary parts.
    #[inline(always)]
    fn load(&self, frame: &[f32], input: &mut [Complex<f64>]) {
        let pairs = frame.as_chunks::<2>().0;
        let mean = if self.remove_dc { mean(&frame[..self.framing.frame]) } else { 0.0 };
        let level = |sample: f32| f64::from(sample) - mean;
        input[pairs.len()..].fill(Complex::default());
        if self.preemphasis == 0.0 {
            for ((z, pair), weights) in input.iter_mut().zip(pairs).zip(&self.window) {
                z.re = level(pair[0]) * weights[0];
                z.im = level(pair[1]) * weights[1];
            }
            return;
        }
        let c = self.preemphasis;
        let [even, odd] = pairs[0].map(level);
        input[0].re = (even - c * even) * self.window[0][0];
        input[0].im = (odd - c * even) * self.window[0][1];
        let neighbours = pairs[1..].iter().zip(pairs);
        for ((z, (pair, before)), weights) in
            input[1..].iter_mut().zip(neighbours).zip(&self.window[1..])
        {
            z.re = (level(pair[0]) - c * level(before[1])) * weights[0];
            z.im = (level(pair[1]) - c * level(pair[0])) * weights[1];
        }
    }
}

/// FFT of real samples by a complex one of half the length, of pairs of samples. The spectra
/// of even and odd samples, which the symmetries of the result part, are put together and
/// squared in one pass (Press et al., *Numerical Recipes*, section 12.3).
struct RealTransform {
    fft: Arc<dyn Fft<f64>>,
    /// Cosines and sines of `2 pi k / length` for k = 1 .. length / 4, without those that
    /// need no product.
    cosines: Vec<f64>,
    sines: Vec<f64>,
}

impl RealTransform {
    /// Transform of `length` samples, an even number.
    fn new(length: usize) -> Self {
        let half = length / 2;
        let step = std::f64::consts::TAU / length as f64;
        let angles = || (1..half.div_ceil(2)).map(|k| step * k as f64);
        Self {
            fft: FftPlanner::new().plan_fft_forward(half),
            cosines: angles().map(libm::cos).collect(),
            sines: angles().map(libm::sin).collect(),
        }
    }

    /// Power of every bin. `parts` holds the real and imaginary parts of `z`, which is
    /// overwritten.
    #[inline(always)]
    fn run(
        &self,
        z: &mut [Complex<f64>],
        scratch: &mut [Complex<f64>],
        parts: &mut [Vec<f64>; 2],
        power: &mut [f64],
    ) {
        self.fft.process_with_scratch(z, scratch);
        let [re, im] = parts;
        for ((z, re), im) in z.iter().zip(&mut *re).zip(&mut *im) {
            (*re, *im) = (z.re, z.im);
        }
        let half = z.len();
        power[0] = (re[0] + im[0]) * (re[0] + im[0]);
        power[half] = (re[0] - im[0]) * (re[0] - im[0]);
        if half.is_multiple_of(2) {
            power[half / 2] = re[half / 2] * re[half / 2] + im[half / 2] * im[half / 2];
        }
        let count = self.cosines.len();
        let (low, high) = power.split_at_mut(half - count);
        let (low, low_rest) = low[1..=count].as_chunks_mut::<LANES>();
        let (high_rest, high) = high[..count].as_rchunks_mut::<LANES>();
        let (re_low, re_low_rest) = re[1..=count].as_chunks::<LANES>();
        let (im_low, im_low_rest) = im[1..=count].as_chunks::<LANES>();
        let (re_high_rest, re_high) = re[half - count..].as_rchunks::<LANES>();
        let (im_high_rest, im_high) = im[half - count..].as_rchunks::<LANES>();
        let (cosines, cosines_rest) = self.cosines.as_chunks::<LANES>();
        let (sines, sines_rest) = self.sines.as_chunks::<LANES>();
        let steps = low.len();
        for i in 0..steps {
            let j = steps - 1 - i;
            (low[i], high[j]) =
                combine([re_low[i], im_low[i]], [re_high[j], im_high[j]], [cosines[i], sines[i]]);
        }
        let rest = low_rest.len();
        for i in 0..rest {
            let j = rest - 1 - i;
            let ([one], [two]) = combine(
                [[re_low_rest[i]], [im_low_rest[i]]],
                [[re_high_rest[j]], [im_high_rest[j]]],
                [[cosines_rest[i]], [sines_rest[i]]],
            );
            (low_rest[i], high_rest[j]) = (one, two);
        }
    }
}

/// Power of N bins k and of their counterparts `length / 2 - k`, which lie in falling order,
/// from real and imaginary parts of the transform of pairs.
#[inline(always)]
fn combine<const N: usize>(
    [re_low, im_low]: [[f64; N]; 2],
    [mut re_high, mut im_high]: [[f64; N]; 2],
    [cosines, sines]: [[f64; N]; 2],
) -> ([f64; N], [f64; N]) {
    re_high.reverse();
    im_high.reverse();
    let (mut low, mut high) = ([0.0; N], [0.0; N]);
    for i in 0..N {
        // Twice the spectra of the even and of the odd samples.
        let (even_re, even_im) = (re_low[i] + re_high[i], im_low[i] - im_high[i]);
        let (odd_re, odd_im) = (im_low[i] + im_high[i], re_high[i] - re_low[i]);
        let turned_re = cosines[i] * odd_re + sines[i] * odd_im;
        let turned_im = cosines[i] * odd_im - sines[i] * odd_re;
        let (sum_re, sum_im) = (even_re + turned_re, even_im + turned_im);
        let (gap_re, gap_im) = (even_re - turned_re, even_im - turned_im);
        low[i] = 0.25 * (sum_re * sum_re + sum_im * sum_im);
        high[i] = 0.25 * (gap_re * gap_re + gap_im * gap_im);
    }
    high.reverse();
    (low, high)
}

/// Mean of a frame, summed in [`LANES`] lanes.
#[inline(always)]
fn mean(frame: &[f32]) -> f64 {
    let (steps, rest) = frame.as_chunks::<LANES>();
    let mut sums = [0.0; LANES];
    for step in steps {
        for lane in 0..LANES {
            sums[lane] += f64::from(step[lane]);
        }
    }
    let rest: f64 = rest.iter().map(|sample| f64::from(*sample)).sum();
    (sums.iter().sum::<f64>() + rest) / frame.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    const PADDINGS: [Padding; 3] = [Padding::None, Padding::Zero, Padding::Reflect];

    #[test]
    fn power_is_that_of_a_direct_transform() {
        for length in [2, 4, 6, 8, 10, 12, 14, 30, 64, 400] {
            let samples: Vec<f64> = (0..length).map(|n| (n * n % 31) as f64 / 9.0 - 1.3).collect();
            let transform = RealTransform::new(length);
            let mut z: Vec<Complex<f64>> =
                samples.chunks(2).map(|pair| Complex { re: pair[0], im: pair[1] }).collect();
            let mut scratch = vec![Complex::default(); transform.fft.get_inplace_scratch_len()];
            let mut power = vec![f64::NAN; length / 2 + 1];
            let mut parts = [vec![0.0; length / 2], vec![0.0; length / 2]];
            transform.run(&mut z, &mut scratch, &mut parts, &mut power);
            for (bin, power) in power.iter().enumerate() {
                let (mut re, mut im) = (0.0, 0.0);
                for (n, x) in samples.iter().enumerate() {
                    let angle = std::f64::consts::TAU * (n * bin % length) as f64 / length as f64;
                    re += x * libm::cos(angle);
                    im -= x * libm::sin(angle);
                }
                let expected = re * re + im * im;
                let error = (power - expected).abs();
                assert!(error < 1e-12 * (length * length) as f64, "{length}, bin {bin}: {error:e}");
            }
        }
    }

    #[test]
    fn the_fewest_samples_give_the_frames_and_one_less_does_not() {
        for pad in PADDINGS {
            for (frame, fft) in [(8, 8), (6, 8), (5, 10), (2, 16)] {
                for hop in 1..20 {
                    let framing = Framing { frame, fft, hop, pad };
                    let smallest = framing.count(framing.fewest(1));
                    for frames in smallest..smallest + 9 {
                        let fewest = framing.fewest(frames);
                        assert_eq!(framing.count(fewest), frames, "{framing:?}");
                        if frames > smallest {
                            assert_eq!(framing.count(fewest - 1), frames - 1, "{framing:?}");
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn frames_that_cover_reach_the_last_sample() {
        let framing = Framing { frame: 10, fft: 16, hop: 4, pad: Padding::None };
        assert_eq!(framing.covering(3), 1);
        assert_eq!(framing.covering(10), 1);
        assert_eq!(framing.covering(11), 2);
        assert_eq!(framing.covering(14), 2);
        assert_eq!(framing.covering(15), 3);
    }

    #[test]
    fn frames_start_where_the_padding_puts_them() {
        let sound: Vec<f32> = (1..=6).map(|n| n as f32).collect();
        // an FFT of 6 with a window of 4 in its middle: two samples before the centre
        let framing = |pad| Framing { frame: 4, fft: 6, hop: 2, pad };
        assert_eq!(framing(Padding::None).padded(&sound)[..6], sound);
        let zero = framing(Padding::Zero).padded(&sound);
        assert_eq!(zero[..10], [0.0, 0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 0.0, 0.0]);
        let mirrored = framing(Padding::Reflect).padded(&sound);
        assert_eq!(mirrored[..10], [3.0, 2.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 5.0, 4.0]);
    }

    #[test]
    fn the_shortest_sounds_can_be_padded_and_cut() {
        for pad in PADDINGS {
            for (frame, fft) in [(8, 8), (6, 10), (3, 16), (15, 16)] {
                for hop in [1, 3, 50] {
                    let framing = Framing { frame, fft, hop, pad };
                    for samples in framing.fewest(1)..framing.fewest(1) + 60 {
                        let padded = framing.padded(&vec![1.0; samples]);
                        let last = (framing.count(samples) - 1) * hop + frame;
                        assert!(padded.len() > last, "{framing:?} {samples}");
                    }
                }
            }
        }
    }
}
