//! Sun / NeXT `.au` files (GTZAN's original format).
//!
//! Layout (Sun's `audio_filehdr`, 32-bit words): magic `.snd`, offset of the data, size of the
//! data in bytes or 0xFFFF_FFFF for unknown, encoding, sample rate, channels. All words and
//! samples are big-endian. DEC's variant begins with `dns.` and is little-endian.

use std::fs::File;
use std::io::{ErrorKind, Read, Seek, SeekFrom};

use symphonia_core::codecs::audio::AudioCodecId;
use symphonia_core::codecs::audio::well_known as codec;

use super::pcm::{Coding, PcmSource, Stretch};
use super::source::{Step, bad};

/// First bytes of the two kinds.
pub(super) const MAGIC: [[u8; 4]; 2] = [*b".snd", *b"dns."];
const HEADER_BYTES: u32 = 24;
const UNKNOWN_SIZE: u32 = u32::MAX;

/// Codec and bytes per sample of an encoding number.
fn encoding(number: u32, little: bool) -> Option<(AudioCodecId, u64)> {
    let either = |big, small| if little { small } else { big };
    Some(match number {
        1 => (codec::CODEC_ID_PCM_MULAW, 1),
        2 => (codec::CODEC_ID_PCM_S8, 1),
        3 => (either(codec::CODEC_ID_PCM_S16BE, codec::CODEC_ID_PCM_S16LE), 2),
        4 => (either(codec::CODEC_ID_PCM_S24BE, codec::CODEC_ID_PCM_S24LE), 3),
        5 => (either(codec::CODEC_ID_PCM_S32BE, codec::CODEC_ID_PCM_S32LE), 4),
        6 => (either(codec::CODEC_ID_PCM_F32BE, codec::CODEC_ID_PCM_F32LE), 4),
        7 => (either(codec::CODEC_ID_PCM_F64BE, codec::CODEC_ID_PCM_F64LE), 8),
        27 => (codec::CODEC_ID_PCM_ALAW, 1),
        _ => return None,
    })
}

/// Opens a file that begins with one of [`MAGIC`].
pub(super) fn open(mut file: File, file_bytes: u64, most_channels: usize) -> Step<PcmSource> {
    let mut header = [0; HEADER_BYTES as usize];
    file.seek(SeekFrom::Start(0))?;
    match file.read_exact(&mut header) {
        Err(e) if e.kind() == ErrorKind::UnexpectedEof => {
            return bad("truncated: the file ends inside its header");
        }
        read => read?,
    }
    let little = header[..4] == MAGIC[1];
    let word = |index: usize| {
        let bytes: [u8; 4] = std::array::from_fn(|byte| header[4 * index + byte]);
        if little { u32::from_le_bytes(bytes) } else { u32::from_be_bytes(bytes) }
    };
    let (offset, size, number, rate, channels) = (word(1), word(2), word(3), word(4), word(5));
    if offset < HEADER_BYTES {
        return bad("its header makes no sense (the data would lie inside it)");
    }
    let Some((codec, sample_bytes)) = encoding(number, little) else {
        return bad(format!("is Sun audio of an encoding that is not read (number {number})"));
    };
    let channels = match u16::try_from(channels) {
        Ok(channels) if channels > 0 => channels,
        _ => return bad(format!("has {channels} channels")),
    };
    let start = u64::from(offset);
    let promised = (size != UNKNOWN_SIZE).then_some(u64::from(size));
    let end = promised.map_or(file_bytes, |bytes| file_bytes.min(start + bytes));
    let block_bytes = sample_bytes * u64::from(channels);
    let coding = Coding { codec, rate, channels, block_bytes, block_frames: 1 };
    PcmSource::new(file, coding, Stretch { start, end, promised }, most_channels)
}
