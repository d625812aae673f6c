//! One error type for the crate; its variants say what the caller can do.

use std::path::{Path, PathBuf};

/// Result of everything in this crate that can fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong, in terms of what the caller can do about it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Reading a corpus, a bank or a file failed.
    #[error(transparent)]
    Corpora(#[from] trompe_corpora::Error),
    /// Samples that no feature can be computed from.
    #[error(transparent)]
    Features(#[from] trompe_features::Error),
    /// A study could not be built, served or analyzed.
    #[cfg(feature = "listen")]
    #[error(transparent)]
    ListeningTest(#[from] trompe_listening_test::Error),
    /// A file that trompe wrote (model, manifest, checkpoint) cannot be used.
    #[error("{}: {what}; {remedy}", path.display())]
    BadFile {
        /// The file concerned.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
        /// What the user can do.
        remedy: String,
    },
    /// The request cannot be met as it stands: change it.
    #[error("{what}; {remedy}")]
    Request {
        /// What is wrong with the request.
        what: String,
        /// What the user can do.
        remedy: String,
    },
    /// The work was stopped on request; nothing was lost.
    #[error("stopped before all was written")]
    Stopped,
    /// The victim failed, for a reason of its own.
    #[error(
        "the model that is being fooled failed: {source}; correct it, or leave out what it cannot score"
    )]
    Victim {
        /// What it said.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A fit did not converge or met unusable numbers.
    #[error("{what}; {remedy}")]
    Numeric {
        /// What happened.
        what: String,
        /// What the user can do.
        remedy: String,
    },
}

impl Error {
    /// An [`Error::BadFile`] for `path`.
    pub fn bad_file(
        path: impl AsRef<Path>,
        what: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self::BadFile { path: path.as_ref().to_owned(), what: what.into(), remedy: remedy.into() }
    }

    /// An [`Error::Request`].
    pub fn request(what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::Request { what: what.into(), remedy: remedy.into() }
    }

    /// An [`Error::Numeric`].
    pub fn numeric(what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::Numeric { what: what.into(), remedy: remedy.into() }
    }

    /// An [`Error::Victim`], with its cause.
    pub fn victim(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Victim { source: source.into() }
    }

    /// An input or output error at `path`.
    pub fn io(path: impl AsRef<Path>, source: std::io::Error) -> Self {
        Self::Corpora(trompe_corpora::Error::io(path, source))
    }
}
