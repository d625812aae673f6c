//! Degradations that a delivered sound may go through before somebody hears it.

use trompe_corpora::{Audio, resample::resample};

use super::interventions::{Intervention, Mp3Encoder};
use crate::error::Result;

/// One degradation of a sound; the amounts are our choice.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Degradation {
    /// An intervention that recordings are put to as well.
    Fixed(Intervention),
    /// Rounded to 8 bits.
    EightBits,
    /// Resampled to this rate in hertz, and back.
    Resample(u32),
    /// A twentieth of it cut from either end.
    Crop,
}

impl Degradation {
    /// Those that exhibits are put to.
    pub const ALL: [Self; 9] = [
        Self::EightBits,
        Self::Resample(44_100),
        Self::Resample(16_000),
        Self::Crop,
        Self::Fixed(Intervention::HighPass(40.0)),
        Self::Fixed(Intervention::LowPass(9_000.0)),
        Self::Fixed(Intervention::Tempo(0.94)),
        Self::Fixed(Intervention::Tempo(1.06)),
        Self::Fixed(Intervention::Mp3(128)),
    ];

    /// Name for tables.
    pub fn name(self) -> String {
        match self {
            Self::Fixed(intervention) => intervention.name(),
            Self::EightBits => "8 bits".to_owned(),
            Self::Resample(rate) => format!("resampled to {rate} Hz and back"),
            Self::Crop => "5 % cut from either end".to_owned(),
        }
    }

    /// `samples` at `rate` hertz after it; `None` where this machine has no encoder for it.
    ///
    /// # Errors
    /// If resampling is refused, or an encoder was found and failed.
    pub fn apply(
        self,
        samples: &[f32],
        rate: u32,
        encoder: Option<&Mp3Encoder>,
    ) -> Result<Option<Vec<f32>>> {
        Ok(Some(match self {
            Self::Fixed(intervention) => return intervention.apply(samples, rate, encoder),
            Self::EightBits => samples.iter().map(|s| libm::roundf(s * 127.0) / 127.0).collect(),
            Self::Resample(other) => {
                let audio = Audio { samples: samples.to_vec(), sample_rate: rate };
                resample(resample(audio, other)?, rate)?.samples
            }
            Self::Crop => {
                let cut = samples.len() / 20;
                samples[cut..samples.len() - cut].to_vec()
            }
        }))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_tone_stays_a_tone_of_the_expected_length() {
        let phase = |n: u32| std::f32::consts::TAU * 440.0 * n as f32 / 22_050.0;
        let tone: Vec<f32> = (0..44_100).map(|n| 0.5 * libm::sinf(phase(n))).collect();
        let crossings = |samples: &[f32]| {
            samples.windows(2).filter(|pair| pair[0] < 0.0 && pair[1] >= 0.0).count()
        };
        for handling in [Degradation::EightBits, Degradation::Resample(16_000), Degradation::Crop] {
            let after = handling.apply(&tone, 22_050, None).unwrap().unwrap();
            let expected = if handling == Degradation::Crop { 39_690 } else { 44_100 };
            assert!(after.len().abs_diff(expected) <= 1, "{}", handling.name());
            let hertz = crossings(&after) as f64 * 22_050.0 / after.len() as f64;
            assert!((hertz - 440.0).abs() < 1.5, "{}: {hertz}", handling.name());
        }
        assert_eq!(
            Degradation::Fixed(Intervention::Mp3(128)).apply(&tone, 22_050, None).unwrap(),
            None
        );
    }

    #[test]
    fn eight_bits_are_steps() {
        let after = Degradation::EightBits.apply(&[0.0, 0.003, 0.5, -1.0], 22_050, None).unwrap();
        assert_eq!(after.unwrap(), [0.0, 0.0, 64.0 / 127.0, -1.0]);
    }
}
