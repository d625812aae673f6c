//! Listening and viewing tests: build a study, serve it, simulate listeners, export answers, analyse them.
//!
//! The crate sees stimuli and answers, never a classifier. In the order of a study:
//! [`build()`](build::build) makes a folder of opaque stimuli, [`serve()`](server::serve) hands it out and stores
//! every answer before it is acknowledged, [`answers`] is the table that
//! [`analysis`] reads; [`trompe_statistics`] holds its pure functions.

pub mod analysis;
pub mod answers;
pub mod build;
pub mod cli;
pub mod erase;
pub mod error;
pub mod export;
pub mod given;
mod haste;
pub mod key;
pub mod other_tools;
pub mod plan;
pub mod server;
pub mod simulate;
pub mod static_export;
pub mod study;

mod calendar;
mod codes;
mod desk;
mod enrolment;
mod letter;
mod random;
mod refusal;
mod refused;
mod store;

pub use answers::AnswerRow;
pub use error::{Error, Result};
pub use key::StudyFolder;
pub use refused::Refused;
