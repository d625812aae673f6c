//! A folder per class: the label is the folder's name, files may lie deeper.

use std::path::Path;

use trompe_base::{Error, Result};

use crate::corpus::{Clip, Corpus, Provenance};
use crate::decode::has_audio_extension;
use crate::layout::walk::{audio_below, entries, name_below, name_of};

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
            clips.push(Clip::new(id, file, classes.len()));
        }
        classes.push(name_below(&path, root)?);
    }
    if clips.is_empty() {
        return Err(Error::request(
            format!("{} holds no folder with audio files", root.display()),
            "make a folder for every class, with its clips inside, or name a manifest",
        ));
    }
    check_names(root, &classes)?;
    clips.sort_by(|a, b| a.id.cmp(&b.id));
    Ok(Corpus {
        known_as: None,
        licence: None,
        name: name_of(root),
        provenance: Provenance::Unstated,
        labels: "names of the folders that the user made".to_owned(),
        classes,
        clips,
    })
}

/// Refuses folders that are all numbers: collections divide their files so (FMA, MagnaTagATune),
/// and no number is a genre.
fn check_names(root: &Path, classes: &[String]) -> Result<()> {
    let is_number = |name: &String| {
        let hexadecimal = name.len() == 1 && name.bytes().all(|byte| byte.is_ascii_hexdigit());
        hexadecimal || name.bytes().all(|byte| byte.is_ascii_digit())
    };
    // Letters alone may be names.
    let digits = classes.iter().any(|name| name.bytes().any(|byte| byte.is_ascii_digit()));
    if !digits || !classes.iter().all(is_number) {
        return Ok(());
    }
    const SHOWN: usize = 3;
    let shown: Vec<&str> = classes.iter().take(SHOWN).map(String::as_str).collect();
    let more = if classes.len() > SHOWN { ", ..." } else { "" };
    Err(Error::request(
        format!(
            "the folders of {} are numbers ({}{more}), which are no genres",
            root.display(),
            shown.join(", ")
        ),
        "give the labels: for FMA, put fma_metadata (with tracks.csv) beside it; for others, name a \
         manifest with the columns path and label",
    ))
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

    #[test]
    fn sound_of_formats_that_are_not_read_is_not_left_out_in_silence() {
        let folder = tempfile::tempdir().unwrap();
        plant(folder.path(), &["a/1.opus", "a/2.caf", "b/3.WMA", "b/4.w64", "b/5.webm"]);
        assert_eq!(open(folder.path()).unwrap().clips.len(), 5);
    }

    #[test]
    fn numbers_are_no_genres() {
        for names in [["000/1.wav", "001/2.wav"], ["6/1.wav", "f/2.wav"]] {
            let folder = tempfile::tempdir().unwrap();
            plant(folder.path(), &names);
            let error = open(folder.path()).unwrap_err();
            assert!(matches!(error, Error::Request { .. }), "{error}");
            assert!(error.to_string().contains("numbers"), "{error}");
        }
        for names in [["a/1.wav", "b/2.wav"], ["1980s/1.wav", "90/2.wav"]] {
            let folder = tempfile::tempdir().unwrap();
            plant(folder.path(), &names);
            assert_eq!(open(folder.path()).unwrap().clips.len(), 2);
        }
    }
}
