//! What every crate of trompe stands on: keyed random streams, durable files, hashes, text encodings,
//! words of messages and the error type of files.

pub mod encoding;
pub mod error;
pub mod files;
pub mod hash;
pub mod random;
pub mod words;

pub use error::{Error, Result};
