//! SHA-256 of files and collections.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use sha2::{Digest, Sha256};

use crate::encoding::hex;
use crate::error::{Error, Result};

/// SHA-256 of a file's bytes.
///
/// # Errors
/// [`Error::Io`] if the file cannot be read.
pub fn sha256_file(path: &Path) -> Result<[u8; 32]> {
    let mut hasher = Sha256::new();
    let mut file = File::open(path).map_err(|e| Error::io(path, e))?;
    let mut block = vec![0; 1 << 16];
    loop {
        match file.read(&mut block).map_err(|e| Error::io(path, e))? {
            0 => return Ok(hasher.finalize().into()),
            read => hasher.update(&block[..read]),
        }
    }
}

/// SHA-256 of a list of fields. The length of each field is hashed before it, so no two lists have the same
/// bytes.
#[derive(Debug, Default)]
pub struct FieldHasher(Sha256);

impl FieldHasher {
    /// Adds a field.
    pub fn field(&mut self, bytes: impl AsRef<[u8]>) {
        let bytes = bytes.as_ref();
        self.0.update((bytes.len() as u64).to_le_bytes());
        self.0.update(bytes);
    }

    /// The digest of all fields, in hexadecimal.
    pub fn finish(self) -> String {
        hex(&self.0.finalize())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_file_hashes_as_the_standard_says() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("abc");
        std::fs::write(&path, "abc").unwrap();
        // FIPS 180-2, appendix B.1.
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(hex(&sha256_file(&path).unwrap()), expected);
        assert!(matches!(sha256_file(&folder.path().join("x")), Err(Error::Io { .. })));
    }

    #[test]
    fn where_a_field_ends_matters() {
        let hash = |fields: &[&str]| {
            let mut hasher = FieldHasher::default();
            fields.iter().for_each(|field| hasher.field(field));
            hasher.finish()
        };
        assert_ne!(hash(&["ab", "c"]), hash(&["a", "bc"]));
        assert_eq!(hash(&["ab", "c"]), hash(&["ab", "c"]));
    }
}
