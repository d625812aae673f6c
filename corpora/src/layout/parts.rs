//! Folders of parts with a folder per class in each: `train|val|test/<class>`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use trompe_base::{Error, Result};

use crate::corpus::{Clip, Corpus, Split};
use crate::layout::folders;
use crate::layout::walk::{entries, name_of};

/// Names of parts, lower case.
const NAMES: [(&str, Split); 12] = [
    ("train", Split::Train),
    ("training", Split::Train),
    ("val", Split::Valid),
    ("valid", Split::Valid),
    ("validation", Split::Valid),
    ("dev", Split::Valid),
    ("development", Split::Valid),
    ("test", Split::Test),
    ("testing", Split::Test),
    ("eval", Split::Test),
    ("evaluation", Split::Test),
    ("holdout", Split::Test),
];

/// The folders of parts, if the folder has nothing else in folders, has two parts or more, and each
/// holds folders.
pub(super) fn find(path: &Path) -> Option<Vec<(PathBuf, Split)>> {
    let folders = entries(path).ok()?.into_iter().filter(|entry| entry.is_dir());
    let part = |folder: PathBuf| {
        let name = folder.file_name()?.to_str()?.to_lowercase();
        let (_, split) = NAMES.into_iter().find(|(known, _)| *known == name)?;
        let holds_folders = entries(&folder).ok()?.iter().any(|entry| entry.is_dir());
        holds_folders.then_some((folder, split))
    };
    let parts = folders.map(part).collect::<Option<Vec<_>>>()?;
    let splits: BTreeSet<Split> = parts.iter().map(|(_, split)| *split).collect();
    (splits.len() >= 2).then_some(parts)
}

/// Reads every part as a folder per class.
///
/// # Errors
/// As [`folders::open`]; [`Error::Request`] if two folders are the same part.
pub(super) fn open(root: &Path, parts: &[(PathBuf, Split)]) -> Result<Corpus> {
    let mut read = Vec::new();
    for (index, (folder, split)) in parts.iter().enumerate() {
        if let Some((other, _)) = parts[..index].iter().find(|(_, known)| known == split) {
            return Err(Error::request(
                format!("{} and {} are the same part", other.display(), folder.display()),
                "put their clips into one folder",
            ));
        }
        read.push((name_of(folder), folders::open(folder)?, *split));
    }
    let classes: BTreeSet<&String> = read.iter().flat_map(|(_, part, _)| &part.classes).collect();
    let classes: Vec<String> = classes.into_iter().cloned().collect();
    let mut clips = Vec::new();
    for (name, part, split) in read {
        for clip in part.clips {
            let class = &part.classes[clip.class];
            let class = classes.partition_point(|known| known < class);
            let id = format!("{name}/{}", clip.id);
            clips.push(Clip { split: Some(split), ..Clip::new(id, clip.path, class) });
        }
    }
    clips.sort_by(|a, b| a.id.cmp(&b.id));
    Ok(Corpus {
        known_as: None,
        licence: None,
        name: name_of(root),
        provenance: crate::corpus::Provenance::Unstated,
        labels: "names of the folders that the user made, in folders of parts".to_owned(),
        classes,
        clips,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::layout::open;
    use crate::layout::test_tree::plant;
    use crate::limits::Limits;

    #[test]
    fn folders_of_parts_become_splits() {
        let folder = tempfile::tempdir().unwrap();
        let names =
            ["Train/rock/1.wav", "val/blues/2.wav", "test/rock/a/1.wav", "Train/blues/3.wav"];
        plant(&folder.path().join("music"), &names);
        // Also inside a folder that wraps it.
        for path in [folder.path().join("music"), folder.path().to_owned()] {
            let corpus = open(&path, &Limits::default()).unwrap();
            assert_eq!(corpus.classes, ["blues", "rock"]);
            let clips: Vec<_> =
                corpus.clips.iter().map(|c| (c.id.as_str(), c.class, c.split.unwrap())).collect();
            assert_eq!(
                clips,
                [
                    ("Train/blues/3.wav", 0, Split::Train),
                    ("Train/rock/1.wav", 1, Split::Train),
                    ("test/rock/a/1.wav", 1, Split::Test),
                    ("val/blues/2.wav", 0, Split::Valid),
                ]
            );
        }
    }

    #[test]
    fn two_folders_of_one_part_are_refused_and_classes_with_such_names_are_classes() {
        let folder = tempfile::tempdir().unwrap();
        plant(folder.path(), &["train/a/1.wav", "training/a/2.wav", "test/a/3.wav"]);
        let error = open(folder.path(), &Limits::default()).unwrap_err().to_string();
        assert!(error.contains("same part"), "{error}");
        let own = tempfile::tempdir().unwrap();
        plant(own.path(), &["train/1.wav", "test/2.wav"]);
        assert_eq!(open(own.path(), &Limits::default()).unwrap().classes, ["test", "train"]);
    }
}
