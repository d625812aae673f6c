//! MPEG audio frames (ISO/IEC 11172-3 and 13818-3): where each one lies, and what lies between
//! them.
//!
//! An MP3 file has no index and often no header, so that its length is known only after a walk
//! from frame to frame. The walk is strict: anything between two frames that is neither a frame
//! nor a tag means that sound is damaged or missing there.

use std::collections::BTreeSet;

/// Bytes of a frame's header.
pub(super) const HEADER: usize = 4;
/// Bytes before the first frame that are searched for it. Tags do not count.
const MAX_JUNK: usize = 1 << 16;
/// Bytes behind the last frame that may be neither frames nor tags: less than the largest frame
/// takes, twice over. Zeros do not count.
const MAX_TAIL: usize = 4096;
/// Frames in a row that are taken for more than chance.
const CHAIN: usize = 4;

/// A frame's header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    /// MPEG-1, and not the lower rates of MPEG-2 and 2.5.
    pub(super) mpeg1: bool,
    /// 1, 2 or 3.
    pub(super) layer: u8,
    /// Hertz.
    pub(super) rate: u32,
    /// Bytes of the whole frame.
    pub(super) bytes: usize,
    pub(super) channels: usize,
    /// A checksum of two bytes follows the header.
    protected: bool,
}

const RATES: [[u32; 3]; 3] =
    [[44_100, 48_000, 32_000], [22_050, 24_000, 16_000], [11_025, 12_000, 8_000]];
/// kbit/s by layer and index, of MPEG-1, then of the lower rates.
const BIT_RATES: [[u32; 15]; 5] = [
    [0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448],
    [0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384],
    [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320],
    [0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256],
    [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
];

impl Header {
    /// Reads a header; `None` if these bytes are none. Frames of a bit rate that is not in the
    /// tables ("free format") are not read.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let &[sync, kind, rates, mode, ..] = bytes else { return None };
        if sync != 0xff || kind & 0xe0 != 0xe0 {
            return None;
        }
        let (version, half) = match kind >> 3 & 3 {
            3 => (0, 1),
            2 => (1, 2),
            0 => (2, 2),
            _ => return None,
        };
        let layer = 4 - (kind >> 1 & 3);
        let mpeg1 = version == 0;
        let table = match (mpeg1, layer) {
            (true, 1..=3) => usize::from(layer) - 1,
            (false, 1) => 3,
            (false, 2..=3) => 4,
            _ => return None,
        };
        let bit_rate = 1000 * *BIT_RATES[table].get(usize::from(rates >> 4))?;
        let rate = *RATES[version].get(usize::from(rates >> 2 & 3))?;
        // The value 2 for emphasis is reserved; so is a bit rate of 0 here.
        if bit_rate == 0 || mode & 3 == 2 {
            return None;
        }
        let padding = u32::from(rates >> 1 & 1);
        let bytes = match layer {
            1 => (12 * bit_rate / rate + padding) * 4,
            2 => 144 * bit_rate / rate + padding,
            _ => 144 / half * bit_rate / rate + padding,
        };
        Some(Self {
            mpeg1,
            layer,
            rate,
            bytes: bytes as usize,
            channels: if mode >> 6 == 3 { 1 } else { 2 },
            protected: kind & 1 == 0,
        })
    }

    /// Whether both can be frames of one stream. The number of channels may change.
    fn agrees(self, other: Self) -> bool {
        (self.mpeg1, self.layer, self.rate) == (other.mpeg1, other.layer, other.rate)
    }

    /// Samples of a frame, a channel.
    pub(super) fn samples(self) -> u64 {
        match (self.layer, self.mpeg1) {
            (1, _) => 384,
            (3, false) => 576,
            _ => 1152,
        }
    }

    fn side_bytes(self) -> usize {
        match (self.mpeg1, self.channels) {
            (true, 1) => 17,
            (true, _) => 32,
            (false, 1) => 9,
            (false, _) => 17,
        }
    }

    /// Where the main data of a layer III frame begin in it.
    fn main_data(self) -> usize {
        HEADER + if self.protected { 2 } else { 0 } + self.side_bytes()
    }
}

/// What is left of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Content {
    /// All of it.
    Sound,
    /// The frame, but not the frames before it in which its data begin.
    Unusable,
    /// Nothing. The frame's place and header are those of the frame before it.
    Lost,
}

/// A frame's place in the file.
#[derive(Debug, Clone, Copy)]
pub(super) struct Frame {
    pub(super) at: usize,
    pub(super) header: Header,
    pub(super) content: Content,
}

impl Frame {
    /// How many bytes of the frames before it a frame's data begin, and how many bytes of data it
    /// adds, in these bytes of a file.
    pub(super) fn data(self, bytes: &[u8]) -> (usize, usize) {
        let frame = &bytes[self.at..self.at + self.header.bytes];
        let Some(main) = frame.get(self.header.main_data()..) else { return (0, 0) };
        (back(self.header, frame) as usize, main.len())
    }

    /// The frame of these bytes of a file, in which only what later frames need of it is left:
    /// its decoding fades the frame before it out.
    pub(super) fn muted(self, bytes: &[u8]) -> Vec<u8> {
        let Header { mpeg1, bytes: length, .. } = self.header;
        let mut muted = bytes[self.at..self.at + length].to_vec();
        if self.content == Content::Lost {
            muted[HEADER..].fill(0);
            return muted;
        }
        let end = self.header.main_data().min(length);
        let side = end.saturating_sub(self.header.side_bytes());
        // How far its data reach back stays: a decoder forgets what lies before.
        let mut back = side + 1;
        if mpeg1 && back < end {
            muted[back] &= 0x80;
            back += 1;
        }
        muted[back.min(end)..end].fill(0);
        muted
    }
}

/// What the first frame says of the stream, where an encoder left a note in it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Tag {
    /// Frames that follow.
    pub(super) frames: Option<u64>,
    /// Bytes of the stream.
    bytes: Option<u64>,
    /// Bytes of the frame with the tag itself.
    own: u64,
    /// Samples before the sound, and behind it, as LAME notes them.
    pub(super) delay: u64,
    pub(super) padding: u64,
}

/// The frames of a stretch of bytes.
#[derive(Debug, Default)]
pub(super) struct Walk {
    /// All frames that hold sound, up to the fault if there is one.
    pub(super) frames: Vec<Frame>,
    pub(super) tag: Option<Tag>,
    /// Why the walk ended before the bytes did.
    pub(super) fault: Option<String>,
    /// Numbers of the frames before which sound is damaged or missing.
    gaps: Vec<usize>,
    /// Those of them before which are bytes too few for a frame, and no frame is missed.
    pub(super) inserted: BTreeSet<usize>,
    /// The last frame was cut by the end of the bytes, and left out.
    pub(super) cut: bool,
}

impl Walk {
    /// Whether the tag speaks of just these frames. It does not in files that were joined or cut.
    pub(super) fn tag_fits(&self) -> bool {
        let Some(tag) = self.tag else { return false };
        let held = self.frames.len() as u64;
        let here = self.frames.iter().filter(|frame| frame.content != Content::Lost);
        let bytes: u64 = here.map(|frame| frame.header.bytes as u64).sum();
        // Encoders differ in whether the frame with the tag counts.
        let whole = tag.bytes.is_some_and(|stated| stated == bytes || stated == bytes + tag.own);
        let counts_itself = tag.bytes.is_none() && tag.frames == Some(held + 1);
        whole || tag.frames == Some(held) || counts_itself
    }

    /// Puts lost frames at the end; `start` is the first frame of the file.
    fn lose(&mut self, count: usize, start: Frame) {
        let before = *self.frames.last().unwrap_or(&start);
        let lost = Frame { content: Content::Lost, ..before };
        self.frames.extend(std::iter::repeat_n(lost, count));
    }

    /// Gives a single gap the length that the encoder's count of frames leaves for it.
    fn fit_to_tag(&mut self, start: Frame, bytes: &[u8]) {
        let (&[gap], Some(Tag { frames: Some(stated), delay: 1.., .. })) =
            (self.gaps.as_slice(), self.tag)
        else {
            return;
        };
        let lost = |frame: &&Frame| frame.content == Content::Lost;
        let guessed = self.frames[gap..].iter().take_while(lost).count();
        let held = self.frames.len() - guessed;
        let missing = usize::try_from(stated).unwrap_or(usize::MAX).saturating_sub(held);
        // A count that more than doubles the file is no more likely than that it is wrong.
        if missing > held {
            return;
        }
        let behind = self.frames.split_off(gap + guessed);
        self.frames.truncate(gap);
        self.lose(missing, start);
        self.frames.extend(behind);
        if missing > 0 && self.inserted.remove(&gap) {
            // What was taken for bytes between two frames were frames, whose data others need.
            let mut stored = 0;
            for frame in &mut self.frames[gap + missing..] {
                let (back, length) = frame.data(bytes);
                if back <= stored {
                    break;
                }
                frame.content = Content::Unusable;
                stored += length;
            }
        }
    }
}

/// Where the first of several frames in a row begins, with its layer.
pub(super) fn find(bytes: &[u8]) -> Option<(usize, u8)> {
    let start = leading_tags(bytes);
    let end = bytes.len().min(start + MAX_JUNK);
    (start..end).find_map(|at| chain(bytes, at, None).map(|header| (at, header.layer)))
}

/// The header at `at`, if frames follow one another from there: [`CHAIN`] of them or all up to
/// the end of the bytes.
fn chain(bytes: &[u8], at: usize, like: Option<Header>) -> Option<Header> {
    let first = Header::parse(bytes.get(at..)?)?;
    if like.is_some_and(|like| !like.agrees(first)) {
        return None;
    }
    let mut next = at;
    for number in 0..CHAIN {
        let rest = bytes.get(next..).unwrap_or(&[]);
        if rest.is_empty() || (number > 0 && tag_bytes(rest) > 0) {
            break;
        }
        let header = Header::parse(rest).filter(|header| first.agrees(*header))?;
        next += header.bytes;
    }
    // A single frame must be whole.
    (next <= bytes.len() || next > at + first.bytes).then_some(first)
}

/// Bytes of ID3v2 tags at the beginning.
pub(super) fn leading_tags(bytes: &[u8]) -> usize {
    let mut at = 0;
    while let Some(length @ 1..) = bytes.get(at..).map(id3v2_bytes) {
        at += length;
    }
    at.min(bytes.len())
}

/// Bytes of the ID3v2 tag at the beginning, whose first ten say how many; 0 if there is none.
pub(super) fn id3v2_bytes(bytes: &[u8]) -> usize {
    match bytes {
        [b'I', b'D', b'3', major, minor, flags, a, b, c, d, ..]
            if *major < 0xff && *minor < 0xff && [a, b, c, d].iter().all(|byte| **byte < 0x80) =>
        {
            let size = [a, b, c, d].iter().fold(0, |size, byte| size << 7 | usize::from(**byte));
            10 + size + if flags & 0x10 != 0 { 10 } else { 0 }
        }
        _ => 0,
    }
}

/// Bytes of the tag at the beginning, whatever its kind; 0 if there is none.
fn tag_bytes(bytes: &[u8]) -> usize {
    if bytes.starts_with(b"TAG") && bytes.len() >= 128 {
        return 128;
    }
    if bytes.starts_with(b"APETAGEX") && bytes.len() >= 32 {
        let size = u32::from_le_bytes([bytes[12], bytes[13], bytes[14], bytes[15]]) as usize;
        // The size counts a footer, but no header.
        return if bytes[23] & 0x20 != 0 { size.saturating_add(32) } else { 32 };
    }
    if bytes.starts_with(b"LYRICSBEGIN") {
        let end = |mark: &[u8]| bytes.windows(mark.len()).position(|window| window == mark);
        return end(b"LYRICS200").or_else(|| end(b"LYRICSEND")).map_or(0, |at| at + 9);
    }
    id3v2_bytes(bytes)
}

/// Walks from frame to frame, up to where sound is damaged or missing. To `conceal` is to go on
/// there, with lost frames in its place.
pub(super) fn walk(bytes: &[u8], conceal: bool) -> Walk {
    let mut walk = Walk::default();
    let Some((mut at, _)) = find(bytes) else { return walk };
    let Some(first) = Header::parse(&bytes[at..]) else { return walk };
    let start = Frame { at, header: first, content: Content::Sound };
    let mut reservoir = Reservoir::default();
    if let Some(tag) = read_tag(&bytes[at..], first) {
        walk.tag = Some(tag);
        at += first.bytes;
    }
    while at < bytes.len() {
        let rest = &bytes[at..];
        if let Some(header) = Header::parse(rest).filter(|header| first.agrees(*header)) {
            if header.bytes > rest.len() {
                walk.cut = true;
                break;
            }
            let frame = &rest[..header.bytes];
            let data = if header.layer == 3 { reservoir.take(header, frame) } else { Data::Here };
            let content = match data {
                Data::Here => Content::Sound,
                // A stream that was cut out of another begins so.
                Data::Before if walk.gaps.is_empty() => Content::Sound,
                Data::Before => Content::Unusable,
                Data::Elsewhere if conceal => {
                    walk.gaps.push(walk.frames.len());
                    reservoir = Reservoir::default();
                    reservoir.take(header, frame);
                    Content::Unusable
                }
                Data::Elsewhere => {
                    walk.fault = Some("frames are missing, or damaged".to_owned());
                    break;
                }
            };
            walk.frames.push(Frame { at, header, content });
            at += header.bytes;
            continue;
        }
        let tag = tag_bytes(rest);
        if tag > 0 {
            at += tag;
            continue;
        }
        match gap(bytes, at, first) {
            Some(Gap::Junk(junk)) if conceal => {
                if let Some(next) = walk.within_last(bytes, at, first) {
                    walk.frames.pop();
                    walk.gaps.push(walk.frames.len());
                    walk.lose(1, start);
                    reservoir = Reservoir::default();
                    at = next;
                    continue;
                }
                at += junk;
                walk.gaps.push(walk.frames.len());
                let lost = walk.frames_in(junk, first, reservoir, &bytes[at..]);
                if lost > 0 {
                    walk.lose(lost, start);
                    reservoir = Reservoir::default();
                } else {
                    walk.inserted.insert(walk.frames.len());
                }
                continue;
            }
            gap => walk.fault = gap.map(|gap| gap.to_string()),
        }
        let tail = rest.len() - rest.iter().rev().take_while(|byte| **byte == 0).count();
        if walk.fault.is_none() && tail > MAX_TAIL && !walk.tag_fits() {
            walk.fault = Some(format!("its last {tail} bytes are no MP3 frames"));
        }
        break;
    }
    walk.fit_to_tag(start, bytes);
    walk
}

impl Walk {
    /// Where further frames begin before the last frame should end, at `at`: bytes of it are missing.
    fn within_last(&self, bytes: &[u8], at: usize, first: Header) -> Option<usize> {
        let last = self.frames.last().filter(|last| last.at + last.header.bytes == at)?;
        (last.at + HEADER..at).find(|&next| chain(bytes, next, Some(first)).is_some())
    }

    /// How many frames were where now `junk` bytes are none, before `rest`. Few bytes are one, of
    /// which the rest is missing, unless the next frame's data follow those of the frame before.
    fn frames_in(&self, junk: usize, first: Header, before: Reservoir, rest: &[u8]) -> usize {
        let bytes: usize = self.frames.iter().map(|frame| frame.header.bytes).sum();
        let usual = bytes.checked_div(self.frames.len()).unwrap_or(first.bytes);
        let follows = || {
            let header = Header::parse(rest)?;
            let mut reservoir = before;
            Some(matches!(reservoir.take(header, rest.get(..header.bytes)?), Data::Here))
        };
        match (junk + usual / 2) / usual {
            0 if follows() == Some(true) => 0,
            frames => frames.max(1),
        }
    }
}

/// Why further frames follow a position without one.
enum Gap {
    /// So many bytes are no frames.
    Junk(usize),
    /// The frames are of another kind.
    Rates(u32, u32),
    Layers,
}

impl std::fmt::Display for Gap {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Junk(bytes) => {
                write!(f, "{bytes} bytes are no MP3 frames: sound is damaged or missing")
            }
            Self::Rates(one, other) => {
                write!(f, "its sample rate changes from {one} to {other} Hz")
            }
            Self::Layers => write!(f, "another layer of MPEG audio begins"),
        }
    }
}

fn gap(bytes: &[u8], at: usize, first: Header) -> Option<Gap> {
    if let Some(other) = chain(bytes, at, None) {
        return Some(match other.layer == first.layer {
            true => Gap::Rates(first.rate, other.rate),
            false => Gap::Layers,
        });
    }
    let next = (at + 1..bytes.len()).find(|&next| chain(bytes, next, Some(first)).is_some())?;
    Some(Gap::Junk(next - at))
}

/// The note of LAME, Xing or Fraunhofer's encoder in a frame.
fn read_tag(frame: &[u8], header: Header) -> Option<Tag> {
    let frame = frame.get(..header.bytes)?;
    let word = |at: usize| {
        let bytes = frame.get(at..at + 4)?;
        Some(u64::from(u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])))
    };
    if frame.get(36..40) == Some(b"VBRI") {
        // Fraunhofer counts the frame with the tag and notes no padding.
        return Some(Tag { bytes: word(46), own: header.bytes as u64, ..Tag::default() });
    }
    let at = HEADER + header.side_bytes();
    if !matches!(frame.get(at..at + 4)?, b"Xing" | b"Info") {
        return None;
    }
    let flags = word(at + 4)?;
    let mut next = at + 8;
    let mut field = |bit: u64, length: usize| {
        let here = next;
        let there = flags & bit != 0;
        next += if there { length } else { 0 };
        there.then_some(here)
    };
    let frames = field(1, 4).and_then(word);
    let bytes = field(2, 4).and_then(word);
    field(4, 100);
    field(8, 4);
    let mut tag = Tag { frames, bytes, own: header.bytes as u64, delay: 0, padding: 0 };
    if let Some(note) = frame.get(next..next + 24)
        && [&b"LAME"[..], b"Lavf", b"Lavc"].contains(&&note[..4])
    {
        let trim = u64::from(u32::from_be_bytes([0, note[21], note[22], note[23]]));
        // Every decoder delays by 529 samples.
        tag.delay = (trim >> 12) + 529;
        tag.padding = (trim & 0xfff).saturating_sub(529);
    }
    Some(tag)
}

/// The bit reservoir: a layer III frame's data may begin in the frames before it. It must not
/// begin among bytes that an earlier frame has used, as it does where frames are missing.
#[derive(Debug, Clone, Copy, Default)]
struct Reservoir {
    /// Main data before this frame, in bytes since the beginning.
    stored: u64,
    /// Where the data of the frame before end, once a frame was whole.
    used: Option<u64>,
}

/// Where a frame's data begin.
enum Data {
    /// In the frames that were taken.
    Here,
    /// Before the first frame that was taken.
    Before,
    /// Nowhere that makes sense.
    Elsewhere,
}

impl Reservoir {
    /// Takes the next frame, and tells where its data begin.
    fn take(&mut self, header: Header, frame: &[u8]) -> Data {
        let Some(main) = frame.get(header.main_data()..) else { return Data::Elsewhere };
        let side = &frame[header.main_data() - header.side_bytes()..header.main_data()];
        let begin = self.stored.checked_sub(back(header, frame));
        self.stored += main.len() as u64;
        match (begin, self.used) {
            (None, None) => Data::Before,
            (None, Some(_)) => Data::Elsewhere,
            (Some(begin), used) => {
                let end = begin + data_bits(header, side).div_ceil(8);
                let fits = used.is_none_or(|used| begin >= used);
                self.used = Some(end);
                if fits { Data::Here } else { Data::Elsewhere }
            }
        }
    }
}

/// How many bytes before its own a whole frame's data begin.
fn back(header: Header, frame: &[u8]) -> u64 {
    let side = &frame[header.main_data() - header.side_bytes()..];
    bits(side, 0, if header.mpeg1 { 9 } else { 8 })
}

/// Bits of a frame's scale factors and Huffman codes.
fn data_bits(header: Header, side: &[u8]) -> u64 {
    let (first, granules) = match (header.mpeg1, header.channels) {
        (true, 1) => (9 + 5 + 4, 2),
        (true, _) => (9 + 3 + 8, 2),
        (false, 1) => (8 + 1, 1),
        (false, _) => (8 + 2, 1),
    };
    let each = if header.mpeg1 { 59 } else { 63 };
    (0..granules * header.channels).map(|part| bits(side, first + part * each, 12)).sum()
}

/// `count` bits from bit `at`.
fn bits(bytes: &[u8], at: usize, count: usize) -> u64 {
    (at..at + count)
        .fold(0, |value, bit| value << 1 | u64::from(bytes[bit / 8] >> (7 - bit % 8) & 1))
}
