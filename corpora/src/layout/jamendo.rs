//! MTG-Jamendo (Bogdanov et al., *The MTG-Jamendo dataset for automatic music tagging*, ICML 2019
//! workshop): tables `data/autotagging*.tsv`, the sound in folders `00` to `99`.
//!
//! A table's columns are TRACK_ID, ARTIST_ID, ALBUM_ID, PATH, DURATION and TAGS, where every further
//! field is a tag, too. Clips keep all of their tags under their full names (`genre---rock`); artist
//! and album are groups. The published splits are those of `data/splits/split-0`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use trompe_base::{Error, Result};

use crate::corpus::{Corpus, GroupKind, Split};
use crate::layout::listed::{self, Listed, absent, first_line, groups};
use crate::layout::walk::entries;
use crate::limits::Limits;

const HEADER: &str = "TRACK_ID\tARTIST_ID\tALBUM_ID\tPATH\tDURATION\tTAGS";
/// The fields before the tags.
const TRACK: usize = 0;
const ARTIST: usize = 1;
const ALBUM: usize = 2;
const PATH: usize = 3;
const TAGS: usize = 5;
/// Which of the five published splits is used.
const SPLITS: &str = "splits/split-0";
const PARTS: [(&str, Split); 3] =
    [("train", Split::Train), ("validation", Split::Valid), ("test", Split::Test)];

/// Tables of tags on disk.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Jamendo {
    root: PathBuf,
    /// One; several are for the user to choose from.
    tables: Vec<PathBuf>,
}

/// Whether the path is a table of MTG-Jamendo, or a folder with one, or with `data` and one in it.
pub(super) fn find(path: &Path) -> Option<Jamendo> {
    let is_table = |path: &PathBuf| {
        path.extension().is_some_and(|end| end == "tsv") && first_line(path) == HEADER
    };
    if path.is_file() {
        let table = path.to_owned();
        return is_table(&table).then(|| Jamendo { root: table.clone(), tables: vec![table] });
    }
    let inside = |folder: &Path| -> Vec<PathBuf> {
        entries(folder).unwrap_or_default().into_iter().filter(is_table).collect()
    };
    let tables = [inside(path), inside(&path.join("data"))].into_iter().find(|t| !t.is_empty())?;
    Some(Jamendo { root: path.to_owned(), tables })
}

impl Jamendo {
    /// Reads the tracks whose sound is there.
    ///
    /// # Errors
    /// [`Error::Request`] if there are several tables, or none of the sound; [`Error::Io`].
    pub(super) fn open(&self, limits: &Limits) -> Result<Corpus> {
        let [table] = self.tables.as_slice() else {
            let names: Vec<_> =
                self.tables.iter().filter_map(|table| table.file_name()?.to_str()).collect();
            return Err(Error::request(
                format!(
                    "{} holds {} tables of MTG-Jamendo: {}",
                    self.root.display(),
                    names.len(),
                    names.join(", ")
                ),
                "name one of them",
            ));
        };
        let splits = splits(table, limits)?;
        let places = sound_folders(table);
        let mut listed = Vec::new();
        let (mut all, mut without_sound) = (0, 0);
        for line in listed::lines(table, b'\t', limits)?.iter().skip(1) {
            all += 1;
            let field = |column: usize| line.get(column).unwrap_or("");
            let tags: Vec<String> =
                line.iter().skip(TAGS).filter(|tag| !tag.is_empty()).map(str::to_owned).collect();
            let Some(path) = sound(&places, field(PATH)).filter(|_| !tags.is_empty()) else {
                without_sound += 1;
                continue;
            };
            let named = [(GroupKind::Artist, field(ARTIST)), (GroupKind::Album, field(ALBUM))];
            listed.push(Listed {
                labels: tags,
                split: splits.get(field(TRACK)).copied(),
                groups: groups(named),
                ..Listed::new(field(PATH).to_owned(), path, "")
            });
        }
        let about = format!(
            "MTG-Jamendo: tags that artists gave their tracks on Jamendo{}",
            absent(without_sound, all, "tracks have no sound here")
        );
        listed::corpus(&self.root, about, listed)
    }
}

/// The part of every track that the splits beside `table`, or its own name, state.
fn splits(table: &Path, limits: &Limits) -> Result<BTreeMap<String, Split>> {
    let stem = table.file_stem().unwrap_or_default().to_string_lossy();
    let folder = table.parent().unwrap_or(Path::new(""));
    let mut of_track = BTreeMap::new();
    for (name, split) in PARTS {
        let own = stem.ends_with(&format!("-{name}"));
        let part = match own {
            true => table.to_owned(),
            false => folder.join(SPLITS).join(format!("{stem}-{name}.tsv")),
        };
        if part.is_file() {
            let lines = listed::lines(&part, b'\t', limits)?;
            let tracks = lines.iter().skip(1).filter_map(|line| line.get(TRACK));
            of_track.extend(tracks.map(|track| (track.to_owned(), split)));
        }
    }
    Ok(of_track)
}

/// Where the sound may lie: in the table's folder or one above it, or in a folder in one of these.
fn sound_folders(table: &Path) -> Vec<PathBuf> {
    const ABOVE: usize = 4;
    let whole = std::path::absolute(table).unwrap_or_else(|_| table.to_owned());
    let inside = |folder: &Path| {
        let named = ["audio", "audio-low", "raw_30s", "songs", "mp3"].map(|name| folder.join(name));
        std::iter::once(folder.to_owned()).chain(named.into_iter().filter(|path| path.is_dir()))
    };
    whole.ancestors().skip(1).take(ABOVE).flat_map(inside).collect()
}

/// The file of a track: under its name, or that of the smaller files (`48/948.low.mp3`).
fn sound(folders: &[PathBuf], name: &str) -> Option<PathBuf> {
    let low = name.strip_suffix(".mp3").map(|stem| format!("{stem}.low.mp3"));
    let names = [Some(name.to_owned()), low].into_iter().flatten().filter(|name| !name.is_empty());
    let names: Vec<String> = names.collect();
    let paths = folders.iter().flat_map(|folder| names.iter().map(|name| folder.join(name)));
    paths.into_iter().find(|path| path.is_file())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::layout::open;
    use crate::layout::test_tree::{plant, write};

    fn tree() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        plant(folder.path(), &["audio/14/214.mp3", "audio/48/948.low.mp3"]);
        let line = |track: u32, folder: &str, tags: &str| {
            format!(
                "track_{track:07}\tartist_000007\talbum_000031\t{folder}/{track}.mp3\t60.1\t{tags}\n"
            )
        };
        let rock = line(214, "14", "genre---rock");
        let both = line(948, "48", "genre---rock\tmood/theme---happy");
        let gone = line(1, "01", "genre---jazz");
        let table = format!("{HEADER}\n{rock}{both}{gone}");
        write(folder.path(), "data/autotagging.tsv", &table);
        let splits = "data/splits/split-0/autotagging";
        write(folder.path(), &format!("{splits}-train.tsv"), &format!("{HEADER}\n{rock}"));
        write(folder.path(), &format!("{splits}-test.tsv"), &format!("{HEADER}\n{both}"));
        folder
    }

    #[test]
    fn tags_artists_and_splits_come_from_the_tables() {
        let folder = tree();
        for path in [folder.path().to_owned(), folder.path().join("data/autotagging.tsv")] {
            let corpus = open(&path, &Limits::default()).unwrap();
            assert_eq!(corpus.classes, ["genre---rock", "mood/theme---happy"]);
            assert!(corpus.labels.contains("1 of its 3 tracks"), "{}", corpus.labels);
            let clips: Vec<_> = corpus
                .clips
                .iter()
                .map(|clip| (clip.id.as_str(), clip.labels().collect::<Vec<_>>(), clip.split))
                .collect();
            assert_eq!(
                clips,
                [
                    ("14/214.mp3", vec![0], Some(Split::Train)),
                    ("48/948.mp3", vec![0, 1], Some(Split::Test))
                ]
            );
            assert_eq!(corpus.clips[0].group.as_deref(), Some("artist_000007"));
            assert_eq!(corpus.clips[0].groups[&GroupKind::Album], "album_000031");
        }
        let part = folder.path().join("data/splits/split-0/autotagging-train.tsv");
        let corpus = open(&part, &Limits::default()).unwrap();
        assert_eq!((corpus.clips.len(), corpus.clips[0].split), (1, Some(Split::Train)));
    }

    #[test]
    fn several_tables_are_for_the_user_to_choose_from() {
        let folder = tree();
        write(folder.path(), "data/autotagging_genre.tsv", &format!("{HEADER}\n"));
        let error = open(folder.path(), &Limits::default()).unwrap_err().to_string();
        assert!(error.contains("autotagging.tsv, autotagging_genre.tsv"), "{error}");
        let empty = folder.path().join("data/autotagging_genre.tsv");
        let error = open(&empty, &Limits::default()).unwrap_err().to_string();
        assert!(error.contains("none of its sound"), "{error}");
    }
}
