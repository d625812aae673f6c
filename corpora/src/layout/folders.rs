//! A folder per class: the label is the folder's name, files may lie deeper.

use std::path::Path;

use crate::corpus::{Clip, Corpus, Provenance};
use crate::decode::has_audio_extension;
use crate::error::{Error, Result};
use crate::layout::{audio_below, entries, name_below, name_of};

/// Reads a folder of class folders. A class folder without audio is a class without clips,
/// which [`Corpus::check_for_training`] refuses.
///
/// # Errors
/// [`Error::Io`] if a folder cannot be read; [`Error::Request`] if there is no class folder, no
/// audio at all, or an audio file beside the class folders.
pub fn open(root: &Path) -> Result<Corpus> {
    let mut classes = Vec::new();
    let mut clips = Vec::new();
    for path in entries(root)? {
        if !path.is_dir() {
            if has_audio_extension(&path) {
                return Err(Error::request(
                    format!("{} lies beside the class folders", path.display()),
                    "move it into the folder of its class, or remove it",
                ));
            }
            continue;
        }
        for (id, file) in audio_below(&path, root)? {
            clips.push(Clip {
                id,
                path: file,
                class: classes.len(),
                split: None,
                fold: None,
                group: None,
                start: 0.0,
                end: None,
            });
        }
        classes.push(name_below(&path, root)?);
    }
    if clips.is_empty() {
        return Err(Error::request(
            format!("{} holds no folder with audio files", root.display()),
            "make a folder for every class, with its clips inside, or name a manifest",
        ));
    }
    clips.sort_by(|a, b| a.id.cmp(&b.id));
    Ok(Corpus {
        name: name_of(root),
        provenance: Provenance::Recorded,
        labels: "names of the folders that the user made".to_owned(),
        classes,
        clips,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::layout::test_tree::plant;

    #[test]
    fn folders_become_classes_and_files_clips_in_order_of_name() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        plant(root, &["rock/z.wav", "rock/album/a.WAV", "blues/b.wav", "blues/._b.wav"]);
        std::fs::write(root.join("rock/cover.jpg"), "x").unwrap();
        std::fs::write(root.join("README.txt"), "x").unwrap();
        std::fs::create_dir(root.join("empty")).unwrap();
        let corpus = open(root).unwrap();
        assert_eq!(corpus.classes, ["blues", "empty", "rock"]);
        let ids: Vec<_> = corpus.clips.iter().map(|c| (c.id.as_str(), c.class)).collect();
        assert_eq!(ids, [("blues/b.wav", 0), ("rock/album/a.WAV", 2), ("rock/z.wav", 2)]);
        assert_eq!(corpus.clips[2].path, root.join("rock/z.wav"));
    }

    #[test]
    fn audio_without_a_class_and_folders_without_audio_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        for names in [vec![], vec!["stray.wav"]] {
            plant(root, &names);
            let error = open(root).unwrap_err();
            assert!(matches!(error, Error::Request { .. }), "{error}");
            for name in names {
                assert!(error.to_string().contains(name), "{error}");
            }
        }
    }
}
