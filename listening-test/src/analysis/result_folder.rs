//! The folder of results. An analysis that is run again replaces what the one before wrote there, and
//! nothing else: neither a file that somebody changed since, nor one that is somebody's own.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use trompe_base::encoding::hex;
use trompe_base::files::{check_output_folder, read_text, remove, write_atomically};

use crate::error::{Error, Result};

/// Lists the files that were written with their hashes, as `sha256sum -c` reads them.
pub const WRITTEN: &str = "results.sha256";

/// Most bytes of that list; one of a real analysis has a few thousand.
const LONGEST_LIST: u64 = 1 << 20;

/// A folder that results may be written to.
#[derive(Debug, Clone)]
pub struct ResultFolder {
    root: PathBuf,
    /// What an analysis wrote there before: hash and name.
    written: BTreeSet<(String, String)>,
    force: bool,
}

impl ResultFolder {
    /// Looks, before the analysis begins, whether results may be written to `root`: it is new, empty,
    /// or holds results as an analysis wrote them. With `force` anything may be replaced.
    ///
    /// # Errors
    /// [`trompe_base::Error::Request`] if it is a file or holds something else;
    /// [`trompe_base::Error::BadFile`] for a result that was changed since it was written.
    pub fn open(root: &Path, force: bool) -> Result<Self> {
        let list = root.join(WRITTEN);
        let mut folder = Self { root: root.to_owned(), written: BTreeSet::new(), force };
        if force || !list.is_file() {
            check_output_folder(root, "--out", force)?;
            return Ok(folder);
        }
        folder.written = read_list(&list)?;
        for (_, name) in &folder.written {
            if folder.is_there(name) && !folder.is_as_written(name)? {
                let what = "was changed since it was written";
                return Err(Error::bad_file(root.join(name), what, REMEDY));
            }
        }
        Ok(folder)
    }

    /// Writes `files`, by name and content, and removes results of the analysis before that are
    /// none of this one.
    ///
    /// # Errors
    /// [`trompe_base::Error::BadFile`] if one of them would replace a file that no analysis wrote; then
    /// nothing is written. [`trompe_base::Error::Io`].
    pub fn write(&self, files: &[(String, Vec<u8>)]) -> Result<()> {
        let own = |name: &str| self.written.iter().any(|(_, written)| written == name);
        for (name, _) in files {
            if !self.force && self.is_there(name) && !own(name) {
                let what = "is there already, and no analysis wrote it";
                return Err(Error::bad_file(self.root.join(name), what, REMEDY));
            }
        }
        std::fs::create_dir_all(&self.root).map_err(|source| Error::io(&self.root, source))?;
        let now: BTreeSet<(String, String)> = files
            .iter()
            .map(|(name, content)| (hex(&Sha256::digest(content)), name.clone()))
            .collect();
        // If this is interrupted, each file is as this or the last analysis wrote it, and listed so.
        self.write_list(self.written.union(&now))?;
        for (name, content) in files {
            write_atomically(&self.root.join(name), content)?;
        }
        for (_, name) in &self.written {
            let kept = files.iter().any(|(file, _)| file == name);
            if !kept && self.is_there(name) && self.is_as_written(name)? {
                let path = self.root.join(name);
                remove(&path).map_err(|source| Error::io(path, source))?;
            }
        }
        self.write_list(now.iter())
    }

    fn write_list<'a>(&self, written: impl Iterator<Item = &'a (String, String)>) -> Result<()> {
        let lines: String = written.map(|(hash, name)| format!("{hash}  {name}\n")).collect();
        Ok(write_atomically(&self.root.join(WRITTEN), lines.as_bytes())?)
    }

    fn is_there(&self, name: &str) -> bool {
        self.root.join(name).symlink_metadata().is_ok()
    }

    /// Whether the file has the content that an analysis gave it.
    fn is_as_written(&self, name: &str) -> Result<bool> {
        let path = self.root.join(name);
        let content = std::fs::read(&path).map_err(|source| Error::io(&path, source))?;
        Ok(self.written.contains(&(hex(&Sha256::digest(content)), name.to_owned())))
    }
}

/// What to do about a file that may not be replaced.
const REMEDY: &str = "move it away, name another folder with --out, or add --force to replace it";

fn read_list(list: &Path) -> Result<BTreeSet<(String, String)>> {
    let line = |line: &str| {
        let (hash, name) = line.split_once("  ")?;
        // names of files in this folder, and of no other
        let plain = Path::new(name).file_name().is_some_and(|file| file == name);
        (plain && name != WRITTEN).then(|| (hash.to_owned(), name.to_owned()))
    };
    read_text(list, LONGEST_LIST)?.lines().map(line).collect::<Option<_>>().ok_or_else(|| {
        Error::bad_file(list, "a line is not `hash  file`", "name another folder with --out")
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn files(names: &[&str], content: &str) -> Vec<(String, Vec<u8>)> {
        names.iter().map(|&name| (name.to_owned(), content.as_bytes().to_vec())).collect()
    }

    fn names(root: &Path) -> Vec<String> {
        let entries = std::fs::read_dir(root).unwrap();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    fn message<T: std::fmt::Debug>(result: Result<T>) -> String {
        result.unwrap_err().to_string()
    }

    #[test]
    fn an_analysis_replaces_its_own_results_and_nothing_else() {
        let place = tempfile::tempdir().unwrap();
        let root = place.path().join("results");
        let write = |root: &Path, names: &[&str], content: &str| {
            ResultFolder::open(root, false)?.write(&files(names, content))
        };
        write(&root, &["report.html", "boxplots.svg"], "first").unwrap();
        write(&root, &["report.html", "flow.svg"], "second").unwrap();
        assert_eq!(names(&root), ["flow.svg", "report.html", WRITTEN].map(String::from).to_vec());
        assert_eq!(std::fs::read_to_string(root.join("report.html")).unwrap(), "second");

        // somebody's own file stays, and is not replaced
        std::fs::write(root.join("notes.md"), "mine").unwrap();
        write(&root, &["report.html"], "third").unwrap();
        let refused = message(write(&root, &["report.html", "notes.md"], "fourth"));
        assert!(refused.contains("notes.md: is there already, and no analysis wrote it"));
        assert!(refused.contains("--force"), "{refused}");
        assert_eq!(std::fs::read_to_string(root.join("report.html")).unwrap(), "third");

        // a result that somebody changed
        std::fs::write(root.join("report.html"), "third, with remarks").unwrap();
        let refused = message(ResultFolder::open(&root, false));
        assert!(refused.contains("report.html: was changed"), "{refused}");
        let forced = ResultFolder::open(&root, true).unwrap();
        forced.write(&files(&["report.html"], "fifth")).unwrap();
        assert_eq!(std::fs::read_to_string(root.join("report.html")).unwrap(), "fifth");
        assert_eq!(std::fs::read_to_string(root.join("notes.md")).unwrap(), "mine");
    }

    #[test]
    fn a_folder_of_something_else_is_refused_before_the_work() {
        let place = tempfile::tempdir().unwrap();
        assert!(ResultFolder::open(place.path(), false).is_ok(), "an empty folder may be there");
        let file = place.path().join("report.html");
        std::fs::write(&file, "of another program").unwrap();
        let refused = message(ResultFolder::open(place.path(), false));
        assert!(refused.contains("is not empty") && refused.contains("--force"), "{refused}");
        assert!(message(ResultFolder::open(&file, false)).contains("is a file"));
        std::fs::write(place.path().join(WRITTEN), "00  ../elsewhere\n").unwrap();
        let refused = message(ResultFolder::open(place.path(), false));
        assert!(refused.contains("a line is not"), "{refused}");
    }

    /// Interrupted between two files: both are as one of two analyses wrote them.
    #[test]
    fn an_interrupted_analysis_can_be_run_again() {
        let place = tempfile::tempdir().unwrap();
        let root = place.path();
        let both = ["a.csv", "b.csv"];
        ResultFolder::open(root, false).unwrap().write(&files(&both, "old")).unwrap();
        let folder = ResultFolder::open(root, false).unwrap();
        std::fs::create_dir(root.join("c.csv")).unwrap();
        let mut more = files(&both, "new");
        more.push(("c.csv".to_owned(), Vec::new()));
        let interrupted = ResultFolder { force: true, ..folder };
        assert!(interrupted.write(&more).is_err(), "a folder has the name of a file");
        std::fs::remove_dir(root.join("c.csv")).unwrap();
        std::fs::write(root.join("b.csv"), "old").unwrap();
        ResultFolder::open(root, false).unwrap().write(&files(&both, "newer")).unwrap();
        assert_eq!(names(root), ["a.csv", "b.csv", WRITTEN].map(String::from).to_vec());
    }
}
