//! The corpus `styles`: clips rendered from style files, a class per genre.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use rand::RngExt;
use rand::seq::IndexedRandom;
use rayon::prelude::*;
use trompe_base::random::stream;
use trompe_base::{Error, Result};

use crate::midi::{SAMPLE_RATE, Sampler};
use crate::progress::Progress;
use crate::recipes::collection::{ClipRow, write_manifest};
use crate::recipes::fonts::Font;
use crate::recipes::mma::{Mma, Request, draw_chords};
use crate::recipes::recipe::{StyleClass, Styles};
use crate::recipes::sound::{is_silent, write_wav};

/// Grooves drawn from one style file before the clip goes to the next.
const DRAWS_PER_FILE: usize = 6;
/// Style files tried for one clip before giving up.
const FILES_TRIED: usize = 4;

/// A style file with its full patterns.
struct StyleFile<'a> {
    name: &'a str,
    grooves: Vec<String>,
    tempo: [u32; 2],
    backing: &'a str,
}

/// Renders all clips into `folder` and writes their manifest.
/// A clip's bytes follow from its place and the seed alone, not from the threads.
///
/// # Errors
/// [`Error::Tool`] when no groove of a class can be played, [`Error::Io`].
pub(crate) fn make(
    plan: &Styles,
    clips_per_class: usize,
    seed: u64,
    (mma, fonts): (&Mma, &[Font]),
    folder: &Path,
    progress: &dyn Progress,
) -> Result<()> {
    let classes = plan
        .class
        .iter()
        .map(|class| Ok((class, style_files(class, plan, mma)?)))
        .collect::<Result<Vec<_>>>()?;
    let places: Vec<(usize, usize)> = (0..classes.len())
        .flat_map(|class| (0..clips_per_class).map(move |clip| (class, clip)))
        .collect();
    let done = AtomicU64::new(0);
    let rows = places
        .par_iter()
        .map(|&(index, clip)| {
            let (class, files) = &classes[index];
            let maker = Maker { plan, class, files, mma, fonts, seed, section: index as u64 };
            let row = maker.clip(clip, folder)?;
            let done = done.fetch_add(1, Ordering::Relaxed) + 1;
            progress.report("rendering clips", done, places.len() as u64);
            Ok(row)
        })
        .collect::<Result<Vec<_>>>()?;
    write_manifest(folder, &rows)
}

fn style_files<'a>(class: &'a StyleClass, plan: &Styles, mma: &Mma) -> Result<Vec<StyleFile<'a>>> {
    let plain = class.files.iter().map(|name| (name, ""));
    let drums = class.drum_files.iter().map(|name| (name, class.backing.as_str()));
    let mut files = Vec::new();
    for (name, backing) in plain.chain(drums) {
        let grooves = mma.grooves(name, &plan.skip)?;
        if !grooves.is_empty() {
            let tempo = class.tempos.get(name).copied().unwrap_or(class.tempo);
            files.push(StyleFile { name, grooves, tempo, backing });
        }
    }
    if files.is_empty() {
        return Err(Error::request(
            format!("class {} has no style file with a full pattern", class.name),
            "correct the recipe",
        ));
    }
    Ok(files)
}

/// The SoundFont of the clip number `clip`: the clips of a style file take turns, and so do the
/// files within a round, so that class and SoundFont are crossed.
fn font(clip: usize, files: usize, fonts: usize) -> usize {
    (clip % files + clip / files) % fonts
}

/// What the clips of one class are made with.
struct Maker<'a> {
    plan: &'a Styles,
    class: &'a StyleClass,
    files: &'a [StyleFile<'a>],
    mma: &'a Mma,
    fonts: &'a [Font],
    seed: u64,
    section: u64,
}

impl Maker<'_> {
    /// Makes the clip number `clip`: style files take turns, and so do SoundFonts, all else is
    /// drawn. A groove that MMA refuses or that stays silent gives way to another draw, and a file
    /// that gives nothing to the next one.
    fn clip(&self, clip: usize, folder: &Path) -> Result<ClipRow> {
        let name = &self.class.name;
        let id = format!("{name}/{name}.{clip:05}");
        let font = &self.fonts[font(clip, self.files.len(), self.fonts.len())];
        let mut refusal = None;
        for attempt in 0..FILES_TRIED * DRAWS_PER_FILE {
            let file = &self.files[(clip + attempt / DRAWS_PER_FILE) % self.files.len()];
            match self.render(file, &font.sampler, clip, attempt) {
                Ok(samples) if !is_silent(&samples) => {
                    let path = format!("{id}.wav");
                    write_wav(&folder.join(&path), &samples)?;
                    return Ok(ClipRow {
                        path,
                        label: name.clone(),
                        group: file.name.to_owned(),
                        source: (self.fonts.len() > 1).then(|| font.package.clone()),
                        start: None,
                        end: None,
                        id,
                    });
                }
                Ok(_) => {}
                Err(error @ Error::Io { .. }) => return Err(error),
                Err(error) => refusal = Some(error),
            }
        }
        Err(refusal.unwrap_or_else(|| {
            Error::tool("mma", format!("{id}: every groove tried is silent"), "try another seed")
        }))
    }

    fn render(
        &self,
        file: &StyleFile<'_>,
        sampler: &Sampler,
        clip: usize,
        attempt: usize,
    ) -> Result<Vec<f32>> {
        let mut draw = stream(self.seed, self.section, clip as u64, attempt as u64);
        let [slowest, fastest] = file.tempo;
        let tempo = draw.random_range(slowest..=fastest);
        let seconds = self.plan.seconds;
        // No metre has bars shorter than two beats; two bars more cover a late beginning.
        let bars = (seconds * tempo).div_ceil(60 * 2) as usize + 2;
        let request = Request {
            file: file.name.to_owned(),
            groove: file.grooves.choose(&mut draw).cloned().unwrap_or_default(),
            tempo,
            seed: draw.random_range(1..1_000_000),
            chords: draw_chords(&self.class.progressions, bars, &mut draw)?,
            backing: file.backing.to_owned(),
            markers: Vec::new(),
        };
        let song = self.mma.play(&request)?;
        let start = song.first_note().unwrap_or(0);
        let length = u64::from(seconds * SAMPLE_RATE);
        sampler.render(&song, start..start + length, 0, |_| true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_style_file_is_played_with_every_sound_font_and_classes_are_balanced() {
        for files in 2..40 {
            let fonts: Vec<usize> = (0..4 * files).map(|clip| font(clip, files, 2)).collect();
            for file in 0..files {
                let of_file: Vec<usize> = fonts.iter().skip(file).step_by(files).copied().collect();
                assert_eq!(of_file, if file % 2 == 0 { [0, 1, 0, 1] } else { [1, 0, 1, 0] });
            }
            for clips in 1..=fonts.len() {
                let second: usize = fonts[..clips].iter().sum();
                // An odd number of files shifts the balance by one clip a round.
                assert!(second.abs_diff(clips - second) <= 2, "{files} files, {clips} clips");
            }
        }
        assert_eq!(font(17, 5, 1), 0);
    }
}
