//! Errors of feature extraction.

/// Result of everything in this crate that can fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why no feature can be computed from the given samples or settings.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The clip is shorter than one feature vector needs.
    #[error("clip of {samples} samples is too short: one feature vector needs {needed}")]
    TooShort {
        /// Samples given.
        samples: usize,
        /// Samples needed.
        needed: usize,
    },
    /// A sample is NaN or infinite.
    #[error("sample {index} is not a finite number")]
    NotFinite {
        /// Index of the first such sample.
        index: usize,
    },
    /// A sample is louder than any sound ([`crate::LOUDEST`]).
    #[error("sample {index} is {value:e}: not sound, which has full scale 1")]
    TooLoud {
        /// Index of the first such sample.
        index: usize,
        /// The sample.
        value: f32,
    },
    /// All samples are equal, where only their changes count.
    #[error("the clip is silent: all its samples are equal, so there is nothing to measure")]
    Silent,
    /// A value of a spectrogram is beyond the range of f32.
    #[error(
        "a value of the spectrogram is too large for 32 bits: choose a smaller scale, or a logarithm"
    )]
    Overflow,
    /// A setting is out of its range.
    #[error("{name} = {value}: must be {range}")]
    Setting {
        /// Setting's name.
        name: &'static str,
        /// Value given.
        value: String,
        /// The range it must lie in.
        range: &'static str,
    },
}

impl Error {
    /// [`Error::Setting`] of a value that is out of range.
    pub(crate) fn setting(
        name: &'static str,
        value: impl std::fmt::Display,
        range: &'static str,
    ) -> Self {
        Self::Setting { name, value: value.to_string(), range }
    }
}
