//! The AdaBFFs feature set: 120 numbers for every three seconds of sound.
//!
//! After Sturm, *Two systems for automatic music genre recognition: what are they really
//! recognizing?* (MIRUM 2012) and Bergstra et al., *Aggregate features and AdaBoost for
//! music classification* (Machine Learning 65, 2006): sixty features of each frame, their
//! means and variances over disjoint texture windows.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::extractor::Extractor;
use crate::lpc::{Autocorrelations, LANES, LPC_ORDER, LagTransform, prediction_errors};
use crate::mfcc::{MEL_FILTERS, Mfcc, edges};
use crate::samples::check;
use crate::shape::{ROLLOFFS, ShapeMeter, zero_crossings};
use crate::spectrum::{FrameSpectrum, PairTransform, SpectrumPlan};
use crate::texture;

/// Features of one frame: 40 cepstral coefficients, zero crossings, centroid, spread,
/// 16 roll-offs, error of the linear predictor.
pub const FRAME_FEATURES: usize = MEL_FILTERS + 3 + ROLLOFFS + 1;

/// Values of one feature vector: means and variances of the [`FRAME_FEATURES`].
pub const DIMENSIONS: usize = 2 * FRAME_FEATURES;

/// Columns of a frame's row.
const CROSSINGS: usize = MEL_FILTERS;
const CENTROID: usize = CROSSINGS + 1;
const SPREAD: usize = CENTROID + 1;
const ROLLOFF: usize = SPREAD + 1;
const LPC_ERROR: usize = ROLLOFF + ROLLOFFS;

/// How sound is cut into frames and texture windows. The sixty features themselves are
/// what the name of the set means and do not vary.
///
/// The default is the paper's: 22,050 Hz, Hann frames of 1,024 samples overlapping by half,
/// texture windows of 130 frames (3.02 s); a clip of 30 s gives 9 vectors.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AdaBffs {
    /// Sample rate in hertz of the samples given: 13,720 ..= 192,000 (the highest mel filter
    /// ends at 6.85 kHz).
    pub sample_rate: u32,
    /// Samples in a frame: a power of two, 256 ..= 16,384, long enough that bins lie no
    /// further apart than mel filters (66.67 Hz).
    pub frame: usize,
    /// Samples from one frame to the next: 1 ..= `frame`.
    pub hop: usize,
    /// Frames in a texture window: 2 ..= 10,000.
    pub texture: usize,
}

impl Default for AdaBffs {
    fn default() -> Self {
        Self { sample_rate: 22_050, frame: 1_024, hop: 512, texture: 130 }
    }
}

impl AdaBffs {
    /// # Errors
    /// [`Error::Setting`] naming the first value out of its range.
    pub fn validate(&self) -> Result<()> {
        let out_of_range = |name, value: &dyn std::fmt::Display, range| {
            Err(Error::Setting { name, value: value.to_string(), range })
        };
        if !(13_720..=192_000).contains(&self.sample_rate) {
            return out_of_range("sample_rate", &self.sample_rate, "13720 to 192000 Hz");
        }
        if !self.frame.is_power_of_two() || !(256..=16_384).contains(&self.frame) {
            return out_of_range("frame", &self.frame, "a power of two from 256 to 16384");
        }
        if f64::from(self.sample_rate) / self.frame as f64 > edges()[1] - edges()[0] {
            let range = "at least sample_rate / 66.67, or a mel filter holds no bin";
            return out_of_range("frame", &self.frame, range);
        }
        if !(1..=self.frame).contains(&self.hop) {
            return out_of_range("hop", &self.hop, "1 to the frame's length");
        }
        if !(2..=10_000).contains(&self.texture) {
            return out_of_range("texture", &self.texture, "2 to 10000 frames");
        }
        Ok(())
    }

    /// Samples of the shortest clip that gives a vector: one texture window.
    pub fn minimum_samples(&self) -> usize {
        (self.texture - 1) * self.hop + self.frame
    }

    /// Names of the values of a vector, in order.
    pub fn names() -> Vec<String> {
        let mut names: Vec<String> = (0..MEL_FILTERS).map(|i| format!("mfcc_{i:02}")).collect();
        names.extend(["zero_crossings", "centroid", "spread"].map(String::from));
        names.extend((1..=ROLLOFFS).map(|i| format!("rolloff_{i:02}")));
        names.push("lpc_error".into());
        let of = |statistic: &str| -> Vec<String> {
            names.iter().map(|name| format!("{name}_{statistic}")).collect()
        };
        [of("mean"), of("variance")].concat()
    }
}

/// Tables that all extractors of the same settings share.
struct SharedTables {
    settings: AdaBffs,
    mfcc: Mfcc,
    lags: LagTransform,
}

/// Computes AdaBFFs vectors. A clone shares the tables and owns its buffers.
///
/// Frames lie entirely inside the clip (no padding), texture windows are disjoint; what is
/// left at the end, less than a texture window, is not looked at. The clip as a whole must
/// be at least one texture window long.
///
/// Values are defined for every input: digital silence gives `-10 sqrt(40)` for
/// `mfcc_00` (the floor [`crate::MEL_FLOOR`]) and 0 for everything else; a constant (DC)
/// and clipped sound are sound like any other.
#[derive(Clone)]
pub struct AdaBffsExtractor {
    plan: Arc<SharedTables>,
    work: Buffers,
}

#[derive(Clone)]
struct Buffers {
    transform: PairTransform,
    shape: ShapeMeter,
    magnitudes: Vec<f32>,
    /// Features of the frames of the texture window at hand.
    frames: Vec<[f64; FRAME_FEATURES]>,
    autocorrelations: Box<Autocorrelations>,
}

impl AdaBffsExtractor {
    /// # Errors
    /// [`Error::Setting`] as from [`AdaBffs::validate`].
    pub fn new(settings: AdaBffs) -> Result<Self> {
        settings.validate()?;
        let (frame, rate) = (settings.frame, f64::from(settings.sample_rate));
        let mfcc = Mfcc::new(frame, rate);
        let shape = ShapeMeter::new(frame / 2 + 1, rate / frame as f64);
        let work = Buffers {
            transform: PairTransform::new(SpectrumPlan::new(frame)),
            magnitudes: vec![0.0; shape.bins().max(mfcc.bins())],
            shape,
            frames: vec![[0.0; FRAME_FEATURES]; settings.texture],
            autocorrelations: Box::new([[0.0; LANES]; LPC_ORDER + 1]),
        };
        let plan = SharedTables { settings, mfcc, lags: LagTransform::new(frame) };
        Ok(Self { plan: Arc::new(plan), work })
    }

    /// The [`FRAME_FEATURES`] of every frame of every texture window, before mean and
    /// variance: cepstral coefficients, zero crossings (a count), centroid, spread and
    /// roll-offs (hertz), error of the predictor (power: energy over samples).
    ///
    /// # Errors
    /// As [`Extractor::extract`].
    pub fn frames(&mut self, samples: &[f32]) -> Result<Vec<[f64; FRAME_FEATURES]>> {
        let mut frames = Vec::new();
        self.run(samples, |window| frames.extend_from_slice(window))?;
        Ok(frames)
    }

    /// Hands the frames of each texture window to `sink`; returns how many windows.
    fn run(
        &mut self,
        samples: &[f32],
        sink: impl FnMut(&[[f64; FRAME_FEATURES]]),
    ) -> Result<usize> {
        let settings = &self.plan.settings;
        let needed = settings.minimum_samples();
        if samples.len() < needed {
            return Err(Error::TooShort { samples: samples.len(), needed });
        }
        check(samples)?;
        let frames = (samples.len() - settings.frame) / settings.hop + 1;
        let windows = frames / settings.texture;
        let Self { plan, work } = self;
        pulp::Arch::new().dispatch(TextureWindows { plan, work, samples, windows, sink });
        Ok(windows)
    }
}

impl Extractor for AdaBffsExtractor {
    fn extract(&mut self, samples: &[f32], out: &mut Vec<f32>) -> Result<usize> {
        self.run(samples, |window| texture::append(window, out))
    }

    fn fork(&self) -> Box<dyn Extractor> {
        Box::new(self.clone())
    }
}

/// The whole computation as one operation, compiled once for each instruction set. A type
/// of its own because a closure would not be sure to be inlined there.
struct TextureWindows<'a, S> {
    plan: &'a SharedTables,
    work: &'a mut Buffers,
    samples: &'a [f32],
    windows: usize,
    sink: S,
}

impl<S: FnMut(&[[f64; FRAME_FEATURES]])> pulp::NullaryFnOnce for TextureWindows<'_, S> {
    type Output = ();

    #[inline(always)]
    fn call(mut self) {
        let AdaBffs { hop, texture, .. } = self.plan.settings;
        for window in 0..self.windows {
            self.work.texture_window(self.plan, &self.samples[window * texture * hop..]);
            (self.sink)(&self.work.frames);
        }
    }
}

impl Buffers {
    /// Fills `frames` from the samples of one texture window.
    #[inline(always)]
    fn texture_window(&mut self, plan: &SharedTables, samples: &[f32]) {
        let AdaBffs { frame, hop, texture, .. } = plan.settings;
        for first in (0..texture).step_by(LANES) {
            let last = texture.min(first + LANES);
            for left in (first..last).step_by(2) {
                // The partner of the last of an odd number of frames is computed for nothing.
                let right = (left + 1).min(last - 1);
                let cut = |index: usize| &samples[index * hop..index * hop + frame];
                self.transform.run(cut(left), cut(right));
                for (spectrum, index) in self.transform.pair.iter().zip([left, right]) {
                    let row = &mut self.frames[index];
                    row[CROSSINGS] = f64::from(zero_crossings(cut(index)));
                    magnitudes(spectrum, &mut self.magnitudes);
                    describe(&plan.mfcc, &mut self.shape, &self.magnitudes, row);
                }
                let [r_left, r_right] = plan.lags.run(&mut self.transform.pair);
                for ((lags, r_left), r_right) in
                    self.autocorrelations.iter_mut().zip(r_left).zip(r_right)
                {
                    lags[right - first] = r_right;
                    lags[left - first] = r_left;
                }
            }
            let errors = prediction_errors(&self.autocorrelations);
            for (row, error) in self.frames[first..last].iter_mut().zip(errors) {
                row[LPC_ERROR] = error / frame as f64;
            }
        }
    }
}

/// Magnitudes as f32: each is as exact as f32 can be, since the power is f64. Powers below
/// f32's range count as 0: those of amplitudes around 1e-21.
#[inline(always)]
fn magnitudes(spectrum: &FrameSpectrum, out: &mut [f32]) {
    for (magnitude, power) in out.iter_mut().zip(&spectrum.power) {
        *magnitude = (*power as f32).sqrt();
    }
}

/// Everything that is read from the magnitude spectrum.
#[inline(always)]
fn describe(
    mfcc: &Mfcc,
    meter: &mut ShapeMeter,
    magnitudes: &[f32],
    row: &mut [f64; FRAME_FEATURES],
) {
    if let Some(cepstrum) = row.first_chunk_mut() {
        mfcc.run(magnitudes, cepstrum);
    }
    let shape = meter.run(&magnitudes[..meter.bins()]);
    row[CENTROID] = shape.centroid;
    row[SPREAD] = shape.spread;
    row[ROLLOFF..ROLLOFF + ROLLOFFS].copy_from_slice(&shape.rolloffs);
}
