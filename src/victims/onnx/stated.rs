//! What nets of both media share: their fingerprint, and what lies beside their file.

use std::path::Path;

use sha2::{Digest, Sha256};
use trompe_base::encoding::hex;
use trompe_base::files::write_atomically;

use super::description::path_of;
use super::files::Files;
use crate::error::Result;
use crate::victims::fixed_text::{Fixed, FixedText};

/// Said of a net whose description may be wrong.
pub(super) const LOGITS_LIKE_PROBABILITIES: &str = "the outputs of the net are declared logits, but lie between 0 and 1 and sum to 1: if they are \
     probabilities, say output = \"probabilities\", or name the logits as output_name";

/// All that a net's log-odds depend on but the processor.
pub(super) struct Fingerprint<'a, D> {
    pub(super) description: &'a D,
    pub(super) classes: &'a [String],
    pub(super) files: &'a Files,
}

impl<D: FixedText> Fingerprint<'_, D> {
    pub(super) fn hash(&self) -> String {
        let Self { description, classes, files } = self;
        let mut hash = Sha256::new();
        hash.update(format!("onnx {:?} {classes:?}", Fixed(*description)));
        files.parts().for_each(|part| hash.update(part));
        hex(&hash.finalize())
    }
}

/// Writes the description and the class names of a net to where they belong beside `net`.
pub(super) fn save_beside(net: &Path, description: &str, classes: &str, names: &str) -> Result<()> {
    let path = path_of(net);
    write_atomically(&path.with_file_name(classes), names.as_bytes())?;
    Ok(write_atomically(&path, description.as_bytes())?)
}
