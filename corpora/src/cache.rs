//! The user's cache folder: what is fetched or rendered once and used again.
//!
//! Everything in it can be made again, so the only promise is that a finished entry is
//! whole: an entry is filled under another name, while a lock is held, and renamed at the
//! end. What a process that died left unfinished is swept away by the next one.

use std::ffi::OsString;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use trompe_base::{Error, Result};

/// A folder of finished entries, one folder each, shared safely by several processes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cache {
    root: PathBuf,
}

/// Held while one process works on an entry; released when dropped, and by the operating
/// system when the process dies.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl Cache {
    /// The cache at `root`; the folder is made when something is first put there.
    pub fn at(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// The user's cache: `$TROMPE_CACHE`, else `$XDG_CACHE_HOME/trompe`, else
    /// `~/.cache/trompe`.
    ///
    /// # Errors
    /// [`Error::Request`] when none of the three is set.
    pub fn of_user() -> Result<Self> {
        Self::locate(|name| std::env::var_os(name))
    }

    /// As [`Cache::of_user`], with the environment given.
    fn locate(variable: impl Fn(&str) -> Option<OsString>) -> Result<Self> {
        let set = |name| variable(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        if let Some(root) = set("TROMPE_CACHE") {
            return Ok(Self::at(root));
        }
        // The XDG base directory specification wants relative values ignored.
        let xdg = set("XDG_CACHE_HOME").filter(|path| path.is_absolute());
        match xdg.or_else(|| set("HOME").map(|home| home.join(".cache"))) {
            Some(base) => Ok(Self::at(base.join("trompe"))),
            None => Err(Error::request(
                "no cache folder: neither TROMPE_CACHE, XDG_CACHE_HOME nor HOME is set",
                "set TROMPE_CACHE to a folder that trompe may fill",
            )),
        }
    }

    /// The cache's folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Where the entry `name` of `shelf` is, or will be.
    pub fn entry(&self, shelf: &str, name: &str) -> PathBuf {
        self.root.join(shelf).join(name)
    }

    /// Makes and returns the folder `shelf`, which belongs to the caller.
    ///
    /// # Errors
    /// [`Error::Io`] naming the folder.
    pub fn shelf(&self, shelf: &str) -> Result<PathBuf> {
        let folder = self.root.join(shelf);
        fs::create_dir_all(&folder).map_err(|source| Error::io(&folder, source))?;
        Ok(folder)
    }

    /// Waits until no other process holds the lock `name`, and takes it.
    ///
    /// # Errors
    /// [`Error::Io`] naming the lock's file.
    pub fn lock(&self, name: &str) -> Result<Lock> {
        let path = self.shelf("locks")?.join(format!("{name}.lock"));
        let open = || {
            let file = File::options().create(true).append(true).open(&path)?;
            file.lock()?;
            Ok(file)
        };
        open().map(|file| Lock { _file: file }).map_err(|source| Error::io(&path, source))
    }

    /// The folder of the entry `name` of `shelf`. If `sound` does not accept what is there, `fill` builds the
    /// entry in an empty folder.
    ///
    /// # Errors
    /// [`Error::Io`], and whatever `fill` returns; the entry then does not exist.
    pub fn build(
        &self,
        shelf: &str,
        name: &str,
        sound: impl Fn(&Path) -> bool,
        fill: impl FnOnce(&Path) -> Result<()>,
    ) -> Result<PathBuf> {
        let entry = self.entry(shelf, name);
        if entry.is_dir() && sound(&entry) {
            return Ok(entry);
        }
        let _lock = self.lock(&format!("{shelf}-{name}"))?;
        // Another process may have built the entry while this one waited for the lock.
        if entry.is_dir() {
            if sound(&entry) {
                return Ok(entry);
            }
            fs::remove_dir_all(&entry).map_err(|source| Error::io(&entry, source))?;
        }
        let part = self.shelf(shelf)?.join(format!(".partial-{name}"));
        empty(&part)?;
        fill(&part)?;
        sync_below(&part)?;
        fs::rename(&part, &entry).map_err(|source| Error::io(&entry, source))?;
        Ok(entry)
    }
}

/// Makes everything in `folder` durable, so that an entry is whole even after a power cut.
fn sync_below(folder: &Path) -> Result<()> {
    for entry in walkdir::WalkDir::new(folder).contents_first(true) {
        let entry = entry.map_err(|e| Error::io(folder, e.into()))?;
        let sync = || File::open(entry.path())?.sync_all();
        sync().map_err(|source| Error::io(entry.path(), source))?;
    }
    Ok(())
}

/// Makes `path` an empty folder, whatever was there.
///
/// # Errors
/// [`Error::Io`] naming the folder.
pub(crate) fn empty(path: &Path) -> Result<()> {
    let sweep = || {
        match fs::remove_dir_all(path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        fs::create_dir_all(path)
    };
    sweep().map_err(|source| Error::io(path, source))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    fn located(set: &[(&str, &str)]) -> Result<Cache> {
        Cache::locate(|name| {
            set.iter().find(|(key, _)| *key == name).map(|(_, value)| OsString::from(value))
        })
    }

    #[test]
    fn the_three_places_are_tried_in_order() {
        let all = [("TROMPE_CACHE", "/t"), ("XDG_CACHE_HOME", "/x"), ("HOME", "/h")];
        assert_eq!(located(&all).unwrap().root(), Path::new("/t"));
        assert_eq!(located(&all[1..]).unwrap().root(), Path::new("/x/trompe"));
        assert_eq!(located(&all[2..]).unwrap().root(), Path::new("/h/.cache/trompe"));
        assert!(located(&[]).unwrap_err().to_string().contains("TROMPE_CACHE"));
        let relative = [("XDG_CACHE_HOME", "x"), ("HOME", "/h")];
        assert_eq!(located(&relative).unwrap().root(), Path::new("/h/.cache/trompe"));
    }

    #[test]
    fn a_failed_fill_leaves_no_entry_and_its_files_are_swept_away() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::at(folder.path());
        let failed = cache.build(
            "shelf",
            "entry",
            |_| true,
            |part| {
                fs::write(part.join("first"), "1").unwrap();
                Err(Error::request("interrupted", "again"))
            },
        );
        assert!(failed.is_err());
        assert!(!cache.entry("shelf", "entry").exists());
        let entry = cache.build(
            "shelf",
            "entry",
            |_| true,
            |part| {
                assert!(!part.join("first").exists());
                fs::write(part.join("second"), "2").unwrap();
                Ok(())
            },
        );
        assert!(entry.unwrap().join("second").is_file());
    }

    #[test]
    fn an_unsound_entry_is_filled_anew_and_a_sound_one_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::at(folder.path());
        let sound = |path: &Path| fs::read_to_string(path.join("file")).unwrap() == "new";
        let put = |text: &'static str| {
            move |part: &Path| fs::write(part.join("file"), text).map_err(|e| Error::io(part, e))
        };
        cache.build("shelf", "entry", sound, put("old")).unwrap();
        let entry = cache.build("shelf", "entry", sound, put("new")).unwrap();
        assert!(sound(&entry));
        cache.build("shelf", "entry", sound, |_| panic!("filled a sound entry")).unwrap();
    }

    #[test]
    fn two_at_once_fill_once() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::at(folder.path());
        let fills = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    cache
                        .build(
                            "shelf",
                            "entry",
                            |_| true,
                            |_| {
                                fills.fetch_add(1, Ordering::SeqCst);
                                std::thread::sleep(std::time::Duration::from_millis(20));
                                Ok(())
                            },
                        )
                        .unwrap();
                });
            }
        });
        assert_eq!(fills.into_inner(), 1);
    }
}
