//! From a path or clip to mono audio at the wanted rate, and the record of what was skipped.

use std::path::{Path, PathBuf};

use crate::audio::Audio;
use crate::corpus::Clip;
use crate::decode::{decode, decode_range};
use crate::error::Result;
use crate::limits::Limits;
use crate::resample::resample;

/// A file that was left out because the user allowed it, and why: always shown, never silent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// The file.
    pub path: PathBuf,
    /// The error it gave.
    pub why: String,
}

/// A whole file as mono audio at `rate` hertz. A mono 16-bit file of that rate comes back as
/// its integers over 32,768, exactly.
///
/// # Errors
/// As [`decode`](crate::decode::decode()) and [`resample`](crate::resample::resample()).
pub fn read_mono(path: &Path, rate: u32, limits: &Limits) -> Result<Audio> {
    resample(decode(path, limits)?, rate)
}

impl Clip {
    /// The clip's audio, mono, at `rate` hertz.
    ///
    /// # Errors
    /// As [`read_mono`]; also if the file ends before the clip does.
    pub fn read(&self, rate: u32, limits: &Limits) -> Result<Audio> {
        resample(decode_range(&self.path, self.start, self.end, limits)?, rate)
    }
}
