//! Image classifiers, retrained on images that fooled them.

use trompe_corpora::{Image, ImageCorpus, Progress, Split};

use super::{FOOLING_CLASS, Fooled, Subject, fool};
use crate::classifiers::image_classifier::error_rate;
use crate::error::{Error, Result};
use crate::image::{Descriptor, GeneratorSettings};
use crate::pipeline::image_spaces;
use crate::pipeline::train_images::{ImageTraining, part};
use crate::problem::Problem;
use crate::search;
use crate::victims::ImageModel;

/// A kind of image classifier with a corpus and a generator.
pub struct ImageSubject<'a> {
    corpus: &'a ImageCorpus,
    training: &'a ImageTraining,
    generator: &'a GeneratorSettings,
    train_on: Vec<usize>,
    test_on: Vec<usize>,
}

impl<'a> ImageSubject<'a> {
    /// Trains on the first `images` training images of `corpus` (all without a number), tests
    /// on its test images, and fools by `generator`.
    ///
    /// # Errors
    /// [`Error::Request`] if the corpus has no training or no test part, and for tiles.
    pub fn new(
        corpus: &'a ImageCorpus,
        images: Option<usize>,
        training: &'a ImageTraining,
        generator: &'a GeneratorSettings,
    ) -> Result<Self> {
        if let GeneratorSettings::Tiles(_) = generator {
            return Err(Error::request(
                "tiles are cut from training images, which the classifier knows",
                "retrain with another generator, such as cppn",
            ));
        }
        let mut train_on = part(corpus, Split::Train, true)?;
        train_on.truncate(images.unwrap_or(usize::MAX));
        let test_on = part(corpus, Split::Test, true)?;
        Ok(Self { corpus, training, generator, train_on, test_on })
    }
}

impl Subject for ImageSubject<'_> {
    type Trained = ImageModel;
    type Example = Image;

    fn examples(&self) -> usize {
        self.train_on.len()
    }

    fn train(&self, fooling: &[Image], progress: &dyn Progress) -> Result<ImageModel> {
        if fooling.is_empty() {
            return self.training.fit(self.corpus, &self.train_on, progress);
        }
        let ImageCorpus { name, provenance, labels, classes, shape, .. } = self.corpus;
        let mut classes = classes.clone();
        classes.push(FOOLING_CLASS.to_owned());
        let class = classes.len() - 1;
        let name = format!("{name} and {FOOLING_CLASS} images");
        let mut corpus = ImageCorpus::new(name, *provenance, labels, classes, *shape);
        for &index in &self.train_on {
            corpus.extend(self.corpus.image(index), &[self.corpus.item(index).class], None);
        }
        fooling.iter().for_each(|image| corpus.extend(&image.pixels, &[class], None));
        let all: Vec<usize> = (0..corpus.len()).collect();
        self.training.fit(&corpus, &all, progress)
    }

    fn test_error(&self, net: &ImageModel) -> Result<f64> {
        error_rate(net.victim(), self.corpus, &self.test_on)
    }

    fn fool(&self, net: &ImageModel, settings: &search::SearchSettings) -> Result<Fooled<Image>> {
        let quiet = |_: &str, _, _| {};
        let (shape, mean) = (net.shape(), net.mean());
        let space = image_spaces::open(self.generator, Descriptor::None, shape, mean, &quiet)?;
        fool(&Problem::new(space, net.victim())?, self.corpus.classes.len(), settings)
    }
}
