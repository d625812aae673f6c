//! Triangular filters on a mel scale, as sparse sums over the bins of a spectrum.

use super::bands::{MelBands, MelNorm, MelScale, Triangles};
use crate::error::{Error, Result};

/// Frames that are summed side by side, one a lane.
pub(super) const LANES: usize = 8;

/// One value of each frame.
pub(super) type Lanes = [f64; LANES];

/// Slaney's scale: hertz in a mel, where it turns logarithmic, and the logarithm of the
/// ratio of frequencies one mel apart from there on (6.4 within 27 mels).
const SLANEY_HERTZ: f64 = 200.0 / 3.0;
const SLANEY_BREAK: f64 = 1_000.0;

fn slaney_step() -> f64 {
    libm::log(6.4) / 27.0
}

impl MelScale {
    /// Hertz to mel.
    pub(super) fn mel(self, hertz: f64) -> f64 {
        match self {
            Self::Slaney if hertz < SLANEY_BREAK => hertz / SLANEY_HERTZ,
            Self::Slaney => {
                SLANEY_BREAK / SLANEY_HERTZ + libm::log(hertz / SLANEY_BREAK) / slaney_step()
            }
            Self::Htk => 2_595.0 * libm::log10(1.0 + hertz / 700.0),
            Self::Kaldi => 1_127.0 * libm::log(1.0 + hertz / 700.0),
        }
    }

    /// Mel to hertz.
    pub(super) fn hertz(self, mel: f64) -> f64 {
        match self {
            Self::Slaney if mel < SLANEY_BREAK / SLANEY_HERTZ => mel * SLANEY_HERTZ,
            Self::Slaney => {
                SLANEY_BREAK * libm::exp(slaney_step() * (mel - SLANEY_BREAK / SLANEY_HERTZ))
            }
            Self::Htk => 700.0 * (libm::exp10(mel / 2_595.0) - 1.0),
            Self::Kaldi => 700.0 * (libm::exp(mel / 1_127.0) - 1.0),
        }
    }
}

/// Weights of consecutive bins.
#[derive(Debug, Clone)]
struct Filter {
    first_bin: usize,
    weights: Vec<f64>,
}

/// All bands of a spectrum.
#[derive(Debug, Clone)]
pub(super) struct Filters {
    filters: Vec<Filter>,
}

impl Filters {
    /// Bands for spectra of an FFT of `fft` samples of sound of `rate` Hz.
    ///
    /// # Errors
    /// [`Error::Setting`] naming the first setting that such spectra cannot have.
    pub(super) fn new(bands: &MelBands, fft: usize, rate: u32) -> Result<Self> {
        check(bands, rate)?;
        let filters = Self::build(bands, fft, rate);
        let empty = filters.empty();
        if bands.empty || empty.is_empty() {
            return Ok(filters);
        }
        let first: Vec<String> = empty.iter().take(5).map(|band| band.to_string()).collect();
        let found = format!(
            "{} ({} bands hold no bin of the FFT: {}{})",
            bands.bands,
            empty.len(),
            first.join(", "),
            if empty.len() > first.len() { ", ..." } else { "" }
        );
        let range = "fewer, or fft longer, or mel.empty = true if the net was trained so";
        Err(Error::setting("mel.bands", found, range))
    }

    fn build(bands: &MelBands, fft: usize, rate: u32) -> Self {
        let scale = bands.scale;
        let (low, high) = (scale.mel(bands.low), scale.mel(bands.high(rate)));
        let step = (high - low) / (bands.bands + 1) as f64;
        let edges: Vec<f64> = (0..bands.bands + 2).map(|i| low + step * i as f64).collect();
        let bins: Vec<f64> =
            (0..=fft / 2).map(|bin| bin as f64 * f64::from(rate) / fft as f64).collect();
        // Edges and bins on the axis over which the sides of the triangles are straight.
        let edges_hertz: Vec<f64> = edges.iter().map(|mel| scale.hertz(*mel)).collect();
        let (edges, bins) = match bands.triangles() {
            Triangles::Hertz => (edges_hertz.clone(), bins),
            Triangles::Mel => (edges, bins.into_iter().map(|f| scale.mel(f)).collect()),
        };
        let filter = |(edges, hertz): (&[f64], &[f64])| {
            let height = match bands.norm {
                MelNorm::Slaney => 2.0 / (hertz[2] - hertz[0]),
                MelNorm::None => 1.0,
            };
            let first_bin = bins.partition_point(|bin| *bin <= edges[0]);
            let end = bins.partition_point(|bin| *bin < edges[2]).max(first_bin);
            let weights = bins[first_bin..end].iter().map(|bin| {
                let rising = (bin - edges[0]) / (edges[1] - edges[0]);
                let falling = (edges[2] - bin) / (edges[2] - edges[1]);
                height * rising.min(falling)
            });
            Filter { first_bin, weights: weights.collect() }
        };
        Self { filters: edges.windows(3).zip(edges_hertz.windows(3)).map(filter).collect() }
    }

    /// Number of bands.
    pub(super) fn bands(&self) -> usize {
        self.filters.len()
    }

    /// Bands without a bin, counted from 0.
    fn empty(&self) -> Vec<usize> {
        (0..self.bands()).filter(|&band| self.filters[band].weights.is_empty()).collect()
    }

    /// Sums of the bands of several spectra at once. Each lane adds its bins in rising order,
    /// so that a frame's sums do not depend on its neighbours.
    #[inline(always)]
    pub(super) fn run(&self, spectra: &[Lanes], out: &mut [Lanes]) {
        for (out, filter) in out.iter_mut().zip(&self.filters) {
            let mut sums = [0.0; LANES];
            for (weight, bins) in filter.weights.iter().zip(&spectra[filter.first_bin..]) {
                for lane in 0..LANES {
                    sums[lane] += weight * bins[lane];
                }
            }
            *out = sums;
        }
    }
}

fn check(bands: &MelBands, rate: u32) -> Result<()> {
    if !(1..=4_096).contains(&bands.bands) {
        return Err(Error::setting("mel.bands", bands.bands, "1 to 4096"));
    }
    let (high, nyquist) = (bands.high(rate), f64::from(rate) / 2.0);
    if !(high > 0.0 && high <= nyquist) {
        let range = "above 0 and at most half of the sample rate";
        return Err(Error::setting("mel.high", high, range));
    }
    if !(0.0..high).contains(&bands.low) {
        return Err(Error::setting("mel.low", bands.low, "at least 0 and below mel.high"));
    }
    if bands.scale == MelScale::Kaldi && bands.triangles() == Triangles::Hertz {
        return Err(Error::setting("mel.triangles", "hertz", "mel on the scale kaldi"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn bands(scale: MelScale, norm: MelNorm) -> MelBands {
        MelBands { bands: 64, scale, norm, triangles: None, low: 0.0, high: None, empty: false }
    }

    #[test]
    fn scales_are_those_of_their_definitions_and_invert() {
        // librosa.hz_to_mel(440) = 6.6, of 8000 = 45.245640; HTK: 1000 Hz is 1000 mel.
        assert!((MelScale::Slaney.mel(440.0) - 6.6).abs() < 1e-12);
        assert!((MelScale::Slaney.mel(8_000.0) - 45.245_640_471_924_965).abs() < 1e-12);
        assert!((MelScale::Htk.mel(1_000.0) - 999.985_537).abs() < 1e-6);
        for scale in [MelScale::Slaney, MelScale::Htk, MelScale::Kaldi] {
            for hertz in [0.0, 20.0, 999.9, 1_000.0, 1_000.1, 7_654.0, 24_000.0] {
                let back = scale.hertz(scale.mel(hertz));
                assert!((back - hertz).abs() < 1e-9 * (1.0 + hertz), "{scale:?} {hertz} {back}");
            }
        }
    }

    #[test]
    fn triangles_without_norm_sum_to_one_between_the_outer_centres() {
        for triangles in [Triangles::Hertz, Triangles::Mel] {
            let bands =
                MelBands { triangles: Some(triangles), ..bands(MelScale::Htk, MelNorm::None) };
            let filters = Filters::new(&bands, 2_048, 16_000).unwrap();
            let mut total = vec![0.0; 1_025];
            for filter in &filters.filters {
                for (i, weight) in filter.weights.iter().enumerate() {
                    total[filter.first_bin + i] += weight;
                }
            }
            let step = MelScale::Htk.mel(8_000.0) / 65.0;
            let inner = |bin: &usize| {
                let mel = MelScale::Htk.mel(*bin as f64 * 7.8125);
                (step..=64.0 * step).contains(&mel)
            };
            let mut found = 0;
            for bin in (0..1_025).filter(inner) {
                assert!((total[bin] - 1.0).abs() < 1e-9, "{triangles:?} bin {bin}: {}", total[bin]);
                found += 1;
            }
            assert!(found > 900, "{found}");
        }
    }

    #[test]
    fn slaney_norm_gives_every_triangle_unit_area() {
        let filters =
            Filters::new(&bands(MelScale::Slaney, MelNorm::Slaney), 65_536, 16_000).unwrap();
        for filter in &filters.filters {
            let area = filter.weights.iter().sum::<f64>() * 16_000.0 / 65_536.0;
            assert!((area - 1.0).abs() < 1e-3, "{area}");
        }
    }

    #[test]
    fn a_lane_is_summed_as_if_it_were_alone() {
        let filters =
            Filters::new(&bands(MelScale::Slaney, MelNorm::Slaney), 1_024, 16_000).unwrap();
        let value = |bin: usize, lane: usize| ((bin * 37 + lane * 11) % 101) as f64 / 7.0;
        let all: Vec<Lanes> =
            (0..513).map(|bin| std::array::from_fn(|lane| value(bin, lane))).collect();
        let mut together = vec![[0.0; LANES]; filters.bands()];
        filters.run(&all, &mut together);
        for lane in 0..LANES {
            let one: Vec<Lanes> = (0..513).map(|bin| [value(bin, lane); LANES]).collect();
            let mut alone = vec![[0.0; LANES]; filters.bands()];
            filters.run(&one, &mut alone);
            for (alone, together) in alone.iter().zip(&together) {
                assert_eq!(alone[0].to_bits(), together[lane].to_bits());
            }
        }
    }
}
