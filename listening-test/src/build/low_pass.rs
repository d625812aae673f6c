//! The low-pass filter of anchors.
//!
//! ITU-R BS.1534-3 asks of the 3.5 kHz anchor: a ripple of at most 0.1 dB up to 3.5 kHz, at least
//! 25 dB less at 4 kHz and 50 dB less at 4.5 kHz. A windowed sinc of linear phase with its stop
//! band from 500 Hz above the pass band on keeps that with room to spare; the 7 kHz anchor gets
//! the same slope.

use super::sound::Sound;

/// From the end of the pass band to the stop band, in hertz.
const TRANSITION: f64 = 500.0;

/// Least attenuation of the stop band in decibels; the ripple of the pass band is then 0.01 dB.
const ATTENUATION: f64 = 60.0;

/// The sound without what lies above `pass` hertz, delayed by nothing. `None` if its sample rate
/// holds nothing to remove.
pub(super) fn low_pass(sound: &Sound, pass: f64) -> Option<Sound> {
    let rate = f64::from(sound.rate);
    if pass + TRANSITION >= rate / 2.0 {
        return None;
    }
    let taps = taps(pass + TRANSITION / 2.0, rate);
    let channels = usize::from(sound.channels);
    let frames = sound.frames();
    let half = taps.len() / 2;
    let mut samples = vec![0.0; sound.samples.len()];
    for channel in 0..channels {
        let own: Vec<f64> =
            sound.samples.iter().skip(channel).step_by(channels).map(|&s| f64::from(s)).collect();
        for frame in 0..frames {
            // sample frame + half - tap, where there is one
            let first = (frame + half).saturating_sub(frames - 1);
            let last = (frame + half).min(taps.len() - 1);
            let sum: f64 = (first..=last).map(|tap| taps[tap] * own[frame + half - tap]).sum();
            samples[frame * channels + channel] = sum as f32;
        }
    }
    Some(Sound { samples, ..*sound })
}

/// A sinc that cuts at `cut` hertz under Kaiser's window (1974), as long as the slope asks for.
fn taps(cut: f64, rate: f64) -> Vec<f64> {
    let width = core::f64::consts::TAU * TRANSITION / rate;
    let order = libm::ceil((ATTENUATION - 7.95) / (2.285 * width)) as usize;
    let half = order.div_ceil(2) as i64;
    let beta = 0.1102 * (ATTENUATION - 8.7);
    let tap = |n: i64| {
        let x = n as f64;
        let phase = core::f64::consts::TAU * cut * x / rate;
        let sinc =
            if n == 0 { 2.0 * cut / rate } else { libm::sin(phase) / (core::f64::consts::PI * x) };
        let place = x / half as f64;
        sinc * bessel_0(beta * libm::sqrt(1.0 - place * place)) / bessel_0(beta)
    };
    let taps: Vec<f64> = (-half..=half).map(tap).collect();
    let sum: f64 = taps.iter().sum();
    taps.into_iter().map(|tap| tap / sum).collect()
}

/// The modified Bessel function of the first kind, order 0, by its power series.
fn bessel_0(x: f64) -> f64 {
    let mut term = 1.0;
    let mut sum = 1.0;
    for k in 1..60 {
        term *= (x / 2.0 / f64::from(k)) * (x / 2.0 / f64::from(k));
        sum += term;
    }
    sum
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::mushra::Anchor;

    fn decibel(rate: f64, cut: f64, hertz: f64) -> f64 {
        let taps = taps(cut, rate);
        let (mut re, mut im) = (0.0, 0.0);
        for (n, tap) in taps.iter().enumerate() {
            let phase = core::f64::consts::TAU * hertz * n as f64 / rate;
            re += tap * libm::cos(phase);
            im -= tap * libm::sin(phase);
        }
        20.0 * libm::log10(libm::sqrt(re * re + im * im))
    }

    /// The limits of BS.1534-3 for the low anchor, shifted for the other one.
    #[test]
    fn anchors_keep_the_limits_of_the_recommendation() {
        for rate in [22_050.0, 44_100.0, 48_000.0] {
            for pass in Anchor::ALL.map(Anchor::hertz) {
                let at = |hertz| decibel(rate, pass + TRANSITION / 2.0, hertz);
                for step in 0..=100 {
                    let ripple = at(pass * f64::from(step) / 100.0);
                    assert!(ripple.abs() <= 0.1, "{rate} {pass}: {ripple} dB at {step} %");
                }
                assert!(at(pass + 500.0) <= -25.0 && at(pass + 1000.0) <= -50.0, "{rate} {pass}");
            }
        }
    }

    #[test]
    fn the_filter_delays_nothing_and_keeps_channels_apart() {
        // an impulse on the left alone
        let mut samples = vec![0.0f32; 2 * 1001];
        samples[2 * 500] = 1.0;
        let sound = Sound { samples, channels: 2, rate: 48_000 };
        let heard = low_pass(&sound, 3500.0).unwrap();
        let left: Vec<f32> = heard.samples.iter().step_by(2).copied().collect();
        assert_eq!((heard.frames(), left.len()), (1001, 1001));
        for distance in 0..500 {
            assert!((left[500 - distance] - left[500 + distance]).abs() < 1e-7);
        }
        assert!(left.iter().all(|&sample| sample <= left[500]));
        assert!(heard.samples.iter().skip(1).step_by(2).all(|&sample| sample == 0.0));
        let low = Sound { rate: 8000, ..sound };
        assert!(low_pass(&low, 3500.0).is_none(), "there is nothing above 4 kHz");
    }
}
