//! What an image classifier makes of a corpus.

use trompe_corpora::{Image, ImageCorpus};

use crate::error::Result;
use crate::log_odds::label;
use crate::problem::{Input, Victim, score_all};

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
    if let Some(wanted) = classifier.format() {
        Image::check_format(&corpus.shape, &wanted)?;
    }
    let image =
        |&index: &usize| Image { shape: corpus.shape, pixels: corpus.image(index).to_vec() };
    score_all(classifier, indices, image)
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
