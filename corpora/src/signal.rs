//! Test signals and how they are measured; compiled for tests only.

/// A sine of the given frequency in hertz, amplitude and length in seconds.
pub(crate) fn sine(rate: u32, hz: f64, amplitude: f64, seconds: f64) -> Vec<f32> {
    let step = std::f64::consts::TAU * hz / f64::from(rate);
    let frames = (seconds * f64::from(rate)).round() as usize;
    (0..frames).map(|n| (amplitude * libm::sin(step * n as f64)) as f32).collect()
}

/// Amplitude of the component at `hz`: 2/N times the magnitude of one Fourier coefficient.
pub(crate) fn level_at(samples: &[f32], rate: u32, hz: f64) -> f64 {
    let step = std::f64::consts::TAU * hz / f64::from(rate);
    let (mut re, mut im) = (0.0, 0.0);
    for (n, &x) in samples.iter().enumerate() {
        re += f64::from(x) * libm::cos(step * n as f64);
        im += f64::from(x) * libm::sin(step * n as f64);
    }
    2.0 * libm::sqrt(re * re + im * im) / samples.len() as f64
}

/// Root mean square.
pub(crate) fn rms(samples: &[f32]) -> f64 {
    let sum: f64 = samples.iter().map(|&x| f64::from(x) * f64::from(x)).sum();
    libm::sqrt(sum / samples.len() as f64)
}
