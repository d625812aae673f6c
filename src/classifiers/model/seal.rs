//! The checksum of a model file, over every byte of it but its own digits. A flipped bit in a
//! weight is a number as good as any other: nothing else would notice.

use sha2::{Digest, Sha256};
use trompe_base::encoding::hex;

/// How the header begins, as JSON in the metadata; the digits follow. Files written before there
/// was a checksum begin otherwise.
pub(super) const BEGINNING: &str = r#"{"checksum":""#;
/// Digits of a SHA-256 in hexadecimal.
const DIGITS: usize = 64;

/// The field as it stands before the file is sealed.
pub(super) fn blank() -> String {
    "0".repeat(DIGITS)
}

/// Where the digits stand in a file. The metadata come first in it, as JSON inside JSON.
fn place(bytes: &[u8]) -> Option<std::ops::Range<usize>> {
    let key = BEGINNING.replace('"', "\\\"");
    let at = bytes.windows(key.len()).position(|window| window == key.as_bytes())? + key.len();
    (at + DIGITS <= bytes.len()).then_some(at..at + DIGITS)
}

/// The checksum of a file whose digits stand at `place`.
fn checksum(bytes: &[u8], place: std::ops::Range<usize>) -> String {
    let mut hash = Sha256::new();
    hash.update(&bytes[..place.start]);
    hash.update(blank());
    hash.update(&bytes[place.end..]);
    hex(&hash.finalize())
}

/// Writes the checksum into a file that has a blank one.
pub(super) fn seal(bytes: &mut [u8]) {
    if let Some(place) = place(bytes) {
        let sum = checksum(bytes, place.clone());
        bytes[place].copy_from_slice(sum.as_bytes());
    }
}

/// Whether the file is as it was sealed; says what is wrong otherwise.
pub(super) fn check(bytes: &[u8]) -> Result<(), String> {
    let place = place(bytes).ok_or("has no checksum")?;
    if bytes[place.clone()] == *checksum(bytes, place).as_bytes() {
        return Ok(());
    }
    Err("was damaged after it was written: its checksum is another".to_owned())
}

/// The header without its checksum.
pub(super) fn without(json: &str) -> String {
    let rest = json.strip_prefix(BEGINNING).and_then(|rest| rest.get(DIGITS..));
    match rest.and_then(|rest| rest.strip_prefix("\",")) {
        Some(rest) => format!("{{{rest}"),
        None => json.to_owned(),
    }
}
