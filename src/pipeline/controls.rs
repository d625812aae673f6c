//! Real controls of a study with people, drawn from a corpus, as files in a folder per class:
//! images as PNG; clips as WAV, of the same sample rate and length as the exhibits they stand
//! beside, so that neither tells which is which.

use std::path::{Path, PathBuf};

use tempfile::TempDir;
use trompe_corpora::images::write_png;
use trompe_corpora::recipes::Options;
use trompe_corpora::{Clip, Image, Limits, Progress, Provenance, decode, wav};
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
    /// Clips or images, drawn evenly over the classes.
    pub count: usize,
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
    let folder = tempfile::tempdir().map_err(|e| Error::io(std::env::temp_dir(), e))?;
    let provenance = if open::is_recipe_of_images(&wanted.corpus)? {
        draw_images(wanted, folder.path(), progress)?
    } else {
        draw_clips(wanted, sets, folder.path(), progress)?
    };
    Ok(Controls { folder, provenance })
}

fn options() -> Options {
    Options { seed: open::CORPUS_SEED, ..Options::default() }
}

fn draw_images(wanted: &Wanted, folder: &Path, progress: &dyn Progress) -> Result<Provenance> {
    let corpus = open::images(&wanted.corpus, &options(), progress)?;
    let classes: Vec<usize> = (0..corpus.len()).map(|index| corpus.item(index).class).collect();
    for index in draw_evenly(&classes, wanted.count, wanted.seed) {
        let path = place(folder, &corpus.classes[classes[index]], index, "png")?;
        let image = Image { shape: corpus.shape, pixels: corpus.image(index).to_vec() };
        write_png(&path, &image)?;
    }
    Ok(corpus.provenance)
}

fn draw_clips(
    wanted: &Wanted,
    sets: &[PathBuf],
    folder: &Path,
    progress: &dyn Progress,
) -> Result<Provenance> {
    let corpus = open::corpus(&wanted.corpus, &options(), progress)?;
    let (rate, seconds) = match format_of(sets)? {
        Some((rate, seconds)) => (rate, Some(seconds)),
        None => (SAMPLE_RATE, None),
    };
    let classes: Vec<usize> = corpus.clips.iter().map(|clip| clip.class).collect();
    let drawn = draw_evenly(&classes, wanted.count, wanted.seed);
    for (number, &index) in drawn.iter().enumerate() {
        progress.report("controls", number as u64, drawn.len() as u64);
        let path = place(folder, &corpus.classes[classes[index]], index, "wav")?;
        write_middle(&corpus.clips[index], &path, rate, seconds)?;
    }
    Ok(corpus.provenance)
}

/// Path of control `index` in its class' folder, which is made.
fn place(folder: &Path, class: &str, index: usize, extension: &str) -> Result<PathBuf> {
    let class = folder.join(class);
    std::fs::create_dir_all(&class).map_err(|e| Error::io(&class, e))?;
    Ok(class.join(format!("{index}.{extension}")))
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
fn write_middle(clip: &Clip, path: &Path, rate: u32, seconds: Option<f64>) -> Result<()> {
    let audio = clip.read(rate, &Limits::default())?;
    let all = audio.samples.len();
    let length = seconds.map_or(all, |seconds| ((seconds * f64::from(rate)) as usize).min(all));
    let start = (all - length) / 2;
    let samples = wav::quantize(&audio.samples[start..start + length]);
    Ok(wav::write(path, &samples, rate)?)
}
