//! Intervals of adaptive tracks, each in an encoding of its own.
//!
//! All intervals of a trial but one are the same file, so that equal bytes would tell the right one.
//! Every interval therefore gets triangular dither of one 16-bit step (about -96 dB) on its way out,
//! under a key that participants do not have.

use std::io::Cursor;
use std::path::Path;

use rand::RngExt;
use sha2::{Digest, Sha256};
use trompe_base::random::Stream;

use crate::error::{Error, Result};

/// The sound in `path` for the interval of this name: the same name always has the same bytes.
///
/// # Errors
/// [`trompe_base::Error`] if the file is gone or is no 16-bit WAV file.
pub(super) fn dithered(path: &Path, name: &str) -> Result<Vec<u8>> {
    let bad = |error: hound::Error| {
        Error::bad_file(path, error.to_string(), "restore the study folder from a copy")
    };
    let bytes = std::fs::read(path).map_err(|source| Error::io(path, source))?;
    let mut reader = hound::WavReader::new(Cursor::new(bytes)).map_err(bad)?;
    let mut random = stream_of(path, name);
    let mut heard = Cursor::new(Vec::new());
    let mut writer = hound::WavWriter::new(&mut heard, reader.spec()).map_err(bad)?;
    for sample in reader.samples::<i16>() {
        let noise = random.random::<f32>() - random.random::<f32>();
        let dithered = libm::rintf(f32::from(sample.map_err(bad)?) + noise);
        writer.write_sample(dithered.clamp(-32768.0, 32767.0) as i16).map_err(bad)?;
    }
    writer.finalize().map_err(bad)?;
    Ok(heard.into_inner())
}

/// Keyed by the file's own name, which nobody outside knows, and the name that is used once.
fn stream_of(path: &Path, name: &str) -> Stream {
    let own = path.file_name().unwrap_or_default().to_string_lossy();
    let digest = Sha256::digest(format!("dither/{own}/{name}"));
    let word = |at: usize| {
        digest.iter().skip(8 * at).take(8).fold(0, |sum, &byte| sum << 8 | u64::from(byte))
    };
    trompe_base::random::stream(word(0), word(1), word(2), word(3))
}
