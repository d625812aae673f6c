//! Sounds for the set-up: level, ears, Huggins pitch, antiphase, and the chime of catch items.
//! All synthesized, so nothing is borrowed and every seed gives the same bytes.

use core::f64::consts::{PI, TAU};

use rand::RngExt;

use super::sound::Sound;
use crate::random::{Purpose, stream};

/// Sample rate of all synthesized sounds, in hertz.
const RATE: u32 = 44_100;

/// Samples of silence between the intervals of a three-interval trial (half a second; Woods
/// et al. 2017).
const GAP: usize = RATE as usize / 2;

/// A second of samples.
const SECOND: usize = RATE as usize;

/// Three one-second noises; in interval `target` (1 to 3) a band of +-6 % around 600 Hz is
/// turned by 180 degrees in the right ear, which is heard as a faint pitch with headphones
/// only (Milne et al. 2021).
pub(crate) fn huggins(seed: u64, number: u64, target: u32) -> Sound {
    let intervals = (1..=3).map(|interval| {
        let left = noise(seed, number * 3 + interval, SECOND);
        let right = if interval == u64::from(target) {
            let band = band(&left, 564, 636);
            left.iter().zip(band).map(|(sample, band)| sample - 2.0 * band).collect()
        } else {
            left.clone()
        };
        (left, right)
    });
    three_intervals(intervals.collect(), 0.02)
}

/// Three 200 Hz tones: interval `target` is 6 dB softer, interval `foil` is in antiphase. On
/// loudspeakers the antiphase tone cancels and seems the softest (Woods et al. 2017).
pub(crate) fn antiphase(target: u32, foil: u32) -> Sound {
    let intervals = (1..=3).map(|interval| {
        let gain = if interval == target { libm::exp10(-6.0 / 20.0) } else { 1.0 };
        let left: Vec<f64> = (0..SECOND)
            .map(|n| gain * libm::sin(TAU * 200.0 * n as f64 / f64::from(RATE)))
            .collect();
        let sign = if interval == foil { -1.0 } else { 1.0 };
        let right = left.iter().map(|sample| sign * sample).collect();
        (left, right)
    });
    three_intervals(intervals.collect(), 0.1)
}

/// Two short noises, first in one ear, then in the other.
pub(crate) fn ears(seed: u64, left_first: bool) -> Sound {
    let mut burst = noise(seed, 900, SECOND * 7 / 10);
    ramp(&mut burst, 0.02);
    let silence = vec![0.0; burst.len()];
    let first = (burst.clone(), silence.clone());
    let second = (silence, burst);
    let order = if left_first { [first, second] } else { [second, first] };
    interleave(&with_gaps(&order))
}

/// Six seconds of noise with the slope of pink noise (-3 dB per octave, filter by P. Kellet),
/// close to music in spectrum, to set the level by.
pub(crate) fn level(seed: u64) -> Sound {
    let white = noise(seed, 901, 6 * SECOND);
    let mut state = [0.0; 3];
    let mut pink: Vec<f64> = white
        .iter()
        .map(|white| {
            state[0] = 0.99765 * state[0] + white * 0.0990460;
            state[1] = 0.96300 * state[1] + white * 0.2965164;
            state[2] = 0.57000 * state[2] + white * 1.0526913;
            0.1 * (state[0] + state[1] + state[2] + white * 0.1848)
        })
        .collect();
    ramp(&mut pink, 0.5);
    let samples = pink.iter().map(|&sample| sample as f32).collect();
    Sound { samples, channels: 1, rate: RATE }
}

/// A soft chime of `seconds`: what plays while the page tells the answer of a catch item.
pub(crate) fn chime(seconds: f64) -> Sound {
    let frames = (seconds * f64::from(RATE)) as usize;
    let notes = [523.25, 659.26, 783.99, 659.26];
    let step = SECOND / 2;
    let samples = (0..frames)
        .map(|n| {
            let age = (n % step) as f64 / f64::from(RATE);
            let attack = (age / 0.01).min(1.0);
            let tone = libm::sin(TAU * notes[n / step % notes.len()] * age);
            (0.3 * attack * libm::exp(-5.0 * age) * tone) as f32
        })
        .collect();
    Sound { samples, channels: 1, rate: RATE }
}

/// White noise in [-0.5, 0.5].
fn noise(seed: u64, number: u64, frames: usize) -> Vec<f64> {
    let mut stream = stream(seed, Purpose::Checks, number, 0);
    (0..frames).map(|_| stream.random::<f64>() - 0.5).collect()
}

/// The part of one second of `signal` between two whole frequencies in hertz, by the Fourier
/// sums of just these bins.
fn band(signal: &[f64], lowest: usize, highest: usize) -> Vec<f64> {
    let length = signal.len();
    let cosine: Vec<f64> = (0..length).map(|n| libm::cos(TAU * n as f64 / length as f64)).collect();
    let sine: Vec<f64> = (0..length).map(|n| libm::sin(TAU * n as f64 / length as f64)).collect();
    let mut band = vec![0.0; length];
    for bin in lowest..=highest {
        let (mut a, mut b) = (0.0, 0.0);
        for (n, sample) in signal.iter().enumerate() {
            a += sample * cosine[bin * n % length];
            b += sample * sine[bin * n % length];
        }
        let scale = 2.0 / length as f64;
        for (n, sample) in band.iter_mut().enumerate() {
            *sample += scale * (a * cosine[bin * n % length] + b * sine[bin * n % length]);
        }
    }
    band
}

/// Raised-cosine ramps of `seconds` at both ends.
fn ramp(signal: &mut [f64], seconds: f64) {
    let length = ((seconds * f64::from(RATE)) as usize).min(signal.len() / 2);
    let last = signal.len() - 1;
    for n in 0..length {
        let gain = 0.5 - 0.5 * libm::cos(PI * (n as f64 + 0.5) / length as f64);
        signal[n] *= gain;
        signal[last - n] *= gain;
    }
}

type Stereo = (Vec<f64>, Vec<f64>);

/// One interval after the other with silence between.
fn with_gaps(intervals: &[Stereo]) -> Stereo {
    let mut joined = (Vec::new(), Vec::new());
    for (index, (left, right)) in intervals.iter().enumerate() {
        if index > 0 {
            joined.0.extend(std::iter::repeat_n(0.0, GAP));
            joined.1.extend(std::iter::repeat_n(0.0, GAP));
        }
        joined.0.extend(left);
        joined.1.extend(right);
    }
    joined
}

fn three_intervals(mut intervals: Vec<Stereo>, ramp_seconds: f64) -> Sound {
    for (left, right) in &mut intervals {
        ramp(left, ramp_seconds);
        ramp(right, ramp_seconds);
    }
    interleave(&with_gaps(&intervals))
}

fn interleave((left, right): &Stereo) -> Sound {
    let samples =
        left.iter().zip(right).flat_map(|(&left, &right)| [left as f32, right as f32]).collect();
    Sound { samples, channels: 2, rate: RATE }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn channel(sound: &Sound, channel: usize, interval: usize) -> Vec<f64> {
        let start = interval * (SECOND + GAP);
        (start..start + SECOND).map(|n| f64::from(sound.samples[2 * n + channel])).collect()
    }

    fn energy(signal: &[f64]) -> f64 {
        signal.iter().map(|sample| sample * sample).sum()
    }

    #[test]
    fn only_the_target_differs_between_ears_and_only_in_the_band() {
        let sound = huggins(3, 0, 2);
        for interval in 0..3 {
            let difference: Vec<f64> = channel(&sound, 0, interval)
                .iter()
                .zip(channel(&sound, 1, interval))
                .map(|(left, right)| left - right)
                .collect();
            if interval == 1 {
                // white noise: 73 of 22050 bins, twice the amplitude in the difference
                let share = energy(&difference) / energy(&channel(&sound, 0, 1)) / 4.0;
                assert!((0.002..0.006).contains(&share), "{share}");
                let inside = energy(&band(&difference, 555, 645)) / energy(&difference);
                assert!(inside > 0.97, "{inside}");
                // each ear alone is as loud as the other: one ear cannot find the target
                let ratio = energy(&channel(&sound, 1, 1)) / energy(&channel(&sound, 0, 1));
                assert!((ratio - 1.0).abs() < 1e-2, "{ratio}");
            } else {
                assert!(energy(&difference) < 1e-12);
            }
        }
    }

    #[test]
    fn the_antiphase_tone_cancels_on_loudspeakers_and_the_target_is_softer() {
        let sound = antiphase(1, 3);
        let level = |interval| energy(&channel(&sound, 0, interval));
        assert!((10.0 * libm::log10(level(1) / level(0)) - 6.0).abs() < 0.01);
        assert!((level(1) / level(2) - 1.0).abs() < 1e-6);
        let summed: Vec<f64> = channel(&sound, 0, 2)
            .iter()
            .zip(channel(&sound, 1, 2))
            .map(|(left, right)| left + right)
            .collect();
        assert!(energy(&summed) < 1e-9);
    }

    #[test]
    fn ears_come_in_the_order_asked_for() {
        for left_first in [true, false] {
            let sound = ears(1, left_first);
            let early = &sound.samples[..SECOND];
            let loud = |channel: usize| {
                early.iter().skip(channel).step_by(2).map(|s| s.abs()).sum::<f32>() > 1.0
            };
            assert_eq!((loud(0), loud(1)), (left_first, !left_first));
        }
    }
}
