//! Spectrograms to look at: a few columns over time, bands of equal frequency ratio, levels in
//! decibels below the loudest cell.

use crate::spectrum::{PairTransform, SpectrumPlan};

/// Lower edge of the lowest band in hertz: the lowest notes of a bass guitar lie just below.
pub const LOWEST: f64 = 50.0;

/// Decibels between level 0 and level 1.
pub const RANGE_DB: f64 = 60.0;

/// Shortest and longest frame in samples.
const FRAMES: [usize; 2] = [512, 4096];

/// Levels of `samples` from 0 to 1, column by column from the first, in each column from the lowest
/// band to the highest. Level 1 is the loudest cell, 0 lies [`RANGE_DB`] decibels or more below it;
/// silence is 0 everywhere.
///
/// The frames of the columns are spread evenly; each is about as long as a column, so that
/// little of the sound is left out. A band is as loud as its loudest bin, or, where bins lie further
/// apart than bands, as the spectrum between its two neighbours. Samples that are not finite count as
/// silence.
pub fn spectrogram(samples: &[f32], sample_rate: u32, columns: usize, bands: usize) -> Vec<f32> {
    let length = samples.len().div_ceil(columns.max(1)).next_power_of_two();
    let length = length.clamp(FRAMES[0], FRAMES[1]);
    let bands = Bands::new(sample_rate, length, bands);
    let frame = |column: usize| frame(samples, column, columns, length);
    let mut transform = PairTransform::new(SpectrumPlan::new(length));
    let mut power = Vec::with_capacity(columns * bands.edges.len());
    for column in (0..columns).step_by(2) {
        transform.run(&frame(column), &frame(column + 1));
        let pair = transform.pair.iter().take(columns - column);
        power.extend(pair.flat_map(|spectrum| bands.of(&spectrum.power)));
    }
    let loudest = power.iter().copied().fold(0.0, f64::max);
    let level = |power: f64| match power > 0.0 {
        true => (1.0 + 10.0 * libm::log10(power / loudest) / RANGE_DB).max(0.0) as f32,
        false => 0.0,
    };
    power.into_iter().map(level).collect()
}

/// The frame around the middle of a column; silence where the sound has ended or not begun.
fn frame(samples: &[f32], column: usize, columns: usize, length: usize) -> Vec<f32> {
    let middle = (2 * column + 1) * samples.len() / (2 * columns);
    let sample = |n: usize| {
        let place = (middle + n).checked_sub(length / 2)?;
        samples.get(place).copied().filter(|sample| sample.is_finite())
    };
    (0..length).map(|n| sample(n).unwrap_or(0.0)).collect()
}

/// Lower and upper edge of every band, in bins.
struct Bands {
    edges: Vec<[f64; 2]>,
}

impl Bands {
    fn new(sample_rate: u32, length: usize, count: usize) -> Self {
        let nyquist = f64::from(sample_rate) / 2.0;
        let ratio = (nyquist / LOWEST).max(1.0);
        let bin = f64::from(sample_rate) / length as f64;
        let edge = |band: usize| LOWEST * libm::pow(ratio, band as f64 / count as f64) / bin;
        Self { edges: (0..count).map(|band| [edge(band), edge(band + 1)]).collect() }
    }

    /// Power of every band.
    fn of<'a>(&'a self, power: &'a [f64]) -> impl Iterator<Item = f64> + 'a {
        let last = power.len() - 1;
        self.edges.iter().map(move |&[low, high]| {
            let (first, end) = (low.ceil() as usize, (high.ceil() as usize).min(power.len()));
            if first < end {
                return power[first..end].iter().copied().fold(0.0, f64::max);
            }
            let middle = (0.5 * (low + high)).min(last as f64);
            let (below, part) = (middle as usize, middle.fract());
            power[below] * (1.0 - part) + power[(below + 1).min(last)] * part
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: u32 = 22_050;

    fn sine(hertz: f64, seconds: f64) -> Vec<f32> {
        let step = std::f64::consts::TAU * hertz / f64::from(RATE);
        let samples = (seconds * f64::from(RATE)) as usize;
        (0..samples).map(|n| (0.5 * libm::sin(step * n as f64)) as f32).collect()
    }

    /// The loudest band of every column.
    fn ridge(levels: &[f32], bands: usize) -> Vec<usize> {
        let loudest = |column: &[f32]| {
            (0..bands).max_by(|&a, &b| column[a].total_cmp(&column[b])).unwrap_or(0)
        };
        levels.chunks(bands).map(loudest).collect()
    }

    #[test]
    fn a_tone_is_a_line_in_its_band() {
        let (columns, bands) = (31, 48);
        for hertz in [60.0, 440.0, 3000.0, 9000.0] {
            let levels = spectrogram(&sine(hertz, 3.0), RATE, columns, bands);
            assert_eq!(levels.len(), columns * bands);
            let position = libm::log(hertz / LOWEST) / libm::log(f64::from(RATE) / 2.0 / LOWEST);
            let expected = (position * bands as f64) as usize;
            for found in ridge(&levels, bands) {
                assert!(found.abs_diff(expected) <= 1, "{hertz} Hz: {found}, not {expected}");
            }
            assert!(levels.iter().all(|level| (0.0..=1.0).contains(level)));
            assert!(levels.contains(&1.0));
        }
    }

    #[test]
    fn a_sound_that_begins_in_the_middle_leaves_the_first_half_empty() {
        let mut samples = vec![0.0; RATE as usize];
        samples.extend(sine(1000.0, 1.0));
        let levels = spectrogram(&samples, RATE, 20, 16);
        assert!(levels[..9 * 16].iter().all(|&level| level == 0.0));
        assert!(levels[11 * 16..].chunks(16).all(|column| column.iter().any(|&l| l > 0.9)));
    }

    #[test]
    fn silence_short_and_broken_sounds_have_a_spectrogram() {
        for samples in [&[][..], &[0.0; 5000], &[f32::NAN, f32::INFINITY], &[0.5]] {
            let levels = spectrogram(samples, RATE, 5, 4);
            assert_eq!(levels.len(), 20);
            assert!(levels.iter().all(|level| (0.0..=1.0).contains(level)), "{levels:?}");
        }
        assert!(spectrogram(&[0.0; 5000], RATE, 5, 4).iter().all(|&level| level == 0.0));
        assert!(spectrogram(&[0.5; 100], 60, 3, 4).len() == 12, "a rate below the lowest band");
        assert!(spectrogram(&[0.5; 100], RATE, 0, 4).is_empty());
    }
}
