//! Everything that depends on the length of a clip: transforms, responses, rates.

use std::sync::Arc;

use realfft::{RealFftPlanner, RealToComplex};
use rustfft::num_complex::Complex;
use rustfft::{Fft, FftPlanner};

use super::front_end::Filter;
use super::rates::{RateFilters, highest, reach_in_time};
use super::settings::{CHANNELS, Modulations};

/// Bins of a clip's spectrum lie at most this far apart, in hertz: shorter clips are padded.
const RESOLUTION: f64 = 0.1;

/// A filter's response is tabulated this many times in its bandwidth and interpolated in
/// between, which leaves errors below 3e-4 of the peak.
const POINTS: f64 = 100.0;

/// Sub-bands are sampled at least this many times faster than the fastest modulation needs,
/// because the envelope of a band is wider than the band.
const OVERSAMPLING: f64 = 1.1;

/// Transforms and tables for clips of up to one length.
pub(crate) struct ClipPlan {
    /// Length of the padded clip in samples.
    pub(crate) length: usize,
    pub(crate) transform: Arc<dyn RealToComplex<f32>>,
    pub(crate) pairs: Vec<PairPlan>,
    pub(crate) rates: RateFilters,
}

/// Two neighbouring channels: their envelopes share one complex transform.
pub(crate) struct PairPlan {
    pub(crate) bands: [Band; 2],
    /// Samples of each sub-band over the padded clip.
    pub(crate) length: usize,
    pub(crate) synthesis: Arc<dyn Fft<f32>>,
    pub(crate) analysis: Arc<dyn Fft<f32>>,
}

/// The part of the spectrum that a channel's filter passes.
pub(crate) struct Band {
    first_bin: usize,
    bins: usize,
    /// Bins between the points of the table.
    stride: usize,
    response: Vec<Complex<f32>>,
}

/// Length to which a clip is padded: neither end of it meets the other in the slowest filter.
pub(crate) fn padded_length(samples: usize, settings: &Modulations) -> usize {
    let rate = f64::from(settings.sample_rate);
    let needed = samples as f64 + reach_in_time(settings.rate_q) * rate;
    fast_length(needed.max(rate / RESOLUTION).ceil() as usize)
}

/// Smallest even length from `least` on without prime factors above 5: one whose Fourier
/// transform is fast.
pub fn fast_length(least: usize) -> usize {
    let smooth = |mut n: usize| {
        for factor in [2, 3, 5] {
            while n.is_multiple_of(factor) {
                n /= factor;
            }
        }
        n == 1
    };
    (least.div_ceil(2)..).find(|&half| smooth(half)).map_or(least, |half| 2 * half)
}

/// Smallest of 8, 9, 10, 12 and 15 times a power of two from `least` on: few lengths, so
/// that channels share their transforms.
fn shared_length(least: usize) -> usize {
    let mut power = 1;
    while 16 * power < least {
        power *= 2;
    }
    [8, 9, 10, 12, 15, 16]
        .into_iter()
        .map(|m| m * power)
        .find(|&n| n >= least)
        .unwrap_or(16 * power)
}

impl ClipPlan {
    pub(crate) fn new(length: usize, settings: &Modulations) -> Self {
        let rate = f64::from(settings.sample_rate);
        let hertz = rate / length as f64;
        let fastest = OVERSAMPLING * 2.0 * highest(settings.rate_q) / hertz;
        let mut planner = FftPlanner::new();
        let bands: Vec<Band> = (0..CHANNELS)
            .map(|channel| Band::new(&settings.filter(channel), hertz, length / 2))
            .collect();
        let mut bands = bands.into_iter();
        let mut pairs = Vec::with_capacity(CHANNELS / 2);
        while let (Some(one), Some(other)) = (bands.next(), bands.next()) {
            let least = one.bins.max(other.bins).max(fastest.ceil() as usize);
            let length = shared_length(least);
            pairs.push(PairPlan {
                bands: [one, other],
                length,
                synthesis: planner.plan_fft_inverse(length),
                analysis: planner.plan_fft_forward(length),
            });
        }
        Self {
            length,
            transform: RealFftPlanner::new().plan_fft_forward(length),
            pairs,
            rates: RateFilters::new(settings.rate_q, hertz),
        }
    }
}

impl Band {
    /// `last_bin` is the last of the spectrum.
    fn new(filter: &Filter, hertz: f64, last_bin: usize) -> Self {
        let (low, high) = filter.band();
        let first_bin = (low / hertz).ceil().max(1.0) as usize;
        let end = ((high / hertz).floor() as usize).min(last_bin) + 1;
        let mut stride = 1;
        while stride < 64 && 2.0 * stride as f64 * hertz <= filter.scale() / POINTS {
            stride *= 2;
        }
        let bins = end - first_bin;
        let points = bins.div_ceil(stride) + 1;
        let response = (0..points).map(|point| {
            let response = filter.response((first_bin + point * stride) as f64 * hertz);
            Complex::new(response.re as f32, response.im as f32)
        });
        Self { first_bin, bins, stride, response: response.collect() }
    }

    /// Writes the filtered spectrum to the start of `out` and zeros the rest. That the band
    /// begins at bin 0 turns the phase of the sub-band, not its magnitude.
    #[inline(always)]
    pub(crate) fn cut(&self, spectrum: &[Complex<f32>], out: &mut [Complex<f32>]) {
        let (band, rest) = out.split_at_mut(self.bins);
        rest.fill(Complex::default());
        let bins = &spectrum[self.first_bin..][..self.bins];
        let pieces = band.chunks_mut(self.stride).zip(bins.chunks(self.stride));
        for ((out, bins), ends) in pieces.zip(self.response.windows(2)) {
            let step = (ends[1] - ends[0]) * (1.0 / self.stride as f32);
            for (i, (out, bin)) in out.iter_mut().zip(bins).enumerate() {
                let i = i as f32;
                let (re, im) = (ends[0].re + i * step.re, ends[0].im + i * step.im);
                out.re = bin.re * re - bin.im * im;
                out.im = bin.re * im + bin.im * re;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_fast_and_long_enough() {
        assert_eq!(fast_length(1_000), 1_000);
        assert_eq!(fast_length(1_001), 1_024);
        assert_eq!(fast_length(661_501), 663_552);
        for least in [7, 100, 1_000, 38_113, 65_537] {
            let length = shared_length(least);
            assert!(length >= least && length <= least * 5 / 4 + 8, "{least}: {length}");
        }
    }

    #[test]
    fn the_interpolated_response_is_the_response() {
        let length = 691_200;
        let settings = Modulations::default();
        let hertz = 22_050.0 / length as f64;
        for channel in [0, 40, 95] {
            let filter = settings.filter(channel);
            let band = Band::new(&filter, hertz, length / 2);
            let spectrum = vec![Complex::new(1.0, 0.0); length / 2 + 1];
            let mut out = vec![Complex::new(9.0, 9.0); band.bins + 3];
            band.cut(&spectrum, &mut out);
            assert!(out[band.bins..].iter().all(|value| value.norm() == 0.0));
            for (i, value) in out[..band.bins].iter().enumerate().step_by(7) {
                let expected = filter.response((band.first_bin + i) as f64 * hertz);
                let error =
                    (f64::from(value.re) - expected.re).hypot(f64::from(value.im) - expected.im);
                assert!(error < 3e-4, "channel {channel}, bin {i}: {error}");
            }
        }
    }
}
