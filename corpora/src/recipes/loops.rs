//! The bank `loops`: samples as their package brings them, and grooves of style files played
//! one part at a time.

use std::fs::{self, File};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use rand::RngExt;
use rand::seq::{IndexedRandom, SliceRandom};
use rayon::prelude::*;
use symphonia::core::formats::probe::Hint;
use symphonia::core::formats::{FormatOptions, TrackType};
use symphonia::core::io::MediaSourceStream;
use symphonia::core::meta::MetadataOptions;
use trompe_base::random::stream;
use trompe_base::{Error, Result};

use crate::cache::Cache;
use crate::progress::Progress;
use crate::recipes::collection::LoopRow;
use crate::recipes::mma::{Mma, Request, draw_chords};
use crate::recipes::packages;
use crate::recipes::recipe::{Loops, Package};
use crate::recipes::sound::{is_silent, write_wav};
use crate::recipes::tools::Tools;

/// Bars played before a loop is cut, so that a pattern of four bars has come round.
const BARS_BEFORE: usize = 4;
/// Samples (5 ms) over which a loop's end passes into what was heard before its beginning,
/// so that no click stands at the seam.
const SEAM: usize = 110;

/// Moves the samples that are long enough into `folder` and returns their lines.
///
/// # Errors
/// Those of fetching and unpacking, [`Error::BadFile`] for a sample that is no sound.
pub(crate) fn samples(
    plan: &Loops,
    package: &Package,
    cache: &Cache,
    tools: &Tools,
    folder: &Path,
) -> Result<Vec<LoopRow>> {
    let unpacked = folder.join(".unpacked");
    packages::unpack_into(package, &unpacked, cache, tools)?;
    let from = unpacked.join(&plan.samples_folder);
    let to = folder.join("samples");
    fs::create_dir_all(&to).map_err(|source| Error::io(&to, source))?;
    let list = || fs::read_dir(&from)?.collect::<std::io::Result<Vec<_>>>();
    let mut paths: Vec<_> = list()
        .map_err(|source| Error::io(&from, source))?
        .into_iter()
        .map(|entry| entry.path())
        .collect();
    // The same sample in another format stands beside one of them: the first is taken.
    paths.sort();
    paths.dedup_by(|later, earlier| later.file_stem() == earlier.file_stem());
    let mut rows = Vec::new();
    for path in paths {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if seconds(&path)? < plan.min_seconds {
            continue;
        }
        let word = name.split(['_', '.']).next().unwrap_or_default();
        let label = plan.instruments.get(word).map_or("sound-effects", String::as_str);
        fs::rename(&path, to.join(&name)).map_err(|source| Error::io(&path, source))?;
        rows.push(LoopRow {
            path: format!("samples/{name}"),
            label: label.to_owned(),
            group: format!("samples/{word}"),
            source: package.name.clone(),
        });
    }
    fs::remove_dir_all(&unpacked).map_err(|source| Error::io(&unpacked, source))?;
    Ok(rows)
}

/// Length of a sound file, by its header.
fn seconds(path: &Path) -> Result<f64> {
    let file = File::open(path).map_err(|source| Error::io(path, source))?;
    let stream = MediaSourceStream::new(Box::new(file), Default::default());
    let unknown = || Error::bad_file(path, "has an unknown length", "fetch the bank again");
    let format = symphonia::default::get_probe()
        .probe(&Hint::new(), stream, FormatOptions::default(), MetadataOptions::default())
        .map_err(|_| unknown())?;
    let track = format.default_track(TrackType::Audio).ok_or_else(unknown)?;
    let codec = track.codec_params.as_ref().and_then(|codec| codec.audio()).ok_or_else(unknown)?;
    match (track.num_frames, codec.sample_rate) {
        (Some(frames), Some(rate)) if rate > 0 => Ok(frames as f64 / f64::from(rate)),
        _ => Err(unknown()),
    }
}

/// One groove to be played in parts.
struct Job<'a> {
    file: &'a str,
    groove: String,
    /// Place of the style file in the library, and of the groove among those drawn.
    place: (u64, u64),
}

/// Renders the parts of drawn grooves into `folder` and returns their lines. A loop's bytes
/// follow from its groove's place and the seed alone, not from the threads. Grooves that MMA
/// refuses and parts that stay silent are left out.
///
/// # Errors
/// [`Error::Tool`] when MMA refuses every groove, [`Error::Io`].
pub(crate) fn stems(
    plan: &Loops,
    seed: u64,
    mma: &Mma,
    folder: &Path,
    progress: &dyn Progress,
) -> Result<Vec<LoopRow>> {
    let mut files = Vec::new();
    for name in &plan.folders {
        files.extend(mma.style_files(name)?);
    }
    let mut jobs = Vec::new();
    for (index, file) in (0..).zip(&files) {
        let mut grooves = mma.grooves(file, &plan.skip)?;
        grooves.shuffle(&mut stream(seed, index, u64::MAX, 0));
        grooves.truncate(plan.grooves_per_file);
        jobs.extend((0..).zip(grooves).map(|(number, groove)| Job {
            file,
            groove,
            place: (index, number),
        }));
    }
    let done = AtomicU64::new(0);
    let played = jobs
        .par_iter()
        .map(|job| {
            let rows = match play(job, plan, seed, mma, folder) {
                Err(error @ Error::Tool { .. }) => Err(error),
                other => Ok(other?),
            };
            let done = done.fetch_add(1, Ordering::Relaxed) + 1;
            progress.report("rendering loops", done, jobs.len() as u64);
            Ok(rows)
        })
        .collect::<Result<Vec<Result<Vec<LoopRow>>>>>()?;
    let mut rows = Vec::new();
    let mut refusal = None;
    for result in played {
        match result {
            Ok(parts) => rows.extend(parts),
            Err(error) => refusal = Some(error),
        }
    }
    match refusal {
        Some(error) if rows.is_empty() => Err(error),
        _ => Ok(rows),
    }
}

/// The loop that follows the first [`SEAM`] samples of `sound`; its end fades into them.
fn seamless(sound: &[f32]) -> Vec<f32> {
    let (before, inside) = sound.split_at(SEAM.min(sound.len()));
    let mut samples = inside.to_vec();
    let start = samples.len().saturating_sub(SEAM);
    for (index, (sample, earlier)) in samples[start..].iter_mut().zip(before).enumerate() {
        let share = (index + 1) as f32 / SEAM as f32;
        *sample += share * (earlier - *sample);
    }
    samples
}

fn play(job: &Job<'_>, plan: &Loops, seed: u64, mma: &Mma, folder: &Path) -> Result<Vec<LoopRow>> {
    let mut draw = stream(seed, job.place.0, job.place.1, 0);
    let bars = plan.bars.choose(&mut draw).copied().unwrap_or(2).max(1) as usize;
    let [slowest, fastest] = plan.tempo;
    let tempo = draw.random_range(slowest..=fastest);
    // What precedes the loop is the loop itself: what rings over its beginning fits its end.
    let chords = draw_chords(&plan.progressions, bars, &mut draw)?;
    let all = BARS_BEFORE + bars;
    let phase = (bars - BARS_BEFORE % bars) % bars;
    let request = Request {
        file: job.file.to_owned(),
        groove: job.groove.clone(),
        tempo,
        seed: draw.random_range(1..1_000_000),
        chords: chords.into_iter().cycle().skip(phase).take(all + 1).collect(),
        backing: String::new(),
        markers: vec![BARS_BEFORE, all],
    };
    let song = mma.play(&request)?;
    let marker = |bar: usize| {
        song.marker(&format!("bar{bar}")).ok_or_else(|| {
            Error::tool("mma", format!("{}: no marker at bar {bar}", job.groove), "report this")
        })
    };
    let window = marker(BARS_BEFORE)?..marker(all)?;
    let bar = (window.end - window.start) / bars as u64;
    let source = format!("{} {}", job.file, job.groove);
    let name: String =
        job.groove.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    let mut rows = Vec::new();
    for part in song.parts() {
        let hears = |channel| channel == part.channel;
        let from = window.start.saturating_sub(SEAM as u64);
        let before = mma.sampler.render(&song, from..window.end, bar, hears)?;
        let samples = seamless(&before);
        if is_silent(&samples) {
            continue;
        }
        let label = part.instrument();
        let path = format!("stems/{}/{name}-{label}-{}.wav", job.file, part.channel);
        write_wav(&folder.join(&path), &samples)?;
        rows.push(LoopRow {
            path,
            label: label.to_owned(),
            group: job.file.to_owned(),
            source: source.clone(),
        });
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_loop_leads_to_its_beginning() {
        // A ramp: what comes before the loop is far from its end.
        let sound: Vec<f32> = (0..1_000).map(|index| index as f32).collect();
        let samples = seamless(&sound);
        assert_eq!(samples.len(), 1_000 - SEAM);
        assert_eq!(samples[0], SEAM as f32);
        assert_eq!(samples[samples.len() - 1], SEAM as f32 - 1.0);
        assert_eq!(samples[..1_000 - 2 * SEAM], sound[SEAM..1_000 - SEAM]);
        assert!(seamless(&sound[..10]).is_empty());
    }
}
