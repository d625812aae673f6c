//! Labelled collections of images, in memory.
//!
//! [`ImageCorpus::open`] reads a folder of IDX or CSV files as MNIST has them, or a folder with one
//! folder of pictures (PNG, JPEG, WebP, BMP, GIF, TIFF) per class. [`synthetic_digits`] draws a set that needs no download.

mod digits;
mod idx;
mod jpeg;
mod mnist;
mod open;
mod orientation;
mod other;
mod png;
mod table;

pub use digits::synthetic_digits;
pub use idx::{IdxArray, read_idx, write_idx};
pub use jpeg::read_jpeg;
pub(crate) use open::CLASSES_FILE;
pub use png::{read_png, write_png};

use std::path::Path;

use image::ImageFormat;
use trompe_base::files::read_at_most;
use trompe_base::hash::FieldHasher;
use trompe_base::{Error, Result};

use crate::corpus::{Provenance, Split};
use crate::limits::Limits;

/// Endings of image files, in lower case: formats that are read, and such as are only named, so
/// that they are not left out in silence.
const ENDINGS: [&str; 18] = [
    "png", "jpg", "jpeg", "jpe", "jfif", "webp", "bmp", "dib", "gif", "tif", "tiff", // read
    "heic", "heif", "avif", "jxl", "jp2", "ppm", "tga", // named
];

/// Whether `path` ends as an image file does.
fn is_image(path: &Path) -> bool {
    path.extension().is_some_and(|end| ENDINGS.iter().any(|known| end.eq_ignore_ascii_case(known)))
}

/// Reads a PNG, JPEG, WebP, BMP, GIF or TIFF file. Its content says which it is, not its name.
///
/// # Errors
/// As [`read_png`] and [`read_jpeg`].
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

/// Refuses an image on its header's word.
fn check_size(path: &Path, width: u32, height: u32, limits: &Limits) -> Result<()> {
    let most = limits.max_image_pixels;
    if u64::from(width) * u64::from(height) <= most {
        return Ok(());
    }
    let what = format!("{width} x {height} pixels, the limit is {most} together");
    Err(Error::bad_file(path, what, "scale it down"))
}

/// Size of an image. Pixels lie row by row, the channels of one pixel together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImageShape {
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// 1 for grey, 3 for red, green, blue.
    pub channels: usize,
}

impl ImageShape {
    /// A grey image of `width` x `height`.
    pub const fn grey(width: usize, height: usize) -> Self {
        Self { width, height, channels: 1 }
    }

    /// An RGB image of `width` x `height`.
    pub const fn rgb(width: usize, height: usize) -> Self {
        Self { width, height, channels: 3 }
    }

    /// Number of bytes of one image.
    pub const fn bytes(self) -> usize {
        self.width * self.height * self.channels
    }
}

impl std::fmt::Display for ImageShape {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let colour = if self.channels == 1 { "grey" } else { "RGB" };
        write!(f, "{} x {} {colour}", self.width, self.height)
    }
}

/// One 8-bit image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// Its size.
    pub shape: ImageShape,
    /// [`ImageShape::bytes`] bytes.
    pub pixels: Vec<u8>,
}

/// A labelled collection of images of one size.
#[derive(Debug, Clone, PartialEq)]
pub struct ImageCorpus {
    /// Name as the user gave it.
    pub name: String,
    /// Where the images come from.
    pub provenance: Provenance,
    /// What the labels are worth, in a sentence.
    pub labels: String,
    /// Class names, in a fixed order.
    pub classes: Vec<String>,
    /// Size of every image.
    pub shape: ImageShape,
    pixels: Vec<u8>,
    items: Vec<Item>,
}

/// What is known of one image beside its pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Item {
    /// Index into [`ImageCorpus::classes`].
    pub class: usize,
    /// Part of the corpus' fixed partition, if it has one.
    pub split: Option<Split>,
}

impl ImageCorpus {
    /// A corpus without images.
    pub fn new(
        name: impl Into<String>,
        provenance: Provenance,
        labels: impl Into<String>,
        classes: Vec<String>,
        shape: ImageShape,
    ) -> Self {
        Self {
            name: name.into(),
            provenance,
            labels: labels.into(),
            classes,
            shape,
            pixels: Vec::new(),
            items: Vec::new(),
        }
    }

    /// Appends images of one split, one label each.
    ///
    /// # Panics
    /// If the pixels are not those of as many images as there are labels, or a label is no
    /// class.
    pub fn extend(&mut self, pixels: &[u8], labels: &[usize], split: Option<Split>) {
        assert_eq!(pixels.len(), labels.len() * self.shape.bytes(), "pixels and labels");
        assert!(labels.iter().all(|&label| label < self.classes.len()), "labels are classes");
        self.pixels.extend_from_slice(pixels);
        self.items.extend(labels.iter().map(|&class| Item { class, split }));
    }

    /// Number of images.
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Whether there is no image.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Pixels of image `index`.
    pub fn image(&self, index: usize) -> &[u8] {
        &self.pixels[index * self.shape.bytes()..][..self.shape.bytes()]
    }

    /// Class and split of image `index`.
    pub fn item(&self, index: usize) -> Item {
        self.items[index]
    }

    /// SHA-256 over size, classes, and the images `indices` with their labels, in
    /// hexadecimal.
    pub fn fingerprint(&self, indices: &[usize]) -> String {
        let mut hash = FieldHasher::default();
        hash.field(format!("{:?}", self.shape));
        self.classes.iter().for_each(|class| hash.field(class));
        for &index in indices {
            hash.field((self.item(index).class as u64).to_le_bytes());
            hash.field(self.image(index));
        }
        hash.finish()
    }

    /// Indices of the images of `split`, ascending.
    pub fn split(&self, split: Split) -> Vec<usize> {
        (0..self.len()).filter(|&index| self.items[index].split == Some(split)).collect()
    }

    /// Whether any image belongs to a part of a partition.
    pub fn has_splits(&self) -> bool {
        self.items.iter().any(|item| item.split.is_some())
    }
}
