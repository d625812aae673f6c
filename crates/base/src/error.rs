//! The error type of files, requests and external programs. Its variants say what the caller can do.

use std::path::{Path, PathBuf};

/// Result with this crate's error.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong, in terms of what the caller can do about it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The operating system refused; retry or repair the path.
    #[error("{}: {source}{}", path.display(), advice(source))]
    Io {
        /// The file or folder concerned.
        path: PathBuf,
        /// The operating system's error.
        source: std::io::Error,
    },
    /// One file is bad. A caller may skip it if the user asked for that (`--skip-bad`).
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
    /// An external program is missing or failed.
    #[error("{program}: {what}; {remedy}")]
    Tool {
        /// The program's name.
        program: String,
        /// What happened.
        what: String,
        /// What the user can do, such as the package to install.
        remedy: String,
    },
}

/// Advice for the errors of the operating system that have an obvious remedy.
fn advice(source: &std::io::Error) -> &'static str {
    use std::io::ErrorKind;
    match source.kind() {
        ErrorKind::NotFound => "; check the path",
        ErrorKind::NotADirectory => "; a folder is needed here",
        ErrorKind::IsADirectory => "; a file is needed here, not a folder",
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
            "; choose another place, or change who may use this one"
        }
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => "; make room",
        _ => "",
    }
}

impl Error {
    /// An [`Error::Io`] for `path`.
    pub fn io(path: impl AsRef<Path>, source: std::io::Error) -> Self {
        Self::Io { path: path.as_ref().to_owned(), source }
    }

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

    /// An [`Error::Tool`].
    pub fn tool(
        program: impl Into<String>,
        what: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self::Tool { program: program.into(), what: what.into(), remedy: remedy.into() }
    }
}
