//! Audio as a medium of the search: excerpts composed from the loops of a bank, and what a
//! classifier hears in them.

pub mod composition;
pub mod delivery;
pub mod excerpts;
pub mod listener;
pub mod render;

pub use composition::{Composition, Layer, Settings};
pub use delivery::{ExcerptDelivery, score_file};
pub use excerpts::Excerpts;
pub use listener::Listener;
pub use render::Renderer;
