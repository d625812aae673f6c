//! Resource limits of readers, checked before memory is allocated.

use std::time::Duration;

/// Limits for readers of untrusted files. A file beyond a limit is refused with an error that names the
/// limit. The values are our choice.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    /// Largest audio file, in bytes.
    pub max_file_bytes: u64,
    /// Longest stretch of audio kept from one file, in seconds.
    pub max_seconds: f64,
    /// Most channels that are down-mixed.
    pub max_channels: usize,
    /// Lowest sample rate, in hertz.
    pub min_rate: u32,
    /// Highest sample rate, in hertz.
    pub max_rate: u32,
    /// Longest time that an audio decoder may take for one step (a header, a packet). Not for a
    /// whole file: whether a file is good must not depend on how busy the machine is.
    pub max_standstill: Duration,
    /// Most samples that all loops of a bank may hold together.
    pub max_bank_samples: u64,
    /// Largest image file, in bytes.
    pub max_image_bytes: u64,
    /// Most pixels of one image.
    pub max_image_pixels: u64,
    /// Most bytes of an IDX array, and of all images of a corpus together.
    pub max_array_bytes: u64,
    /// Largest table or text file (manifests, class names, `about.toml`), in bytes.
    pub max_text_bytes: u64,
    /// Most lines of a manifest.
    pub max_rows: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_file_bytes: 2 << 30,
            max_seconds: 3600.0,
            max_channels: 8,
            min_rate: 8_000,
            max_rate: 192_000,
            max_standstill: Duration::from_secs(30),
            // 512 MiB as 16-bit integers.
            max_bank_samples: 1 << 28,
            // Far above what the most pixels compress to.
            max_image_bytes: 1 << 26,
            // 4,096 x 4,096: classifiers see a few hundred a side.
            max_image_pixels: 1 << 24,
            max_array_bytes: 2 << 30,
            // Some 100 bytes for each of the most lines.
            max_text_bytes: 1 << 29,
            max_rows: 5_000_000,
        }
    }
}
