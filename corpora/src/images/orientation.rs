//! Which way up a picture is: cameras store pixels as the sensor gave them, with a note in the
//! EXIF data (tag 0x0112) of how to turn them.

use image::metadata::Orientation;
use image::{DynamicImage, GrayImage, RgbImage};

use super::image::{Image, ImageShape};

/// Turns an image as its EXIF data say.
pub(super) fn upright(image: Image, exif: Option<&[u8]>) -> Image {
    let exif = exif.map(|exif| exif.strip_prefix(b"Exif\0\0").unwrap_or(exif));
    match exif.and_then(Orientation::from_exif_chunk) {
        None | Some(Orientation::NoTransforms) => image,
        Some(orientation) => turn(image, orientation),
    }
}

fn turn(image: Image, orientation: Orientation) -> Image {
    let ImageShape { width, height, channels } = image.shape;
    let (columns, rows) = (width as u32, height as u32);
    let turned = match channels {
        1 => GrayImage::from_raw(columns, rows, image.pixels).map(DynamicImage::ImageLuma8),
        _ => RgbImage::from_raw(columns, rows, image.pixels).map(DynamicImage::ImageRgb8),
    };
    // Readers give as many pixels as the shape says.
    let mut turned = turned.unwrap_or_default();
    turned.apply_orientation(orientation);
    let (width, height) = (turned.width() as usize, turned.height() as usize);
    Image { shape: ImageShape { width, height, channels }, pixels: turned.into_bytes() }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// EXIF data of one entry: the orientation.
    fn exif(orientation: u8) -> Vec<u8> {
        let mut exif = b"Exif\0\0MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0".to_vec();
        exif.extend([orientation, 0, 0, 0, 0, 0, 0]);
        exif
    }

    #[test]
    fn every_orientation_is_turned_upright() {
        // Rows 0 1 2 / 3 4 5.
        let stored = Image { shape: ImageShape::grey(3, 2), pixels: (0..6).collect() };
        for (orientation, pixels) in [
            (1, [0, 1, 2, 3, 4, 5]),
            (2, [2, 1, 0, 5, 4, 3]),
            (3, [5, 4, 3, 2, 1, 0]),
            (4, [3, 4, 5, 0, 1, 2]),
            (5, [0, 3, 1, 4, 2, 5]),
            (6, [3, 0, 4, 1, 5, 2]),
            (7, [5, 2, 4, 1, 3, 0]),
            (8, [2, 5, 1, 4, 0, 3]),
        ] {
            let got = upright(stored.clone(), Some(&exif(orientation)));
            let side = if orientation < 5 { (3, 2) } else { (2, 3) };
            assert_eq!((got.shape.width, got.shape.height), side, "{orientation}");
            assert_eq!(got.pixels, pixels, "{orientation}");
        }
        assert_eq!(upright(stored.clone(), None), stored);
        assert_eq!(upright(stored.clone(), Some(b"Exif\0\0no TIFF")), stored);
    }
}
