//! Labelled corpora and loop banks: decoding, layouts, recipes, splits and folds.
//!
//! This crate reads the disk and calls package managers; it computes no feature
//! and knows no classifier.

pub mod audio;
pub mod bank;
pub mod cache;
pub mod corpus;
pub mod error;
pub mod files;
pub mod midi;
pub mod recipes;
pub mod synthetic;

pub use audio::Audio;
pub use bank::{Bank, Loop};
pub use cache::Cache;
pub use corpus::{Clip, Corpus, Provenance, Split};
pub use error::{Error, Result};
