//! Loudness matching offline (ITU-R BS.1770, EBU R 128), so that the browser never changes gain.

use ebur128::{EbuR128, Mode};

use super::sound::Sound;

/// What the meter says about one sound.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Loudness {
    /// Integrated loudness in LUFS; negative infinity for silence or less than 400 ms.
    pub(crate) integrated: f64,
    /// True peak in dBTP (four times oversampled).
    pub(crate) true_peak: f64,
}

/// Measures `sound`.
pub(crate) fn measure(sound: &Sound) -> Result<Loudness, String> {
    let meter = |error: ebur128::Error| format!("its loudness cannot be measured ({error})");
    let channels = u32::from(sound.channels);
    let mut ebu = EbuR128::new(channels, sound.rate, Mode::I | Mode::TRUE_PEAK).map_err(meter)?;
    ebu.add_frames_f32(&sound.samples).map_err(meter)?;
    let mut peak = 0.0f64;
    for channel in 0..channels {
        peak = peak.max(ebu.true_peak(channel).map_err(meter)?);
    }
    Ok(Loudness {
        integrated: ebu.loudness_global().map_err(meter)?,
        true_peak: 20.0 * libm::log10(peak),
    })
}

/// The loudness all sounds can share: `target`, or less if a sound would otherwise pass
/// `peak_limit` (in dBTP). Lowering everybody keeps every sound free of limiting.
pub(crate) fn common_target(
    sounds: impl IntoIterator<Item = Loudness>,
    target: f64,
    peak_limit: f64,
) -> f64 {
    sounds
        .into_iter()
        .map(|loudness| loudness.integrated + peak_limit - loudness.true_peak)
        .fold(target, f64::min)
}

/// The factor that brings a sound of the loudness `level` to `target`, both in LUFS.
pub(crate) fn gain(level: f64, target: f64) -> f64 {
    libm::exp10((target - level) / 20.0)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn sine(frequency: f64, decibel: f64, seconds: f64, channels: u16) -> Sound {
        let amplitude = libm::exp10(decibel / 20.0);
        let samples = (0..(48_000.0 * seconds) as usize)
            .flat_map(|n| {
                let phase = core::f64::consts::TAU * frequency * n as f64 / 48_000.0;
                vec![(amplitude * libm::sin(phase)) as f32; usize::from(channels)]
            })
            .collect();
        Sound { samples, channels, rate: 48_000 }
    }

    /// EBU Tech 3341 (2016), table 1, cases 1 to 3.
    #[test]
    fn the_meter_passes_ebu_minimum_requirements() {
        let loud = |sound: &Sound| measure(sound).unwrap().integrated;
        assert!((loud(&sine(1000.0, -23.0, 20.0, 2)) + 23.0).abs() <= 0.1);
        assert!((loud(&sine(1000.0, -33.0, 20.0, 2)) + 33.0).abs() <= 0.1);
        let mut steps = sine(1000.0, -36.0, 10.0, 2);
        steps.samples.extend(sine(1000.0, -23.0, 60.0, 2).samples);
        steps.samples.extend(sine(1000.0, -36.0, 10.0, 2).samples);
        assert!((loud(&steps) + 23.0).abs() <= 0.1);
    }

    /// EBU Tech 3341 (2016), case 15: a quarter-rate sine at -6 dBFS, +0.2/-0.4 dB.
    #[test]
    fn true_peak_sees_between_the_samples() {
        let peak = measure(&sine(12_000.0, -6.0, 2.0, 1)).unwrap().true_peak;
        assert!((-6.4..=-5.8).contains(&peak), "{peak}");
    }

    #[test]
    fn one_peaky_sound_lowers_everybody_and_silence_has_no_loudness() {
        let calm = Loudness { integrated: -20.0, true_peak: -15.0 };
        let peaky = Loudness { integrated: -30.0, true_peak: -3.0 };
        assert_eq!(common_target([calm], -23.0, -1.0), -23.0);
        assert_eq!(common_target([calm, peaky], -23.0, -1.0), -28.0);
        let mut sound = sine(500.0, -10.0, 3.0, 1);
        let before = measure(&sound).unwrap();
        sound.scale(gain(before.integrated, -28.0));
        assert!((measure(&sound).unwrap().integrated + 28.0).abs() < 0.01);
        let silence = Sound { samples: vec![0.0; 48_000], channels: 1, rate: 48_000 };
        assert_eq!(measure(&silence).unwrap().integrated, f64::NEG_INFINITY);
    }
}
