//! WebP, BMP, GIF and TIFF, by the `image` crate.

use std::io::Cursor;
use std::path::Path;

use image::codecs::gif::GifDecoder;
use image::codecs::webp::WebPDecoder;
use image::{AnimationDecoder, DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader};
use trompe_base::{Error, Result};

use super::image::{Image, ImageShape, check_size};
use crate::limits::Limits;

/// Most bytes that a decoder may allocate beside the pixels.
const MAX_DECODER_BYTES: u64 = 1 << 28;

/// Reads a still, opaque image of this format; its EXIF orientation is applied.
pub(super) fn decode(
    path: &Path,
    bytes: &[u8],
    format: ImageFormat,
    limits: &Limits,
) -> Result<Image> {
    let bad = |what: String, remedy: &str| Error::bad_file(path, what, remedy);
    let damaged = |e: ImageError| bad(format!("not a readable image ({e})"), "replace it");
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    let mut bounds = image::Limits::default();
    bounds.max_alloc = Some(MAX_DECODER_BYTES);
    reader.limits(bounds);
    let mut decoder = reader.into_decoder().map_err(damaged)?;
    let (width, height) = decoder.dimensions();
    check_size(path, width, height, limits)?;
    if is_animated(bytes, format).map_err(damaged)? {
        return Err(bad("holds several pictures (an animation)".into(), "save one picture of it"));
    }
    let orientation = decoder.orientation().map_err(damaged)?;
    let mut image = DynamicImage::from_decoder(decoder).map_err(damaged)?;
    image.apply_orientation(orientation);
    let color = image.color();
    if color.has_alpha() && image.to_rgba8().pixels().any(|pixel| pixel.0[3] != u8::MAX) {
        return Err(bad("has transparent pixels".into(), "save it without transparency"));
    }
    let (width, height) = (image.width() as usize, image.height() as usize);
    let (channels, pixels) = match color.has_color() {
        true => (3, image.into_rgb8().into_raw()),
        false => (1, image.into_luma8().into_raw()),
    };
    Ok(Image { shape: ImageShape { width, height, channels }, pixels })
}

fn is_animated(bytes: &[u8], format: ImageFormat) -> Result<bool, ImageError> {
    Ok(match format {
        ImageFormat::Gif => {
            let frames = GifDecoder::new(Cursor::new(bytes))?.into_frames();
            frames.take(2).collect::<Result<Vec<_>, _>>()?.len() > 1
        }
        ImageFormat::WebP => WebPDecoder::new(Cursor::new(bytes))?.has_animation(),
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::images::read_image;

    #[test]
    fn every_format_is_read_whatever_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("picture.jpg");
        let image = image::RgbImage::from_fn(5, 3, |x, y| image::Rgb([x as u8 * 50, y as u8, 9]));
        for format in [ImageFormat::Bmp, ImageFormat::Tiff, ImageFormat::WebP] {
            image.save_with_format(&path, format).unwrap();
            let got = read_image(&path, &Limits::default()).unwrap();
            assert_eq!(got.shape, ImageShape::rgb(5, 3), "{format:?}");
            assert_eq!(got.pixels, image.as_raw()[..], "{format:?}");
        }
        let grey = image::GrayImage::from_fn(4, 4, |x, y| image::Luma([(x * y) as u8]));
        grey.save_with_format(&path, ImageFormat::Tiff).unwrap();
        let got = read_image(&path, &Limits::default()).unwrap();
        assert_eq!(got.pixels, grey.as_raw()[..]);
        image.save_with_format(&path, ImageFormat::Gif).unwrap();
        assert_eq!(read_image(&path, &Limits::default()).unwrap().shape, ImageShape::rgb(5, 3));
    }

    #[test]
    fn animations_transparency_and_damage_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("picture.gif");
        let refused = |words: &str| {
            let error = read_image(&path, &Limits::default()).unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
        };
        let mut bytes = Vec::new();
        let mut encoder = image::codecs::gif::GifEncoder::new(&mut bytes);
        let frame = image::RgbaImage::from_pixel(4, 4, image::Rgba([9, 9, 9, 255]));
        for _ in 0..2 {
            encoder.encode_frame(image::Frame::new(frame.clone())).unwrap();
        }
        drop(encoder);
        std::fs::write(&path, &bytes).unwrap();
        refused("several pictures");
        let clear = image::RgbaImage::from_pixel(4, 4, image::Rgba([9, 9, 9, 0]));
        clear.save_with_format(&path, ImageFormat::WebP).unwrap();
        refused("transparent");
        let whole = std::fs::read(&path).unwrap();
        std::fs::write(&path, &whole[..whole.len() / 2]).unwrap();
        refused("not a readable image");
        std::fs::write(&path, b"\0\0\0\x18ftypheic\0\0\0\0").unwrap();
        refused("HEIC");
        std::fs::write(&path, b"hello").unwrap();
        refused("no picture");
    }
}
