//! Banks of sounds as packages bring them: short ones as they are, long ones cut to loops.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use symphonia::core::formats::probe::Hint;
use symphonia::core::formats::{FormatOptions, TrackType};
use symphonia::core::io::MediaSourceStream;
use symphonia::core::meta::MetadataOptions;
use trompe_base::{Error, Result};
use walkdir::WalkDir;

use crate::cache::Cache;
use crate::decode::{decode, has_audio_extension};
use crate::limits::Limits;
use crate::midi::SAMPLE_RATE;
use crate::progress::Progress;
use crate::read::read_mono;
use crate::recipes::collection::LoopRow;
use crate::recipes::packages;
use crate::recipes::recipe::{Recipe, SampleSource, Samples};
use crate::recipes::sound::{SEAM, is_silent, seamless, write_wav};
use crate::recipes::tools::Tools;

/// Takes the sounds of every source into `folder` and returns their lines. Which loops there are
/// and what they hold depends on the packages and the recipe alone.
///
/// # Errors
/// Those of fetching and unpacking, [`Error::BadFile`] for a file that is no sound.
pub(crate) fn make(
    recipe: &Recipe,
    plan: &Samples,
    cache: &Cache,
    tools: &Tools,
    folder: &Path,
    progress: &dyn Progress,
) -> Result<Vec<LoopRow>> {
    let mut rows = Vec::new();
    for (done, source) in (0..).zip(&plan.source) {
        progress.report("cutting loops", done, plan.source.len() as u64);
        let package = recipe.package(&source.package)?;
        let unpacked = folder.join(".unpacked");
        packages::unpack_into(package, &unpacked, cache, tools)?;
        let shelf = Shelf { source, folder, name: &source.package };
        let files = shelf.files(&unpacked)?;
        let found: Vec<Vec<LoopRow>> = files
            .par_iter()
            .map(|file| match file.seconds {
                seconds if seconds < plan.min_seconds => Ok(Vec::new()),
                seconds if seconds <= plan.max_seconds => Ok(vec![shelf.bring(file)?]),
                _ => shelf.cut(file, plan.cut_seconds),
            })
            .collect::<Result<_>>()?;
        rows.extend(found.into_iter().flatten());
        fs::remove_dir_all(&unpacked).map_err(|error| Error::io(&unpacked, error))?;
    }
    Ok(rows)
}

/// Takes the sounds of one source that are long enough into the folder `name` below `folder`, as
/// they are, and returns their lines.
///
/// # Errors
/// As [`make`].
pub(crate) fn bring_all(
    recipe: &Recipe,
    source: &SampleSource,
    min_seconds: f64,
    name: &str,
    cache: &Cache,
    tools: &Tools,
    folder: &Path,
) -> Result<Vec<LoopRow>> {
    let unpacked = folder.join(".unpacked");
    packages::unpack_into(recipe.package(&source.package)?, &unpacked, cache, tools)?;
    let shelf = Shelf { source, folder, name };
    let files = shelf.files(&unpacked)?;
    let long = files.iter().filter(|file| file.seconds >= min_seconds);
    let rows = long.map(|file| shelf.bring(file)).collect::<Result<_>>()?;
    fs::remove_dir_all(&unpacked).map_err(|error| Error::io(&unpacked, error))?;
    Ok(rows)
}

/// Where the sounds of a source go.
struct Shelf<'a> {
    source: &'a SampleSource,
    folder: &'a Path,
    /// The folder's name below the bank's.
    name: &'a str,
}

/// One sound of a package.
struct SampleFile {
    path: PathBuf,
    /// Path below the source's folder, with forward slashes.
    below: String,
    seconds: f64,
}

impl SampleFile {
    /// The path without its ending.
    fn stem(&self) -> &str {
        self.below.rsplit_once('.').map_or(&self.below, |(stem, _)| stem)
    }

    /// The first word of the file's name.
    fn word(&self) -> &str {
        let name = self.below.rsplit('/').next().unwrap_or_default();
        name.split(['_', '.']).next().unwrap_or_default()
    }

    /// The folders below the source's.
    fn folders(&self) -> impl Iterator<Item = &str> {
        self.below.rsplit_once('/').into_iter().flat_map(|(folders, _)| folders.split('/'))
    }
}

impl Shelf<'_> {
    /// The sounds of the unpacked package, sorted by path, without those to be skipped.
    fn files(&self, unpacked: &Path) -> Result<Vec<SampleFile>> {
        let root = unpacked.join(&self.source.folder);
        let mut paths = Vec::new();
        for entry in WalkDir::new(&root) {
            let entry = entry.map_err(|error| {
                let path = error.path().unwrap_or(&root).to_owned();
                Error::io(path, error.into())
            })?;
            // Not through a link: a package might point anywhere.
            if entry.file_type().is_file() && has_audio_extension(entry.path()) {
                paths.push(entry.into_path());
            }
        }
        paths.sort();
        // The same sound in another format stands beside one of them: the first is taken.
        paths.dedup_by(|later, earlier| later.with_extension("") == earlier.with_extension(""));
        let skip = &self.source.skip;
        let file = |path: PathBuf| {
            let below = path.strip_prefix(&root).unwrap_or(&path).to_string_lossy().into_owned();
            if below.split('/').any(|name| skip.iter().any(|skipped| skipped == name)) {
                return None;
            }
            Some(seconds(&path).map(|seconds| SampleFile { seconds, below, path }))
        };
        paths.into_iter().filter_map(file).collect()
    }

    fn row(&self, path: String, group: String, file: &SampleFile) -> LoopRow {
        let known = |word: &str| self.source.instruments.get(word).cloned();
        let label = known(file.word()).or_else(|| file.folders().find_map(known));
        LoopRow {
            path,
            label: label.unwrap_or_else(|| self.source.label.clone()),
            group,
            source: self.source.package.clone(),
        }
    }

    /// Moves the sound to its place.
    fn bring(&self, file: &SampleFile) -> Result<LoopRow> {
        let path = format!("{}/{}", self.name, file.below);
        super::recordings::bring(&file.path, &self.folder.join(&path))?;
        let group = format!("{}/{}", self.name, file.word());
        Ok(self.row(path, group, file))
    }

    /// Cuts the sound to loops of `length` seconds, one after the other around its middle. Silent
    /// ones are left out.
    fn cut(&self, file: &SampleFile, length: f64) -> Result<Vec<LoopRow>> {
        let audio = read_mono(&file.path, SAMPLE_RATE, &Limits::default())?;
        let length = (length * f64::from(SAMPLE_RATE)) as usize;
        let room = audio.samples.len().saturating_sub(SEAM);
        let pieces = room / length.max(1);
        // What is left over lies half before the first loop, and half behind the last.
        let first = (room - pieces * length) / 2;
        let group = format!("{}/{}", self.name, file.stem());
        let mut rows = Vec::new();
        for piece in 0..pieces {
            let start = first + piece * length;
            let samples = seamless(&audio.samples[start..start + SEAM + length]);
            if is_silent(&samples) {
                continue;
            }
            let path = format!("{group}-{piece:03}.wav");
            write_wav(&self.folder.join(&path), &samples)?;
            rows.push(self.row(path, group.clone(), file));
        }
        Ok(rows)
    }
}

/// Length of a sound file: by its header, else by decoding it.
fn seconds(path: &Path) -> Result<f64> {
    if let Some(seconds) = stated_seconds(path)? {
        return Ok(seconds);
    }
    let audio = decode(path, &Limits::default())?;
    Ok(audio.samples.len() as f64 / f64::from(audio.sample_rate.max(1)))
}

fn stated_seconds(path: &Path) -> Result<Option<f64>> {
    let file = File::open(path).map_err(|source| Error::io(path, source))?;
    let stream = MediaSourceStream::new(Box::new(file), Default::default());
    let (format, metadata) = (FormatOptions::default(), MetadataOptions::default());
    let probe = symphonia::default::get_probe();
    let Ok(format) = probe.probe(&Hint::new(), stream, format, metadata) else { return Ok(None) };
    let Some(track) = format.default_track(TrackType::Audio) else { return Ok(None) };
    let codec = track.codec_params.as_ref().and_then(|codec| codec.audio());
    Ok(match (track.num_frames, codec.and_then(|codec| codec.sample_rate)) {
        (Some(frames), Some(rate)) if rate > 0 => Some(frames as f64 / f64::from(rate)),
        _ => None,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::wav;

    fn tone(path: &Path, seconds: f64) {
        let length = (seconds * f64::from(SAMPLE_RATE)) as usize;
        let wave = |at: usize| if at % 100 < 50 { 8_000 } else { -8_000 };
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        wav::write(path, &(0..length).map(wave).collect::<Vec<i16>>(), SAMPLE_RATE).unwrap();
    }

    #[test]
    fn short_sounds_are_brought_and_long_ones_cut_to_loops_of_one_length() {
        let (package, bank) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let root = package.path().join("sounds");
        tone(&root.join("drums/kick_1.wav"), 0.5);
        tone(&root.join("skipped/kick_2.wav"), 0.5);
        tone(&root.join("A song/guitar.wav"), 7.0);
        let source = SampleSource {
            package: "pack".to_owned(),
            folder: "sounds".to_owned(),
            skip: vec!["skipped".to_owned()],
            instruments: BTreeMap::from([
                ("drums".to_owned(), "drums".to_owned()),
                ("guitar".to_owned(), "strings".to_owned()),
            ]),
            label: "other".to_owned(),
        };
        let shelf = Shelf { source: &source, folder: bank.path(), name: "pack" };
        let files = shelf.files(package.path()).unwrap();
        let names: Vec<&str> = files.iter().map(|file| file.below.as_str()).collect();
        assert_eq!(names, ["A song/guitar.wav", "drums/kick_1.wav"]);

        let kick = shelf.bring(&files[1]).unwrap();
        assert_eq!((kick.path.as_str(), kick.label.as_str()), ("pack/drums/kick_1.wav", "drums"));
        assert!(bank.path().join(&kick.path).is_file() && !files[1].path.exists());

        let loops = shelf.cut(&files[0], 3.0).unwrap();
        let paths: Vec<&str> = loops.iter().map(|row| row.path.as_str()).collect();
        assert_eq!(paths, ["pack/A song/guitar-000.wav", "pack/A song/guitar-001.wav"]);
        assert_eq!(
            (loops[0].label.as_str(), loops[1].group.as_str()),
            ("strings", "pack/A song/guitar")
        );
        for path in paths {
            let sound = decode(&bank.path().join(path), &Limits::default()).unwrap();
            assert_eq!(sound.samples.len(), 3 * SAMPLE_RATE as usize);
        }
    }

    #[test]
    fn silence_is_no_loop_and_the_length_of_any_format_is_known() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rest.wav");
        wav::write(&path, &vec![0; 10 * SAMPLE_RATE as usize], SAMPLE_RATE).unwrap();
        let source = SampleSource {
            package: "pack".to_owned(),
            folder: String::new(),
            skip: Vec::new(),
            instruments: BTreeMap::new(),
            label: "other".to_owned(),
        };
        let shelf = Shelf { source: &source, folder: folder.path(), name: "pack" };
        let files = shelf.files(folder.path()).unwrap();
        assert!(shelf.cut(&files[0], 3.0).unwrap().is_empty());
        for name in ["tone.ogg", "tone.opus", "tone.flac", "mono.mp3"] {
            let path = Path::new("tests/formats").join(name);
            let length = decode(&path, &Limits::default()).unwrap();
            let length = length.samples.len() as f64 / f64::from(length.sample_rate);
            assert!((seconds(&path).unwrap() - length).abs() < 0.06, "{name}");
        }
    }
}
