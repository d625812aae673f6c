//! Checksums of damaged files made right again. A checksum stops accidents, not people: what
//! lies behind it must stand damage as well, and is never reached if the checksum is left wrong.

use flate2::Crc;
use sha2::{Digest, Sha256};

const PNG_MAGIC: &[u8] = b"\x89PNG\r\n\x1a\n";

/// Makes the checksums of every PNG chunk right, as far as the chunks can be followed.
pub fn png(bytes: &mut [u8]) {
    let mut at = PNG_MAGIC.len();
    while let Some(Ok(length)) = bytes.get(at..at + 4).map(<[u8; 4]>::try_from) {
        let (from, length) = (at + 4, u32::from_be_bytes(length) as usize);
        let end = from.saturating_add(4).saturating_add(length);
        if end.saturating_add(4) > bytes.len() {
            return;
        }
        let mut crc = Crc::new();
        crc.update(&bytes[from..end]);
        bytes[end..end + 4].copy_from_slice(&crc.sum().to_be_bytes());
        at = end + 4;
    }
}

/// Makes the checksum of every Ogg page right (RFC 3533, section 6).
pub fn ogg(bytes: &mut [u8]) {
    const FIXED: usize = 27;
    let mut at = 0;
    while let Some(start) = bytes[at..].windows(4).position(|four| four == b"OggS") {
        let start = at + start;
        let Some(&segments) = bytes.get(start + FIXED - 1) else { return };
        let Some(lengths) = bytes.get(start + FIXED..start + FIXED + usize::from(segments)) else {
            return;
        };
        let body: usize = lengths.iter().map(|&length| usize::from(length)).sum();
        let end = start + FIXED + usize::from(segments) + body;
        let Some(page) = bytes.get_mut(start..end) else { return };
        page[22..26].fill(0);
        let sum = ogg_crc(page);
        page[22..26].copy_from_slice(&sum.to_le_bytes());
        at = end;
    }
}

/// The polynomial of 802.3, not reflected, without inversions.
fn ogg_crc(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0, |sum: u32, &byte| {
        (0..8).fold(sum ^ (u32::from(byte) << 24), |sum, _| {
            (sum << 1) ^ if sum & 0x8000_0000 == 0 { 0 } else { 0x04c1_1db7 }
        })
    })
}

/// Makes the seal at the end of a checkpoint or shard right.
pub fn sealed(bytes: &mut [u8]) {
    const AROUND: [&[u8]; 2] = [b",\"sha256\":\"", b"\"}"];
    let Some(end) = bytes.len().checked_sub(AROUND[0].len() + 64 + AROUND[1].len()) else { return };
    let (content, seal) = bytes.split_at_mut(end);
    let sum: String = Sha256::digest(content).iter().map(|byte| format!("{byte:02x}")).collect();
    seal.copy_from_slice(&[AROUND[0], sum.as_bytes(), AROUND[1]].concat());
}

/// Makes the checksum in a model's header right.
pub fn model(bytes: &mut [u8]) {
    const KEY: &[u8] = br#"{\"checksum\":\""#;
    const DIGITS: usize = 64;
    let Some(key) = bytes.windows(KEY.len()).position(|window| window == KEY) else { return };
    let from = key + KEY.len();
    let Some(field) = bytes.get_mut(from..from + DIGITS) else { return };
    field.fill(b'0');
    let sum: String = Sha256::digest(&*bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    bytes[from..from + DIGITS].copy_from_slice(sum.as_bytes());
}
