//! Pages, pictures and tables for people, of fooling sets and of [`crate::results`]. A page is a
//! single file that opens from disk without a network; every number on it is in the JSON too.

mod address;
mod axis;
mod card;
mod companion;
#[cfg(feature = "listen")]
pub mod comparison;
pub mod confusion;
mod curves;
pub mod evaluation_page;
pub mod gallery;
mod genuine;
mod numbers;
pub mod page;
mod provenance;
mod run_page;
mod shell;
mod spectrogram;
mod table;
pub mod terminal;

pub use confusion::{Margins, confusion_svg};
pub use curves::curves_svg;
pub use evaluation_page::{Evaluated, evaluation_page};
pub use page::fooling_set_page;
pub use run_page::{Link, run_page};
