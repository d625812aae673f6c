//! Data sets of class folders that are known by the folders' names: Homburg and Ballroom. Their file
//! names tell artists and albums.

use std::path::{Path, PathBuf};

use trompe_base::Result;

use crate::corpus::{Corpus, GroupKind};
use crate::layout::listed::{self, Listed, groups};
use crate::layout::walk::{audio_below, entries};

/// Homburg (Homburg et al., *A benchmark dataset for audio classification and clustering*, ISMIR
/// 2005): nine genres of Garageband, a ten-second excerpt a song.
const HOMBURG: [&str; 9] = [
    "alternative",
    "blues",
    "electronic",
    "folkcountry",
    "funksoulrnb",
    "jazz",
    "pop",
    "raphiphop",
    "rock",
];
/// Names that no other collection has.
const HOMBURG_ONLY: [&str; 3] = ["folkcountry", "funksoulrnb", "raphiphop"];

/// Ballroom (Gouyon et al., *An experimental comparison of audio tempo induction algorithms*, IEEE
/// TASLP 14(5), 2006): dances; the three rumbas are one of its eight classes.
const BALLROOM: [&str; 11] = [
    "ChaChaCha",
    "Jive",
    "Quickstep",
    "Rumba",
    "Rumba-American",
    "Rumba-International",
    "Rumba-Misc",
    "Samba",
    "Tango",
    "VienneseWaltz",
    "Waltz",
];
const BALLROOM_ONLY: [&str; 2] = ["ChaChaCha", "VienneseWaltz"];
/// Lists and annotations that come with Ballroom's sound.
const BALLROOM_OTHERS: [&str; 2] = ["nada", "annotations"];

/// Records of Ballroom that share a recording, and single files that are one of a record (Sturm,
/// *The Ballroom dataset*, 2014, found 13 replicas; the others are inside their records).
const REPLICAS: [(&str, &str); 4] = [
    ("Chrisanne2", "AnaBelen_Veneo"),
    ("Media-104705", "Secret_Garden"),
    ("Media-103414", "Latin_Jam3"),
    ("Media-103415", "Media-103402"),
];

/// One of the data sets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Named {
    Homburg,
    Ballroom,
}

/// Which data set the folder holds, if one.
pub(super) fn find(path: &Path) -> Option<Named> {
    let folders: Vec<PathBuf> =
        entries(path).ok()?.into_iter().filter(|entry| entry.is_dir()).collect();
    let names: Vec<&str> = folders.iter().filter_map(|f| f.file_name()?.to_str()).collect();
    let is = |known: &[&str], others: &[&str], only: &[&str]| {
        names.iter().all(|name| known.contains(name) || others.contains(name))
            && names.iter().any(|name| only.contains(name))
    };
    if is(&HOMBURG, &[], &HOMBURG_ONLY) {
        Some(Named::Homburg)
    } else if is(&BALLROOM, &BALLROOM_OTHERS, &BALLROOM_ONLY) {
        Some(Named::Ballroom)
    } else {
        None
    }
}

impl Named {
    /// What it is called.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Homburg => "Homburg",
            Self::Ballroom => "Ballroom",
        }
    }

    /// Reads the folders of classes.
    ///
    /// # Errors
    /// [`trompe_base::Error::Io`]; [`trompe_base::Error::Request`] if there is no sound.
    pub(super) fn open(self, path: &Path) -> Result<Corpus> {
        let mut listed = Vec::new();
        for folder in entries(path)?.into_iter().filter(|entry| entry.is_dir()) {
            let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let class = match self {
                Self::Homburg => name.as_str(),
                Self::Ballroom => name.split('-').next().unwrap_or(&name),
            };
            for (id, file) in audio_below(&folder, path)? {
                let stem = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
                let groups = match self {
                    Self::Homburg => groups([(GroupKind::Artist, homburg_artist(&stem))]),
                    Self::Ballroom => groups([(GroupKind::Album, ballroom_record(&stem))]),
                };
                listed.push(Listed { groups, ..Listed::new(id, file, class) });
            }
        }
        let about = match self {
            Self::Homburg => {
                "Homburg: genres that users of Garageband chose; artists are the beginnings of file \
                 names"
            }
            Self::Ballroom => {
                "Ballroom: dances, whose class is much of a tempo; 13 recordings occur twice, one of \
                 them in two classes"
            }
        };
        listed::corpus(path, about.to_owned(), listed)
    }
}

/// What stands before the first hyphen of a name such as `Some_Band-Some_Song`.
fn homburg_artist(stem: &str) -> &str {
    stem.split_once('-').map_or("", |(artist, _)| artist)
}

/// The record of a name such as `Albums-Latin_Jam2-05`; other files (`Media-103402`) stand alone.
fn ballroom_record(stem: &str) -> &str {
    let record = stem.strip_prefix("Albums-").and_then(|rest| rest.rsplit_once('-'));
    let own = record.map_or(stem, |(record, _)| record);
    let twin = REPLICAS.iter().find(|(replica, _)| *replica == own);
    twin.map_or(own, |(_, original)| original)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use crate::layout::open;
    use crate::layout::test_tree::{plant, write};
    use crate::limits::Limits;

    #[test]
    fn homburg_s_artists_are_groups() {
        let folder = tempfile::tempdir().unwrap();
        let songs = ["blues/Ann-One.mp3", "blues/Ann-Two.mp3", "raphiphop/nobody.mp3"];
        plant(folder.path(), &songs);
        let corpus = open(folder.path(), &Limits::default()).unwrap();
        assert!(corpus.labels.starts_with("Homburg"), "{}", corpus.labels);
        assert_eq!(corpus.classes, ["blues", "raphiphop"]);
        let groups: Vec<_> = corpus.clips.iter().map(|clip| clip.group.as_deref()).collect();
        assert_eq!(groups, [Some("Ann"), Some("Ann"), None]);
        // A folder of another name is the user's own.
        plant(folder.path(), &["polka/x.mp3"]);
        let corpus = open(folder.path(), &Limits::default()).unwrap();
        assert!(!corpus.labels.starts_with("Homburg"), "{}", corpus.labels);
    }

    #[test]
    fn ballroom_s_rumbas_are_one_class_and_replicas_one_group() {
        let folder = tempfile::tempdir().unwrap();
        plant(
            folder.path(),
            &[
                "BallroomData/ChaChaCha/Media-103402.wav",
                "BallroomData/ChaChaCha/Media-103415.wav",
                "BallroomData/Quickstep/Albums-AnaBelen_Veneo-11.wav",
                "BallroomData/Quickstep/Albums-Chrisanne2-12.wav",
                "BallroomData/Rumba-Misc/Media-104201.wav",
                "BallroomData/Rumba-American/Albums-Latin_Jam2-05.wav",
            ],
        );
        write(folder.path(), "BallroomData/allBallroomFiles", "./ChaChaCha/Media-103402.wav\n");
        let corpus = open(folder.path(), &Limits::default()).unwrap();
        assert_eq!(corpus.classes, ["ChaChaCha", "Quickstep", "Rumba"]);
        let groups: Vec<_> =
            corpus.clips.iter().map(|clip| clip.group.as_deref().unwrap()).collect();
        assert_eq!(
            groups,
            [
                "Media-103402",
                "Media-103402",
                "AnaBelen_Veneo",
                "AnaBelen_Veneo",
                "Latin_Jam2",
                "Media-104201"
            ]
        );
    }
}
