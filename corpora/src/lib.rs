//! Labelled corpora and loop banks: decoding, layouts, recipes, splits and folds.
//!
//! This crate reads the disk and calls package managers; it computes no feature
//! and knows no classifier.

pub mod audio;
pub mod bank;
pub mod cache;
pub mod check;
pub mod corpus;
pub mod decode;
pub mod folds;
pub mod images;
pub mod layout;
pub mod limits;
pub mod midi;
pub mod progress;
pub mod read;
pub mod recipes;
pub mod resample;
#[cfg(test)]
mod signal;
pub mod sources;
mod supervise;
pub mod synthetic;
pub mod wav;

pub use audio::Audio;
pub use bank::{Bank, Loop};
pub use cache::Cache;
pub use corpus::{Clip, Corpus, GroupKind, Provenance, SeveralLabels, Split};
pub use folds::Folds;
pub use images::{Image, ImageCorpus, ImageShape};
pub use limits::Limits;
pub use progress::Progress;
pub use read::{Skipped, read_mono};
pub use trompe_base::{Error, Result};
