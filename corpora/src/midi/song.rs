//! A MIDI file as a list of messages at sample positions.

use std::collections::BTreeMap;

use midly::{MetaMessage, MidiMessage, Smf, Timing, TrackEventKind};

use super::SAMPLE_RATE;

/// Tempo until the file sets one, in microseconds a quarter note (120 beats a minute).
const DEFAULT_TEMPO: u64 = 500_000;
/// The channel of percussion, counted from zero (General MIDI).
const PERCUSSION: u8 = 9;

/// One channel message, as a synthesizer takes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Message {
    /// Position in samples from the start.
    pub(super) at: u64,
    /// Channel, 0 to 15.
    pub(super) channel: u8,
    /// Status byte without the channel.
    pub(super) command: u8,
    /// First data byte.
    pub(super) first: u8,
    /// Second data byte, zero where there is none.
    pub(super) second: u8,
}

/// What one channel of a song plays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Channel, 0 to 15.
    pub channel: u8,
    /// Program of its first note, 0 to 127.
    pub program: u8,
}

impl Part {
    /// Whether it is the percussion channel.
    pub fn is_percussion(&self) -> bool {
        self.channel == PERCUSSION
    }

    /// The family of its instrument: the sixteen groups of the General MIDI sound set, and
    /// `drums`.
    pub fn instrument(&self) -> &'static str {
        const FAMILIES: [&str; 16] = [
            "piano",
            "chromatic-percussion",
            "organ",
            "guitar",
            "bass",
            "strings",
            "ensemble",
            "brass",
            "reed",
            "pipe",
            "synth-lead",
            "synth-pad",
            "synth-effects",
            "ethnic",
            "percussive",
            "sound-effects",
        ];
        if self.is_percussion() {
            return "drums";
        }
        FAMILIES.get(usize::from(self.program / 8)).copied().unwrap_or("sound-effects")
    }
}

/// A song on the sample clock of [`SAMPLE_RATE`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Song {
    messages: Vec<Message>,
    markers: BTreeMap<String, u64>,
}

impl Song {
    /// Reads a Standard MIDI file. Positions follow its tempo map and are rounded to the
    /// nearest sample from exact fractions, so no error adds up.
    ///
    /// # Errors
    /// What is wrong with the file, in words.
    pub fn parse(bytes: &[u8]) -> Result<Self, String> {
        let file = Smf::parse(bytes).map_err(|error| format!("no MIDI file: {error}"))?;
        let Timing::Metrical(resolution) = file.header.timing else {
            return Err("its clock counts film frames, not beats".into());
        };
        let resolution = u64::from(resolution.as_int());
        if resolution == 0 {
            return Err("its clock has no ticks".into());
        }
        let mut events = Vec::new();
        for track in &file.tracks {
            let mut tick = 0_u64;
            for event in track {
                tick += u64::from(event.delta.as_int());
                events.push((tick, event.kind));
            }
        }
        // Stable: what stands at one tick keeps its order within and among the tracks.
        events.sort_by_key(|(tick, _)| *tick);

        let mut song = Self { messages: Vec::new(), markers: BTreeMap::new() };
        let mut clock = Clock { resolution, tempo: DEFAULT_TEMPO, tick: 0, elapsed: 0 };
        for (tick, kind) in events {
            clock.advance(tick);
            let at = clock.sample();
            match kind {
                TrackEventKind::Meta(MetaMessage::Tempo(tempo)) => {
                    clock.tempo = u64::from(tempo.as_int());
                }
                TrackEventKind::Meta(MetaMessage::Marker(name)) => {
                    song.markers.insert(String::from_utf8_lossy(name).into_owned(), at);
                }
                TrackEventKind::Midi { channel, message } => {
                    let (command, first, second) = bytes_of(message);
                    let channel = channel.as_int();
                    song.messages.push(Message { at, channel, command, first, second });
                }
                _ => {}
            }
        }
        Ok(song)
    }

    /// Position of the marker `name`, in samples.
    pub fn marker(&self, name: &str) -> Option<u64> {
        self.markers.get(name).copied()
    }

    /// Position of the first note, in samples; `None` when no note is played.
    pub fn first_note(&self) -> Option<u64> {
        self.messages.iter().find(|message| message.starts_note()).map(|message| message.at)
    }

    /// The channels that play a note, in ascending order.
    pub fn parts(&self) -> Vec<Part> {
        let mut programs = [0_u8; 16];
        let mut parts = BTreeMap::new();
        for message in &self.messages {
            if message.command == 0xC0 {
                programs[usize::from(message.channel & 15)] = message.first;
            } else if message.starts_note() {
                parts.entry(message.channel).or_insert(programs[usize::from(message.channel & 15)]);
            }
        }
        parts.into_iter().map(|(channel, program)| Part { channel, program }).collect()
    }

    pub(super) fn messages(&self) -> &[Message] {
        &self.messages
    }
}

impl Message {
    /// Whether it starts a note (a note at velocity zero ends one).
    pub(super) fn starts_note(&self) -> bool {
        self.command == 0x90 && self.second > 0
    }
}

/// Time along a tempo map, exact: `elapsed` counts microseconds times ticks a quarter note.
struct Clock {
    resolution: u64,
    tempo: u64,
    tick: u64,
    elapsed: u128,
}

impl Clock {
    fn advance(&mut self, tick: u64) {
        self.elapsed += u128::from(tick - self.tick) * u128::from(self.tempo);
        self.tick = tick;
    }

    /// The nearest sample.
    fn sample(&self) -> u64 {
        let unit = u128::from(self.resolution) * 1_000_000;
        let sample = (self.elapsed * u128::from(SAMPLE_RATE) + unit / 2) / unit;
        u64::try_from(sample).unwrap_or(u64::MAX)
    }
}

fn bytes_of(message: MidiMessage) -> (u8, u8, u8) {
    match message {
        MidiMessage::NoteOff { key, vel } => (0x80, key.as_int(), vel.as_int()),
        MidiMessage::NoteOn { key, vel } => (0x90, key.as_int(), vel.as_int()),
        MidiMessage::Aftertouch { key, vel } => (0xA0, key.as_int(), vel.as_int()),
        MidiMessage::Controller { controller, value } => {
            (0xB0, controller.as_int(), value.as_int())
        }
        MidiMessage::ProgramChange { program } => (0xC0, program.as_int(), 0),
        MidiMessage::ChannelAftertouch { vel } => (0xD0, vel.as_int(), 0),
        MidiMessage::PitchBend { bend } => {
            let bend = bend.0.as_int();
            (0xE0, (bend & 0x7F) as u8, (bend >> 7) as u8)
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
pub(super) mod tests {
    use midly::num::{u4, u7, u15, u24, u28};
    use midly::{Format, Header, TrackEvent};

    use super::*;

    fn event(delta: u32, kind: TrackEventKind<'_>) -> TrackEvent<'_> {
        TrackEvent { delta: u28::new(delta), kind }
    }

    pub(in crate::midi) fn note(delta: u32, channel: u8, key: u8, vel: u8) -> TrackEvent<'static> {
        let message = MidiMessage::NoteOn { key: u7::new(key), vel: u7::new(vel) };
        event(delta, TrackEventKind::Midi { channel: u4::new(channel), message })
    }

    fn program(channel: u8, program: u8) -> TrackEvent<'static> {
        let message = MidiMessage::ProgramChange { program: u7::new(program) };
        event(0, TrackEventKind::Midi { channel: u4::new(channel), message })
    }

    fn tempo(delta: u32, micros: u32) -> TrackEvent<'static> {
        event(delta, TrackEventKind::Meta(MetaMessage::Tempo(u24::new(micros))))
    }

    fn marker(delta: u32, name: &str) -> TrackEvent<'_> {
        event(delta, TrackEventKind::Meta(MetaMessage::Marker(name.as_bytes())))
    }

    pub(in crate::midi) fn file(tracks: Vec<Vec<TrackEvent<'_>>>) -> Vec<u8> {
        let mut smf = Smf::new(Header::new(Format::Parallel, Timing::Metrical(u15::new(192))));
        smf.tracks = tracks;
        let mut bytes = Vec::new();
        smf.write_std(&mut bytes).unwrap();
        bytes
    }

    #[test]
    fn positions_follow_the_tempo_map_across_tracks() {
        // 120 beats a minute for four beats, then 60; the notes stand in another track.
        let conductor = vec![tempo(0, 500_000), tempo(4 * 192, 1_000_000), marker(192, "here")];
        let notes = vec![note(0, 0, 60, 100), note(3 * 192, 0, 61, 100), note(2 * 192, 0, 62, 9)];
        let song = Song::parse(&file(vec![conductor, notes])).unwrap();
        let rate = u64::from(SAMPLE_RATE);
        let at: Vec<u64> = song.messages().iter().map(|message| message.at).collect();
        assert_eq!(at, [0, rate * 3 / 2, rate * 3]);
        assert_eq!(song.marker("here"), Some(rate * 3));
        assert_eq!(song.marker("there"), None);
    }

    #[test]
    fn rounding_does_not_add_up() {
        // 137 beats a minute: 437,956 microseconds; a tick is not a whole number of samples.
        let notes = (0..10_000).map(|_| note(1, 0, 60, 1)).collect();
        let song = Song::parse(&file(vec![vec![tempo(0, 437_956)], notes])).unwrap();
        let last = song.messages().last().unwrap().at;
        let exact = 10_000.0 / 192.0 * 0.437_956 * f64::from(SAMPLE_RATE);
        assert!((last as f64 - exact).abs() <= 0.5, "{last} {exact}");
    }

    #[test]
    fn parts_are_the_channels_that_sound() {
        let track = vec![
            program(2, 33),
            note(0, 2, 40, 100),
            program(2, 80),
            note(0, 9, 35, 100),
            note(0, 4, 35, 0),
        ];
        let parts = Song::parse(&file(vec![track])).unwrap().parts();
        assert_eq!(parts.iter().map(|part| part.channel).collect::<Vec<_>>(), [2, 9]);
        assert_eq!(parts[0].instrument(), "bass");
        assert_eq!(parts[1].instrument(), "drums");
    }

    #[test]
    fn other_files_are_refused() {
        assert!(Song::parse(b"RIFF....WAVE").is_err());
        assert!(Song::parse(b"").is_err());
    }
}
