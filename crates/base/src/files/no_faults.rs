//! What [`super::durable`] calls in a build without fault injection: nothing happens.

use std::fs::File;
use std::io::Result;
use std::path::Path;

use super::call::Call;

/// Runs before every call but writes.
pub(super) fn before(_: Call<'_>) -> Result<()> {
    Ok(())
}

/// Runs before every write.
pub(super) fn before_write(_: &mut File, _: &Path, _: &[u8]) -> Result<()> {
    Ok(())
}
