//! Sounds without music, and one clip taken apart: what a classifier calls them says what its
//! certainty is worth.
//!
//! All have the peak of an excerpt, -1 dBFS, but silence. Noise and shuffles are drawn by a fixed
//! seed. Which probes there are, and their lengths, are our choice.

use std::f64::consts::PI;

use realfft::RealFftPlanner;
use trompe_base::random::{Stream, normal, shuffle, stream, uniform};
use trompe_corpora::{Audio, wav};

/// Peak of every probe but silence: -1 dBFS.
const PEAK: f64 = 0.891_250_938_133_745_5;
/// Key of the random streams.
const STREAM: u64 = 0x7072_6f62;
/// Length of a frame that is shuffled, in seconds: no rhythm and no melody is left.
const FRAME: f64 = 0.05;
/// Frequency of the sine, and where the sweep begins, in hertz.
const SINE: f64 = 440.0;
const LOWEST: f64 = 20.0;

/// Probes of `seconds` at a sample rate, each with its name.
pub fn probes(sample_rate: u32, seconds: f64) -> Vec<(&'static str, Audio)> {
    let rate = f64::from(sample_rate);
    let samples = (seconds * rate) as usize;
    let time = |n: usize| n as f64 / rate;
    let rng = |number| stream(0, STREAM, number, 0);
    let white: Vec<f64> = noise(samples, &mut rng(0));
    let click = (0..samples).map(|n| if n == samples / 2 { 1.0 } else { 0.0 });
    let sine = (0..samples).map(|n| libm::sin(2.0 * PI * SINE * time(n)));
    // Exponential, up to nine tenths of the Nyquist frequency.
    let octaves = libm::log(0.45 * rate / LOWEST);
    let sweep = (0..samples).map(|n| {
        let phase = LOWEST * seconds / octaves * (libm::exp(octaves * time(n) / seconds) - 1.0);
        libm::sin(2.0 * PI * phase)
    });
    let made: [(&'static str, Vec<f64>); 7] = [
        ("silence", vec![0.0; samples]),
        ("white noise", white),
        ("pink noise", pink(samples, &mut rng(1))),
        ("brown noise", brown(samples, &mut rng(2))),
        ("sine of 440 Hz", sine.collect()),
        ("one click", click.collect()),
        ("sweep", sweep.collect()),
    ];
    made.map(|(name, samples)| (name, delivered(&samples, sample_rate))).into()
}

/// A clip taken apart, each part with its name: as it is, in shuffled frames of 50 ms, with random
/// phases (its spectrum of the whole length is kept), and reversed.
pub fn probes_of_clip(clip: &Audio) -> Vec<(&'static str, Audio)> {
    let samples: Vec<f64> = clip.samples.iter().map(|&sample| f64::from(sample)).collect();
    let frame = ((FRAME * f64::from(clip.sample_rate)) as usize).max(1);
    let mut frames: Vec<&[f64]> = samples.chunks(frame).collect();
    shuffle(&mut frames, &mut stream(0, STREAM, 3, 0));
    let reversed: Vec<f64> = samples.iter().rev().copied().collect();
    let made = [
        ("the clip as it is", samples.clone()),
        ("the clip in shuffled frames", frames.concat()),
        ("the clip with random phases", with_random_phases(&samples)),
        ("the clip reversed", reversed),
    ];
    made.map(|(name, samples)| (name, delivered(&samples, clip.sample_rate))).into()
}

fn noise(samples: usize, rng: &mut Stream) -> Vec<f64> {
    (0..samples).map(|_| normal(rng)).collect()
}

/// Noise whose power falls by 3 dB an octave: white noise through Kellet's filter.
fn pink(samples: usize, rng: &mut Stream) -> Vec<f64> {
    let poles = [0.99886, 0.99332, 0.969, 0.8665, 0.55, -0.7616];
    let gains = [0.0555179, 0.0750759, 0.1538520, 0.3104856, 0.5329522, -0.0168980];
    let (mut state, mut last) = ([0.0; 6], 0.0);
    let filtered = |white: f64| {
        for ((state, pole), gain) in state.iter_mut().zip(poles).zip(gains) {
            *state = pole * *state + gain * white;
        }
        let sum: f64 = state.iter().sum::<f64>() + last + 0.5362 * white;
        last = 0.115926 * white;
        sum
    };
    noise(samples, rng).into_iter().map(filtered).collect()
}

/// Noise whose power falls by 6 dB an octave: white noise, summed with a slow leak.
fn brown(samples: usize, rng: &mut Stream) -> Vec<f64> {
    let mut sum = 0.0;
    let summed = |white: f64| {
        sum = 0.999 * sum + white;
        sum
    };
    noise(samples, rng).into_iter().map(summed).collect()
}

fn with_random_phases(samples: &[f64]) -> Vec<f64> {
    let mut planner = RealFftPlanner::<f64>::new();
    let forward = planner.plan_fft_forward(samples.len());
    let inverse = planner.plan_fft_inverse(samples.len());
    let mut input = samples.to_vec();
    let mut spectrum = forward.make_output_vec();
    if forward.process(&mut input, &mut spectrum).is_err() {
        return samples.to_vec();
    }
    let mut rng = stream(0, STREAM, 4, 0);
    let last = spectrum.len().saturating_sub(1);
    for (bin, value) in spectrum.iter_mut().enumerate() {
        let size = libm::hypot(value.re, value.im);
        let phase = 2.0 * PI * uniform(&mut rng);
        (value.re, value.im) = (size * libm::cos(phase), size * libm::sin(phase));
        // The ends of the spectrum of a real signal are real.
        if bin == 0 || (bin == last && samples.len().is_multiple_of(2)) {
            (value.re, value.im) = (size, 0.0);
        }
    }
    let mut output = inverse.make_output_vec();
    if inverse.process(&mut spectrum, &mut output).is_err() {
        return samples.to_vec();
    }
    output
}

/// In the form of an excerpt: peak at -1 dBFS, rounded to 16 bits.
fn delivered(samples: &[f64], sample_rate: u32) -> Audio {
    let peak = samples.iter().fold(0.0_f64, |peak, sample| peak.max(sample.abs()));
    let gain = if peak > 0.0 { PEAK / peak } else { 0.0 };
    let scaled: Vec<f32> = samples.iter().map(|sample| (gain * sample) as f32).collect();
    Audio { samples: wav::dequantize(&wav::quantize(&scaled)), sample_rate }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_probe_has_its_length_and_peak() {
        let made = probes(22_050, 2.0);
        assert_eq!(made.len(), 7);
        for (name, audio) in &made {
            assert_eq!(audio.samples.len(), 44_100, "{name}");
            let peak = audio.samples.iter().fold(0.0_f32, |peak, sample| peak.max(sample.abs()));
            let wanted = if *name == "silence" { 0.0 } else { PEAK as f32 };
            assert!((peak - wanted).abs() < 1e-4, "{name}: {peak}");
        }
        assert_eq!(made, probes(22_050, 2.0));
    }

    #[test]
    fn random_phases_keep_the_spectrum_and_shuffles_keep_the_samples() {
        let sine: Vec<f32> =
            (0..2_205).map(|n| libm::sinf(0.3 * n as f32) * (n as f32 / 2_205.0)).collect();
        let clip = Audio { samples: sine, sample_rate: 22_050 };
        let made = probes_of_clip(&clip);
        let energy = |audio: &Audio| -> f32 { audio.samples.iter().map(|x| x * x).sum() };
        let sorted = |audio: &Audio| {
            let mut samples = audio.samples.clone();
            samples.sort_by(f32::total_cmp);
            samples
        };
        assert_eq!(sorted(&made[0].1), sorted(&made[1].1));
        assert_ne!(made[0].1, made[1].1);
        assert_eq!(sorted(&made[0].1), sorted(&made[3].1));
        assert!(energy(&made[2].1) > 0.0 && made[2].1 != made[0].1);
    }
}
