//! White noise added to a sound.

use trompe_base::random::normal;

use super::sound::Sound;
use crate::random::{Purpose, stream};

/// White noise of its own for each stimulus.
#[derive(Debug, Clone, Copy)]
pub(super) struct Noise {
    /// Mean power of the sound over that of the noise, in decibels.
    pub(super) snr: f64,
    pub(super) seed: u64,
    /// Number of the track.
    pub(super) track: u64,
    /// Place among its strengths.
    pub(super) place: u64,
}

impl Noise {
    /// The sound with noise added, as much in each of its channels as its mean power asks for.
    pub(super) fn added_to(self, sound: &Sound) -> Sound {
        let count = sound.samples.len().max(1) as f64;
        let power = sound.samples.iter().map(|&s| f64::from(s) * f64::from(s)).sum::<f64>() / count;
        let level = libm::sqrt(power) * libm::exp10(-self.snr / 20.0);
        let mut random = stream(self.seed, Purpose::Noise, self.track << 32 | self.place, 0);
        let noisy = |&sample: &f32| (f64::from(sample) + level * normal(&mut random)) as f32;
        Sound { samples: sound.samples.iter().map(noisy).collect(), ..*sound }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noise_has_the_power_that_the_ratio_asks_for() {
        let samples: Vec<f32> = (0..48_000).map(|n| 0.2 * libm::sinf(0.05 * n as f32)).collect();
        let sound = Sound { samples, channels: 2, rate: 24_000 };
        for snr in [-6.0, 0.0, 20.0] {
            let noisy = Noise { snr, seed: 1, track: 0, place: 3 }.added_to(&sound);
            let power =
                |samples: &mut dyn Iterator<Item = f64>| samples.map(|s| s * s).sum::<f64>();
            let signal = power(&mut sound.samples.iter().map(|&s| f64::from(s)));
            let mut noise = noisy.samples.iter().zip(&sound.samples);
            let noise = power(&mut noise.by_ref().map(|(a, b)| f64::from(a - b)));
            let found = 10.0 * libm::log10(signal / noise);
            assert!((found - snr).abs() < 0.1, "{found} for {snr}");
        }
        let other = |place| Noise { snr: 0.0, seed: 1, track: 0, place }.added_to(&sound).samples;
        assert!(other(0) == other(0) && other(0) != other(1));
    }
}
