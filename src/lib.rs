//! trompe fools music-genre classifiers and shows that people are not fooled.

pub mod audio;
pub mod classifiers;
pub mod cli;
pub mod dataset;
pub mod error;
pub mod evaluation;
pub mod exhibits;
mod hexadecimal;
pub mod image;
pub mod odds;
pub mod pipeline;
pub mod report;
pub mod results;
pub mod search;

pub use dataset::Dataset;
pub use error::{Error, Result};
pub use trompe_corpora as corpora;
pub use trompe_features as features;
pub use trompe_listening_test as listening_test;
