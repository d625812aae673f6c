//! From a composition to the samples of a delivered file.
//!
//! Every layer is brought to equal RMS, set to its gain, repeated to the excerpt's length and
//! added; the sum is set to a peak of -1 dBFS and rounded to 16 bits, so nothing ever clips
//! and what is scored is what the file holds.

use trompe_corpora::Bank;
use trompe_corpora::wav;

use super::composition::{Composition, Layer};

/// Peak of a rendered excerpt: -1 dBFS.
const PEAK: f32 = 0.891_250_9;

/// Fade at both ends of a cropped stretch, in seconds, against clicks at its seam.
const FADE_SECONDS: f32 = 0.005;

/// Shortest stretch that is repeated, in samples.
const MIN_PERIOD: usize = 256;

/// Taps of the half-band low-pass on one side of its centre. Even taps but the centre are
/// zero, so `HALF_BAND` odd ones count.
const HALF_BAND: usize = 8;

/// Renders compositions of one bank. Holds its buffers: one renderer a thread.
#[derive(Debug, Clone)]
pub struct Renderer {
    samples: usize,
    fade: usize,
    half_band: [f32; HALF_BAND],
    period: Vec<f32>,
    resampled: Vec<f32>,
    mix: Vec<f32>,
}

impl Renderer {
    /// A renderer of excerpts of `seconds` at `sample_rate` hertz.
    pub fn new(seconds: f64, sample_rate: u32) -> Self {
        let rate = f64::from(sample_rate);
        Self {
            samples: (seconds * rate).round() as usize,
            fade: (FADE_SECONDS * sample_rate as f32) as usize,
            half_band: half_band(),
            period: Vec::new(),
            resampled: Vec::new(),
            mix: Vec::new(),
        }
    }

    /// Length of an excerpt in samples.
    pub fn samples(&self) -> usize {
        self.samples
    }

    /// The 16-bit samples of `composition`, whose loops are those of `bank`. A composition
    /// whose stretches are all silent renders as silence.
    pub fn render(&mut self, composition: &Composition, bank: &Bank) -> Vec<i16> {
        self.mix.clear();
        self.mix.resize(self.samples, 0.0);
        for layer in &composition.layers {
            self.play(layer, &bank.loops[layer.loop_index].samples);
        }
        let peak = self.mix.iter().fold(0.0_f32, |peak, x| peak.max(x.abs()));
        if peak > 0.0 {
            let scale = PEAK / peak;
            self.mix.iter_mut().for_each(|x| *x *= scale);
        }
        wav::quantize(&self.mix)
    }

    /// Adds one layer to the mix.
    fn play(&mut self, layer: &Layer, samples: &[i16]) {
        self.cut_period(layer, samples);
        let energy: f64 = self.period.iter().map(|&x| f64::from(x) * f64::from(x)).sum();
        if energy == 0.0 {
            return;
        }
        let rms = libm::sqrt(energy / self.period.len() as f64) as f32;
        let gain = libm::powf(10.0, layer.gain_db / 20.0) / rms;
        let length = self.period.len();
        let mut at = ((layer.offset * length as f32) as usize).min(length - 1);
        let mut rest = &mut self.mix[..];
        while !rest.is_empty() {
            let run = rest.len().min(length - at);
            let (now, later) = rest.split_at_mut(run);
            now.iter_mut().zip(&self.period[at..]).for_each(|(sum, x)| *sum += gain * x);
            rest = later;
            at = 0;
        }
    }

    /// Fills `period` with the stretch of the loop that is repeated: cropped, turned, and
    /// moved by an octave.
    fn cut_period(&mut self, layer: &Layer, samples: &[i16]) {
        let total = samples.len();
        let length = ((layer.crop_length * total as f32) as usize).max(MIN_PERIOD).min(total);
        let start = ((layer.crop_start * total as f32) as usize).min(total - length);
        self.period.clear();
        self.period.extend(samples[start..start + length].iter().map(|&x| f32::from(x)));
        if length < total {
            fade_ends(&mut self.period, self.fade);
        }
        if layer.reverse {
            self.period.reverse();
        }
        match layer.octave {
            1 => octave_up(&self.period, &self.half_band, &mut self.resampled),
            -1 => octave_down(&self.period, &self.half_band, &mut self.resampled),
            _ => return,
        }
        std::mem::swap(&mut self.period, &mut self.resampled);
    }
}

/// Linear fades of up to `fade` samples at both ends.
fn fade_ends(samples: &mut [f32], fade: usize) {
    let fade = fade.min(samples.len() / 2);
    let last = samples.len() - 1;
    for i in 0..fade {
        let gain = (i as f32 + 0.5) / fade as f32;
        samples[i] *= gain;
        samples[last - i] *= gain;
    }
}

/// Odd taps of a half-band low-pass (cutoff a quarter of the sample rate), from the centre
/// outward: a sinc under a Hann window, scaled so that centre (1/2) and both sides sum to 1.
fn half_band() -> [f32; HALF_BAND] {
    let pi = std::f64::consts::PI;
    let mut taps = [0.0; HALF_BAND];
    for (i, tap) in taps.iter_mut().enumerate() {
        let n = (2 * i + 1) as f64;
        let window = 0.5 + 0.5 * libm::cos(pi * n / (2 * HALF_BAND) as f64);
        *tap = libm::sin(pi * n / 2.0) / (pi * n) * window;
    }
    let sum: f64 = taps.iter().sum();
    taps.map(|tap| (tap * 0.25 / sum) as f32)
}

/// The mean of the neighbours of position `at` (between `at - 1` and `at` for a distance of
/// 0), weighted by the taps; the period wraps around, as it is repeated.
fn neighbours(
    period: &[f32],
    taps: &[f32; HALF_BAND],
    left: usize,
    right: usize,
    step: usize,
) -> f32 {
    let length = period.len();
    let mut sum = 0.0;
    let (mut left, mut right) = (left, right);
    for tap in taps {
        sum += tap * (period[left] + period[right]);
        left = if left >= step { left - step } else { left + length - step };
        right = if right + step < length { right + step } else { right + step - length };
    }
    sum
}

/// Half the length: low-pass, then every second sample.
fn octave_up(period: &[f32], taps: &[f32; HALF_BAND], out: &mut Vec<f32>) {
    let length = period.len();
    out.clear();
    out.extend((0..length / 2).map(|i| {
        let at = 2 * i;
        let left = if at == 0 { length - 1 } else { at - 1 };
        0.5 * period[at] + neighbours(period, taps, left, (at + 1) % length, 2)
    }));
}

/// Twice the length: each sample, then the point between it and the next.
fn octave_down(period: &[f32], taps: &[f32; HALF_BAND], out: &mut Vec<f32>) {
    let length = period.len();
    out.clear();
    for (at, &sample) in period.iter().enumerate() {
        out.push(sample);
        out.push(2.0 * neighbours(period, taps, at, (at + 1) % length, 1));
    }
}

#[cfg(test)]
mod tests {
    use trompe_corpora::{Loop, Provenance};

    use super::*;

    const RATE: u32 = 22_050;

    /// A bank of sines, one per (frequency in hertz, samples, amplitude).
    fn bank(sines: &[(f32, usize, f32)]) -> Bank {
        let sine = |&(hertz, samples, amplitude): &(f32, usize, f32)| Loop {
            id: format!("{hertz} Hz"),
            samples: (0..samples)
                .map(|n| {
                    let phase = std::f32::consts::TAU * hertz * n as f32 / RATE as f32;
                    (amplitude * 32_000.0 * phase.sin()) as i16
                })
                .collect(),
        };
        Bank {
            name: "sines".into(),
            provenance: Provenance::Synthetic,
            licence: None,
            sample_rate: RATE,
            loops: sines.iter().map(sine).collect(),
        }
    }

    fn layer(loop_index: usize) -> Layer {
        Layer {
            loop_index,
            gain_db: 0.0,
            offset: 0.0,
            crop_start: 0.0,
            crop_length: 1.0,
            reverse: false,
            octave: 0,
        }
    }

    fn render(layers: Vec<Layer>, bank: &Bank) -> Vec<f32> {
        let mut renderer = Renderer::new(2.0, RATE);
        wav::dequantize(&renderer.render(&Composition { layers }, bank))
    }

    /// Amplitude of the component at `hertz`.
    fn amplitude(samples: &[f32], hertz: f32) -> f32 {
        let (mut re, mut im) = (0.0_f64, 0.0_f64);
        for (n, &x) in samples.iter().enumerate() {
            let phase = std::f64::consts::TAU * f64::from(hertz) * n as f64 / f64::from(RATE);
            re += f64::from(x) * phase.cos();
            im += f64::from(x) * phase.sin();
        }
        (2.0 * re.hypot(im) / samples.len() as f64) as f32
    }

    #[test]
    fn an_excerpt_has_its_length_and_peak() {
        let bank = bank(&[(441.0, 5_000, 0.2), (882.0, 7_000, 1.0)]);
        let excerpt = render(vec![layer(0), layer(1)], &bank);
        assert_eq!(excerpt.len(), 2 * RATE as usize);
        let peak = excerpt.iter().fold(0.0_f32, |peak, x| peak.max(x.abs()));
        assert!((peak - PEAK).abs() < 1e-4, "{peak}");
    }

    #[test]
    fn layers_have_equal_rms_and_the_gain_that_is_asked() {
        let bank = bank(&[(441.0, 22_050, 0.05), (1_470.0, 22_050, 1.0)]);
        let loud = Layer { gain_db: 6.0, ..layer(1) };
        let excerpt = render(vec![layer(0), loud], &bank);
        let ratio = amplitude(&excerpt, 1_470.0) / amplitude(&excerpt, 441.0);
        assert!((20.0 * ratio.log10() - 6.0).abs() < 0.1, "{ratio}");
    }

    #[test]
    fn octaves_move_a_tone_and_leave_nothing_behind() {
        let bank = bank(&[(630.0, 22_050, 1.0)]);
        for (octave, hertz) in [(1, 1_260.0), (-1, 315.0)] {
            let excerpt = render(vec![Layer { octave, ..layer(0) }], &bank);
            assert!((amplitude(&excerpt, hertz) - PEAK).abs() < 0.01, "{octave}");
            for residue in [630.0, 11_025.0 - hertz, 11_025.0 - 630.0] {
                assert!(amplitude(&excerpt, residue) < 0.002, "{octave}: {residue}");
            }
        }
    }

    #[test]
    fn offset_and_direction_turn_the_period() {
        let mut ramp = bank(&[(1.0, 1_000, 1.0)]);
        ramp.loops[0].samples = (0..1_000).collect();
        let half = render(vec![Layer { offset: 0.5, ..layer(0) }], &ramp);
        assert_eq!(half[0], half[1_000]);
        assert!(half[0] > 0.4 && half[500] == 0.0);
        let back = render(vec![Layer { reverse: true, ..layer(0) }], &ramp);
        assert!(back[0] > back[1] && back[999] == 0.0);
    }

    #[test]
    fn crops_repeat_a_part_with_soft_ends() {
        let bank = bank(&[(441.0, 10_000, 1.0)]);
        let cropped = Layer { crop_start: 0.5, crop_length: 0.25, ..layer(0) };
        let excerpt = render(vec![cropped], &bank);
        assert_eq!(excerpt[..2_500], excerpt[2_500..5_000]);
        assert!(excerpt[0].abs() < 0.01 && excerpt[2_499].abs() < 0.01);
    }

    #[test]
    fn silent_stretches_render_as_silence() {
        let mut silent = bank(&[(441.0, 5_000, 1.0)]);
        silent.loops[0].samples[2_000..].fill(0);
        let cropped = Layer { crop_start: 0.5, crop_length: 0.25, ..layer(0) };
        assert!(render(vec![cropped], &silent).iter().all(|&x| x == 0.0));
    }
}
