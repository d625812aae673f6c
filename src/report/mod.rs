//! What people read: pages of fooling sets and runs, pictures, tables. Pages are single
//! files that open from disk without a network; every number on them is in the JSON too.

mod axis;
mod card;
pub mod comparison;
pub mod confusion;
mod curves;
pub mod evaluation_page;
pub mod intervals;
mod numbers;
pub mod page;
mod provenance;
pub mod run;
mod run_page;
mod shell;
pub mod terminal;

pub use confusion::{Margins, confusion_svg};
pub use curves::curves_svg;
pub use evaluation_page::{Evaluated, evaluation_page};
pub use page::fooling_set_page;
pub use run::{RunRecord, RunReport};
pub use run_page::run_page;
