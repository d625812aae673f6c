//! ISMIR04 (Cano et al., *ISMIR 2004 audio description contest*, MTG-TR-2006-02), also called
//! ISMIR-Genre: `audio/{training,development,evaluation}` and, for each, a `tracklist.csv` without
//! a header below `metadata`: class, artist, album, track, number, path.
//!
//! The parts are training, validation and test. Artists and albums of the development part are
//! anonymous, so they are groups of that part alone. Copies without the tables are read as folders
//! of parts ([`super::parts`]).

use std::path::{Path, PathBuf};

use trompe_base::Result;

use crate::corpus::{Corpus, GroupKind, Split};
use crate::layout::listed::{self, Listed, absent, groups};
use crate::limits::Limits;

const TABLE: &str = "tracklist.csv";
const PARTS: [(&str, Split); 3] =
    [("training", Split::Train), ("development", Split::Valid), ("evaluation", Split::Test)];

/// A copy of ISMIR04 on disk.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Ismir04 {
    root: PathBuf,
}

/// Whether the folder, or the one that wraps it, holds a table of tracks for one of the parts.
pub(super) fn find(path: &Path) -> Option<Ismir04> {
    let holds = |root: &Path| PARTS.iter().any(|(part, _)| table(root, part).is_file());
    holds(path).then(|| Ismir04 { root: path.to_owned() })
}

fn table(root: &Path, part: &str) -> PathBuf {
    root.join("metadata").join(part).join(TABLE)
}

impl Ismir04 {
    /// Reads the tracks whose sound is there.
    ///
    /// # Errors
    /// [`trompe_base::Error::Request`] if none is, or a table is malformed;
    /// [`trompe_base::Error::Io`].
    pub(super) fn open(&self, limits: &Limits) -> Result<Corpus> {
        let mut listed = Vec::new();
        let (mut all, mut without_sound) = (0, 0);
        for (part, split) in PARTS {
            let table = table(&self.root, part);
            if !table.is_file() {
                continue;
            }
            for line in listed::lines(&table, b',', limits)? {
                let [class, artist, album, track, _, path] =
                    [0, 1, 2, 3, 4, 5].map(|column| line.get(column).unwrap_or(""));
                let below = path.trim_start_matches("./");
                all += 1;
                let Some(file) = self.sound(part, class, below) else {
                    without_sound += 1;
                    continue;
                };
                // An anonymous artist may be one of the other parts' or not.
                let own = |name: &str| match split {
                    Split::Valid if !name.is_empty() => format!("{part}/{name}"),
                    _ => name.to_owned(),
                };
                let (artist, album) = (own(artist), own(album));
                let track = format!("{artist}/{album}/{track}");
                let named = [
                    (GroupKind::Artist, artist.as_str()),
                    (GroupKind::Album, album.as_str()),
                    (GroupKind::Track, track.as_str()),
                ];
                listed.push(Listed {
                    split: Some(split),
                    groups: groups(named),
                    ..Listed::new(format!("{part}/{below}"), file, class)
                });
            }
        }
        let about = format!(
            "ISMIR04: genres that the label Magnatune gives its records, joined to six{}",
            absent(without_sound, all, "tracks have no sound here")
        );
        listed::corpus(&self.root, about, listed)
    }

    /// The file of a track, which lies under its path, with or without the folder of its class.
    fn sound(&self, part: &str, class: &str, below: &str) -> Option<PathBuf> {
        if below.is_empty() {
            return None;
        }
        let name = below.rsplit('/').next().unwrap_or(below);
        let folder = self.root.join("audio").join(part);
        let places =
            [folder.join(below), folder.join(class).join(below), folder.join(class).join(name)];
        places.into_iter().find(|path| path.is_file())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::layout::open;
    use crate::layout::test_tree::{plant, write};

    #[test]
    fn parts_artists_and_classes_come_from_the_tables() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("ismir04_genre");
        plant(
            &root,
            &[
                "audio/training/classical/ann_songs_1.mp3",
                "audio/development/track_1.mp3",
                "audio/evaluation/world/bob-days-1.mp3",
            ],
        );
        write(
            &root,
            "metadata/training/tracklist.csv",
            "\"classical\",\"Ann\",\"Songs\",\"One\",\"1\",\"./classical/ann_songs_1.mp3\"\n\
             \"world\",\"Eve\",\"Gone\",\"One\",\"1\",\"./world/gone.mp3\"\n",
        );
        write(
            &root,
            "metadata/development/tracklist.csv",
            "\"rock_pop\",\"artist_1\",\"album_1\",\"track_1\",\"1\",\"track_1.mp3\"\n",
        );
        write(
            &root,
            "metadata/evaluation/tracklist.csv",
            "world,Bob,Days,One,1,bob-days-1.mp3,77\n",
        );
        // The folder itself, and one that wraps it.
        for path in [root.as_path(), folder.path()] {
            let corpus = open(path, &Limits::default()).unwrap();
            assert_eq!(corpus.classes, ["classical", "rock_pop", "world"]);
            assert!(corpus.labels.contains("1 of its 4 tracks"), "{}", corpus.labels);
            let clips: Vec<_> = corpus
                .clips
                .iter()
                .map(|clip| (clip.class, clip.split, clip.group.as_deref()))
                .collect();
            assert_eq!(
                clips,
                [
                    (1, Some(Split::Valid), Some("development/artist_1")),
                    (2, Some(Split::Test), Some("Bob")),
                    (0, Some(Split::Train), Some("Ann")),
                ]
            );
            assert_eq!(corpus.clips[2].groups[&GroupKind::Album], "Songs");
        }
    }
}
