//! Durable files: a file under its final name is always complete.

mod call;
mod durable;
#[cfg(feature = "faults")]
mod faults;
#[cfg(not(feature = "faults"))]
#[path = "no_faults.rs"]
mod faults;
mod outputs;
#[cfg(feature = "faults")]
mod power;

use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;

pub use durable::{Durable, remove, rename, sync_folder, write_new};
pub use outputs::{check_output_file, check_output_folder};

use crate::error::{Error, Result};

/// Prefix of the names of files and folders that are being written.
pub const PARTIAL: &str = ".partial-";

/// Removes the partial files that a killed process left in `folder`. The caller must know that no other
/// process is writing there.
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

/// Reads a regular file of at most `most` bytes.
///
/// # Errors
/// [`Error::BadFile`] if it is larger or not a regular file, [`Error::Io`] if it cannot be read.
pub fn read_at_most(path: &Path, most: u64) -> Result<Vec<u8>> {
    let refuse = |what: String| Err(Error::bad_file(path, what, "replace it, or leave it out"));
    let metadata = std::fs::metadata(path).map_err(|e| Error::io(path, e))?;
    if !metadata.is_file() {
        return refuse("is not a regular file".to_owned());
    }
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(most.saturating_add(1)).read_to_end(&mut bytes))
        .map_err(|e| Error::io(path, e))?;
    if bytes.len() as u64 > most {
        return refuse(format!("has {} bytes, the limit is {most}", metadata.len()));
    }
    Ok(bytes)
}

/// As [`read_at_most`], for UTF-8 text.
///
/// # Errors
/// As [`read_at_most`]; [`Error::BadFile`] with the position of the first byte that is not UTF-8.
pub fn read_text(path: &Path, most: u64) -> Result<String> {
    String::from_utf8(read_at_most(path, most)?).map_err(|e| {
        let place = e.utf8_error().valid_up_to();
        Error::bad_file(path, format!("is not UTF-8 text at byte {place}"), "save it as UTF-8")
    })
}

/// Writes `bytes` to `path` so that a reader sees the old content or the new, never a part of it: writes a
/// temporary file beside it, syncs, renames, and syncs the folder. A link to a file is followed. A new file
/// has the permissions that the umask leaves.
///
/// # Errors
/// [`Error::Io`] naming `path`, also if it is a device, a pipe or a dangling link. The old content is
/// untouched then.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> Result<()> {
    let place = durable::destination(path).map_err(|source| Error::io(path, source))?;
    let folder = match place.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let write = || -> std::io::Result<()> {
        let (file, temporary) = temporary_file(folder)?.into_parts();
        let mut file = Durable::new(file, temporary.to_path_buf());
        file.write_all(bytes)?;
        file.sync()?;
        rename(&temporary, &place)?;
        // After the rename there is nothing left to remove.
        temporary.keep()?;
        sync_folder(folder)
    };
    write().map_err(|source| Error::io(path, source))
}

/// A temporary file with the permissions of an ordinary new file. Without this, only its owner could read
/// it: a web server could not serve a study that was written so.
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
        // The umask of the process decides for both.
        let permissions = |path| std::fs::metadata(path).unwrap().permissions();
        assert_eq!(permissions(&path), permissions(&ordinary));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2);
    }

    #[test]
    fn what_is_read_is_a_regular_file_within_its_limit() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        std::fs::write(&path, "caf\u{e9}").unwrap();
        assert_eq!(read_text(&path, 5).unwrap(), "caf\u{e9}");
        let larger = read_at_most(&path, 4).unwrap_err().to_string();
        assert!(larger.contains("5 bytes, the limit is 4"), "{larger}");
        std::fs::write(&path, b"ab\xff").unwrap();
        assert!(read_text(&path, 9).unwrap_err().to_string().contains("byte 2"));
        let no_file = read_at_most(folder.path(), 9).unwrap_err().to_string();
        assert!(no_file.contains("regular file"), "{no_file}");
    }

    #[cfg(unix)]
    #[test]
    fn only_files_are_replaced() {
        use std::os::unix::fs::symlink;
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let _listening = std::os::unix::net::UnixListener::bind(at("socket")).unwrap();
        symlink("nowhere", at("dangling")).unwrap();
        symlink("/dev/null", at("device")).unwrap();
        for name in ["socket", "dangling", "device"] {
            let kind = std::fs::symlink_metadata(at(name)).unwrap().file_type();
            let error = write_atomically(&at(name), b"new").unwrap_err().to_string();
            assert!(error.contains(name) && error.contains("never replaced"), "{error}");
            assert_eq!(std::fs::symlink_metadata(at(name)).unwrap().file_type(), kind, "{name}");
            std::fs::write(at("file"), b"x").unwrap();
            assert!(rename(&at("file"), &at(name)).is_err(), "{name}");
        }
        assert!(write_atomically(Path::new("/dev/null"), b"new").is_err());
        assert!(Durable::append_to(&at("socket")).is_err());
        symlink("file", at("link")).unwrap();
        write_atomically(&at("link"), b"new").unwrap();
        assert!(at("link").is_symlink());
        assert_eq!(std::fs::read(at("file")).unwrap(), b"new");
    }

    #[test]
    fn a_missing_folder_is_named() {
        let error = write_atomically(Path::new("/nowhere/at/all"), b"").unwrap_err();
        assert!(error.to_string().contains("/nowhere/at/all"), "{error}");
    }
}
