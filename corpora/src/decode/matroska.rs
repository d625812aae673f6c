//! How much of the end of a Matroska file is padding. The decoding library does not tell
//! (pdeljanov/Symphonia passes over `DiscardPadding`), so that sound would end late.

use std::io::{Read, Seek, SeekFrom};

use super::source::Step;

const SEGMENT: u32 = 0x1853_8067;
const CLUSTER: u32 = 0x1f43_b675;
const BLOCK_GROUP: u32 = 0xa0;
const DISCARD_PADDING: u32 = 0x75a2;
/// First bytes of a file.
pub(super) const MAGIC: [u8; 4] = *b"\x1a\x45\xdf\xa3";

/// Nanoseconds that the last block group says to leave out at its end (RFC 9559, section
/// 5.1.3.5.7).
pub(super) fn end_padding(file: &mut (impl Read + Seek), file_bytes: u64) -> Step<u64> {
    let (mut at, mut padding) = (0, 0);
    while let Some((id, start, size)) = element(file, at)? {
        at = match id {
            // What lies inside follows.
            SEGMENT | CLUSTER => start,
            BLOCK_GROUP => {
                padding = 0;
                start
            }
            _ => {
                if id == DISCARD_PADDING && size <= 8 {
                    padding = signed(file, start, size)?;
                }
                // Another block comes after the group that said so.
                if id == 0xa3 {
                    padding = 0;
                }
                start.saturating_add(size)
            }
        };
        if at >= file_bytes {
            break;
        }
    }
    Ok(u64::try_from(padding).unwrap_or(0))
}

/// The element at a place: its name, and where its content begins and how long it is.
fn element(file: &mut (impl Read + Seek), at: u64) -> Step<Option<(u32, u64, u64)>> {
    let mut bytes = [0; 12];
    file.seek(SeekFrom::Start(at))?;
    let mut held = 0;
    while held < bytes.len() {
        match file.read(&mut bytes[held..])? {
            0 => break,
            read => held += read,
        }
    }
    let id_bytes = bytes[0].leading_zeros() as usize + 1;
    let size_bytes = bytes.get(id_bytes).map_or(9, |byte| byte.leading_zeros() as usize + 1);
    if id_bytes > 4 || size_bytes > 8 || held < id_bytes + size_bytes {
        return Ok(None);
    }
    let value = |bytes: &[u8]| bytes.iter().fold(0, |value, byte| value << 8 | u64::from(*byte));
    let id = value(&bytes[..id_bytes]) as u32;
    let size = value(&bytes[id_bytes..id_bytes + size_bytes]) & ((1 << (7 * size_bytes)) - 1);
    Ok(Some((id, at + (id_bytes + size_bytes) as u64, size)))
}

fn signed(file: &mut (impl Read + Seek), at: u64, size: u64) -> Step<i64> {
    let mut bytes = [0; 8];
    let bytes = &mut bytes[..size as usize];
    file.seek(SeekFrom::Start(at))?;
    file.read_exact(bytes)?;
    let first = if bytes.first().is_some_and(|byte| *byte > 0x7f) { -1 } else { 0 };
    Ok(bytes.iter().fold(first, |value, byte| value << 8 | i64::from(*byte)))
}
