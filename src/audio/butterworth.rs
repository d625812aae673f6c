//! Butterworth filters as second-order sections, run once in the direction of time.

/// What a filter lets through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pass {
    /// What is above its corner.
    High,
    /// What is below its corner.
    Low,
}

/// Filters `samples` by a Butterworth filter of even `order` whose response is -3 dB at
/// `corner` hertz, below half of `rate`: the bilinear transform of the analogue sections,
/// with the corner pre-warped.
pub fn butterworth(samples: &[f32], pass: Pass, order: usize, corner: f64, rate: f64) -> Vec<f32> {
    let mut signal: Vec<f64> = samples.iter().map(|&x| f64::from(x)).collect();
    let k = libm::tan(std::f64::consts::PI * corner / rate);
    for section in 0..order / 2 {
        // Poles stand in pairs at equal angles on a half circle.
        let angle = std::f64::consts::PI * (2 * section + 1) as f64 / (2 * order) as f64;
        let damping = 2.0 * libm::sin(angle);
        let scale = 1.0 / (1.0 + damping * k + k * k);
        let b0 = scale * if pass == Pass::High { 1.0 } else { k * k };
        let b1 = if pass == Pass::High { -2.0 * b0 } else { 2.0 * b0 };
        let a1 = 2.0 * scale * (k * k - 1.0);
        let a2 = scale * (1.0 - damping * k + k * k);
        let (mut s1, mut s2) = (0.0, 0.0);
        for x in &mut signal {
            let y = b0 * *x + s1;
            s1 = b1 * *x - a1 * y + s2;
            s2 = b0 * *x - a2 * y;
            *x = y;
        }
    }
    signal.into_iter().map(|x| x as f32).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: f64 = 22_050.0;

    /// Power response at a frequency, from the response to an impulse.
    fn response(pass: Pass, order: usize, corner: f64, hertz: f64) -> f64 {
        let mut impulse = vec![0.0f32; 1 << 16];
        impulse[0] = 1.0;
        let (mut re, mut im) = (0.0, 0.0);
        for (n, y) in butterworth(&impulse, pass, order, corner, RATE).into_iter().enumerate() {
            let angle = std::f64::consts::TAU * hertz * n as f64 / RATE;
            re += f64::from(y) * angle.cos();
            im -= f64::from(y) * angle.sin();
        }
        re * re + im * im
    }

    #[test]
    fn responses_are_butterworths() {
        let warped = |hertz: f64| (std::f64::consts::PI * hertz / RATE).tan();
        for (pass, order, corner) in
            [(Pass::High, 6, 40.0), (Pass::Low, 4, 9_000.0), (Pass::High, 2, 20.0)]
        {
            for hertz in [25.0, 40.0, 90.0, 1_000.0, 8_000.0, 9_000.0, 10_000.0] {
                let ratio = match pass {
                    Pass::High => warped(corner) / warped(hertz),
                    Pass::Low => warped(hertz) / warped(corner),
                };
                let expected = 1.0 / (1.0 + ratio.powi(2 * order as i32));
                let found = response(pass, order, corner, hertz);
                assert!((found - expected).abs() < 2e-3, "{pass:?} {hertz}: {found} {expected}");
            }
        }
    }
}
