//! Durable files: nothing half-written is ever seen under its final name.

use std::fs::File;
use std::io::Write;
use std::path::Path;

use crate::error::{Error, Result};

/// How names of files and folders begin that are being written.
pub const PARTIAL: &str = ".partial-";

/// Removes from `folder` what a process that died while writing left there. The caller must
/// know that nobody is writing there now.
///
/// # Errors
/// [`Error::Io`] naming what cannot be read or removed.
pub fn remove_partial(folder: &Path) -> Result<()> {
    for entry in std::fs::read_dir(folder).map_err(|e| Error::io(folder, e))? {
        let entry = entry.map_err(|e| Error::io(folder, e))?;
        if !entry.file_name().to_string_lossy().starts_with(PARTIAL) {
            continue;
        }
        let path = entry.path();
        let kind = entry.file_type().map_err(|e| Error::io(&path, e))?;
        let removed = if kind.is_dir() {
            std::fs::remove_dir_all(&path)
        } else {
            std::fs::remove_file(&path)
        };
        removed.map_err(|e| Error::io(&path, e))?;
    }
    Ok(())
}

/// Writes `bytes` to `path` so that a reader sees the old content or the new, never a part:
/// temporary file beside it, sync, rename, sync of the folder.
///
/// # Errors
/// [`Error::Io`] naming `path`; the old content is then untouched.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> Result<()> {
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let write = || -> std::io::Result<()> {
        let mut file = temporary_file(folder)?;
        file.write_all(bytes)?;
        file.as_file().sync_all()?;
        file.persist(path)?;
        File::open(folder)?.sync_all()
    };
    write().map_err(|source| Error::io(path, source))
}

/// A temporary file with the permissions that an ordinary new file would have (a temporary
/// file is otherwise its owner's alone).
fn temporary_file(folder: &Path) -> std::io::Result<tempfile::NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(PARTIAL);
    #[cfg(unix)]
    let builder = {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(std::fs::Permissions::from_mode(0o666))
    };
    builder.tempfile_in(folder)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_file_is_replaced_whole_and_has_ordinary_permissions() {
        let folder = tempfile::tempdir().unwrap();
        let (path, ordinary) = (folder.path().join("a"), folder.path().join("b"));
        write_atomically(&path, b"old").unwrap();
        write_atomically(&path, b"new").unwrap();
        std::fs::write(&ordinary, b"x").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"new");
        let permissions = |path| std::fs::metadata(path).unwrap().permissions();
        assert_eq!(permissions(&path), permissions(&ordinary));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2);
    }

    #[test]
    fn a_missing_folder_is_named() {
        let error = write_atomically(Path::new("/nowhere/at/all"), b"").unwrap_err();
        assert!(error.to_string().contains("/nowhere/at/all"), "{error}");
    }
}
