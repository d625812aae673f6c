//! Whether a classifier can be trained on a corpus, and what identifies it.

use std::collections::BTreeSet;
use std::path::Path;

use rayon::prelude::*;
use trompe_base::hash::{FieldHasher, sha256_file};
use trompe_base::words::counted;
use trompe_base::{Error, Result};

use crate::corpus::{Corpus, Split};
use crate::folds::class_sizes;

impl Corpus {
    /// The part that is trained on where none is asked for: the training part of a corpus that has a
    /// test part beside it; `None` is the whole corpus.
    pub fn training_part(&self) -> Option<Split> {
        let has = |split| self.clips.iter().any(|clip| clip.split == Some(split));
        (has(Split::Train) && has(Split::Test)).then_some(Split::Train)
    }

    /// Whether a classifier can be trained: two classes or more, in each at least two clips, and of
    /// these one or more in `part` if that alone is trained on.
    ///
    /// # Errors
    /// [`Error::Request`] naming the class and what it lacks.
    pub fn check_for_training(&self, part: Option<Split>) -> Result<()> {
        if self.classes.len() < 2 {
            return Err(Error::request(
                format!("corpus {} has {}", self.name, counted(self.classes.len(), "class")),
                "a classifier needs two or more: add a folder or label",
            ));
        }
        for (class, clips) in self.classes.iter().zip(class_sizes(self)) {
            let clips = match clips {
                0 => "no clips",
                1 => "one clip",
                _ => continue,
            };
            return Err(Error::request(
                format!("class {class} of corpus {} has {clips}, 2 are needed", self.name),
                "add clips or remove the class",
            ));
        }
        let Some(part) = part else { return Ok(()) };
        let mut known = vec![false; self.classes.len()];
        let of_part = self.clips.iter().filter(|clip| clip.split == Some(part));
        of_part.for_each(|clip| known[clip.class] = true);
        match known.iter().position(|known| !known) {
            None => Ok(()),
            Some(class) => Err(Error::request(
                format!(
                    "class {} of corpus {} has no clip in its {} part",
                    self.classes[class],
                    self.name,
                    part.name()
                ),
                "add clips to the part or remove the class",
            )),
        }
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
    use crate::limits::Limits;

    #[test]
    fn classes_too_small_to_train_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        let refused = |words: &[&str]| {
            let error =
                open(root, &Limits::default()).unwrap().check_for_training(None).unwrap_err();
            assert!(matches!(error, Error::Request { .. }), "{error}");
            words.iter().for_each(|word| assert!(error.to_string().contains(word), "{error}"));
        };
        plant(root, &["a/1.wav", "a/2.wav", "a/3.wav"]);
        refused(&["1 class"]);
        std::fs::create_dir(root.join("b")).unwrap();
        refused(&["class b", "no clips"]);
        plant(root, &["b/1.wav"]);
        refused(&["class b", "one clip"]);
        plant(root, &["b/2.wav"]);
        open(root, &Limits::default()).unwrap().check_for_training(None).unwrap();
    }

    #[test]
    fn a_class_without_a_clip_in_the_part_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let parts = ["train/a/1.wav", "train/a/2.wav", "test/a/3.wav", "test/b/1.wav"];
        plant(folder.path(), &parts);
        plant(folder.path(), &["test/b/2.wav"]);
        let corpus = open(folder.path(), &Limits::default()).unwrap();
        assert_eq!(corpus.training_part(), Some(Split::Train));
        corpus.check_for_training(None).unwrap();
        let error = corpus.check_for_training(Some(Split::Train)).unwrap_err().to_string();
        assert!(error.contains("class b") && error.contains("train part"), "{error}");
        plant(folder.path(), &["train/b/3.wav"]);
        let corpus = open(folder.path(), &Limits::default()).unwrap();
        corpus.check_for_training(Some(Split::Train)).unwrap();
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
}
