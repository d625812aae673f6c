//! Spectral features of music-genre recognition: slices in, arrays out; no disk, no network.

pub mod error;
pub mod set;

pub use error::{Error, Result};
pub use set::{Extractor, Settings};
