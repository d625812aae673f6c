//! From a corpus to its feature vectors.

use rayon::prelude::*;
use std::sync::atomic::{AtomicU64, Ordering};

use ndarray::Array2;
use trompe_corpora::Progress;
use trompe_corpora::limits::Limits;
use trompe_corpora::read::Skipped;
use trompe_corpora::{Clip, Corpus};
use trompe_features::{Extractor, FeatureSettings};

use super::{Dataset, Excerpt, Source};
use crate::error::{Error, Result};

/// What is done with a clip that cannot be read or is too short.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BadClips {
    /// It ends the work with an error.
    Refuse,
    /// It is left out and reported.
    Skip,
}

/// Reads every clip of `corpus` and computes its feature vectors, in parallel. The outcome
/// does not depend on the number of threads. Returns the clips that were left out beside it.
///
/// # Errors
/// The first bad clip in the order of the corpus, unless `bad` says to skip; whatever
/// [`Dataset::check`] finds, such as a class with no clip left.
pub fn extract(
    corpus: &Corpus,
    settings: &FeatureSettings,
    limits: &Limits,
    bad: BadClips,
    progress: &dyn Progress,
) -> Result<(Dataset, Vec<Skipped>)> {
    let total = corpus.clips.len() as u64;
    let done = AtomicU64::new(0);
    let vectors: Vec<Result<Vec<f32>>> = corpus
        .clips
        .par_iter()
        .map_init(
            || settings.extractor(),
            |extractor, clip| {
                let vectors = match extractor {
                    Ok(extractor) => clip_vectors(clip, settings, limits, extractor.as_mut()),
                    Err(error) => Err(error.clone().into()),
                };
                progress.report("features", done.fetch_add(1, Ordering::Relaxed) + 1, total);
                vectors
            },
        )
        .collect();

    let dimensions = settings.dimensions();
    let mut values = Vec::new();
    let mut excerpt_of = Vec::new();
    let mut excerpts = Vec::new();
    let mut skipped = Vec::new();
    for (clip, vectors) in corpus.clips.iter().zip(vectors) {
        match vectors {
            Ok(vectors) => {
                excerpt_of.resize(excerpt_of.len() + vectors.len() / dimensions, excerpts.len());
                values.extend(vectors);
                excerpts.push(Excerpt {
                    id: clip.id.clone(),
                    class: clip.class,
                    group: clip.group.clone(),
                    split: clip.split,
                    fold: clip.fold,
                });
            }
            Err(error @ Error::Corpora(trompe_corpora::Error::BadFile { .. }))
                if bad == BadClips::Skip =>
            {
                skipped.push(Skipped { path: clip.path.clone(), why: error.to_string() });
            }
            Err(error) => return Err(error),
        }
    }
    let vectors = Array2::from_shape_vec((excerpt_of.len(), dimensions), values)
        .map_err(|e| Error::numeric(format!("feature vectors: {e}"), "report this as a fault"))?;
    let dataset = Dataset {
        vectors,
        excerpt_of,
        excerpts,
        classes: corpus.classes.clone(),
        feature_names: settings.names(),
        settings: Some(settings.clone()),
        source: Source { name: corpus.name.clone(), provenance: Some(corpus.provenance) },
    };
    dataset.check()?;
    Ok((dataset, skipped))
}

/// The feature vectors of one clip, row by row.
fn clip_vectors(
    clip: &Clip,
    settings: &FeatureSettings,
    limits: &Limits,
    extractor: &mut dyn Extractor,
) -> Result<Vec<f32>> {
    let audio = clip.read(settings.sample_rate(), limits)?;
    let mut vectors = Vec::new();
    extractor.extract(&audio.samples, &mut vectors).map_err(|error| {
        trompe_corpora::Error::bad_file(
            &clip.path,
            format!("{error} ({:.2} s of audio)", audio.seconds()),
            "use a longer or whole file, or leave it out with --skip-bad",
        )
    })?;
    Ok(vectors)
}
