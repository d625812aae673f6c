//! Fooling sets: folders of exhibits that are written, read back, re-scored and only then kept.
//!
//! A set is `manifest.json`, `exhibits.csv`, the delivered files (WAV, PNG) and `index.html`.
//! Nothing here knows a medium or a classifier: a [`Delivery`] writes and re-scores files.

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

pub use load::{load, read_manifest};
pub use manifest::{
    BankUsed, ClassifierUsed, Exhibit, GeneratorUsed, Manifest, Medium, Origin, Unreached,
};
pub use picture::{Picture, Waveform};
pub use transfer::{Transfer, Transferred, transfer};
pub use verify::{Verification, verify};
pub use write::{Candidate, Delivery, LeftOut, Reason, Written, candidates, write};
