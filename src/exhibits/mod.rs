//! Fooling sets: folders of exhibits that are written, read back, re-scored and only then kept.
//!
//! A set is `manifest.json`, `exhibits.csv`, the delivered files (WAV, PNG) and `index.html`, with
//! [`companions`] beside them.
//! Nothing here knows a medium or a kind of victim: a [`Codec`] writes and reads the files, and
//! the victim scores what was read.

mod codec;
pub mod companions;
mod delivery;
pub mod digest;
pub mod load;
pub mod manifest;
pub mod names;
pub mod picture;
pub mod table;
#[cfg(test)]
pub(crate) mod toy;
pub mod transfer;
pub mod verify;
pub mod write;

pub use crate::problem::{BankUsed, ClassifierUsed, GeneratorUsed, Medium, Runtime};
pub use codec::{Codec, score_file, score_input};
pub use delivery::{Candidate, Delivery, LeftOut, Reason};
pub use load::{load, read_manifest};
pub use manifest::{
    ClassReference, Exhibit, LevelThresholds, Manifest, Origin, ReferenceUsed, Unreached,
};
pub use picture::{Picture, Spectrogram, Waveform};
pub use transfer::{Other, Transfer, Transferred, transfer};
pub use verify::{Verification, Verifier, verify};
pub use write::{Written, candidates, write};
