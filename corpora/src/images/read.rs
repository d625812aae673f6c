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

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::image::ImageShape;
    use super::*;

    const WIDTH: usize = 23;
    const HEIGHT: usize = 17;

    /// The fixtures of this kind that `make.py` made, by name.
    fn fixtures(ending: &str) -> Vec<(String, std::path::PathBuf)> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/pictures");
        let mut found: Vec<_> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap())
            .map(|entry| (entry.file_name().into_string().unwrap(), entry.path()))
            .filter(|(name, _)| name.ends_with(ending))
            .collect();
        found.sort();
        found
    }

    /// The slope that every fixture shows, a value for each channel.
    fn slope(x: usize, y: usize, channels: usize) -> Vec<usize> {
        match channels {
            1 => vec![(11 * x + 15 * y) / 2],
            _ => vec![11 * x, 15 * y, 128],
        }
    }

    #[test]
    fn png_files_of_every_kind_give_their_values_exactly() {
        let found = fixtures(".png");
        assert_eq!(found.len(), 20);
        for (name, path) in found {
            let image = read_image(&path, &Limits::default()).unwrap();
            let (colour, depth) = name.trim_end_matches(".png").split_once('-').unwrap();
            let channels = if colour == "grey" { 1 } else { 3 };
            assert_eq!(
                image.shape,
                ImageShape { width: WIDTH, height: HEIGHT, channels },
                "{name}"
            );
            let bits = depth.rsplit('-').next().and_then(|bits| bits.parse().ok()).unwrap_or(8);
            let most = (1_usize << bits) - 1;
            for (n, pixel) in image.pixels.chunks_exact(channels).enumerate() {
                let (x, y) = (n % WIDTH, n / WIDTH);
                let palette = if colour == "palette" { 1 } else { channels };
                let values = slope(x, y, palette).into_iter().cycle().take(channels);
                for (value, &found) in values.zip(pixel) {
                    let stored = value * most / 255;
                    // Of 16 bits the upper eight are taken.
                    let expected = if bits == 16 { stored >> 8 } else { stored * 255 / most };
                    assert_eq!(usize::from(found), expected, "{name} {x} {y}");
                }
            }
        }
    }

    #[test]
    fn jpeg_files_of_cameras_show_the_same_picture() {
        let found = fixtures(".jpg");
        assert_eq!(found.len(), 9);
        for (name, path) in found {
            let image = read_image(&path, &Limits::default()).unwrap();
            let turned = name.contains("turned");
            let (width, height) = if turned { (HEIGHT, WIDTH) } else { (WIDTH, HEIGHT) };
            let channels = if name.contains("grey") { 1 } else { 3 };
            assert_eq!(image.shape, ImageShape { width, height, channels }, "{name}");
            for (n, pixel) in image.pixels.chunks_exact(channels).enumerate() {
                // Turned by 90 degrees to the right, the left column is the upper line.
                let (x, y) = match turned {
                    false => (n % width, n / width),
                    true => (n / width, HEIGHT - 1 - n % width),
                };
                for (value, &found) in slope(x, y, channels).into_iter().zip(pixel) {
                    assert!(value.abs_diff(found.into()) <= 12, "{name} {x} {y}: {value} {found}");
                }
            }
        }
    }
}
