//! Spectral features of music-genre recognition: slices in, arrays out; no disk, no network.
//!
//! ```
//! use trompe_features::{AdaBffs, FeatureSettings};
//!
//! let settings = FeatureSettings::AdaBffs(AdaBffs::default());
//! let mut extractor = settings.extractor()?;
//! let clip: Vec<f32> = (0..30 * 22_050).map(|n| (n % 100) as f32 / 100.0).collect();
//! let mut vectors = Vec::new();
//! assert_eq!(extractor.extract(&clip, &mut vectors)?, 9);
//! assert_eq!(vectors.len(), 9 * settings.dimensions());
//! # Ok::<(), trompe_features::Error>(())
//! ```

pub mod adabffs;
pub mod error;
mod extractor;
mod log10;
mod lpc;
pub mod mel_spectrogram;
mod mfcc;
pub mod modulations;
mod samples;
pub mod set;
mod shape;
pub mod spectrogram;
mod spectrum;
mod texture;

pub use adabffs::AdaBffs;
pub use error::{Error, Result};
pub use extractor::Extractor;
pub use lpc::LPC_ORDER;
pub use mel_spectrogram::{MelSettings, MelSpectrogram, PRESETS, preset_rate, waveform_patches};
pub use mfcc::{MEL_FILTERS, MEL_FLOOR};
pub use modulations::{Modulations, fast_length};
pub use samples::LOUDEST;
pub use set::FeatureSettings;
pub use shape::ROLLOFFS;
pub use spectrogram::spectrogram;
