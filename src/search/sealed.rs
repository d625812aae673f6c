//! JSON that ends with its own SHA-256: a file that was cut or changed is found out, and
//! never believed.

use serde::Serialize;
use sha2::{Digest, Sha256};
use trompe_base::encoding::hex;

const BEFORE: &[u8] = b",\"sha256\":\"";
const AFTER: &[u8] = b"\"}";

/// Length of a SHA-256 in hexadecimal.
const HEXADECIMAL: usize = 64;

/// What a sealed file holds, with its seal.
#[derive(Debug, Clone, PartialEq)]
pub struct Sealed<T> {
    /// The content.
    pub content: T,
    /// Its SHA-256, in lower-case hexadecimal.
    pub sha256: String,
}

/// `value`, which must be written as an object with at least one entry, as JSON whose last
/// entry is the SHA-256 of all that stands before it.
///
/// # Errors
/// What `serde_json` cannot write.
pub fn seal(value: &impl Serialize) -> serde_json::Result<Vec<u8>> {
    let mut bytes = serde_json::to_vec(value)?;
    bytes.pop();
    let sha256 = hex(&Sha256::digest(&bytes));
    bytes.extend([BEFORE, sha256.as_bytes(), AFTER].concat());
    Ok(bytes)
}

/// The JSON that was sealed and its SHA-256; `None` if a bit of it is not as it was.
pub fn unseal(bytes: &[u8]) -> Option<(Vec<u8>, String)> {
    let end = bytes.len().checked_sub(BEFORE.len() + HEXADECIMAL + AFTER.len())?;
    let (content, seal) = bytes.split_at(end);
    let sha256 = hex(&Sha256::digest(content));
    let intact = seal == [BEFORE, sha256.as_bytes(), AFTER].concat();
    intact.then(|| ([content, b"}"].concat(), sha256))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn every_flipped_bit_and_every_cut_is_found() {
        let value = serde_json::json!({ "b": [1.5, null], "a": "text" });
        let sealed = seal(&value).unwrap();
        let (content, sha256) = unseal(&sealed).unwrap();
        assert_eq!(serde_json::from_slice::<serde_json::Value>(&content).unwrap(), value);
        let whole: serde_json::Value = serde_json::from_slice(&sealed).unwrap();
        assert_eq!(whole["sha256"], sha256.as_str());
        for length in 0..sealed.len() {
            assert!(unseal(&sealed[..length]).is_none());
        }
        for bit in 0..8 * sealed.len() {
            let mut damaged = sealed.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert!(unseal(&damaged).is_none(), "bit {bit}");
        }
    }
}
