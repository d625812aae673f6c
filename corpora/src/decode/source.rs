//! The one shape in which every container is decoded: frames of samples, in order.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;

use symphonia_core::errors::Error as LibraryError;
use symphonia_core::io::MediaSource;

/// Why a source cannot go on. The caller adds the file's name and the time.
#[derive(Debug)]
pub(super) enum Fault {
    /// The operating system refused.
    Io(io::Error),
    /// The file is bad: what is wrong with it.
    Bad(String),
}

/// A step of a source.
pub(super) type Step<T> = Result<T, Fault>;

/// A [`Fault::Bad`].
pub(super) fn bad<T>(what: impl Into<String>) -> Step<T> {
    Err(Fault::Bad(what.into()))
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        match error.raw_os_error() {
            Some(_) => Self::Io(error),
            None => Self::Bad(format!("truncated, or its header makes no sense ({error})")),
        }
    }
}

impl From<LibraryError> for Fault {
    fn from(error: LibraryError) -> Self {
        match error {
            // Codecs report the end of a packet as an I/O error too. Only the system's own
            // errors have a code.
            LibraryError::IoError(e) if e.raw_os_error().is_some() => Self::Io(e),
            error => Self::Bad(format!("cannot be decoded ({error})")),
        }
    }
}

/// Frames that a header promises.
#[derive(Debug, Clone, Copy)]
pub(super) struct Promise {
    /// How many.
    pub(super) frames: u64,
    /// How many of them a complete file may lack.
    pub(super) slack: u64,
}

impl Promise {
    /// What is promised of these stretches of the file; of all if there are none.
    pub(super) fn of(self, played: &[Range<u64>]) -> Self {
        let inside = |stretch: &Range<u64>| {
            stretch.end.min(self.frames).saturating_sub(stretch.start.min(self.frames))
        };
        match played {
            [] => self,
            played => Self { frames: played.iter().map(inside).sum(), ..self },
        }
    }
}

/// An opened file that gives its frames in order.
pub(super) trait Source {
    /// Frames a second, the same for the whole file.
    fn rate(&self) -> u32;

    /// What the header says of the file's length.
    fn promise(&self) -> Option<Promise>;

    /// Moves to `frame`, or to an earlier frame from which decoding gives the same samples.
    /// Gives the frame that comes next, or `None` if only the decoded frames will tell
    /// ([`Source::position`]).
    fn seek(&mut self, frame: u64) -> Step<Option<u64>>;

    /// Replaces `out` by the next frames, channels interleaved. Gives the number of channels,
    /// or `None` at the end.
    fn next(&mut self, out: &mut Vec<f32>) -> Step<Option<usize>>;

    /// Whether what [`Source::next`] gave last stands for sound that is damaged or missing.
    fn concealed(&self) -> bool {
        false
    }

    /// Number of the first frame that [`Source::next`] gave last, if the container tells it.
    fn position(&self) -> Option<u64> {
        None
    }
}

/// A file up to a given byte, with some of its bytes replaced.
#[derive(Debug)]
pub(super) struct View {
    file: File,
    at: u64,
    end: u64,
    patch: Option<(u64, Vec<u8>)>,
}

impl View {
    /// The first `end` bytes of `file`. `patch` gives an offset and the bytes read there instead.
    pub(super) fn new(file: File, end: u64, patch: Option<(u64, Vec<u8>)>) -> Self {
        Self { file, at: 0, end, patch }
    }
}

impl Read for View {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.end.saturating_sub(self.at)).unwrap_or(usize::MAX);
        let most = buffer.len().min(left);
        let read = self.file.read(&mut buffer[..most])?;
        if let Some((offset, bytes)) = &self.patch {
            for (place, byte) in (*offset..).zip(bytes) {
                if (self.at..self.at + read as u64).contains(&place) {
                    buffer[(place - self.at) as usize] = *byte;
                }
            }
        }
        self.at += read as u64;
        Ok(read)
    }
}

impl Seek for View {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let to = match to {
            SeekFrom::End(offset) => self.end.checked_add_signed(offset),
            SeekFrom::Current(offset) => self.at.checked_add_signed(offset),
            SeekFrom::Start(place) => Some(place),
        };
        self.at = to.ok_or(io::ErrorKind::InvalidInput)?;
        // Nothing is read beyond the end, and the system refuses places that are far beyond.
        self.file.seek(SeekFrom::Start(self.at.min(self.end)))?;
        Ok(self.at)
    }
}

impl MediaSource for View {
    fn is_seekable(&self) -> bool {
        true
    }

    fn byte_len(&self) -> Option<u64> {
        Some(self.end)
    }
}
