//! FMA (Defferrard et al., *FMA: a dataset for music analysis*, ISMIR 2017) as it is downloaded:
//! `fma_metadata/tracks.csv` and the sound in `fma_small/000/000002.mp3` and so on.
//!
//! The class is the track's top genre, the group its artist, the split FMA's own.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use trompe_base::files::read_at_most;
use trompe_base::words::counted;
use trompe_base::{Error, Result};

use crate::corpus::{Clip, Corpus, GroupKind, Provenance, Split};
use crate::layout::walk::{audio_below, name_of};
use crate::limits::Limits;

const TRACKS: &str = "tracks.csv";
const METADATA: &str = "fma_metadata";
/// Lines of names before the first track.
const HEADER_LINES: usize = 3;

/// A copy of FMA on disk.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Fma {
    tracks: PathBuf,
    sound: PathBuf,
}

/// Whether the path is FMA's table of tracks, a folder of its sound beside the metadata, or the
/// folder of both.
pub(crate) fn find(path: &Path) -> Option<Fma> {
    let named = |path: &Path| path.file_name().is_some_and(|name| name == TRACKS);
    if named(path) && path.is_file() && is_tracks(path) {
        let folder = path.parent()?;
        let inside = folder.file_name().is_some_and(|name| name == METADATA);
        let sound = if inside { folder.parent()? } else { folder };
        return Some(Fma { tracks: path.to_owned(), sound: sound.to_owned() });
    }
    let parent = path.canonicalize().ok()?.parent().map(Path::to_owned);
    let is_part = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("fma_"));
    let beside = parent.filter(|_| is_part).map(|parent| parent.join(METADATA).join(TRACKS));
    let tracks = [Some(path.join(METADATA).join(TRACKS)), Some(path.join(TRACKS)), beside]
        .into_iter()
        .flatten()
        .find(|tracks| tracks.is_file() && is_tracks(tracks))?;
    Some(Fma { tracks, sound: path.to_owned() })
}

/// Whether a table begins with FMA's lines of names.
fn is_tracks(path: &Path) -> bool {
    const BEGINNING: u64 = 1 << 14;
    let mut bytes = Vec::new();
    let read = std::fs::File::open(path).and_then(|file| {
        std::io::Read::read_to_end(&mut std::io::Read::take(file, BEGINNING), &mut bytes)
    });
    read.is_ok()
        && String::from_utf8_lossy(&bytes)
            .lines()
            .nth(1)
            .is_some_and(|line| line.contains("genre_top"))
}

/// Places of the columns that are used.
struct Columns {
    genre: usize,
    split: Option<usize>,
    artist: Option<usize>,
    album: Option<usize>,
}

/// What the table says of a track.
struct Track {
    /// Empty if there is none.
    genre: String,
    split: Option<Split>,
    artist: Option<String>,
    album: Option<String>,
}

impl Fma {
    /// Reads the tracks whose sound is there.
    ///
    /// # Errors
    /// [`Error::Request`] if the table lacks its columns, or a file's track is not in it or has no
    /// top genre; [`Error::Io`], [`Error::BadFile`] if the table cannot be read.
    pub(crate) fn open(&self, limits: &Limits) -> Result<Corpus> {
        let malformed = |what: String| {
            Error::request(format!("{}: {what}", self.tracks.display()), "fetch fma_metadata again")
        };
        let bytes = read_at_most(&self.tracks, limits.max_text_bytes)?;
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .from_reader(bytes.as_slice());
        let mut header = Vec::new();
        let mut tracks: BTreeMap<u32, Track> = BTreeMap::new();
        let mut columns = None;
        for record in reader.records() {
            let record = record.map_err(|e| malformed(e.to_string()))?;
            if header.len() < HEADER_LINES {
                header.push(record);
                continue;
            }
            let columns = match &columns {
                Some(columns) => columns,
                None => columns.insert(Columns::find(&header).ok_or_else(|| {
                    malformed("has no column genre_top of the group track".to_owned())
                })?),
            };
            let line = record.position().map_or(0, csv::Position::line);
            let id = record.get(0).and_then(|id| id.parse().ok());
            let id = id.ok_or_else(|| malformed(format!("line {line} begins with no number")))?;
            let field = |column: Option<usize>| {
                record
                    .get(column?)
                    .map(str::trim)
                    .filter(|text| !text.is_empty())
                    .map(str::to_owned)
            };
            let split = match field(columns.split).as_deref() {
                Some("training") => Some(Split::Train),
                Some("validation") => Some(Split::Valid),
                Some("test") => Some(Split::Test),
                _ => None,
            };
            let genre = field(Some(columns.genre)).unwrap_or_default();
            let (artist, album) = (field(columns.artist), field(columns.album));
            tracks.insert(id, Track { genre, split, artist, album });
        }
        self.clips(&tracks)
    }

    fn clips(&self, tracks: &BTreeMap<u32, Track>) -> Result<Corpus> {
        let mut found = Vec::new();
        let (mut strangers, mut without) = (Vec::new(), Vec::new());
        for (id, path) in audio_below(&self.sound, &self.sound)? {
            let number = path.file_stem().and_then(|stem| stem.to_str()?.parse::<u32>().ok());
            match number.and_then(|number| tracks.get(&number)) {
                None => strangers.push(id),
                Some(track) if track.genre.is_empty() => without.push(id),
                Some(track) => found.push((id, path, track)),
            }
        }
        for (files, what) in
            [(strangers, "not in the table of tracks"), (without, "without a top genre")]
        {
            if let Some(first) = files.first() {
                return Err(Error::request(
                    format!(
                        "{}: {} {what}, such as {first} ({})",
                        self.sound.display(),
                        counted(files.len(), "file"),
                        self.tracks.display()
                    ),
                    "move them elsewhere, or name a manifest with the columns path and label",
                ));
            }
        }
        if found.is_empty() {
            return Err(Error::request(
                format!("{} holds no audio of FMA", self.sound.display()),
                "bring the sound (such as fma_small) beside fma_metadata",
            ));
        }
        let mut classes: Vec<String> =
            found.iter().map(|(_, _, track)| track.genre.clone()).collect();
        classes.sort();
        classes.dedup();
        let clip = |(id, path, track): (String, PathBuf, &Track)| {
            let groups = [(GroupKind::Artist, &track.artist), (GroupKind::Album, &track.album)];
            let stated = |(kind, name): (GroupKind, &Option<String>)| Some((kind, name.clone()?));
            let class = classes.partition_point(|class| *class < track.genre);
            Clip {
                split: track.split,
                group: track.artist.clone(),
                groups: groups.into_iter().filter_map(stated).collect(),
                ..Clip::new(id, path, class)
            }
        };
        let clips = found.into_iter().map(clip).collect();
        Ok(Corpus {
            known_as: None,
            licence: None,
            name: name_of(&self.sound),
            provenance: Provenance::Recorded,
            labels: "top genres that the artists chose for their tracks on FMA".to_owned(),
            classes,
            clips,
        })
    }
}

impl Columns {
    /// The first line names groups of columns, the second the columns.
    fn find(header: &[csv::StringRecord]) -> Option<Self> {
        let [groups, names, ..] = header else { return None };
        let place = |group: &str, name: &str| {
            groups.iter().zip(names).position(|column| column == (group, name))
        };
        Some(Self {
            genre: place("track", "genre_top")?,
            split: place("set", "split"),
            artist: place("artist", "id"),
            album: place("album", "id"),
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::layout::open;
    use crate::layout::test_tree::plant;

    const TABLE: &str = ",album,artist,set,track,track\n,id,id,split,duration,genre_top\n\
         track_id,,,,,\n2,1,7,training,168,Hip-Hop\n5,4,7,test,168,Rock\n\
         140,,8,validation,168,\n";

    fn fma(sound: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        plant(folder.path(), sound);
        std::fs::create_dir(folder.path().join(METADATA)).unwrap();
        std::fs::write(folder.path().join(METADATA).join(TRACKS), TABLE).unwrap();
        folder
    }

    #[test]
    fn genres_come_from_the_table_however_the_set_is_named() {
        let folder = fma(&["fma_small/000/000002.wav", "fma_small/000/000005.wav"]);
        let root = folder.path();
        for path in [root.to_owned(), root.join("fma_small"), root.join(METADATA).join(TRACKS)] {
            let corpus = open(&path, &Limits::default()).unwrap();
            assert_eq!(corpus.classes, ["Hip-Hop", "Rock"], "{}", path.display());
            assert_eq!(corpus.clips[1].groups[&GroupKind::Album], "4");
            let clips: Vec<_> = corpus
                .clips
                .iter()
                .map(|clip| (clip.class, clip.split, clip.group.as_deref()))
                .collect();
            assert_eq!(
                clips,
                [(0, Some(Split::Train), Some("7")), (1, Some(Split::Test), Some("7"))]
            );
        }
    }

    #[test]
    fn files_without_a_genre_or_a_track_are_named() {
        for (stranger, words) in
            [("000140.wav", "without a top genre"), ("cover.wav", "not in the table")]
        {
            let name = format!("fma_small/000/{stranger}");
            let folder = fma(&["fma_small/000/000002.wav", &name]);
            let error = open(folder.path(), &Limits::default()).unwrap_err().to_string();
            assert!(error.contains(stranger) && error.contains(words), "{error}");
        }
        let folder = fma(&[]);
        let error = open(folder.path(), &Limits::default()).unwrap_err().to_string();
        assert!(error.contains("no audio of FMA"), "{error}");
    }
}
