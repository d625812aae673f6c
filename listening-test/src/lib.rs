//! Listening and viewing tests: build a study, serve it, simulate listeners, export answers, analyse them.
//!
//! The crate sees stimuli and answers, never a classifier. In the order of a study:
//! [`build()`](build::build) makes a folder of opaque stimuli, [`serve()`](server::serve) hands it out and stores
//! every answer before it is acknowledged, [`answers`] is the table that
//! [`analysis`] reads; [`trompe_statistics`] holds its pure functions.

pub mod analysis;
pub mod answer;
pub mod answer_key;
pub mod answers;
pub mod backup;
pub mod build;
pub mod cli;
pub mod erase;
pub mod error;
pub mod expiry;
pub mod export;
pub mod import_formats;
pub mod payment;
pub mod plan;
pub mod psych_ds;
pub mod server;
pub mod simulate;
pub mod staircase;
pub mod static_export;
pub mod study;
pub mod study_folder;

mod access_log;
mod admission;
mod answer_times;
mod calendar;
mod consent;
mod consent_record;
mod duration;
mod enrolment;
mod mail_import;
mod mushra;
mod participant;
mod participants_table;
mod places;
mod qr_import;
mod random;
pub mod recruitment;
mod refusal;
mod rejection_log;
mod session;
mod store;
mod texts;
mod unfold;
mod williams;

pub use answers::AnswerRow;
pub use error::{Error, Result};
pub use mushra::{Anchor, MushraPage};
pub use rejection_log::Rejection;
pub use study_folder::StudyFolder;
