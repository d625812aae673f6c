//! A generator of images and a classifier as one search problem.

use serde::Serialize;
use serde::de::DeserializeOwned;
use trompe_corpora::{Image, ImageShape};

use crate::classifiers::ImageClassifier;
use crate::error::{Error, Result};
use crate::search::{MoveId, Problem, Stream};

/// One way to draw, vary and render images of a fixed size.
pub trait Generator: Sync {
    /// What is varied.
    type Genome: Clone + PartialEq + Send + Sync + Serialize + DeserializeOwned;

    /// Name and every setting that changes what is rendered.
    fn settings(&self) -> String;

    /// Size of the images.
    fn shape(&self) -> ImageShape;

    /// As [`Problem::check`].
    ///
    /// # Errors
    /// What cannot be, in words.
    fn check(&self, genome: &Self::Genome) -> Result<(), String>;

    /// A genome drawn at random.
    fn sample(&self, rng: &mut Stream) -> Self::Genome;

    /// Names of the moves [`Generator::vary`] knows.
    fn moves(&self) -> &'static [&'static str];

    /// As [`Problem::vary`].
    fn vary(
        &self,
        parent: &Self::Genome,
        mate: &Self::Genome,
        move_id: MoveId,
        rng: &mut Stream,
    ) -> Self::Genome;

    /// As [`Problem::vary_at_rate`].
    fn vary_at_rate(
        &self,
        parent: &Self::Genome,
        mate: &Self::Genome,
        move_id: MoveId,
        _rate: f64,
        rng: &mut Stream,
    ) -> Self::Genome {
        self.vary(parent, mate, move_id, rng)
    }

    /// Writes the image to `pixels`, [`ImageShape::bytes`] of them.
    fn render(&self, genome: &Self::Genome, pixels: &mut [u8]);

    /// What the image is made of, in words; nothing where the image says it all.
    fn descriptions(&self, _genome: &Self::Genome) -> Vec<String> {
        Vec::new()
    }

    /// As [`Problem::ascend`], on `classifier`.
    fn ascend(
        &self,
        _genome: &Self::Genome,
        _class: usize,
        _classifier: &dyn ImageClassifier,
    ) -> Option<Self::Genome> {
        None
    }

    /// As [`Problem::distance`].
    fn distance(&self, a: &Self::Genome, b: &Self::Genome) -> f64;
}

/// A classifier to be fooled by the images of a generator.
pub struct ImageProblem<'a, G> {
    classifier: &'a dyn ImageClassifier,
    generator: G,
}

impl<'a, G: Generator> ImageProblem<'a, G> {
    /// Joins the two.
    ///
    /// # Errors
    /// [`Error::Request`] if the classifier takes images of another size.
    pub fn new(classifier: &'a dyn ImageClassifier, generator: G) -> Result<Self> {
        if classifier.shape() != generator.shape() {
            return Err(Error::request(
                format!(
                    "the classifier takes images of {}, the generator makes {}",
                    classifier.shape(),
                    generator.shape()
                ),
                "make images of the classifier's size",
            ));
        }
        Ok(Self { classifier, generator })
    }

    /// The classifier.
    pub fn classifier(&self) -> &'a dyn ImageClassifier {
        self.classifier
    }

    /// The generator.
    pub fn generator(&self) -> &G {
        &self.generator
    }

    /// The image of `genome`.
    pub fn render(&self, genome: &G::Genome) -> Image {
        let shape = self.generator.shape();
        let mut pixels = vec![0; shape.bytes()];
        self.generator.render(genome, &mut pixels);
        Image { shape, pixels }
    }
}

impl<G: Generator> Problem for ImageProblem<'_, G> {
    type Genome = G::Genome;

    fn classes(&self) -> &[String] {
        self.classifier.classes()
    }

    fn fingerprint(&self) -> String {
        format!("{} {}", self.classifier.fingerprint(), self.generator.settings())
    }

    fn check(&self, genome: &Self::Genome) -> Result<(), String> {
        self.generator.check(genome)
    }

    fn sample(&self, rng: &mut Stream) -> Self::Genome {
        self.generator.sample(rng)
    }

    fn moves(&self) -> &'static [&'static str] {
        self.generator.moves()
    }

    fn vary(
        &self,
        parent: &Self::Genome,
        mate: &Self::Genome,
        move_id: MoveId,
        rng: &mut Stream,
    ) -> Self::Genome {
        self.generator.vary(parent, mate, move_id, rng)
    }

    fn vary_at_rate(
        &self,
        parent: &Self::Genome,
        mate: &Self::Genome,
        move_id: MoveId,
        rate: f64,
        rng: &mut Stream,
    ) -> Self::Genome {
        self.generator.vary_at_rate(parent, mate, move_id, rate, rng)
    }

    fn log_odds(&self, genomes: &[Self::Genome], out: &mut [f64]) {
        let size = self.generator.shape().bytes();
        let mut images = vec![0; genomes.len() * size];
        for (genome, pixels) in genomes.iter().zip(images.chunks_exact_mut(size)) {
            self.generator.render(genome, pixels);
        }
        self.classifier.log_odds(&images, out);
    }

    fn shard(&self) -> usize {
        self.classifier.batch()
    }

    fn ascend(&self, genome: &Self::Genome, class: usize) -> Option<Self::Genome> {
        self.generator.ascend(genome, class, self.classifier)
    }

    fn distance(&self, a: &Self::Genome, b: &Self::Genome) -> f64 {
        self.generator.distance(a, b)
    }
}
