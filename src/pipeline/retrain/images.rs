//! Image classifiers, retrained on images that fooled them.

use trompe_corpora::{Image, ImageCorpus, Progress, Split};

use super::{FOOLING_CLASS, Fooled, Subject, fool};
use crate::classifiers::image_classifier::error_rate;
use crate::classifiers::{ConvolutionalNet, ImageClassifier};
use crate::error::Result;
use crate::image::{Cppn, Generator, ImageProblem, Patches, Pixels, Settings, Values};
use crate::pipeline::train_images::{ImageTraining, part};
use crate::search;

/// A kind of image classifier with a corpus and a generator.
pub struct ImageSubject<'a> {
    corpus: &'a ImageCorpus,
    training: &'a ImageTraining,
    generator: &'a Settings,
    train_on: Vec<usize>,
    test_on: Vec<usize>,
}

impl<'a> ImageSubject<'a> {
    /// Trains on the first `images` training images of `corpus` (all without a number), tests
    /// on its test images, and fools by `generator`.
    ///
    /// # Errors
    /// [`crate::Error::Request`] if the corpus has no training or no test part.
    pub fn new(
        corpus: &'a ImageCorpus,
        images: Option<usize>,
        training: &'a ImageTraining,
        generator: &'a Settings,
    ) -> Result<Self> {
        let mut train_on = part(corpus, Split::Train, true)?;
        train_on.truncate(images.unwrap_or(usize::MAX));
        let test_on = part(corpus, Split::Test, true)?;
        Ok(Self { corpus, training, generator, train_on, test_on })
    }

    fn search<G: Generator>(
        &self,
        net: &ConvolutionalNet,
        generator: G,
        settings: &search::Settings,
    ) -> Result<Fooled<Image>> {
        let problem = ImageProblem::new(net, generator)?;
        let Fooled { best, examples, recognized } =
            fool(&problem, self.corpus.classes.len(), settings)?;
        let examples = examples.iter().map(|genome| problem.render(genome)).collect();
        Ok(Fooled { best, examples, recognized })
    }
}

impl Subject for ImageSubject<'_> {
    type Trained = ConvolutionalNet;
    type Example = Image;

    fn examples(&self) -> usize {
        self.train_on.len()
    }

    fn train(&self, fooling: &[Image], progress: &dyn Progress) -> Result<ConvolutionalNet> {
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

    fn test_error(&self, net: &ConvolutionalNet) -> Result<f64> {
        Ok(error_rate(net, self.corpus, &self.test_on))
    }

    fn fool(&self, net: &ConvolutionalNet, settings: &search::Settings) -> Result<Fooled<Image>> {
        let shape = net.shape();
        match self.generator {
            Settings::Patches(of) => self.search(net, Patches::new(shape, of)?, settings),
            Settings::Pixels(of) => self.search(net, Pixels::new(shape, of)?, settings),
            Settings::Cppn(of) => self.search(net, Cppn::new(shape, of), settings),
            Settings::Values(of) => self.search(net, Values::new(shape, of, net.mean())?, settings),
            Settings::Tiles(_) => Err(crate::Error::request(
                "tiles are cut from training images",
                "retrain with another generator, such as cppn",
            )),
        }
    }
}
