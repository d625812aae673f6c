//! The error type of the crate.

use std::path::Path;

/// Result of everything in this crate that can fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong, in terms of what the caller can do about it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file or a request is bad.
    #[error(transparent)]
    Base(#[from] trompe_base::Error),
    /// The answers database refused; nothing was acknowledged.
    #[error("answers database: {0}; check the disk and that no other server uses it")]
    Store(#[from] rusqlite::Error),
}

impl Error {
    /// A [`trompe_base::Error::Io`] for `path`: a file, a folder or an address.
    pub fn io(path: impl AsRef<Path>, source: std::io::Error) -> Self {
        Self::Base(trompe_base::Error::io(path, source))
    }

    /// A [`trompe_base::Error::BadFile`] for `path`.
    pub fn bad_file(
        path: impl AsRef<Path>,
        what: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self::Base(trompe_base::Error::bad_file(path, what, remedy))
    }

    /// A [`trompe_base::Error::Request`].
    pub fn request(what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::Base(trompe_base::Error::request(what, remedy))
    }
}
