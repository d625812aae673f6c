//! The built-in synthetic corpus and bank as folders like all others, so that everything
//! that takes a collection takes them.

use std::path::Path;

use trompe_base::{Error, Result};

use crate::progress::Progress;
use crate::recipes::collection::{ClipRow, LoopRow, write_manifest};
use crate::recipes::recipe::RecipeKind;
use crate::recipes::sound::write_wav;
use crate::synthetic;

/// Writes the corpus or the bank into `folder`.
///
/// # Errors
/// [`crate::Error::Io`] naming the file.
pub(crate) fn make(
    kind: RecipeKind,
    clips_per_class: Option<usize>,
    seed: u64,
    folder: &Path,
    progress: &dyn Progress,
) -> Result<()> {
    match kind {
        RecipeKind::Corpus | RecipeKind::Images => {
            let clips = clips_per_class.unwrap_or(synthetic::CLIPS_PER_CLASS);
            corpus(clips, seed, folder, progress)
        }
        RecipeKind::Bank => bank(seed, folder, progress),
        RecipeKind::Model => Err(Error::request("no model is built in", "correct the recipe")),
    }
}

fn corpus(clips_per_class: usize, seed: u64, folder: &Path, progress: &dyn Progress) -> Result<()> {
    let (corpus, audio) = synthetic::corpus(clips_per_class, seed);
    let total = audio.len() as u64;
    let mut rows = Vec::new();
    for ((done, clip), audio) in (1..).zip(corpus.clips).zip(&audio) {
        write_wav(&folder.join(&clip.path), &audio.samples)?;
        rows.push(ClipRow {
            path: clip.path.to_string_lossy().into_owned(),
            label: corpus.classes[clip.class].clone(),
            group: clip.group.unwrap_or_default(),
            source: None,
            start: None,
            end: None,
            id: clip.id,
        });
        progress.report("synthesizing clips", done, total);
    }
    write_manifest(folder, &rows)
}

fn bank(seed: u64, folder: &Path, progress: &dyn Progress) -> Result<()> {
    let loops = synthetic::loops(seed);
    let total = loops.len() as u64;
    let mut rows = Vec::new();
    for (done, found) in (1..).zip(loops) {
        write_wav(&folder.join(&found.id), &found.samples)?;
        rows.push(LoopRow {
            path: found.id,
            label: found.instrument.to_owned(),
            group: found.style.to_owned(),
            source: "built-in synthesizer".to_owned(),
        });
        progress.report("synthesizing loops", done, total);
    }
    write_manifest(folder, &rows)
}
