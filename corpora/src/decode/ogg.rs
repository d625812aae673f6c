//! Ogg pages (RFC 3533) to packets: every page is checked by its sum and its number, so that a
//! lost one is noticed. Of streams side by side the first with sound is read; streams one after
//! the other ("chained") are links of one.

use std::ops::Range;

use super::mpeg::leading_tags;

/// Fixed part of a page's header, in bytes.
const HEADER: usize = 27;
const CONTINUED: u8 = 1;
const FIRST: u8 = 2;
const LAST: u8 = 4;

/// A codec whose packets are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Codec {
    Vorbis,
    Opus,
}

impl Codec {
    /// Packets before the first with sound.
    fn headers(self) -> usize {
        match self {
            Self::Vorbis => 3,
            Self::Opus => 2,
        }
    }
}

/// What the first packet of a stream says it is.
pub(super) enum Named {
    Read(Codec),
    /// FLAC, which the decoding library reads.
    Flac,
    /// Sound that is not read.
    Unread(&'static str),
    /// No sound.
    Other,
}

pub(super) fn name(packet: &[u8]) -> Named {
    let begins = |mark: &[u8]| packet.starts_with(mark);
    if begins(b"\x01vorbis") {
        Named::Read(Codec::Vorbis)
    } else if begins(b"OpusHead") {
        Named::Read(Codec::Opus)
    } else if begins(b"\x7fFLAC") || begins(b"fLaC") {
        Named::Flac
    } else if begins(b"Speex   ") {
        Named::Unread("Speex")
    } else if begins(b"CELT    ") {
        Named::Unread("CELT")
    } else if begins(b"PCM     ") {
        Named::Unread("PCM in Ogg")
    } else {
        Named::Other
    }
}

/// A stream of the file, its packets joined.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) codec: Codec,
    pub(super) headers: Vec<Vec<u8>>,
    /// Packets with sound, one behind the other, and where each ends.
    data: Vec<u8>,
    ends: Vec<usize>,
    /// Places among the packets where sound is missing, each held by an empty packet.
    gaps: Vec<Gap>,
    /// Packets that were complete at the end of the last page and of the page before, with the
    /// samples that the page says have gone by.
    marks: [Option<(usize, i64)>; 2],
    ended: bool,
    /// What pages marked as the last say of their packets: which they are, and the samples that count.
    lasts: Vec<(Range<usize>, u64)>,
}

/// Sound that is missing in a stream. Counts of pages around it tell how much.
#[derive(Debug, Clone, Copy)]
pub(super) struct Gap {
    /// The packet that stands for it.
    pub(super) packet: usize,
    /// Samples that had gone by before it.
    start: i64,
    /// Packets that were complete at the end of the first page with a count behind it, and the count.
    end: Option<(usize, i64)>,
}

impl Gap {
    /// The packets between the gap and the next count, and the samples of them and the gap.
    pub(super) fn span(self) -> Option<(Range<usize>, u64)> {
        let (end, count) = self.end?;
        Some((self.packet + 1..end, u64::try_from(count.saturating_sub(self.start)).ok()?))
    }
}

impl Link {
    fn new(codec: Codec) -> Self {
        Self {
            codec,
            headers: Vec::new(),
            data: Vec::new(),
            ends: Vec::new(),
            gaps: Vec::new(),
            marks: [None; 2],
            ended: false,
            lasts: Vec::new(),
        }
    }

    /// Number of packets with sound.
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(super) fn packet(&self, index: usize) -> &[u8] {
        let start = index.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.data[start..self.ends[index]]
    }

    /// Whether no sound is missing.
    pub(super) fn is_whole(&self) -> bool {
        self.gaps.is_empty()
    }

    /// The gap that a packet stands for, if it does.
    pub(super) fn gap(&self, packet: usize) -> Option<Gap> {
        let at = self.gaps.binary_search_by_key(&packet, |gap| gap.packet);
        at.ok().map(|at| self.gaps[at])
    }

    /// Notes that sound is missing behind the last packet.
    fn lose(&mut self) {
        if self.gaps.last().is_some_and(|gap| gap.packet + 1 == self.len()) {
            return;
        }
        let start = self.marks[1].map_or(0, |(_, count)| count);
        self.gaps.push(Gap { packet: self.len(), start, end: None });
        self.ends.push(self.data.len());
    }

    /// Notes how many samples have gone by at the end of the packets so far.
    fn count(&mut self, count: i64) {
        self.marks = [self.marks[1], Some((self.len(), count))];
        let first = self.gaps.partition_point(|gap| gap.end.is_some());
        for (number, gap) in self.gaps[first..].iter_mut().enumerate() {
            // Of several gaps between two counts, the first takes all that is missing.
            gap.end = Some(match number {
                0 => (self.ends.len(), count),
                _ => (gap.packet + 1, gap.start),
            });
        }
    }

    /// Samples that are no sound, each given as those at the end of a packet: a last page counts
    /// fewer than its packets hold. `samples` tells how many that is.
    ///
    /// Only a last page says so. The counts of pages before are often a little wrong, and
    /// nothing is cut for them.
    pub(super) fn padding(
        &self,
        samples: impl Fn(&Range<usize>) -> u64,
    ) -> impl Iterator<Item = (usize, u64)> {
        let padding = move |(packets, counted): &(Range<usize>, u64)| {
            Some((packets.end.checked_sub(1)?, samples(packets).saturating_sub(*counted)))
        };
        self.lasts.iter().filter_map(padding)
    }

    /// Notes that the page that was counted just now is marked as the last.
    fn end(&mut self) {
        let Some((last, stop)) = self.marks[1] else { return };
        let (first, start) = self.marks[0].unwrap_or((0, 0));
        self.lasts.push((first..last, u64::try_from(stop.saturating_sub(start)).unwrap_or(0)));
    }

    fn push(&mut self, packet: &[u8]) {
        if self.headers.len() < self.codec.headers() {
            self.headers.push(packet.to_vec());
        } else {
            self.data.extend_from_slice(packet);
            self.ends.push(self.data.len());
        }
    }
}

/// All links, and why the walk ended before the file did.
#[derive(Debug, Default)]
pub(super) struct Walk {
    pub(super) links: Vec<Link>,
    pub(super) fault: Option<String>,
    /// Sound of codecs that are not read.
    pub(super) unread: Option<&'static str>,
    /// FLAC, for the decoding library.
    pub(super) flac: bool,
}

struct Page<'b> {
    flags: u8,
    granule: i64,
    serial: u32,
    number: u32,
    lengths: &'b [u8],
    body: &'b [u8],
    bytes: usize,
}

/// The page at the beginning, or what is wrong with it.
fn page(bytes: &[u8]) -> Result<Page<'_>, &'static str> {
    let cut = "the file ends inside a page";
    let header = bytes.get(..HEADER).ok_or(cut)?;
    if !header.starts_with(b"OggS\0") {
        return Err("bytes are no Ogg page");
    }
    let word = |at: usize| u32::from_le_bytes([0, 1, 2, 3].map(|byte| header[at + byte]));
    let lengths = bytes.get(HEADER..HEADER + usize::from(header[26])).ok_or(cut)?;
    let start = HEADER + lengths.len();
    let length: usize = lengths.iter().map(|&length| usize::from(length)).sum();
    let body = bytes.get(start..start + length).ok_or(cut)?;
    if checksum(&bytes[..start + length]) != word(22) {
        return Err("a page's checksum is wrong");
    }
    Ok(Page {
        flags: header[5],
        granule: i64::from(word(6)) | i64::from(word(10)) << 32,
        serial: word(14),
        number: word(18),
        lengths,
        body,
        bytes: start + length,
    })
}

/// CRC-32 with polynomial 0x04c11db7, its own field taken for zeros.
fn checksum(page: &[u8]) -> u32 {
    const TABLE: [u32; 256] = {
        let mut table = [0; 256];
        let mut index = 0;
        while index < 256 {
            let mut value = (index as u32) << 24;
            let mut bit = 0;
            while bit < 8 {
                value = if value >> 31 == 1 { value << 1 ^ 0x04c1_1db7 } else { value << 1 };
                bit += 1;
            }
            table[index] = value;
            index += 1;
        }
        table
    };
    page.iter().enumerate().fold(0, |sum, (at, &byte)| {
        let byte = if (22..26).contains(&at) { 0 } else { byte };
        sum << 8 ^ TABLE[(sum >> 24) as usize ^ usize::from(byte)]
    })
}

/// The stream that is being read.
struct Current {
    serial: u32,
    number: u32,
    pending: Option<Vec<u8>>,
    /// Whether the rest of a packet follows whose beginning is lost.
    headless: bool,
}

/// Walks from page to page, up to where sound is damaged or missing. To `conceal` is to go on
/// there, if that is amidst the sound of a stream.
pub(super) fn walk(bytes: &[u8], conceal: bool) -> Walk {
    let mut walk = Walk::default();
    let mut current: Option<Current> = None;
    let mut at = leading_tags(bytes);
    while at < bytes.len() {
        let page = match page(&bytes[at..]) {
            Ok(page) => page,
            Err(what) => {
                // Tags and zeros may follow, pages may not.
                let next = |from: usize| {
                    let rest = bytes.get(from..).unwrap_or(&[]);
                    rest.windows(5).position(|window| window == b"OggS\0")
                };
                if let Some(further) = next(at + 1).filter(|_| conceal && walk.is_amidst_sound()) {
                    // The number of the next page tells that this one is missing.
                    at += 1 + further;
                    continue;
                }
                if next(at).is_some() {
                    walk.fault = Some(format!("sound is damaged or missing ({what})"));
                }
                break;
            }
        };
        at += page.bytes;
        if let Err(what) = walk.take(&page, &mut current, conceal) {
            walk.fault = Some(what);
            break;
        }
    }
    if walk.fault.is_none() && walk.links.last().is_some_and(|link| !link.ended) {
        walk.fault = Some("truncated: its last page is missing".to_owned());
    }
    walk
}

impl Walk {
    /// Whether packets with sound have come, and more are due.
    fn is_amidst_sound(&self) -> bool {
        self.links.last().is_some_and(|link| !link.ended && link.len() > 0)
    }

    fn take(
        &mut self,
        page: &Page<'_>,
        current: &mut Option<Current>,
        conceal: bool,
    ) -> Result<(), String> {
        let conceal = conceal && self.is_amidst_sound();
        let open = self.links.last().is_some_and(|link| !link.ended);
        if page.flags & FIRST != 0 {
            let started = self.links.last().is_some_and(|link| link.len() > 0);
            match name(page.body) {
                Named::Read(_) if open && started => {
                    return Err("truncated: a stream begins before another ended".to_owned());
                }
                Named::Read(codec) if !open => {
                    self.links.push(Link::new(codec));
                    let (serial, number) = (page.serial, page.number);
                    *current = Some(Current { serial, number, pending: None, headless: false });
                }
                Named::Flac => self.flac = true,
                Named::Unread(codec) => self.unread = Some(codec),
                _ => {}
            }
        }
        let (Some(current), Some(link)) = (current, self.links.last_mut()) else { return Ok(()) };
        if current.serial != page.serial {
            return Ok(());
        }
        // Some writers mark several pages as the last, and the stream goes on; pages that come again do not.
        if link.ended && page.number < current.number {
            return Ok(());
        }
        let continued = page.flags & CONTINUED != 0;
        let fault = if page.number != current.number {
            Some("sound is missing (pages of it are)")
        } else if (current.pending.is_some() || current.headless) != continued {
            Some("sound is missing (a packet is not whole)")
        } else {
            None
        };
        match fault {
            // Pages that come again, or in another order, cannot be put right.
            Some(_) if conceal && page.number >= current.number => {
                link.lose();
                current.pending = None;
                current.headless = continued;
            }
            Some(what) => return Err(what.to_owned()),
            None => {}
        }
        current.number = page.number.wrapping_add(1);
        let mut body = page.body;
        for &length in page.lengths {
            let (part, rest) = body.split_at(length.into());
            body = rest;
            if current.headless {
                current.headless = length == 255;
                continue;
            }
            let packet = current.pending.get_or_insert_default();
            packet.extend_from_slice(part);
            if length < 255 {
                link.push(packet);
                current.pending = None;
            }
        }
        let last = page.flags & LAST != 0;
        if page.granule != -1 && link.len() > 0 {
            link.count(page.granule);
            if last {
                link.end();
            }
        }
        link.ended |= last;
        Ok(())
    }
}
