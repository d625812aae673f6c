//! Texture windows: mean and variance of each feature over a run of frames.

/// Appends the means, then the variances (about the mean, divided by the number of frames)
/// of every column of `frames` to `out`, as f32.
#[inline(always)]
pub(crate) fn append<const COLUMNS: usize>(frames: &[[f64; COLUMNS]], out: &mut Vec<f32>) {
    let weight = 1.0 / frames.len() as f64;
    let mut means = [0.0; COLUMNS];
    for frame in frames {
        for (mean, value) in means.iter_mut().zip(frame) {
            *mean += value;
        }
    }
    for mean in &mut means {
        *mean *= weight;
    }
    let mut variances = [0.0; COLUMNS];
    for frame in frames {
        for ((variance, mean), value) in variances.iter_mut().zip(&means).zip(frame) {
            *variance += (value - mean) * (value - mean);
        }
    }
    out.extend(means.map(|mean| mean as f32));
    out.extend(variances.map(|variance| (variance * weight) as f32));
}

#[cfg(test)]
mod tests {
    #[test]
    fn means_come_first_and_variances_are_of_the_population() {
        let mut out = vec![9.0];
        super::append(&[[1.0, 1e9], [3.0, 1e9 + 2.0], [5.0, 1e9 + 4.0]], &mut out);
        assert_eq!(out[..2], [9.0, 3.0]);
        assert!((out[3] - 8.0 / 3.0).abs() < 1e-6 && (out[4] - 8.0 / 3.0).abs() < 1e-6);
    }
}
