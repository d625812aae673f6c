//! The voices of the built-in synthesizer: each adds one note to a track.

use rand::RngExt;
use trompe_base::random::Stream;

use crate::midi::SAMPLE_RATE;

/// Shape of one period.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Wave {
    Sine,
    /// Odd harmonics that fall with their square: hollow and soft.
    Triangle,
    /// All harmonics: bright.
    Saw,
    /// A saw driven into clipping: harsh.
    Driven,
}

/// A pitched note.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tone {
    pub(super) wave: Wave,
    /// Fundamental in hertz.
    pub(super) frequency: f64,
    /// Length in samples, without the release.
    pub(super) length: usize,
    /// Time in seconds to rise, and to fall to 37 %; the note never falls when infinite.
    pub(super) attack: f64,
    pub(super) decay: f64,
    pub(super) gain: f32,
}

/// Frequency of a MIDI key, A4 = 440 Hz.
pub(super) fn frequency(key: f64) -> f64 {
    440.0 * libm::exp2((key - 69.0) / 12.0)
}

/// Factor by which a level falls each sample so that it is at 37 % after `seconds`.
fn fall(seconds: f64) -> f32 {
    libm::exp(-1.0 / (seconds * f64::from(SAMPLE_RATE))) as f32
}

/// Where note sound goes: a track that wraps around (a loop) or ends (a clip).
pub(super) struct Track {
    pub(super) samples: Vec<f32>,
    pub(super) wraps: bool,
}

impl Track {
    pub(super) fn new(length: usize, wraps: bool) -> Self {
        Self { samples: vec![0.0; length], wraps }
    }

    /// Adds the sound that `next` makes, from sample `at` on, until it returns `None`.
    fn add(&mut self, at: usize, mut next: impl FnMut() -> Option<f32>) {
        let length = self.samples.len();
        let mut position = at;
        loop {
            if position >= length {
                if !self.wraps || position >= at + length {
                    return;
                }
                position -= length;
                // From here on the note lies over the loop's beginning.
                return self.add_rest(position, at, next);
            }
            match next() {
                Some(sample) => self.samples[position] += sample,
                None => return,
            }
            position += 1;
        }
    }

    /// The part of a note beyond the end, once around at most.
    fn add_rest(&mut self, from: usize, until: usize, mut next: impl FnMut() -> Option<f32>) {
        for sample in &mut self.samples[from..until] {
            match next() {
                Some(value) => *sample += value,
                None => return,
            }
        }
    }

    /// A pitched note with a release of 30 ms.
    pub(super) fn tone(&mut self, at: usize, tone: Tone) {
        let step = tone.frequency / f64::from(SAMPLE_RATE);
        let release = SAMPLE_RATE as usize * 3 / 100;
        let attack = (tone.attack * f64::from(SAMPLE_RATE)).max(1.0) as f32;
        let decay = if tone.decay.is_finite() { fall(tone.decay) } else { 1.0 };
        let (mut phase, mut level, mut count) = (0.0_f64, tone.gain, 0_usize);
        self.add(at, || {
            if count >= tone.length + release {
                return None;
            }
            let rise = ((count as f32 + 1.0) / attack).min(1.0);
            let left = (tone.length + release - count) as f32 / release as f32;
            let value = shape(tone.wave, phase) * level * rise * left.min(1.0);
            level *= decay;
            phase += step;
            phase -= libm::floor(phase);
            count += 1;
            Some(value)
        });
    }

    /// A drum with a skin: a sine whose pitch falls from three times `pitch`.
    pub(super) fn kick(&mut self, at: usize, pitch: f64, seconds: f64, gain: f32) {
        let step = pitch / f64::from(SAMPLE_RATE);
        let (pitch_fall, level_fall) = (f64::from(fall(0.02)), fall(seconds));
        let (mut phase, mut bend, mut level) = (0.0_f64, 2.0_f64, gain);
        self.add(at, || {
            if level < gain * 1e-3 {
                return None;
            }
            let value = shape(Wave::Sine, phase) * level;
            phase += step * (1.0 + bend);
            phase -= libm::floor(phase);
            bend *= pitch_fall;
            level *= level_fall;
            Some(value)
        });
    }

    /// A burst of noise: `bright` near 1 keeps only the highest frequencies (a hat), near 0
    /// all of them (a snare).
    pub(super) fn noise(
        &mut self,
        at: usize,
        bright: f32,
        seconds: f64,
        gain: f32,
        draw: &mut Stream,
    ) {
        let level_fall = fall(seconds);
        let (mut before, mut level) = (0.0_f32, gain);
        self.add(at, || {
            if level < gain * 1e-3 {
                return None;
            }
            let white: f32 = draw.random_range(-1.0..1.0);
            let value = (white - bright * before) * level;
            before = white;
            level *= level_fall;
            Some(value)
        });
    }
}

/// One period of a wave at `phase` in [0, 1). Not band-limited: aliasing does not
/// matter for synthetic test sounds.
fn shape(wave: Wave, phase: f64) -> f32 {
    let saw = (2.0 * phase - 1.0) as f32;
    match wave {
        Wave::Sine => sine(phase as f32),
        Wave::Triangle => 2.0 * saw.abs() - 1.0,
        Wave::Saw => saw,
        Wave::Driven => (3.0 * saw + sine(phase as f32)).clamp(-1.0, 1.0),
    }
}

/// A sine by two parabolas, within 0.06 of the true one: four operations, and the same on
/// every machine.
fn sine(phase: f32) -> f32 {
    let x = 2.0 * phase - 1.0;
    -4.0 * x * (1.0 - x.abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_have_their_frequencies() {
        assert!((frequency(69.0) - 440.0).abs() < 1e-9);
        assert!((frequency(57.0) - 220.0).abs() < 1e-9);
    }

    #[test]
    fn the_sine_is_one() {
        for step in 0..100 {
            let phase = step as f32 / 100.0;
            let exact = libm::sinf(phase * std::f32::consts::TAU);
            assert!((sine(phase) - exact).abs() < 0.06, "{phase}");
        }
    }

    #[test]
    fn a_note_wraps_around_a_loop_and_stops_at_the_end_of_a_clip() {
        let tone = Tone {
            wave: Wave::Saw,
            frequency: 1_000.0,
            length: 50,
            attack: 0.0,
            decay: f64::INFINITY,
            gain: 1.0,
        };
        let mut clip = Track::new(100, false);
        clip.tone(80, tone);
        assert!(clip.samples[..80].iter().all(|&sample| sample == 0.0));
        let mut around = Track::new(100, true);
        around.tone(80, tone);
        assert_eq!(around.samples[80..], clip.samples[80..]);
        assert!(around.samples[..20].iter().any(|&sample| sample != 0.0));
    }
}
