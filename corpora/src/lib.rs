//! Labelled corpora and loop banks: decoding, layouts, recipes, splits and folds.
//!
//! This crate reads the disk and calls package managers; it computes no feature
//! and knows no classifier.

pub mod audio;
pub mod bank;
pub mod corpus;
pub mod error;
pub mod files;
pub mod images;

pub use audio::Audio;
pub use bank::{Bank, Loop};
pub use corpus::{Clip, Corpus, Provenance, Split};
pub use error::{Error, Result};
pub use images::{Image, ImageCorpus, ImageShape};
