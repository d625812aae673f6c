//! The built-in synthetic corpus and bank: invented styles, made without a network.
//!
//! They serve unit tests and offline trials. They are not music and not labelled by people;
//! everything that holds them says [`Provenance::Synthetic`].

mod patterns;
mod voices;

use rand::RngExt;
use rayon::prelude::*;
use trompe_base::random::stream;

use crate::audio::Audio;
use crate::bank::{Bank, Loop};
use crate::corpus::{Clip, Corpus, Provenance};
use crate::midi::SAMPLE_RATE;
use patterns::{Patch, STYLES};

/// Clips of each class unless asked otherwise.
pub const CLIPS_PER_CLASS: usize = 12;
/// Groups of each class: clips of a group share one set of sounds, as the tracks of an album.
const GROUPS: usize = 4;
/// Loops that each style gives to the bank.
const LOOPS_PER_STYLE: usize = 15;
/// Length of a clip: nearly two texture windows of 130 frames make a vector each.
const SECONDS: u32 = 7;

/// What the labels of the synthetic corpus are worth.
const LABELS: &str = "invented: the program that made the sound made the label";

/// A loop of the synthetic bank with what it is.
#[derive(Debug, Clone, PartialEq)]
pub struct SyntheticLoop {
    /// Name within the bank.
    pub id: String,
    /// The voice: `drums`, `bass`, `chords` or `lead`.
    pub instrument: &'static str,
    /// The style whose pattern it plays.
    pub style: &'static str,
    /// Peak at 1, at 22,050 Hz.
    pub samples: Vec<f32>,
}

/// The synthetic corpus in memory: four classes, `clips_per_class` clips of 7 seconds each at
/// 22,050 Hz, peak 1, in groups. The sound of `corpus.clips[i]` is `audio[i]`; the paths
/// name no files. The same seed gives the same samples on every machine.
pub fn corpus(clips_per_class: usize, seed: u64) -> (Corpus, Vec<Audio>) {
    let places: Vec<(usize, usize)> = (0..STYLES.len())
        .flat_map(|style| (0..clips_per_class).map(move |clip| (style, clip)))
        .collect();
    let audio = places
        .par_iter()
        .map(|&(style, clip)| Audio {
            samples: clip_samples(style, clip, seed),
            sample_rate: SAMPLE_RATE,
        })
        .collect();
    let clips = places.iter().map(|&(class, number)| {
        let name = STYLES[class].name;
        let id = format!("{name}/{name}.{number:05}");
        let group = Some(format!("{name}-{}", number % GROUPS));
        Clip { group, ..Clip::new(&id, format!("{id}.wav"), class) }
    });
    let corpus = Corpus {
        known_as: None,
        licence: None,
        name: "synthetic".into(),
        provenance: Provenance::Synthetic,
        labels: LABELS.into(),
        classes: STYLES.iter().map(|style| style.name.to_owned()).collect(),
        clips: clips.collect(),
    };
    (corpus, audio)
}

/// The loops of the synthetic bank: sixty, of two bars each, with seamless ends.
pub fn loops(seed: u64) -> Vec<SyntheticLoop> {
    let places: Vec<(usize, usize)> = (0..STYLES.len())
        .flat_map(|style| (0..LOOPS_PER_STYLE).map(move |number| (style, number)))
        .collect();
    places
        .par_iter()
        .map(|&(index, number)| {
            let style = &STYLES[index];
            let mut draw = stream(seed, 2, index as u64, number as u64);
            let patch = Patch::draw(style, &mut draw);
            let parts = style.parts();
            let part = parts[number % parts.len()];
            let mut samples = patterns::play_loop(style, &patch, part, &mut draw);
            normalize(&mut samples);
            let id = format!("{}/{}-{number:02}.wav", style.name, part.name());
            SyntheticLoop { id, instrument: part.name(), style: style.name, samples }
        })
        .collect()
}

/// The synthetic bank in memory.
pub fn bank(seed: u64) -> Bank {
    let mut loops: Vec<Loop> = loops(seed)
        .into_iter()
        .map(|found| Loop {
            id: found.id,
            samples: found.samples.iter().map(|sample| (sample * 32_767.0) as i16).collect(),
        })
        .collect();
    loops.sort_by(|a, b| a.id.cmp(&b.id));
    Bank {
        name: "synthetic-loops".into(),
        provenance: Provenance::Synthetic,
        licence: None,
        sample_rate: SAMPLE_RATE,
        loops,
    }
}

fn clip_samples(index: usize, clip: usize, seed: u64) -> Vec<f32> {
    let style = &STYLES[index];
    // The group decides the sounds, the clip what is played with them.
    let patch = Patch::draw(style, &mut stream(seed, 0, index as u64, (clip % GROUPS) as u64));
    let mut draw = stream(seed, 1, index as u64, clip as u64);
    let tempo = draw.random_range(0.96..1.04);
    let length = (SECONDS * SAMPLE_RATE) as usize;
    let mut samples = patterns::play_all(style, &patch, tempo, length, &mut draw);
    normalize(&mut samples);
    samples
}

fn normalize(samples: &mut [f32]) {
    let peak = samples.iter().fold(0.0_f32, |peak, sample| peak.max(sample.abs()));
    if peak > 0.0 {
        samples.iter_mut().for_each(|sample| *sample /= peak);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// Three plain numbers of a clip: zero crossings, roughness, and how uneven its level is.
    fn numbers(samples: &[f32]) -> [f64; 3] {
        let size =
            |values: &mut dyn Iterator<Item = f32>| values.map(|v| f64::from(v.abs())).sum::<f64>();
        let crossings = samples.windows(2).filter(|pair| (pair[0] < 0.0) != (pair[1] < 0.0));
        let steps = size(&mut samples.windows(2).map(|pair| pair[1] - pair[0]));
        let levels: Vec<f64> =
            samples.chunks(1_024).map(|chunk| size(&mut chunk.iter().copied())).collect();
        let mean = levels.iter().sum::<f64>() / levels.len() as f64;
        let spread = levels.iter().map(|level| (level - mean).abs()).sum::<f64>();
        [
            crossings.count() as f64 / samples.len() as f64,
            steps / size(&mut samples.iter().copied()),
            spread / levels.len() as f64 / mean,
        ]
        .map(f64::ln)
    }

    #[test]
    fn the_corpus_is_whole_and_sounds() {
        let (corpus, audio) = corpus(CLIPS_PER_CLASS, 1);
        assert_eq!(corpus.classes.len(), 4);
        assert_eq!(corpus.clips.len(), 4 * CLIPS_PER_CLASS);
        assert_eq!(corpus.provenance, Provenance::Synthetic);
        for (clip, audio) in corpus.clips.iter().zip(&audio) {
            assert!(clip.group.is_some());
            assert_eq!(audio.samples.len(), (SECONDS * SAMPLE_RATE) as usize);
            assert!(audio.samples.iter().all(|sample| sample.is_finite()));
            let power: f32 = audio.samples.iter().map(|sample| sample * sample).sum();
            assert!(power / audio.samples.len() as f32 > 1e-4, "{} is silent", clip.id);
        }
    }

    #[test]
    fn the_same_seed_gives_the_same_samples_and_another_others() {
        let (_, one) = corpus(2, 1);
        let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
        let (_, again) = pool.install(|| corpus(2, 1));
        assert_eq!(one, again);
        assert_ne!(one, corpus(2, 2).1);
        assert_eq!(bank(1), pool.install(|| bank(1)));
        assert_ne!(bank(1), bank(2));
    }

    #[test]
    fn clips_differ_within_a_class_and_classes_lie_apart() {
        let (corpus, audio) = corpus(CLIPS_PER_CLASS, 1);
        for pair in audio.windows(2) {
            assert_ne!(pair[0], pair[1]);
        }
        // Nearest class mean, with the clip's own group left out of the means.
        let points: Vec<_> = audio.iter().map(|audio| numbers(&audio.samples)).collect();
        let right = corpus.clips.iter().zip(&points).filter(|(clip, point)| {
            let distance = |class: usize| {
                let others = corpus.clips.iter().zip(&points);
                let others: Vec<_> = others
                    .filter(|(other, _)| other.class == class && other.group != clip.group)
                    .map(|(_, point)| point)
                    .collect();
                (0..3)
                    .map(|axis| {
                        let mean = others.iter().map(|point| point[axis]).sum::<f64>();
                        (point[axis] - mean / others.len() as f64).powi(2)
                    })
                    .sum::<f64>()
            };
            let nearest = (0..4).min_by(|&a, &b| distance(a).total_cmp(&distance(b)));
            nearest == Some(clip.class)
        });
        let share = right.count() as f64 / points.len() as f64;
        assert!(share >= 0.8, "{share}");
    }

    #[test]
    fn loops_sound_and_end_where_they_begin() {
        let loops = loops(1);
        assert_eq!(loops.len(), 4 * LOOPS_PER_STYLE);
        for found in &loops {
            assert!(found.samples.len() > SAMPLE_RATE as usize);
            let peak = found.samples.iter().fold(0.0_f32, |peak, s| peak.max(s.abs()));
            assert!((peak - 1.0).abs() < 1e-6, "{}", found.id);
        }
        for instrument in ["drums", "bass", "chords", "lead"] {
            assert!(loops.iter().any(|found| found.instrument == instrument));
        }
    }
}
