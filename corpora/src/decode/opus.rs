//! Opus packets (RFC 6716) and the header that says how to treat them (RFC 7845, section 5.1).
//!
//! Decoded by `opus-pure`, a port of libopus without C and without dependencies. It was chosen
//! beside `opus-decoder` (overflows on sound files where arithmetic is checked), `ropus` (up to 11
//! steps of 16 bits away from libopus), `ruopus` (equally exact, many dependencies) and
//! `symphonia-adapter-libopus` (builds C by CMake): it is within half a step of libopus, and no
//! damaged packet made it panic.

use opus_pure::{OpusDecoder, OpusMSDecoder};

use super::source::{Fault, Step, bad};

/// Opus always decodes to this rate.
pub(super) const RATE: u32 = 48_000;
/// Samples of the longest packet, 120 ms.
const LONGEST: usize = 5760;

/// What the header states.
#[derive(Debug, Clone, Copy)]
pub(super) struct Head {
    pub(super) channels: usize,
    /// Samples to leave out at the beginning.
    pub(super) pre_skip: u64,
    gain: f32,
    family: u8,
    /// Streams, and how many of them are stereo.
    streams: [u8; 2],
}

impl Head {
    /// Reads the header packet, as Ogg and Matroska hold it.
    pub(super) fn parse(packet: &[u8]) -> Step<Self> {
        let Some(head) = packet.get(..19).filter(|head| head.starts_with(b"OpusHead")) else {
            return bad("its Opus header is not whole");
        };
        if head[8] & 0xf0 != 0 {
            return bad("is Opus of a version that is not known");
        }
        let family = head[18];
        let channels = usize::from(head[9]);
        let streams = match (family, packet.get(19..21)) {
            (0, _) => [1, head[9].saturating_sub(1)],
            (_, Some(&[streams, coupled])) => [streams, coupled],
            _ => return bad("its Opus header is not whole"),
        };
        let most = if family == 0 { 2 } else { 8 };
        if family > 1 || !(1..=most).contains(&channels) {
            let what = format!("is Opus of {channels} channels of mapping family {family}");
            return bad(format!("{what}, which is not read"));
        }
        Ok(Self {
            channels,
            pre_skip: u16::from_le_bytes([head[10], head[11]]).into(),
            // In 1/256 dB.
            gain: libm::exp10(f64::from(i16::from_le_bytes([head[16], head[17]])) / 5120.0) as f32,
            family,
            streams,
        })
    }
}

impl Head {
    /// Reads the header as MPEG-4 holds it: of another version, and its numbers the other way round.
    pub(super) fn parse_mpeg4(header: &[u8]) -> Step<Self> {
        let mut header = header.to_vec();
        if header.len() < 19 {
            return bad("its Opus header is not whole");
        }
        header[8] = 1;
        for number in [10..12, 12..16, 16..18] {
            header[number].reverse();
        }
        Self::parse(&header)
    }
}

enum StreamDecoder {
    Single(Box<OpusDecoder>),
    Surround(OpusMSDecoder),
}

pub(super) struct Decoder {
    kind: StreamDecoder,
    head: Head,
}

impl Decoder {
    pub(super) fn new(head: Head) -> Step<Self> {
        let unusable = |e: opus_pure::Error| Fault::Bad(format!("cannot be decoded (Opus: {e})"));
        let Head { channels, family, streams, .. } = head;
        // RFC 7845, section 5.1.1.2: the streams of each number of channels.
        let usual = [[1, 0], [1, 1], [2, 1], [2, 2], [3, 2], [4, 2], [4, 3], [5, 3]];
        if usual[channels - 1] != streams {
            return bad(format!("is Opus with an unusual division of {channels} channels"));
        }
        let kind = if channels <= 2 {
            StreamDecoder::Single(Box::new(
                OpusDecoder::new(RATE as i32, channels).map_err(unusable)?,
            ))
        } else {
            StreamDecoder::Surround(
                OpusMSDecoder::new(RATE as i32, channels, family).map_err(unusable)?,
            )
        };
        Ok(Self { kind, head })
    }

    /// Decodes a packet to interleaved samples.
    pub(super) fn decode(&mut self, packet: &[u8], out: &mut Vec<f32>) -> Step<()> {
        // An empty packet would make the decoder conceal a loss.
        if packet.is_empty() {
            return bad("holds an empty Opus packet: sound is missing");
        }
        out.resize(LONGEST * self.head.channels, 0.0);
        let frames = match &mut self.kind {
            StreamDecoder::Single(decoder) => decoder.decode(packet, LONGEST, out),
            StreamDecoder::Surround(decoder) => decoder.decode(packet, LONGEST, out),
        };
        let frames = frames.map_err(|e| Fault::Bad(format!("cannot be decoded (Opus: {e})")))?;
        out.truncate(frames * self.head.channels);
        if self.head.gain != 1.0 {
            out.iter_mut().for_each(|sample| *sample *= self.head.gain);
        }
        Ok(())
    }
}

/// Samples of a packet at [`RATE`], by its first bytes (RFC 6716, section 3.1).
pub(super) fn samples(packet: &[u8]) -> u64 {
    let Some(&first) = packet.first() else { return 0 };
    let frame = match first >> 3 {
        kind @ 0..=11 => [480, 960, 1920, 2880][usize::from(kind & 3)],
        kind @ 12..=15 => [480, 960][usize::from(kind & 1)],
        kind => 120 << (kind & 3),
    };
    let count = match first & 3 {
        0 => 1,
        1 | 2 => 2,
        _ => packet.get(1).map_or(0, |byte| u64::from(byte & 0x3f)),
    };
    frame * count
}
