//! What samples must be.

use crate::error::{Error, Result};

/// Loudest sample that is taken for sound. Full scale is 1; integers up to 32 bits that
/// were not divided by their full scale still pass. Beyond it squares would leave f32.
pub const LOUDEST: f32 = 4_294_967_296.0;

/// # Errors
/// [`Error::NotFinite`] or [`Error::TooLoud`] for the first sample that is no sound.
pub(crate) fn check(samples: &[f32]) -> Result<()> {
    // The comparison is false for NaN, too. No early exit, so that it is vectorized.
    let sound = |sample: &f32| sample.abs() <= LOUDEST;
    if samples.iter().fold(true, |all, sample| all & sound(sample)) {
        return Ok(());
    }
    match samples.iter().position(|sample| !sound(sample)) {
        Some(index) if samples[index].is_finite() => {
            Err(Error::TooLoud { index, value: samples[index] })
        }
        Some(index) => Err(Error::NotFinite { index }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_bad_sample_is_named() {
        assert_eq!(check(&[0.0, -1.0, 32_768.0]), Ok(()));
        assert_eq!(check(&[0.0, f32::NAN, f32::NAN]), Err(Error::NotFinite { index: 1 }));
        assert_eq!(check(&[f32::NEG_INFINITY]), Err(Error::NotFinite { index: 0 }));
        assert_eq!(check(&[0.0, 1e30]), Err(Error::TooLoud { index: 1, value: 1e30 }));
    }
}
