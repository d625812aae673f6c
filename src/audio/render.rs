//! From a composition to the samples of a delivered file.
//!
//! Every layer is brought to equal RMS, set to its gain, repeated to the excerpt's length and
//! added; the sum is set to a peak of -1 dBFS and rounded to 16 bits, so nothing ever clips
//! and what is scored is what the file holds.

use pulp::{Arch, NullaryFnOnce};
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

/// Samples on one side of a place that the low-pass reaches, with the even taps.
const REACH: usize = 2 * HALF_BAND;

/// Samples that are mixed at a time: so few that they stay in the processor's first cache while
/// layer after layer is added.
const BLOCK: usize = 4_096;

/// Layers whose energies are summed side by side.
const AT_ONCE: usize = 4;

/// Renders compositions of one bank. Holds its buffers: one renderer a thread.
#[derive(Debug, Clone)]
pub struct Renderer {
    samples: usize,
    fade: usize,
    half_band: [f32; HALF_BAND],
    voices: Vec<Voice>,
    buffers: Buffers,
    arch: Arch,
}

/// Room for moving a period by an octave.
#[derive(Debug, Clone, Default)]
struct Buffers {
    wide: Vec<f32>,
    odd: Vec<f32>,
    sums: Vec<f32>,
}

/// What a layer adds to the mix.
#[derive(Debug, Clone, Default)]
struct Voice {
    /// The samples that are repeated.
    period: Vec<f32>,
    /// The place in them of the next sample of the mix.
    at: usize,
    gain: f32,
}

impl Renderer {
    /// A renderer of excerpts of `seconds` at `sample_rate` hertz.
    pub fn new(seconds: f64, sample_rate: u32) -> Self {
        let rate = f64::from(sample_rate);
        Self {
            samples: (seconds * rate).round() as usize,
            fade: (FADE_SECONDS * sample_rate as f32) as usize,
            half_band: half_band(),
            voices: Vec::new(),
            buffers: Buffers::default(),
            arch: Arch::new(),
        }
    }

    /// Length of an excerpt in samples.
    pub fn samples(&self) -> usize {
        self.samples
    }

    /// The samples of `composition`, whose loops are those of `bank`, exactly as a file of 16 bits holds
    /// them. A composition whose stretches are all silent renders as silence.
    pub fn render(&mut self, composition: &Composition, bank: &Bank) -> Vec<f32> {
        self.voices.resize_with(composition.layers.len(), Voice::default);
        for (place, layer) in composition.layers.iter().enumerate() {
            self.cut_period(place, &bank.loops[layer.loop_index].samples, layer);
        }
        let voices = &mut self.voices;
        for (voices, layers) in voices.chunks_mut(AT_ONCE).zip(composition.layers.chunks(AT_ONCE)) {
            let energies = energies(voices);
            for ((voice, layer), energy) in voices.iter_mut().zip(layers).zip(energies) {
                voice.set(layer, energy);
            }
        }
        let mut excerpt = vec![0.0; self.samples];
        self.arch.dispatch(Mix { voices, excerpt: &mut excerpt });
        excerpt
    }

    /// Fills the period of a voice with the stretch of the loop that is repeated: cropped, turned, and
    /// moved by an octave.
    fn cut_period(&mut self, place: usize, samples: &[i16], layer: &Layer) {
        let period = &mut self.voices[place].period;
        let total = samples.len();
        let length = ((layer.crop_length * total as f32) as usize).max(MIN_PERIOD).min(total);
        let start = ((layer.crop_start * total as f32) as usize).min(total - length);
        period.clear();
        period.extend(samples[start..start + length].iter().map(|&x| f32::from(x)));
        if length < total {
            fade_ends(period, self.fade);
        }
        if layer.reverse {
            period.reverse();
        }
        match layer.octave {
            1 => octave_up(period, &self.half_band, &mut self.buffers, self.arch),
            -1 => octave_down(period, &self.half_band, &mut self.buffers, self.arch),
            _ => {}
        }
    }
}

impl Voice {
    /// Sets gain and offset for a period of `energy`.
    fn set(&mut self, layer: &Layer, energy: f64) {
        if energy == 0.0 {
            *self = Self { period: vec![0.0], at: 0, gain: 0.0 };
            return;
        }
        let length = self.period.len();
        let rms = libm::sqrt(energy / length as f64) as f32;
        self.at = ((layer.offset * length as f32) as usize).min(length - 1);
        self.gain = libm::powf(10.0, layer.gain_db / 20.0) / rms;
    }
}

/// Sums of the squares of the samples of up to [`AT_ONCE`] periods, each in the order of its samples.
/// One sum waits for each addition; several side by side wait together.
fn energies(voices: &[Voice]) -> [f64; AT_ONCE] {
    let mut periods = [&[][..]; AT_ONCE];
    periods.iter_mut().zip(voices).for_each(|(period, voice)| *period = &voice.period);
    let mut sums = [0.0; AT_ONCE];
    let mut add = |place: usize, sample: f32| sums[place] += f64::from(sample) * f64::from(sample);
    let shared = voices.iter().map(|voice| voice.period.len()).min().unwrap_or(0);
    let heads = periods.map(|period| &period[..shared.min(period.len())]);
    for i in 0..shared {
        for (place, head) in heads.iter().enumerate() {
            if let Some(&sample) = head.get(i) {
                add(place, sample);
            }
        }
    }
    for (place, period) in periods.iter().enumerate() {
        period.iter().skip(shared).for_each(|&sample| add(place, sample));
    }
    sums
}

/// Adds all voices to an excerpt of zeros, sets its peak and rounds it. This and [`Neighbours`] are types of
/// their own because closures are not sure to be inlined where the instruction set is chosen.
struct Mix<'a> {
    voices: &'a mut [Voice],
    excerpt: &'a mut [f32],
}

impl NullaryFnOnce for Mix<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let Self { voices, excerpt } = self;
        let blocks = excerpt.chunks_mut(BLOCK);
        let peak = blocks.fold(0.0, |peak: f32, block| peak.max(mix_block(voices, block)));
        let scale = if peak > 0.0 { PEAK / peak } else { 1.0 };
        for x in excerpt {
            *x = wav::rounded(*x * scale);
        }
    }
}

/// Adds the next samples of all voices to `block`; the largest magnitude in it.
#[inline(always)]
fn mix_block(voices: &mut [Voice], block: &mut [f32]) -> f32 {
    for Voice { period, at, gain } in voices {
        let mut rest = &mut *block;
        while !rest.is_empty() {
            let run = rest.len().min(period.len() - *at);
            let (now, later) = rest.split_at_mut(run);
            now.iter_mut().zip(&period[*at..]).for_each(|(sum, x)| *sum += *gain * x);
            rest = later;
            *at = (*at + run) % period.len();
        }
    }
    // Magnitudes are in the order of their bits, and integers have a maximum that becomes vectors.
    f32::from_bits(block.iter().map(|x| x.abs().to_bits()).max().unwrap_or(0))
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

/// Repeats `period` to both sides by as many samples as the low-pass reaches: sample 0 stands at
/// [`REACH`].
fn widen(period: &[f32], wide: &mut Vec<f32>) {
    let length = period.len();
    let before = (0..REACH).rev().map(|back| period[length - 1 - back % length]);
    let after = (0..REACH).map(|on| period[on % length]);
    wide.clear();
    wide.extend(before);
    wide.extend_from_slice(period);
    wide.extend(after);
}

/// The mean of both neighbours at each distance, weighted by the taps, for each place: the nearest to
/// the left of place `i` is `left[i + HALF_BAND - 1]`, that to its right `right[i]`.
struct Neighbours<'a> {
    left: &'a [f32],
    right: &'a [f32],
    taps: &'a [f32; HALF_BAND],
    out: &'a mut [f32],
}

impl NullaryFnOnce for Neighbours<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let Self { left, right, taps, out } = self;
        let count = out.len();
        out.fill(0.0);
        // Block by block, so that the sums stay in the first cache; tap by tap, so that the loop becomes vectors.
        for start in (0..count).step_by(BLOCK) {
            let sums = &mut out[start..count.min(start + BLOCK)];
            for (distance, tap) in taps.iter().enumerate() {
                let left = &left[start + HALF_BAND - 1 - distance..];
                let right = &right[start + distance..];
                for ((sum, left), right) in sums.iter_mut().zip(left).zip(right) {
                    *sum += tap * (left + right);
                }
            }
        }
    }
}

/// Half the length: low-pass, then every second sample.
fn octave_up(period: &mut Vec<f32>, taps: &[f32; HALF_BAND], buffers: &mut Buffers, arch: Arch) {
    let Buffers { wide, odd, sums } = buffers;
    widen(period, wide);
    let count = period.len() / 2;
    // The odd samples, from the one that is `REACH - 1` before sample 0.
    odd.clear();
    odd.extend(wide[1..].iter().step_by(2));
    sums.resize(count, 0.0);
    arch.dispatch(Neighbours { left: odd, right: &odd[HALF_BAND..], taps, out: sums });
    for (place, sum) in sums.iter().enumerate() {
        period[place] = 0.5 * period[2 * place] + sum;
    }
    period.truncate(count);
}

/// Twice the length: each sample, then the point between it and the next.
fn octave_down(period: &mut Vec<f32>, taps: &[f32; HALF_BAND], buffers: &mut Buffers, arch: Arch) {
    let Buffers { wide, sums, .. } = buffers;
    widen(period, wide);
    let count = period.len();
    sums.resize(count, 0.0);
    let left = &wide[REACH - HALF_BAND + 1..];
    arch.dispatch(Neighbours { left, right: &wide[REACH + 1..], taps, out: sums });
    period.clear();
    let samples = &wide[REACH..REACH + count];
    period.extend(samples.iter().zip(&*sums).flat_map(|(sample, sum)| [*sample, 2.0 * sum]));
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
        renderer.render(&Composition { layers }, bank)
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
