//! Band-passes over the modulation spectrum.

use super::front_end::{GAUSSIAN_REACH, gaussian_deviation};

/// Modulation rates in hertz.
pub const RATES: [f64; 8] = [2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0];

/// Power responses of the eight filters, sampled at the bins of an envelope's spectrum.
///
/// Each is a Gabor filter, Gaussian in frequency with bandwidth (-3 dB) rate / Q. The mean
/// energy of its output over time is read off the spectrum (Parseval), so that no output is
/// ever computed.
#[derive(Debug, Clone)]
pub(crate) struct RateFilters {
    filters: Vec<RateFilter>,
}

#[derive(Debug, Clone)]
struct RateFilter {
    first_bin: usize,
    power: Vec<f32>,
}

/// Highest modulation frequency that any of the filters lets through, in hertz.
pub(crate) fn highest(q: f64) -> f64 {
    let rate = RATES[RATES.len() - 1];
    rate + GAUSSIAN_REACH * gaussian_deviation(rate / q)
}

/// Time in seconds over which the slowest filter spreads an instant to either side: three
/// standard deviations of its Gaussian envelope.
pub(crate) fn reach_in_time(q: f64) -> f64 {
    3.0 / (std::f64::consts::TAU * gaussian_deviation(RATES[0] / q))
}

impl RateFilters {
    /// Filters of quality `q` for spectra whose bins are `hertz` apart.
    pub(crate) fn new(q: f64, hertz: f64) -> Self {
        let filter = |rate: f64| {
            let deviation = gaussian_deviation(rate / q);
            let reach = GAUSSIAN_REACH * deviation;
            // Bin 0 holds no modulation: the envelope's mean was taken away.
            let first_bin = ((rate - reach) / hertz).ceil().max(1.0) as usize;
            let last_bin = ((rate + reach) / hertz).floor() as usize;
            let power = (first_bin..=last_bin).map(|bin| {
                let x = (bin as f64 * hertz - rate) / deviation;
                libm::exp(-x * x) as f32
            });
            RateFilter { first_bin, power: power.collect() }
        };
        Self { filters: RATES.map(filter).into() }
    }

    /// Number of bins that are looked at, from bin 0 on.
    pub(crate) fn bins(&self) -> usize {
        self.filters.iter().map(|filter| filter.first_bin + filter.power.len()).max().unwrap_or(0)
    }

    /// Sums of the power spectrum under each filter.
    #[inline(always)]
    pub(crate) fn run(&self, power: &[f32]) -> [f64; RATES.len()] {
        let mut sums = [0.0; RATES.len()];
        for (sum, filter) in sums.iter_mut().zip(&self.filters) {
            *sum = dot(&filter.power, &power[filter.first_bin..][..filter.power.len()]);
        }
        sums
    }
}

/// Inner product in a fixed order: sixteen lanes of f32 over stretches of 1,024, added up
/// in f64.
#[inline(always)]
fn dot(a: &[f32], b: &[f32]) -> f64 {
    const LANES: usize = 16;
    let mut total = 0.0;
    for (a, b) in a.chunks(1_024).zip(b.chunks(1_024)) {
        let mut sums = [0.0f32; LANES];
        let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<LANES>(), b.as_chunks::<LANES>());
        for (a, b) in a.iter().zip(b) {
            for lane in 0..LANES {
                sums[lane] += a[lane] * b[lane];
            }
        }
        for ((sum, a), b) in sums.iter_mut().zip(a_rest).zip(b_rest) {
            *sum += a * b;
        }
        total += sums.iter().map(|&sum| f64::from(sum)).sum::<f64>();
    }
    total
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_at_a_rate_is_seen_by_its_filter_most() {
        let hertz = 0.05;
        let filters = RateFilters::new(2.0, hertz);
        for (i, rate) in RATES.iter().enumerate() {
            let mut power = vec![0.0; filters.bins()];
            power[(rate / hertz).round() as usize] = 3.0;
            let sums = filters.run(&power);
            assert!((sums[i] - 3.0).abs() < 1e-6);
            for (j, sum) in sums.iter().enumerate().filter(|(j, _)| *j != i) {
                // an octave below lies two half-bandwidths off: 2^-4
                assert!(*sum < 3.001 / 16.0, "rate {rate} in filter {j}: {sum}");
            }
        }
    }

    #[test]
    fn half_the_power_is_left_at_half_the_bandwidth() {
        let filters = RateFilters::new(2.0, 0.01);
        let mut power = vec![0.0; filters.bins()];
        power[1_000] = 1.0; // 10 Hz = 8 Hz + (8 Hz / 2) / 2
        assert!((filters.run(&power)[2] - 0.5).abs() < 1e-6);
    }

    #[test]
    fn an_inner_product_of_any_length_is_right() {
        for length in [0, 1, 15, 16, 17, 1_023, 1_025, 5_000] {
            let a: Vec<f32> = (0..length).map(|i| (i % 7) as f32).collect();
            let b: Vec<f32> = (0..length).map(|i| (i % 5) as f32).collect();
            let expected: usize = (0..length).map(|i| (i % 7) * (i % 5)).sum();
            assert_eq!(dot(&a, &b), expected as f64, "{length}");
        }
    }
}
