//! What every crate of trompe stands on: keyed random streams, durable files, hashes, text encodings,
//! words of messages, the style sheet that all pages share, and the error type of files.

pub mod encoding;
pub mod error;
pub mod files;
pub mod hash;
pub mod random;
pub mod words;

pub use error::{Error, Result};

/// Style sheet with the colours and the type of every page: of results, of studies and of their reports. Each
/// kind of page adds its own.
pub const DESIGN: &str = include_str!("design.css");
