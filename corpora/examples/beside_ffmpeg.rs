//! Decodes every sound file below a folder and compares length, RMS and samples with those of
//! ffmpeg: `cargo run -p trompe-corpora --example beside_ffmpeg -- FOLDER`. Needs ffmpeg and ffprobe.
//!
//! Prints every file that is refused or differs, then a line for each format. Exit code 1 if a file
//! differs, 2 if the folder cannot be read or holds no sound.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use rayon::prelude::*;
use trompe_corpora::decode::{decode, has_audio_extension};
use trompe_corpora::limits::Limits;

#[path = "../tests/ffmpeg/mod.rs"]
mod ffmpeg;

/// Greatest relative difference of RMS that counts as equal: 0.001 dB.
const RMS: f64 = 1.15e-4;
/// Greatest difference of a sample that counts as equal: four steps of 16 bits, as between two
/// decoders of AAC. Those of Vorbis and MP3 are 100 times nearer.
const SAMPLE: f32 = 4.0 / 32_768.0;

/// What became of a file.
enum Outcome {
    /// As ffmpeg decodes it; with the greatest difference of a sample.
    Agreed(f32),
    /// Refused here, for this reason.
    Refused(String),
    /// Refused here and by ffmpeg.
    RefusedByBoth,
    /// Decoded to something else.
    Differed(String),
}

/// Files of one format.
#[derive(Default)]
struct Counts {
    files: usize,
    seconds: f64,
    agreed: usize,
    /// The greatest difference of a sample in files that agree.
    apart: f32,
    refused: usize,
    refused_by_both: usize,
    differed: usize,
}

/// Codec, container, channels and rate, as ffprobe tells them.
struct Probe {
    format: String,
    codec: String,
    channels: usize,
    rate: f64,
}

fn main() -> ExitCode {
    let Some(folder) = std::env::args_os().nth(1).map(PathBuf::from) else {
        eprintln!("usage: beside_ffmpeg FOLDER");
        return ExitCode::from(2);
    };
    let files = match sound_below(&folder) {
        Ok(files) if files.is_empty() => {
            eprintln!(
                "{}: no file with an extension of sound; name another folder",
                folder.display()
            );
            return ExitCode::from(2);
        }
        Ok(files) => files,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::from(2);
        }
    };
    let compared: Vec<(String, f64, Outcome)> =
        files.par_iter().map(|file| compare(file)).collect();
    let mut formats: BTreeMap<String, Counts> = BTreeMap::new();
    for (file, (format, seconds, outcome)) in files.iter().zip(compared) {
        let counts = formats.entry(format).or_default();
        counts.files += 1;
        counts.seconds += seconds;
        match outcome {
            Outcome::Agreed(apart) => {
                counts.agreed += 1;
                counts.apart = counts.apart.max(apart);
            }
            Outcome::Refused(why) => {
                counts.refused += 1;
                println!("refused: {why}");
            }
            Outcome::RefusedByBoth => {
                counts.refused_by_both += 1;
                println!("refused, by ffmpeg too: {}", file.display());
            }
            Outcome::Differed(how) => {
                counts.differed += 1;
                println!("differs: {}: {how}", file.display());
            }
        }
    }
    for (format, counts) in &formats {
        let Counts { files, seconds, agreed, apart, refused, refused_by_both, differed } = counts;
        println!(
            "{format}: {files} files of {seconds:.0} s, {agreed} agreed (samples at most {apart:.1e} \
             apart), {refused} refused, {refused_by_both} refused by both, {differed} differed"
        );
    }
    match formats.values().any(|counts| counts.differed > 0) {
        true => ExitCode::FAILURE,
        false => ExitCode::SUCCESS,
    }
}

/// Files below a folder whose names are those of sound, by name.
fn sound_below(folder: &Path) -> Result<Vec<PathBuf>, walkdir::Error> {
    let mut files = Vec::new();
    for entry in walkdir::WalkDir::new(folder).sort_by_file_name() {
        let entry = entry?;
        if entry.file_type().is_file() && has_audio_extension(entry.path()) {
            files.push(entry.into_path());
        }
    }
    Ok(files)
}

/// The format of a file, its seconds as ffmpeg decodes it, and whether it is decoded alike.
fn compare(path: &Path) -> (String, f64, Outcome) {
    let ours = decode(path, &Limits::default());
    let probe = match probe(path) {
        Ok(probe) => probe,
        Err(why) => {
            let outcome = match ours {
                Ok(_) => Outcome::Differed(format!("ffprobe knows no sound in it: {why}")),
                Err(_) => Outcome::RefusedByBoth,
            };
            return ("unknown".to_owned(), 0.0, outcome);
        }
    };
    let theirs = ffmpeg::decoded_by_ffmpeg(path, &probe.codec, probe.channels);
    let seconds = theirs.as_ref().map_or(0.0, |theirs| theirs.len() as f64 / probe.rate);
    let outcome = match (ours, theirs) {
        (Ok(ours), Ok(theirs)) if f64::from(ours.sample_rate) != probe.rate => {
            Outcome::Differed(format!(
                "{} samples of {} Hz, by ffmpeg {} of {} Hz",
                ours.samples.len(),
                ours.sample_rate,
                theirs.len(),
                probe.rate
            ))
        }
        (Ok(ours), Ok(theirs)) => alike(&ours.samples, &theirs),
        (Ok(_), Err(why)) => Outcome::Differed(format!("ffmpeg refuses it: {why}")),
        (Err(error), Ok(_)) => Outcome::Refused(error.to_string()),
        (Err(_), Err(_)) => Outcome::RefusedByBoth,
    };
    (probe.format, seconds, outcome)
}

fn alike(ours: &[f32], theirs: &[f32]) -> Outcome {
    let rms = |samples: &[f32]| {
        let squares: f64 = samples.iter().map(|&x| f64::from(x) * f64::from(x)).sum();
        (squares / samples.len().max(1) as f64).sqrt()
    };
    let (our_rms, their_rms) = (rms(ours), rms(theirs));
    let pairs = ours.iter().zip(theirs);
    let apart = pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    if ours.len() == theirs.len()
        && (our_rms - their_rms).abs() <= RMS * their_rms
        && apart <= SAMPLE
    {
        return Outcome::Agreed(apart);
    }
    Outcome::Differed(format!(
        "{} samples of RMS {our_rms:.6}, by ffmpeg {} of RMS {their_rms:.6}; samples up to {apart:.1e} apart",
        ours.len(),
        theirs.len()
    ))
}

fn probe(path: &Path) -> Result<Probe, String> {
    let entries = "stream=codec_name,channels,sample_rate:format=format_name";
    let done = Command::new("ffprobe")
        .args(["-v", "error", "-select_streams", "a:0", "-show_entries", entries])
        .args(["-of", "default=noprint_wrappers=1"])
        .arg(path)
        .output()
        .map_err(|error| format!("ffprobe cannot be run: {error}"))?;
    let text = String::from_utf8_lossy(&done.stdout);
    let value = |key: &str| {
        let mut lines = text.lines().filter_map(|line| line.split_once('='));
        lines.find(|(name, _)| *name == key).map(|(_, value)| value.to_owned())
    };
    let told = || {
        let codec = value("codec_name")?;
        let channels = value("channels")?.parse().ok().filter(|&channels| channels > 0)?;
        let rate = value("sample_rate")?.parse().ok()?;
        Some(Probe {
            format: format!("{codec} in {}", value("format_name")?),
            codec,
            channels,
            rate,
        })
    };
    told().ok_or_else(|| String::from_utf8_lossy(&done.stderr).trim().to_owned())
}
