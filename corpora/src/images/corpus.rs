//! A labelled collection of images in memory.
use super::image::ImageShape;
use crate::corpus::{Provenance, Split};
use trompe_base::hash::FieldHasher;
use trompe_base::words::counted;
use trompe_base::{Error, Result};
/// A labelled collection of images of one size.
#[derive(Debug, Clone, PartialEq)]
pub struct ImageCorpus {
    /// Name as the user gave it.
    pub name: String,
    /// Where the images come from.
    pub provenance: Provenance,
    /// Its licence, if that was stated.
    pub licence: Option<String>,
    /// What the labels are worth, in a sentence.
    pub labels: String,
    /// Class names, in a fixed order.
    pub classes: Vec<String>,
    /// Size of every image.
    pub shape: ImageShape,
    pixels: Vec<u8>,
    items: Vec<Item>,
}

/// What is known of one image beside its pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Item {
    /// Index into [`ImageCorpus::classes`].
    pub class: usize,
    /// Part of the corpus' fixed partition, if it has one.
    pub split: Option<Split>,
}

impl ImageCorpus {
    /// A corpus without images.
    pub fn new(
        name: impl Into<String>,
        provenance: Provenance,
        labels: impl Into<String>,
        classes: Vec<String>,
        shape: ImageShape,
    ) -> Self {
        Self {
            name: name.into(),
            provenance,
            licence: None,
            labels: labels.into(),
            classes,
            shape,
            pixels: Vec::new(),
            items: Vec::new(),
        }
    }

    /// Appends images of one split, one label each.
    ///
    /// # Panics
    /// If the pixels are not those of as many images as there are labels, or a label is no
    /// class.
    pub fn extend(&mut self, pixels: &[u8], labels: &[usize], split: Option<Split>) {
        assert_eq!(pixels.len(), labels.len() * self.shape.bytes(), "pixels and labels");
        assert!(labels.iter().all(|&label| label < self.classes.len()), "labels are classes");
        self.pixels.extend_from_slice(pixels);
        self.items.extend(labels.iter().map(|&class| Item { class, split }));
    }

    /// Number of images.
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Whether there is no image.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Pixels of image `index`.
    pub fn image(&self, index: usize) -> &[u8] {
        &self.pixels[index * self.shape.bytes()..][..self.shape.bytes()]
    }

    /// Class and split of image `index`.
    pub fn item(&self, index: usize) -> Item {
        self.items[index]
    }

    /// Whether a classifier can be trained on the images `indices`: two classes or more, with an
    /// image of each.
    ///
    /// # Errors
    /// [`Error::Request`] naming what is missing.
    pub fn check_for_training(&self, indices: &[usize]) -> Result<()> {
        if self.classes.len() < 2 {
            return Err(Error::request(
                format!("corpus {} has {}", self.name, counted(self.classes.len(), "class")),
                "a classifier needs two or more: add a folder or label",
            ));
        }
        let mut known = vec![false; self.classes.len()];
        indices.iter().for_each(|&index| known[self.items[index].class] = true);
        match known.iter().position(|known| !known) {
            None => Ok(()),
            Some(class) => Err(Error::request(
                format!("class '{}' of {} has no training images", self.classes[class], self.name),
                "add some, or remove the class",
            )),
        }
    }

    /// SHA-256 over size, classes, and the images `indices` with their labels, in
    /// hexadecimal.
    pub fn fingerprint(&self, indices: &[usize]) -> String {
        let mut hash = FieldHasher::default();
        hash.field(self.shape.fixed_text());
        self.classes.iter().for_each(|class| hash.field(class));
        for &index in indices {
            hash.field((self.item(index).class as u64).to_le_bytes());
            hash.field(self.image(index));
        }
        hash.finish()
    }

    /// Indices of the images of `split`, ascending.
    pub fn split(&self, split: Split) -> Vec<usize> {
        (0..self.len()).filter(|&index| self.items[index].split == Some(split)).collect()
    }

    /// Whether any image belongs to a part of a partition.
    pub fn has_splits(&self) -> bool {
        self.items.iter().any(|item| item.split.is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fingerprint_hashes_a_fixed_text_of_the_size() {
        let shape = ImageShape { width: 3, height: 1, channels: 1 };
        assert_eq!(shape.fixed_text(), "ImageShape { width: 3, height: 1, channels: 1 }");
        let classes = vec!["a".to_owned(), "b".to_owned()];
        let mut corpus = ImageCorpus::new("toy", Provenance::Unstated, "", classes, shape);
        corpus.extend(&[1, 2, 3, 4, 5, 6], &[0, 1], None);
        let mut hash = FieldHasher::default();
        for field in ["ImageShape { width: 3, height: 1, channels: 1 }", "a", "b"] {
            hash.field(field);
        }
        hash.field(1_u64.to_le_bytes());
        hash.field([4, 5, 6]);
        assert_eq!(corpus.fingerprint(&[1]), hash.finish());
    }
}
