//! What a page shows of a delivered file beside its player.

/// Lowest and highest sample of each of some equal stretches of a sound.
#[derive(Debug, Clone, PartialEq)]
pub struct Waveform {
    /// `(lowest, highest)` per stretch, nominally in [-1, 1].
    pub envelope: Vec<(f32, f32)>,
    /// Duration of the sound in seconds.
    pub seconds: f64,
}

/// How loud a sound is over time and frequency, coarse enough for a small picture.
#[derive(Debug, Clone, PartialEq)]
pub struct Spectrogram {
    /// Number of columns over time.
    pub columns: usize,
    /// Levels in [0, 1], column by column, in each from the lowest band of frequencies to the
    /// highest, as [`crate::features::spectrogram()`] gives them.
    pub levels: Vec<f32>,
}

/// What a page shows of a delivered file.
#[derive(Debug, Clone, PartialEq)]
pub enum Picture {
    /// A sound: drawn from its envelope and its spectrogram.
    Sound {
        /// The envelope.
        waveform: Waveform,
        /// The spectrogram.
        spectrogram: Spectrogram,
    },
    /// An image: the file is its own picture.
    Image,
}

impl Waveform {
    /// The envelope of `samples` at `sample_rate` hertz in at most `columns` stretches.
    /// Samples that are not finite count as silence.
    pub fn from_samples(samples: &[f32], sample_rate: u32, columns: usize) -> Self {
        let columns = columns.clamp(1, samples.len().max(1));
        let bound = |column: usize| column * samples.len() / columns;
        let extremes =
            |column: usize| {
                let finite = samples[bound(column)..bound(column + 1)]
                    .iter()
                    .map(|&sample| if sample.is_finite() { sample } else { 0.0 });
                finite.fold(None, |range: Option<(f32, f32)>, sample| {
                    Some(range.map_or((sample, sample), |(low, high)| {
                        (low.min(sample), high.max(sample))
                    }))
                })
            };
        Self {
            envelope: (0..columns).map(|column| extremes(column).unwrap_or((0.0, 0.0))).collect(),
            seconds: samples.len() as f64 / f64::from(sample_rate.max(1)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sample_falls_in_one_stretch() {
        let samples: Vec<f32> = (0..1000).map(|i| (i as f32 - 500.0) / 500.0).collect();
        let waveform = Waveform::from_samples(&samples, 100, 7);
        assert_eq!(waveform.envelope.len(), 7);
        assert_eq!(waveform.seconds, 10.0);
        assert_eq!(waveform.envelope[0].0, samples[0]);
        assert_eq!(waveform.envelope[6].1, samples[999]);
        for pair in waveform.envelope.windows(2) {
            assert!(pair[0].1 < pair[1].0, "a rising line has stretches that do not overlap");
        }
    }

    #[test]
    fn short_empty_and_broken_sounds_have_an_envelope() {
        assert_eq!(Waveform::from_samples(&[], 10, 5).envelope, [(0.0, 0.0)]);
        assert_eq!(Waveform::from_samples(&[0.5], 10, 5).envelope, [(0.5, 0.5)]);
        let broken = Waveform::from_samples(&[f32::NAN, f32::INFINITY, -0.5], 10, 1);
        assert_eq!(broken.envelope, [(-0.5, 0.0)]);
    }
}
