//! What a file may cost: checked before memory is given to it.

/// Bounds on one audio file, passed to everything that decodes. A file beyond a bound is an
/// [`Error::BadFile`](crate::Error::BadFile) that names the bound; the values are our choice.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    /// Largest file, in bytes.
    pub max_file_bytes: u64,
    /// Longest stretch of audio kept from one file, in seconds.
    pub max_seconds: f64,
    /// Most channels that are down-mixed.
    pub max_channels: usize,
    /// Lowest sample rate, in hertz.
    pub min_rate: u32,
    /// Highest sample rate, in hertz.
    pub max_rate: u32,
    /// Most samples that all loops of a bank may hold together.
    pub max_bank_samples: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_file_bytes: 2 << 30,
            max_seconds: 3600.0,
            max_channels: 8,
            min_rate: 8_000,
            max_rate: 192_000,
            // 512 MiB as 16-bit integers.
            max_bank_samples: 1 << 28,
        }
    }
}
