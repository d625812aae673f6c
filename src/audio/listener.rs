//! A classifier with its feature set: samples in, log-odds out.

use std::sync::Mutex;

use trompe_features::{Extractor, FeatureSettings};

use crate::classifiers::{Classifier, Model};
use crate::error::{Error, Result};

/// Log-odds of every class for silence that a classifier cannot judge: certainly none of them
/// (our choice).
pub const UNHEARD: f64 = -100.0;

/// Hears audio as a trained classifier does. Shared by threads: each borrows an ear.
pub struct Listener<'c> {
    classifier: &'c dyn Classifier,
    features: FeatureSettings,
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
        let listener =
            Self { classifier, features: features.clone(), ears: Mutex::new(Vec::new()) };
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
        Self::new(model, settings)
    }

    /// The classifier.
    pub fn classifier(&self) -> &'c dyn Classifier {
        self.classifier
    }

    /// Sample rate that it expects, in hertz.
    pub fn sample_rate(&self) -> u32 {
        self.features.sample_rate()
    }

    /// Fewest samples that it can judge.
    pub fn minimum_samples(&self) -> usize {
        self.features.minimum_samples()
    }

    /// Writes one log-odds per class for mono `samples` at [`Listener::sample_rate`].
    ///
    /// # Errors
    /// [`Error::Features`] if the samples are too few or not finite.
    pub fn log_odds(&self, samples: &[f32], out: &mut [f64]) -> Result<()> {
        self.hear(samples, |vectors| self.classifier.log_odds(vectors, out))
    }

    /// [`Classifier::out_of_reach`] of mono `samples`.
    ///
    /// # Errors
    /// As [`Listener::log_odds`].
    pub fn out_of_reach(&self, samples: &[f32]) -> Result<Option<bool>> {
        self.hear(samples, |vectors| self.classifier.out_of_reach(vectors))
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

    /// One log-odds per class for mono `samples`, as [`Listener::log_odds`].
    ///
    /// # Errors
    /// As [`Listener::log_odds`].
    pub fn score(&self, samples: &[f32]) -> Result<Vec<f64>> {
        let mut log_odds = vec![0.0; self.classifier.classes().len()];
        self.log_odds(samples, &mut log_odds)?;
        Ok(log_odds)
    }

    /// Log-odds for a search, whose candidates are checked but may be silent: silence, of which
    /// some features have no value, is [`UNHEARD`] in every class. What else fails is no
    /// number, which a search refuses.
    pub fn log_odds_or_unheard(&self, samples: &[f32], out: &mut [f64]) {
        match self.log_odds(samples, out) {
            Ok(()) => {}
            Err(Error::Features(trompe_features::Error::Silent)) => out.fill(UNHEARD),
            Err(_) => out.fill(f64::NAN),
        }
    }

    fn new_ear(&self) -> Result<Ear> {
        Ok(Ear { extractor: self.features.extractor()?, vectors: Vec::new() })
    }

    fn ears(&self) -> std::sync::MutexGuard<'_, Vec<Ear>> {
        // An ear left by a thread that panicked is whole: it is only ever pushed or popped.
        self.ears.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}
