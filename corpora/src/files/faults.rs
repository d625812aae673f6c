//! Faults at a chosen call, for tests of the program from outside. Builds without debug
//! assertions (releases) have none of it.
//!
//! `TROMPE_FAULT=KIND:N` breaks the N-th of all calls that write, cut, sync, rename or remove:
//!
//! | kind | what happens |
//! |---|---|
//! | `kill` | the process dies before the call; a write is half done |
//! | `EIO` | the call fails, later ones do not |
//! | `ENOSPC` | the disk is full from that call on: writes fail |
//! | `power` | the process dies, and of what was not synced only a part is there, chosen by a further `:SEED` |

use std::io::Result;
use std::path::Path;

/// A call that is about to be made.
#[derive(Debug, Clone, Copy)]
#[cfg_attr(not(debug_assertions), expect(dead_code, reason = "only faults look at it"))]
pub(super) enum Call<'a> {
    /// Writes to a file.
    Write { path: &'a Path },
    /// Cuts a file.
    Cut,
    /// Syncs a file.
    Sync { path: &'a Path },
    /// Renames.
    Rename { from: &'a Path, to: &'a Path },
    /// Removes a file.
    Remove,
    /// Syncs a folder.
    SyncFolder { folder: &'a Path },
}

/// Told before every call but writes; fails where a fault is due.
#[cfg(not(debug_assertions))]
pub(super) fn before(_: Call<'_>) -> Result<()> {
    Ok(())
}

/// Told before every write of `length` bytes: how many of them are written before the process
/// dies, if it does.
#[cfg(not(debug_assertions))]
pub(super) fn torn_write(path: &Path, length: usize) -> Result<Option<usize>> {
    let _ = length;
    before(Call::Write { path }).map(|()| None)
}

#[cfg(debug_assertions)]
pub(super) use broken::{before, torn_write};

/// Ends the process as a kill would: nothing is flushed, nothing is cleaned up.
pub(super) fn die() -> ! {
    std::process::abort()
}

/// The faults themselves.
#[cfg(debug_assertions)]
mod broken {
    use std::io::Error;
    use std::sync::{LazyLock, Mutex, PoisonError};

    use super::{Call, Path, Result, die};
    use crate::files::power::Unsynced;

    /// What breaks.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    enum Kind {
        Kill,
        Fails,
        Full,
        Power { seed: u64 },
    }

    struct Plan {
        kind: Kind,
        at: u64,
        calls: u64,
        unsynced: Unsynced,
    }

    static PLAN: LazyLock<Option<Mutex<Plan>>> = LazyLock::new(|| {
        let text = std::env::var("TROMPE_FAULT").ok()?;
        let mut parts = text.split(':');
        let kind = parts.next()?;
        let at = parts.next()?.parse().ok()?;
        let kind = match kind {
            "kill" => Kind::Kill,
            "EIO" => Kind::Fails,
            "ENOSPC" => Kind::Full,
            "power" => Kind::Power { seed: parts.next()?.parse().ok()? },
            _ => return None,
        };
        Some(Mutex::new(Plan { kind, at, calls: 0, unsynced: Unsynced::default() }))
    });

    /// The error numbers of Linux.
    const EIO: i32 = 5;
    const ENOSPC: i32 = 28;

    pub(in crate::files) fn before(call: Call<'_>) -> Result<()> {
        meet(call).map(drop)
    }

    pub(in crate::files) fn torn_write(path: &Path, length: usize) -> Result<Option<usize>> {
        Ok(meet(Call::Write { path })?.then_some(length / 2))
    }

    /// Counts the call and breaks it if it is its turn; whether a write is to be torn.
    fn meet(call: Call<'_>) -> Result<bool> {
        let Some(plan) = &*PLAN else { return Ok(false) };
        let mut plan = plan.lock().unwrap_or_else(PoisonError::into_inner);
        plan.calls += 1;
        let writes = matches!(call, Call::Write { .. });
        match plan.kind {
            Kind::Full if plan.calls >= plan.at && writes => Err(Error::from_raw_os_error(ENOSPC)),
            Kind::Fails if plan.calls == plan.at => Err(Error::from_raw_os_error(EIO)),
            Kind::Kill if plan.calls == plan.at && writes => Ok(true),
            Kind::Kill if plan.calls == plan.at => die(),
            Kind::Power { seed } if plan.calls == plan.at => {
                plan.unsynced.lose(seed);
                die()
            }
            Kind::Power { .. } => plan.unsynced.note(call).map(|()| false),
            _ => Ok(false),
        }
    }
}
