//! Callables as victims.

use std::sync::{Arc, OnceLock};

use pyo3::prelude::*;
use trompe::reference::Reference;

use crate::stated::Stated;

/// A callable with what is stated of it.
pub(crate) struct Callable {
    pub(crate) stated: Arc<Stated>,
    pub(crate) call: Py<PyAny>,
    pub(crate) gradient: Option<Py<PyAny>>,
    pub(crate) reference: OnceLock<Reference>,
}
