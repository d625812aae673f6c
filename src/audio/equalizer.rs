//! A linear-phase equalizer of 96 bands: what Sturm's second experiment filters with.
//!
//! How his filterbank drew its gains, and how far, is not known. Here the bands are an equal
//! number of ERBs apart (Slaney's ERBSpace, as his gammatone filters), the gain between two
//! centres is interpolated in decibels, and the whole clip is filtered at once in the
//! frequency domain without phase (a linear phase whose delay is taken away). Loudness is
//! kept: the energy under the K-weighting of ITU-R BS.1770-4, without gates.

use std::sync::Arc;

use realfft::num_complex::Complex;
use realfft::{ComplexToReal, RealFftPlanner};
use trompe_corpora::wav;
use trompe_features::fast_length;

/// Number of bands.
pub const BANDS: usize = 96;

/// Centre of the lowest band, in hertz.
const LOWEST: f64 = 20.0;

/// Quality of the ear's filters at high centres, times their least bandwidth, in hertz
/// (Slaney 1993; Glasberg & Moore 1990): ERB = 24.7 + f / 9.26449.
const EAR: f64 = 9.264_49 * 24.7;

/// Silence after the clip, in seconds, into which the filter may ring: longer than the
/// response of gains that change from one band to the next.
const TAIL_SECONDS: f64 = 0.5;

/// Highest magnitude of a filtered sample: what would exceed it is made softer as a whole.
const FULL_SCALE: f32 = 32_767.0 / 32_768.0;

/// One clip, ready to be filtered by any gains.
pub struct Equalizer {
    samples: usize,
    spectrum: Vec<Complex<f32>>,
    /// Of every bin: the band below it, and how far it is to the next.
    places: Vec<(u8, f32)>,
    /// K-weighted energy of every bin of the clip.
    loudness: Vec<f32>,
    inverse: Arc<dyn ComplexToReal<f32>>,
}

/// Centres of the bands at `sample_rate` hertz, ascending, from 20 Hz.
pub fn centres(sample_rate: u32) -> [f64; BANDS] {
    let top = f64::from(sample_rate) / 2.0 + EAR;
    let step = libm::log((LOWEST + EAR) / top) / BANDS as f64;
    std::array::from_fn(|band| libm::exp((BANDS - band) as f64 * step) * top - EAR)
}

impl Equalizer {
    /// An equalizer of `samples` at `sample_rate` hertz.
    pub fn new(samples: &[f32], sample_rate: u32) -> Self {
        let rate = f64::from(sample_rate);
        let length = fast_length(samples.len() + (TAIL_SECONDS * rate) as usize);
        let mut planner = RealFftPlanner::new();
        let forward = planner.plan_fft_forward(length);
        let mut padded = samples.to_vec();
        padded.resize(length, 0.0);
        let mut spectrum = forward.make_output_vec();
        // Cannot fail: all lengths are the plan's own.
        let transformed = forward.process(&mut padded, &mut spectrum);
        debug_assert!(transformed.is_ok());
        let centres = centres(sample_rate);
        let hertz = |bin: usize| bin as f64 * rate / length as f64;
        let places = (0..spectrum.len()).map(|bin| place(&centres, hertz(bin))).collect();
        let loudness = spectrum
            .iter()
            .enumerate()
            .map(|(bin, value)| (k_weight(hertz(bin)) * f64::from(value.norm_sqr())) as f32)
            .collect();
        let inverse = planner.plan_fft_inverse(length);
        Self { samples: samples.len(), spectrum, places, loudness, inverse }
    }

    /// The clip filtered by `gains` in decibels, one a band, as 16-bit samples. As loud as
    /// the clip, or as loud as fits without clipping.
    pub fn apply(&self, gains: &[f32]) -> Vec<i16> {
        /// Decibels as powers of two.
        const OCTAVES: f32 = std::f32::consts::LOG2_10 / 20.0;
        let octaves: Vec<f32> = gains.iter().map(|gain| gain * OCTAVES).collect();
        let factors: Vec<f32> = self
            .places
            .iter()
            .map(|&(band, share)| {
                let (below, above) = (octaves[usize::from(band)], octaves[usize::from(band) + 1]);
                libm::exp2f(below + share * (above - below))
            })
            .collect();
        let (mut before, mut after) = (0.0f64, 0.0f64);
        for (&energy, &factor) in self.loudness.iter().zip(&factors) {
            before += f64::from(energy);
            after += f64::from(energy) * f64::from(factor) * f64::from(factor);
        }
        let keep = if after > 0.0 { libm::sqrt(before / after) } else { 1.0 };
        let scale = (keep / self.inverse.len() as f64) as f32;
        let mut filtered: Vec<Complex<f32>> = self
            .spectrum
            .iter()
            .zip(&factors)
            .map(|(value, factor)| value * (factor * scale))
            .collect();
        let mut samples = self.inverse.make_output_vec();
        // The ends of a real signal's spectrum are real.
        if let [first, .., last] = filtered.as_mut_slice() {
            (first.im, last.im) = (0.0, 0.0);
        }
        let transformed = self.inverse.process(&mut filtered, &mut samples);
        debug_assert!(transformed.is_ok());
        samples.truncate(self.samples);
        let peak = samples.iter().fold(0.0f32, |peak, sample| peak.max(sample.abs()));
        if peak > FULL_SCALE {
            samples.iter_mut().for_each(|sample| *sample *= FULL_SCALE / peak);
        }
        wav::quantize(&samples)
    }
}

/// The band below a frequency and the share of the way to the next, in ERBs.
fn place(centres: &[f64; BANDS], hertz: f64) -> (u8, f32) {
    let above = centres.partition_point(|&centre| centre <= hertz).clamp(1, BANDS - 1);
    let erbs = |hertz: f64| libm::log(hertz + EAR);
    let (low, high) = (erbs(centres[above - 1]), erbs(centres[above]));
    let share = ((erbs(hertz) - low) / (high - low)).clamp(0.0, 1.0);
    ((above - 1) as u8, share as f32)
}

/// Power response of the K-weighting: a shelf for the head, then a high-pass, by the
/// coefficients of ITU-R BS.1770-4 at 48 kHz.
fn k_weight(hertz: f64) -> f64 {
    let angle = 2.0 * std::f64::consts::PI * hertz / 48_000.0;
    let z = Complex::new(libm::cos(angle), -libm::sin(angle));
    let section = |b: [f64; 3], a: [f64; 2]| {
        let numerator = z * (z * b[2] + b[1]) + b[0];
        let denominator = z * (z * a[1] + a[0]) + 1.0;
        numerator.norm_sqr() / denominator.norm_sqr()
    };
    section(
        [1.535_124_859_586_97, -2.691_696_189_406_38, 1.198_392_810_852_85],
        [-1.690_659_293_182_41, 0.732_480_774_215_85],
    ) * section([1.0, -2.0, 1.0], [-1.990_047_454_833_98, 0.990_072_250_366_21])
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: u32 = 22_050;

    /// Tones at the centres of two bands, apart enough to be told apart.
    fn tones(bands: [usize; 2]) -> Vec<f32> {
        let centres = centres(RATE);
        (0..RATE as usize * 2)
            .map(|n| {
                let tone = |band: usize| {
                    let turns = (centres[band] * n as f64 / f64::from(RATE)).fract();
                    0.1 * (std::f64::consts::TAU * turns).sin()
                };
                (tone(bands[0]) + tone(bands[1])) as f32
            })
            .collect()
    }

    fn level(samples: &[f32], hertz: f64) -> f64 {
        let (mut re, mut im) = (0.0, 0.0);
        let inner = &samples[RATE as usize / 2..RATE as usize * 3 / 2];
        for (n, &x) in inner.iter().enumerate() {
            let window = (std::f64::consts::PI * n as f64 / inner.len() as f64).sin().powi(2);
            let angle = std::f64::consts::TAU * hertz * n as f64 / f64::from(RATE);
            re += window * f64::from(x) * angle.cos();
            im += window * f64::from(x) * angle.sin();
        }
        20.0 * re.hypot(im).log10()
    }

    #[test]
    fn bands_are_slaneys_and_reach_from_20_hz_almost_to_half_the_rate() {
        let centres = centres(RATE);
        assert!((centres[0] - 20.0).abs() < 1e-9);
        // ERBSpace(20, 11025, 96) of the Auditory Toolbox: its first and second values.
        let top = |i: f64| {
            -EAR + ((i * ((20.0 + EAR).ln() - (11_025.0 + EAR).ln())) / 96.0).exp()
                * (11_025.0 + EAR)
        };
        assert!((centres[95] - top(1.0)).abs() < 1e-6 && (centres[94] - top(2.0)).abs() < 1e-6);
        assert!(centres.windows(2).all(|pair| pair[0] < pair[1]));
    }

    #[test]
    fn a_tone_gets_the_gain_of_its_band_relative_to_another() {
        let (low, high) = (30, 70);
        let samples = tones([low, high]);
        let equalizer = Equalizer::new(&samples, RATE);
        let mut gains = [0.0f32; BANDS];
        for (band, gain) in gains.iter_mut().enumerate() {
            *gain = if band < 50 { 6.0 } else { -6.0 };
        }
        let filtered = wav::dequantize(&equalizer.apply(&gains));
        let centres = centres(RATE);
        let change = |band: usize| level(&filtered, centres[band]) - level(&samples, centres[band]);
        assert!(
            (change(low) - change(high) - 12.0).abs() < 0.05,
            "{} {}",
            change(low),
            change(high)
        );
    }

    #[test]
    fn flat_gains_give_the_clip_back_at_its_loudness_and_in_time() {
        let samples = tones([30, 70]);
        let equalizer = Equalizer::new(&samples, RATE);
        for gain in [0.0, -20.0, 13.0] {
            let filtered = wav::dequantize(&equalizer.apply(&[gain; BANDS]));
            assert_eq!(filtered.len(), samples.len());
            let worst = samples.iter().zip(&filtered).map(|(a, b)| (a - b).abs());
            assert!(worst.fold(0.0, f32::max) < 2.0 / 32_768.0, "{gain}");
        }
    }

    #[test]
    fn nothing_clips() {
        let samples: Vec<f32> = tones([40, 60]).iter().map(|x| x * 4.9).collect();
        let mut gains = [0.0f32; BANDS];
        gains[..50].fill(-20.0);
        let filtered = Equalizer::new(&samples, RATE).apply(&gains);
        let peak = filtered.iter().map(|x| x.unsigned_abs()).max();
        assert!(peak <= Some(32_767), "{peak:?}");
    }

    #[test]
    fn the_weighting_is_that_of_the_recommendation() {
        // 0 dB at 997 Hz is -3.01 LKFS with the offset of -0.691: a gain of 0.691 dB.
        let decibels = |hertz| 10.0 * f64::log10(k_weight(hertz));
        assert!((decibels(997.0) - 0.691).abs() < 0.01, "{}", decibels(997.0));
        assert!(decibels(20.0) < -10.0 && (decibels(10_000.0) - 4.0).abs() < 0.1);
    }
}
