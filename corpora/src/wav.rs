//! Writing 16-bit WAV, and the one rule by which samples become integers and back.
//!
//! Full scale is 32,768, as in the decoder: integer `i` stands for exactly `i / 32768`. So
//! `quantize(decode(write(q))) == q` for all integers, and what a search computes from
//! `dequantize(quantize(x))` is bit for bit what a listener's file decodes to.

use std::io::Cursor;
use std::path::Path;

use trompe_base::files::write_atomically;
use trompe_base::{Error, Result};

const FULL_SCALE: f32 = 32_768.0;

/// Nearest 16-bit integers (halves away from zero). Samples outside [-1, 32767/32768]
/// saturate, not-a-number becomes 0.
pub fn quantize(samples: &[f32]) -> Vec<i16> {
    samples.iter().map(|&x| quantize_one(x)).collect()
}

/// [`quantize`] of one sample: without a branch or a call, so that loops over it become vectors.
#[inline(always)]
pub fn quantize_one(sample: f32) -> i16 {
    /// 2^23: added to a smaller number that is not negative, it leaves the nearest whole number, of two the
    /// even one, in the lowest bits. A cast would say the same, sample by sample.
    const SHIFT: f32 = 8_388_608.0;
    let x = sample * FULL_SCALE;
    let size = if x.is_nan() { 0.0 } else { x.abs().min(FULL_SCALE) };
    let shifted = size + SHIFT;
    let even = shifted.to_bits().wrapping_sub(SHIFT.to_bits()) as i32;
    // Sums that wrap need no check, which would keep loops from becoming vectors.
    let nearest = even.wrapping_add(i32::from(size - (shifted - SHIFT) >= 0.5));
    let signed = if x < 0.0 { nearest.wrapping_neg() } else { nearest };
    signed.min(i16::MAX.into()) as i16
}

/// What a file of 16 bits holds of a sample: [`dequantize`] of [`quantize_one`].
#[inline(always)]
pub fn rounded(sample: f32) -> f32 {
    f32::from(quantize_one(sample)) / FULL_SCALE
}

/// The samples that decoding a file of these integers gives, exactly.
pub fn dequantize(integers: &[i16]) -> Vec<f32> {
    integers.iter().map(|&i| f32::from(i) / FULL_SCALE).collect()
}

/// Writes a mono 16-bit WAV file, atomically.
///
/// # Errors
/// [`Error::Request`] if the samples do not fit a WAV file (4 GiB), [`Error::Io`] if the file
/// cannot be written; nothing half-written remains.
pub fn write(path: &Path, samples: &[i16], sample_rate: u32) -> Result<()> {
    write_atomically(path, &encode(samples, sample_rate)?)
}

/// The bytes of a mono 16-bit WAV file.
///
/// # Errors
/// [`Error::Request`] if the samples do not fit a WAV file (4 GiB).
pub fn encode(samples: &[i16], sample_rate: u32) -> Result<Vec<u8>> {
    const HEADER_BYTES: usize = 44;
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let too_long = || {
        Error::request(
            format!("{} samples do not fit a WAV file, which holds 4 GiB", samples.len()),
            "write shorter audio",
        )
    };
    if u32::try_from(HEADER_BYTES + 2 * samples.len()).is_err() {
        return Err(too_long());
    }
    let mut bytes = Vec::with_capacity(HEADER_BYTES + 2 * samples.len());
    let mut encode = || -> hound::Result<()> {
        let mut writer = hound::WavWriter::new(Cursor::new(&mut bytes), spec)?;
        for &sample in samples {
            writer.write_sample(sample)?;
        }
        writer.finalize()
    };
    encode().map_err(|_| too_long())?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::decode::decode;
    use crate::limits::Limits;

    #[test]
    fn every_integer_survives_writing_decoding_and_quantizing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("all.wav");
        let all: Vec<i16> = (i16::MIN..=i16::MAX).collect();
        write(&path, &all, 22_050).unwrap();
        let audio = decode(&path, &Limits::default()).unwrap();
        assert_eq!(audio.sample_rate, 22_050);
        assert_eq!(audio.samples, dequantize(&all));
        assert_eq!(quantize(&audio.samples), all);
    }

    #[test]
    fn quantization_rounds_to_nearest_and_saturates() {
        let step = 1.0 / 32_768.0;
        let input = [0.0, 0.49 * step, 0.5 * step, -0.5 * step, 1.0, 7.0, -1.0, -7.0, f32::NAN];
        assert_eq!(quantize(&input), [0, 0, 1, -1, 32_767, 32_767, -32_768, -32_768, 0]);
    }

    #[test]
    fn rounding_is_that_of_the_language() {
        // Every 97th number of 32 bits, and all beside a half.
        let near_halves = (-70_000..70_000).flat_map(|half| {
            let exact = half as f32 / 2.0 / FULL_SCALE;
            [exact.next_down(), exact, exact.next_up()]
        });
        let all = (0..=u32::MAX).step_by(97).map(f32::from_bits).chain(near_halves);
        for x in all {
            let nearest = (x * FULL_SCALE).round() as i16;
            assert_eq!(
                (quantize_one(x), rounded(x)),
                (nearest, dequantize(&[nearest])[0]),
                "{x:e}"
            );
        }
    }

    #[test]
    fn an_unwritable_folder_is_an_error_that_names_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("missing").join("x.wav");
        let error = write(&path, &[0; 4], 22_050).unwrap_err();
        assert!(matches!(&error, Error::Io { path: p, .. } if *p == path), "{error}");
    }
}
