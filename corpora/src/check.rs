//! Whether a corpus can be used, and what identifies it.

use std::collections::BTreeSet;
use std::path::Path;

use rayon::prelude::*;
use trompe_base::hash::{FieldHasher, sha256_file};
use trompe_base::{Error, Result};

use crate::corpus::{Clip, Corpus};
use crate::decode::Gap;
use crate::folds::class_sizes;
use crate::limits::Limits;
use crate::read::{Skipped, concealed};

/// Clips that are not as they should be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BadClips {
    /// Clips that cannot be read.
    pub bad: Vec<Skipped>,
    /// What was concealed in clips that can be read, a sentence for each.
    pub concealed: Vec<String>,
}

impl Corpus {
    /// Whether a classifier can be trained: two classes or more, and in each at least two clips,
    /// or as many as `folds` if it is to be cross-validated.
    ///
    /// # Errors
    /// [`Error::Request`] naming the class and what it lacks.
    pub fn check_for_training(&self, folds: Option<usize>) -> Result<()> {
        if self.classes.len() < 2 {
            return Err(Error::request(
                format!("corpus {} has {} class", self.name, self.classes.len()),
                "a classifier needs two or more: add a folder or label",
            ));
        }
        let needed = folds.unwrap_or(2).max(2);
        for (class, clips) in self.classes.iter().zip(class_sizes(self)) {
            if clips < needed {
                let clips = match clips {
                    0 => "no clips".to_owned(),
                    1 => "one clip".to_owned(),
                    n => format!("{n} clips"),
                };
                return Err(Error::request(
                    format!(
                        "class {class} of corpus {} has {clips}, {needed} are needed",
                        self.name
                    ),
                    match needed {
                        2 => "add clips or remove the class",
                        _ => "add clips, remove the class or ask for fewer folds",
                    },
                ));
            }
        }
        Ok(())
    }

    /// Decodes every clip, in parallel, and returns those that are bad and those in which silence
    /// stands for damaged or missing frames, in the order of clips.
    ///
    /// # Errors
    /// [`Error::Io`] if the operating system refuses a file.
    pub fn find_bad_clips(&self, limits: &Limits) -> Result<BadClips> {
        let gaps = |clip: &Clip| Ok(clip.decode_with_gaps(limits)?.1);
        let outcomes: Vec<Result<Vec<Gap>>> = self.clips.par_iter().map(gaps).collect();
        let mut found = BadClips::default();
        for (clip, outcome) in self.clips.iter().zip(outcomes) {
            match outcome {
                Ok(gaps) if gaps.is_empty() => {}
                Ok(gaps) => found.concealed.push(concealed(&clip.path, &gaps)),
                Err(error @ Error::BadFile { .. }) => {
                    found.bad.push(Skipped { path: clip.path.clone(), why: error.to_string() })
                }
                Err(other) => return Err(other),
            }
        }
        Ok(found)
    }

    /// SHA-256, in hexadecimal, of the class names and every clip's name, class, stretch and
    /// file content. Neither the folder's place nor splits, folds and groups change it.
    ///
    /// # Errors
    /// [`Error::Io`] if a file cannot be read.
    pub fn hash(&self) -> Result<String> {
        // A file may hold many clips; it is read once.
        let files: BTreeSet<&Path> = self.clips.iter().map(|clip| clip.path.as_path()).collect();
        let files: Vec<&Path> = files.into_iter().collect();
        let digests: Vec<Result<[u8; 32]>> =
            files.par_iter().map(|path| sha256_file(path)).collect();
        let digests: Vec<[u8; 32]> = digests.into_iter().collect::<Result<_>>()?;

        let mut hasher = FieldHasher::default();
        hasher.field((self.classes.len() as u64).to_le_bytes());
        self.classes.iter().for_each(|class| hasher.field(class));
        for clip in &self.clips {
            hasher.field(&clip.id);
            hasher.field((clip.class as u64).to_le_bytes());
            hasher.field(clip.start.to_le_bytes());
            // No clip ends at infinity, so it can stand for the file's end.
            hasher.field(clip.end.unwrap_or(f64::INFINITY).to_le_bytes());
            let file = files.partition_point(|path| *path < clip.path.as_path());
            hasher.field(digests[file]);
        }
        Ok(hasher.finish())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::layout::open;
    use crate::layout::test_tree::{plant, plant_samples};

    #[test]
    fn classes_too_small_to_train_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        let refused = |folds, words: &[&str]| {
            let error =
                open(root, &Limits::default()).unwrap().check_for_training(folds).unwrap_err();
            assert!(matches!(error, Error::Request { .. }), "{error}");
            words.iter().for_each(|word| assert!(error.to_string().contains(word), "{error}"));
        };
        plant(root, &["a/1.wav", "a/2.wav", "a/3.wav"]);
        refused(None, &["1 class"]);
        std::fs::create_dir(root.join("b")).unwrap();
        refused(None, &["class b", "no clips"]);
        plant(root, &["b/1.wav"]);
        refused(None, &["class b", "one clip"]);
        plant(root, &["b/2.wav"]);
        open(root, &Limits::default()).unwrap().check_for_training(None).unwrap();
        open(root, &Limits::default()).unwrap().check_for_training(Some(2)).unwrap();
        refused(Some(3), &["class b", "2 clips", "3 are needed"]);
    }

    #[test]
    fn the_hash_sees_content_names_and_labels_but_not_the_place() {
        let hash = |files: &[(&str, i16)]| {
            let folder = tempfile::tempdir().unwrap();
            files.iter().for_each(|(name, x)| plant_samples(folder.path(), name, &[*x; 4]));
            open(folder.path(), &Limits::default()).unwrap().hash().unwrap()
        };
        let base = hash(&[("a/1.wav", 1), ("b/2.wav", 2)]);
        assert_eq!(base, hash(&[("b/2.wav", 2), ("a/1.wav", 1)]));
        assert_ne!(base, hash(&[("a/1.wav", 1), ("b/2.wav", 3)]));
        assert_ne!(base, hash(&[("a/1.wav", 1), ("b/3.wav", 2)]));
        assert_ne!(base, hash(&[("a/1.wav", 1), ("c/2.wav", 2)]));
        let folder = tempfile::tempdir().unwrap();
        plant(folder.path(), &["a/1.wav", "b/2.wav"]);
        let mut corpus = open(folder.path(), &Limits::default()).unwrap();
        let base = corpus.hash().unwrap();
        corpus.clips[1].end = Some(1.0);
        assert_ne!(base, corpus.hash().unwrap());
    }

    #[test]
    fn bad_clips_are_found_and_the_others_pass() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        plant(root, &["a/1.wav", "b/2.wav"]);
        assert_eq!(
            open(root, &Limits::default()).unwrap().find_bad_clips(&Limits::default()).unwrap(),
            BadClips::default()
        );
        std::fs::write(root.join("a/bad.wav"), "").unwrap();
        let bad =
            open(root, &Limits::default()).unwrap().find_bad_clips(&Limits::default()).unwrap();
        assert_eq!(bad.concealed, [""; 0]);
        let bad = bad.bad;
        assert_eq!(bad.len(), 1);
        assert_eq!(bad[0].path, root.join("a/bad.wav"));
        assert!(bad[0].why.contains("empty"), "{}", bad[0].why);
    }
}
