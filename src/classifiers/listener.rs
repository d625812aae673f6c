//! A classifier with its feature set: a victim of sound.

use std::sync::Mutex;

use trompe_corpora::{Audio, Provenance};
use trompe_features::{Extractor, FeatureSettings};

use super::{Classifier, Model};
use crate::error::{Error, Result};
use crate::problem::{AudioFormat, Observed, PosteriorKind, SILENCE_SCORE, Victim, VictimRecord};

/// Hears audio as a trained classifier does. Shared by threads: each borrows an ear.
pub struct Listener<'c> {
    classifier: &'c dyn Classifier,
    features: FeatureSettings,
    /// The model, if the classifier is one.
    model: Option<&'c Model>,
    ears: Mutex<Vec<Ear>>,
}

/// An extractor and the feature vectors it filled last.
struct Ear {
    extractor: Box<dyn Extractor>,
    vectors: Vec<f32>,
}

impl<'c> Listener<'c> {
    /// A listener that gives `classifier` the feature vectors it was trained on.
    ///
    /// # Errors
    /// [`Error::Request`] if the vectors of `features` have not the length the classifier
    /// expects; [`Error::Features`] if a setting is out of its range.
    pub fn new(classifier: &'c dyn Classifier, features: &FeatureSettings) -> Result<Self> {
        if features.dimensions() != classifier.dimensions() {
            return Err(Error::request(
                format!(
                    "the model expects {} values a vector, its feature settings give {}",
                    classifier.dimensions(),
                    features.dimensions()
                ),
                "train the model again",
            ));
        }
        let listener = Self {
            classifier,
            features: features.clone(),
            model: None,
            ears: Mutex::new(Vec::new()),
        };
        let ear = listener.new_ear()?;
        listener.ears().push(ear);
        Ok(listener)
    }

    /// A listener of a trained model.
    ///
    /// # Errors
    /// [`Error::Request`] if the model was trained on features from elsewhere: nothing says
    /// how to compute them from sound.
    pub fn of_model(model: &'c Model) -> Result<Self> {
        let settings = model.trained_on().settings.as_ref().ok_or_else(|| {
            Error::request(
                "the model was trained on features from elsewhere, so it cannot hear audio",
                "train a model on a corpus of audio",
            )
        })?;
        Ok(Self { model: Some(model), ..Self::new(model, settings)? })
    }

    /// Sample rate that it expects, in hertz.
    pub fn sample_rate(&self) -> u32 {
        self.features.sample_rate()
    }

    /// Fewest samples that it can judge.
    pub fn minimum_samples(&self) -> usize {
        self.features.minimum_samples()
    }

    /// Computes the feature vectors of `samples` and hands them over.
    fn hear<T>(&self, samples: &[f32], judge: impl FnOnce(&[f32]) -> T) -> Result<T> {
        let idle = self.ears().pop();
        let mut ear = match idle {
            Some(ear) => ear,
            None => self.new_ear()?,
        };
        ear.vectors.clear();
        let extracted = ear.extractor.extract(samples, &mut ear.vectors);
        let judged = extracted.map(|_| judge(&ear.vectors));
        self.ears().push(ear);
        Ok(judged?)
    }

    fn new_ear(&self) -> Result<Ear> {
        Ok(Ear { extractor: self.features.extractor()?, vectors: Vec::new() })
    }

    fn ears(&self) -> std::sync::MutexGuard<'_, Vec<Ear>> {
        // An ear left by a thread that panicked is whole: it is only ever pushed or popped.
        self.ears.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// The mean of feature vectors, given row by row; empty without any.
pub fn mean_vector(vectors: &[f32], dimensions: usize) -> Vec<f32> {
    let rows = vectors.chunks_exact(dimensions);
    let count = rows.len() as f64;
    if count == 0.0 {
        return Vec::new();
    }
    let mut sums = vec![0.0; dimensions];
    for row in rows {
        sums.iter_mut().zip(row).for_each(|(sum, &value)| *sum += f64::from(value));
    }
    sums.into_iter().map(|sum: f64| (sum / count) as f32).collect()
}

impl Victim<Audio> for Listener<'_> {
    fn classes(&self) -> &[String] {
        self.classifier.classes()
    }

    /// Silence, of which some features have no value, has [`SILENCE_SCORE`] in every class.
    fn scores(&self, excerpts: &[Audio]) -> Result<Vec<f64>> {
        let mut scores = vec![SILENCE_SCORE; excerpts.len() * self.classes().len()];
        for (audio, row) in excerpts.iter().zip(scores.chunks_exact_mut(self.classes().len())) {
            match self.hear(&audio.samples, |vectors| self.classifier.log_odds(vectors, row)) {
                Ok(()) | Err(Error::Features(trompe_features::Error::Silent)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(scores)
    }

    /// The embedding of an excerpt is its mean feature vector; silence has none.
    fn observe(&self, excerpts: &[Audio]) -> Result<Observed> {
        let classes = self.classes().len();
        let mut scores = vec![SILENCE_SCORE; excerpts.len() * classes];
        let mut embeddings = Vec::with_capacity(excerpts.len());
        for (audio, row) in excerpts.iter().zip(scores.chunks_exact_mut(classes)) {
            let heard = self.hear(&audio.samples, |vectors| {
                self.classifier.log_odds(vectors, row);
                mean_vector(vectors, self.classifier.dimensions())
            });
            embeddings.push(match heard {
                Err(Error::Features(trompe_features::Error::Silent)) => Vec::new(),
                heard => heard?,
            });
        }
        Ok(Observed { scores, embeddings })
    }

    fn format(&self) -> Option<AudioFormat> {
        let (sample_rate, samples) = (self.sample_rate(), self.minimum_samples());
        Some(AudioFormat { sample_rate, samples })
    }

    fn posterior_kind(&self) -> PosteriorKind {
        self.classifier.posterior_kind()
    }

    fn fingerprint(&self) -> Option<String> {
        self.model.map(|model| model.fingerprint().to_owned())
    }

    fn record(&self) -> VictimRecord {
        let Some(model) = self.model else { return VictimRecord::default() };
        let source = &model.trained_on().source;
        VictimRecord {
            kind: model.fitted().kind().to_owned(),
            corpus: source.name.clone(),
            provenance: source.provenance.unwrap_or(Provenance::Unstated),
            known_as: source.known_as.clone(),
            runtime: None,
        }
    }

    fn calibrated(&self, log_odds: &[f64]) -> Option<Vec<f64>> {
        let calibration = self.model?.calibration()?;
        Some(calibration.posteriors(log_odds))
    }

    fn out_of_reach(&self, audio: &Audio) -> Result<Option<bool>> {
        self.hear(&audio.samples, |vectors| self.classifier.out_of_reach(vectors))
    }
}
