//! How far a filtered clip is from what it was.

use realfft::RealFftPlanner;

/// Samples of a frame; frames overlap by half.
const FRAME: usize = 1_024;

/// Power under which a bin counts as silent: about -120 dB of a full-scale tone.
const FLOOR: f32 = 6.5e-8;

/// Signal to noise ratio in decibels, taking the difference of the two as noise; infinite
/// for equal signals. Both have the same length.
pub fn snr_db(before: &[f32], after: &[f32]) -> f64 {
    let energy = |values: &mut dyn Iterator<Item = f64>| values.map(|x| x * x).sum::<f64>();
    let signal = energy(&mut before.iter().map(|&x| f64::from(x)));
    let noise = energy(&mut before.iter().zip(after).map(|(a, b)| f64::from(a - b)));
    10.0 * libm::log10(signal / noise)
}

/// Log-spectral distance in decibels (Gray & Markel 1976): the root mean square over
/// frequency of the difference of two power spectra in decibels, mean over frames (Hann
/// windows of 1,024 samples, overlapping by half; frames that are silent in both are left
/// out).
pub fn log_spectral_distance_db(before: &[f32], after: &[f32]) -> f64 {
    let transform = RealFftPlanner::new().plan_fft_forward(FRAME);
    let window: Vec<f32> = (0..FRAME)
        .map(|n| 0.5 - 0.5 * libm::cosf(std::f32::consts::TAU * n as f32 / FRAME as f32))
        .collect();
    let mut frame = transform.make_input_vec();
    let mut spectrum = transform.make_output_vec();
    let mut decibels = |samples: &[f32]| -> Vec<f32> {
        let windowed = samples.iter().zip(&window).map(|(sample, weight)| sample * weight);
        frame.iter_mut().zip(windowed).for_each(|(slot, value)| *slot = value);
        // Cannot fail: all lengths are the plan's own.
        let transformed = transform.process(&mut frame, &mut spectrum);
        debug_assert!(transformed.is_ok());
        spectrum.iter().map(|value| 10.0 * libm::log10f(value.norm_sqr().max(FLOOR))).collect()
    };
    let silent = 10.0 * libm::log10f(FLOOR);
    let (mut sum, mut frames) = (0.0, 0u32);
    let pairs =
        before.windows(FRAME).step_by(FRAME / 2).zip(after.windows(FRAME).step_by(FRAME / 2));
    for (before, after) in pairs {
        let (before, after) = (decibels(before), decibels(after));
        if before.iter().chain(&after).all(|&level| level == silent) {
            continue;
        }
        let squares = before.iter().zip(&after).map(|(a, b)| f64::from((a - b) * (a - b)));
        sum += libm::sqrt(squares.sum::<f64>() / before.len() as f64);
        frames += 1;
    }
    if frames == 0 { 0.0 } else { sum / f64::from(frames) }
}

#[cfg(test)]
mod tests {
    use trompe_base::random::stream;

    use super::*;
    use rand::RngExt;

    fn noise() -> Vec<f32> {
        let mut rng = stream(1, 0, 0, 0);
        (0..8_192).map(|_| rng.random_range(-0.5..0.5)).collect()
    }

    #[test]
    fn a_change_of_level_is_that_many_decibels() {
        let before = noise();
        let after: Vec<f32> = before.iter().map(|x| x * 0.5).collect();
        assert!((log_spectral_distance_db(&before, &after) - 6.0206).abs() < 1e-3);
        assert!((snr_db(&before, &after) - 6.0206).abs() < 1e-3);
    }

    #[test]
    fn equal_signals_are_not_apart_and_silence_does_not_count() {
        let mut before = noise();
        before.extend(vec![0.0; 8_192]);
        assert_eq!(log_spectral_distance_db(&before, &before), 0.0);
        assert_eq!(snr_db(&before, &before), f64::INFINITY);
        assert_eq!(log_spectral_distance_db(&[0.0; 4_096], &[0.0; 4_096]), 0.0);
    }
}
