//! Fault injection for tests that run a program from outside. The feature `faults` switches it on.
//!
//! `TROMPE_FAULT=KIND:N` breaks the N-th of all calls that write, truncate, sync, rename or remove:
//!
//! | kind | what happens |
//! |---|---|
//! | `kill` | the process dies before the call; a write is half done |
//! | `EIO` | the call fails, later ones do not |
//! | `ENOSPC` | the disk is full from that call on: writes fail |
//! | `power` | the process dies, and only a part of what was not synced survives; a further `:SEED` chooses it |

use std::fs::File;
use std::io::{Error, Result, Write};
use std::path::Path;
use std::sync::{LazyLock, Mutex, PoisonError};

use super::call::Call;
use super::power::Unsynced;

/// The kind of fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    Kill,
    Fails,
    DiskFull,
    PowerCut { seed: u64 },
}

/// The fault that the environment asks for, and how many calls were made so far.
struct Injection {
    fault: Fault,
    at: u64,
    calls: u64,
    unsynced: Unsynced,
}

static INJECTION: LazyLock<Option<Mutex<Injection>>> = LazyLock::new(|| {
    let (fault, at) = parse(&std::env::var("TROMPE_FAULT").ok()?)?;
    Some(Mutex::new(Injection { fault, at, calls: 0, unsynced: Unsynced::default() }))
});

/// The error numbers of Linux.
const EIO: i32 = 5;
const ENOSPC: i32 = 28;

fn parse(text: &str) -> Option<(Fault, u64)> {
    let mut parts = text.split(':');
    let kind = parts.next()?;
    let at = parts.next()?.parse().ok()?;
    let fault = match kind {
        "kill" => Fault::Kill,
        "EIO" => Fault::Fails,
        "ENOSPC" => Fault::DiskFull,
        "power" => Fault::PowerCut { seed: parts.next()?.parse().ok()? },
        _ => return None,
    };
    Some((fault, at))
}

/// Runs before every call but writes. Fails if a fault is due.
pub(super) fn before(call: Call<'_>) -> Result<()> {
    inject(call).map(drop)
}

/// Runs before `bytes` are written to `file`. Fails if a fault is due; to tear the write, it writes half of
/// the bytes and kills the process.
pub(super) fn before_write(file: &mut File, path: &Path, bytes: &[u8]) -> Result<()> {
    if inject(Call::Write { path })? {
        file.write_all(&bytes[..bytes.len() / 2])?;
        die();
    }
    Ok(())
}

/// Ends the process as a kill would: nothing is flushed, nothing is cleaned up.
fn die() -> ! {
    std::process::abort()
}

/// Counts the call and breaks it if its turn has come. `true` if a write must be torn.
fn inject(call: Call<'_>) -> Result<bool> {
    let Some(injection) = &*INJECTION else { return Ok(false) };
    let mut injection = injection.lock().unwrap_or_else(PoisonError::into_inner);
    injection.calls += 1;
    let writes = matches!(call, Call::Write { .. });
    let due = injection.calls == injection.at;
    match injection.fault {
        Fault::DiskFull if injection.calls >= injection.at && writes => {
            Err(Error::from_raw_os_error(ENOSPC))
        }
        Fault::Fails if due => Err(Error::from_raw_os_error(EIO)),
        Fault::Kill if due && writes => Ok(true),
        Fault::Kill if due => die(),
        Fault::PowerCut { seed } if due => {
            injection.unsynced.lose(seed);
            die()
        }
        Fault::PowerCut { .. } => injection.unsynced.note(call).map(|()| false),
        _ => Ok(false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_is_a_kind_and_a_number() {
        assert_eq!(parse("kill:3"), Some((Fault::Kill, 3)));
        assert_eq!(parse("power:2:7"), Some((Fault::PowerCut { seed: 7 }, 2)));
        for text in ["", "kill", "kill:x", "power:2", "flood:1"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
