//! Results as numbers, without pages: of one run, and of groups of runs side by side. They are the
//! JSON and CSV files of a run and of a comparison; [`crate::report`] makes pages of them.

pub mod answers;
#[cfg(feature = "listen")]
pub mod comparison;
pub mod genuine;
pub mod intervals;
pub mod random_scores;
pub mod run;

pub use answers::{Answer, Probe};
pub use genuine::{AgainstGenuine, BY_DISTANCE, Distances, Distributions, LevelReport};
pub use run::{RunRecord, RunReport};
