//! Change of sample rate. The only module that knows the resampling library.

use rubato::audioadapter_buffers::direct::InterleavedSlice;
use rubato::{Fft, FixedSync, Resampler};
use trompe_base::{Error, Result};

use crate::audio::Audio;

/// Rate of the sound that trompe's own features are computed from, in hertz.
const OWN_RATE: u32 = 22_050;

/// Frames of a block at the lower of the two rates. Longer blocks give a steeper low-pass;
/// at 2,048 the pass band ends within about 1 % of the lower Nyquist frequency.
const BLOCK: usize = 2048;

/// The same for other rates, which nets of others ask for: the pass band ends within about 8 %. They were
/// trained on sound of resamplers like it (soxr at high quality: 9 %, resampy: 5 %); a steeper low-pass
/// leaves their highest bands energy that they never saw.
const BLOCK_FOR_NETS: usize = 256;

/// The audio at `rate` hertz, by FFT with an anti-aliasing filter and no delay.
///
/// Audio already at `rate` is returned unchanged, bit for bit. Otherwise n samples become
/// exactly ceil(n * rate / old rate). The result does not depend on threads; its last bits may
/// depend on the machine's vector instructions.
///
/// # Errors
/// [`Error::Request`] if a rate is 0 or the pair cannot be converted.
pub fn resample(audio: Audio, rate: u32) -> Result<Audio> {
    resample_by(audio, rate, BLOCK)
}

/// As [`resample`], with the gentler low-pass unless the rate is that of trompe's own features: for sound
/// that is read from files.
///
/// # Errors
/// As [`resample`].
pub(crate) fn resample_to_hear(audio: Audio, rate: u32) -> Result<Audio> {
    resample_by(audio, rate, if rate == OWN_RATE { BLOCK } else { BLOCK_FOR_NETS })
}

fn resample_by(audio: Audio, rate: u32, block: usize) -> Result<Audio> {
    if audio.sample_rate == rate {
        return Ok(audio);
    }
    let old = audio.sample_rate;
    let refused = |why: &dyn std::fmt::Display| {
        Error::request(
            format!("cannot convert audio from {old} Hz to {rate} Hz ({why})"),
            "choose a usual sample rate, such as 22050",
        )
    };
    if old == 0 || rate == 0 {
        return Err(refused(&"a rate is zero"));
    }
    let frames = audio.samples.len();
    let wanted = (frames as u128 * u128::from(rate)).div_ceil(u128::from(old));
    let wanted = usize::try_from(wanted).map_err(|e| refused(&e))?;
    if frames == 0 {
        return Ok(Audio { samples: Vec::new(), sample_rate: rate });
    }
    // The library takes the block at the old rate, in whole periods of the two rates. An even
    // number of periods keeps half a block, the delay that it removes, a whole number of samples.
    let period = (old / gcd(old, rate)) as usize;
    let block = (block * old.div_ceil(rate) as usize).div_ceil(2 * period) * 2 * period;
    let mut resampler = Fft::<f32>::new_custom(
        old as usize,
        rate as usize,
        block,
        1,
        1,
        rubato::WindowFunction::BlackmanHarris2,
        FixedSync::Both,
    )
    .map_err(|e| refused(&e))?;
    let input = InterleavedSlice::new(&audio.samples, 1, frames).map_err(|e| refused(&e))?;
    let mut samples =
        resampler.process_all(&input, frames, None).map_err(|e| refused(&e))?.take_data();
    // The library computes the length in floating point and may be one off.
    samples.resize(wanted, 0.0);
    Ok(Audio { samples, sample_rate: rate })
}

fn gcd(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::signal::{level_at, sine};

    fn tone(rate: u32, hz: f64, seconds: f64) -> Audio {
        Audio { samples: sine(rate, hz, 0.5, seconds), sample_rate: rate }
    }

    #[test]
    fn the_same_rate_is_left_alone_bit_for_bit() {
        let audio = Audio { samples: vec![0.1, -0.7, f32::MIN_POSITIVE], sample_rate: 22_050 };
        assert_eq!(resample(audio.clone(), 22_050).unwrap(), audio);
    }

    #[test]
    fn length_is_the_ceiling_of_the_exact_ratio() {
        for (old, new, n) in [
            (44_100, 22_050, 220_500),
            (44_100, 22_050, 1),
            (44_100, 22_050, 3),
            (48_000, 22_050, 48_000),
            (48_000, 22_050, 48_001),
            (8_000, 22_050, 8_000),
            (192_000, 22_050, 100_003),
            (11_025, 22_050, 777),
            (22_050, 44_100, 5),
            (44_056, 22_050, 44_056),
        ] {
            let audio = Audio { samples: vec![0.25; n], sample_rate: old };
            let got = resample(audio, new).unwrap();
            let exact = (n as u64 * u64::from(new)).div_ceil(u64::from(old));
            assert_eq!(got.samples.len() as u64, exact, "{n} samples, {old} -> {new}");
            assert_eq!(got.sample_rate, new);
        }
    }

    #[test]
    fn a_tone_keeps_level_frequency_and_place() {
        for old in [8_000, 11_025, 44_100, 48_000, 96_000, 192_000] {
            let got = resample(tone(old, 1000.0, 1.0), 22_050).unwrap();
            let expected = sine(22_050, 1000.0, 0.5, 1.0);
            // Away from the ends, where the filter reaches beyond the clip.
            let pairs = got.samples.iter().zip(&expected).skip(3000).take(15_000);
            let off = pairs.fold(0.0f32, |most, (x, y)| most.max((x - y).abs()));
            assert!(off < 2e-4, "{old} Hz: off by {off}");
        }
    }

    #[test]
    fn what_lies_above_the_new_nyquist_frequency_is_removed() {
        let got = resample(tone(44_100, 15_000.0, 1.0), 22_050).unwrap();
        // 15 kHz would fold to 7,050 Hz.
        let alias = level_at(&got.samples[2000..20_000], 22_050, 7050.0);
        assert!(alias < 1e-4, "alias {alias}");
    }

    #[test]
    fn a_rate_of_zero_is_refused() {
        let audio = Audio { samples: vec![0.0; 8], sample_rate: 0 };
        assert!(matches!(resample(audio, 22_050), Err(Error::Request { .. })));
    }
}
