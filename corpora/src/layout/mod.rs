//! Collections on disk: which layout a path has, and the corpus it holds.
//!
//! - a CSV or TSV manifest, or a folder with a `manifest.csv` or `manifest.tsv`
//!   ([`manifest`]);
//! - data sets as they are downloaded ([`DATA_SETS`]), known by their own tables and folders;
//! - folders of parts (`train`, `val`, `test`) with a folder per class in each;
//! - otherwise a folder per class ([`folders`]).
//!
//! One folder that wraps any of these is looked through.
//! An [`about`] file beside them says where the sound comes from and what the labels are worth.
//! Opening lists files without decoding them. Names that begin with a dot are not looked at.

use std::path::{Path, PathBuf};

use trompe_base::{Error, Result};

use crate::corpus::Corpus;
use crate::decode::has_audio_extension;
use crate::limits::Limits;

pub mod about;
mod checks;
mod fma;
pub mod folders;
pub mod gtzan;
mod ismir04;
mod jamendo;
mod listed;
pub mod loops;
mod magnatagatune;
pub mod manifest;
mod named_folders;
mod parts;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
pub(crate) mod test_tree;
pub mod text;
mod walk;

pub(crate) use walk::{audio_below, entries};

/// A data set that is read as it is downloaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DataSet {
    /// What it is called.
    pub name: &'static str,
    /// What tells it: files and folders.
    pub known_by: &'static str,
    /// What is read of it.
    pub read: &'static str,
    /// Name of its page in `docs/data-sets`.
    pub page: &'static str,
}

/// The data sets that are known by their own tables and folders, in the order in which they are
/// tried; those of images last.
pub const DATA_SETS: [DataSet; 8] = [
    DataSet {
        name: "FMA",
        known_by: "fma_metadata/tracks.csv, the sound beside it (fma_small/000/000002.mp3)",
        read: "top genres, the published split, artists and albums",
        page: "fma",
    },
    DataSet {
        name: "MTG-Jamendo",
        known_by: "data/autotagging*.tsv, the sound beside data (00/1234.mp3, also 1234.low.mp3)",
        read: "all tags, split 0, artists and albums",
        page: "mtg-jamendo",
    },
    DataSet {
        name: "MagnaTagATune",
        known_by: "annotations_final.csv, the sound beside it (0/... to f/..., also in mp3)",
        read: "the 50 most frequent tags, the usual split, artists, albums and tracks of \
               clip_info_final.csv",
        page: "magnatagatune",
    },
    DataSet {
        name: "ISMIR04 (ISMIR-Genre)",
        known_by: "metadata/training/tracklist.csv (development, evaluation), audio/training/...",
        read: "six genres, the three parts, artists, albums and tracks",
        page: "ismir04",
    },
    DataSet {
        name: "Homburg",
        known_by: "folders of its genres (folkcountry, funksoulrnb, raphiphop, ...)",
        read: "nine genres, artists from file names",
        page: "homburg",
    },
    DataSet {
        name: "Ballroom",
        known_by: "folders of its dances (ChaChaCha, VienneseWaltz, ...), also in BallroomData",
        read: "eight dances, records from file names, known replicas in one group",
        page: "ballroom",
    },
    DataSet {
        name: "GTZAN",
        known_by: "folders of its genres with files such as blues/blues.00012.au",
        read: "ten genres, the fault-filtered split, artists",
        page: "gtzan",
    },
    DataSet {
        name: "MNIST and its like",
        known_by: "train-images-idx3-ubyte (also .gz) with its labels, or mnist_train.csv",
        read: "images with the numbers of their classes, the parts that file names state",
        page: "mnist",
    },
];

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
    let mut corpus = match (layout, table) {
        (Layout::Manifest, None) => Err(Error::request(
            format!("{} holds no manifest.csv or manifest.tsv", path.display()),
            "name the table itself",
        )),
        (Layout::Manifest, Some(table)) => manifest::open(&table, limits),
        (Layout::Folders, _) => folders::open(path),
        (Layout::Gtzan, _) => gtzan::open(path).map(|corpus| known_as("GTZAN", corpus)),
        (Layout::Recognize, table) => recognize(path, table.as_deref(), limits),
    }?;
    about.apply(&mut corpus);
    Ok(corpus)
}

/// Opens whatever the path holds; `table` is the path itself, or a manifest in it.
fn recognize(path: &Path, table: Option<&Path>, limits: &Limits) -> Result<Corpus> {
    if let Some(corpus) = data_set(table.unwrap_or(path), limits)? {
        return Ok(corpus);
    }
    if let Some(table) = table {
        return manifest::open(table, limits);
    }
    let inside = wrapped(path)?;
    if let Some(inside) = &inside
        && let Some(corpus) = data_set(inside, limits)?
    {
        return Ok(corpus);
    }
    for root in [Some(path), inside.as_deref()].into_iter().flatten() {
        if let Some(parts) = parts::find(root) {
            return parts::open(root, &parts);
        }
    }
    let Some(inside) = inside else { return folders::open(path) };
    let mut corpus = folders::open(&inside)?;
    corpus.labels = format!("names of the folders in {}", inside.display());
    Ok(corpus)
}

/// Opens a data set that is known by its tables and folders; `None` if the path is none.
fn data_set(path: &Path, limits: &Limits) -> Result<Option<Corpus>> {
    let (name, corpus) = if let Some(fma) = fma::find(path) {
        ("FMA", fma.open(limits)?)
    } else if let Some(jamendo) = jamendo::find(path) {
        ("MTG-Jamendo", jamendo.open(limits)?)
    } else if let Some(tags) = magnatagatune::find(path) {
        ("MagnaTagATune", tags.open(limits)?)
    } else if path.is_file() {
        return Ok(None);
    } else if let Some(ismir04) = ismir04::find(path) {
        ("ISMIR04", ismir04.open(limits)?)
    } else if let Some(named) = named_folders::find(path) {
        (named.name(), named.open(path)?)
    } else if gtzan::is_gtzan(path)? {
        ("GTZAN", gtzan::open(path)?)
    } else {
        return Ok(None);
    };
    Ok(Some(known_as(name, corpus)))
}

/// The corpus with the name of the data set that its provenance is known of.
fn known_as(name: &str, corpus: Corpus) -> Corpus {
    Corpus { known_as: Some(name.to_owned()), ..corpus }
}

/// The one folder of a folder without sound of its own, if that folder has folders and no sound
/// itself: an archive's folder in the folder that it was unpacked to.
fn wrapped(path: &Path) -> Result<Option<PathBuf>> {
    let listed = entries(path)?;
    let folders: Vec<&PathBuf> = listed.iter().filter(|entry| entry.is_dir()).collect();
    let [one] = folders.as_slice() else { return Ok(None) };
    let inside = entries(one)?;
    let sound = listed.iter().chain(&inside).any(|e| e.is_file() && has_audio_extension(e));
    Ok((!sound && inside.iter().any(|entry| entry.is_dir())).then(|| (*one).clone()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::test_tree::plant;
    use super::*;
    use crate::corpus::Provenance;

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

        // That it is recorded is known of the data set, until it is stated.
        let of = |path: &Path| {
            let corpus = open(path, &Limits::default()).unwrap();
            (corpus.provenance, corpus.known_as)
        };
        let known = (Provenance::Recorded, Some("GTZAN".to_owned()));
        assert_eq!(of(gtzan.path()), known);
        assert_eq!(of(root), (Provenance::Unstated, None));
        std::fs::write(gtzan.path().join("about.toml"), "licence = \"none\"\n").unwrap();
        assert_eq!(of(gtzan.path()), known);
        let stated = "provenance = \"rendered\"\n";
        std::fs::write(gtzan.path().join("about.toml"), stated).unwrap();
        assert_eq!(of(gtzan.path()), (Provenance::Rendered, None));
    }
}
