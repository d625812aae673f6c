//! Sound as a medium of the search: excerpts composed from the loops of a bank, recordings
//! equalized, and their delivered files.

pub mod butterworth;
mod codec;
pub mod composition;
pub mod degradations;
pub mod difference;
pub mod equalization;
pub mod equalizer;
pub mod excerpts;
pub mod interventions;
pub mod probes;
pub mod render;
pub mod tempo;

pub use codec::WavCodec;
pub use composition::{Composition, CompositionSettings, Layer};
pub use degradations::Degradation;
pub use equalization::{Equalization, EqualizedClip, EqualizedClips};
pub use excerpts::Excerpts;
pub use render::Renderer;
