//! The two filters that stand for the inner ear: gammatone and constant-Q.

use rustfft::num_complex::Complex;
use serde::{Deserialize, Serialize};

/// Which filters part the sound into channels. Sturm and Noorzad (*On automatic music genre
/// recognition by sparse representation classification using auditory temporal
/// modulations*, CMMR 2012) report that a perceptual front end brings no significant
/// benefit over a plain one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FrontEnd {
    /// Slaney's fourth-order gammatone filters (*An efficient implementation of the
    /// Patterson-Holdsworth auditory filter bank*, Apple technical report 35, 1993): one
    /// equivalent rectangular bandwidth each, `24.7 + f / 9.26449` Hz.
    Gammatone,
    /// Complex Gabor filters: Gaussian in frequency, bandwidth (-3 dB) `f / Q`.
    ConstantQ,
}

/// Equivalent rectangular bandwidth in hertz at `centre` Hz, with Slaney's constants (those
/// of Glasberg and Moore 1990).
pub fn erb(centre: f64) -> f64 {
    24.7 + centre / 9.264_49
}

/// Standard deviation of a Gaussian amplitude response whose power falls to half at
/// `bandwidth / 2` from its centre.
pub(crate) fn gaussian_deviation(bandwidth: f64) -> f64 {
    bandwidth / (2.0 * std::f64::consts::LN_2.sqrt())
}

/// Responses below this part of their peak (-53 dB) are left out. Our choice.
const CUT: f64 = 2.2e-3;

/// Distance from the centre, in deviations, at which a Gaussian has fallen to [`CUT`].
pub(crate) const GAUSSIAN_REACH: f64 = 3.5;

/// Frequency response of one channel: 1 at the centre.
#[derive(Debug, Clone)]
pub(crate) enum Filter {
    Gammatone { centre: f64, sections: Gammatone },
    Gabor { centre: f64, deviation: f64 },
}

impl Filter {
    pub(crate) fn new(front_end: FrontEnd, centre: f64, q: f64, sample_rate: f64) -> Self {
        match front_end {
            FrontEnd::Gammatone => {
                Self::Gammatone { centre, sections: Gammatone::new(centre, sample_rate) }
            }
            FrontEnd::ConstantQ => {
                Self::Gabor { centre, deviation: gaussian_deviation(centre / q) }
            }
        }
    }

    /// Response at a positive frequency.
    pub(crate) fn response(&self, hertz: f64) -> Complex<f64> {
        match self {
            Self::Gammatone { sections, .. } => sections.response(hertz),
            Self::Gabor { centre, deviation } => {
                let x = (hertz - centre) / deviation;
                Complex::new(libm::exp(-0.5 * x * x), 0.0)
            }
        }
    }

    /// Scale in hertz over which the response changes.
    pub(crate) fn scale(&self) -> f64 {
        match self {
            Self::Gammatone { centre, .. } => GAMMATONE_BANDWIDTH * erb(*centre),
            Self::Gabor { deviation, .. } => *deviation,
        }
    }

    /// Lowest and highest frequency of the part of the response that counts.
    pub(crate) fn band(&self) -> (f64, f64) {
        let (centre, reach) = match self {
            // (1 + x^2)^-2 = CUT
            Self::Gammatone { centre, .. } => (centre, (1.0 / CUT.sqrt() - 1.0).sqrt()),
            Self::Gabor { centre, .. } => (centre, GAUSSIAN_REACH),
        };
        (centre - reach * self.scale(), centre + reach * self.scale())
    }
}

/// Bandwidth parameter of the gammatone in ERB (Patterson et al. 1992).
const GAMMATONE_BANDWIDTH: f64 = 1.019;

/// Slaney's digital gammatone: four sections of second order with one pair of poles, and one
/// zero each.
#[derive(Debug, Clone)]
pub(crate) struct Gammatone {
    sample_rate: f64,
    /// Coefficient of one delay in the numerator of each section; that of none is 1.
    zeros: [f64; 4],
    /// Coefficients of one and two delays in the denominator of every section.
    poles: [f64; 2],
    /// Reciprocal of the response of the four sections at the centre: a complex number, so
    /// that the phase at the centre is zero, too.
    gain: Complex<f64>,
}

impl Gammatone {
    fn new(centre: f64, sample_rate: f64) -> Self {
        let angle = std::f64::consts::TAU * centre / sample_rate;
        let decay =
            libm::exp(-GAMMATONE_BANDWIDTH * std::f64::consts::TAU * erb(centre) / sample_rate);
        let (sin, cos) = (libm::sin(angle), libm::cos(angle));
        let wide = (3.0 + 2.0 * std::f64::consts::SQRT_2).sqrt();
        let narrow = (3.0 - 2.0 * std::f64::consts::SQRT_2).sqrt();
        let zeros = [wide, -wide, narrow, -narrow].map(|root| -decay * (cos + root * sin));
        let poles = [-2.0 * decay * cos, decay * decay];
        let unit = Complex::new(1.0, 0.0);
        let plain = Self { sample_rate, zeros, poles, gain: unit };
        Self { gain: unit / plain.response(centre), ..plain }
    }

    fn response(&self, hertz: f64) -> Complex<f64> {
        let angle = std::f64::consts::TAU * hertz / self.sample_rate;
        let delay = Complex::new(libm::cos(angle), -libm::sin(angle));
        let denominator = delay * self.poles[0] + delay * delay * self.poles[1] + 1.0;
        self.zeros
            .iter()
            .fold(self.gain, |product, zero| product * (delay * zero + 1.0) / denominator)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Width between the half-power points and equivalent rectangular bandwidth, measured on
    /// the response in steps of 1/100 Hz around the centre.
    fn measured(filter: &Filter, centre: f64) -> (f64, f64, f64) {
        let (mut half_power, mut area, mut peak) = (0.0, 0.0, (0.0, 0.0));
        let step = 0.01;
        let steps = (4.0 * centre.min(2_000.0) / step) as usize;
        for i in 1..steps {
            let hertz = i as f64 * step + (centre - 2.0 * centre.min(2_000.0)).max(0.0);
            let power = filter.response(hertz).norm_sqr();
            area += power * step;
            half_power += f64::from(u8::from(power >= 0.5)) * step;
            if power > peak.1 {
                peak = (hertz, power);
            }
        }
        (half_power, area / peak.1, peak.0)
    }

    #[test]
    fn gammatones_have_the_published_bandwidths() {
        // ERB of Glasberg and Moore (1990) as tabulated from 24.7 (4.37 f / 1000 + 1); the
        // half-power width of a fourth-order gammatone is 0.887 ERB (Patterson et al. 1992)
        for (centre, published) in
            [(180.0, 44.1), (500.0, 78.7), (1_000.0, 132.6), (2_000.0, 240.6), (4_000.0, 456.5)]
        {
            assert!((erb(centre) - published).abs() < 0.1, "{centre}: {}", erb(centre));
            let filter = Filter::new(FrontEnd::Gammatone, centre, 0.0, 22_050.0);
            let (half_power, rectangular, peak) = measured(&filter, centre);
            assert!((rectangular / published - 1.0).abs() < 0.01, "{centre}: ERB {rectangular}");
            assert!(
                (half_power / (0.887 * published) - 1.0).abs() < 0.01,
                "{centre}: {half_power}"
            );
            assert!((peak / centre - 1.0).abs() < 0.005, "{centre}: peak at {peak}");
        }
    }

    #[test]
    fn gammatone_responses_are_those_of_scipy() {
        // |H| of scipy.signal.gammatone(centre, 'iir', fs=22050) of scipy 1.17 by freqz, scaled
        // to 1 at the centre; not at low centres, where its expanded polynomials lose digits
        let expected = [
            (1_000.0, 500.0, 0.00459749772116),
            (1_000.0, 900.0, 0.417696426252),
            (1_000.0, 1_050.0, 0.773740282942),
            (1_000.0, 1_500.0, 0.00466163012807),
            (2_797.0, 1_398.5, 0.00293439724288),
            (2_797.0, 2_517.3, 0.343858808465),
            (2_797.0, 2_936.85, 0.722580467918),
            (2_797.0, 4_195.5, 0.00294249919678),
        ];
        for (centre, hertz, expected) in expected {
            let filter = Filter::new(FrontEnd::Gammatone, centre, 0.0, 22_050.0);
            let ours = filter.response(hertz).norm();
            assert!((ours - expected).abs() < 1e-6 * expected, "{centre}, {hertz}: {ours}");
        }
    }

    #[test]
    fn gabor_filters_have_the_quality_asked_for() {
        for (centre, q) in [(200.0, 4.0), (1_000.0, 8.0), (2_500.0, 2.0)] {
            let filter = Filter::new(FrontEnd::ConstantQ, centre, q, 22_050.0);
            let (half_power, _, peak) = measured(&filter, centre);
            assert!((half_power * q / centre - 1.0).abs() < 0.001, "{centre}: {half_power}");
            assert!((peak - centre).abs() < 0.02);
        }
    }

    #[test]
    fn what_is_cut_off_is_small() {
        for front_end in [FrontEnd::Gammatone, FrontEnd::ConstantQ] {
            for centre in [180.0, 700.0, 2_797.0] {
                let filter = Filter::new(front_end, centre, 4.0, 22_050.0);
                let (low, high) = filter.band();
                // below 0 Hz nothing is cut off
                for edge in [low, high].into_iter().filter(|&edge| edge > 0.0) {
                    let left = filter.response(edge).norm();
                    assert!(left < 1.2 * CUT, "{front_end:?} {centre}: {left} at {edge}");
                }
            }
        }
    }
}
