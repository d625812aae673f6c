//! IDX files, the format of MNIST: magic number, sizes, then bytes (Y. LeCun's page of MNIST
//! describes it). Only unsigned bytes are read, plain or compressed by gzip.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use flate2::read::MultiGzDecoder;
use trompe_base::files::write_atomically;
use trompe_base::{Error, Result};

use crate::limits::Limits;

/// First bytes of a file compressed by gzip.
const GZIP: [u8; 2] = [0x1f, 0x8b];
/// Deflate never expands a byte to more than this (RFC 1951 codes allow 1,032).
const MAX_EXPANSION: u64 = 1_032;

/// An array of bytes as an IDX file holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdxArray {
    /// Sizes, slowest dimension first.
    pub sizes: Vec<usize>,
    /// As many bytes as the product of the sizes.
    pub bytes: Vec<u8>,
}

/// Reads the IDX file `path`, which must have `dimensions` dimensions (1 to 4). What gzip
/// compressed is decompressed, whatever its name.
///
/// # Errors
/// [`Error::BadFile`] if the magic number, the number of dimensions or the length is not what
/// it must be, or the sizes are absurd; nothing large is allocated before they are checked.
pub fn read_idx(path: &Path, dimensions: usize, limits: &Limits) -> Result<IdxArray> {
    let file = File::open(path).map_err(|e| Error::io(path, e))?;
    let on_disk = file.metadata().map_err(|e| Error::io(path, e))?.len();
    let most = limits.max_array_bytes;
    let mut first = Vec::new();
    (&file).take(2).read_to_end(&mut first).map_err(|e| Error::io(path, e))?;
    let gzip = first == GZIP;
    let source = first.as_slice().chain(file);
    if gzip {
        let most = most.min(on_disk.saturating_mul(MAX_EXPANSION));
        // A file may consist of several members.
        read(path, MultiGzDecoder::new(source), most, dimensions)
    } else {
        read(path, source, most.min(on_disk), dimensions)
    }
}

/// Writes `bytes` as an IDX file of the given sizes, slowest dimension first.
///
/// # Errors
/// [`Error::Request`] if the sizes are not those of the bytes; [`Error::Io`].
pub fn write_idx(path: &Path, sizes: &[usize], bytes: &[u8]) -> Result<()> {
    let unfit = || Error::request(format!("{} bytes of sizes {sizes:?}", bytes.len()), "give all");
    if sizes.iter().product::<usize>() != bytes.len() {
        return Err(unfit());
    }
    let mut file = vec![0, 0, 8, u8::try_from(sizes.len()).map_err(|_| unfit())?];
    for &size in sizes {
        file.extend(u32::try_from(size).map_err(|_| unfit())?.to_be_bytes());
    }
    file.extend(bytes);
    write_atomically(path, &file)
}

/// Reads an array of `most` bytes at most from `source`.
fn read(path: &Path, mut source: impl Read, most: u64, dimensions: usize) -> Result<IdxArray> {
    let bad = |what: String| Error::bad_file(path, what, "fetch the file again");
    let mut header = vec![0; 4 + 4 * dimensions];
    source.read_exact(&mut header).map_err(|e| bad(format!("ends inside its header ({e})")))?;
    let magic = [0, 0, 8, dimensions as u8];
    if header[..4] != magic {
        return Err(bad(format!(
            "not an IDX file of bytes in {dimensions} dimensions: it starts with {:02x?}, not {magic:02x?}",
            &header[..4]
        )));
    }
    let sizes: Vec<u32> = header[4..]
        .chunks_exact(4)
        .map(|size| u32::from_be_bytes([size[0], size[1], size[2], size[3]]))
        .collect();
    let expected = sizes.iter().try_fold(1_u64, |product, &size| product.checked_mul(size.into()));
    let Some(expected) = expected.filter(|&bytes| bytes <= most) else {
        return Err(bad(format!("claims sizes {sizes:?}, more than the file can hold or is read")));
    };
    let mut bytes = Vec::new();
    source
        .take(expected + 1)
        .read_to_end(&mut bytes)
        .map_err(|e| bad(format!("cannot be read to its end ({e})")))?;
    if bytes.len() as u64 != expected {
        let found = if bytes.len() as u64 > expected { "more" } else { "fewer" };
        return Err(bad(format!("has {found} bytes than its sizes {sizes:?} say")));
    }
    Ok(IdxArray { sizes: sizes.into_iter().map(|size| size as usize).collect(), bytes })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    #[test]
    fn what_is_written_reads_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        write_idx(&path, &[2, 3], &[1, 2, 3, 4, 5, 6]).unwrap();
        let array = read_idx(&path, 2, &Limits::default()).unwrap();
        assert_eq!((array.sizes, array.bytes), (vec![2, 3], vec![1, 2, 3, 4, 5, 6]));
        assert!(write_idx(&path, &[2, 2], &[1, 2, 3]).is_err());
    }

    fn idx(sizes: &[u32], bytes: &[u8]) -> Vec<u8> {
        let mut file = vec![0, 0, 8, sizes.len() as u8];
        file.extend(sizes.iter().flat_map(|size| size.to_be_bytes()));
        file.extend(bytes);
        file
    }

    fn read_bytes(name: &str, content: &[u8], dimensions: usize) -> Result<IdxArray> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        read_idx(&path, dimensions, &Limits::default())
    }

    #[test]
    fn plain_and_compressed_files_read_alike() {
        let content = idx(&[2, 2, 3], &(0..12).collect::<Vec<u8>>());
        let plain = read_bytes("a", &content, 3).unwrap();
        assert_eq!(plain.sizes, [2, 2, 3]);
        assert_eq!(plain.bytes, (0..12).collect::<Vec<u8>>());
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(&content).unwrap();
        assert_eq!(read_bytes("a.gz", &encoder.finish().unwrap(), 3).unwrap(), plain);
        // Two members, and no name that tells.
        let member = |part: &[u8]| {
            let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
            encoder.write_all(part).unwrap();
            encoder.finish().unwrap()
        };
        let (begin, end) = content.split_at(9);
        let members = [member(begin), member(end)].concat();
        assert_eq!(read_bytes("a", &members, 3).unwrap(), plain);
    }

    #[test]
    fn damaged_files_are_refused_with_the_reason() {
        let good = idx(&[3], &[1, 2, 3]);
        let mut wrong_magic = good.clone();
        wrong_magic[2] = 0x0d; // floats
        let mut longer = good.clone();
        longer.push(0);
        for (content, reason) in [
            (&good[..6], "header"),
            (&wrong_magic[..], "IDX"),
            (&good[..good.len() - 1], "fewer bytes"),
            (&longer[..], "more bytes"),
            (&idx(&[u32::MAX], &[])[..], "more than the file can hold"),
        ] {
            let error = read_bytes("a", content, 1).unwrap_err().to_string();
            assert!(error.contains(reason), "{error}");
        }
        assert!(read_bytes("a", &good, 3).is_err(), "wrong number of dimensions");
        let overflow = idx(&[u32::MAX, u32::MAX, u32::MAX], &[]);
        assert!(read_bytes("a", &overflow, 3).is_err());
    }

    #[test]
    fn a_truncated_compressed_file_is_refused() {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(&idx(&[5_000], &[7; 5_000])).unwrap();
        let compressed = encoder.finish().unwrap();
        let error = read_bytes("a.gz", &compressed[..compressed.len() - 9], 1).unwrap_err();
        assert!(error.to_string().contains("a.gz"), "{error}");
        assert!(read_bytes("b.gz", b"no gzip at all", 1).is_err());
    }
}
