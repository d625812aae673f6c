//! What a file is, by its first bytes. Names are never looked at.

use super::mpeg;
use super::wave;

/// Bytes that are looked at.
pub(super) const PREFIX: usize = 1 << 17;

/// How a file is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Container {
    Wave,
    SunAudio,
    Ogg,
    Mp3,
    /// FLAC begins at this byte.
    Flac(u64),
    Aiff,
    Mpeg4,
    /// Read by the decoding library: CAF, Matroska, ADTS.
    Library,
    /// Known, but not read: its name.
    Unread(&'static str),
    Unknown,
}

/// First bytes at an offset, of files that are named in the error.
const UNREAD: [(usize, &[u8], &str); 26] = [
    (0, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "ASF (Windows Media Audio, WMA)"),
    (0, b"\x0b\x77", "AC-3"),
    (0, b"wvpk", "WavPack"),
    (0, b"MPCK", "Musepack"),
    (0, b"MP+", "Musepack"),
    (0, b"MAC ", "Monkey's Audio (APE)"),
    (0, b"TTA1", "True Audio (TTA)"),
    (0, b"OFR ", "OptimFROG"),
    (0, b"TAK", "TAK"),
    (0, b"#!AMR", "AMR"),
    (0, b"DSD ", "DSD (DSF)"),
    (0, b"FRM8", "DSD (DSDIFF)"),
    (0, b".RMF", "RealMedia"),
    (0, b".ra\xfd", "RealAudio"),
    (0, b"ADIF", "AAC with an ADIF header"),
    (0, b"\x7f\xfe\x80\x01", "DTS"),
    (0, b"MThd", "MIDI, which holds notes and no sound"),
    (8, b"8SVX", "IFF 8SVX"),
    (8, b"AVI ", "AVI"),
    (0, b"FLV\x01", "Flash video"),
    (0, b"\x00\x00\x01\xba", "an MPEG program stream"),
    (0, b"\x89PNG", "a PNG picture"),
    (0, b"\xff\xd8\xff", "a JPEG picture"),
    (0, b"PK\x03\x04", "a ZIP archive"),
    (0, b"\x1f\x8b", "compressed by gzip"),
    (0, b"version https://git-lfs", "a Git LFS pointer: the sound itself was not fetched"),
];

/// Finds out what `rest` begins, the first [`PREFIX`] bytes of a file behind its ID3v2 tags (or
/// all of them), which end at byte `start`.
pub(super) fn recognize(rest: &[u8], start: u64) -> Container {
    let four = |at: usize| rest.get(at..at + 4).unwrap_or(&[]);
    let is = |at: usize, marks: &[[u8; 4]]| marks.iter().any(|mark| four(at) == mark);
    if start == 0
        && (is(0, &wave::MAGIC) && four(8) == b"WAVE" || rest.starts_with(&wave::W64_MAGIC))
    {
        return Container::Wave;
    }
    if start == 0 && is(0, &super::au::MAGIC) {
        return Container::SunAudio;
    }
    match four(0) {
        b"fLaC" => return Container::Flac(start),
        b"OggS" => return Container::Ogg,
        b"caff" | b"\x1a\x45\xdf\xa3" => return Container::Library,
        b"FORM" if start == 0 && is(8, &[*b"AIFF", *b"AIFC"]) => return Container::Aiff,
        _ if is(4, &[*b"ftyp", *b"moov", *b"mdat", *b"wide", *b"free", *b"skip"]) => {
            return Container::Mpeg4;
        }
        _ => {}
    }
    let begins = |&&(at, mark, _): &&(usize, &[u8], &str)| {
        rest.get(at..).is_some_and(|rest| rest.starts_with(mark))
    };
    if let Some((_, _, name)) = UNREAD.iter().find(begins) {
        return Container::Unread(name);
    }
    match mpeg::find(rest) {
        Some((_, 3)) => Container::Mp3,
        Some((_, 2)) => Container::Unread("MPEG audio layer II (MP2)"),
        Some(_) => Container::Unread("MPEG audio layer I (MP1)"),
        None if is_adts(rest) => Container::Library,
        None => Container::Unknown,
    }
}

/// Whether AAC frames with their own headers (ADTS) follow one another here.
fn is_adts(bytes: &[u8]) -> bool {
    let length = |at: usize| match bytes.get(at..at + 6) {
        Some(&[0xff, second, _, high, middle, low]) if second & 0xf6 == 0xf0 => {
            let bytes =
                usize::from(high & 3) << 11 | usize::from(middle) << 3 | usize::from(low) >> 5;
            (bytes >= 7).then_some(bytes)
        }
        _ => None,
    };
    let Some(first) = length(0) else { return false };
    first >= bytes.len() || length(first).is_some()
}
