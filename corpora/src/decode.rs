//! Audio files to mono samples: WAV, AIFF, FLAC, MP3, Ogg Vorbis, M4A/AAC and Sun `.au`.
//!
//! The rules, the same for every format:
//! - channels are mixed down by their mean; the file's sample rate is kept;
//! - 16-bit integers `i` become exactly `i / 32768`;
//! - a file is good or bad as a whole: one packet that cannot be decoded, a sample that is not
//!   a number, or less audio than the header promises makes it an [`Error::BadFile`]. Nothing is
//!   concealed or patched; a caller may skip the file, but only visibly;
//! - [`Limits`] are checked on the header, before memory is given, and again while decoding.
//!
//! What can be known of truncation differs by format. WAV, AIFF, AU and FLAC state their length,
//! which must be met exactly. M4A and MP3 with a LAME header state it up to encoder padding: 0.1
//! s of slack is allowed. Ogg marks its last page. An MP3 without a LAME header, raw AAC and a WAV of
//! unknown length (as written to a pipe) promise nothing and end where they end.
//!
//! Encoder delay is cut from MP3 with a LAME header and from Ogg, as ffmpeg does; of M4A it is
//! kept (edit lists are not read), so that sound begins about 1,024 samples late.

use std::fs::File;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use symphonia_core::codecs::CodecParameters;
use symphonia_core::codecs::audio::well_known::CODEC_ID_AAC;
use symphonia_core::codecs::audio::{AudioDecoder, AudioDecoderOptions};
use symphonia_core::errors::Error as Fault;
use symphonia_core::formats::probe::{Hint, Probe, ProbeOptions};
use symphonia_core::formats::well_known as container;
use symphonia_core::formats::{FormatOptions, FormatReader, SeekMode, SeekTo, Track, TrackType};
use symphonia_core::io::{MediaSourceStream, MediaSourceStreamOptions};
use symphonia_core::meta::MetadataOptions;
use symphonia_core::packet::Packet;
use symphonia_core::units::Time;

use crate::au::{AU, AuReader};
use crate::audio::Audio;
use crate::error::{Error, Result};
use crate::limits::Limits;
use crate::ogg;
use crate::supervise::{Failure, Pulse, supervise};

/// Extensions (lower case) of the files that are taken for audio when a folder is read.
pub const EXTENSIONS: [&str; 13] =
    ["aac", "aif", "aifc", "aiff", "au", "flac", "m4a", "mp3", "mp4", "oga", "ogg", "snd", "wav"];

/// A stretch of a file may end this much after the file does, in seconds: tables round times.
/// The stretch is then shorter. Our choice.
const END_SLACK: f64 = 0.01;
/// Lossy decoders need the packets before the wanted one; after this many seconds their state
/// no longer depends on where decoding began (tested bit for bit).
const PREROLL: f64 = 0.5;
/// Junk that may precede the first recognizable header. Metadata tags do not count. Kept
/// small so that other files are not searched for anything that resembles an MP3 frame.
const MAX_JUNK: u32 = 4096;
/// Samples reserved on a header's word alone; more are given as they are decoded.
const MAX_RESERVED: usize = 1 << 22;

static PROBE: LazyLock<Probe> = LazyLock::new(|| {
    let options = ProbeOptions { max_probe_depth: MAX_JUNK, ..Default::default() };
    let mut probe = Probe::new_with_options(&options);
    symphonia::default::register_enabled_formats(&mut probe);
    probe.register_format::<AuReader<'_>>();
    probe
});

/// Whether the path's extension is one of [`EXTENSIONS`], in any case.
pub fn has_audio_extension(path: &Path) -> bool {
    path.extension()
        .and_then(|extension| extension.to_str())
        .is_some_and(|extension| EXTENSIONS.contains(&extension.to_ascii_lowercase().as_str()))
}

/// Decodes a whole file to mono at the file's own rate.
///
/// # Errors
/// [`Error::Io`] if the file cannot be read, [`Error::BadFile`] if it is not sound audio within
/// the limits (see the module's rules).
pub fn decode(path: &Path, limits: &Limits) -> Result<Audio> {
    decode_range(path, 0.0, None, limits)
}

/// Decodes the stretch from `start` to `end` seconds (`None`: the file's end) of a file, the
/// same samples as that stretch of the whole file. Boundaries are rounded to the nearest
/// sample; `end` may lie up to 10 ms behind the file's end.
///
/// # Errors
/// As [`decode`]; also [`Error::BadFile`] if the file ends before the stretch does and
/// [`Error::Request`] if `start` and `end` are not an interval. Truncation behind `end` is
/// not noticed.
pub fn decode_range(path: &Path, start: f64, end: Option<f64>, limits: &Limits) -> Result<Audio> {
    if !(start.is_finite() && start >= 0.0 && end.is_none_or(|end| end.is_finite() && end > start))
    {
        return Err(Error::request(
            format!("{}: start {start} and end {end:?} are no interval of time", path.display()),
            "give 0 <= start < end, in seconds",
        ));
    }
    // On a hostile file the decoding library may panic (where arithmetic overflow is checked),
    // and has turned in circles.
    let (owned, limits) = (path.to_owned(), *limits);
    let work = move |pulse: &Pulse| Job { path: owned, start, end, limits, pulse }.run();
    supervise(limits.max_standstill, work).unwrap_or_else(|failure| {
        Err(match failure {
            Failure::Panicked => {
                bad(path, "the decoder gave up on it: its header or data make no sense")
            }
            Failure::Stuck => {
                let seconds = limits.max_standstill.as_secs();
                bad(path, format!("the decoder made no step on it for {seconds} s"))
            }
            Failure::NoThread(source) => Error::io(path, source),
        })
    })
}

fn bad(path: &Path, what: impl Into<String>) -> Error {
    Error::bad_file(path, what, "replace the file, convert it again, or leave it out")
}

/// One call's arguments, and what it tells of its progress.
struct Job<'a> {
    path: PathBuf,
    start: f64,
    end: Option<f64>,
    limits: Limits,
    pulse: &'a Pulse,
}

/// An opened file: its audio track and decoder.
struct Stream {
    reader: Box<dyn FormatReader>,
    decoder: Box<dyn AudioDecoder>,
    track: u32,
    rate: u32,
    /// Whether decoding may begin at a later packet and its time tells where that is.
    seekable: bool,
    /// Samples the header promises and how many may be missing.
    promise: Option<(u64, u64)>,
    is_ogg: bool,
}

impl Job<'_> {
    fn run(&self) -> Result<Audio> {
        let bytes = self.check_file()?;
        let mut stream = self.open()?;
        self.check_length(&stream)?;
        // Where decoding starts; a file that cannot be sought is decoded from its beginning.
        let preroll_start = self.start - PREROLL;
        if preroll_start > 0.0 && stream.seekable && !stream.seek(preroll_start) {
            stream = self.open()?;
            stream.seekable = false;
        }
        self.collect(stream, bytes)
    }

    /// The file's size in bytes, if it is a regular, non-empty file within the limit.
    fn check_file(&self) -> Result<u64> {
        let metadata = std::fs::metadata(&self.path).map_err(|e| Error::io(&self.path, e))?;
        let bytes = metadata.len();
        if !metadata.is_file() {
            return Err(bad(&self.path, "is not a regular file"));
        }
        if bytes == 0 {
            return Err(bad(&self.path, "is empty (0 bytes)"));
        }
        if bytes > self.limits.max_file_bytes {
            let limit = self.limits.max_file_bytes;
            return Err(bad(&self.path, format!("has {bytes} bytes, the limit is {limit}")));
        }
        Ok(bytes)
    }

    fn open(&self) -> Result<Stream> {
        let file = File::open(&self.path).map_err(|e| Error::io(&self.path, e))?;
        let source = MediaSourceStream::new(Box::new(file), MediaSourceStreamOptions::default());
        let reader = PROBE
            // The library looks at the content only, never at the name.
            .probe(&Hint::new(), source, FormatOptions::default(), MetadataOptions::default())
            .map_err(|fault| match fault {
                Fault::Unsupported("core (probe): no suitable format reader found") => {
                    bad(&self.path, "is not audio of a known format")
                }
                Fault::IoError(e) if e.kind() == ErrorKind::UnexpectedEof => {
                    bad(&self.path, "truncated: the file ends inside its header")
                }
                fault => self.fault("header", &fault),
            })?;
        let track = reader
            .default_track(TrackType::Audio)
            .ok_or_else(|| bad(&self.path, "has no audio track"))?;
        let Some(CodecParameters::Audio(params)) = &track.codec_params else {
            return Err(bad(&self.path, "has no audio track of a known codec"));
        };
        if let Some(channels) = &params.channels {
            self.check_channels(channels.count())?;
        }
        let rate =
            params.sample_rate.ok_or_else(|| bad(&self.path, "does not state its sample rate"))?;
        self.check_rate(rate)?;
        let decoder = symphonia::default::get_codecs()
            .make_audio_decoder(params, &AudioDecoderOptions::default())
            .map_err(|fault| self.fault("codec", &fault))?;
        let format = reader.format_info().format;
        Ok(Stream {
            track: track.id,
            rate,
            // AAC's noise substitution remembers everything since the beginning.
            seekable: params.codec != CODEC_ID_AAC
                // Times below zero are trimmed, a later beginning would shift all.
                && !track.start_ts.is_positive()
                && track
                    .time_base
                    .is_some_and(|base| base.numer.get() == 1 && base.denom.get() == rate),
            promise: promise(format, track, rate),
            is_ogg: format == container::FORMAT_ID_OGG,
            decoder,
            reader,
        })
    }

    fn check_channels(&self, channels: usize) -> Result<()> {
        let most = self.limits.max_channels;
        if (1..=most).contains(&channels) {
            return Ok(());
        }
        Err(bad(&self.path, format!("has {channels} channels, 1 to {most} can be mixed down")))
    }

    fn check_rate(&self, rate: u32) -> Result<()> {
        let (low, high) = (self.limits.min_rate, self.limits.max_rate);
        if (low..=high).contains(&rate) {
            return Ok(());
        }
        Err(bad(
            &self.path,
            format!("has a sample rate of {rate} Hz, {low} to {high} are accepted"),
        ))
    }

    /// Refuses on the header's word what would be refused after decoding.
    fn check_length(&self, stream: &Stream) -> Result<()> {
        let rate = f64::from(stream.rate);
        let promised = stream.promise.map(|(frames, _)| frames as f64 / rate);
        match (self.end.or(promised), self.limits.max_seconds) {
            (Some(end), limit) if end - self.start > limit => Err(self.too_long()),
            _ => Ok(()),
        }
    }

    fn too_long(&self) -> Error {
        let limit = self.limits.max_seconds;
        bad(&self.path, format!("holds more audio than is kept: the limit is {limit} s"))
    }

    fn fault(&self, place: &str, fault: &Fault) -> Error {
        match fault {
            // Codecs report the end of a packet as an I/O error too; only the system's own has
            // a code.
            Fault::IoError(e) if e.raw_os_error().is_some() => {
                Error::io(&self.path, std::io::Error::new(e.kind(), e.to_string()))
            }
            fault => bad(&self.path, format!("cannot be decoded ({place}: {fault})")),
        }
    }

    /// Decodes packet by packet and keeps the wanted stretch.
    fn collect(&self, mut stream: Stream, file_bytes: u64) -> Result<Audio> {
        let rate = f64::from(stream.rate);
        let first = (self.start * rate).round() as u64;
        let last = self.end.map_or(u64::MAX, |end| (end * rate).round() as u64);
        let promised = stream.promise.map_or(0, |(frames, _)| frames).min(last);
        let wanted = promised.saturating_sub(first);
        let most = (self.limits.max_seconds * rate) as usize;
        let mut samples = Vec::with_capacity((wanted as usize).min(MAX_RESERVED));
        let mut interleaved = Vec::<f32>::new();
        let mut position = (!stream.seekable || self.start <= PREROLL).then_some(0);
        let mut packets = 0;

        while position.is_none_or(|position| position < last) {
            let at = |position: Option<u64>| position.unwrap_or(first) as f64 / rate;
            let place = || format!("audio at {:.2} s", at(position));
            let Some(packet) = stream.next_packet().map_err(|e| self.fault(&place(), &e))? else {
                break;
            };
            self.pulse.beat();
            // Every packet takes at least a byte: more of them is a reader going in circles.
            packets += 1;
            if packets > file_bytes {
                return Err(bad(&self.path, "its packets repeat without end"));
            }
            if packet.track_id != stream.track {
                continue;
            }
            let buffer = stream.decoder.decode(&packet).map_err(|e| self.fault(&place(), &e))?;
            if buffer.frames() == 0 {
                continue;
            }
            let channels = buffer.spec().channels().count();
            self.check_channels(channels)?;
            if buffer.spec().rate() != stream.rate {
                return Err(bad(&self.path, format!("changes its sample rate, {}", place())));
            }
            buffer.copy_to_vec_interleaved(&mut interleaved);
            let begin = position.unwrap_or_else(|| {
                let time = packet.pts.get().saturating_add_unsigned(packet.trim_start.get());
                u64::try_from(time).unwrap_or(0)
            });
            if samples.is_empty() && begin > first {
                return Err(bad(&self.path, format!("its times make no sense, {}", place())));
            }
            let frames = buffer.frames() as u64;
            let skip = first.saturating_sub(begin).min(frames);
            let take = last.saturating_sub(begin).min(frames);
            if samples.len() + take.saturating_sub(skip) as usize > most {
                return Err(self.too_long());
            }
            let wanted = (skip as usize * channels)..(take.max(skip) as usize * channels);
            mix_down(&interleaved[wanted], channels, &mut samples).map_err(|frame| {
                let time = (begin + skip + frame as u64) as f64 / rate;
                bad(&self.path, format!("has a sample that is not a finite number at {time:.3} s"))
            })?;
            position = Some(begin + frames);
        }
        let position = position.unwrap_or(0);
        if position < last {
            self.check_end(&stream, position)?;
        }
        if samples.is_empty() {
            return Err(bad(&self.path, "holds no samples where they are wanted"));
        }
        Ok(Audio { samples, sample_rate: stream.rate })
    }

    /// Whether a file that ended at this sample, before the wanted stretch did, should have.
    fn check_end(&self, stream: &Stream, position: u64) -> Result<()> {
        let rate = f64::from(stream.rate);
        let held = position as f64 / rate;
        if let Some((promised, slack)) = stream.promise
            && position + slack < promised
        {
            let promised = promised as f64 / rate;
            return Err(bad(
                &self.path,
                format!(
                    "truncated: the header promises {promised:.3} s, the file holds {held:.3} s"
                ),
            ));
        }
        if stream.is_ogg {
            let ends = File::open(&self.path).and_then(|mut file| ogg::ends_properly(&mut file));
            if !ends.map_err(|e| Error::io(&self.path, e))? {
                let what = format!("truncated: its last page is missing, {held:.3} s are left");
                return Err(bad(&self.path, what));
            }
        }
        if position == 0 {
            return Err(bad(&self.path, "holds no samples"));
        }
        let needed = self.end.unwrap_or(self.start);
        if self.start >= held || self.end.is_some_and(|end| end > held + END_SLACK + 0.5 / rate) {
            let what = format!("is wanted up to {needed:.3} s but ends at {held:.3} s");
            return Err(Error::bad_file(&self.path, what, "correct the start and end of the clip"));
        }
        Ok(())
    }
}

impl Stream {
    /// Moves to a packet at or before the time. Afterwards packet times say where decoding is.
    fn seek(&mut self, seconds: f64) -> bool {
        let Some(time) = Time::try_from_secs_f64(seconds) else { return false };
        let to = SeekTo::Time { time, track_id: Some(self.track) };
        let moved = self.reader.seek(SeekMode::Accurate, to).is_ok();
        self.decoder.reset();
        moved
    }

    /// The next packet. A file that ends inside a packet ends there: whether it should is
    /// checked against its promise.
    fn next_packet(&mut self) -> symphonia_core::errors::Result<Option<Packet>> {
        match self.reader.next_packet() {
            Err(Fault::IoError(e)) if e.kind() == ErrorKind::UnexpectedEof => Ok(None),
            Ok(Some(packet)) if packet.data.is_empty() => Ok(None),
            other => other,
        }
    }
}

/// Samples that a header promises, and how many of them may be missing in a complete file.
fn promise(
    format: symphonia_core::formats::FormatId,
    track: &Track,
    rate: u32,
) -> Option<(u64, u64)> {
    let frames = track.num_frames?;
    let padding = u64::from(rate / 10);
    match format {
        container::FORMAT_ID_WAVE | container::FORMAT_ID_AIFF | container::FORMAT_ID_FLAC | AU => {
            Some((frames, 0))
        }
        container::FORMAT_ID_ISOMP4 => Some((frames, padding)),
        // Without a LAME header the number is only the library's estimate.
        container::FORMAT_ID_MP3 if track.delay.is_some() => Some((frames, padding)),
        _ => None,
    }
}

/// Appends the mean over the channels of every frame; on a value that is not finite, the number
/// of its frame.
fn mix_down(interleaved: &[f32], channels: usize, out: &mut Vec<f32>) -> Result<(), usize> {
    let from = out.len();
    if channels == 1 {
        out.extend_from_slice(interleaved);
    } else {
        let scale = 1.0 / channels as f32;
        out.extend(interleaved.chunks_exact(channels).map(|f| f.iter().sum::<f32>() * scale));
    }
    match out[from..].iter().position(|x| !x.is_finite()) {
        Some(frame) => Err(frame),
        None => Ok(()),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
