//! What every crate of trompe stands on: keyed random streams, durable files, hashes, text encodings
//! and the error type of files.

pub mod encoding;
pub mod error;
pub mod files;
pub mod hash;
pub mod random;

pub use error::{Error, Result};
