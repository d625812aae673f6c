//! Frames of sound and their spectra.

use std::sync::Arc;

use realfft::num_complex::Complex;
use realfft::{RealFftPlanner, RealToComplex};

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
            Padding::Zero | Padding::Reflect => (samples + self.fft / 2 * 2, self.fft),
        };
        if samples == 0 || length < frame { 0 } else { (length - frame) / self.hop + 1 }
    }

    /// Fewest samples that give at least `frames` frames.
    pub(super) fn fewest(&self, frames: usize) -> usize {
        let hops = (frames - 1) * self.hop;
        match self.pad {
            Padding::None => hops + self.frame,
            Padding::Zero => (hops + self.fft % 2).max(1),
            // A mirror image of so many samples needs one more.
            Padding::Reflect => (hops + self.fft % 2).max(self.fft / 2 + 1),
        }
    }

    /// Frames that leave no sample out.
    pub(super) fn covering(&self, samples: usize) -> usize {
        match self.pad {
            Padding::None => samples.saturating_sub(self.frame).div_ceil(self.hop) + 1,
            Padding::Zero | Padding::Reflect => self.count(samples),
        }
    }

    /// The sound with what lies beyond its ends, so that frame i starts at `i * hop`.
    fn padded(&self, samples: &[f32]) -> Vec<f32> {
        let (before, length) = match self.pad {
            Padding::None => (0, samples.len()),
            // The window stands in the middle of the FFT.
            Padding::Zero | Padding::Reflect => (
                self.fft / 2 - (self.fft - self.frame) / 2,
                (self.count(samples.len()) - 1) * self.hop + self.frame,
            ),
        };
        let mut out = vec![0.0; length.max(before + samples.len())];
        let end = before + samples.len();
        out[before..end].copy_from_slice(samples);
        if self.pad == Padding::Reflect {
            for i in 0..before {
                out[before - 1 - i] = samples[i + 1];
            }
            for (i, sample) in out[end..].iter_mut().enumerate() {
                *sample = samples[samples.len() - 2 - i];
            }
        }
        out
    }
}

/// Windowed spectra: magnitudes or power.
pub(super) struct Spectra {
    pub(super) framing: Framing,
    /// The window, times the scale of the samples.
    window: Vec<f64>,
    fft: Arc<dyn RealToComplex<f64>>,
    remove_dc: bool,
    preemphasis: f64,
    magnitudes: bool,
}

/// Buffers of one thread.
pub(super) struct Buffers {
    input: Vec<f64>,
    output: Vec<Complex<f64>>,
    scratch: Vec<Complex<f64>>,
    /// Spectra of [`LANES`] frames, bin by bin.
    pub(super) spectra: Vec<Lanes>,
}

impl Spectra {
    pub(super) fn new(settings: &MelSettings) -> Self {
        let window = match settings.window {
            Window::Hann => hann(settings.frame),
            // A period of one sample less, and the zero that follows it.
            Window::HannSymmetric => {
                let mut window = hann(settings.frame - 1);
                window.push(0.0);
                window
            }
        };
        Self {
            framing: Framing::new(settings),
            window: window.into_iter().map(|w| w * settings.scale).collect(),
            fft: RealFftPlanner::new().plan_fft_forward(settings.fft()),
            remove_dc: settings.remove_dc,
            preemphasis: settings.preemphasis,
            magnitudes: settings.power == 1,
        }
    }

    pub(super) fn buffers(&self) -> Buffers {
        Buffers {
            input: self.fft.make_input_vec(),
            output: self.fft.make_output_vec(),
            scratch: self.fft.make_scratch_vec(),
            spectra: vec![[0.0; LANES]; self.framing.fft / 2 + 1],
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
            self.load(&padded[start..start + self.framing.frame], &mut work.input);
            // Fails for buffers of other lengths alone, and these were made by the plan.
            let done =
                self.fft.process_with_scratch(&mut work.input, &mut work.output, &mut work.scratch);
            debug_assert!(done.is_ok());
            for (bins, z) in work.spectra.iter_mut().zip(&work.output) {
                bins[lane] = z.re * z.re + z.im * z.im;
            }
        }
        if self.magnitudes {
            for power in work.spectra.as_flattened_mut() {
                *power = power.sqrt();
            }
        }
    }

    /// Writes a frame, windowed and followed by zeros, where the FFT reads it.
    #[inline(always)]
    fn load(&self, frame: &[f32], input: &mut [f64]) {
        let mean = if self.remove_dc { mean(frame) } else { 0.0 };
        let (out, rest) = input.split_at_mut(frame.len());
        rest.fill(0.0);
        if self.preemphasis == 0.0 {
            for ((out, sample), weight) in out.iter_mut().zip(frame).zip(&self.window) {
                *out = (f64::from(*sample) - mean) * weight;
            }
            return;
        }
        let c = self.preemphasis;
        out[0] = (f64::from(frame[0]) - mean) * (1.0 - c) * self.window[0];
        let pairs = frame[1..].iter().zip(frame);
        for ((out, (sample, before)), weight) in
            out[1..].iter_mut().zip(pairs).zip(&self.window[1..])
        {
            *out = ((f64::from(*sample) - mean) - c * (f64::from(*before) - mean)) * weight;
        }
    }
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
    fn the_fewest_samples_give_the_frames_and_one_less_does_not() {
        for pad in PADDINGS {
            for (frame, fft) in [(8, 8), (6, 8), (5, 9), (9, 9), (2, 16)] {
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
        assert_eq!(framing(Padding::None).padded(&sound), sound);
        let zero = framing(Padding::Zero).padded(&sound);
        assert_eq!(zero, [0.0, 0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 0.0, 0.0]);
        let mirrored = framing(Padding::Reflect).padded(&sound);
        assert_eq!(mirrored, [3.0, 2.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 5.0, 4.0]);
    }

    #[test]
    fn the_shortest_sounds_can_be_padded_and_cut() {
        for pad in PADDINGS {
            for (frame, fft) in [(8, 8), (6, 9), (3, 16), (15, 15)] {
                for hop in [1, 3, 50] {
                    let framing = Framing { frame, fft, hop, pad };
                    for samples in framing.fewest(1)..framing.fewest(1) + 60 {
                        let padded = framing.padded(&vec![1.0; samples]);
                        let last = (framing.count(samples) - 1) * hop + frame;
                        assert!(padded.len() >= last, "{framing:?} {samples}");
                    }
                }
            }
        }
    }
}
