//! Vorbis and Opus in Ogg. Packets come from [`ogg`](super::ogg), sound from the codecs.
//!
//! The decoding library's own demuxer is not used: it cuts samples wherever a page's count is a
//! little off, ends at the first link of a chain, and passes over lost pages.

use std::ops::Range;

use symphonia_core::codecs::audio::well_known::CODEC_ID_VORBIS;
use symphonia_core::codecs::audio::{AudioCodecParameters, AudioDecoder, AudioDecoderOptions};
use symphonia_core::packet::PacketRef;
use symphonia_core::units::{Duration, Timestamp};

use super::ogg::{Codec, Link, Walk};
use super::opus;
use super::source::{Fault, Promise, Source, Step, bad};
use super::vorbis::Blocks;

enum Decoder {
    Vorbis { decoder: Box<dyn AudioDecoder>, blocks: Blocks },
    Opus(opus::Decoder),
}

/// A link with its decoder.
struct Playing {
    link: Link,
    decoder: Decoder,
    /// Samples decoded before each packet's; one entry more than there are packets.
    times: Vec<u64>,
    /// Samples that are no sound, as decoded: those before the beginning first, those behind an end.
    left_out: Vec<Range<u64>>,
    channels: usize,
    next: usize,
    /// Samples of a gap that were given already.
    given: u64,
    /// Whether what was given last stands for missing sound.
    concealed: bool,
}

pub(super) struct OggSource {
    links: Vec<Playing>,
    playing: usize,
    rate: u32,
    fault: Option<String>,
}

impl OggSource {
    pub(super) fn new(walk: Walk) -> Step<Self> {
        let Walk { links, fault, unread, .. } = walk;
        if links.is_empty() {
            return match (unread, fault) {
                (Some(codec), _) => {
                    bad(format!("holds sound of a codec that is not read: {codec}"))
                }
                (None, Some(what)) => bad(what),
                (None, None) => bad("has no audio track of a known codec"),
            };
        }
        let mut rate = None;
        let mut playing = Vec::new();
        for link in links {
            let enough = match link.codec {
                Codec::Vorbis => 3,
                Codec::Opus => 2,
            };
            if link.headers.len() < enough {
                return bad("truncated: the file ends inside its header");
            }
            let (link, its_rate) = Playing::new(link)?;
            if *rate.get_or_insert(its_rate) != its_rate {
                return bad("changes its sample rate between two streams");
            }
            playing.push(link);
        }
        Ok(Self { links: playing, playing: 0, rate: rate.unwrap_or(0), fault })
    }
}

#[cfg(test)]
impl OggSource {
    /// Samples before each packet of the first link.
    pub(super) fn packet_times(&self) -> &[u64] {
        &self.links[0].times
    }
}

impl Playing {
    fn new(link: Link) -> Step<(Self, u32)> {
        let damaged = || Fault::Bad("its Vorbis headers make no sense".to_owned());
        let (decoder, rate, channels, skip) = match link.codec {
            Codec::Opus => {
                let head = opus::Head::parse(&link.headers[0])?;
                let decoder = Decoder::Opus(opus::Decoder::new(head)?);
                (decoder, opus::RATE, head.channels, head.pre_skip)
            }
            Codec::Vorbis => {
                let (first, setup) = (&link.headers[0], &link.headers[2]);
                let blocks = Blocks::new(first, setup).ok_or_else(damaged)?;
                let mut params = AudioCodecParameters::new();
                let extra = [&first[..], setup].concat().into_boxed_slice();
                params.for_codec(CODEC_ID_VORBIS).with_extra_data(extra);
                let codecs = symphonia::default::get_codecs();
                let decoder =
                    codecs.make_audio_decoder(&params, &AudioDecoderOptions::default())?;
                let rate = first.get(12..16).ok_or_else(damaged)?;
                let rate = u32::from_le_bytes([rate[0], rate[1], rate[2], rate[3]]);
                let channels = usize::from(first[11]);
                (Decoder::Vorbis { decoder, blocks }, rate, channels, 0)
            }
        };
        let times = times(&link, &decoder);
        let beginning = 0..skip;
        let mut left_out = vec![beginning];
        let held = |packets: &Range<usize>| times[packets.end] - times[packets.start];
        for (packet, samples) in link.padding(held) {
            let (begin, end) = (left_out[left_out.len() - 1].end, times[packet + 1]);
            left_out.push(end.saturating_sub(samples).max(begin)..end.max(begin));
        }
        let (next, given, concealed) = (0, 0, false);
        Ok((Self { link, decoder, times, left_out, channels, next, given, concealed }, rate))
    }

    /// Samples that the link gives.
    fn frames(&self) -> u64 {
        let left_out: u64 = self.left_out.iter().map(|range| range.end - range.start).sum();
        self.times.last().copied().unwrap_or(0).saturating_sub(left_out)
    }

    fn seek(&mut self, frame: u64) -> u64 {
        let decoder = match &mut self.decoder {
            Decoder::Vorbis { decoder, .. } if self.link.is_whole() => decoder,
            // What Opus decodes depends on all that went before.
            _ => return 0,
        };
        let end = self.times.last().copied().unwrap_or(0);
        let begin = match &self.left_out[..] {
            [skip] => skip.end,
            [skip, padding] if padding.end == end => skip.end,
            // What lies behind an end that was none is found from the beginning.
            _ => return 0,
        };
        decoder.reset();
        let wanted = frame + begin;
        let packet = self.times.partition_point(|time| *time <= wanted);
        // The packet that holds the frame overlaps with the one before it, and each needs one
        // more to overlap with.
        self.next = packet.saturating_sub(3);
        match self.next {
            0 => 0,
            next => self.times[next + 1].saturating_sub(begin),
        }
    }

    /// Decodes the next packet with what is to be kept of it; `None` behind the last.
    fn next(&mut self, out: &mut Vec<f32>) -> Step<Option<usize>> {
        if self.next >= self.link.len() {
            return Ok(None);
        }
        let packet = self.link.packet(self.next);
        let (begin, end) = (self.times[self.next], self.times[self.next + 1]);
        out.clear();
        self.concealed = self.link.gap(self.next).is_some();
        if self.concealed {
            return Ok(Some(self.silence(begin, end, out)));
        }
        self.next += 1;
        match &mut self.decoder {
            Decoder::Opus(decoder) => decoder.decode(packet, out)?,
            Decoder::Vorbis { decoder, blocks } if blocks.of(packet).is_some() => {
                let packet = PacketRef::new(0, Timestamp::ZERO, Duration::ZERO, packet);
                decoder.decode_ref(&packet)?.copy_to_vec_interleaved(out);
            }
            Decoder::Vorbis { .. } => {}
        }
        let frames = (out.len() / self.channels) as u64;
        if frames == 0 {
            return Ok(Some(self.channels));
        }
        if frames != end - begin {
            return bad(format!("a packet gives {frames} samples for {}", end - begin));
        }
        self.trim(begin, frames, out);
        Ok(Some(self.channels))
    }

    /// Gives the next part of a gap.
    fn silence(&mut self, begin: u64, end: u64, out: &mut Vec<f32>) -> usize {
        /// Samples at a time, so that a wrong count takes no memory.
        const PART: u64 = 1 << 16;
        let begin = begin + self.given;
        let frames = (end - begin).min(PART);
        out.resize(frames as usize * self.channels, 0.0);
        self.given += frames;
        if begin + frames == end {
            (self.next, self.given) = (self.next + 1, 0);
            if let Decoder::Vorbis { decoder, .. } = &mut self.decoder {
                decoder.reset();
            }
        }
        self.trim(begin, frames, out);
        self.channels
    }

    /// Leaves out what is no sound of the samples decoded from `begin` on.
    fn trim(&self, begin: u64, frames: u64, out: &mut Vec<f32>) {
        for range in self.left_out.iter().rev() {
            let place = |time: u64| time.clamp(begin, begin + frames) - begin;
            let samples = |time: u64| (place(time) as usize * self.channels).min(out.len());
            out.drain(samples(range.start)..samples(range.end));
        }
    }
}

/// Samples before each packet's, and after the last.
fn times(link: &Link, decoder: &Decoder) -> Vec<u64> {
    let mut times = Vec::with_capacity(link.len() + 1);
    let mut time = 0_u64;
    times.push(0);
    let lengths = lengths(link, decoder);
    for index in 0..link.len() {
        let length = match link.gap(index) {
            // What the counts around a gap leave for it.
            Some(gap) => gap.span().map_or(0, |(packets, samples)| {
                samples.saturating_sub(lengths[packets].iter().sum())
            }),
            None => lengths[index],
        };
        time = time.saturating_add(length);
        times.push(time);
    }
    times
}

/// Samples that each packet gives.
fn lengths(link: &Link, decoder: &Decoder) -> Vec<u64> {
    let mut before = None;
    let mut lengths = Vec::with_capacity(link.len());
    for index in 0..link.len() {
        let packet = link.packet(index);
        if link.gap(index).is_some() {
            before = None;
        }
        lengths.push(match decoder {
            Decoder::Opus(_) => opus::samples(packet),
            // Two blocks overlap by half of each.
            Decoder::Vorbis { blocks, .. } => match blocks.of(packet) {
                None => 0,
                Some(size) => before.replace(size).map_or(0, |before| (before + size) / 4),
            },
        });
    }
    lengths
}

impl Source for OggSource {
    fn rate(&self) -> u32 {
        self.rate
    }

    /// Only the last page tells the length; whether it is there is checked by the walk.
    fn promise(&self) -> Option<Promise> {
        None
    }

    fn seek(&mut self, frame: u64) -> Step<Option<u64>> {
        let (mut before, mut index) = (0, 0);
        while index + 1 < self.links.len() && before + self.links[index].frames() <= frame {
            before += self.links[index].frames();
            index += 1;
        }
        self.playing = index;
        Ok(Some(before + self.links[index].seek(frame - before)))
    }

    fn concealed(&self) -> bool {
        self.links.get(self.playing).is_some_and(|playing| playing.concealed)
    }

    fn next(&mut self, out: &mut Vec<f32>) -> Step<Option<usize>> {
        loop {
            let Some(playing) = self.links.get_mut(self.playing) else {
                return self.fault.take().map_or(Ok(None), bad);
            };
            if let Some(channels) = playing.next(out)? {
                return Ok(Some(channels));
            }
            self.playing += 1;
        }
    }
}
