//! trompe finds excerpts and images that a classifier labels with near certainty and that people do
//! not recognise, and lets people prove it.
//!
//! # The pipeline
//!
//! | step | module | result |
//! |---|---|---|
//! | read a labelled corpus, or a bank of loops | [`corpora`] | clips, images, loops |
//! | extract features | [`features`], [`dataset`] | vectors with labels |
//! | train, or bring your own | [`classifiers`], [`problem::Victim`] | log-odds per class |
//! | choose what is searched | [`audio`], [`image`], [`problem::Space`] | genomes that render to inputs |
//! | search | [`search`] | elites of every class |
//! | deliver | [`exhibits`] | a fooling set, scored from its files |
//! | ask people | `listening_test` | agreement |
//! | report | [`report`] | pages, tables |
//!
//! The cargo features `cli` (the command), `listen` (studies with people, comparisons of runs) and `onnx`
//! (nets in ONNX files) are all on by default; each builds without the others.
//!
//! [`pipeline`] joins the steps as the command line does, and [`evaluation`] tests classifiers on
//! genuine data.
//!
//! # Fool your own classifier
//!
//! ```
//! use trompe::corpora::{Image, ImageShape};
//! use trompe::image::{Patches, patches};
//! use trompe::problem::{Closure, Problem};
//! use trompe::search::{Finished, Search, SearchSettings};
//!
//! # fn main() -> trompe::Result<()> {
//! // One log-odds per class for one image; an error would end the search.
//! let victim = Closure::new(["dark", "bright"], |image: &Image| {
//!     let sum: u32 = image.pixels.iter().map(|&value| u32::from(value)).sum();
//!     let bright = f64::from(sum) / image.pixels.len() as f64 - 127.5;
//!     Ok::<_, std::io::Error>(vec![-bright, bright])
//! });
//! let space = Patches::new(ImageShape::grey(8, 8), &patches::PatchSettings::default())?;
//! let settings = SearchSettings { exhibits: 1, ..SearchSettings::default() };
//! let mut search = Search::new(Problem::new(space, victim)?, &settings)?;
//! while search.finished().is_none() {
//!     search.step()?;
//! }
//! assert_eq!(search.finished(), Some(Finished::AllClasses));
//! for class in 0..2 {
//!     assert!(search.state().archive.reaching(class).count() >= 1);
//! }
//! # Ok(())
//! # }
//! ```
//!
//! The programs in `examples/` continue from here: `fool_sound`, `fool_images`,
//! `train_and_cross_validate` and `read_fooling_set`.

pub mod audio;
pub mod classifiers;
#[cfg(feature = "cli")]
pub mod cli;
pub mod dataset;
pub mod error;
pub mod evaluation;
pub mod exhibits;
pub mod image;
pub mod log_odds;
pub mod pipeline;
pub mod problem;
pub mod reference;
pub mod report;
pub mod results;
pub mod search;
mod suggestion;
pub mod victims;

pub use dataset::Dataset;
pub use error::{Error, Result};
pub use trompe_base as base;
pub use trompe_corpora as corpora;
pub use trompe_features as features;
#[cfg(feature = "listen")]
pub use trompe_listening_test as listening_test;
pub use trompe_statistics as statistics;
