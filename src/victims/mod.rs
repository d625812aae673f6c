//! What is fooled: models that trompe trained, opened from their files, and what others trained.

pub mod any_model;
mod audio_model;
mod fixed_text;
mod image_model;
mod kept;
#[cfg(feature = "onnx")]
pub mod onnx;
pub mod outputs;
pub mod program;

pub use any_model::{AnyModel, Scorer};
pub use audio_model::{AudioModel, AudioVictim};
pub use image_model::ImageModel;
#[cfg(feature = "onnx")]
pub use onnx::{OnnxImages, OnnxNet, OnnxSound, Runtime};
pub use program::Program;
