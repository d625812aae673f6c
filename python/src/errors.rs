//! Errors of the library as Python exceptions.

use pyo3::PyErr;
use pyo3::exceptions::{PyOSError, PyRuntimeError, PyValueError};
use trompe::base::Error as Base;
use trompe::error::Error;

/// What Python raises for `error`: an exception that Python code raised itself as it was, `OSError` for
/// what the operating system refused, `RuntimeError` for other programs, `ValueError` for all else.
pub(crate) fn raised(error: Error) -> PyErr {
    match error {
        Error::Victim { source } => match source.downcast::<PyErr>() {
            Ok(own) => *own,
            Err(other) => PyRuntimeError::new_err(other.to_string()),
        },
        Error::Corpora(Base::Io { ref source, .. }) => match source.raw_os_error() {
            Some(number) => PyOSError::new_err((number, error.to_string())),
            None => PyOSError::new_err(error.to_string()),
        },
        Error::Corpora(Base::Tool { .. }) => PyRuntimeError::new_err(error.to_string()),
        other => PyValueError::new_err(other.to_string()),
    }
}

/// `ValueError` for the argument `name`.
pub(crate) fn bad(name: &str, what: impl std::fmt::Display) -> PyErr {
    PyValueError::new_err(format!("{name}: {what}"))
}
