//! A folder of audio files as a bank of loops.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use rayon::prelude::*;
use trompe_base::hash::FieldHasher;
use trompe_base::{Error, Result};

use crate::bank::{Bank, Loop};
use crate::corpus::Provenance;
use crate::layout::about::About;
use crate::layout::walk::{audio_below, name_of};
use crate::limits::Limits;
use crate::read::{Skipped, read_mono};
use crate::wav::quantize;

/// A loop whose peak stays below this (-60 dB of full scale, our choice) is silent: raising it to
/// full level would raise noise.
const SILENCE: f32 = 1e-3;
/// Peak of a loop in the bank: the largest integer of 16 bits.
const PEAK: f32 = 32_767.0 / 32_768.0;

/// What was left out of a bank.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LeftOut {
    /// Names of the silent loops.
    pub silent: Vec<String>,
    /// Bad files, if they may be skipped.
    pub bad: Vec<Skipped>,
}

/// What became of one file.
enum Outcome {
    Sounds(Loop),
    Silent(String),
    Bad(Skipped),
}

impl Bank {
    /// Reads every audio file anywhere below a folder: decoded in parallel, mixed down, resampled
    /// to `rate` hertz, raised or lowered to full peak, in the order of names. Silent loops are
    /// left out and named; bad ones only if `skip_bad`, otherwise the first of them is the error.
    /// An [`about`](crate::layout::about) file states the name and provenance.
    ///
    /// # Errors
    /// [`Error::Io`] if the folder or a file cannot be read; [`Error::BadFile`] for a bad file;
    /// [`Error::Request`] if no audio is there, all of it is silent or bad, or it exceeds
    /// [`Limits::max_bank_samples`].
    pub fn open(
        path: &Path,
        rate: u32,
        limits: &Limits,
        skip_bad: bool,
    ) -> Result<(Self, LeftOut)> {
        let about = About::read(path, limits)?;
        let files = audio_below(path, path)?;
        if files.is_empty() {
            return Err(Error::request(
                format!("{} holds no audio files", path.display()),
                "name a folder of loops (WAV, FLAC, MP3, Ogg, AIFF, AU, M4A)",
            ));
        }
        let total = AtomicU64::new(0);
        let outcomes: Vec<Result<Outcome>> = files
            .into_par_iter()
            .map(|(id, file)| match read_loop(id, &file, rate, limits) {
                Ok(Outcome::Sounds(sound)) => {
                    let samples = sound.samples.len() as u64;
                    let total = total.fetch_add(samples, Ordering::Relaxed) + samples;
                    // Beyond the limit the bank fails whichever file came first; free memory.
                    if total > limits.max_bank_samples {
                        return Err(too_large(path, rate, limits));
                    }
                    Ok(Outcome::Sounds(sound))
                }
                Err(error @ Error::BadFile { .. }) if skip_bad => {
                    Ok(Outcome::Bad(Skipped { path: file, why: error.to_string() }))
                }
                other => other,
            })
            .collect();
        if total.into_inner() > limits.max_bank_samples {
            return Err(too_large(path, rate, limits));
        }
        let mut loops = Vec::new();
        let mut left_out = LeftOut::default();
        for outcome in outcomes {
            match outcome? {
                Outcome::Sounds(sound) => loops.push(sound),
                Outcome::Silent(id) => left_out.silent.push(id),
                Outcome::Bad(skipped) => left_out.bad.push(skipped),
            }
        }
        if loops.is_empty() {
            let (silent, bad) = (left_out.silent.len(), left_out.bad.len());
            return Err(Error::request(
                format!("{} holds {silent} silent and {bad} bad loops only", path.display()),
                "name a folder with loops that sound",
            ));
        }
        let bank = Self {
            name: about.name.unwrap_or_else(|| name_of(path)),
            provenance: about.provenance.unwrap_or(Provenance::Unstated),
            licence: about.licence,
            sample_rate: rate,
            loops,
        };
        Ok((bank, left_out))
    }

    /// SHA-256, in hexadecimal, of the sample rate and every loop's name and samples.
    pub fn hash(&self) -> String {
        let mut hasher = FieldHasher::default();
        hasher.field(self.sample_rate.to_le_bytes());
        for sound in &self.loops {
            hasher.field(&sound.id);
            let bytes: Vec<u8> = sound.samples.iter().flat_map(|s| s.to_le_bytes()).collect();
            hasher.field(bytes);
        }
        hasher.finish()
    }
}

fn too_large(path: &Path, rate: u32, limits: &Limits) -> Error {
    let seconds = limits.max_bank_samples / u64::from(rate.max(1));
    Error::request(
        format!("the loops of {} are longer than {seconds} s together", path.display()),
        "leave some out or shorten them: a bank is kept in memory",
    )
}

fn read_loop(id: String, file: &Path, rate: u32, limits: &Limits) -> Result<Outcome> {
    let mut samples = read_mono(file, rate, limits)?.samples;
    let peak = samples.iter().fold(0.0f32, |peak, x| peak.max(x.abs()));
    if peak < SILENCE {
        return Ok(Outcome::Silent(id));
    }
    for sample in &mut samples {
        *sample *= PEAK / peak;
    }
    Ok(Outcome::Sounds(Loop { id, samples: quantize(&samples) }))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::layout::test_tree::plant_samples;

    fn open(path: &Path, skip_bad: bool) -> Result<(Bank, LeftOut)> {
        Bank::open(path, 22_050, &Limits::default(), skip_bad)
    }

    #[test]
    fn loops_come_in_order_at_full_peak() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        plant_samples(root, "drums/b.wav", &[0, 1500, -2000, 500]);
        plant_samples(root, "a.wav", &[i16::MIN, 8192]);
        plant_samples(root, "drums/quiet.wav", &[3, -3, 2]);
        std::fs::write(root.join("licence.txt"), "CC0").unwrap();
        let (bank, left_out) = open(root, false).unwrap();
        assert_eq!(bank.loops[0], Loop { id: "a.wav".to_owned(), samples: vec![-32_767, 8192] });
        let samples = vec![0, 24_575, -32_767, 8192];
        assert_eq!(bank.loops[1], Loop { id: "drums/b.wav".to_owned(), samples });
        assert_eq!(bank.loops.len(), 2);
        assert_eq!((bank.sample_rate, bank.provenance), (22_050, Provenance::Unstated));
        assert_eq!(left_out.silent, ["drums/quiet.wav"]);
        assert!(left_out.bad.is_empty());
    }

    #[test]
    fn a_dot_in_a_folder_s_name_is_part_of_it() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("loops-1.2");
        plant_samples(&root, "a.wav", &[1000, 2]);
        assert_eq!(open(&root, false).unwrap().0.name, "loops-1.2");
    }

    #[test]
    fn the_hash_sees_names_samples_and_nothing_else() {
        let make = |files: &[(&str, &[i16])]| {
            let folder = tempfile::tempdir().unwrap();
            files.iter().for_each(|(name, samples)| plant_samples(folder.path(), name, samples));
            open(folder.path(), false).unwrap().0.hash()
        };
        let base = make(&[("a.wav", &[1000, 2]), ("b.wav", &[3, 4000])]);
        assert_eq!(base, make(&[("b.wav", &[3, 4000]), ("a.wav", &[1000, 2])]));
        assert_ne!(base, make(&[("a.wav", &[1000, 2]), ("c.wav", &[3, 4000])]));
        assert_ne!(base, make(&[("a.wav", &[1000, 200]), ("b.wav", &[3, 4000])]));
    }

    #[test]
    fn one_bad_file_is_an_error_unless_it_may_be_skipped() {
        let folder = tempfile::tempdir().unwrap();
        plant_samples(folder.path(), "good.wav", &[1000; 8]);
        let bad = folder.path().join("bad.wav");
        std::fs::write(&bad, "not audio").unwrap();
        let error = open(folder.path(), false).unwrap_err();
        assert!(matches!(&error, Error::BadFile { path, .. } if *path == bad), "{error}");
        let (bank, left_out) = open(folder.path(), true).unwrap();
        assert_eq!(bank.loops.len(), 1);
        assert_eq!(left_out.bad.len(), 1);
        assert_eq!(left_out.bad[0].path, bad);
        assert!(left_out.bad[0].why.contains("not audio"), "{}", left_out.bad[0].why);
    }

    #[test]
    fn banks_without_sound_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let refused = |word: &str| {
            let error = open(folder.path(), true).unwrap_err();
            assert!(matches!(error, Error::Request { .. }), "{error}");
            assert!(error.to_string().contains(word), "{error}");
        };
        refused("no audio files");
        plant_samples(folder.path(), "a.wav", &[0; 100]);
        plant_samples(folder.path(), "b.wav", &[1, -1]);
        refused("2 silent");
        let missing = folder.path().join("missing");
        assert!(matches!(open(&missing, true), Err(Error::Io { .. })));
    }

    #[test]
    fn a_bank_beyond_memory_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["a.wav", "b.wav", "c.wav"] {
            plant_samples(folder.path(), name, &[1000; 100]);
        }
        let limits = Limits { max_bank_samples: 299, ..Limits::default() };
        let error = Bank::open(folder.path(), 22_050, &limits, true).unwrap_err();
        assert!(matches!(error, Error::Request { .. }), "{error}");
        let limits = Limits { max_bank_samples: 300, ..Limits::default() };
        assert!(Bank::open(folder.path(), 22_050, &limits, true).is_ok());
    }
}
