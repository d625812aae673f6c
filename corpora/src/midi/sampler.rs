//! A SoundFont played to mono samples.

use std::io::Cursor;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use rustysynth::{SoundFont, Synthesizer, SynthesizerSettings};
use trompe_base::{Error, Result};

use super::{SAMPLE_RATE, Song, sf3};
use crate::limits::Limits;
use crate::supervise::{Failure, supervise};

/// Samples that the synthesizer computes at once. A note starts on such a boundary, so this
/// is the grain of time: 1.5 ms (our choice, half of its default).
const BLOCK: usize = 32;

/// Plays songs with the instruments of one SoundFont. Shared freely by threads.
#[derive(Debug, Clone)]
pub struct Sampler {
    font: Arc<SoundFont>,
}

impl Sampler {
    /// Loads the SoundFont (`.sf2`, `.sf3`) at `path`.
    ///
    /// # Errors
    /// [`Error::Io`] when it cannot be read, [`Error::BadFile`] when it is no SoundFont.
    pub fn open(path: &Path) -> Result<Self> {
        let bytes = std::fs::read(path).map_err(|source| Error::io(path, source))?;
        let bad =
            |what: String| Error::bad_file(path, format!("no SoundFont: {what}"), "fetch it again");
        // Packed samples go through a foreign decoder.
        let unpacked = supervise(Limits::default().max_standstill, move |pulse| {
            let unpacked = sf3::unpack(&bytes, || pulse.beat())?;
            Ok::<_, String>(unpacked.unwrap_or(bytes))
        });
        let bytes = match unpacked {
            Ok(bytes) => bytes.map_err(bad)?,
            Err(Failure::NoThread(source)) => return Err(Error::io(path, source)),
            Err(Failure::Panicked | Failure::Stuck) => {
                return Err(bad("its samples cannot be decoded".to_owned()));
            }
        };
        let font =
            SoundFont::new(&mut Cursor::new(bytes)).map_err(|error| bad(error.to_string()))?;
        Ok(Self { font: Arc::new(font) })
    }

    /// The stretch `window` of `song`, in samples, mono at [`SAMPLE_RATE`], as loud as the
    /// instruments make it. `channels` chooses what is heard. Notes are played from
    /// `lead_in` samples before the window on, so that what still rings at its start is
    /// there; settings of the channels hold from the song's start.
    ///
    /// # Errors
    /// [`Error::Request`] when the synthesizer refuses its settings.
    pub fn render(
        &self,
        song: &Song,
        window: Range<u64>,
        lead_in: u64,
        channels: impl Fn(u8) -> bool,
    ) -> Result<Vec<f32>> {
        let mut settings = SynthesizerSettings::new(SAMPLE_RATE as i32);
        settings.block_size = BLOCK;
        let mut synthesizer = Synthesizer::new(&self.font, &settings).map_err(|error| {
            Error::request(format!("the synthesizer refuses: {error}"), "report this")
        })?;
        let from = window.start.saturating_sub(lead_in);
        let mut sound = Mono { left: Vec::new(), right: Vec::new(), samples: Vec::new() };
        let mut now = from;
        for message in song.messages().iter().filter(|message| channels(message.channel)) {
            if message.at >= window.end {
                break;
            }
            if message.at < from && matches!(message.command, 0x80 | 0x90) {
                continue;
            }
            if message.at > now {
                sound.play(&mut synthesizer, message.at - now);
                now = message.at;
            }
            synthesizer.process_midi_message(
                i32::from(message.channel),
                i32::from(message.command),
                i32::from(message.first),
                i32::from(message.second),
            );
        }
        sound.play(&mut synthesizer, window.end.saturating_sub(now));
        let skip = (window.start - from) as usize;
        sound.samples.drain(..skip.min(sound.samples.len()));
        Ok(sound.samples)
    }
}

/// What was played so far; the two sides' buffers are used again.
struct Mono {
    left: Vec<f32>,
    right: Vec<f32>,
    samples: Vec<f32>,
}

impl Mono {
    fn play(&mut self, synthesizer: &mut Synthesizer, length: u64) {
        let length = length as usize;
        self.left.resize(length, 0.0);
        self.right.resize(length, 0.0);
        synthesizer.render(&mut self.left, &mut self.right);
        let sides = self.left.iter().zip(&self.right);
        self.samples.extend(sides.map(|(left, right)| 0.5 * (left + right)));
    }
}
