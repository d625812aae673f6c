//! Results as JSON.

use serde::Serialize;
use trompe::error::{Error, Result};

/// A result as JSON.
///
/// # Errors
/// What `serde_json` cannot write.
pub(crate) fn json(result: &impl Serialize) -> Result<String> {
    serde_json::to_string(result)
        .map_err(|error| Error::numeric(format!("result: {error}"), "report this as a fault"))
}
