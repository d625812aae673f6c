//! Audio as a medium of the search: excerpts composed from the loops of a bank, recordings
//! equalized, and what a classifier hears in them.

pub mod butterworth;
pub mod composition;
pub mod delivery;
pub mod difference;
pub mod equalization;
pub mod equalizer;
pub mod excerpts;
pub mod handling;
pub mod interventions;
pub mod listener;
pub mod render;
pub mod tempo;

pub use composition::{Composition, Layer, Settings};
pub use delivery::{ExcerptDelivery, out_of_reach, score_file, waveform};
pub use equalization::{Equalization, EqualizedClip};
pub use excerpts::Excerpts;
pub use handling::Handling;
pub use listener::Listener;
pub use render::Renderer;
