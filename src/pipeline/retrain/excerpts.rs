//! Music classifiers, retrained on excerpts that fooled them.

use ndarray::Array2;
use trompe_corpora::{Audio, Bank, Progress};

use super::{FOOLING_CLASS, Fooled, Subject, fool};
use crate::audio::{self, Excerpts};
use crate::classifiers::{Classifier, Listener, Model, TrainedOn};
use crate::dataset::{Dataset, Excerpt};
use crate::error::{Error, Result};
use crate::log_odds::label;
use crate::pipeline::evaluate::{Division, divide};
use crate::pipeline::train::Training;
use crate::problem::Problem;
use crate::search;

/// A kind of music classifier with its data and a bank.
pub struct ExcerptSubject<'a> {
    training: &'a Training,
    bank: &'a Bank,
    composition: &'a audio::CompositionSettings,
    train_on: Dataset,
    test_on: Dataset,
}

/// The feature vectors of one composed excerpt, one after another.
type Vectors = Vec<f32>;

impl<'a> ExcerptSubject<'a> {
    /// Holds one of `folds` folds of `dataset` out for testing (groups kept together where
    /// there are any), trains on the others, and fools by compositions from `bank`.
    ///
    /// # Errors
    /// [`Error::Request`] if the dataset cannot be divided so.
    pub fn new(
        dataset: &Dataset,
        folds: usize,
        training: &'a Training,
        bank: &'a Bank,
        composition: &'a audio::CompositionSettings,
        seed: u64,
    ) -> Result<Self> {
        let fold_of = divide(dataset, Division::strictest(dataset), folds, seed, 0)?.of_clip;
        let part = |test: bool| -> Vec<usize> {
            (0..fold_of.len()).filter(|&excerpt| (fold_of[excerpt] == Some(0)) == test).collect()
        };
        let (train_on, test_on) = (dataset.subset(&part(false)), dataset.subset(&part(true)));
        train_on.check()?;
        Ok(Self { training, bank, composition, train_on, test_on })
    }
}

impl Subject for ExcerptSubject<'_> {
    type Trained = Model;
    type Example = Vectors;

    fn examples(&self) -> usize {
        self.train_on.excerpts.len()
    }

    fn train(&self, fooling: &[Vectors], progress: &dyn Progress) -> Result<Model> {
        let dataset = with_fooling(&self.train_on, fooling)?;
        let fitted = self.training.fit(&dataset, progress)?;
        Model::new(fitted, TrainedOn::new(&dataset))
    }

    fn test_error(&self, model: &Model) -> Result<f64> {
        let starts = self.test_on.excerpt_starts();
        let mut scores = vec![0.0; model.classes().len()];
        let mut wrong = 0;
        for (index, excerpt) in self.test_on.excerpts.iter().enumerate() {
            let vectors: Vectors =
                self.test_on.vectors_of(&starts, index).iter().copied().collect();
            model.log_odds(&vectors, &mut scores);
            wrong += usize::from(label(&scores) != Some(excerpt.class));
        }
        Ok(wrong as f64 / self.test_on.excerpts.len() as f64)
    }

    fn fool(&self, model: &Model, settings: &search::SearchSettings) -> Result<Fooled<Vectors>> {
        let listener = Listener::of_model(model)?;
        let problem = Problem::new(Excerpts::new(self.bank, self.composition)?, &listener)?;
        let Fooled { best, examples, recognized } =
            fool(&problem, self.train_on.classes.len(), settings)?;
        let features = model.trained_on().settings.as_ref().ok_or_else(|| {
            Error::request("features from elsewhere", "train on a corpus of audio")
        })?;
        let mut extractor = features.extractor()?;
        let vectors = |excerpt: &Audio| -> Result<Vectors> {
            let mut vectors = Vectors::new();
            extractor.extract(&excerpt.samples, &mut vectors)?;
            Ok(vectors)
        };
        let examples = examples.iter().map(vectors).collect::<Result<_>>()?;
        Ok(Fooled { best, examples, recognized })
    }
}

/// `dataset` with one more class that holds `fooling`; as it is without any.
fn with_fooling(dataset: &Dataset, fooling: &[Vectors]) -> Result<Dataset> {
    let mut dataset = dataset.clone();
    if fooling.is_empty() {
        return Ok(dataset);
    }
    let columns = dataset.dimensions();
    dataset.classes.push(FOOLING_CLASS.to_owned());
    let mut values: Vec<f32> = dataset.vectors.iter().copied().collect();
    for (number, vectors) in fooling.iter().enumerate() {
        let excerpt = dataset.excerpts.len();
        values.extend(vectors);
        dataset.excerpt_of.resize(dataset.excerpt_of.len() + vectors.len() / columns, excerpt);
        dataset.excerpts.push(Excerpt {
            id: format!("{FOOLING_CLASS} {number}"),
            class: dataset.classes.len() - 1,
            group: None,
            split: None,
            fold: None,
        });
    }
    dataset.vectors = Array2::from_shape_vec((dataset.excerpt_of.len(), columns), values)
        .map_err(|e| Error::numeric(format!("feature vectors: {e}"), "report this as a fault"))?;
    dataset.check()?;
    Ok(dataset)
}
