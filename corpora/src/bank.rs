//! What a bank is: the loops that excerpts are composed from.

use crate::corpus::Provenance;

/// One loop of a bank, decoded to the bank's rate.
#[derive(Debug, Clone, PartialEq)]
pub struct Loop {
    /// Unique, stable name inside the bank (by default the path below its root).
    pub id: String,
    /// Mono 16-bit samples, peak-normalized when the bank was read (half the memory of
    /// floats: a bank of 1,200 loops stays below 400 MB).
    pub samples: Vec<i16>,
}

/// A collection of loops at one sample rate.
#[derive(Debug, Clone, PartialEq)]
pub struct Bank {
    /// Name as the user gave it.
    pub name: String,
    /// Where the sound comes from.
    pub provenance: Provenance,
    /// Licence of the sound, as its `about.toml` states it.
    pub licence: Option<String>,
    /// Sample rate of every loop, in hertz.
    pub sample_rate: u32,
    /// Loops, in a fixed order (by id). Never empty, none silent.
    pub loops: Vec<Loop>,
}
