//! A model of what a power cut loses. The disk keeps what was synced and any part of the rest: a file has
//! any number of its unsynced bytes, and an unsynced rename has happened or not, independently of the
//! bytes.

use std::fs::{self, OpenOptions};
use std::io::Result;
use std::path::PathBuf;

use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};

use super::call::Call;

/// What was written or renamed but not synced.
#[derive(Debug, Default)]
pub(super) struct Unsynced {
    files: Vec<Grown>,
    renames: Vec<Renamed>,
}

/// A file with bytes that were not synced.
#[derive(Debug)]
struct Grown {
    path: PathBuf,
    synced: u64,
}

/// A rename that was not synced, and what it replaced.
#[derive(Debug)]
struct Renamed {
    from: PathBuf,
    to: PathBuf,
    replaced: Option<Vec<u8>>,
}

impl Unsynced {
    /// Records a call that is about to be made.
    pub(super) fn note(&mut self, call: Call<'_>) -> Result<()> {
        match call {
            Call::Write { path } => {
                if !self.files.iter().any(|file| file.path == path) {
                    let synced = fs::metadata(path)?.len();
                    self.files.push(Grown { path: path.to_owned(), synced });
                }
            }
            // Neither brings new bytes, so the model takes them as durable at once.
            Call::Truncate | Call::Remove => {}
            Call::Sync { path } => self.files.retain(|file| file.path != path),
            Call::Rename { from, to } => {
                let replaced = if to.is_file() { Some(fs::read(to)?) } else { None };
                for file in &mut self.files {
                    if let Ok(below) = file.path.strip_prefix(from) {
                        let moved = to.join(below);
                        file.path =
                            if below.as_os_str().is_empty() { to.to_owned() } else { moved };
                    }
                }
                let (from, to) = (from.to_owned(), to.to_owned());
                self.renames.push(Renamed { from, to, replaced });
            }
            Call::SyncFolder { folder } => {
                self.renames.retain(|renamed| renamed.to.parent() != Some(folder));
            }
        }
        Ok(())
    }

    /// Cuts the power. Errors are ignored because the process is about to die.
    pub(super) fn lose(&mut self, seed: u64) {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        for file in self.files.drain(..) {
            let Ok(length) = fs::metadata(&file.path).map(|metadata| metadata.len()) else {
                continue;
            };
            let kept = match rng.random_range(0..3) {
                0 => file.synced.min(length),
                1 => length,
                _ => rng.random_range(file.synced.min(length)..=length),
            };
            drop(OpenOptions::new().write(true).open(&file.path).map(|file| file.set_len(kept)));
        }
        for renamed in self.renames.drain(..).rev() {
            if rng.random() {
                continue;
            }
            drop(fs::rename(&renamed.to, &renamed.from));
            if let Some(bytes) = renamed.replaced {
                drop(fs::write(&renamed.to, bytes));
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::path::Path;

    use super::*;

    fn outcomes(act: impl Fn(&Path, &mut Unsynced)) -> Vec<(Option<String>, Option<String>)> {
        let mut seen = Vec::new();
        for seed in 0..64 {
            let folder = tempfile::tempdir().unwrap();
            let (old, new) = (folder.path().join("a"), folder.path().join("b"));
            fs::write(&old, "old").unwrap();
            let mut unsynced = Unsynced::default();
            act(folder.path(), &mut unsynced);
            unsynced.lose(seed);
            let state = (fs::read_to_string(&old).ok(), fs::read_to_string(&new).ok());
            if !seen.contains(&state) {
                seen.push(state);
            }
        }
        seen.sort();
        seen
    }

    fn write(path: &Path, unsynced: &mut Unsynced) {
        fs::write(path, "").unwrap();
        unsynced.note(Call::Write { path }).unwrap();
        fs::write(path, "n").unwrap();
    }

    fn rename(from: &Path, to: &Path, unsynced: &mut Unsynced) {
        unsynced.note(Call::Rename { from, to }).unwrap();
        fs::rename(from, to).unwrap();
    }

    #[test]
    fn without_syncs_a_replaced_file_may_be_empty() {
        let seen = outcomes(|folder, unsynced| {
            let (old, new) = (folder.join("a"), folder.join("b"));
            write(&new, unsynced);
            rename(&new, &old, unsynced);
        });
        let state = |a: &str, b: Option<&str>| (Some(a.to_owned()), b.map(str::to_owned));
        let all =
            [state("", None), state("n", None), state("old", Some("")), state("old", Some("n"))];
        assert_eq!(seen, all);
    }

    #[test]
    fn what_is_synced_is_kept() {
        let seen = outcomes(|folder, unsynced| {
            let (old, new) = (folder.join("a"), folder.join("b"));
            write(&new, unsynced);
            unsynced.note(Call::Sync { path: &new }).unwrap();
            rename(&new, &old, unsynced);
            unsynced.note(Call::SyncFolder { folder }).unwrap();
        });
        assert_eq!(seen, [(Some("n".to_owned()), None)]);
    }
}
