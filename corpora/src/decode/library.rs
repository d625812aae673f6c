//! What the decoding library demuxes and decodes: FLAC, AIFF, CAF, MPEG-4, Matroska, ADTS.

use std::fs::File;
use std::io::{ErrorKind, Read, Seek, SeekFrom};
use std::ops::Range;
use std::sync::LazyLock;

use symphonia_core::checksum::Crc16Ansi;
use symphonia_core::codecs::CodecParameters;
use symphonia_core::codecs::audio::well_known as codec;
use symphonia_core::codecs::audio::{AudioCodecId, AudioDecoder, AudioDecoderOptions};
use symphonia_core::errors::Error as LibraryError;
use symphonia_core::formats::probe::{Hint, Probe, ProbeOptions};
use symphonia_core::formats::well_known as container;
use symphonia_core::formats::{FormatId, FormatOptions, FormatReader};
use symphonia_core::formats::{SeekMode, SeekTo, Track, TrackType};
use symphonia_core::io::{MediaSourceStream, MediaSourceStreamOptions, Monitor};
use symphonia_core::meta::MetadataOptions;
use symphonia_core::packet::Packet;
use symphonia_core::units::Timestamp;

use super::mpeg4::Movie;
use super::opus;
use super::source::{Fault, Promise, Source, Step, View, bad};

/// Lossy decoders need the packets before the wanted one; after this many seconds their state
/// no longer depends on where decoding began (tested bit for bit).
const PREROLL: f64 = 0.5;
/// Frames of the largest packet of ALAC, AAC and Opus.
const LARGEST_PACKET: u64 = 5760;
/// Junk that may precede the first recognizable header. Metadata tags do not count.
const MAX_JUNK: u32 = 4096;

static PROBE: LazyLock<Probe> = LazyLock::new(|| {
    let options = ProbeOptions { max_probe_depth: MAX_JUNK, ..Default::default() };
    let mut probe = Probe::new_with_options(&options);
    symphonia::default::register_enabled_formats(&mut probe);
    probe
});

/// What of a file is sound.
pub(super) enum Part {
    All,
    /// All but so many nanoseconds at the end.
    Padded(u64),
    /// What its edit lists say.
    Edited(Movie),
}

enum Decoder {
    Library(Box<dyn AudioDecoder>),
    Opus(opus::Decoder, usize),
}

pub(super) struct LibrarySource {
    reader: Box<dyn FormatReader>,
    decoder: Decoder,
    track: u32,
    rate: u32,
    promise: Option<Promise>,
    /// Whether decoding may begin at a later packet whose time tells where that is.
    seekable: bool,
    /// Frames still to be left out at the beginning.
    skip: u64,
    /// Stretches of frames that are kept, and how many frames went by; all are kept if there are none.
    played: Vec<Range<u64>>,
    gone_by: u64,
    /// Frames to be left out at the end: as many are held back until more come.
    padding: u64,
    held: Vec<f32>,
    position: Option<u64>,
    /// Whether damaged and missing packets are to be concealed, and whether what was given last
    /// stands for some.
    conceal: bool,
    concealed: bool,
    /// Frames of silence that are due, and the samples behind them.
    silence: u64,
    behind: Vec<f32>,
    /// Channels and frames of the packet before.
    usual: (usize, u64),
    /// Where the next packet must begin, in FLAC, whose packets carry their numbers: the library
    /// passes over damaged ones.
    due: Option<u64>,
    is_native_flac: bool,
    is_flac: bool,
}

impl LibrarySource {
    /// Opens a file of which only a part is sound.
    pub(super) fn open(view: View, part: &Part, conceal: bool) -> Step<Self> {
        let source = MediaSourceStream::new(Box::new(view), MediaSourceStreamOptions::default());
        let reader = PROBE
            // The library looks at the content only, never at the name.
            .probe(&Hint::new(), source, FormatOptions::default(), MetadataOptions::default())
            .map_err(|fault| match fault {
                LibraryError::Unsupported("core (probe): no suitable format reader found") => {
                    Fault::Bad("is not audio of a known format".to_owned())
                }
                LibraryError::IoError(e) if e.kind() == ErrorKind::UnexpectedEof => {
                    Fault::Bad("truncated: the file ends inside its header".to_owned())
                }
                fault => match Fault::from(fault) {
                    Fault::Bad(what) => Fault::Bad(format!("its header {what}")),
                    fault => fault,
                },
            })?;
        let Some(track) = reader.default_track(TrackType::Audio) else {
            return bad("has no audio track");
        };
        let Some(CodecParameters::Audio(params)) = &track.codec_params else {
            return bad("has no audio track of a known codec");
        };
        let format = reader.format_info().format;
        let (decoder, rate, skip) = if params.codec == codec::CODEC_ID_OPUS {
            let header = params.extra_data.as_deref().unwrap_or(&[]);
            let head = match format {
                container::FORMAT_ID_MKV => opus::Head::parse(header)?,
                container::FORMAT_ID_ISOMP4 => opus::Head::parse_mpeg4(header)?,
                // Elsewhere the library gives neither the header nor right lengths.
                _ => {
                    let what = "Opus in a container other than Ogg, Matroska, WebM and MPEG-4";
                    return bad(format!("holds sound of a codec that is not read: {what}"));
                }
            };
            (Decoder::Opus(opus::Decoder::new(head)?, head.channels), opus::RATE, head.pre_skip)
        } else {
            let mut params = params.clone();
            if [codec::CODEC_ID_PCM_ALAW, codec::CODEC_ID_PCM_MULAW].contains(&params.codec) {
                // The library's reader of CAF states 8 bits, which its own decoder refuses.
                params.bits_per_sample = None;
                params.bits_per_coded_sample = None;
            }
            let codecs = symphonia::default::get_codecs();
            let decoder = codecs.make_audio_decoder(&params, &AudioDecoderOptions::default());
            let decoder = decoder.map_err(|fault| match name(params.codec) {
                Some(name) => {
                    Fault::Bad(format!("holds sound of a codec that is not read: {name}"))
                }
                None => fault.into(),
            })?;
            let Some(rate) = params.sample_rate else {
                return bad("does not state its sample rate");
            };
            (Decoder::Library(decoder), rate, 0)
        };
        let mut played = match part {
            Part::Edited(movie) => movie.played(track.id, rate)?,
            _ => Vec::new(),
        };
        // Sound that is whole in its packets needs no cut, and can be sought in.
        if ![codec::CODEC_ID_OPUS, codec::CODEC_ID_AAC].contains(&params.codec)
            && track
                .num_frames
                .is_some_and(|frames| played.as_slice() == std::slice::from_ref(&(0..frames)))
        {
            played.clear();
        }
        let padding = if let Part::Padded(padding) = part { *padding } else { 0 };
        // An edit list leaves out the same samples.
        let skip = if played.first().is_some_and(|first| first.start > 0) { 0 } else { skip };
        let seekable = played.is_empty()
            && params.codec != codec::CODEC_ID_OPUS
            // AAC's noise substitution remembers everything since the beginning.
            && params.codec != codec::CODEC_ID_AAC
            // Times below zero are trimmed, a later beginning would shift all.
            && !track.start_ts.is_positive()
            && track
                .time_base
                .is_some_and(|base| base.numer.get() == 1 && base.denom.get() == rate);
        let is_flac = params.codec == codec::CODEC_ID_FLAC;
        let is_native_flac = format == container::FORMAT_ID_FLAC;
        Ok(Self {
            promise: promise(format, track, rate).map(|promise| promise.of(&played)),
            played,
            gone_by: 0,
            track: track.id,
            rate,
            seekable,
            skip,
            // Rounded: the container knows nanoseconds only.
            padding: (padding as f64 * f64::from(rate) / 1e9).round() as u64,
            held: Vec::new(),
            decoder,
            reader,
            position: None,
            conceal,
            concealed: false,
            silence: 0,
            behind: Vec::new(),
            usual: (0, 0),
            due: None,
            is_native_flac,
            is_flac,
        })
    }
}

/// Samples that a header promises, and how many of them may be missing in a complete file.
fn promise(format: FormatId, track: &Track, rate: u32) -> Option<Promise> {
    let frames = track.num_frames?;
    match format {
        container::FORMAT_ID_AIFF | container::FORMAT_ID_FLAC => Some(Promise { frames, slack: 0 }),
        container::FORMAT_ID_CAF => {
            // Whole packets are counted, the last of which may not be full.
            let slack = if is_packed(track) { LARGEST_PACKET } else { 0 };
            Some(Promise { frames, slack })
        }
        container::FORMAT_ID_ISOMP4 => Some(Promise { frames, slack: u64::from(rate / 10) }),
        _ => None,
    }
}

/// Whether a track's codec codes many samples together.
fn is_packed(track: &Track) -> bool {
    let Some(CodecParameters::Audio(params)) = &track.codec_params else { return true };
    let packed = [codec::CODEC_ID_ALAC, codec::CODEC_ID_AAC, codec::CODEC_ID_OPUS];
    packed.contains(&params.codec)
}

/// Names of codecs that containers hold and that are not read.
fn name(id: AudioCodecId) -> Option<&'static str> {
    Some(match id {
        codec::CODEC_ID_AC3 => "AC-3",
        codec::CODEC_ID_EAC3 => "E-AC-3",
        codec::CODEC_ID_MP1 => "MPEG audio layer I (MP1)",
        codec::CODEC_ID_MP2 => "MPEG audio layer II (MP2)",
        codec::CODEC_ID_DCA => "DTS",
        codec::CODEC_ID_SPEEX => "Speex",
        codec::CODEC_ID_WAVPACK => "WavPack",
        codec::CODEC_ID_WMA => "Windows Media Audio (WMA)",
        codec::CODEC_ID_TTA => "True Audio (TTA)",
        codec::CODEC_ID_MONKEYS_AUDIO => "Monkey's Audio (APE)",
        codec::CODEC_ID_MUSEPACK => "Musepack",
        _ => return None,
    })
}

impl Source for LibrarySource {
    fn rate(&self) -> u32 {
        self.rate
    }

    fn promise(&self) -> Option<Promise> {
        self.promise
    }

    fn seek(&mut self, frame: u64) -> Step<Option<u64>> {
        let preroll = (PREROLL * f64::from(self.rate)) as u64;
        let (true, Some(to)) = (self.seekable, frame.checked_sub(preroll)) else {
            return Ok(Some(0));
        };
        let Ok(to) = i64::try_from(to) else { return bad("is wanted from an impossible time") };
        let to = SeekTo::Timestamp { ts: Timestamp::new(to), track_id: self.track };
        self.reader.seek(SeekMode::Accurate, to)?;
        self.due = None;
        if let Decoder::Library(decoder) = &mut self.decoder {
            decoder.reset();
        }
        Ok(None)
    }

    fn concealed(&self) -> bool {
        self.concealed
    }

    fn next(&mut self, out: &mut Vec<f32>) -> Step<Option<usize>> {
        out.clear();
        self.concealed = self.silence > 0;
        if self.concealed {
            /// Frames at a time, so that a wrong number takes no memory.
            const PART: u64 = 1 << 16;
            let frames = self.silence.min(PART);
            self.silence -= frames;
            out.resize(frames as usize * self.usual.0, 0.0);
            self.cut(self.usual.0, out);
            return Ok(Some(self.usual.0));
        }
        if !self.behind.is_empty() {
            std::mem::swap(out, &mut self.behind);
            return Ok(Some(self.usual.0));
        }
        let packet = match self.reader.next_packet() {
            // A file that ends inside a packet ends there: whether it should is for its promise
            // to say.
            Err(LibraryError::IoError(e)) if e.kind() == ErrorKind::UnexpectedEof => {
                return Ok(None);
            }
            Ok(None) => return Ok(None),
            Ok(Some(packet)) if packet.data.is_empty() => return Ok(None),
            packet => packet?.filter(|packet| packet.track_id == self.track),
        };
        let Some(packet) = packet else { return Ok(Some(0)) };
        let channels = match self.play(&packet, out) {
            Err(Fault::Bad(_)) if self.conceal && self.usual.1 > 0 => {
                out.clear();
                // The times of FLAC's frames tell what is missing.
                self.silence = if self.is_native_flac { 0 } else { self.usual.1 };
                return Ok(Some(0));
            }
            channels => channels?,
        };
        let frames = (out.len() / channels.max(1)) as u64;
        if frames > 0 {
            self.usual = (channels, frames);
        }
        self.cut(channels, out);
        if self.padding > 0 {
            self.held.append(out);
            let keep = (self.padding as usize).saturating_mul(channels).min(self.held.len());
            out.extend(self.held.drain(..self.held.len() - keep));
        }
        let begin = time(&packet);
        self.position = Some(begin);
        if self.is_native_flac {
            let due = self.due.replace(begin + frames).unwrap_or(begin);
            match begin.checked_sub(due) {
                Some(0) => {}
                Some(missing) if self.conceal => {
                    self.silence = missing;
                    std::mem::swap(out, &mut self.behind);
                    return Ok(Some(0));
                }
                _ => return bad("frames are missing, or damaged,"),
            }
        }
        Ok(Some(channels))
    }

    fn position(&self) -> Option<u64> {
        self.position
    }
}

impl LibrarySource {
    /// Leaves out what is not to be played of the next samples of the track.
    fn cut(&mut self, channels: usize, out: &mut Vec<f32>) {
        if self.played.is_empty() || channels == 0 {
            return;
        }
        let frames = (out.len() / channels) as u64;
        let here = self.gone_by..self.gone_by + frames;
        self.gone_by = here.end;
        let first = self.played.partition_point(|stretch| stretch.end <= here.start);
        let mut kept = Vec::new();
        for stretch in self.played[first..].iter().take_while(|s| s.start < here.end) {
            let from = stretch.start.max(here.start) - here.start;
            let to = stretch.end.min(here.end) - here.start;
            kept.extend_from_slice(&out[from as usize * channels..to as usize * channels]);
        }
        *out = kept;
    }

    /// Decodes a packet, and gives the number of its channels.
    fn play(&mut self, packet: &Packet, out: &mut Vec<f32>) -> Step<usize> {
        if self.is_flac && !checksum_fits(&packet.data) {
            return bad("a frame is damaged (its checksum is wrong)");
        }
        Ok(match &mut self.decoder {
            Decoder::Opus(decoder, channels) => {
                decoder.decode(&packet.data, out)?;
                let frames = out.len() / *channels;
                out.truncate(frames.saturating_sub(packet.trim_end.get() as usize) * *channels);
                let skip = self.skip.min((out.len() / *channels) as u64);
                out.drain(..skip as usize * *channels);
                self.skip -= skip;
                *channels
            }
            Decoder::Library(decoder) => {
                let buffer = decoder.decode(packet)?;
                if buffer.spec().rate() != self.rate {
                    return bad("changes its sample rate");
                }
                buffer.copy_to_vec_interleaved(out);
                buffer.spec().channels().count()
            }
        })
    }
}

fn time(packet: &Packet) -> u64 {
    let time = packet.pts.get().saturating_add_unsigned(packet.trim_start.get());
    u64::try_from(time).unwrap_or(0)
}

/// Whether a FLAC frame ends in the right checksum (RFC 9639, section 9.3), which the library
/// looks at only where a frame's end is in doubt.
fn checksum_fits(frame: &[u8]) -> bool {
    let Some((content, checksum)) = frame.split_last_chunk() else { return false };
    let mut sum = Crc16Ansi::new(0);
    sum.process_buf_bytes(content);
    sum.crc() == u16::from_be_bytes(*checksum)
}

/// Compression types of AIFF-C that are not read.
const UNREAD_AIFC: [([u8; 4], &str); 8] = [
    (*b"ima4", "IMA ADPCM of QuickTime (ima4)"),
    (*b"MAC3", "MACE 3:1"),
    (*b"MAC6", "MACE 6:1"),
    (*b"QDM2", "QDesign Music 2"),
    (*b"QDMC", "QDesign Music"),
    (*b"Qclp", "Qualcomm PureVoice"),
    (*b"GSM ", "GSM 6.10"),
    (*b"G722", "G.722"),
];

/// What an AIFF file is read through: the library refuses a size of the whole that is too small,
/// which does no harm. The whole is what its chunks take.
pub(super) fn aiff_view(mut file: File, file_bytes: u64) -> Step<View> {
    let mut end = 12;
    loop {
        let mut header = [0; 8];
        file.seek(SeekFrom::Start(end))?;
        if end + 8 > file_bytes || file.read_exact(&mut header).is_err() {
            break;
        }
        let size = u64::from(u32::from_be_bytes([header[4], header[5], header[6], header[7]]));
        if &header[..4] == b"COMM" && size >= 22 {
            let mut common = [0; 22];
            file.read_exact(&mut common)?;
            let unread = |(code, _): &&([u8; 4], &str)| *code == common[18..];
            if let Some((_, name)) = UNREAD_AIFC.iter().find(unread) {
                return bad(format!("holds sound of a codec that is not read: {name}"));
            }
        }
        let printable = header[..4].iter().all(|byte| (b' '..=b'~').contains(byte));
        if !printable || end + 8 + size > file_bytes {
            break;
        }
        end += 8 + size.next_multiple_of(2);
    }
    let mut stated = [0; 4];
    file.seek(SeekFrom::Start(4))?;
    file.read_exact(&mut stated)?;
    file.seek(SeekFrom::Start(0))?;
    let whole = u32::try_from(end - 8).unwrap_or(u32::MAX);
    let patch = (u32::from_be_bytes(stated) < whole).then(|| (4, whole.to_be_bytes().to_vec()));
    Ok(View::new(file, file_bytes, patch))
}

/// What a FLAC file is read through. Tags behind it would keep the library from seeing its last
/// frame (xiph/flac issue 487 is of the same kind), and the library refuses block sizes of 0, by
/// which some encoders say that they do not know them.
pub(super) fn flac_view(mut file: File, start: u64, file_bytes: u64) -> Step<View> {
    let mut end = file_bytes;
    let mut tail = [0; 128];
    while end > start + 128 {
        file.seek(SeekFrom::Start(end - 128))?;
        file.read_exact(&mut tail)?;
        let footer = &tail[96..];
        if tail.starts_with(b"TAG") {
            end -= 128;
        } else if footer.starts_with(b"APETAGEX") {
            let size = u32::from_le_bytes([footer[12], footer[13], footer[14], footer[15]]);
            let header = if footer[23] & 0x80 != 0 { 32 } else { 0 };
            end = end.saturating_sub(u64::from(size).max(32) + header);
        } else {
            break;
        }
    }
    let mut sizes = [0; 4];
    file.seek(SeekFrom::Start(start + 8))?;
    let read = file.read(&mut sizes)?;
    let mut patch = None;
    if read == 4 && (sizes[..2] == [0, 0] || sizes[2..] == [0, 0]) {
        let size = first_block_size(&mut file, start)?.to_be_bytes();
        let [least, most] = [&sizes[..2], &sizes[2..]].map(|known| match known {
            [0, 0] => size,
            known => [known[0], known[1]],
        });
        patch = Some((start + 8, [least, most].concat()));
    }
    file.seek(SeekFrom::Start(0))?;
    Ok(View::new(file, end, patch))
}

/// Block size of the first FLAC frame (RFC 9639, section 9.1); 4,096 if none is found.
fn first_block_size(file: &mut File, start: u64) -> Step<u16> {
    const USUAL: u16 = 4096;
    let mut at = start + 4;
    loop {
        let mut header = [0; 4];
        file.seek(SeekFrom::Start(at))?;
        if file.read(&mut header)? < 4 {
            return Ok(USUAL);
        }
        at += 4 + u64::from(u32::from_be_bytes([0, header[1], header[2], header[3]]));
        if header[0] & 0x80 != 0 {
            break;
        }
    }
    let mut frame = [0; 7];
    file.seek(SeekFrom::Start(at))?;
    if file.read(&mut frame)? < 7 {
        return Ok(USUAL);
    }
    Ok(match frame[2] >> 4 {
        1 => 192,
        code @ 2..=5 => 576 << (code - 2),
        6 => u16::from(frame[5]) + 1,
        7 => u16::from_be_bytes([frame[5], frame[6]]).saturating_add(1),
        code @ 8..=15 => 256 << (code - 8),
        _ => USUAL,
    })
}
