//! 8-bit PNG files.

use std::io::Cursor;
use std::path::Path;

use png::{BitDepth, ColorType, Decoder, Encoder, Transformations};
use trompe_base::files::{read_at_most, write_atomically};
use trompe_base::{Error, Result};

use super::image::{Image, ImageShape, check_size};
use super::orientation::upright;
use crate::limits::Limits;

/// Most bytes the decoder may allocate for anything but the pixels.
const MAX_DECODER_BYTES: usize = 1 << 26;

/// Reads a grey or RGB image; palettes and 16 bits are brought to 8 bits a channel.
///
/// # Errors
/// [`Error::BadFile`] if the file is no PNG, damaged, beyond the limits (its header states
/// the number of pixels) or has transparent pixels.
pub fn read_png(path: &Path, limits: &Limits) -> Result<Image> {
    decode(path, &read_at_most(path, limits.max_image_bytes)?, limits)
}

/// As [`read_png`], of the file's bytes.
pub(super) fn decode(path: &Path, bytes: &[u8], limits: &Limits) -> Result<Image> {
    let bad = |what: String, remedy: &str| Error::bad_file(path, what, remedy);
    let damaged = |e: png::DecodingError| bad(format!("not a readable PNG ({e})"), "replace it");
    let mut decoder =
        Decoder::new_with_limits(Cursor::new(bytes), png::Limits { bytes: MAX_DECODER_BYTES });
    decoder.set_transformations(Transformations::normalize_to_color8());
    let header = decoder.read_header_info().map_err(damaged)?;
    check_size(path, header.width, header.height, limits)?;
    let mut reader = decoder.read_info().map_err(damaged)?;
    // The decoder panics at such a palette (image-png, issue 694).
    if let Some(palette) = &reader.info().palette
        && palette.len() % 3 != 0
    {
        let what = format!("has a palette of {} bytes, three a colour", palette.len());
        return Err(bad(what, "replace it"));
    }
    let size = reader
        .output_buffer_size()
        .ok_or_else(|| bad("its size does not fit in memory".into(), "replace it"))?;
    let mut pixels = vec![0; size];
    let frame = reader.next_frame(&mut pixels).map_err(damaged)?;
    reader.finish().map_err(damaged)?;
    let exif = reader.info().exif_metadata.as_ref().map(|exif| exif.to_vec());
    pixels.truncate(frame.buffer_size());
    let (channels, alpha) = match frame.color_type {
        ColorType::Grayscale => (1, false),
        ColorType::GrayscaleAlpha => (1, true),
        ColorType::Rgba => (3, true),
        ColorType::Rgb | ColorType::Indexed => (3, false),
    };
    if alpha {
        if pixels.chunks_exact(channels + 1).any(|pixel| pixel[channels] != u8::MAX) {
            return Err(bad("has transparent pixels".into(), "save it without transparency"));
        }
        pixels = pixels
            .chunks_exact(channels + 1)
            .flat_map(|pixel| pixel[..channels].iter().copied())
            .collect();
    }
    let shape = ImageShape { width: frame.width as usize, height: frame.height as usize, channels };
    Ok(upright(Image { shape, pixels }, exif.as_deref()))
}

/// Writes `image` to `path`; reading it back gives the same bytes.
///
/// # Errors
/// [`Error::Request`] for an image that PNG cannot hold (no pixels, or pixels and shape that
/// disagree); an input or output error naming `path`.
pub fn write_png(path: &Path, image: &Image) -> Result<()> {
    let ImageShape { width, height, channels } = image.shape;
    let unfit = |what: String| Error::request(what, "give a grey or RGB image of matching size");
    let color = match channels {
        1 => ColorType::Grayscale,
        3 => ColorType::Rgb,
        _ => return Err(unfit(format!("an image of {channels} channels"))),
    };
    let side = |size: usize| u32::try_from(size).map_err(|e| unfit(e.to_string()));
    let mut bytes = Cursor::new(Vec::new());
    let mut encoder = Encoder::new(&mut bytes, side(width)?, side(height)?);
    encoder.set_color(color);
    encoder.set_depth(BitDepth::Eight);
    let write = |encoder: Encoder<'_, &mut Cursor<Vec<u8>>>| {
        let mut writer = encoder.write_header()?;
        writer.write_image_data(&image.pixels)?;
        writer.finish()
    };
    write(encoder).map_err(|e| unfit(format!("{} cannot be written: {e}", image.shape)))?;
    write_atomically(path, &bytes.into_inner())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn grey_and_rgb_come_back_unchanged() {
        let folder = tempfile::tempdir().unwrap();
        for shape in [ImageShape::grey(7, 5), ImageShape::rgb(3, 4)] {
            let pixels = (0..shape.bytes()).map(|i| (i * 37 % 256) as u8).collect();
            let image = Image { shape, pixels };
            let path = folder.path().join("image.png");
            write_png(&path, &image).unwrap();
            assert_eq!(read_png(&path, &Limits::default()).unwrap(), image);
        }
    }

    #[test]
    fn damaged_and_oversized_images_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("image.png");
        let shape = ImageShape::grey(40, 40);
        let pixels = (0..shape.bytes()).map(|i| (i * i % 251) as u8).collect();
        write_png(&path, &Image { shape, pixels }).unwrap();
        let good = std::fs::read(&path).unwrap();
        for kept in [0, 20, good.len() / 2, good.len() - 20] {
            std::fs::write(&path, &good[..kept]).unwrap();
            let error = read_png(&path, &Limits::default()).unwrap_err().to_string();
            assert!(error.contains("image.png"), "{error}");
        }
        // A header that claims 50,000 x 50,000 pixels, with a right checksum.
        let mut bomb = Vec::new();
        let encoder = Encoder::new(&mut bomb, 50_000, 50_000);
        drop(encoder.write_header().unwrap());
        std::fs::write(&path, &bomb).unwrap();
        let error = read_png(&path, &Limits::default()).unwrap_err().to_string();
        assert!(error.contains("50000 x 50000"), "{error}");
    }

    #[test]
    fn a_palette_is_whole_or_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("image.png");
        for palette in [vec![9, 8, 7, 6, 5, 4], vec![9, 8, 7, 6, 5, 4, 3], vec![9, 8, 7, 6, 5]] {
            let mut bytes = Vec::new();
            let mut encoder = Encoder::new(&mut bytes, 1, 1);
            encoder.set_color(ColorType::Indexed);
            encoder.set_palette(palette.clone());
            let mut writer = encoder.write_header().unwrap();
            writer.write_image_data(&[1]).unwrap();
            writer.finish().unwrap();
            std::fs::write(&path, &bytes).unwrap();
            match read_png(&path, &Limits::default()) {
                Ok(image) => assert!(palette.len() == 6 && image.pixels == [6, 5, 4]),
                Err(e) => assert!(e.to_string().contains("three a colour"), "{palette:?}: {e}"),
            }
        }
    }

    #[test]
    fn transparency_is_refused_but_opaque_alpha_is_dropped() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("image.png");
        for (alpha, accepted) in [(255, true), (254, false)] {
            let mut bytes = Vec::new();
            let mut encoder = Encoder::new(&mut bytes, 1, 1);
            encoder.set_color(ColorType::Rgba);
            encoder.set_depth(BitDepth::Eight);
            let mut writer = encoder.write_header().unwrap();
            writer.write_image_data(&[1, 2, 3, alpha]).unwrap();
            writer.finish().unwrap();
            std::fs::write(&path, &bytes).unwrap();
            match read_png(&path, &Limits::default()) {
                Ok(image) => {
                    assert!(accepted);
                    assert_eq!(image.pixels, [1, 2, 3]);
                }
                Err(_) => assert!(!accepted),
            }
        }
    }
}
