//! What may happen to an image on its way to a viewer without changing what it is: JPEG, a
//! cut border, another size.

use jpeg_encoder::{ColorType, Encoder};
use trompe_corpora::{Image, ImageShape};
use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

use crate::error::{Error, Result};

/// One way to treat an image. The choices of amounts are ours.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Intervention {
    /// Through JPEG of this quality, in 1 to 100.
    Jpeg(u8),
    /// A twentieth of its size cut from every side, at least a pixel; scaled back.
    Crop,
    /// Scaled to this share of its size, in (0, ∞), and back.
    Resample(f64),
}

impl Intervention {
    /// Those that exhibits are put to.
    pub const ALL: [Self; 5] =
        [Self::Jpeg(90), Self::Jpeg(75), Self::Crop, Self::Resample(2.0), Self::Resample(0.75)];

    /// The intervention in words.
    pub fn name(self) -> String {
        match self {
            Self::Jpeg(quality) => format!("JPEG, quality {quality}"),
            Self::Crop => "5 % cut from every side, scaled back".to_owned(),
            Self::Resample(share) => format!("resampled to {:.0} % and back", 100.0 * share),
        }
    }

    /// The image after it, of the same size.
    ///
    /// # Errors
    /// [`Error::Request`] if the image cannot be a JPEG: no pixels, or more than 65,535 a
    /// side.
    pub fn apply(self, image: &Image) -> Result<Image> {
        let shape = image.shape;
        Ok(match self {
            Self::Jpeg(quality) => through_jpeg(image, quality)?,
            Self::Crop => {
                let cut = |side: usize| (side as f64 / 20.0).max(1.0);
                let (x, y) = (cut(shape.width), cut(shape.height));
                let inner = (shape.width as f64 - 2.0 * x, shape.height as f64 - 2.0 * y);
                scaled(image, (x, y), inner, shape)
            }
            Self::Resample(share) => {
                let side = |side: usize| (libm::round(share * side as f64) as usize).max(1);
                let other = ImageShape {
                    width: side(shape.width),
                    height: side(shape.height),
                    channels: shape.channels,
                };
                let there = scaled(image, (0.0, 0.0), size(shape), other);
                scaled(&there, (0.0, 0.0), size(other), shape)
            }
        })
    }
}

fn size(shape: ImageShape) -> (f64, f64) {
    (shape.width as f64, shape.height as f64)
}

/// The part of `image` from `corner` on, of `part` pixels (width, height), as an image of
/// `shape`: linear between the centres of pixels, the border repeated outside.
fn scaled(image: &Image, corner: (f64, f64), part: (f64, f64), shape: ImageShape) -> Image {
    let columns = stops(corner.0, part.0, image.shape.width, shape.width);
    let rows = stops(corner.1, part.1, image.shape.height, shape.height);
    let channels = shape.channels;
    let at = |row: usize, column: usize, channel: usize| {
        f64::from(image.pixels[(row * image.shape.width + column) * channels + channel])
    };
    let mut pixels = Vec::with_capacity(shape.bytes());
    for &(top, bottom, down) in &rows {
        for &(left, right, across) in &columns {
            for channel in 0..channels {
                let mix = |row| {
                    at(row, left, channel) * (1.0 - across) + at(row, right, channel) * across
                };
                let value = mix(top) * (1.0 - down) + mix(bottom) * down;
                pixels.push(libm::round(value) as u8);
            }
        }
    }
    Image { shape, pixels }
}

/// For each of `count` places along a side: the two pixels it lies between, of `pixels`, and
/// how far it is from the first to the second.
fn stops(corner: f64, part: f64, pixels: usize, count: usize) -> Vec<(usize, usize, f64)> {
    let last = pixels.saturating_sub(1) as f64;
    let stop = |index: usize| {
        let place = corner + (index as f64 + 0.5) * part / count as f64 - 0.5;
        let place = place.clamp(0.0, last);
        let first = libm::floor(place);
        (first as usize, (first + 1.0).min(last) as usize, place - first)
    };
    (0..count).map(stop).collect()
}

fn through_jpeg(image: &Image, quality: u8) -> Result<Image> {
    let shape = image.shape;
    let fault = |what: String| {
        Error::request(format!("{shape} as JPEG: {what}"), "give a grey or RGB image")
    };
    let side = |side: usize| u16::try_from(side).map_err(|e| fault(e.to_string()));
    let (kind, space) = match shape.channels {
        1 => (ColorType::Luma, ColorSpace::Luma),
        _ => (ColorType::Rgb, ColorSpace::RGB),
    };
    let mut coded = Vec::new();
    Encoder::new(&mut coded, quality)
        .encode(&image.pixels, side(shape.width)?, side(shape.height)?, kind)
        .map_err(|e| fault(e.to_string()))?;
    let options = DecoderOptions::default().jpeg_set_out_colorspace(space);
    let pixels = JpegDecoder::new_with_options(ZCursor::new(coded), options)
        .decode()
        .map_err(|e| fault(e.to_string()))?;
    if pixels.len() != shape.bytes() {
        return Err(fault(format!("{} bytes came back", pixels.len())));
    }
    Ok(Image { shape, pixels })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    /// A slope that every intervention must keep.
    fn slope(shape: ImageShape) -> Image {
        let pixel = |index: usize| {
            let column = index / shape.channels % shape.width;
            (40 + 160 * column / shape.width) as u8
        };
        Image { shape, pixels: (0..shape.bytes()).map(pixel).collect() }
    }

    #[test]
    fn every_intervention_leaves_a_like_image_of_the_same_size() {
        for shape in [ImageShape::grey(28, 28), ImageShape::rgb(40, 32)] {
            let image = slope(shape);
            for intervention in Intervention::ALL {
                let after = intervention.apply(&image).unwrap();
                assert_eq!(after.shape, shape);
                let difference = after.pixels.iter().zip(&image.pixels);
                let most = difference.map(|(a, b)| a.abs_diff(*b)).max().unwrap();
                assert!(most <= 14, "{}: {most}", intervention.name());
            }
        }
    }

    #[test]
    fn fine_detail_is_lost() {
        let shape = ImageShape::grey(28, 28);
        let pixels = (0..shape.bytes()).map(|i| if (i + i / 28) % 2 == 0 { 0 } else { 255 });
        let image = Image { shape, pixels: pixels.collect() };
        for intervention in Intervention::ALL {
            assert_ne!(intervention.apply(&image).unwrap(), image, "{}", intervention.name());
        }
    }

    /// By hand: of the row 0 100, at half the distance between centres.
    #[test]
    fn scaling_is_linear_between_centres() {
        let image = Image { shape: ImageShape::grey(2, 1), pixels: vec![0, 100] };
        let wide = scaled(&image, (0.0, 0.0), (2.0, 1.0), ImageShape::grey(4, 1));
        assert_eq!(wide.pixels, [0, 25, 75, 100]);
        let same = scaled(&image, (0.0, 0.0), (2.0, 1.0), ImageShape::grey(2, 1));
        assert_eq!(same, image);
    }

    #[test]
    fn an_image_without_pixels_is_refused() {
        let nothing = Image { shape: ImageShape::grey(0, 0), pixels: vec![] };
        assert!(Intervention::Jpeg(75).apply(&nothing).is_err());
    }
}
