//! MP3: layer III frames found by [`mpeg`], decoded by the decoding library.
//!
//! The library's own demuxer is not used: without a tag it cuts the sound at an estimate of its
//! length, it believes a wrong count of frames, and it passes over damage without a word
//! (pdeljanov/Symphonia issues 51 and 516).

use symphonia_core::codecs::audio::well_known::CODEC_ID_MP3;
use symphonia_core::codecs::audio::{AudioCodecParameters, AudioDecoder, AudioDecoderOptions};
use symphonia_core::packet::PacketRef;
use symphonia_core::units::{Duration, Timestamp};

use super::mpeg::{self, Content, Frame, HEADER, Walk};
use super::source::{Fault, Promise, Source, Step, bad};

/// Frames decoded before a wanted one: the bit reservoir reaches back over less than ten, and
/// the overlap over one more.
const PREROLL: usize = 12;
/// How many bytes before its own a frame's data may begin, at most.
const LONGEST_BACK: usize = 511;
/// What overlap and filter bank keep of the frames before.
const MEMORY: usize = 1152;

pub(super) struct Mp3Source {
    bytes: Vec<u8>,
    walk: Walk,
    decoder: Box<dyn AudioDecoder>,
    /// Of the frame before, for its number of channels.
    before: Option<Frame>,
    /// What a decoder before this one still held, to be added to the first channel.
    carry: Vec<f32>,
    next: usize,
    rate: u32,
    frame_samples: u64,
    /// Samples to leave out at the beginning and behind the end.
    delay: u64,
    padding: u64,
    /// Whether damaged and missing frames are to be concealed, and whether the last one was.
    conceal: bool,
    concealed: bool,
    /// Bytes of data since a frame that could not be decoded, which made the decoder forget all
    /// before it; `None` once frames cannot reach back to it.
    since_fault: Option<usize>,
}

impl Mp3Source {
    pub(super) fn new(bytes: Vec<u8>, conceal: bool) -> Step<Self> {
        let walk = mpeg::walk(&bytes, conceal);
        let Some(first) = walk.frames.first() else {
            return match (walk.fault, walk.tag.and_then(|tag| tag.frames)) {
                (Some(what), _) => bad(what),
                (None, Some(1..)) => bad("truncated: only its first frame is left"),
                (None, _) => bad("holds no samples"),
            };
        };
        let (rate, frame_samples) = (first.header.rate, first.header.samples());
        let tag = walk.tag.unwrap_or_default();
        let padding = if walk.tag_fits() { tag.padding } else { 0 };
        Ok(Self {
            decoder: decoder()?,
            bytes,
            walk,
            before: None,
            carry: Vec::new(),
            next: 0,
            rate,
            frame_samples,
            delay: tag.delay,
            padding,
            conceal,
            concealed: false,
            since_fault: None,
        })
    }

    fn frame(&self, frame: Frame) -> &[u8] {
        &self.bytes[frame.at..frame.at + frame.header.bytes]
    }

    /// What the decoder still holds of the frames before, for the first channel.
    fn tail(&mut self, last: Frame) -> Step<Vec<f32>> {
        // A frame of zeros is one without sound.
        let mut silence = vec![0; last.header.bytes];
        silence[..HEADER].copy_from_slice(&self.frame(last)[..HEADER]);
        let (mut tail, mut out) = (Vec::new(), Vec::new());
        while tail.len() < MEMORY {
            decode(self.decoder.as_mut(), &silence, &mut out)?;
            if out.is_empty() {
                break;
            }
            tail.extend(out.iter().step_by(last.header.channels));
        }
        Ok(tail)
    }

    /// Decodes a frame, or what stands for it.
    fn play(&mut self, frame: Frame, out: &mut Vec<f32>) -> Step<()> {
        let (back, length) = frame.data(&self.bytes);
        let forgotten = self.since_fault.is_some_and(|since| back > since);
        self.since_fault =
            self.since_fault.map(|since| since + length).filter(|since| *since < LONGEST_BACK);
        self.concealed = frame.content != Content::Sound || forgotten;
        if !self.concealed {
            let bytes = &self.bytes[frame.at..frame.at + frame.header.bytes];
            match decode(self.decoder.as_mut(), bytes, out) {
                Err(Fault::Bad(_)) if self.conceal => self.concealed = true,
                done => return done,
            }
            self.since_fault = Some(length);
        }
        if decode(self.decoder.as_mut(), &frame.muted(&self.bytes), out).is_err() {
            self.decoder.reset();
            out.clear();
            out.resize(self.frame_samples as usize * frame.header.channels, 0.0);
        }
        Ok(())
    }

    /// Switches to a decoder for another number of channels. The overlap of the old decoder is added to the
    /// first channel, as in ffmpeg, which keeps one decoder.
    fn change_channels(&mut self, last: Frame) -> Step<()> {
        self.carry = self.tail(last)?;
        self.decoder = decoder()?;
        Ok(())
    }
}

fn decoder() -> Step<Box<dyn AudioDecoder>> {
    let mut params = AudioCodecParameters::new();
    params.for_codec(CODEC_ID_MP3);
    let codecs = symphonia::default::get_codecs();
    Ok(codecs.make_audio_decoder(&params, &AudioDecoderOptions::default())?)
}

fn decode(decoder: &mut dyn AudioDecoder, frame: &[u8], out: &mut Vec<f32>) -> Step<()> {
    let packet = PacketRef::new(0, Timestamp::ZERO, Duration::ZERO, frame);
    decoder.decode_ref(&packet)?.copy_to_vec_interleaved(out);
    Ok(())
}

impl Source for Mp3Source {
    fn rate(&self) -> u32 {
        self.rate
    }

    fn promise(&self) -> Option<Promise> {
        let stated = self.walk.tag?.frames?;
        let held = self.walk.frames.len() as u64;
        // Bytes that agree make up for a wrong count of frames.
        let frames = if self.walk.tag_fits() { held } else { held.max(stated) };
        let samples = frames.saturating_mul(self.frame_samples);
        let frames = samples.saturating_sub(self.delay).saturating_sub(self.padding);
        Some(Promise { frames, slack: 0 })
    }

    fn concealed(&self) -> bool {
        self.concealed
    }

    fn seek(&mut self, frame: u64) -> Step<Option<u64>> {
        let wanted = (frame + self.delay) / self.frame_samples;
        let wanted = usize::try_from(wanted).unwrap_or(usize::MAX);
        let frames = &self.walk.frames;
        let first = wanted.min(frames.len()).saturating_sub(PREROLL);
        // A decoder that begins elsewhere needs a while until its state is the same.
        self.next = first.saturating_sub(PREROLL);
        self.before = None;
        self.decoder = decoder()?;
        let mut out = Vec::new();
        while self.next < first {
            self.next(&mut out)?;
        }
        Ok(Some((self.next as u64 * self.frame_samples).saturating_sub(self.delay)))
    }

    fn next(&mut self, out: &mut Vec<f32>) -> Step<Option<usize>> {
        let Some(&frame) = self.walk.frames.get(self.next) else {
            return match self.walk.fault.take() {
                Some(what) => Err(Fault::Bad(what)),
                None => Ok(None),
            };
        };
        let channels = frame.header.channels;
        if self.walk.inserted.remove(&self.next) {
            self.concealed = true;
            out.clear();
            return Ok(Some(channels));
        }
        if let Some(last) = self.before.replace(frame)
            && last.header.channels != channels
        {
            self.change_channels(last)?;
        }
        self.play(frame, out)?;
        let carried = self.carry.len().min(out.len() / channels);
        for (sample, rest) in out.iter_mut().step_by(channels).zip(self.carry.drain(..carried)) {
            *sample += rest;
        }
        let begin = self.next as u64 * self.frame_samples;
        let all = self.walk.frames.len() as u64 * self.frame_samples;
        let last = all - self.padding.min(all);
        let keep = (last.saturating_sub(begin).min(self.frame_samples)) as usize * channels;
        out.truncate(keep);
        let leave = self.delay.saturating_sub(begin).min(self.frame_samples) as usize * channels;
        out.drain(..leave.min(out.len()));
        self.next += 1;
        Ok(Some(channels))
    }
}
