//! The calls by which bytes become lasting: write, sync, rename. Whatever must survive a crash
//! goes through here, so that tests can break every single call ([`super::faults`]).

use std::fs::{self, File, OpenOptions};
use std::io::{Error, ErrorKind, Result, Write};
use std::path::{Path, PathBuf};

use super::faults::{self, Call};

/// A file that is written from its beginning or its end, and synced.
#[derive(Debug)]
pub struct Durable {
    file: File,
    path: PathBuf,
}

impl Durable {
    /// An open file, and the path that it has.
    pub(super) fn new(file: File, path: PathBuf) -> Self {
        Self { file, path }
    }

    /// A new, empty file.
    ///
    /// # Errors
    /// If it is there already or cannot be made.
    pub fn create_new(path: &Path) -> Result<Self> {
        let file = OpenOptions::new().write(true).create_new(true).open(path)?;
        Ok(Self::new(file, path.to_owned()))
    }

    /// A file to append to, made if it is not there.
    ///
    /// # Errors
    /// If it cannot be opened, or is something else than a file.
    pub fn append_to(path: &Path) -> Result<Self> {
        // Opening a pipe would wait for a reader.
        let path = &destination(path)?;
        let file = OpenOptions::new().append(true).create(true).open(path)?;
        Ok(Self::new(file, path.to_owned()))
    }

    /// The file, to ask and to lock.
    pub fn file(&self) -> &File {
        &self.file
    }

    /// Cuts the file to its first `length` bytes.
    ///
    /// # Errors
    /// If the system refuses.
    pub fn cut(&self, length: u64) -> Result<()> {
        faults::before(Call::Cut)?;
        self.file.set_len(length)
    }

    /// Makes what was written last.
    ///
    /// # Errors
    /// If the system refuses: what was written may be lost.
    pub fn sync(&self) -> Result<()> {
        faults::before(Call::Sync { path: &self.path })?;
        self.file.sync_all()
    }
}

impl Write for Durable {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        let torn = faults::torn_write(&self.path, bytes.len())?;
        if let Some(kept) = torn {
            self.file.write_all(&bytes[..kept])?;
            faults::die();
        }
        self.file.write(bytes)
    }

    fn flush(&mut self) -> Result<()> {
        self.file.flush()
    }
}

/// Refuses a place where something is that is neither a file nor a folder: a device, a pipe, a
/// socket or a link. Renaming would replace it, and a superuser may.
fn check_replaceable(place: &Path) -> Result<()> {
    let kind = match fs::symlink_metadata(place) {
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(()),
        metadata => metadata?.file_type(),
    };
    if kind.is_file() || kind.is_dir() {
        return Ok(());
    }
    let what = if kind.is_symlink() { "a link to no file" } else { "a device or a pipe" };
    Err(Error::new(
        ErrorKind::InvalidInput,
        format!("is {what}, which is never replaced: name a file"),
    ))
}

/// Where a file written to `path` goes: links to files are followed.
///
/// # Errors
/// If something else than a file or a folder is there.
pub(super) fn destination(path: &Path) -> Result<PathBuf> {
    let place = match path.is_symlink() && path.is_file() {
        true => fs::canonicalize(path)?,
        false => path.to_owned(),
    };
    check_replaceable(&place)?;
    Ok(place)
}

/// Renames a file or folder; lasting once the folder that holds `to` is synced.
///
/// # Errors
/// If the system refuses, or `to` is something else than a file or a folder; nothing is then
/// renamed.
pub fn rename(from: &Path, to: &Path) -> Result<()> {
    check_replaceable(to)?;
    if !from.try_exists()? {
        return Err(ErrorKind::NotFound.into());
    }
    faults::before(Call::Rename { from, to })?;
    fs::rename(from, to)
}

/// Removes a file; lasting once its folder is synced.
///
/// # Errors
/// If the system refuses.
pub fn remove(path: &Path) -> Result<()> {
    faults::before(Call::Remove)?;
    fs::remove_file(path)
}

/// Makes the names in a folder last.
///
/// # Errors
/// If the system refuses.
pub fn sync_folder(folder: &Path) -> Result<()> {
    faults::before(Call::SyncFolder { folder })?;
    File::open(folder)?.sync_all()
}

/// Writes and syncs a new file.
///
/// # Errors
/// If it is there already or cannot be written.
pub fn write_new(path: &Path, bytes: &[u8]) -> Result<()> {
    let mut file = Durable::create_new(path)?;
    file.write_all(bytes)?;
    file.sync()
}
