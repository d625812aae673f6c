//! Foreign nets in ONNX files, run by the `rten` crate.
//!
//! A net's files are read once into memory: the ONNX file, and files of weights beside it that it names.
//! Functions are put in place ([`functions`]), constants computed ([`constants`]), operators that are
//! not run written with others ([`rewrite`]), and the whole is checked ([`graph`]). A TOML file of the same name beside it says what it takes: images
//! ([`ImageDescription`]), or sound ([`SoundDescription`]). Inputs go through the net one at a time on
//! one thread, so their log-odds depend neither on the inputs beside them nor on the number of
//! threads. They do depend on the processor's instruction set, as `rten` adds in another order on
//! another one.

mod constants;
mod description;
mod files;
mod front_end;
mod functions;
mod graph;
mod image_input;
mod images;
mod net;
mod proto;
mod rewrite;
mod sound;
mod wire;

use std::path::Path;

use sha2::{Digest, Sha256};
use trompe_base::encoding::hex;
use trompe_base::files::write_atomically;

pub use description::{Colour, Crops, ImageDescription, Layout, SoundDescription};
pub use front_end::{AudioInput, Shown, WaveformLayout, WaveformSettings};
pub use images::OnnxImages;
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

/// Said of a net whose description may be wrong.
const LOGITS_LIKE_PROBABILITIES: &str = "the outputs of the net are declared logits, but lie between 0 and 1 and sum to 1: if they are \
     probabilities, say output = \"probabilities\", or name the logits as output_name";

/// All that a net's log-odds depend on but the processor.
struct Fingerprint<'a, D> {
    description: &'a D,
    classes: &'a [String],
    files: &'a files::Files,
}

impl<D: std::fmt::Debug> Fingerprint<'_, D> {
    fn hash(&self) -> String {
        let Self { description, classes, files } = self;
        // The name that the description of images had in earlier versions: their runs go on.
        let description = format!("{description:?}").replacen("ImageDescription", "Description", 1);
        let mut hash = Sha256::new();
        hash.update(format!("onnx {description} {classes:?}"));
        files.parts().for_each(|part| hash.update(part));
        hex(&hash.finalize())
    }
}

/// Writes the description and the class names of a net to where they belong beside `net`.
fn save_beside(net: &Path, description: &str, classes: &str, names: &str) -> Result<()> {
    let path = description::path_of(net);
    write_atomically(&path.with_file_name(classes), names.as_bytes())?;
    Ok(write_atomically(&path, description.as_bytes())?)
}

#[cfg(test)]
mod tests;
