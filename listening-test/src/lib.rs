//! Listening and viewing tests.

pub mod analysis;
pub mod answers;
pub mod error;
pub mod statistics;

pub use answers::AnswerRow;
pub use error::{Error, Result};
