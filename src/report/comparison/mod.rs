//! The page of a comparison: groups of runs side by side, sound beside images.

mod facts;
mod figures;
mod page;
mod shown;
mod tables;
pub(super) mod words;

pub use page::comparison_page;
pub use shown::{Content, Shown};
