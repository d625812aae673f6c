//! Collections on disk: which layout a path has, and the corpus it holds.
//!
//! - a CSV or TSV manifest, or a folder with a `manifest.csv` or `manifest.tsv`
//!   ([`manifest`]);
//! - FMA as it is downloaded (its `fma_metadata/tracks.csv`);
//! - GTZAN under any of its known spellings ([`gtzan`]);
//! - otherwise a folder per class ([`folders`]).
//!
//! An [`about`] file beside them says where the sound comes from and what the labels are worth.
//! Opening lists files without decoding them. Names that begin with a dot are not looked at.

use std::path::{Path, PathBuf};

use trompe_base::{Error, Result};
use walkdir::WalkDir;

use crate::corpus::Corpus;
use crate::decode::has_audio_extension;
use crate::limits::Limits;

pub mod about;
mod checks;
mod fma;
pub mod folders;
pub mod gtzan;
pub mod loops;
pub mod manifest;
mod text;

/// How a collection lies on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Layout {
    /// Recognized from what is there.
    #[default]
    Recognize,
    /// A folder per class.
    Folders,
    /// A CSV or TSV table.
    Manifest,
    /// GTZAN with its partition, artists and faults.
    Gtzan,
}

/// Opens a collection, recognizing its layout.
///
/// # Errors
/// [`Error::Io`] if the path cannot be read, [`Error::Request`] if it holds no collection or a
/// faulty one (see the layouts' own modules).
pub fn open(path: &Path, limits: &Limits) -> Result<Corpus> {
    open_as(path, Layout::Recognize, limits)
}

/// Opens a collection of a given layout.
///
/// # Errors
/// As [`open`].
pub fn open_as(path: &Path, layout: Layout, limits: &Limits) -> Result<Corpus> {
    let metadata = std::fs::metadata(path).map_err(|e| Error::io(path, e))?;
    let is_table =
        |end: &std::ffi::OsStr| ["csv", "tsv"].iter().any(|known| end.eq_ignore_ascii_case(known));
    if metadata.is_file() && !path.extension().is_some_and(is_table) {
        return Err(Error::request(
            format!("{} is no corpus", path.display()),
            "name a folder with one folder per class, or a table (.csv or .tsv)",
        ));
    }
    let table = if metadata.is_file() { Some(path.to_owned()) } else { manifest::find(path) };
    let folder = if metadata.is_file() { path.parent().unwrap_or(Path::new("")) } else { path };
    let about = about::About::read(folder, limits)?;
    if layout == Layout::Recognize
        && let Some(fma) = fma::find(table.as_deref().unwrap_or(path))
    {
        let mut corpus = fma.open(limits)?;
        about.apply(&mut corpus);
        return Ok(corpus);
    }
    let mut corpus = match (layout, table) {
        (Layout::Manifest, None) => Err(Error::request(
            format!("{} holds no manifest.csv or manifest.tsv", path.display()),
            "name the table itself",
        )),
        (Layout::Recognize, table)
            if let Some(fma) = fma::find(table.as_deref().unwrap_or(path)) =>
        {
            fma.open(limits)
        }
        (Layout::Recognize | Layout::Manifest, Some(table)) => manifest::open(&table, limits),
        (Layout::Folders, _) => folders::open(path),
        (Layout::Gtzan, _) => gtzan::open(path),
        (Layout::Recognize, None) if gtzan::is_gtzan(path)? => gtzan::open(path),
        (Layout::Recognize, None) => folders::open(path),
    }?;
    about.apply(&mut corpus);
    Ok(corpus)
}

/// Name of a collection: its folder's or table's.
fn name_of(path: &Path) -> String {
    let whole = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    // What follows a folder's last dot is no extension.
    let name = if whole.is_dir() { whole.file_name() } else { whole.file_stem() };
    name.map_or_else(|| "corpus".to_owned(), |name| name.to_string_lossy().into_owned())
}

/// Entries of a folder in the order of their names, without hidden ones.
pub(crate) fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    let read = || -> std::io::Result<Vec<PathBuf>> {
        let entries: std::io::Result<Vec<_>> = std::fs::read_dir(folder)?.collect();
        let mut entries = entries?;
        entries.retain(|entry| !entry.file_name().as_encoded_bytes().starts_with(b"."));
        entries.sort_by_key(std::fs::DirEntry::file_name);
        Ok(entries.into_iter().map(|entry| entry.path()).collect())
    };
    read().map_err(|e| Error::io(folder, e))
}

/// Audio files (by extension) anywhere below a folder, with their path below `root` as a name
/// with `/` between its parts; in the order of these names. Links are followed.
fn audio_below(folder: &Path, root: &Path) -> Result<Vec<(String, PathBuf)>> {
    let hidden = |entry: &walkdir::DirEntry| {
        entry.depth() > 0 && entry.file_name().as_encoded_bytes().starts_with(b".")
    };
    let mut found = Vec::new();
    for entry in WalkDir::new(folder).follow_links(true).into_iter().filter_entry(|e| !hidden(e)) {
        let entry = entry.map_err(|e| {
            let path = e.path().unwrap_or(folder).to_owned();
            Error::io(path, e.into())
        })?;
        if entry.file_type().is_file() && has_audio_extension(entry.path()) {
            found.push((name_below(entry.path(), root)?, entry.into_path()));
        }
    }
    found.sort();
    Ok(found)
}

fn name_below(path: &Path, root: &Path) -> Result<String> {
    let below = path.strip_prefix(root).unwrap_or(path);
    let parts: Option<Vec<&str>> = below.iter().map(|part| part.to_str()).collect();
    parts.map(|parts| parts.join("/")).ok_or_else(|| {
        Error::request(
            format!("the name of {} is not UTF-8 text", path.display()),
            "rename the file",
        )
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
pub(crate) mod test_tree {
    //! Trees of tiny audio files for tests.

    use std::path::Path;

    use crate::wav;

    /// Writes a WAV file of eight samples, and the folders above it.
    pub(crate) fn plant(root: &Path, names: &[&str]) {
        for name in names {
            plant_samples(root, name, &[1, 2, 3, 4, 5, 6, 7, 8]);
        }
    }

    /// Writes a WAV file at 22,050 Hz, and the folders above it.
    pub(crate) fn plant_samples(root: &Path, name: &str, samples: &[i16]) {
        let path = root.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, wav::encode(samples, 22_050).unwrap()).unwrap();
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::test_tree::plant;
    use super::*;

    #[test]
    fn a_missing_folder_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("nowhere");
        let error = open(&path, &Limits::default()).unwrap_err();
        assert!(matches!(&error, Error::Io { path: named, .. } if *named == path), "{error}");
    }

    #[test]
    fn layouts_are_told_apart() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        plant(root, &["a/1.wav", "b/2.wav"]);
        assert_eq!(open(root, &Limits::default()).unwrap().classes, ["a", "b"]);
        std::fs::write(root.join("manifest.tsv"), "path\tlabel\na/1.wav\tx\n").unwrap();
        assert_eq!(open(root, &Limits::default()).unwrap().classes, ["x"]);
        assert_eq!(open_as(root, Layout::Folders, &Limits::default()).unwrap().classes, ["a", "b"]);
        std::fs::remove_file(root.join("manifest.tsv")).unwrap();
        assert!(matches!(
            open_as(root, Layout::Manifest, &Limits::default()),
            Err(Error::Request { .. })
        ));

        let gtzan = tempfile::tempdir().unwrap();
        plant(gtzan.path(), &["genres/blues/blues.00000.wav", "genres/rock/rock.00001.wav"]);
        assert_eq!(open(gtzan.path(), &Limits::default()).unwrap().classes, ["blues", "rock"]);
        assert!(gtzan::is_gtzan(gtzan.path()).unwrap());
        let plain =
            open_as(&gtzan.path().join("genres"), Layout::Folders, &Limits::default()).unwrap();
        assert_eq!(plain.classes, ["blues", "rock"]);
        assert_eq!(plain.clips[0].id, "blues/blues.00000.wav");
    }
}
