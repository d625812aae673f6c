//! A genome that is the image itself.

use std::sync::Arc;

use pulp::{Arch, Simd, WithSimd};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use trompe_corpora::ImageShape;

/// The bytes of an 8-bit image. Cheap to clone; written to files as hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Raster(Arc<[u8]>);

impl From<Vec<u8>> for Raster {
    fn from(pixels: Vec<u8>) -> Self {
        Self(pixels.into())
    }
}

impl Raster {
    /// Checks that these are the bytes of an image of `shape`.
    ///
    /// # Errors
    /// What is wrong, in words.
    pub fn check(&self, shape: ImageShape) -> Result<(), String> {
        if self.len() == shape.bytes() {
            Ok(())
        } else {
            Err(format!("an image of {} bytes, where {shape} is {}", self.len(), shape.bytes()))
        }
    }
}

impl std::ops::Deref for Raster {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl Serialize for Raster {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let digit = |value: u8| char::from(DIGITS[usize::from(value)]);
        let text: String =
            self.0.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect();
        serializer.serialize_str(&text)
    }
}

impl<'de> Deserialize<'de> for Raster {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let digit = |character: u8| char::from(character).to_digit(16).map(|value| value as u8);
        let bytes: Option<Vec<u8>> = text
            .as_bytes()
            .chunks(2)
            .map(|pair| match pair {
                [high, low] => Some(digit(*high)? << 4 | digit(*low)?),
                _ => None,
            })
            .collect();
        let bytes = bytes.ok_or_else(|| {
            serde::de::Error::custom("an image must be pairs of hexadecimal digits")
        })?;
        Ok(bytes.into())
    }
}

/// Bytes whose sums of products fit 32 bits.
const CHUNK: usize = 4_096;

/// Of two rows of at most [`CHUNK`] bytes, the sums of each, of their squares, and of their products.
struct Sums<'a>(&'a [u8], &'a [u8]);

impl WithSimd for Sums<'_> {
    type Output = [u32; 5];

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> [u32; 5] {
        let mut sums = [0_u32; 5];
        for (&a, &b) in self.0.iter().zip(self.1) {
            let (a, b) = (u32::from(a), u32::from(b));
            sums[0] += a;
            sums[1] += b;
            sums[2] += a * a;
            sums[3] += b * b;
            sums[4] += a * b;
        }
        sums
    }
}

/// How unlike two images are: 1 - max(0, r), where r is the correlation of their bytes. A
/// copy is at 0 whatever its brightness and contrast; unrelated images and negatives are
/// near or at 1. An image of one single value is at 1 from all others (our choice).
pub fn unlikeness(a: &[u8], b: &[u8]) -> f64 {
    if a == b {
        return 0.0;
    }
    // Whole numbers: exact, whatever the order of the sums.
    let (mut sum_a, mut sum_b, mut aa, mut bb, mut ab) = (0_i64, 0_i64, 0_i64, 0_i64, 0_i64);
    let arch = Arch::new();
    for (a, b) in a.chunks(CHUNK).zip(b.chunks(CHUNK)) {
        let sums = arch.dispatch(Sums(a, b));
        for (total, sum) in
            [&mut sum_a, &mut sum_b, &mut aa, &mut bb, &mut ab].into_iter().zip(sums)
        {
            *total += i64::from(sum);
        }
    }
    let count = a.len() as i64;
    let covariance = (count * ab - sum_a * sum_b) as f64;
    let variances = (count * aa - sum_a * sum_a) as f64 * (count * bb - sum_b * sum_b) as f64;
    if variances <= 0.0 {
        return 1.0;
    }
    (1.0 - covariance / variances.sqrt()).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_raster_survives_its_text() {
        let raster = Raster::from((0..=255).collect::<Vec<u8>>());
        let text = serde_json::to_string(&raster).unwrap();
        assert!(text.starts_with("\"000102"));
        assert_eq!(serde_json::from_str::<Raster>(&text).unwrap(), raster);
        for bad in ["\"0\"", "\"0g\"", "\"é\"", "[1,2]"] {
            assert!(serde_json::from_str::<Raster>(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn unlikeness_is_that_of_correlation() {
        let image: Vec<u8> = (0..=255).map(|i: u8| i.wrapping_mul(97)).collect();
        let dimmer: Vec<u8> = image.iter().map(|&value| value / 2 + 40).collect();
        let negative: Vec<u8> = image.iter().map(|&value| 255 - value).collect();
        assert_eq!(unlikeness(&image, &image), 0.0);
        assert!(unlikeness(&image, &dimmer) < 0.001);
        assert_eq!(unlikeness(&image, &negative), 1.0);
        assert_eq!(unlikeness(&image, &[7; 256]), 1.0);
        assert_eq!(unlikeness(&[7; 256], &[7; 256]), 0.0);
        // Half of the bytes shared: r = 1/2 for bytes of two values.
        let a = [0, 0, 255, 255, 0, 255, 0, 255];
        let b = [0, 0, 255, 255, 0, 255, 255, 0];
        approx::assert_relative_eq!(unlikeness(&a, &b), 0.5);
    }
}
