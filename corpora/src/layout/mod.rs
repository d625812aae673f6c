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

use std::path::Path;

use trompe_base::{Error, Result};

use crate::corpus::Corpus;
use crate::limits::Limits;

pub mod about;
mod checks;
mod fma;
pub mod folders;
pub mod gtzan;
pub mod loops;
pub mod manifest;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
pub(crate) mod test_tree;
mod text;
mod walk;

pub(crate) use walk::entries;

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
            format!("{} is not a corpus", path.display()),
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
