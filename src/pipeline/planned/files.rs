//! The files of a planned run: `rounds/R/shard-S.json` and `rounds/R/merged.json`, sealed.

use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;
use trompe_base::files::write_atomically;

use crate::error::{Error, Result};
use crate::search::ShardId;
use crate::search::sealed::{Sealed, seal, unseal};

/// The file of a shard.
pub(super) fn shard_path(folder: &Path, id: ShardId) -> PathBuf {
    round_folder(folder, id.round).join(format!("shard-{}.json", id.shard))
}

/// The file of a merged round.
pub(super) fn merged_path(folder: &Path, round: u32) -> PathBuf {
    round_folder(folder, round).join("merged.json")
}

fn round_folder(folder: &Path, round: u32) -> PathBuf {
    folder.join("rounds").join(round.to_string())
}

/// What the file at `path` holds; `None` if there is none.
///
/// # Errors
/// [`Error::BadFile`] if it is damaged; an input error.
pub(super) fn read<T: DeserializeOwned>(path: &Path) -> Result<Option<Sealed<T>>> {
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(Error::io(path, e)),
    };
    let damaged = |what: String| Error::bad_file(path, what, "remove it, and compute it again");
    let (json, sha256) = unseal(&bytes).ok_or_else(|| damaged("damaged".to_owned()))?;
    let content = serde_json::from_slice(&json)
        .map_err(|e| damaged(format!("not of this version of trompe: {e}")))?;
    Ok(Some(Sealed { content, sha256 }))
}

/// Writes `content` to `path`, whose folder is made, and returns its SHA-256.
///
/// # Errors
/// An input or output error naming the path.
pub(super) fn write(path: &Path, content: &impl Serialize) -> Result<String> {
    let fault = |what: String| Error::numeric(what, "report this as a fault");
    let bytes = seal(content).map_err(|e| fault(format!("{}: {e}", path.display())))?;
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(|e| Error::io(folder, e))?;
    }
    write_atomically(path, &bytes)?;
    let (_, sha256) = unseal(&bytes).ok_or_else(|| fault("a seal does not hold".to_owned()))?;
    Ok(sha256)
}
