//! One genuine item with its scores, and one taken apart.

use serde::{Deserialize, Serialize};

/// A genuine item taken apart, as the victim itself scores the parts: what it calls a clip whose frames
/// are shuffled says what it listens to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TakenApart {
    /// Name of the item.
    pub item: String,
    /// What each part is, with its log-odds, one a class.
    pub parts: Vec<(String, Vec<f64>)>,
}

/// One genuine item.
#[derive(Debug, Clone, PartialEq)]
pub struct GenuineItem {
    /// Its name in its corpus: the path below the corpus' folder, or the number of an image.
    pub name: String,
    /// SHA-256 of the file or of the pixels, in lower-case hexadecimal.
    pub sha256: String,
    /// What it shares with other items: artist, album, style file; `None` for an item of its own.
    pub group: Option<String>,
    /// Index of its class.
    pub class: usize,
    /// Other classes that it has, too: of victims of tags alone.
    pub other_tags: Vec<usize>,
    /// One log-odds per class.
    pub log_odds: Vec<f64>,
}

impl GenuineItem {
    /// Its class and its other tags.
    pub fn tags(&self) -> impl Iterator<Item = usize> {
        std::iter::once(self.class).chain(self.other_tags.iter().copied())
    }

    /// Whether it is of `class`, perhaps among others.
    pub fn is(&self, class: usize) -> bool {
        self.class == class || self.other_tags.contains(&class)
    }
}
