//! A recording relabelled by filtering alone, as a problem of the search: the genome is the
//! gains of the equalizer's bands.

use rand::RngExt;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use trompe_base::encoding::hex;
use trompe_corpora::wav;

use super::equalizer::{BANDS, Equalizer};
use super::listener::Listener;
use crate::error::{Error, Result};
use crate::search::{MoveId, Problem, Stream};

/// Gains before the clip is filtered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Equalization {
    /// Name of the clip that is filtered.
    pub clip: String,
    /// Gain of every band in decibels, from the lowest.
    pub gains_db: Vec<f32>,
}

/// Names of the moves, in the order of the arms of [`EqualizedClip::vary`].
const MOVES: &[&str] = &["bump", "narrow bump", "tilt", "scale", "splice", "blend", "redraw"];

/// Widths of the humps that random gains are made of, as standard deviations in bands: from
/// a third of an octave or so to half of the spectrum. All are our choice.
const WIDTHS: std::ops::Range<f32> = 1.5..16.0;

/// A clip, filtered by gains within a range, as a classifier hears it.
pub struct EqualizedClip<'a> {
    name: String,
    samples: Vec<f32>,
    equalizer: Equalizer,
    listener: &'a Listener<'a>,
    severity: f32,
    fingerprint: String,
}

impl<'a> EqualizedClip<'a> {
    /// The problem of filtering `samples`, the clip called `name`, with gains within
    /// +-`severity` decibels; `model` is the hash of the listener's model file.
    ///
    /// # Errors
    /// [`Error::Request`] if the severity is no positive number up to 60 dB, or the clip is
    /// silent or too short to be judged.
    pub fn new(
        name: &str,
        samples: Vec<f32>,
        listener: &'a Listener<'a>,
        severity: f64,
        model: &str,
    ) -> Result<Self> {
        if !(severity > 0.0 && severity <= 60.0) {
            let what = format!("gains within +-{severity} dB");
            return Err(Error::request(what, "give a severity above 0 and up to 60"));
        }
        if samples.iter().all(|&sample| sample == 0.0) {
            return Err(Error::request(
                format!("{name} is silent: no filter changes it"),
                "leave it out",
            ));
        }
        listener.score(&samples).map_err(|error| {
            Error::request(format!("{name}: {error}"), "give a longer or whole clip")
        })?;
        let mut hash = Sha256::new();
        hash.update(format!("{model} {name} {severity}"));
        samples.iter().for_each(|sample| hash.update(sample.to_le_bytes()));
        Ok(Self {
            equalizer: Equalizer::new(&samples, listener.sample_rate()),
            name: name.to_owned(),
            samples,
            listener,
            severity: severity as f32,
            fingerprint: hex(&hash.finalize()),
        })
    }

    /// Name of the clip.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The clip as it was.
    pub fn samples(&self) -> &[f32] {
        &self.samples
    }

    /// The clip filtered, as 16-bit samples.
    pub fn render(&self, genome: &Equalization) -> Vec<i16> {
        self.equalizer.apply(&genome.gains_db)
    }

    fn genome(&self, gains_db: Vec<f32>) -> Equalization {
        Equalization { clip: self.name.clone(), gains_db }
    }

    /// Random smooth gains: humps of random place, width and height, with the greatest gain
    /// brought to a random share of the severity, at least half.
    fn smooth(&self, rng: &mut Stream) -> Vec<f32> {
        let mut gains = vec![0.0; BANDS];
        for _ in 0..12 {
            self.bump(&mut gains, WIDTHS, rng);
        }
        let most = gains.iter().fold(0.0f32, |most, gain| most.max(gain.abs()));
        let reach = rng.random_range(0.5..=1.0) * self.severity;
        gains.iter_mut().for_each(|gain| *gain *= reach / most.max(f32::MIN_POSITIVE));
        gains
    }

    fn bump(&self, gains: &mut [f32], widths: std::ops::Range<f32>, rng: &mut Stream) {
        let centre = rng.random_range(0.0..BANDS as f32);
        let width = rng.random_range(widths);
        let height = rng.random_range(-self.severity..=self.severity);
        for (band, gain) in gains.iter_mut().enumerate() {
            let distance = (band as f32 - centre) / width;
            *gain += height * libm::expf(-0.5 * distance * distance);
        }
    }
}

impl Problem for EqualizedClip<'_> {
    type Genome = Equalization;

    fn classes(&self) -> &[String] {
        self.listener.classifier().classes()
    }

    fn fingerprint(&self) -> String {
        self.fingerprint.clone()
    }

    fn check(&self, genome: &Equalization) -> Result<(), String> {
        if genome.clip != self.name || genome.gains_db.len() != BANDS {
            return Err(format!("{} gains for the clip {}", genome.gains_db.len(), genome.clip));
        }
        let range = -self.severity..=self.severity;
        match genome.gains_db.iter().find(|gain| !range.contains(gain)) {
            Some(gain) => Err(format!("a gain of {gain} dB")),
            None => Ok(()),
        }
    }

    fn sample(&self, rng: &mut Stream) -> Equalization {
        let gains = self.smooth(rng);
        self.genome(gains)
    }

    fn moves(&self) -> &'static [&'static str] {
        MOVES
    }

    fn vary(
        &self,
        parent: &Equalization,
        mate: &Equalization,
        move_id: MoveId,
        rng: &mut Stream,
    ) -> Equalization {
        let mut gains = parent.gains_db.clone();
        match MOVES[move_id] {
            "bump" => self.bump(&mut gains, WIDTHS, rng),
            "narrow bump" => self.bump(&mut gains, 0.7..3.0, rng),
            "tilt" => {
                let slope = rng.random_range(-self.severity..=self.severity) / BANDS as f32;
                let middle = BANDS as f32 / 2.0;
                let bands = gains.iter_mut().enumerate();
                bands.for_each(|(band, gain)| *gain += slope * (band as f32 - middle));
            }
            "scale" => {
                let factor = rng.random_range(0.5f32..1.5);
                gains.iter_mut().for_each(|gain| *gain *= factor);
            }
            "splice" => {
                // From the parent below a band to the mate above, over about four bands.
                let at = rng.random_range(0.0..BANDS as f32);
                for (band, (gain, other)) in gains.iter_mut().zip(&mate.gains_db).enumerate() {
                    let share = ((band as f32 - at) / 4.0 + 0.5).clamp(0.0, 1.0);
                    *gain += share * (other - *gain);
                }
            }
            "blend" => {
                let share = rng.random_range(0.1f32..0.9);
                for (gain, other) in gains.iter_mut().zip(&mate.gains_db) {
                    *gain += share * (other - *gain);
                }
            }
            _ => {
                let other = self.smooth(rng);
                gains.iter_mut().zip(other).for_each(|(gain, other)| *gain += 0.3 * other);
            }
        }
        gains.iter_mut().for_each(|gain| *gain = gain.clamp(-self.severity, self.severity));
        self.genome(gains)
    }

    fn log_odds(&self, genomes: &[Equalization], out: &mut [f64]) {
        for (genome, row) in genomes.iter().zip(out.chunks_exact_mut(self.classes().len())) {
            // What is scored is what the file will hold.
            let samples = wav::dequantize(&self.render(genome));
            self.listener.log_odds_or_unheard(&samples, row);
        }
    }

    /// Mean square difference of the gains, as a share of the greatest.
    fn distance(&self, a: &Equalization, b: &Equalization) -> f64 {
        let squares = a.gains_db.iter().zip(&b.gains_db).map(|(a, b)| f64::from((a - b) * (a - b)));
        let mean = squares.sum::<f64>() / BANDS as f64;
        (mean / f64::from(4.0 * self.severity * self.severity)).min(1.0)
    }
}

impl Equalization {
    /// How strong it is: the deviation of the gains from their mean, root mean square over
    /// the bands, in decibels. Loudness is kept, so a gain of all bands alike is none.
    pub fn severity_db(&self) -> f64 {
        let count = self.gains_db.len() as f64;
        let mean = self.gains_db.iter().map(|&gain| f64::from(gain)).sum::<f64>() / count;
        let squares =
            self.gains_db.iter().map(|&gain| (f64::from(gain) - mean) * (f64::from(gain) - mean));
        libm::sqrt(squares.sum::<f64>() / count)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use trompe_base::random::stream;

    use super::*;
    use crate::classifiers::LogisticParams;
    use crate::dataset::generated::gaussians;
    use crate::features::{AdaBffs, FeatureSettings};

    const RATE: usize = 22_050;

    fn noise(seed: u64) -> Vec<f32> {
        let mut rng = stream(seed, 0, 0, 0);
        (0..4 * RATE).map(|_| rng.random_range(-0.3..0.3)).collect()
    }

    fn with_clip(severity: f64, samples: Vec<f32>, check: impl FnOnce(Result<EqualizedClip<'_>>)) {
        let model = LogisticParams::default().fit(&gaussians(3, 4, 1, 120, 1.0, 1)).unwrap();
        let listener =
            Listener::new(&model, &FeatureSettings::AdaBffs(AdaBffs::default())).unwrap();
        check(EqualizedClip::new("clip", samples, &listener, severity, "model"));
    }

    #[test]
    fn every_child_is_within_the_severity_and_smooth() {
        with_clip(12.0, noise(1), |clip| {
            let clip = clip.unwrap();
            let mut rng = stream(2, 0, 0, 0);
            let mut parent = clip.sample(&mut rng);
            let mate = clip.sample(&mut rng);
            for step in 0..200 {
                let child = clip.vary(&parent, &mate, step % MOVES.len(), &mut rng);
                assert_eq!(child.gains_db.len(), BANDS);
                assert!(child.gains_db.iter().all(|gain| gain.abs() <= 12.0));
                let steepest = child.gains_db.windows(2).map(|pair| (pair[1] - pair[0]).abs());
                assert!(steepest.fold(0.0, f32::max) < 24.0);
                assert!(child.severity_db() <= 12.0);
                assert!((0.0..=1.0).contains(&clip.distance(&parent, &child)));
                parent = child;
            }
            assert_eq!(clip.distance(&parent, &parent), 0.0);
        });
    }

    #[test]
    fn severity_is_the_deviation_from_the_mean() {
        let of = |gains_db: Vec<f32>| Equalization { clip: String::new(), gains_db }.severity_db();
        assert_eq!(of(vec![7.0; BANDS]), 0.0);
        let halves = (0..BANDS).map(|band| if band < BANDS / 2 { 3.0 } else { -1.0 }).collect();
        assert!((of(halves) - 2.0).abs() < 1e-12);
    }

    #[test]
    fn a_score_is_that_of_the_rounded_signal() {
        with_clip(6.0, noise(3), |clip| {
            let clip = clip.unwrap();
            let genome = clip.sample(&mut stream(1, 0, 0, 0));
            let mut searched = [0.0; 3];
            clip.log_odds(std::slice::from_ref(&genome), &mut searched);
            let mut heard = [0.0; 3];
            let samples = wav::dequantize(&clip.render(&genome));
            clip.listener.log_odds(&samples, &mut heard).unwrap();
            assert_eq!(searched, heard);
        });
    }

    #[test]
    fn what_cannot_be_filtered_is_refused() {
        for (severity, samples, word) in [
            (0.0, noise(1), "0 dB"),
            (f64::NAN, noise(1), "NaN"),
            (6.0, vec![0.0; 4 * RATE], "silent"),
            (6.0, noise(1)[..RATE].to_vec(), "too short"),
        ] {
            with_clip(severity, samples, |clip| {
                let error = clip.err().unwrap().to_string();
                assert!(error.contains(word), "{error}");
            });
        }
    }
}
