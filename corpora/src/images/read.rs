//! Reading of image files by content.
use super::image::Image;
use super::{jpeg, other, png};
use crate::limits::Limits;
use image::ImageFormat;
use std::path::Path;
use trompe_base::files::read_at_most;
use trompe_base::{Error, Result};
/// Endings of image files, in lower case: formats that are read, and such as are only named, so
/// that they are not left out in silence.
const ENDINGS: [&str; 18] = [
    "png", "jpg", "jpeg", "jpe", "jfif", "webp", "bmp", "dib", "gif", "tif", "tiff", // read
    "heic", "heif", "avif", "jxl", "jp2", "ppm", "tga", // named
];

/// Whether `path` ends as an image file does.
pub(super) fn is_image(path: &Path) -> bool {
    path.extension().is_some_and(|end| ENDINGS.iter().any(|known| end.eq_ignore_ascii_case(known)))
}

/// Reads a PNG, JPEG, WebP, BMP, GIF or TIFF file. Its content says which it is, not its name.
///
/// # Errors
/// As [`super::read_png`] and [`super::read_jpeg`].
pub fn read_image(path: &Path, limits: &Limits) -> Result<Image> {
    let bytes = read_at_most(path, limits.max_image_bytes)?;
    let begins = |mark: &[u8]| bytes.starts_with(mark);
    let at = |place: usize, mark: &[u8]| bytes.get(place..).is_some_and(|b| b.starts_with(mark));
    let named = if begins(b"\x89PNG") {
        return png::decode(path, &bytes, limits);
    } else if begins(b"\xff\xd8") {
        return jpeg::decode(path, &bytes, limits);
    } else if begins(b"RIFF") && at(8, b"WEBP") {
        return other::decode(path, &bytes, ImageFormat::WebP, limits);
    } else if begins(b"BM") {
        return other::decode(path, &bytes, ImageFormat::Bmp, limits);
    } else if begins(b"GIF8") {
        return other::decode(path, &bytes, ImageFormat::Gif, limits);
    } else if begins(b"II\x2a\0") || begins(b"MM\0\x2a") {
        return other::decode(path, &bytes, ImageFormat::Tiff, limits);
    } else if at(4, b"ftypavif") || at(4, b"ftypavis") {
        "is AVIF, which is not read"
    } else if at(4, b"ftyphei") || at(4, b"ftypmif1") || at(4, b"ftyphev") {
        "is HEIC, which is not read"
    } else if begins(b"\xff\x0a") || at(4, b"JXL ") {
        "is JPEG XL, which is not read"
    } else if at(4, b"jP  ") {
        "is JPEG 2000, which is not read"
    } else if bytes.is_empty() {
        "is empty (0 bytes)"
    } else {
        "is no picture of a known format"
    };
    Err(Error::bad_file(path, named, "save it as PNG or JPEG, or remove it"))
}
