//! Images as delivered files: 8-bit PNG, decoded again from disk and scored.

use std::path::Path;

use trompe_corpora::Limits;
use trompe_corpora::images::{read_png, write_png};

use super::problem::{Generator, ImageProblem};
use crate::classifiers::ImageClassifier;
use crate::error::{Error, Result};
use crate::exhibits::{Delivery, Picture};

/// Writes images and sees them again.
pub struct ImageDelivery<'a, G> {
    /// What is written, and who sees it.
    pub problem: &'a ImageProblem<'a, G>,
}

/// Log-odds of an image file.
///
/// # Errors
/// [`Error::Corpora`] if it cannot be decoded, [`Error::BadFile`] if it has not the
/// classifier's size.
pub fn score_file(classifier: &dyn ImageClassifier, path: &Path) -> Result<Vec<f64>> {
    let image = read_png(path, &Limits::default())?;
    if image.shape != classifier.shape() {
        return Err(Error::bad_file(
            path,
            format!("{}, but the classifier takes {}", image.shape, classifier.shape()),
            "give an image of the classifier's size",
        ));
    }
    let mut log_odds = vec![0.0; classifier.classes().len()];
    classifier.log_odds(&image.pixels, &mut log_odds);
    Ok(log_odds)
}

impl<G: Generator> Delivery<G::Genome> for ImageDelivery<'_, G> {
    fn extension(&self) -> &str {
        "png"
    }

    fn deliver(&self, genome: &G::Genome, path: &Path) -> Result<()> {
        Ok(write_png(path, &self.problem.render(genome))?)
    }

    fn score(&self, path: &Path) -> Result<Vec<f64>> {
        score_file(self.problem.classifier(), path)
    }

    fn picture(&self, _path: &Path) -> Result<Picture> {
        Ok(Picture::Image)
    }

    fn descriptions(&self, genome: &G::Genome) -> Vec<String> {
        self.problem.generator().descriptions(genome)
    }
}
