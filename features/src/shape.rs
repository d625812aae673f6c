//! Shape of a magnitude spectrum: centroid, spread, roll-off; and zero crossings.

use crate::mfcc::sum;

/// Number of roll-off frequencies.
pub const ROLLOFFS: usize = 16;

/// Neighbouring bins that are summed side by side.
const LANES: usize = 8;

/// Bins whose magnitudes are summed together before a roll-off is looked for among them.
const BLOCK: usize = 16;

/// Number of times the sign changes between neighbouring samples; zero counts as positive.
#[inline(always)]
pub(crate) fn zero_crossings(frame: &[f32]) -> u32 {
    frame.iter().zip(&frame[1..]).map(|(a, b)| u32::from((*a < 0.0) != (*b < 0.0))).sum()
}

/// Moments and quantiles of one magnitude spectrum, in hertz.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Shape {
    /// Mean frequency, weighted by magnitude.
    pub(crate) centroid: f64,
    /// Standard deviation of frequency, weighted by magnitude.
    pub(crate) spread: f64,
    /// Smallest bin at which the cumulative magnitude reaches i / 17 of the total,
    /// i = 1 ..= 16. The paper says 16 quantiles; that they part the spectrum into 17 equal
    /// shares is our choice (i / 16 would end at a constant, the last bin).
    pub(crate) rolloffs: [f64; ROLLOFFS],
}

/// Holds the cumulative sums of a spectrum between frames.
#[derive(Debug, Clone)]
pub(crate) struct ShapeMeter {
    /// Width of a bin in hertz.
    hertz: f64,
    /// Sum of all magnitudes below each block, then the total.
    below: Vec<f64>,
}

impl ShapeMeter {
    /// Meter for spectra of `bins` magnitudes, `hertz` apart.
    pub(crate) fn new(bins: usize, hertz: f64) -> Self {
        Self { hertz, below: vec![0.0; bins.div_ceil(BLOCK) + 1] }
    }

    /// Number of magnitudes [`ShapeMeter::run`] takes: whole blocks, zero past the spectrum.
    pub(crate) fn bins(&self) -> usize {
        (self.below.len() - 1) * BLOCK
    }

    /// Measures one spectrum of [`ShapeMeter::bins`] magnitudes. All values of a spectrum
    /// that is zero everywhere are 0.
    #[inline(always)]
    pub(crate) fn run(&mut self, magnitudes: &[f32]) -> Shape {
        let blocks = magnitudes.as_chunks::<BLOCK>().0;
        // Running sums of running sums: a magnitude d steps before the end is counted once
        // in `sums`, d times in `first`, d (d + 1) / 2 times in `second`.
        let (mut sums, mut first, mut second) = ([0.0; LANES], [0.0; LANES], [0.0; LANES]);
        for (below, block) in self.below[1..].iter_mut().zip(blocks) {
            for step in block.as_chunks::<LANES>().0 {
                for lane in 0..LANES {
                    sums[lane] += f64::from(step[lane]);
                    first[lane] += sums[lane];
                    second[lane] += first[lane];
                }
            }
            *below = sum(sums);
        }
        let total = sum(sums);
        if total == 0.0 {
            return Shape { centroid: 0.0, spread: 0.0, rolloffs: [0.0; ROLLOFFS] };
        }
        // In lane l, the bin d steps before the end is end + l - LANES d.
        let end = (blocks.len() * BLOCK) as f64;
        let (mut mean, mut square) = ([0.0; LANES], [0.0; LANES]);
        let step = LANES as f64;
        for lane in 0..LANES {
            let end = end + lane as f64;
            let (d, d_squared) = (first[lane], 2.0 * second[lane] - first[lane]);
            mean[lane] = end * sums[lane] - step * d;
            square[lane] = end * end * sums[lane] - 2.0 * end * step * d + step * step * d_squared;
        }
        let centroid = sum(mean) / total;
        let variance = sum(square) / total - centroid * centroid;
        Shape {
            centroid: centroid * self.hertz,
            spread: variance.max(0.0).sqrt() * self.hertz,
            rolloffs: self.rolloffs(blocks, total),
        }
    }

    #[inline(always)]
    fn rolloffs(&self, blocks: &[[f32; BLOCK]], total: f64) -> [f64; ROLLOFFS] {
        let mut rolloffs = [0.0; ROLLOFFS];
        let mut block = 0;
        for (i, rolloff) in rolloffs.iter_mut().enumerate() {
            let target = total * (i + 1) as f64 / (ROLLOFFS + 1) as f64;
            while self.below[block + 1] < target {
                block += 1;
            }
            // The last bin needs no look: the block's sum has reached the target.
            let mut sum = self.below[block];
            let mut bin = 0;
            for magnitude in &blocks[block][..BLOCK - 1] {
                sum += f64::from(*magnitude);
                bin += usize::from(sum < target);
            }
            *rolloff = (block * BLOCK + bin) as f64 * self.hertz;
        }
        rolloffs
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crossings_of_alternating_and_touching_samples() {
        assert_eq!(zero_crossings(&[1.0, -1.0, 1.0, -1.0]), 3);
        assert_eq!(zero_crossings(&[1.0, 0.0, 1.0, -0.0, 2.0]), 0);
        assert_eq!(zero_crossings(&[0.0, -1.0, 0.0]), 2);
        assert_eq!(zero_crossings(&[-0.5; 9]), 0);
    }

    #[test]
    fn a_single_line_is_its_own_centroid_and_roll_off() {
        let mut meter = ShapeMeter::new(513, 10.0);
        let mut magnitudes = vec![0.0; meter.bins()];
        magnitudes[77] = 0.3;
        let shape = meter.run(&magnitudes);
        assert!((shape.centroid - 770.0).abs() < 1e-9);
        assert!(shape.spread < 1e-3);
        assert_eq!(shape.rolloffs, [770.0; ROLLOFFS]);
    }

    #[test]
    fn a_flat_spectrum_has_the_moments_of_a_uniform_distribution() {
        let mut meter = ShapeMeter::new(513, 1.0);
        let mut magnitudes = vec![0.0; meter.bins()];
        magnitudes[..513].fill(2.0);
        let shape = meter.run(&magnitudes);
        assert!((shape.centroid - 256.0).abs() < 1e-9);
        let uniform = ((513.0f64 * 513.0 - 1.0) / 12.0).sqrt();
        assert!((shape.spread - uniform).abs() < 1e-9);
        for (i, rolloff) in shape.rolloffs.iter().enumerate() {
            assert_eq!(*rolloff, (513.0 * (i + 1) as f64 / 17.0).ceil() - 1.0);
        }
    }

    #[test]
    fn the_last_bin_can_hold_every_quantile() {
        let mut meter = ShapeMeter::new(513, 1.0);
        let mut magnitudes = vec![0.0; meter.bins()];
        magnitudes[512] = 1.0;
        assert_eq!(meter.run(&magnitudes).rolloffs, [512.0; ROLLOFFS]);
    }

    #[test]
    fn silence_is_zero() {
        let mut meter = ShapeMeter::new(513, 1.0);
        let shape = meter.run(&vec![0.0; meter.bins()]);
        assert_eq!(shape, Shape { centroid: 0.0, spread: 0.0, rolloffs: [0.0; ROLLOFFS] });
    }
}
