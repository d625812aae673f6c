//! Grooves of style files played one part at a time.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use rand::RngExt;
use rand::seq::{IndexedRandom, SliceRandom};
use rayon::prelude::*;
use trompe_base::random::stream;
use trompe_base::{Error, Result};

use crate::midi::Sampler;
use crate::progress::Progress;
use crate::recipes::collection::LoopRow;
use crate::recipes::mma::{Mma, Request, draw_chords};
use crate::recipes::recipe::Loops;
use crate::recipes::sound::{SEAM, is_silent, seamless, write_wav};

/// Bars played before a loop is cut, so that a pattern of four bars has come round.
const BARS_BEFORE: usize = 4;
/// What grooves are played with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Band<'a> {
    pub(crate) mma: &'a Mma,
    pub(crate) sampler: &'a Sampler,
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
    band: Band<'_>,
    folder: &Path,
    progress: &dyn Progress,
) -> Result<Vec<LoopRow>> {
    let Band { mma, .. } = band;
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
            let rows = match play(job, plan, seed, band, folder) {
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

fn play(
    job: &Job<'_>,
    plan: &Loops,
    seed: u64,
    band: Band<'_>,
    folder: &Path,
) -> Result<Vec<LoopRow>> {
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
    let song = band.mma.play(&request)?;
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
        let before = band.sampler.render(&song, from..window.end, bar, hears)?;
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
