//! One genuine item with its scores.

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
    /// One log-odds per class.
    pub log_odds: Vec<f64>,
}
