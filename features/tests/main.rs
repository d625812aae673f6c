//! All tests of the crate from outside, as one program.

#![allow(clippy::unwrap_used)]

mod adabffs;
mod mel_spectrogram;
mod modulations;
