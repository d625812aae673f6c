//! Audio files to mono samples.
//!
//! Read are WAV (also RIFX, RF64, BW64 and Wave64; with MP3 inside), AIFF and AIFF-C, CAF, Sun `.au`
//! (both byte orders), FLAC, MP3, Ogg with Vorbis, Opus or FLAC, Matroska and WebM, M4A and AAC. What
//! else is recognized is named in the error.
//!
//! The rules, the same for every format:
//! - a file is known by its content, never by its name;
//! - channels are mixed down by their mean; the file's sample rate is kept;
//! - 16-bit integers `i` become exactly `i / 32768`;
//! - a file is good or bad as a whole: one packet that cannot be decoded, frames that are missing
//!   or damaged, a sample that is not a number, or less audio than the header promises makes it an
//!   [`Error::BadFile`], which says at what time. Nothing is concealed or patched unless the caller
//!   asks for it by [`decode_concealed`]; a caller may skip the file, but only visibly;
//! - [`Limits`] are checked on the header, before memory is given, and again while decoding.
//!
//! What can be known of truncation differs by format. WAV, AIFF, CAF, AU and FLAC state their length,
//! which must be met exactly, and so does MP3 with a count of frames. M4A states it up to encoder
//! padding: 0.1 s of slack is allowed. Ogg numbers its pages and marks its last. An MP3 without a
//! count of frames, raw AAC, Matroska and a WAV of unknown length (as written to a pipe) promise
//! nothing and end where they end.
//!
//! Encoder delay is cut from MP3 with a LAME header, from Vorbis, from Opus and from M4A with an edit
//! list, as ffmpeg does. Of MP3 files joined to one, the first delay alone is cut, as in ffmpeg.

use std::fmt;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::{Path, PathBuf};

use trompe_base::{Error, Result};

use crate::audio::Audio;
use crate::limits::Limits;
use crate::supervise::{Failure, Pulse, supervise};

mod au;
mod container;
mod library;
mod matroska;
mod mp3;
mod mpeg;
mod mpeg4;
mod ogg;
mod ogg_source;
mod opus;
mod pcm;
mod source;
mod vorbis;
mod wave;

use container::Container;
use library::{LibrarySource, Part};
use source::{Fault, Source, Step};

/// Extensions (lower case) of the files that are taken for audio when a folder is read: formats
/// that are read, and such as are only named, so that they are not left out in silence.
pub const EXTENSIONS: [&str; 48] = [
    // read
    "aac", "adts", "aif", "aifc", "aiff", "au", "bw64", "bwf", "caf", "flac", "m4a", "m4b", "m4r",
    "mka", "mkv", "mov", "mp3", "mp4", "mpga", "oga", "ogg", "ogx", "opus", "rf64", "rifx", "snd",
    "w64", "wav", "wave", "weba", "webm", // named
    "ac3", "amr", "ape", "asf", "dff", "dsf", "dts", "eac3", "mp1", "mp2", "mpc", "ra", "spx",
    "tak", "tta", "wma", "wv",
];

/// A stretch of a file may end this much after the file does, in seconds: tables round times.
/// The stretch is then shorter. Our choice.
const END_SLACK: f64 = 0.01;
/// Samples reserved on a header's word alone; more are given as they are decoded.
const MAX_RESERVED: usize = 1 << 22;

/// Whether the path's extension is one of [`EXTENSIONS`], in any case.
pub fn has_audio_extension(path: &Path) -> bool {
    path.extension()
        .and_then(|extension| extension.to_str())
        .is_some_and(|extension| EXTENSIONS.contains(&extension.to_ascii_lowercase().as_str()))
}

/// Longest share of a stretch that may be concealed. Our choice.
const MOST_CONCEALED: f64 = 0.5;

/// A stretch of a file that is damaged or missing, with silence in its place.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Gap {
    /// Where it begins in the file, in seconds.
    pub start: f64,
    /// How long the silence is; 0 if nothing tells how much is missing.
    pub seconds: f64,
}

impl fmt::Display for Gap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.seconds {
            0.0 => write!(f, "an unknown length at {:.2} s", self.start),
            seconds => write!(f, "{seconds:.3} s at {:.2} s", self.start),
        }
    }
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
    Ok(decode_stretch(path, start, end, limits, false)?.0)
}

/// As [`decode_range`], with silence in place of frames that are damaged or missing between others,
/// and where that is.
///
/// The silence is as long as what is missing, as far as the file tells: by counts of samples in Ogg
/// and FLAC, by a count of frames or else the bytes between frames in MP3, and in other formats a
/// damaged packet is taken to be as long as the one before it. MP3 frames that need the data of
/// missing ones are silent, too. A file that ends early is refused as ever.
///
/// # Errors
/// As [`decode_range`]; also [`Error::BadFile`] if more than half of the stretch would be concealed.
pub fn decode_concealed(
    path: &Path,
    start: f64,
    end: Option<f64>,
    limits: &Limits,
) -> Result<(Audio, Vec<Gap>)> {
    decode_stretch(path, start, end, limits, true)
}

fn decode_stretch(
    path: &Path,
    start: f64,
    end: Option<f64>,
    limits: &Limits,
    conceal: bool,
) -> Result<(Audio, Vec<Gap>)> {
    if !(start.is_finite() && start >= 0.0 && end.is_none_or(|end| end.is_finite() && end > start))
    {
        return Err(Error::request(
            format!("{}: start {start} and end {end:?} are not a time interval", path.display()),
            "give 0 <= start < end, in seconds",
        ));
    }
    // On a hostile file the decoding library may panic (where arithmetic overflow is checked),
    // and has turned in circles.
    let (owned, limits) = (path.to_owned(), *limits);
    let work = move |pulse: &Pulse| Job { path: owned, start, end, limits, conceal, pulse }.run();
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

/// Decodes Vorbis or Opus in Ogg that lies in memory, such as a sample of a SoundFont, to mono.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn decode_ogg(bytes: &[u8]) -> Result<Vec<f32>, String> {
    let what = |fault: Fault| match fault {
        Fault::Io(error) => error.to_string(),
        Fault::Bad(what) => what,
    };
    let mut source = ogg_source::OggSource::new(ogg::walk(bytes, false)).map_err(what)?;
    let (mut samples, mut interleaved) = (Vec::new(), Vec::new());
    while let Some(channels) = source.next(&mut interleaved).map_err(what)? {
        mix_down(&interleaved, channels.max(1), &mut samples)
            .map_err(|frame| format!("frame {frame} of a packet is not a finite number"))?;
    }
    Ok(samples)
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
    conceal: bool,
    pulse: &'a Pulse,
}

impl Job<'_> {
    fn run(&self) -> Result<(Audio, Vec<Gap>)> {
        let bytes = self.check_file()?;
        let mut source = self.open(bytes)?;
        self.check_rate(source.rate())?;
        self.check_length(source.as_ref())?;
        let first = (self.start * f64::from(source.rate())).round() as u64;
        let mut position = Some(0);
        if first > 0 {
            // Without seeking, decode the file from its beginning.
            position = match source.seek(first) {
                Ok(position) => position,
                Err(_) => {
                    source = self.open(bytes)?;
                    Some(0)
                }
            };
        }
        self.collect(source.as_mut(), position, bytes)
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

    fn open(&self, bytes: u64) -> Result<Box<dyn Source>> {
        let file = File::open(&self.path).map_err(|e| Error::io(&self.path, e))?;
        self.source(file, bytes).map_err(|fault| self.blame(fault, ""))
    }

    fn source(&self, mut file: File, bytes: u64) -> Step<Box<dyn Source>> {
        let start = after_tags(&mut file)?;
        let mut prefix = Vec::new();
        (&mut file).take(container::PREFIX as u64).read_to_end(&mut prefix)?;
        file.seek(SeekFrom::Start(0))?;
        let (most, conceal) = (self.limits.max_channels, self.conceal);
        Ok(match container::recognize(&prefix, start) {
            Container::Wave => match wave::read(&mut file, bytes)? {
                wave::Wave { content: wave::Content::Samples(coding), stretch } => {
                    Box::new(pcm::PcmSource::new(file, coding, stretch, most)?)
                }
                wave::Wave { content: wave::Content::Mp3, stretch } => {
                    let held = stretch.end - stretch.start;
                    if let Some(promised) = stretch.promised.filter(|promised| *promised > held) {
                        return source::bad(format!(
                            "truncated: the header promises {promised} bytes of sound, {held} are left"
                        ));
                    }
                    file.seek(SeekFrom::Start(stretch.start))?;
                    Box::new(mp3::Mp3Source::new(read_all(file.take(held))?, conceal)?)
                }
            },
            Container::SunAudio => Box::new(au::open(file, bytes, most)?),
            Container::Mp3 => Box::new(mp3::Mp3Source::new(read_all(file)?, conceal)?),
            Container::Ogg => {
                let walk = ogg::walk(&read_all(&mut file)?, conceal);
                if walk.links.is_empty() && walk.flac {
                    file.seek(SeekFrom::Start(0))?;
                    let view = source::View::new(file, bytes, None);
                    Box::new(LibrarySource::open(view, &Part::All, conceal)?)
                } else {
                    Box::new(ogg_source::OggSource::new(walk)?)
                }
            }
            Container::Flac(start) => Box::new(LibrarySource::open(
                library::flac_view(file, start, bytes)?,
                &Part::All,
                conceal,
            )?),
            Container::Aiff => Box::new(LibrarySource::open(
                library::aiff_view(file, bytes)?,
                &Part::All,
                conceal,
            )?),
            Container::Library => {
                let part = match prefix.starts_with(&matroska::MAGIC) {
                    true => Part::Padded(matroska::end_padding(&mut file, bytes)?),
                    false => Part::All,
                };
                file.seek(SeekFrom::Start(0))?;
                let view = source::View::new(file, bytes, None);
                Box::new(LibrarySource::open(view, &part, conceal)?)
            }
            Container::Mpeg4 => {
                let part = Part::Edited(mpeg4::read(&mut file, bytes)?);
                file.seek(SeekFrom::Start(0))?;
                let view = source::View::new(file, bytes, None);
                Box::new(LibrarySource::open(view, &part, conceal)?)
            }
            Container::Unread(name) => {
                return source::bad(format!("is {name}, which is not read"));
            }
            Container::Unknown => return source::bad("is not audio of a known format"),
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
    fn check_length(&self, source: &dyn Source) -> Result<()> {
        let rate = f64::from(source.rate());
        let promised = source.promise().map(|promise| promise.frames as f64 / rate);
        match (self.end.or(promised), self.limits.max_seconds) {
            (Some(end), limit) if end - self.start > limit => Err(self.too_long()),
            _ => Ok(()),
        }
    }

    fn too_long(&self) -> Error {
        let limit = self.limits.max_seconds;
        bad(&self.path, format!("holds more audio than is kept: the limit is {limit} s"))
    }

    /// The error for a fault; `place` says where in the file it is.
    fn blame(&self, fault: Fault, place: &str) -> Error {
        match fault {
            Fault::Io(e) => Error::io(&self.path, e),
            Fault::Bad(what) => bad(&self.path, format!("{what}{place}")),
        }
    }

    /// Decodes step by step and keeps the wanted stretch. `position` is the frame that comes
    /// next, if it is known.
    fn collect(
        &self,
        source: &mut dyn Source,
        mut position: Option<u64>,
        file_bytes: u64,
    ) -> Result<(Audio, Vec<Gap>)> {
        let sample_rate = source.rate();
        let rate = f64::from(sample_rate);
        let first = (self.start * rate).round() as u64;
        let last = self.end.map_or(u64::MAX, |end| (end * rate).round() as u64);
        let promised = source.promise().map_or(0, |promise| promise.frames).min(last);
        let wanted = promised.saturating_sub(first);
        let most = (self.limits.max_seconds * rate) as usize;
        let mut samples = Vec::with_capacity((wanted as usize).min(MAX_RESERVED));
        let mut interleaved = Vec::<f32>::new();
        let mut gaps = Vec::<Range<u64>>::new();
        let mut steps = 0;

        while position.is_none_or(|position| position < last) {
            let place = || format!(" at {:.2} s", position.unwrap_or(first) as f64 / rate);
            let step = source.next(&mut interleaved);
            let Some(channels) = step.map_err(|fault| self.blame(fault, &place()))? else { break };
            self.pulse.beat();
            // Every packet takes at least a byte: more of them is a reader going in circles.
            steps += 1;
            if steps > file_bytes {
                return Err(bad(&self.path, "its packets repeat without end"));
            }
            if interleaved.is_empty() {
                if let (true, Some(at)) = (source.concealed(), position.filter(|at| *at >= first)) {
                    add(&mut gaps, at..at);
                }
                continue;
            }
            self.check_channels(channels)?;
            let begin = position.or(source.position()).unwrap_or(0);
            if samples.is_empty() && begin > first {
                return Err(bad(&self.path, format!("its times make no sense{}", place())));
            }
            let frames = (interleaved.len() / channels) as u64;
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
            if source.concealed() && take > skip {
                add(&mut gaps, begin + skip..begin + take);
            }
            position = Some(begin + frames);
        }
        let position = position.unwrap_or(0);
        if position < last {
            self.check_end(source, position)?;
        }
        if samples.is_empty() {
            return Err(bad(&self.path, "holds no samples where they are wanted"));
        }
        let seconds = |frames: u64| frames as f64 / rate;
        let silent = seconds(gaps.iter().map(|gap| gap.end - gap.start).sum());
        let all = samples.len() as f64 / rate;
        if silent > MOST_CONCEALED * all {
            let what = format!("{silent:.2} s of {all:.2} s are damaged or missing");
            return Err(bad(&self.path, what));
        }
        let gaps = gaps.into_iter().map(|Range { start, end }| Gap {
            start: seconds(start),
            seconds: seconds(end - start),
        });
        Ok((Audio { samples, sample_rate }, gaps.collect()))
    }

    /// Whether a file that ended at this sample, before the wanted stretch did, should have.
    fn check_end(&self, source: &dyn Source, position: u64) -> Result<()> {
        let rate = f64::from(source.rate());
        let held = position as f64 / rate;
        if let Some(promise) = source.promise()
            && position + promise.slack < promise.frames
        {
            let promised = promise.frames as f64 / rate;
            return Err(bad(
                &self.path,
                format!(
                    "truncated: the header promises {promised:.3} s, the file holds {held:.3} s"
                ),
            ));
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

/// Adds a gap behind the others, or to the last if it goes on there.
fn add(gaps: &mut Vec<Range<u64>>, gap: Range<u64>) {
    match gaps.last_mut() {
        Some(last) if last.end == gap.start => last.end = gap.end,
        _ => gaps.push(gap),
    }
}

/// Moves behind the ID3v2 tags at the beginning, which may hold whole pictures.
fn after_tags(file: &mut File) -> Step<u64> {
    let mut at = 0;
    loop {
        let mut header = Vec::new();
        file.seek(SeekFrom::Start(at))?;
        file.take(10).read_to_end(&mut header)?;
        match mpeg::id3v2_bytes(&header) {
            0 => break,
            bytes => at += bytes as u64,
        }
    }
    file.seek(SeekFrom::Start(at))?;
    Ok(at)
}

fn read_all(mut from: impl Read) -> Step<Vec<u8>> {
    let mut bytes = Vec::new();
    from.read_to_end(&mut bytes)?;
    Ok(bytes)
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
