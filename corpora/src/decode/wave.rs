//! WAV and its relatives: RIFF, RIFX (big-endian), RF64 and BW64 (64-bit sizes, EBU Tech 3306 and
//! ITU-R BS.2088), Wave64 (GUIDs for names).
//!
//! Sizes in these headers are often wrong in harmless ways. The rules here:
//! - the size of the whole file is not looked at;
//! - a size of the data that programs write when they do not know it (0, or a largest number)
//!   means that the sound ends where the file does;
//! - any other size of the data is a promise.

use std::fs::File;
use std::io::{ErrorKind, Read, Seek, SeekFrom};

use symphonia_core::codecs::audio::AudioCodecId;
use symphonia_core::codecs::audio::well_known as codec;

use super::pcm::{Coding, Stretch};
use super::source::{Fault, Step, bad};

/// Sizes that stand for "not known yet": those that ffmpeg, sox, arecord and others write to a
/// pipe.
const UNKNOWN: [u32; 4] = [0xffff_ffff, 0x7fff_ffff, 0x8000_0000, 0x7fff_f000];
/// Last 12 bytes of the GUIDs of Wave64 chunks ("riff" has others).
const W64_TAIL: [u8; 12] = *b"\xf3\xac\xd3\x11\x8c\xd1\x00\xc0\x4f\x8e\xdb\x8a";
/// First bytes of a Wave64 file.
pub(super) const W64_MAGIC: [u8; 16] = *b"riff\x2e\x91\xcf\x11\xa5\xd6\x28\xdb\x04\xc1\x00\x00";
/// First bytes of the other kinds.
pub(super) const MAGIC: [[u8; 4]; 4] = [*b"RIFF", *b"RIFX", *b"RF64", *b"BW64"];
/// Last 14 bytes of a GUID that extends a format number.
const SUBFORMAT: [u8; 14] = *b"\x00\x00\x00\x00\x10\x00\x80\x00\x00\xaa\x00\x38\x9b\x71";
/// The same in ambisonic (B-format) files.
const AMBISONIC: [u8; 14] = *b"\x00\x00\x21\x07\xd3\x11\x86\x44\xc8\xc1\xca\x00\x00\x00";

/// What the sound of a file is.
#[derive(Debug, Clone, Copy)]
pub(super) enum Content {
    Samples(Coding),
    Mp3,
}

/// The format and place of a file's sound.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wave {
    pub(super) content: Content,
    pub(super) stretch: Stretch,
}

struct Reader<'f> {
    file: &'f mut File,
    file_bytes: u64,
    big: bool,
    wide: bool,
}

/// A chunk's name, and where its content begins and ends.
struct Chunk {
    name: [u8; 4],
    start: u64,
    bytes: u64,
}

/// Reads the header of a file that begins with one of [`MAGIC`] or with [`W64_MAGIC`].
pub(super) fn read(file: &mut File, file_bytes: u64) -> Step<Wave> {
    let mut first = [0; 12];
    Reader { file, file_bytes, big: false, wide: false }.fill(0, &mut first)?;
    let (big, wide) = (&first[..4] == b"RIFX", &first[..4] == b"riff");
    let mut reader = Reader { file, file_bytes, big, wide };
    let riff_bytes = reader.word(&first[4..8]);
    let mut at = if wide { 40 } else { 12 };
    let mut content = None;
    let mut long_data = None;
    loop {
        let Some(chunk) = reader.chunk(at)? else {
            return bad(match content {
                Some(_) => "has no sound (no data chunk)",
                None => "truncated: the file ends inside its header",
            });
        };
        match &chunk.name {
            b"ds64" => {
                let mut sizes = [0; 16];
                reader.fill(chunk.start, &mut sizes)?;
                long_data = sizes.last_chunk().map(|bytes| u64::from_le_bytes(*bytes));
            }
            b"fmt " => content = Some(reader.format(&chunk)?),
            b"data" => {
                let Some(content) = content else {
                    return bad("its header makes no sense (the data come before their format)");
                };
                let known = reader.known_size(&chunk, riff_bytes, long_data)?;
                let rest = file_bytes.saturating_sub(chunk.start);
                let end = chunk.start + known.map_or(rest, |bytes| bytes.min(rest));
                // A byte of padding may be counted and not be there.
                let promised = known.map(|bytes| match bytes == rest + 1 {
                    true => rest,
                    false => bytes,
                });
                let stretch = Stretch { start: chunk.start, end, promised };
                return Ok(Wave { content, stretch });
            }
            _ => {}
        }
        let padded = chunk.bytes.next_multiple_of(if wide { 8 } else { 2 });
        at = chunk.start.saturating_add(padded);
    }
}

impl Reader<'_> {
    fn fill(&mut self, at: u64, bytes: &mut [u8]) -> Step<()> {
        self.file.seek(SeekFrom::Start(at))?;
        match self.file.read_exact(bytes) {
            Err(e) if e.kind() == ErrorKind::UnexpectedEof => {
                bad("truncated: the file ends inside its header")
            }
            read => Ok(read?),
        }
    }

    fn word(&self, bytes: &[u8]) -> u32 {
        let bytes = [bytes[0], bytes[1], bytes[2], bytes[3]];
        if self.big { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) }
    }

    fn half(&self, bytes: &[u8]) -> u16 {
        let bytes = [bytes[0], bytes[1]];
        if self.big { u16::from_be_bytes(bytes) } else { u16::from_le_bytes(bytes) }
    }

    /// The chunk at a place; `None` behind the last.
    fn chunk(&mut self, at: u64) -> Step<Option<Chunk>> {
        let header = if self.wide { 24 } else { 8 };
        let Some(start) = at.checked_add(header).filter(|start| *start <= self.file_bytes) else {
            return Ok(None);
        };
        let mut bytes = [0; 24];
        self.fill(at, &mut bytes[..header as usize])?;
        let mut name = [bytes[0], bytes[1], bytes[2], bytes[3]];
        let size = if !self.wide {
            u64::from(self.word(&bytes[4..8]))
        } else {
            let size: [u8; 8] = std::array::from_fn(|byte| bytes[16 + byte]);
            if bytes[4..16] != W64_TAIL {
                name = [0; 4];
            }
            // The size counts the header; 0 would stay here for ever.
            let size = u64::from_le_bytes(size);
            if size < header && &name != b"data" {
                return bad("its header makes no sense (a chunk smaller than its own header)");
            }
            size.saturating_sub(header)
        };
        Ok(Some(Chunk { name, start, bytes: size }))
    }

    /// Bytes of the data, unless the header does not know them.
    fn known_size(
        &mut self,
        data: &Chunk,
        riff_bytes: u32,
        long_data: Option<u64>,
    ) -> Step<Option<u64>> {
        if self.wide {
            // sox and ffmpeg write a largest number, or leave 0.
            return Ok((data.bytes > 0 && data.bytes < u64::MAX >> 2).then_some(data.bytes));
        }
        let size = data.bytes as u32;
        if size == u32::MAX
            && let Some(bytes) = long_data
        {
            return Ok((bytes > 0 && bytes != u64::MAX).then_some(bytes));
        }
        if size == 0 {
            // Chunks that follow one another to the file's end make it a file without sound.
            let mut at = data.start;
            while let Some(chunk) = self.chunk(at)? {
                let end = chunk.start + chunk.bytes;
                if end.next_multiple_of(2) < self.file_bytes {
                    at = end.next_multiple_of(2);
                    continue;
                }
                return Ok((end == self.file_bytes || end + 1 == self.file_bytes).then_some(0));
            }
            return Ok((at >= self.file_bytes).then_some(0));
        }
        // Also unknown: a RIFF size that is a placeholder, with the data size derived from it.
        let header = (data.start as u32).saturating_sub(8);
        let left = UNKNOWN.contains(&riff_bytes) && size == riff_bytes.saturating_sub(header);
        Ok((!left && !UNKNOWN.contains(&size)).then_some(data.bytes))
    }

    fn format(&mut self, chunk: &Chunk) -> Step<Content> {
        let mut bytes = [0; 40];
        let length = chunk.bytes.min(40) as usize;
        if length < 14 {
            return bad("its header makes no sense (a format chunk of no use)");
        }
        self.fill(chunk.start, &mut bytes[..length])?;
        let mut number = self.half(&bytes);
        let channels = self.half(&bytes[2..]);
        let rate = self.word(&bytes[4..]);
        let block = self.half(&bytes[12..]);
        let bits = if length < 16 { 8 } else { self.half(&bytes[14..]) };
        if number == 0xfffe && length == 40 {
            // Microsoft's extended form and its ambisonic kin; a GUID of none is somebody's own.
            number = match [SUBFORMAT, AMBISONIC].iter().any(|kin| bytes[26..40] == *kin) {
                true => self.half(&bytes[24..]),
                false => 0xfffe,
            };
        }
        if number == 0x55 {
            return Ok(Content::Mp3);
        }
        if channels == 0 || block == 0 {
            return bad("its header makes no sense (no channels, or frames of no size)");
        }
        let (codec, block_frames) = self.codec(number, channels, block, bits)?;
        let block_bytes = match codec_bytes(codec) {
            Some(bytes) => u64::from(channels) * bytes,
            None => block.into(),
        };
        Ok(Content::Samples(Coding { codec, rate, channels, block_bytes, block_frames }))
    }

    /// The codec of a format number, and the frames of one of its blocks.
    fn codec(
        &self,
        number: u16,
        channels: u16,
        block: u16,
        bits: u16,
    ) -> Step<(AudioCodecId, u64)> {
        // Samples of 12 or 20 bits lie at the top of two or three bytes. Some headers state
        // four bytes for them.
        let stated = block / channels;
        let exact = block.is_multiple_of(channels) && bits.div_ceil(8) <= stated && stated <= 4;
        let container = if exact { stated } else { bits.div_ceil(8) };
        let pick = |big, little| if self.big { big } else { little };
        let one = |codec| Ok((codec, 1));
        let other = |what: &str| {
            Err(Fault::Bad(format!("holds sound of a codec that is not read: {what}")))
        };
        match (number, container) {
            (1, 1) => one(codec::CODEC_ID_PCM_U8),
            (1, 2) => one(pick(codec::CODEC_ID_PCM_S16BE, codec::CODEC_ID_PCM_S16LE)),
            (1, 3) => one(pick(codec::CODEC_ID_PCM_S24BE, codec::CODEC_ID_PCM_S24LE)),
            (1, 4) => one(pick(codec::CODEC_ID_PCM_S32BE, codec::CODEC_ID_PCM_S32LE)),
            (3, _) if bits == 64 => one(pick(codec::CODEC_ID_PCM_F64BE, codec::CODEC_ID_PCM_F64LE)),
            (3, _) if bits == 32 => one(pick(codec::CODEC_ID_PCM_F32BE, codec::CODEC_ID_PCM_F32LE)),
            (6, _) => one(codec::CODEC_ID_PCM_ALAW),
            (7, _) => one(codec::CODEC_ID_PCM_MULAW),
            // Each block begins with a header of the first one or two samples a channel.
            (2 | 0x11, _) if bits == 4 && channels <= 2 => {
                let (codec, header, held) = match number {
                    2 => (codec::CODEC_ID_ADPCM_MS, 7, 2),
                    _ => (codec::CODEC_ID_ADPCM_IMA_WAV, 4, 1),
                };
                match block.checked_sub(header * channels) {
                    Some(rest) => Ok((codec, u64::from(rest) * 2 / u64::from(channels) + held)),
                    None => bad("its header makes no sense (blocks smaller than their headers)"),
                }
            }
            (1 | 3, _) => other(&format!("PCM of {bits} bits")),
            (2 | 0x11, _) => other(&format!("ADPCM of {bits} bits and {channels} channels")),
            (0x31, _) => other("GSM 6.10"),
            (0x50, _) => other("MPEG audio layer II (MP2)"),
            (0x160..=0x163, _) => other("Windows Media Audio (WMA)"),
            (0x2000, _) => other("AC-3"),
            (0x2001, _) => other("DTS"),
            (0xff | 0x1600..=0x1610 | 0x706d, _) => other("AAC in WAV"),
            (0xf1ac, _) => other("FLAC in WAV"),
            (0x674f..=0x6771, _) => other("Vorbis in WAV"),
            (0x5756, _) => other("WavPack"),
            (0x45 | 0x40 | 0x14 | 0x64 | 0x65, _) => other("G.72x ADPCM"),
            (number, _) => other(&format!("WAV format number 0x{number:04x}")),
        }
    }
}

/// Bytes of a sample, where they are fixed.
fn codec_bytes(id: AudioCodecId) -> Option<u64> {
    Some(match id {
        codec::CODEC_ID_PCM_U8 | codec::CODEC_ID_PCM_ALAW | codec::CODEC_ID_PCM_MULAW => 1,
        codec::CODEC_ID_PCM_S16LE | codec::CODEC_ID_PCM_S16BE => 2,
        codec::CODEC_ID_PCM_S24LE | codec::CODEC_ID_PCM_S24BE => 3,
        codec::CODEC_ID_PCM_S32LE | codec::CODEC_ID_PCM_S32BE => 4,
        codec::CODEC_ID_PCM_F32LE | codec::CODEC_ID_PCM_F32BE => 4,
        codec::CODEC_ID_PCM_F64LE | codec::CODEC_ID_PCM_F64BE => 8,
        _ => return None,
    })
}
