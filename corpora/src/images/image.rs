//! One image in memory.
use crate::limits::Limits;
use std::path::Path;
use trompe_base::{Error, Result};
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

    /// What fingerprints hash of it: the text that `{:?}` gave when the first were made. No change of
    /// the type may change it.
    pub fn fixed_text(self) -> String {
        let Self { width, height, channels } = self;
        format!("ImageShape {{ width: {width}, height: {height}, channels: {channels} }}")
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
/// Refuses an image with too many pixels, from the size that its header states.
pub(super) fn check_size(path: &Path, width: u32, height: u32, limits: &Limits) -> Result<()> {
    let most = limits.max_image_pixels;
    if u64::from(width) * u64::from(height) <= most {
        return Ok(());
    }
    let what = format!("{width} x {height} pixels, the limit is {most} together");
    Err(Error::bad_file(path, what, "scale it down"))
}
