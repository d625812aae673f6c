//! Mel-frequency cepstral coefficients after Slaney's Auditory Toolbox (Slaney 1998,
//! technical report 1998-010, `mfcc.m`).

use crate::log10::log10;

/// Number of triangular filters.
pub const MEL_FILTERS: usize = 40;

/// Floor of the filter outputs, so that the logarithm of digital silence
/// is -10. The toolbox has no floor; the value is our choice, some five orders of magnitude
/// below the output that the rounding noise of 16-bit audio causes.
pub const MEL_FLOOR: f64 = 1e-10;

/// Edges of the filters in hertz: filter i rises from edge i to edge i + 1 and falls to
/// edge i + 2. 13 edges lie 66.67 Hz apart from 133.33 Hz on, each further one is 1.0711703
/// times the one before; the last is about 6.85 kHz.
pub(crate) fn edges() -> [f64; MEL_FILTERS + 2] {
    const LINEAR: usize = 13;
    let mut edges = [0.0; MEL_FILTERS + 2];
    for i in 0..edges.len() {
        edges[i] = if i < LINEAR {
            133.333_333_3 + 66.666_666_66 * i as f64
        } else {
            edges[i - 1] * 1.071_170_3
        };
    }
    edges
}

/// Number of magnitudes that one step of a filter's sum takes in.
const STEP: usize = 8;

/// One triangle, as weights of consecutive bins, padded with zeros to whole steps.
#[derive(Debug, Clone)]
struct Triangle {
    first_bin: usize,
    weights: Vec<[f64; STEP]>,
}

/// Filterbank, logarithm and cosine transform for one frame length and sample rate.
#[derive(Debug, Clone)]
pub(crate) struct Mfcc {
    triangles: Vec<Triangle>,
    /// `basis[j][i]`: weight of filter j in coefficient i.
    basis: Box<[[f64; MEL_FILTERS]; MEL_FILTERS]>,
}

impl Mfcc {
    /// Bank for spectra of frames of `frame` samples at `sample_rate` Hz. Triangles have
    /// unit area: height 2 / (upper - lower edge).
    pub(crate) fn new(frame: usize, sample_rate: f64) -> Self {
        let hertz = sample_rate / frame as f64;
        let triangles = edges().windows(3).map(|e| triangle(e[0], e[1], e[2], hertz)).collect();
        let mut basis = Box::new([[0.0; MEL_FILTERS]; MEL_FILTERS]);
        let scale = 1.0 / libm::sqrt(MEL_FILTERS as f64 / 2.0);
        for (j, row) in basis.iter_mut().enumerate() {
            for (i, weight) in row.iter_mut().enumerate() {
                let angle =
                    (i * (2 * j + 1)) as f64 * std::f64::consts::PI / (2 * MEL_FILTERS) as f64;
                *weight = scale * libm::cos(angle);
            }
            row[0] *= std::f64::consts::FRAC_1_SQRT_2;
        }
        Self { triangles, basis }
    }

    /// Number of magnitudes [`Mfcc::run`] needs: bins past the spectrum must be there and
    /// finite, they carry no weight.
    pub(crate) fn bins(&self) -> usize {
        self.triangles.iter().map(|t| t.first_bin + STEP * t.weights.len()).max().unwrap_or(0)
    }

    /// Coefficients of one frame from its magnitude spectrum.
    #[inline(always)]
    pub(crate) fn run(&self, magnitudes: &[f32], out: &mut [f64; MEL_FILTERS]) {
        let mut energies = [MEL_FLOOR; MEL_FILTERS];
        for (energy, triangle) in energies.iter_mut().zip(&self.triangles) {
            let mut sums = [0.0; STEP];
            let bins = magnitudes[triangle.first_bin..].as_chunks::<STEP>().0;
            for (weights, bins) in triangle.weights.iter().zip(bins) {
                for lane in 0..STEP {
                    sums[lane] += weights[lane] * f64::from(bins[lane]);
                }
            }
            *energy = sum(sums).max(MEL_FLOOR);
        }
        for energy in &mut energies {
            *energy = log10(*energy);
        }
        // In lanes and in a local array, so that the sums stay in registers.
        let mut sums = [[0.0; STEP]; MEL_FILTERS / STEP];
        for (energy, row) in energies.iter().zip(self.basis.iter()) {
            for (sums, weights) in sums.iter_mut().zip(row.as_chunks::<STEP>().0) {
                for lane in 0..STEP {
                    sums[lane] += energy * weights[lane];
                }
            }
        }
        out.copy_from_slice(sums.as_flattened());
    }
}

/// Sum of eight lanes in a fixed order.
#[inline(always)]
pub(crate) fn sum(v: [f64; 8]) -> f64 {
    ((v[0] + v[4]) + (v[2] + v[6])) + ((v[1] + v[5]) + (v[3] + v[7]))
}

fn triangle(lower: f64, centre: f64, upper: f64, hertz: f64) -> Triangle {
    let height = 2.0 / (upper - lower);
    let first_bin = (lower / hertz).floor() as usize + 1;
    let weights: Vec<f64> = (first_bin..)
        .map(|bin| bin as f64 * hertz)
        .take_while(|&f| f < upper)
        .map(|f| height * ((f - lower) / (centre - lower)).min((upper - f) / (upper - centre)))
        .collect();
    let steps = weights.chunks(STEP).map(|chunk| {
        let mut step = [0.0; STEP];
        step[..chunk.len()].copy_from_slice(chunk);
        step
    });
    Triangle { first_bin, weights: steps.collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edges_are_those_of_the_toolbox() {
        let edges = edges();
        assert!((edges[12] - 933.333).abs() < 0.01);
        assert!((edges[13] - 999.759).abs() < 0.01);
        assert!((edges[41] - 6854.2).abs() < 1.0, "{}", edges[41]);
    }

    #[test]
    fn triangles_have_unit_area() {
        let hertz = 1.0;
        for e in edges().windows(3) {
            let triangle = triangle(e[0], e[1], e[2], hertz);
            let area: f64 = triangle.weights.iter().flatten().sum::<f64>() * hertz;
            assert!((area - 1.0).abs() < 1e-3, "{area}");
        }
    }

    #[test]
    fn the_cosine_basis_is_orthonormal() {
        let mfcc = Mfcc::new(1024, 22050.0);
        for i in 0..MEL_FILTERS {
            for k in 0..MEL_FILTERS {
                let product: f64 = mfcc.basis.iter().map(|row| row[i] * row[k]).sum();
                assert!((product - f64::from(u8::from(i == k))).abs() < 1e-12, "{i} {k}");
            }
        }
    }

    #[test]
    fn silence_is_the_floor_in_coefficient_zero_alone() {
        let mfcc = Mfcc::new(1024, 22050.0);
        let mut out = [0.0; MEL_FILTERS];
        mfcc.run(&vec![0.0; mfcc.bins()], &mut out);
        assert!((out[0] + 10.0 * libm::sqrt(40.0)).abs() < 1e-9, "{}", out[0]);
        assert!(out[1..].iter().all(|c| c.abs() < 1e-9));
    }
}
