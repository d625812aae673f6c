//! JPEG files, baseline and progressive.

use std::path::Path;

use trompe_base::files::read_at_most;
use trompe_base::{Error, Result};
use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

use super::image::{Image, ImageShape, check_size};
use super::orientation::upright;
use crate::limits::Limits;

/// Reads a grey or RGB image; other colour spaces are brought to RGB.
///
/// # Errors
/// [`Error::BadFile`] if the file is no JPEG, damaged, or beyond the limits (pixels are told
/// from its header).
pub fn read_jpeg(path: &Path, limits: &Limits) -> Result<Image> {
    decode(path, &read_at_most(path, limits.max_image_bytes)?, limits)
}

/// As [`read_jpeg`], of the file's bytes.
pub(super) fn decode(path: &Path, bytes: &[u8], limits: &Limits) -> Result<Image> {
    let bad = |what: String, remedy: &str| Error::bad_file(path, what, remedy);
    let damaged = |e: zune_jpeg::errors::DecodeErrors| {
        bad(format!("not a readable JPEG ({e:?})"), "replace it")
    };
    // Sizes are checked below, with an error of our own; a JPEG has no more than 65,535 a side.
    let side = usize::from(u16::MAX);
    let options =
        DecoderOptions::default().set_strict_mode(true).set_max_width(side).set_max_height(side);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), options);
    decoder.decode_headers().map_err(damaged)?;
    let unread = || bad("its header says no size".into(), "replace it");
    let info = decoder.info().ok_or_else(unread)?;
    check_size(path, info.width.into(), info.height.into(), limits)?;
    let (width, height) = (usize::from(info.width), usize::from(info.height));
    let grey = decoder.input_colorspace() == Some(ColorSpace::Luma);
    let (colour, channels) = if grey { (ColorSpace::Luma, 1) } else { (ColorSpace::RGB, 3) };
    decoder.set_options(options.jpeg_set_out_colorspace(colour));
    let pixels = decoder.decode().map_err(damaged)?;
    let shape = ImageShape { width, height, channels };
    if pixels.len() != shape.bytes() {
        return Err(bad(format!("{} bytes for {shape}", pixels.len()), "replace it"));
    }
    Ok(upright(Image { shape, pixels }, decoder.exif().map(Vec::as_slice)))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    /// A grey JPEG of 8 x 8 equal pixels, value 64: one block with a DC coefficient alone.
    fn flat() -> Vec<u8> {
        let mut file = vec![0xff, 0xd8];
        let mut segment = |marker: u8, content: &[u8]| {
            file.extend([0xff, marker]);
            file.extend((content.len() as u16 + 2).to_be_bytes());
            file.extend(content);
        };
        // A quantization table of ones.
        segment(0xdb, &[&[0][..], &[1; 64]].concat());
        // 8 bits, 8 x 8, one component.
        segment(0xc0, &[8, 0, 8, 0, 8, 1, 1, 0x11, 0]);
        // DC: the one code word 0 says a difference of 10 bits; AC: it says end of block.
        for (class, symbol) in [(0x00, 10), (0x10, 0)] {
            let mut table = vec![class, 1];
            table.extend([0; 15]);
            table.push(symbol);
            segment(0xc4, &table);
        }
        segment(0xda, &[1, 1, 0x00, 0, 63, 0]);
        // 0, then -512 = 8 * (64 - 128) as 1023 - 512 = 511 in 10 bits, then 0; ones to fill.
        file.extend([0b0011_1111, 0b1110_1111]);
        file.extend([0xff, 0xd9]);
        file
    }

    #[test]
    fn a_flat_image_is_read_and_damage_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("flat.jpg");
        let whole = flat();
        std::fs::write(&path, &whole).unwrap();
        let image = read_jpeg(&path, &Limits::default()).unwrap();
        assert_eq!(image.shape, ImageShape::grey(8, 8));
        assert!(image.pixels.iter().all(|value| value.abs_diff(64) <= 1), "{:?}", image.pixels);
        for kept in [0, 2, 40, whole.len() / 2] {
            std::fs::write(&path, &whole[..kept]).unwrap();
            let error = read_jpeg(&path, &Limits::default()).unwrap_err().to_string();
            assert!(error.contains("flat.jpg"), "{error}");
        }
        // A header that claims 50,000 x 50,000 pixels.
        let at = whole.windows(2).position(|bytes| bytes == [0xff, 0xc0]).unwrap() + 5;
        let mut bomb = whole.clone();
        bomb[at..at + 4].copy_from_slice(&[0xc3, 0x50, 0xc3, 0x50]);
        std::fs::write(&path, &bomb).unwrap();
        let error = read_jpeg(&path, &Limits::default()).unwrap_err().to_string();
        assert!(error.contains("50000 x 50000"), "{error}");
    }
}
