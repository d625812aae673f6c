//! The calls by which bytes become lasting: write, sync, rename. Whatever must survive a crash
//! goes through here, so that tests can break every single call ([`super::faults`]).

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Result, Write};
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
    /// If it cannot be opened.
    pub fn append_to(path: &Path) -> Result<Self> {
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

/// Renames a file or folder; lasting once the folder that holds `to` is synced.
///
/// # Errors
/// If the system refuses; nothing is then renamed.
pub fn rename(from: &Path, to: &Path) -> Result<()> {
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
