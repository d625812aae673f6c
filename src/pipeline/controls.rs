//! Real controls of a study with people: clips drawn from a corpus, as WAV files in a folder
//! per class, of the same sample rate and length as the exhibits they stand beside, so that
//! neither tells which is which.

use std::path::{Path, PathBuf};

use tempfile::TempDir;
use trompe_corpora::recipes::Options;
use trompe_corpora::{Clip, Corpus, Limits, Progress, Provenance, decode, wav};
use trompe_listening_test::build::draw_evenly;

use super::open;
use crate::error::{Error, Result};
use crate::exhibits::{Medium, read_manifest};

/// Sample rate of controls without exhibits beside them, in hertz.
const SAMPLE_RATE: u32 = 22_050;

/// Which controls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// A recipe's name, or the path of a corpus.
    pub corpus: String,
    /// Clips, drawn evenly over the classes.
    pub clips: usize,
    /// Seed of the draw.
    pub seed: u64,
}

/// Controls as files, removed when this goes.
#[derive(Debug)]
pub struct Controls {
    folder: TempDir,
    /// Where their sound comes from.
    pub provenance: Provenance,
}

impl Controls {
    /// The folder, with one folder per class.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }
}

/// Draws and writes controls that fit the fooling sets in the folders `sets`.
///
/// # Errors
/// Whatever opening the corpus, reading the sets, decoding or writing meets.
pub fn prepare(wanted: &Wanted, sets: &[PathBuf], progress: &dyn Progress) -> Result<Controls> {
    let options = Options { seed: open::CORPUS_SEED, ..Options::default() };
    let corpus = open::corpus(&wanted.corpus, &options, progress)?;
    let (rate, seconds) = match format_of(sets)? {
        Some((rate, seconds)) => (rate, Some(seconds)),
        None => (SAMPLE_RATE, None),
    };
    let folder = tempfile::tempdir().map_err(|e| Error::io(std::env::temp_dir(), e))?;
    let classes: Vec<usize> = corpus.clips.iter().map(|clip| clip.class).collect();
    let drawn = draw_evenly(&classes, wanted.clips, wanted.seed);
    for (number, &index) in drawn.iter().enumerate() {
        progress.report("controls", number as u64, drawn.len() as u64);
        write(&corpus, &corpus.clips[index], index, folder.path(), rate, seconds)?;
    }
    Ok(Controls { folder, provenance: corpus.provenance })
}

/// Sample rate in hertz and seconds of the first exhibit that is sound.
fn format_of(sets: &[PathBuf]) -> Result<Option<(u32, f64)>> {
    for set in sets {
        let manifest = read_manifest(set)?;
        if let (Medium::Audio, Some(exhibit)) = (manifest.origin.medium, manifest.exhibits.first())
        {
            let audio = decode::decode(&set.join(&exhibit.file), &Limits::default())?;
            return Ok(Some((audio.sample_rate, audio.seconds())));
        }
    }
    Ok(None)
}

/// Writes the middle `seconds` of a clip.
fn write(
    corpus: &Corpus,
    clip: &Clip,
    index: usize,
    folder: &Path,
    rate: u32,
    seconds: Option<f64>,
) -> Result<()> {
    let audio = clip.read(rate, &Limits::default())?;
    let all = audio.samples.len();
    let length = seconds.map_or(all, |seconds| ((seconds * f64::from(rate)) as usize).min(all));
    let start = (all - length) / 2;
    let class = folder.join(&corpus.classes[clip.class]);
    std::fs::create_dir_all(&class).map_err(|e| Error::io(&class, e))?;
    let samples = wav::quantize(&audio.samples[start..start + length]);
    Ok(wav::write(&class.join(format!("{index}.wav")), &samples, rate)?)
}
