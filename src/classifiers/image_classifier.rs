//! What a search for images sees of a classifier.

use trompe_corpora::ImageShape;

use super::PosteriorKind;

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
}
