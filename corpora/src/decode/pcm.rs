//! Samples that lie one after the other in a stretch of a file: PCM, G.711 and ADPCM, as WAV,
//! Wave64 and Sun audio hold them. The decoding library's codecs turn the bytes into samples.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};

use symphonia_core::audio::Channels;
use symphonia_core::codecs::audio::{
    AudioCodecId, AudioCodecParameters, AudioDecoder, AudioDecoderOptions,
};
use symphonia_core::packet::PacketRef;
use symphonia_core::units::{Duration, Timestamp};

use super::source::{Promise, Source, Step, bad};

/// About as many frames are decoded at a time.
const FRAMES_PER_STEP: u64 = 4096;

/// How the samples are coded.
#[derive(Debug, Clone, Copy)]
pub(super) struct Coding {
    /// The library's codec.
    pub(super) codec: AudioCodecId,
    pub(super) rate: u32,
    pub(super) channels: u16,
    /// Bytes of the smallest part that can be decoded alone: a frame, or a block of ADPCM.
    pub(super) block_bytes: u64,
    /// Frames of such a part.
    pub(super) block_frames: u64,
}

/// Where the samples lie.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stretch {
    /// First byte.
    pub(super) start: u64,
    /// The byte behind the last one.
    pub(super) end: u64,
    /// Bytes that the header promises, if it does.
    pub(super) promised: Option<u64>,
}

pub(super) struct PcmSource {
    file: File,
    decoder: Box<dyn AudioDecoder>,
    coding: Coding,
    start: u64,
    blocks: u64,
    promise: Option<Promise>,
    next_block: u64,
    bytes: Vec<u8>,
}

impl PcmSource {
    /// Reads `stretch` of `file`, which may have up to `most` channels.
    pub(super) fn new(file: File, coding: Coding, stretch: Stretch, most: usize) -> Step<Self> {
        let Coding { codec, rate, channels, block_bytes, block_frames } = coding;
        // Before memory is given to them.
        if usize::from(channels) > most {
            return bad(format!("has {channels} channels, 1 to {most} can be mixed down"));
        }
        if channels == 0 || block_bytes == 0 || block_frames == 0 {
            return bad("its header makes no sense (no channels, or frames of no size)");
        }
        let mut params = AudioCodecParameters::new();
        params
            .for_codec(codec)
            .with_sample_rate(rate)
            .with_channels(Channels::Discrete(channels))
            .with_frames_per_block(block_frames)
            .with_max_frames_per_packet(blocks_per_step(block_frames) * block_frames);
        let decoder = symphonia::default::get_codecs()
            .make_audio_decoder(&params, &AudioDecoderOptions::default())?;
        let frames = |bytes: u64| bytes / block_bytes * block_frames;
        Ok(Self {
            file,
            decoder,
            coding,
            start: stretch.start,
            blocks: stretch.end.saturating_sub(stretch.start) / block_bytes,
            promise: stretch.promised.map(|bytes| Promise { frames: frames(bytes), slack: 0 }),
            next_block: 0,
            bytes: Vec::new(),
        })
    }
}

fn blocks_per_step(block_frames: u64) -> u64 {
    (FRAMES_PER_STEP / block_frames).max(1)
}

impl Source for PcmSource {
    fn rate(&self) -> u32 {
        self.coding.rate
    }

    fn promise(&self) -> Option<Promise> {
        self.promise
    }

    fn seek(&mut self, frame: u64) -> Step<Option<u64>> {
        self.next_block = (frame / self.coding.block_frames).min(self.blocks);
        self.decoder.reset();
        Ok(Some(self.next_block * self.coding.block_frames))
    }

    fn next(&mut self, out: &mut Vec<f32>) -> Step<Option<usize>> {
        let Coding { channels, block_bytes, block_frames, .. } = self.coding;
        let blocks = blocks_per_step(block_frames).min(self.blocks - self.next_block);
        if blocks == 0 {
            return Ok(None);
        }
        self.file.seek(SeekFrom::Start(self.start + self.next_block * block_bytes))?;
        self.bytes.resize((blocks * block_bytes) as usize, 0);
        self.file.read_exact(&mut self.bytes)?;
        let duration = Duration::from(blocks * block_frames);
        let packet = PacketRef::new(0, Timestamp::ZERO, duration, &self.bytes);
        self.decoder.decode_ref(&packet)?.copy_to_vec_interleaved(out);
        self.next_block += blocks;
        Ok(Some(channels.into()))
    }
}
