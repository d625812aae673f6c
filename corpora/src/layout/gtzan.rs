//! GTZAN as it is found in the wild, with what is known about it.
//!
//! Spellings: a folder per genre below the given path, or below `genres`, `genres_original` or
//! `Data/genres_original` in it, or all files in one folder; names `blues.00012` or
//! `blues_00012`, any audio extension (the original is `.au`, copies are `.wav`). Clips are
//! named `blues.00012` in every spelling.
//!
//! The tables and their sources are in the crate's folder `gtzan`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use trompe_base::{Error, Result};

use crate::corpus::{Clip, Corpus, GroupKind, Provenance, Split};
use crate::decode::has_audio_extension;
use crate::layout::walk::{entries, name_of};

/// The ten genres, in the order of their class numbers where all are there.
pub const GENRES: [&str; 10] =
    ["blues", "classical", "country", "disco", "hiphop", "jazz", "metal", "pop", "reggae", "rock"];
const CLIPS_PER_GENRE: u32 = 100;
/// Where the genre folders or files may lie below the given path.
const ROOTS: [&str; 4] = ["", "genres", "genres_original", "Data/genres_original"];

static PARTITION: LazyLock<BTreeMap<&str, Split>> = LazyLock::new(|| {
    table(include_str!("../../gtzan/fault-filtered.csv"))
        .map(|[id, split]| {
            let split = match split {
                "train" => Split::Train,
                "valid" => Split::Valid,
                _ => Split::Test,
            };
            (id, split)
        })
        .collect()
});

/// Artists in lower case; unidentified ones are left out.
static ARTISTS: LazyLock<BTreeMap<&str, String>> = LazyLock::new(|| {
    table(include_str!("../../gtzan/artists.csv"))
        .filter(|[_, artist]| !artist.is_empty())
        .map(|[id, artist]| (id, artist.trim_matches('"').to_lowercase()))
        .collect()
});

/// A known fault of an excerpt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fault {
    /// The excerpt, such as `jazz.00054`.
    pub id: &'static str,
    /// What is wrong with it.
    pub fault: &'static str,
    /// Who says so; the README beside the table has the full reference.
    pub source: &'static str,
}

/// Every known fault, in the order of excerpts.
pub fn faults() -> impl Iterator<Item = Fault> {
    table(include_str!("../../gtzan/faults.csv")).map(|[id, fault, source]| Fault {
        id,
        fault,
        source,
    })
}

/// The artist of an excerpt such as `jazz.00054`, in lower case; `None` if not identified.
pub fn artist(id: &str) -> Option<&'static str> {
    ARTISTS.get(id).map(String::as_str)
}

/// Rows of a compiled-in table, without its header. Only the last of the columns may hold
/// commas.
fn table<const N: usize>(text: &'static str) -> impl Iterator<Item = [&'static str; N]> {
    text.lines().skip(1).map(|line| {
        let mut fields = line.splitn(N, ',');
        std::array::from_fn(|_| fields.next().unwrap_or_default())
    })
}

/// Whether the path holds GTZAN: at least one file whose name is one of its 1,000, in a folder of
/// its genre or in one folder for all.
///
/// # Errors
/// [`Error::Io`] if a folder cannot be read.
pub fn is_gtzan(path: &Path) -> Result<bool> {
    Ok(root(path)?.is_some())
}

/// The folder with the genre folders or files.
fn root(path: &Path) -> Result<Option<PathBuf>> {
    for below in ROOTS {
        let root = path.join(below);
        if !root.is_dir() {
            continue;
        }
        let mut folders = vec![root.clone()];
        folders.extend(GENRES.map(|genre| root.join(genre)).into_iter().filter(|f| f.is_dir()));
        for folder in folders {
            let known = |file: &PathBuf| has_audio_extension(file) && identify(file).is_some();
            if entries(&folder)?.iter().any(known) {
                return Ok(Some(root));
            }
        }
    }
    Ok(None)
}

/// Genre and number of a file named like an excerpt.
fn identify(file: &Path) -> Option<(usize, u32)> {
    let name = file.file_stem()?.to_str()?;
    let (genre, number) = name.rsplit_once(['.', '_'])?;
    let class = GENRES.iter().position(|known| *known == genre)?;
    let number = match number.len() {
        5 => number.parse().ok()?,
        _ => return None,
    };
    (number < CLIPS_PER_GENRE).then_some((class, number))
}

/// Reads GTZAN or a part of it: its classes are the genres that have a folder or an excerpt, in
/// the order of [`GENRES`]. The 70 excerpts outside the fault-filtered partition are among
/// the clips, without a split; groups are artists, unidentified artists have none.
///
/// # Errors
/// [`Error::Io`] if a folder cannot be read; [`Error::Request`] if the path does not hold GTZAN,
/// a folder is no genre, a file's name is not an excerpt's or does not fit its folder, or an
/// excerpt occurs twice.
pub fn open(path: &Path) -> Result<Corpus> {
    let root = root(path)?.ok_or_else(|| {
        Error::request(
            format!("{} does not hold GTZAN", path.display()),
            "expected are files such as genres/blues/blues.00012.au",
        )
    })?;
    let mut files: BTreeMap<(usize, u32), PathBuf> = BTreeMap::new();
    let mut present = [false; GENRES.len()];
    let mut add = |file: PathBuf, folder_class: Option<usize>| {
        if !has_audio_extension(&file) {
            return Ok(());
        }
        let key = identify(&file).filter(|(class, _)| folder_class.is_none_or(|c| c == *class));
        let Some(key) = key else {
            return Err(Error::request(
                format!("{} is not named as an excerpt of its genre in GTZAN", file.display()),
                "remove it, or open the collection as a plain folder per class",
            ));
        };
        match files.insert(key, file.clone()) {
            None => Ok(()),
            Some(other) => Err(Error::request(
                format!("{} and {} are the same excerpt", other.display(), file.display()),
                "keep one of them",
            )),
        }
    };
    for entry in entries(&root)? {
        if !entry.is_dir() {
            add(entry, None)?;
            continue;
        }
        let name = entry.file_name().unwrap_or_default();
        let Some(class) = GENRES.iter().position(|genre| name == *genre) else {
            return Err(Error::request(
                format!("{} is not one of GTZAN's genres ({})", entry.display(), GENRES.join(", ")),
                "rename or remove it, or open the collection as a plain folder per class",
            ));
        };
        present[class] = true;
        for file in entries(&entry)? {
            add(file, Some(class))?;
        }
    }
    files.keys().for_each(|(genre, _)| present[*genre] = true);
    let genres: Vec<usize> = (0..GENRES.len()).filter(|&genre| present[genre]).collect();
    let clips = files
        .into_iter()
        .map(|((genre, number), path)| {
            let id = format!("{}.{number:05}", GENRES[genre]);
            let class = genres.partition_point(|&other| other < genre);
            let artist = artist(&id).map(str::to_owned);
            Clip {
                split: PARTITION.get(id.as_str()).copied(),
                groups: artist.iter().map(|name| (GroupKind::Artist, name.clone())).collect(),
                group: artist,
                ..Clip::new(id, path, class)
            }
        })
        .collect();
    Ok(Corpus {
        known_as: None,
        licence: None,
        name: name_of(path),
        provenance: Provenance::Recorded,
        labels: "GTZAN's genres, in which replicas, mislabelled and distorted excerpts are known"
            .to_owned(),
        classes: genres.into_iter().map(|genre| GENRES[genre].to_owned()).collect(),
        clips,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::layout::test_tree::plant;

    /// All 1,000 names, as `make` spells them.
    fn plant_all(root: &Path, make: impl Fn(&str, u32) -> String) {
        let names: Vec<String> =
            GENRES.iter().flat_map(|genre| (0..100).map(|n| make(genre, n))).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        plant(root, &names);
    }

    fn count(corpus: &Corpus, split: Option<Split>) -> usize {
        corpus.clips.iter().filter(|clip| clip.split == split).count()
    }

    #[test]
    fn a_tree_of_the_same_names_has_the_partition_and_the_artists() {
        let folder = tempfile::tempdir().unwrap();
        plant_all(folder.path(), |genre, n| format!("genres/{genre}/{genre}.{n:05}.wav"));
        std::fs::write(folder.path().join("genres/bextract_single.mf"), "x").unwrap();
        let corpus = open(folder.path()).unwrap();
        assert_eq!(corpus.clips.len(), 1000);
        assert_eq!(count(&corpus, Some(Split::Train)), 443);
        assert_eq!(count(&corpus, Some(Split::Valid)), 197);
        assert_eq!(count(&corpus, Some(Split::Test)), 290);
        assert_eq!(count(&corpus, None), 70);
        let tests_of = |class| {
            let here = corpus.clips.iter().filter(|clip| clip.class == class);
            here.filter(|clip| clip.split == Some(Split::Test)).count()
        };
        let per_genre: Vec<usize> = (0..10).map(tests_of).collect();
        assert_eq!(per_genre, [31, 31, 30, 29, 27, 27, 27, 30, 26, 32]);

        let by = |artist: &str| {
            corpus.clips.iter().filter(|clip| clip.group.as_deref() == Some(artist)).count()
        };
        assert_eq!(by("bob marley"), 35);
        assert_eq!(by("britney spears"), 24);
        let unknown = |genre: usize| {
            let here = corpus.clips.iter().filter(|clip| clip.class == genre);
            here.filter(|clip| clip.group.is_none()).count()
        };
        let unknown: Vec<usize> = (0..10).map(unknown).collect();
        assert_eq!(unknown, [0, 3, 5, 10, 4, 20, 17, 4, 18, 0]);
    }

    #[test]
    fn no_artist_is_shared_between_the_parts() {
        let mut parts: BTreeMap<&str, BTreeSet<Split>> = BTreeMap::new();
        for (id, artist) in ARTISTS.iter() {
            parts.entry(artist).or_default().extend(PARTITION.get(id));
        }
        assert_eq!(parts.len(), 243);
        assert!(parts.values().all(|parts| parts.len() <= 1));
    }

    #[test]
    fn the_tables_speak_of_known_excerpts_only() {
        let known = |id: &str| identify(Path::new(&format!("{id}.wav"))).is_some();
        assert_eq!((PARTITION.len(), ARTISTS.len()), (930, 919));
        assert!(PARTITION.keys().chain(ARTISTS.keys()).all(|id| known(id)));
        let faults: Vec<Fault> = faults().collect();
        assert_eq!(faults.len(), 73);
        assert!(faults.iter().all(|f| known(f.id) && !f.fault.is_empty() && !f.source.is_empty()));
        let left_out = |f: &&Fault| f.fault.contains("left out");
        assert_eq!(faults.iter().filter(left_out).count(), 70);
        assert!(faults.iter().filter(left_out).all(|f| !PARTITION.contains_key(f.id)));
        assert!(PARTITION.contains_key("jazz.00054"));
    }

    #[test]
    fn every_spelling_gives_the_same_clips() {
        let spellings: [fn(&str, u32) -> String; 5] = [
            |genre, n| format!("{genre}/{genre}.{n:05}.au"),
            |genre, n| format!("genres_original/{genre}/{genre}.{n:05}.wav"),
            |genre, n| format!("Data/genres_original/{genre}/{genre}.{n:05}.wav"),
            |genre, n| format!("{genre}.{n:05}.wav"),
            |genre, n| format!("{genre}_{n:05}.wav"),
        ];
        let mut previous = None;
        for spelling in spellings {
            let folder = tempfile::tempdir().unwrap();
            let names = [spelling("jazz", 54), spelling("blues", 12), spelling("pop", 37)];
            plant(folder.path(), &names.each_ref().map(String::as_str));
            assert!(is_gtzan(folder.path()).unwrap());
            let corpus = open(folder.path()).unwrap();
            let clips: Vec<_> = corpus
                .clips
                .into_iter()
                .map(|clip| (clip.id, clip.class, clip.split, clip.group))
                .collect();
            assert_eq!(clips[0].0, "blues.00012");
            assert!(previous.is_none_or(|previous| previous == clips));
            previous = Some(clips);
        }
    }

    #[test]
    fn a_part_has_the_classes_that_are_there() {
        let names = ["rock/rock.00002.wav", "blues/blues.00012.wav", "jazz/jazz.00001.wav"];
        let folder = tempfile::tempdir().unwrap();
        plant(folder.path(), &names);
        // A folder without excerpts is a class without clips, which training refuses by name.
        std::fs::create_dir(folder.path().join("disco")).unwrap();
        let corpus = open(folder.path()).unwrap();
        assert_eq!(corpus.classes, ["blues", "disco", "jazz", "rock"]);
        let of = |corpus: &Corpus| -> Vec<(String, String)> {
            let clips = corpus.clips.iter();
            clips.map(|clip| (clip.id.clone(), corpus.classes[clip.class].clone())).collect()
        };
        let pairs = [("blues.00012", "blues"), ("jazz.00001", "jazz"), ("rock.00002", "rock")];
        let pairs = pairs.map(|(id, genre)| (id.to_owned(), genre.to_owned()));
        assert_eq!(of(&corpus), pairs);

        let folder = tempfile::tempdir().unwrap();
        plant(folder.path(), &names.map(|name| name.split_once('/').unwrap().1));
        let corpus = open(folder.path()).unwrap();
        assert_eq!(corpus.classes, ["blues", "jazz", "rock"]);
        assert_eq!(of(&corpus), pairs);
    }

    #[test]
    fn what_is_not_gtzan_is_told_apart() {
        let folder = tempfile::tempdir().unwrap();
        plant(folder.path(), &["blues/one.wav", "rock/rock.123.wav", "rock/rock.00100.wav"]);
        assert!(!is_gtzan(folder.path()).unwrap());
        assert!(matches!(open(folder.path()), Err(Error::Request { .. })));
    }

    #[test]
    fn strange_folders_and_names_are_refused_by_name() {
        for (stray, said) in [
            ("polka/polka.00001.wav", "polka"),
            ("blues/jazz.00001.wav", "jazz.00001.wav"),
            ("blues/blues.00100.wav", "blues.00100.wav"),
            ("blues/notes.wav", "notes.wav"),
            ("blues/blues_00012.wav", "blues.00012.wav"),
        ] {
            let folder = tempfile::tempdir().unwrap();
            plant(folder.path(), &["blues/blues.00012.wav", stray]);
            let error =
                crate::layout::open(folder.path(), &crate::limits::Limits::default()).unwrap_err();
            assert!(matches!(error, Error::Request { .. }), "{error}");
            assert!(error.to_string().contains(said), "{error}");
        }
    }
}
