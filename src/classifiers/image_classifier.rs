//! What an image classifier makes of a corpus.

use trompe_corpora::{Image, ImageCorpus};

use crate::error::Result;
use crate::log_odds::label;
use crate::problem::{Input, Observed, Victim, observe_all, score_all};

/// Log-odds of the images `indices` of `corpus`, row by row.
///
/// # Errors
/// [`crate::Error::Request`] if the images have not the classifier's size; what the classifier
/// fails on.
pub fn log_odds_of(
    classifier: &dyn Victim<Image>,
    corpus: &ImageCorpus,
    indices: &[usize],
) -> Result<Vec<f64>> {
    fits(classifier, corpus)?;
    score_all(classifier, indices, |&index| image(corpus, index))
}

/// The same with embeddings.
///
/// # Errors
/// As [`log_odds_of`].
pub fn observations_of(
    classifier: &dyn Victim<Image>,
    corpus: &ImageCorpus,
    indices: &[usize],
) -> Result<Observed> {
    fits(classifier, corpus)?;
    observe_all(classifier, indices, |&index| image(corpus, index))
}

fn fits(classifier: &dyn Victim<Image>, corpus: &ImageCorpus) -> Result<()> {
    match classifier.format() {
        Some(wanted) => Image::check_format(&corpus.shape, &wanted),
        None => Ok(()),
    }
}

fn image(corpus: &ImageCorpus, index: usize) -> Image {
    Image { shape: corpus.shape, pixels: corpus.image(index).to_vec() }
}

/// Share of the images `indices` of `corpus` whose label is not their class.
///
/// # Errors
/// As [`log_odds_of`].
pub fn error_rate(
    classifier: &dyn Victim<Image>,
    corpus: &ImageCorpus,
    indices: &[usize],
) -> Result<f64> {
    let scores = log_odds_of(classifier, corpus, indices)?;
    let rows = scores.chunks_exact(classifier.classes().len());
    let wrong =
        rows.zip(indices).filter(|(row, index)| label(row) != Some(corpus.item(**index).class));
    Ok(wrong.count() as f64 / indices.len().max(1) as f64)
}
