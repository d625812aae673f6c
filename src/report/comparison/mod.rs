//! The page of a comparison: groups of runs side by side, sound beside images.

mod facts;
mod figures;
mod page;
mod shown;
mod tables;
mod text;
mod words;

pub use page::comparison_page;
pub use shown::{Content, Shown};
pub use text::comparison_text;
