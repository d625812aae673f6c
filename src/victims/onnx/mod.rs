//! Foreign nets in ONNX files, run by the `rten` crate or by ONNX Runtime.
//!
//! A net's files are read once into memory: the ONNX file, and files of weights beside it that it names.
//! Functions are put in place (`functions.rs`), constants computed (`constants.rs`), operators that are
//! not run written with others (`rewrite.rs`), and the whole is checked (`graph.rs`), the sizes of its
//! tensors among it (`sizes.rs`). A TOML file of the same name beside it says what it takes: images ([`ImageDescription`]), or sound
//! ([`SoundDescription`]). Inputs go through the net one at a time on
//! one thread, so their log-odds depend neither on the inputs beside them nor on the number of
//! threads. They do depend on the processor's instruction set, as `rten` adds in another order on
//! another one.

mod computed;
mod constants;
mod description;
mod files;
mod fixed_text;
mod front_end;
mod functions;
mod graph;
mod image_input;
mod images;
mod input;
mod net;
#[cfg(feature = "onnxruntime")]
mod onnxruntime;
mod proto;
mod rewrite;
mod runtime;
mod sizes;
mod sound;
mod stated;
mod tensors;
mod wire;

use std::path::Path;

pub use description::{Colour, Crops, ImageDescription, Layout, SoundDescription};
pub use front_end::{AudioInput, Shown, WaveformLayout, WaveformSettings};
pub use images::OnnxImages;
pub use runtime::Runtime;
pub use sound::OnnxSound;

use description::AnyDescribed;

use crate::error::Result;

/// A net of either medium.
#[derive(Debug)]
pub enum OnnxNet {
    /// It takes images.
    Images(Box<OnnxImages>),
    /// It takes sound.
    Sound(Box<OnnxSound>),
}

impl OnnxNet {
    /// Opens the net in `path`, whose description lies beside it, and runs it.
    ///
    /// # Errors
    /// [`Error::BadFile`](crate::Error::BadFile) naming the file at fault if it is damaged, too large,
    /// uses operators that are not run, or does not fit its
    /// description; an input or output error.
    pub fn open(path: &Path) -> Result<Self> {
        // Before its description is asked for.
        std::fs::metadata(path).map_err(|source| crate::Error::io(path, source))?;
        Ok(match AnyDescribed::read(path)? {
            AnyDescribed::Images(described) => {
                Self::Images(Box::new(OnnxImages::open(path, described)?))
            }
            AnyDescribed::Sound(described) => {
                Self::Sound(Box::new(OnnxSound::open(path, described)?))
            }
        })
    }
}

#[cfg(test)]
mod tests;
