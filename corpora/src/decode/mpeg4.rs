//! What of an MPEG-4 file's sound is to be played (ISO/IEC 14496-12, section 8.6.6): encoders begin
//! before the sound does and end after it, and the edit list of a track says by how much. The decoding
//! library does not apply it (pdeljanov/Symphonia marks it as not supported yet).
//!
//! Files of Apple's encoders may say it in a comment instead, `iTunSMPB`.

use std::io::{Read, Seek, SeekFrom};
use std::ops::Range;

use super::source::{Step, bad};

/// Largest box of headers that is read.
const MOST_HEADERS: u64 = 1 << 28;
/// Most stretches that an edit list may name.
const MOST_EDITS: usize = 1 << 12;

/// A track, and what of it is to be played.
#[derive(Debug, Default)]
pub(super) struct Track {
    pub(super) id: u32,
    /// Ticks a second.
    scale: u64,
    /// Ticks of all that the track holds; 0 if that is not known.
    total: u64,
    edits: Vec<Edit>,
}

#[derive(Debug, Clone, Copy)]
struct Edit {
    /// In ticks of the movie.
    duration: u64,
    /// In ticks of the track; -1 for a pause.
    start: i64,
    rate: u32,
}

/// All that is known of the tracks of a file.
#[derive(Debug, Default)]
pub(super) struct Movie {
    /// Ticks a second.
    scale: u64,
    tracks: Vec<Track>,
    /// What Apple's encoders note: samples before the sound, and of it.
    noted: Option<(u64, u64)>,
}

/// Reads the headers of a file.
pub(super) fn read(file: &mut (impl Read + Seek), file_bytes: u64) -> Step<Movie> {
    let mut movie = Movie::default();
    let mut at = 0;
    while at + 8 <= file_bytes {
        let mut header = [0; 16];
        file.seek(SeekFrom::Start(at))?;
        let held = (file_bytes - at).min(16) as usize;
        file.read_exact(&mut header[..held])?;
        let Some((kind, content, size)) = box_header(&header[..held], file_bytes - at) else {
            break;
        };
        if kind == *b"moov" {
            let bytes = (size - content).min(file_bytes - at - content);
            if bytes > MOST_HEADERS {
                return bad("its headers are larger than is read");
            }
            let mut headers = vec![0; bytes as usize];
            file.seek(SeekFrom::Start(at + content))?;
            file.read_exact(&mut headers)?;
            movie.take(&headers);
        }
        at = at.saturating_add(size);
    }
    Ok(movie)
}

/// A box's name, where its content begins in it, and its size; `None` if it is none.
fn box_header(bytes: &[u8], left: u64) -> Option<([u8; 4], u64, u64)> {
    let kind = *bytes.get(4..)?.first_chunk()?;
    let (content, size) = match be(bytes, 0, 4)? {
        0 => (8, left),
        1 => (16, be(bytes, 8, 8)?),
        size => (8, size),
    };
    (size >= content).then_some((kind, content, size))
}

/// A number of so many bytes at a place.
fn be(bytes: &[u8], at: usize, count: usize) -> Option<u64> {
    let bytes = bytes.get(at..at.checked_add(count)?)?;
    Some(bytes.iter().fold(0, |value, byte| value << 8 | u64::from(*byte)))
}

/// The boxes one after the other in `bytes`, with their content.
fn boxes(mut bytes: &[u8]) -> impl Iterator<Item = ([u8; 4], &[u8])> {
    std::iter::from_fn(move || {
        let (kind, content, size) = box_header(bytes, bytes.len() as u64)?;
        let size = usize::try_from(size).unwrap_or(usize::MAX).min(bytes.len());
        let inner = bytes.get(content as usize..size)?;
        bytes = &bytes[size..];
        Some((kind, inner))
    })
}

/// The content of the first box of this name.
fn first<'b>(bytes: &'b [u8], kind: &[u8; 4]) -> Option<&'b [u8]> {
    boxes(bytes).find(|(found, _)| found == kind).map(|(_, content)| content)
}

/// Whether a box with versions has its times as 64 bits.
fn is_long(content: &[u8]) -> bool {
    content.first() == Some(&1)
}

impl Movie {
    fn take(&mut self, headers: &[u8]) {
        for (kind, content) in boxes(headers) {
            match &kind {
                b"mvhd" => {
                    let at = if is_long(content) { 20 } else { 12 };
                    self.scale = be(content, at, 4).unwrap_or(0);
                }
                b"trak" => self.tracks.extend(Track::read(content)),
                b"udta" => self.noted = self.noted.or(noted(content)),
                _ => {}
            }
        }
    }

    /// The stretches of a track that are to be played, in samples at `rate`; empty if nothing says so.
    pub(super) fn played(&self, id: u32, rate: u32) -> Step<Vec<Range<u64>>> {
        let Some(track) = self.tracks.iter().find(|track| track.id == id) else {
            return Ok(Vec::new());
        };
        let mut stretches = track.stretches(self.scale)?;
        if track.scale != u64::from(rate) {
            let samples = |ticks: u64| match ticks {
                u64::MAX => ticks,
                _ => scaled(ticks, u64::from(rate), track.scale),
            };
            stretches = stretches.into_iter().map(|s| samples(s.start)..samples(s.end)).collect();
        }
        // The comment counts samples, an edit list often milliseconds.
        if let (Some((before, length)), [] | [_]) = (self.noted, stretches.as_slice())
            && (track.edits.is_empty() || stretches.iter().all(|s| s.start == before))
        {
            stretches.clear();
            stretches.push(before..before.saturating_add(length));
        }
        Ok(stretches)
    }
}

/// `ticks` of a clock in ticks of another, rounded.
fn scaled(ticks: u64, to: u64, from: u64) -> u64 {
    let from = u128::from(from.max(1));
    let scaled = (u128::from(ticks) * u128::from(to) + from / 2) / from;
    u64::try_from(scaled).unwrap_or(u64::MAX)
}

impl Track {
    fn read(content: &[u8]) -> Option<Self> {
        let header = first(content, b"tkhd")?;
        let media = first(content, b"mdia")?;
        let media_header = first(media, b"mdhd")?;
        let table = first(media, b"minf").and_then(|info| first(info, b"stbl"));
        let times = table.and_then(|table| first(table, b"stts"));
        let list = first(content, b"edts").and_then(|edits| first(edits, b"elst"));
        Some(Self {
            id: be(header, if is_long(header) { 20 } else { 12 }, 4)? as u32,
            scale: be(media_header, if is_long(media_header) { 20 } else { 12 }, 4)?,
            total: times.map_or(0, total),
            edits: list.map(edits).unwrap_or_default(),
        })
    }

    /// What the edit list names, in ticks.
    fn stretches(&self, movie_scale: u64) -> Step<Vec<Range<u64>>> {
        // A pause before the sound is nothing that is heard of a file alone.
        let edits: Vec<&Edit> = self.edits.iter().skip_while(|edit| edit.start == -1).collect();
        let end_of_all = if self.total == 0 { u64::MAX } else { self.total };
        let mut stretches: Vec<Range<u64>> = Vec::new();
        for edit in &edits {
            let before = stretches.last().map_or(0, |stretch| stretch.end);
            let start = u64::try_from(edit.start).unwrap_or(u64::MAX);
            if edit.rate != 1 << 16 || start < before || start > end_of_all {
                return bad("its edit list does more than to leave out sound, which is not read");
            }
            let duration = scaled(edit.duration, self.scale, movie_scale);
            let mut end = start.saturating_add(duration);
            // Durations are rounded to ticks of the movie, often milliseconds. 0 means all.
            let tick = self.scale.div_ceil(movie_scale.max(1));
            if edit.duration == 0 || end.saturating_add(tick) >= end_of_all {
                end = end_of_all;
            }
            stretches.push(start..end);
        }
        // Without an edit list, what is coded behind the last time is padding all the same.
        if stretches.is_empty() && self.total > 0 {
            stretches.push(0..self.total);
        }
        Ok(stretches)
    }
}

/// Ticks of all samples of a table of times.
fn total(content: &[u8]) -> u64 {
    let entries = content.get(8..).unwrap_or(&[]).chunks_exact(8);
    let ticks = |entry: &[u8]| Some(be(entry, 0, 4)? * be(entry, 4, 4)?);
    entries.filter_map(ticks).fold(0, u64::saturating_add)
}

fn edits(content: &[u8]) -> Vec<Edit> {
    let long = is_long(content);
    let size = if long { 20 } else { 12 };
    let entries = content.get(8..).unwrap_or(&[]).chunks_exact(size).take(MOST_EDITS);
    let edit = |entry: &[u8]| {
        let width = if long { 8 } else { 4 };
        let start = be(entry, width, width)?;
        Some(Edit {
            duration: be(entry, 0, width)?,
            start: if long { start as i64 } else { i64::from(start as u32 as i32) },
            rate: be(entry, 2 * width, 4)? as u32,
        })
    };
    entries.filter_map(edit).collect()
}

/// The comment of Apple's encoders in `udta`: hexadecimal numbers, of which the second is the number
/// of samples before the sound and the fourth that of samples of it.
fn noted(content: &[u8]) -> Option<(u64, u64)> {
    let items = first(first(content, b"meta")?.get(4..)?, b"ilst")?;
    let comment = boxes(items).filter(|(kind, _)| kind == b"----").find_map(|(_, item)| {
        let name = first(item, b"name")?.get(4..)?;
        (name == b"iTunSMPB").then(|| first(item, b"data")?.get(8..)).flatten()
    })?;
    let text = std::str::from_utf8(comment).ok()?;
    let number = |word: &str| u64::from_str_radix(word, 16).ok();
    let mut words = text.split_whitespace();
    let (before, length) = (number(words.nth(1)?)?, number(words.nth(1)?)?);
    (length > 0).then_some((before, length))
}
