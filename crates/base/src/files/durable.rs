//! The calls that make bytes durable: write, sync, rename. Whatever must survive a crash goes through
//! here, so that tests can break every single call (`faults.rs`).

use std::fs::{self, File, OpenOptions};
use std::io::{Error, ErrorKind, Result, Write};
use std::path::{Path, PathBuf};

use super::call::Call;
use super::faults;

/// A file that is written from its beginning or its end, and synced.
#[derive(Debug)]
pub struct Durable {
    file: File,
    path: PathBuf,
}

impl Durable {
    /// An open file and its path.
    pub(super) fn new(file: File, path: PathBuf) -> Self {
        Self { file, path }
    }

    /// A new, empty file.
    ///
    /// # Errors
    /// If it exists or cannot be created.
    pub fn create_new(path: &Path) -> Result<Self> {
        let file = OpenOptions::new().write(true).create_new(true).open(path)?;
        Ok(Self::new(file, path.to_owned()))
    }

    /// A file to append to; created if it does not exist.
    ///
    /// # Errors
    /// If it cannot be opened or is not a regular file.
    pub fn append_to(path: &Path) -> Result<Self> {
        // Opening a pipe would wait for a reader.
        let path = &destination(path)?;
        let file = OpenOptions::new().append(true).create(true).open(path)?;
        Ok(Self::new(file, path.to_owned()))
    }

    /// The open file, for its metadata and for locking.
    pub fn file(&self) -> &File {
        &self.file
    }

    /// Truncates the file to its first `length` bytes.
    ///
    /// # Errors
    /// If the system refuses.
    pub fn truncate(&self, length: u64) -> Result<()> {
        faults::before(Call::Truncate)?;
        self.file.set_len(length)
    }

    /// Flushes what was written to the disk.
    ///
    /// # Errors
    /// If the system refuses; what was written may be lost.
    pub fn sync(&self) -> Result<()> {
        faults::before(Call::Sync { path: &self.path })?;
        self.file.sync_all()
    }
}

impl Write for Durable {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        faults::before_write(&mut self.file, &self.path, bytes)?;
        self.file.write(bytes)
    }

    fn flush(&mut self) -> Result<()> {
        self.file.flush()
    }
}

/// Refuses to replace a device, a pipe, a socket or a link. A rename would replace them, and the superuser
/// is allowed to.
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
/// If a device, a pipe, a socket or a link to no file is there.
pub(super) fn destination(path: &Path) -> Result<PathBuf> {
    let place = match path.is_symlink() && path.is_file() {
        true => fs::canonicalize(path)?,
        false => path.to_owned(),
    };
    check_replaceable(&place)?;
    Ok(place)
}

/// Renames a file or folder. The rename is durable once the folder that holds `to` is synced.
///
/// # Errors
/// If the system refuses, or if `to` is neither a file nor a folder. Nothing is renamed then.
pub fn rename(from: &Path, to: &Path) -> Result<()> {
    check_replaceable(to)?;
    if !from.try_exists()? {
        return Err(ErrorKind::NotFound.into());
    }
    faults::before(Call::Rename { from, to })?;
    fs::rename(from, to)
}

/// Removes a file. The removal is durable once its folder is synced.
///
/// # Errors
/// If the system refuses.
pub fn remove(path: &Path) -> Result<()> {
    faults::before(Call::Remove)?;
    fs::remove_file(path)
}

/// Makes new and changed names in a folder durable.
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
/// If it exists or cannot be written.
pub fn write_new(path: &Path, bytes: &[u8]) -> Result<()> {
    let mut file = Durable::create_new(path)?;
    file.write_all(bytes)?;
    file.sync()
}
