//! Results as numbers, without pages: of one run, and of groups of runs side by side. They are the
//! JSON and CSV files of a run and of a comparison; [`crate::report`] makes pages of them.

#[cfg(feature = "listen")]
pub mod comparison;
pub mod intervals;
pub mod run;

pub use run::{RunRecord, RunReport};
