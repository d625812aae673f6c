//! What a corpus is: classes, and clips with their label, split, fold and group.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// Where the sound of a corpus or bank comes from. Kept in every model, manifest and
/// report made from it, so that real and synthetic are never mixed up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Provenance {
    /// Recordings of music.
    Recorded,
    /// Human-written music played by a sampler or synthesizer.
    Rendered,
    /// Made by the built-in synthesizer: for tests and offline trials only.
    Synthetic,
    /// The user's own files, of which nothing was stated.
    Unstated,
}

/// Part of a fixed train / validation / test partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Split {
    /// Used to fit.
    Train,
    /// Used to choose settings.
    Valid,
    /// Used once, to report.
    Test,
}

/// One labelled clip of a corpus: a file, or a stretch of one.
#[derive(Debug, Clone, PartialEq)]
pub struct Clip {
    /// Unique, stable name inside the corpus (by default the path below its root).
    pub id: String,
    /// The audio file.
    pub path: PathBuf,
    /// Index into [`Corpus::classes`].
    pub class: usize,
    /// Part of the corpus' fixed partition, if it has one.
    pub split: Option<Split>,
    /// Number of the corpus' fixed fold, if it has one.
    pub fold: Option<usize>,
    /// What must not be divided between training and test: artist, album, style file.
    pub group: Option<String>,
    /// Start within the file, in seconds.
    pub start: f64,
    /// End within the file, in seconds; `None` is the file's end.
    pub end: Option<f64>,
}

/// A labelled collection of clips.
#[derive(Debug, Clone, PartialEq)]
pub struct Corpus {
    /// Name as the user gave it.
    pub name: String,
    /// Where the sound comes from.
    pub provenance: Provenance,
    /// What the labels are worth, in a sentence.
    pub labels: String,
    /// Class names, in a fixed order.
    pub classes: Vec<String>,
    /// Clips, in a fixed order (by id).
    pub clips: Vec<Clip>,
}
