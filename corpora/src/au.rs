//! Sun / NeXT `.au` files (GTZAN's original format), which the decoding library lacks: a
//! demuxer in the library's own terms, registered on its probe. The samples themselves are
//! decoded by the library's PCM codecs.
//!
//! Layout (Sun's `audio_filehdr`, all big-endian 32-bit words): magic `.snd`, offset of the
//! data, size of the data in bytes or 0xFFFF_FFFF for unknown, encoding, sample rate, channels.

use std::io::{Seek, SeekFrom};

use symphonia_core::audio::{Channels, Position};
use symphonia_core::codecs::CodecParameters;
use symphonia_core::codecs::audio::well_known as codec;
use symphonia_core::codecs::audio::{AudioCodecId, AudioCodecParameters};
use symphonia_core::common::FourCc;
use symphonia_core::errors::{Error, Result, SeekErrorKind, decode_error, seek_error};
use symphonia_core::formats::prelude::*;
use symphonia_core::formats::probe::{
    ProbeDataMatchSpec, ProbeFormatData, ProbeableFormat, Score, Scoreable,
};
use symphonia_core::formats::{FormatId, Track};
use symphonia_core::io::{MediaSource, MediaSourceStream, ReadBytes, ScopedStream};
use symphonia_core::meta::{Metadata, MetadataLog};

const MAGIC: [u8; 4] = *b".snd";
const HEADER_BYTES: u32 = 24;
const UNKNOWN_SIZE: u32 = u32::MAX;
/// PCM has no packets of its own; this many frames are read at a time.
const FRAMES_PER_PACKET: u64 = 4096;

/// The format's identity, as the library's readers carry one.
pub(crate) const AU: FormatId = FormatId::new(FourCc::new(MAGIC));
const INFO: FormatInfo = FormatInfo { format: AU, short_name: "au", long_name: "Sun / NeXT audio" };

/// Demuxer of `.au` files.
pub(crate) struct AuReader<'s> {
    source: MediaSourceStream<'s>,
    tracks: [Track; 1],
    media_info: MediaInfo,
    metadata: MetadataLog,
    frame_bytes: u64,
    data_start: u64,
    data_end: u64,
}

/// Codec and bytes per sample of an encoding number.
fn encoding(number: u32) -> Option<(AudioCodecId, u64)> {
    Some(match number {
        1 => (codec::CODEC_ID_PCM_MULAW, 1),
        2 => (codec::CODEC_ID_PCM_S8, 1),
        3 => (codec::CODEC_ID_PCM_S16BE, 2),
        4 => (codec::CODEC_ID_PCM_S24BE, 3),
        5 => (codec::CODEC_ID_PCM_S32BE, 4),
        6 => (codec::CODEC_ID_PCM_F32BE, 4),
        7 => (codec::CODEC_ID_PCM_F64BE, 8),
        27 => (codec::CODEC_ID_PCM_ALAW, 1),
        _ => return None,
    })
}

impl<'s> AuReader<'s> {
    fn open(mut source: MediaSourceStream<'s>, options: FormatOptions) -> Result<Self> {
        let start = source.pos();
        if source.read_quad_bytes()? != MAGIC {
            return decode_error("au: no .snd magic");
        }
        let offset = source.read_be_u32()?;
        let size = source.read_be_u32()?;
        let number = source.read_be_u32()?;
        let rate = source.read_be_u32()?;
        let channels = source.read_be_u32()?;
        if offset < HEADER_BYTES {
            return decode_error("au: data offset lies inside the header");
        }
        let Some((codec, sample_bytes)) = encoding(number) else {
            return decode_error("au: unknown encoding");
        };
        let Some(position) = Position::from_count(channels) else {
            return decode_error("au: impossible number of channels");
        };
        if channels == 0 || rate == 0 {
            return decode_error("au: no channels or no sample rate");
        }
        source.ignore_bytes(u64::from(offset - HEADER_BYTES))?;

        let frame_bytes = sample_bytes * u64::from(channels);
        let data_start = start + u64::from(offset);
        let file_end = source.byte_len().unwrap_or(u64::MAX);
        let promised_end = match size {
            UNKNOWN_SIZE => file_end,
            size => data_start + u64::from(size),
        };
        let mut params = AudioCodecParameters::new();
        params
            .for_codec(codec)
            .with_sample_rate(rate)
            .with_channels(Channels::Positioned(position))
            .with_max_frames_per_packet(FRAMES_PER_PACKET);
        let mut track = Track::new(0);
        track.with_codec_params(CodecParameters::Audio(params));
        if promised_end != u64::MAX {
            // What the header promises, not what the file holds: the decoder compares.
            let frames = promised_end.saturating_sub(data_start) / frame_bytes;
            track.with_num_frames(frames).with_duration(Duration::from(frames));
        }
        Ok(Self {
            source,
            media_info: MediaInfo::from_track(&track),
            tracks: [track],
            metadata: options.external_data.metadata.unwrap_or_default(),
            frame_bytes,
            data_start,
            data_end: promised_end.min(file_end),
        })
    }

    fn frames_in(&self, bytes: u64) -> u64 {
        bytes / self.frame_bytes
    }
}

impl Scoreable for AuReader<'_> {
    fn score(mut source: ScopedStream<&mut MediaSourceStream<'_>>) -> Result<Score> {
        Ok(match source.read_quad_bytes()? {
            MAGIC => Score::Supported(255),
            _ => Score::Unsupported,
        })
    }
}

impl ProbeableFormat<'_> for AuReader<'_> {
    fn try_probe_new(
        source: MediaSourceStream<'_>,
        options: FormatOptions,
    ) -> Result<Box<dyn FormatReader + '_>> {
        Ok(Box::new(AuReader::open(source, options)?))
    }

    fn probe_data() -> &'static [ProbeFormatData] {
        const SPEC: ProbeDataMatchSpec = ProbeDataMatchSpec {
            extensions: &["au", "snd"],
            mime_types: &["audio/basic"],
            markers: &[&MAGIC],
        };
        &[ProbeFormatData { spec: SPEC, info: INFO }]
    }
}

impl FormatReader for AuReader<'_> {
    fn format_info(&self) -> &FormatInfo {
        &INFO
    }

    fn media_info(&self) -> &MediaInfo {
        &self.media_info
    }

    fn metadata(&mut self) -> Metadata<'_> {
        self.metadata.metadata()
    }

    fn seek(&mut self, _mode: SeekMode, to: SeekTo) -> Result<SeekedTo> {
        let [track] = &self.tracks;
        let required_ts = match to {
            SeekTo::Timestamp { ts, .. } => ts,
            SeekTo::Time { time, .. } => track
                .time_base
                .and_then(|base| base.calc_timestamp(time))
                .ok_or(Error::SeekError(SeekErrorKind::OutOfRange))?,
        };
        let frames = self.frames_in(self.data_end.saturating_sub(self.data_start));
        let frame = match u64::try_from(required_ts.get()) {
            Ok(frame) if frame <= frames => frame,
            _ => return seek_error(SeekErrorKind::OutOfRange),
        };
        self.source.seek(SeekFrom::Start(self.data_start + frame * self.frame_bytes))?;
        Ok(SeekedTo { track_id: 0, required_ts, actual_ts: required_ts })
    }

    fn tracks(&self) -> &[Track] {
        &self.tracks
    }

    fn next_packet(&mut self) -> Result<Option<Packet>> {
        let position = self.source.pos();
        let frames = self.frames_in(self.data_end.saturating_sub(position)).min(FRAMES_PER_PACKET);
        if frames == 0 {
            return Ok(None);
        }
        let first = self.frames_in(position - self.data_start);
        let Ok(first) = i64::try_from(first) else {
            return decode_error("au: position beyond the representable");
        };
        // At most 4,096 frames of a checked channel count: a small allocation.
        let data = self.source.read_boxed_slice_exact((frames * self.frame_bytes) as usize)?;
        Ok(Some(Packet::new(0, Timestamp::new(first), Duration::from(frames), data)))
    }

    fn into_inner<'s>(self: Box<Self>) -> MediaSourceStream<'s>
    where
        Self: 's,
    {
        self.source
    }
}
