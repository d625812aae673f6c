//! The invented styles: rhythm, harmony and sounds, and how they are played.

use rand::RngExt;
use rand::seq::IndexedRandom;
use trompe_base::random::Stream;

use super::voices::{Tone, Track, Wave, frequency};
use crate::midi::SAMPLE_RATE;

/// One part of a style.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Drums,
    Bass,
    Chords,
    Lead,
}

impl Part {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Drums => "drums",
            Self::Bass => "bass",
            Self::Chords => "chords",
            Self::Lead => "lead",
        }
    }
}

/// A style: what all its clips have in common. Patterns have sixteen steps a bar; a letter is
/// a note, a dot a rest.
#[derive(Debug)]
pub(super) struct Style {
    pub(super) name: &'static str,
    /// Beats a minute, lowest and highest.
    tempo: [f64; 2],
    kick: &'static str,
    snare: &'static str,
    hat: &'static str,
    bass: &'static str,
    chords: &'static str,
    lead: &'static str,
    bass_wave: Wave,
    chord_wave: Wave,
    lead_wave: Wave,
    /// Chord tones in semitones above the root.
    chord: &'static [i32],
    /// Roots of the bars in semitones above the key.
    roots: &'static [i32],
    /// Octave shift of chords and lead in semitones.
    height: i32,
    /// Delay of every second eighth, in steps.
    swing: f64,
    /// Rise of a chord note in seconds.
    attack: f64,
}

/// The four styles. They differ in metre, tempo, register and brightness, so that a sound
/// classifier tells them apart; they imitate no genre.
pub(super) const STYLES: [Style; 4] = [
    Style {
        name: "pulse",
        tempo: [122.0, 132.0],
        kick: "x...x...x...x...",
        snare: "....x.......x...",
        hat: "..x...x...x...x.",
        bass: "..x...x...x...x.",
        chords: "...x..x....x..x.",
        lead: "x.x.x.x.x.x.x.x.",
        bass_wave: Wave::Saw,
        chord_wave: Wave::Saw,
        lead_wave: Wave::Saw,
        chord: &[0, 3, 7],
        roots: &[0, 0, 8, 10],
        height: 12,
        swing: 0.0,
        attack: 0.005,
    },
    Style {
        name: "sway",
        tempo: [84.0, 100.0],
        kick: "x.......x.......",
        snare: "",
        hat: "x...x.x.x...x.x.",
        bass: "x...x...x...x...",
        chords: "x.....x.....x...",
        lead: "....x.x...x.x...",
        bass_wave: Wave::Triangle,
        chord_wave: Wave::Triangle,
        lead_wave: Wave::Sine,
        chord: &[0, 4, 7, 11],
        roots: &[2, 7, 0, 9],
        height: 0,
        swing: 0.66,
        attack: 0.02,
    },
    Style {
        name: "drift",
        tempo: [56.0, 70.0],
        kick: "",
        snare: "",
        hat: "",
        bass: "x...............",
        chords: "x.......x.......",
        lead: "......x.......x.",
        bass_wave: Wave::Sine,
        chord_wave: Wave::Sine,
        lead_wave: Wave::Sine,
        chord: &[0, 7, 14, 16],
        roots: &[0, 5, 9, 7],
        height: 0,
        swing: 0.0,
        attack: 0.5,
    },
    Style {
        name: "grind",
        tempo: [150.0, 176.0],
        kick: "x.x...x.x.x...x.",
        snare: "....x.......x.x.",
        hat: "x.x.x.x.x.x.x.x.",
        bass: "x.x.x.x.x.x.x.x.",
        chords: "x.xxx.xxx.xxx.x.",
        lead: "x...x...x...x...",
        bass_wave: Wave::Driven,
        chord_wave: Wave::Driven,
        lead_wave: Wave::Driven,
        chord: &[0, 7, 12],
        roots: &[0, 1, 0, 8],
        height: -12,
        swing: 0.0,
        attack: 0.002,
    },
];

/// The sounds that a group of clips shares, as the records of one studio do.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patch {
    tempo: f64,
    kick_pitch: f64,
    kick_seconds: f64,
    snare_seconds: f64,
    hat_bright: f32,
    hat_seconds: f64,
    decay: f64,
    /// Levels of drums, bass, chords and lead.
    levels: [f32; 4],
}

impl Patch {
    pub(super) fn draw(style: &Style, draw: &mut Stream) -> Self {
        Self {
            tempo: draw.random_range(style.tempo[0]..style.tempo[1]),
            kick_pitch: draw.random_range(42.0..60.0),
            kick_seconds: draw.random_range(0.05..0.12),
            snare_seconds: draw.random_range(0.03..0.08),
            hat_bright: draw.random_range(0.7..0.98),
            hat_seconds: draw.random_range(0.01..0.04),
            decay: draw.random_range(0.2..0.5),
            levels: std::array::from_fn(|_| draw.random_range(0.7..1.0)),
        }
    }
}

impl Style {
    /// The parts it has, drums only where there are some.
    pub(super) fn parts(&self) -> Vec<Part> {
        let all = [Part::Drums, Part::Bass, Part::Chords, Part::Lead];
        let drums = !self.kick.is_empty() || !self.hat.is_empty();
        all.into_iter().filter(|&part| part != Part::Drums || drums).collect()
    }
}

/// All parts together, `length` samples; `speed` multiplies the patch's tempo.
pub(super) fn play_all(
    style: &Style,
    patch: &Patch,
    speed: f64,
    length: usize,
    draw: &mut Stream,
) -> Vec<f32> {
    let step = f64::from(SAMPLE_RATE) * 60.0 / (patch.tempo * speed) / 4.0;
    let bars = (length as f64 / (16.0 * step)) as usize + 1;
    let mut track = Track::new(length, false);
    let key = draw.random_range(-5..=6);
    for part in style.parts() {
        // A clip without its lead now and then keeps the class from being one recipe.
        if part != Part::Lead || draw.random_bool(0.7) {
            play(style, patch, part, key, step, bars, &mut track, draw);
        }
    }
    track.samples
}

/// One part alone, two bars that join at their ends.
pub(super) fn play_loop(style: &Style, patch: &Patch, part: Part, draw: &mut Stream) -> Vec<f32> {
    let bars = 2;
    let step = f64::from(SAMPLE_RATE) * 60.0 / patch.tempo / 4.0;
    let mut track = Track::new((16.0 * step * bars as f64).round() as usize, true);
    let key = draw.random_range(-5..=6);
    play(style, patch, part, key, step, bars, &mut track, draw);
    track.samples
}

#[allow(clippy::too_many_arguments)] // all of it changes from call to call
fn play(
    style: &Style,
    patch: &Patch,
    part: Part,
    key: i32,
    step: f64,
    bars: usize,
    track: &mut Track,
    draw: &mut Stream,
) {
    for bar in 0..bars {
        let root = key + style.roots[bar % style.roots.len()];
        for index in 0..16 {
            let delay = if index % 4 == 2 { style.swing } else { 0.0 };
            let at = ((bar * 16 + index) as f64 + delay) * step;
            let note = Note { at: at as usize, index, root, step };
            match part {
                Part::Drums => drums(style, patch, &note, track, draw),
                Part::Bass => bass(style, patch, &note, track, draw),
                Part::Chords => chords(style, patch, &note, track),
                Part::Lead => lead(style, patch, &note, track, draw),
            }
        }
    }
}

/// Where a note stands.
struct Note {
    /// Sample position.
    at: usize,
    /// Step within the bar.
    index: usize,
    /// Root of the bar in semitones above C.
    root: i32,
    /// Samples a step.
    step: f64,
}

fn sounds(pattern: &str, index: usize) -> bool {
    pattern.as_bytes().get(index) == Some(&b'x')
}

fn drums(style: &Style, patch: &Patch, note: &Note, track: &mut Track, draw: &mut Stream) {
    let level = patch.levels[0] * draw.random_range(0.8..1.0);
    if sounds(style.kick, note.index) {
        track.kick(note.at, patch.kick_pitch, patch.kick_seconds, level);
    }
    if sounds(style.snare, note.index) {
        track.noise(note.at, 0.2, patch.snare_seconds, 0.5 * level, draw);
    }
    if sounds(style.hat, note.index) || (!style.hat.is_empty() && draw.random_bool(0.06)) {
        track.noise(note.at, patch.hat_bright, patch.hat_seconds, 0.25 * level, draw);
    }
}

fn bass(style: &Style, patch: &Patch, note: &Note, track: &mut Track, draw: &mut Stream) {
    if !sounds(style.bass, note.index) {
        return;
    }
    let octave = if draw.random_bool(0.15) { 12 } else { 0 };
    track.tone(
        note.at,
        Tone {
            wave: style.bass_wave,
            frequency: frequency(f64::from(36 + note.root + octave)),
            length: (note.step * 1.5) as usize,
            attack: 0.004,
            decay: patch.decay,
            gain: 0.45 * patch.levels[1],
        },
    );
}

fn chords(style: &Style, patch: &Patch, note: &Note, track: &mut Track) {
    if !sounds(style.chords, note.index) {
        return;
    }
    // Slow chords last until the next one, short ones a step.
    let (steps, decay) = if style.attack > 0.1 { (8.0, f64::INFINITY) } else { (1.0, patch.decay) };
    for semitones in style.chord {
        track.tone(
            note.at,
            Tone {
                wave: style.chord_wave,
                frequency: frequency(f64::from(60 + note.root + style.height + semitones)),
                length: (note.step * steps) as usize,
                attack: style.attack,
                decay,
                gain: 0.16 * patch.levels[2],
            },
        );
    }
}

fn lead(style: &Style, patch: &Patch, note: &Note, track: &mut Track, draw: &mut Stream) {
    if !sounds(style.lead, note.index) || draw.random_bool(0.2) {
        return;
    }
    let semitones = style.chord.choose(draw).copied().unwrap_or(0);
    track.tone(
        note.at,
        Tone {
            wave: style.lead_wave,
            frequency: frequency(f64::from(72 + note.root + style.height + semitones)),
            length: (note.step * 1.2) as usize,
            attack: style.attack.min(0.05),
            decay: patch.decay,
            gain: 0.2 * patch.levels[3],
        },
    );
}
