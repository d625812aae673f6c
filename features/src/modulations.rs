//! Auditory temporal modulations: how fast each part of the spectrum throbs.
//!
//! 96 channels, 24 to an octave, and in each the energy of its envelope at eight modulation
//! rates, 2 to 256 Hz: 768 numbers for a whole excerpt, after Panagakis, Kotropoulos and
//! Arce (*Music genre classification via sparse representations of auditory temporal
//! modulations*, EUSIPCO 2009) and Sturm's second system (MIRUM 2012).
//!
//! The papers fix channels and rates. What they leave open is an option, and its default is
//! our choice: range of the channels, bandwidths, gammatone or constant-Q filters, energy or
//! its root, logarithm.
//!
//! Everything happens in the frequency domain: one transform of the clip; for each channel
//! the filtered part of the spectrum is transformed back at a low rate, which gives the
//! complex sub-band and by its magnitude the envelope; the envelope's spectrum, weighted
//! with the eight filters, gives the energies.

mod front_end;
mod plan;
mod rates;
mod settings;

use std::sync::Arc;

use rustfft::num_complex::Complex;

use crate::error::{Error, Result};
use crate::extractor::Extractor;
use crate::samples::check;
pub use front_end::{FrontEnd, erb};
pub use plan::fast_length;
use plan::{ClipPlan, PairPlan, padded_length};
pub use rates::RATES;
pub use settings::{CHANNELS, CHANNELS_PER_OCTAVE, DIMENSIONS, ENERGY_FLOOR, Measure, Modulations};

/// Computes modulation vectors, one a clip. A clone shares the tables and owns its buffers.
///
/// The excerpt is brought to zero mean and unit variance first, so the vector does not
/// depend on its level; a clip whose samples are all equal is an error. Energies are mean
/// squares over the clip's duration.
///
/// Tables depend on the clip's length rounded up to a fast one; those of the last length are
/// kept.
#[derive(Clone)]
pub struct ModulationsExtractor {
    settings: Modulations,
    plan: Option<Arc<ClipPlan>>,
    work: Buffers,
}

#[derive(Clone, Default)]
struct Buffers {
    signal: Vec<f32>,
    spectrum: Vec<Complex<f32>>,
    /// One sub-band.
    band: Vec<Complex<f32>>,
    /// Envelopes of two channels.
    envelopes: [Vec<f32>; 2],
    /// The same as real and imaginary part.
    pair: Vec<Complex<f32>>,
    /// Power spectra of two envelopes.
    power: [Vec<f32>; 2],
    scratch: Vec<Complex<f32>>,
}

impl ModulationsExtractor {
    /// # Errors
    /// [`Error::Setting`] as from [`Modulations::validate`].
    pub fn new(settings: Modulations) -> Result<Self> {
        settings.validate()?;
        Ok(Self { settings, plan: None, work: Buffers::default() })
    }

    /// SharedTables and buffers for clips of this many samples.
    fn prepare(&mut self, samples: usize) -> Arc<ClipPlan> {
        let length = padded_length(samples, &self.settings);
        match &self.plan {
            Some(plan) if plan.length == length => Arc::clone(plan),
            _ => {
                let plan = Arc::new(ClipPlan::new(length, &self.settings));
                self.work.fit(&plan);
                self.plan = Some(Arc::clone(&plan));
                plan
            }
        }
    }
}

impl Extractor for ModulationsExtractor {
    fn extract(&mut self, samples: &[f32], out: &mut Vec<f32>) -> Result<usize> {
        let needed = self.settings.minimum_samples();
        if samples.len() < needed {
            return Err(Error::TooShort { samples: samples.len(), needed });
        }
        check(samples)?;
        let (mean, deviation) = moments(samples);
        // Treat the rounding noise of a constant signal as silence.
        if deviation <= 1e-10 * mean.abs() {
            return Err(Error::Silent);
        }
        let plan = self.prepare(samples.len());
        let work = &mut self.work;
        let gain = 1.0 / deviation;
        for (out, sample) in work.signal.iter_mut().zip(samples) {
            *out = ((f64::from(*sample) - mean) * gain) as f32;
        }
        work.signal[samples.len()..].fill(0.0);
        out.reserve(DIMENSIONS);
        let settings = &self.settings;
        pulp::Arch::new().dispatch(Spectra {
            plan: &plan,
            work,
            settings,
            samples: samples.len(),
            out,
        });
        Ok(1)
    }

    fn fork(&self) -> Box<dyn Extractor> {
        Box::new(self.clone())
    }
}

/// Mean and standard deviation, summed in lanes of a fixed order.
fn moments(samples: &[f32]) -> (f64, f64) {
    let sum = |value: fn(f64, f64) -> f64, mean: f64| {
        let mut sums = [0.0; 8];
        let (steps, rest) = samples.as_chunks::<8>();
        for step in steps {
            for (sum, sample) in sums.iter_mut().zip(step) {
                *sum += value(f64::from(*sample), mean);
            }
        }
        let rest: f64 = rest.iter().map(|&sample| value(f64::from(sample), mean)).sum();
        sums.iter().sum::<f64>() + rest
    };
    let count = samples.len() as f64;
    let mean = sum(|x, _| x, 0.0) / count;
    let variance = sum(|x, mean| (x - mean) * (x - mean), mean) / count;
    (mean, variance.sqrt())
}

/// The computation as one operation, compiled once for each instruction set.
struct Spectra<'a> {
    plan: &'a ClipPlan,
    work: &'a mut Buffers,
    settings: &'a Modulations,
    samples: usize,
    out: &'a mut Vec<f32>,
}

impl pulp::NullaryFnOnce for Spectra<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let Self { plan, work, settings, samples, out } = self;
        // Cannot fail: all lengths are the plan's own.
        let transformed = plan.transform.process_with_scratch(
            &mut work.signal,
            &mut work.spectrum,
            &mut work.scratch,
        );
        debug_assert!(transformed.is_ok());
        for pair in &plan.pairs {
            // Samples of the sub-band while the clip sounds.
            let sounding = samples * pair.length / plan.length;
            work.pair(pair, sounding, plan.rates.bins());
            // A real envelope has half its energy at positive frequencies; an analytic
            // sub-band has twice the amplitude of the half spectrum it was made from.
            let amplitude = 2.0 / plan.length as f64;
            let scale = 2.0 * amplitude * amplitude / (pair.length as f64 * sounding as f64);
            for power in &work.power {
                out.extend(plan.rates.run(power).map(|sum| settings.value(scale * sum) as f32));
            }
        }
    }
}

impl Modulations {
    #[inline(always)]
    fn value(&self, energy: f64) -> f64 {
        let half = if self.measure == Measure::Magnitude { 0.5 } else { 1.0 };
        match (self.log, self.measure) {
            (true, _) => half * libm::log10(energy.max(ENERGY_FLOOR)),
            (false, Measure::Energy) => energy,
            (false, Measure::Magnitude) => energy.sqrt(),
        }
    }
}

impl Buffers {
    fn fit(&mut self, plan: &ClipPlan) {
        let zero = Complex::default();
        let lengths = || plan.pairs.iter().map(|pair| pair.length);
        let longest = lengths().max().unwrap_or(0);
        self.signal.resize(plan.length, 0.0);
        self.spectrum.resize(plan.length / 2 + 1, zero);
        self.band.resize(longest, zero);
        for envelope in &mut self.envelopes {
            envelope.resize(longest, 0.0);
        }
        self.pair.resize(longest, zero);
        for power in &mut self.power {
            power.resize(plan.rates.bins(), 0.0);
        }
        let transforms = plan.pairs.iter().flat_map(|pair| [&pair.synthesis, &pair.analysis]);
        let scratch = transforms.map(|fft| fft.get_inplace_scratch_len()).max().unwrap_or(0);
        self.scratch.resize(scratch.max(plan.transform.get_scratch_len()), zero);
    }

    /// Power spectra of the envelopes of two channels, up to `bins`.
    #[inline(always)]
    fn pair(&mut self, plan: &PairPlan, sounding: usize, bins: usize) {
        let mut means = [0.0; 2];
        for ((band, envelope), mean) in plan.bands.iter().zip(&mut self.envelopes).zip(&mut means) {
            let z = &mut self.band[..plan.length];
            band.cut(&self.spectrum, z);
            plan.synthesis.process_with_scratch(z, &mut self.scratch);
            *mean = magnitudes(&z[..sounding], &mut envelope[..sounding]);
        }
        let pair = &mut self.pair[..plan.length];
        let [one, other] = &self.envelopes;
        for ((z, one), other) in pair.iter_mut().zip(&one[..sounding]).zip(&other[..sounding]) {
            *z = Complex::new(one - means[0], other - means[1]);
        }
        pair[sounding..].fill(Complex::default());
        plan.analysis.process_with_scratch(pair, &mut self.scratch);
        let [real, imaginary] = &mut self.power;
        separate(pair, &mut real[..bins], &mut imaginary[..bins]);
    }
}

/// Writes the magnitudes of a sub-band and returns their mean.
#[inline(always)]
fn magnitudes(z: &[Complex<f32>], out: &mut [f32]) -> f32 {
    for (out, z) in out.iter_mut().zip(z) {
        *out = (z.re * z.re + z.im * z.im).sqrt();
    }
    let mut sums = [0.0f64; 16];
    let (steps, rest) = out.as_chunks::<16>();
    for step in steps {
        for lane in 0..16 {
            sums[lane] += f64::from(step[lane]);
        }
    }
    for (sum, value) in sums.iter_mut().zip(rest) {
        *sum += f64::from(*value);
    }
    (sums.iter().sum::<f64>() / out.len() as f64) as f32
}

/// Power spectra of the real and the imaginary part of a transformed pair, from bin 1 on.
#[inline(always)]
fn separate(z: &[Complex<f32>], real: &mut [f32], imaginary: &mut [f32]) {
    (real[0], imaginary[0]) = (0.0, 0.0);
    let outputs = real[1..].iter_mut().zip(&mut imaginary[1..]);
    for ((p, q), (real, imaginary)) in z[1..].iter().zip(z[1..].iter().rev()).zip(outputs) {
        let (a_re, a_im) = (p.re + q.re, p.im - q.im);
        let (b_re, b_im) = (p.re - q.re, p.im + q.im);
        *real = 0.25 * (a_re * a_re + a_im * a_im);
        *imaginary = 0.25 * (b_re * b_re + b_im * b_im);
    }
}
