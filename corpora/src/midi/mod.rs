//! Standard MIDI files: read on a sample clock, and played by a sampler.

mod sampler;
mod sf3;
mod song;

pub use sampler::Sampler;
pub use song::{Part, Song};

/// Sample rate of everything rendered, in hertz: the rate of GTZAN and of AdaBFFs.
pub const SAMPLE_RATE: u32 = 22_050;
