//! From a corpus to its feature vectors.

use rayon::prelude::*;
use std::sync::atomic::{AtomicU64, Ordering};

use ndarray::Array2;
use trompe_base::encoding::hex;
use trompe_base::hash::sha256_file;
use trompe_corpora::Progress;
use trompe_corpora::limits::Limits;
use trompe_corpora::read::{Skipped, concealed};
use trompe_corpora::{Clip, Corpus, wav};
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
    let (dataset, _, skipped) = extract_both(corpus, settings, limits, bad, None, progress)?;
    dataset.check()?;
    Ok((dataset, skipped))
}

/// A clip as it would be delivered: cut to a length and rounded to 16 bits, as candidates are.
#[derive(Debug, Clone, PartialEq)]
pub struct DeliveredClip {
    /// Feature vectors, row by row; empty of a clip that is silent then.
    pub vectors: Vec<f32>,
    /// SHA-256 of the clip's file, in lower-case hexadecimal.
    pub sha256: String,
    /// Where silence stands for damaged or missing frames, in a sentence; `None` if nowhere.
    pub concealed: Option<String>,
}

/// As [`extract`], and besides every clip of the dataset as it would be delivered, cut to at most
/// `samples`: what a classifier is judged by must come to it in the form that candidates have.
///
/// # Errors
/// As [`extract`], but the dataset is not checked: a class may have no clip left.
pub fn extract_with_delivered(
    corpus: &Corpus,
    settings: &FeatureSettings,
    limits: &Limits,
    bad: BadClips,
    samples: usize,
    progress: &dyn Progress,
) -> Result<(Dataset, Vec<DeliveredClip>, Vec<Skipped>)> {
    extract_both(corpus, settings, limits, bad, Some(samples), progress)
}

/// What was found in one clip.
struct Found {
    /// Its feature vectors, row by row.
    vectors: Vec<f32>,
    /// As it would be delivered, if that was asked for.
    delivered: Option<DeliveredClip>,
    /// Where silence stands for damaged or missing frames, in a sentence.
    concealed: Option<String>,
}

fn extract_both(
    corpus: &Corpus,
    settings: &FeatureSettings,
    limits: &Limits,
    bad: BadClips,
    delivered_samples: Option<usize>,
    progress: &dyn Progress,
) -> Result<(Dataset, Vec<DeliveredClip>, Vec<Skipped>)> {
    let vectors = of_every_clip(corpus, settings, limits, delivered_samples, progress, |it| it);
    let dimensions = settings.dimensions();
    let mut values = Vec::new();
    let mut excerpt_of = Vec::new();
    let mut excerpts = Vec::new();
    let (mut skipped, mut delivered) = (Vec::new(), Vec::new());
    for (clip, vectors) in corpus.clips.iter().zip(vectors) {
        match vectors {
            Ok(Found { vectors, delivered: as_delivered, concealed }) => {
                // Who asked for delivered clips tells it from these.
                if let (Some(concealed), None) = (concealed, &as_delivered) {
                    progress.note(&concealed);
                }
                delivered.extend(as_delivered);
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
        source: Source {
            name: corpus.name.clone(),
            provenance: Some(corpus.provenance),
            known_as: corpus.known_as.clone(),
        },
    };
    Ok((dataset, delivered, skipped))
}

/// What `keep` keeps of every clip, read in parallel.
fn of_every_clip<T: Send>(
    corpus: &Corpus,
    settings: &FeatureSettings,
    limits: &Limits,
    delivered_samples: Option<usize>,
    progress: &dyn Progress,
    keep: impl Fn(Found) -> T + Sync,
) -> Vec<Result<T>> {
    let total = corpus.clips.len() as u64;
    let done = AtomicU64::new(0);
    let of_clip = |extractor: &mut Result<Box<dyn Extractor>, trompe_features::Error>, clip| {
        let found = match extractor {
            Ok(extractor) => {
                clip_vectors(clip, settings, limits, delivered_samples, extractor.as_mut())
            }
            Err(error) => Err(error.clone().into()),
        };
        progress.report("features", done.fetch_add(1, Ordering::Relaxed) + 1, total);
        found.map(&keep)
    };
    corpus.clips.par_iter().map_init(|| settings.extractor(), of_clip).collect()
}

/// Clips that are not as they should be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Unusable {
    /// Clips that cannot be read, or have no feature vector.
    pub bad: Vec<Skipped>,
    /// What was concealed in clips that can be read, a sentence for each.
    pub concealed: Vec<String>,
}

/// Reads every clip of `corpus` as [`extract`] does, keeps no vectors, and returns the clips that it
/// would refuse and those in which silence stands for damaged or missing frames, in the order of the
/// corpus.
///
/// # Errors
/// If the operating system refuses a file.
pub fn unusable(
    corpus: &Corpus,
    settings: &FeatureSettings,
    limits: &Limits,
    progress: &dyn Progress,
) -> Result<Unusable> {
    let mut found = Unusable::default();
    let outcomes = of_every_clip(corpus, settings, limits, None, progress, |it| it.concealed);
    for (clip, outcome) in corpus.clips.iter().zip(outcomes) {
        match outcome {
            Ok(concealed) => found.concealed.extend(concealed),
            Err(error @ Error::Corpora(trompe_corpora::Error::BadFile { .. })) => {
                found.bad.push(Skipped { path: clip.path.clone(), why: error.to_string() });
            }
            Err(error) => return Err(error),
        }
    }
    Ok(found)
}

/// Reads one clip, also in its delivered form if that is asked for.
fn clip_vectors(
    clip: &Clip,
    settings: &FeatureSettings,
    limits: &Limits,
    delivered_samples: Option<usize>,
    extractor: &mut dyn Extractor,
) -> Result<Found> {
    let (audio, gaps) = clip.read_with_gaps(settings.sample_rate(), limits)?;
    let concealed = (!gaps.is_empty()).then(|| concealed(&clip.path, &gaps));
    let mut vectors = Vec::new();
    let failed = |error: trompe_features::Error| {
        trompe_corpora::Error::bad_file(
            &clip.path,
            format!("{error} ({:.2} s of audio)", audio.seconds()),
            "use a longer or whole file, or leave it out with --skip-bad",
        )
    };
    extractor.extract(&audio.samples, &mut vectors).map_err(failed)?;
    let Some(most) = delivered_samples else {
        return Ok(Found { vectors, delivered: None, concealed });
    };
    let heard = as_delivered(&audio.samples, most);
    let mut delivered = Vec::new();
    if heard == audio.samples {
        // Files of 16 bits at this rate and no longer are delivered as they are.
        delivered.clone_from(&vectors);
    } else {
        match extractor.extract(&heard, &mut delivered) {
            // As victims hear silence.
            Ok(_) | Err(trompe_features::Error::Silent) => {}
            Err(error) => return Err(failed(error).into()),
        }
    }
    let sha256 = hex(&sha256_file(&clip.path)?);
    let delivered = DeliveredClip { vectors: delivered, sha256, concealed: concealed.clone() };
    Ok(Found { vectors, delivered: Some(delivered), concealed })
}

/// Samples in the form that excerpts are delivered in: cut to at most `most`, rounded to 16 bits.
pub fn as_delivered(samples: &[f32], most: usize) -> Vec<f32> {
    wav::dequantize(&wav::quantize(&samples[..most.min(samples.len())]))
}
