//! Labelled collections of images, in memory.
//!
//! [`ImageCorpus::open`] reads a folder of IDX or CSV files as MNIST has them, or a folder with one
//! folder of pictures (PNG, JPEG, WebP, BMP, GIF, TIFF) per class. [`synthetic_digits`] draws a set that needs no download.

mod corpus;
mod digits;
mod idx;
mod image;
mod jpeg;
mod mnist;
mod open;
mod orientation;
mod other;
mod png;
mod read;
mod table;

pub use corpus::{ImageCorpus, Item};
pub use digits::synthetic_digits;
pub use idx::{IdxArray, read_idx, write_idx};
pub use image::{Image, ImageShape};
pub use jpeg::read_jpeg;
pub(crate) use open::CLASSES_FILE;
pub use png::{read_png, write_png};
pub use read::read_image;
