//! The calls that change what is on the disk. The durable files announce each one before they make it.

use std::path::Path;

/// A call that is about to be made.
#[derive(Debug, Clone, Copy)]
#[cfg_attr(
    not(feature = "faults"),
    expect(dead_code, reason = "only injected faults read the paths")
)]
pub(super) enum Call<'a> {
    /// Writes to a file.
    Write { path: &'a Path },
    /// Truncates a file.
    Truncate,
    /// Syncs a file.
    Sync { path: &'a Path },
    /// Renames a file or folder.
    Rename { from: &'a Path, to: &'a Path },
    /// Removes a file.
    Remove,
    /// Syncs a folder.
    SyncFolder { folder: &'a Path },
}
