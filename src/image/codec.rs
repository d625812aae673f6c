//! Images as delivered files: 8-bit PNG.

use std::path::Path;

use trompe_corpora::images::{read_png, write_png};
use trompe_corpora::{Image, Limits};

use crate::error::Result;
use crate::exhibits::{Codec, Picture};

/// PNG files. Pixels come back as they were.
#[derive(Debug, Clone, Copy)]
pub struct PngCodec;

impl Codec<Image> for PngCodec {
    fn extension(&self) -> &'static str {
        "png"
    }

    fn write(&self, image: &Image, path: &Path) -> Result<()> {
        Ok(write_png(path, image)?)
    }

    fn read(&self, path: &Path) -> Result<Image> {
        Ok(read_png(path, &Limits::default())?)
    }

    fn picture(&self, _: &Image) -> Picture {
        Picture::Image
    }
}
