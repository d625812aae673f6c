//! Classifiers of feature vectors that judge images: the vector of an image is its pixels. So one
//! kind of classifier can be held still while the medium changes.

use ndarray::Array2;
use trompe_corpora::{Image, ImageCorpus, ImageShape};

use super::{Classifier, Fitted, Model, PosteriorKind, TrainedOn};
use crate::dataset::{Dataset, Excerpt, Source};
use crate::error::{Error, Result};
use crate::problem::{Observed, Victim, VictimRecord};

/// A model whose vectors are the pixels of images, row by row, 0 to 255.
#[derive(Debug, PartialEq)]
pub struct PixelClassifier {
    model: Model,
    shape: ImageShape,
}

impl PixelClassifier {
    /// Fits a classifier to the images `indices` of `corpus`; `fit` trains it on their pixels.
    ///
    /// # Errors
    /// What `fit` meets.
    pub fn fit(
        corpus: &ImageCorpus,
        indices: &[usize],
        fit: impl FnOnce(&Dataset) -> Result<Fitted>,
    ) -> Result<Self> {
        let dataset = dataset(corpus, indices)?;
        let fitted = fit(&dataset)?;
        let trained_on = TrainedOn {
            // As nets have it, so that training images are known again.
            sha256: corpus.fingerprint(indices),
            images: Some(corpus.shape),
            ..TrainedOn::new(&dataset)
        };
        Ok(Self { model: Model::new(fitted, trained_on)?, shape: corpus.shape })
    }

    /// A model that was trained on images; one of sound is given back. An error says what is wrong
    /// with it.
    pub(crate) fn of_model(
        model: Model,
    ) -> std::result::Result<std::result::Result<Self, Box<Model>>, String> {
        let Some(shape) = model.trained_on().images else { return Ok(Err(Box::new(model))) };
        let pixels = shape.width.checked_mul(shape.height);
        let values = pixels.and_then(|pixels| pixels.checked_mul(shape.channels));
        match values == Some(model.dimensions()) {
            true => Ok(Ok(Self { model, shape })),
            false => Err(format!("{} values for images of {shape}", model.dimensions())),
        }
    }

    /// The model.
    pub fn model(&self) -> &Model {
        &self.model
    }

    /// Size of the images.
    pub fn shape(&self) -> ImageShape {
        self.shape
    }
}

/// The pixels of images as feature vectors.
fn dataset(corpus: &ImageCorpus, indices: &[usize]) -> Result<Dataset> {
    let columns = corpus.shape.bytes();
    let values = indices.iter().flat_map(|&index| corpus.image(index)).map(|&v| f32::from(v));
    let vectors = Array2::from_shape_vec((indices.len(), columns), values.collect())
        .map_err(|e| Error::numeric(format!("pixels: {e}"), "report this as a fault"))?;
    let excerpt = |&index: &usize| Excerpt {
        id: index.to_string(),
        class: corpus.item(index).class,
        group: None,
        split: None,
        fold: None,
    };
    let dataset = Dataset {
        vectors,
        excerpt_of: (0..indices.len()).collect(),
        excerpts: indices.iter().map(excerpt).collect(),
        classes: corpus.classes.clone(),
        feature_names: (0..columns).map(|pixel| format!("pixel {pixel}")).collect(),
        settings: None,
        source: Source {
            name: corpus.name.clone(),
            provenance: Some(corpus.provenance),
            known_as: None,
        },
    };
    dataset.check()?;
    Ok(dataset)
}

impl Victim<Image> for PixelClassifier {
    fn classes(&self) -> &[String] {
        self.model.classes()
    }

    fn scores(&self, images: &[Image]) -> Result<Vec<f64>> {
        let classes = self.model.classes().len();
        let mut scores = vec![0.0; images.len() * classes];
        for (image, row) in images.iter().zip(scores.chunks_exact_mut(classes)) {
            let pixels: Vec<f32> = image.pixels.iter().map(|&value| f32::from(value)).collect();
            self.model.log_odds(&pixels, row);
        }
        Ok(scores)
    }

    /// The embedding of an image is its pixels.
    fn observe(&self, images: &[Image]) -> Result<Observed> {
        let pixels = |image: &Image| image.pixels.iter().map(|&value| f32::from(value)).collect();
        let embeddings = images.iter().map(pixels).collect();
        Ok(Observed { scores: self.scores(images)?, embeddings })
    }

    fn format(&self) -> Option<ImageShape> {
        Some(self.shape)
    }

    fn posterior_kind(&self) -> PosteriorKind {
        self.model.posterior_kind()
    }

    fn fingerprint(&self) -> Option<String> {
        Some(self.model.fingerprint().to_owned())
    }

    fn record(&self) -> VictimRecord {
        let source = &self.model.trained_on().source;
        VictimRecord {
            kind: self.model.fitted().kind().to_owned(),
            corpus: source.name.clone(),
            provenance: source.provenance.unwrap_or(trompe_corpora::Provenance::Unstated),
            known_as: None,
            runtime: None,
        }
    }

    fn batch_size(&self) -> usize {
        16
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use trompe_corpora::Split;
    use trompe_corpora::images::synthetic_digits;

    use super::super::AdaBoostParams;
    use super::*;
    use crate::victims::{AnyModel, ImageModel, Scorer};

    #[test]
    fn boosted_pixels_recognize_digits_and_come_back_from_their_file() {
        let corpus = synthetic_digits(300, 100, 1);
        let (train, test) = (corpus.split(Split::Train), corpus.split(Split::Test));
        let params = AdaBoostParams { rounds: 40, ..AdaBoostParams::default() };
        let fit = |data: &Dataset| Ok(Fitted::AdaBoost(params.fit(data, &mut |_| {})?));
        let boosted = PixelClassifier::fit(&corpus, &train, fit).unwrap();
        let error =
            crate::classifiers::image_classifier::error_rate(&boosted, &corpus, &test).unwrap();
        assert!(error < 0.35, "{error}");
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pixels.safetensors");
        let scorer = Scorer::Image(Box::new(ImageModel::Pixels(boosted)));
        let model = AnyModel::new(scorer, None).unwrap();
        assert_eq!(model.kind(), "adaboost-mh");
        model.save(&path).unwrap();
        assert_eq!(AnyModel::load(&path).unwrap(), model);
    }
}
