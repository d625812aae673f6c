//! What a search for images sees of a classifier, and what a classifier makes of a corpus.

use rayon::prelude::*;
use trompe_corpora::{ImageCorpus, ImageShape};

use super::PosteriorKind;
use crate::odds::label;

/// Gives every class of an image its log-odds; scores many images in one call.
pub trait ImageClassifier: Send + Sync {
    /// Class names, in the order of the log-odds.
    fn classes(&self) -> &[String];

    /// Which kind of posterior this is.
    fn posterior_kind(&self) -> PosteriorKind;

    /// Size of the images it takes.
    fn shape(&self) -> ImageShape;

    /// Hash of everything the log-odds depend on, in hexadecimal.
    fn fingerprint(&self) -> String;

    /// How many images are best scored in one call.
    fn batch(&self) -> usize {
        1
    }

    /// Writes one log-odds per class and image to `out`, row by row. `images` are 8-bit
    /// images of [`ImageClassifier::shape`], one after another. The log-odds of an image do
    /// not depend on the images beside it.
    fn log_odds(&self, images: &[u8], out: &mut [f64]);

    /// For a classifier whose inside is known: log-odds of `class` for one image of values in
    /// [0, 255] that need not be whole, and in `slope` their derivative by every value.
    fn log_odds_and_slope(&self, _image: &[f32], _class: usize, _slope: &mut [f32]) -> Option<f64> {
        None
    }
}

/// Log-odds of the images `indices` of `corpus`, row by row.
///
/// # Panics
/// If the corpus' images have not the classifier's size.
pub fn log_odds_of(
    classifier: &dyn ImageClassifier,
    corpus: &ImageCorpus,
    indices: &[usize],
) -> Vec<f64> {
    assert_eq!(classifier.shape(), corpus.shape, "images of the classifier's size");
    let classes = classifier.classes().len();
    let batch = classifier.batch().max(1);
    let mut scores = vec![0.0; indices.len() * classes];
    indices.par_chunks(batch).zip(scores.par_chunks_mut(batch * classes)).for_each(
        |(indices, rows)| {
            let images: Vec<u8> =
                indices.iter().flat_map(|&index| corpus.image(index)).copied().collect();
            classifier.log_odds(&images, rows);
        },
    );
    scores
}

/// Share of the images `indices` of `corpus` whose label is not their class.
pub fn error_rate(
    classifier: &dyn ImageClassifier,
    corpus: &ImageCorpus,
    indices: &[usize],
) -> f64 {
    let scores = log_odds_of(classifier, corpus, indices);
    let rows = scores.chunks_exact(classifier.classes().len());
    let wrong =
        rows.zip(indices).filter(|(row, index)| label(row) != Some(corpus.item(**index).class));
    wrong.count() as f64 / indices.len().max(1) as f64
}
