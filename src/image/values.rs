//! Images of one real number per byte, which gradient ascent moves ("gradient ascent" images,
//! Nguyen, Yosinski & Clune 2015). What is scored and delivered is the image
//! rounded to bytes.

use std::sync::Arc;

use rand::RngExt;
use serde::{Deserialize, Serialize};
use trompe_corpora::ImageShape;

use super::problem::Generator;
use super::raster::unlikeness;
use crate::classifiers::{ImageClassifier, posterior_from_log_odds};
use crate::error::{Error, Result};
use crate::search::{MoveId, Stream};

/// Most that a step aims to raise the posterior by (the authors' published code).
const GAIN: f64 = 0.03;

/// Most that a step aims to raise it by, as a share of what is missing to 1 (as published).
const SHARE_OF_REST: f64 = 0.1;

/// Most that a step aims to raise the log-odds by: a bound for posteriors near 0 (ours).
const LARGEST_STEP: f64 = 1e5;

/// Share of the values that the one random move draws anew (ours).
const REDRAWN: f64 = 0.01;

/// How ascents start and what holds them back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Where ascents start.
    pub start: Start,
    /// Share that every value loses at each step ("L2 decay"): towards black here.
    pub decay: f64,
}

/// Where ascents start; both are published.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Start {
    /// Values drawn evenly from [0, 255].
    Noise,
    /// The mean training image with N(0, 1) added: all ascents of a class end alike.
    Mean,
}

impl Default for Settings {
    fn default() -> Self {
        Self { start: Start::Noise, decay: 0.0 }
    }
}

/// Real numbers in [0, 255], laid out as an image's bytes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Image(#[serde(with = "shared")] Arc<[f32]>);

/// Shared slices in files.
mod shared {
    use std::sync::Arc;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<S: Serializer>(values: &Arc<[f32]>, to: S) -> Result<S::Ok, S::Error> {
        values.as_ref().serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Arc<[f32]>, D::Error> {
        Ok(Vec::deserialize(from)?.into())
    }
}

/// Makes images of one real number per byte.
#[derive(Debug, Clone)]
pub struct Values {
    shape: ImageShape,
    settings: Settings,
    mean: Vec<f32>,
}

impl Values {
    /// Makes images of `shape`; `mean` is the mean training image of the net to be fooled.
    ///
    /// # Errors
    /// [`Error::Request`] for a decay outside [0, 1) or a mean of another size.
    pub fn new(shape: ImageShape, settings: &Settings, mean: &[f32]) -> Result<Self> {
        if !(0.0..1.0).contains(&settings.decay) {
            return Err(Error::request(
                format!("decay = {}", settings.decay),
                "give a number from 0 to below 1",
            ));
        }
        if mean.len() != shape.bytes() {
            return Err(Error::request(
                format!("a mean of {} values for images of {shape}", mean.len()),
                "give the mean training image of the net",
            ));
        }
        Ok(Self { shape, settings: settings.clone(), mean: mean.to_vec() })
    }
}

impl Generator for Values {
    type Genome = Image;

    fn settings(&self) -> String {
        format!("values {} {:?}", self.shape, self.settings)
    }

    fn shape(&self) -> ImageShape {
        self.shape
    }

    fn check(&self, genome: &Image) -> Result<(), String> {
        if genome.0.len() != self.shape.bytes() {
            return Err(format!("{} values for an image of {}", genome.0.len(), self.shape));
        }
        match genome.0.iter().find(|value| !(0.0..=255.0).contains(*value)) {
            Some(value) => Err(format!("a value of {value}")),
            None => Ok(()),
        }
    }

    fn sample(&self, rng: &mut Stream) -> Image {
        let mut value = |&mean: &f32| match self.settings.start {
            Start::Noise => rng.random_range(0.0..=255.0),
            Start::Mean => (mean + normal(rng)).clamp(0.0, 255.0),
        };
        Image(self.mean.iter().map(&mut value).collect())
    }

    fn moves(&self) -> &'static [&'static str] {
        &["redraw"]
    }

    fn vary(&self, parent: &Image, _: &Image, _: MoveId, rng: &mut Stream) -> Image {
        let vary = |&value: &f32| match rng.random_bool(REDRAWN) {
            true => rng.random_range(0.0..=255.0),
            false => value,
        };
        Image(parent.0.iter().map(vary).collect())
    }

    fn render(&self, genome: &Image, pixels: &mut [u8]) {
        if genome.0.len() != pixels.len() {
            return pixels.fill(0);
        }
        for (pixel, &value) in pixels.iter_mut().zip(genome.0.iter()) {
            *pixel = value.round() as u8;
        }
    }

    /// One step of the published size: along the gradient of the posterior p, as far as would
    /// raise p by min(0.03, 0.1 (1 - p)) were it linear. Computed by the log-odds, whose
    /// gradient is that of p over p (1 - p), so that it does not vanish with p.
    fn ascend(
        &self,
        genome: &Image,
        class: usize,
        classifier: &dyn ImageClassifier,
    ) -> Option<Image> {
        let mut slope = vec![0.0; genome.0.len()];
        let log_odds = classifier.log_odds_and_slope(&genome.0, class, &mut slope)?;
        let squares: f64 = slope.iter().map(|&value| f64::from(value) * f64::from(value)).sum();
        if squares == 0.0 {
            return Some(genome.clone());
        }
        let (posterior, rest) =
            (posterior_from_log_odds(log_odds), posterior_from_log_odds(-log_odds));
        let gain = GAIN.min(SHARE_OF_REST * rest) / (posterior * rest);
        let rate = gain.min(LARGEST_STEP) / squares;
        let kept = 1.0 - self.settings.decay;
        let step = |(&value, &slope): (&f32, &f32)| {
            (f64::from(value) * kept + rate * f64::from(slope)).clamp(0.0, 255.0) as f32
        };
        Some(Image(genome.0.iter().zip(&slope).map(step).collect()))
    }

    fn distance(&self, a: &Image, b: &Image) -> f64 {
        let bytes = |image: &Image| {
            let mut pixels = vec![0; image.0.len()];
            self.render(image, &mut pixels);
            pixels
        };
        unlikeness(&bytes(a), &bytes(b))
    }
}

/// A number of mean 0 and deviation 1 (Box & Muller 1958).
fn normal(rng: &mut Stream) -> f32 {
    let radius = (-2.0 * libm::log(1.0 - rng.random::<f64>())).sqrt();
    (radius * libm::cos(std::f64::consts::TAU * rng.random::<f64>())) as f32
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use trompe_base::random::stream;
    use trompe_corpora::Split;
    use trompe_corpora::images::synthetic_digits;

    use super::*;
    use crate::classifiers::ConvolutionalNet;
    use crate::classifiers::convolutional::{Architecture, TrainingSettings, train};
    use crate::image::{ImageProblem, Pixels, pixels};
    use crate::search::{EmitterSettings, Finished, Search, Settings as SearchSettings};

    fn net() -> ConvolutionalNet {
        let corpus = synthetic_digits(600, 0, 1);
        let settings = TrainingSettings { epochs: 5, ..TrainingSettings::default() };
        let architecture = Architecture::lenet5(corpus.shape, 10);
        train(architecture, &corpus, &corpus.split(Split::Train), &settings, |_| {}).unwrap()
    }

    fn search_settings() -> SearchSettings {
        SearchSettings {
            budget: 8_000,
            exhibits: 1,
            threshold: Some(0.9999),
            emitter: EmitterSettings::by_name("gradient-ascent").unwrap(),
            ..SearchSettings::default()
        }
    }

    #[test]
    fn gradient_ascent_fools_every_class_of_a_net_from_either_start() {
        let net = net();
        for start in [Start::Noise, Start::Mean] {
            let settings = Settings { start, ..Settings::default() };
            let values = Values::new(net.shape(), &settings, net.mean()).unwrap();
            let problem = ImageProblem::new(&net, values).unwrap();
            let mut search = Search::new(&problem, &search_settings()).unwrap();
            while search.finished().is_none() {
                search.step().unwrap();
            }
            let open = search.open_classes();
            assert_eq!(search.finished(), Some(Finished::AllClasses), "{start:?}: {open:?}");
            // What was kept scores the same as a picture of bytes.
            for class in 0..10 {
                let elite = search.state().archive.best(class).unwrap();
                let mut scores = [0.0; 10];
                net.log_odds(&problem.render(&elite.genome).pixels, &mut scores);
                assert_eq!(scores[..], elite.log_odds);
            }
        }
    }

    #[test]
    fn an_ascent_goes_up_and_survives_its_text() {
        let net = net();
        let values = Values::new(net.shape(), &Settings::default(), net.mean()).unwrap();
        let mut image = values.sample(&mut stream(1, 0, 0, 0));
        let mut slope = vec![0.0; 784];
        let mut log_odds = |image: &Image| net.log_odds_and_slope(&image.0, 3, &mut slope);
        let before = log_odds(&image);
        for _ in 0..10 {
            image = values.ascend(&image, 3, &net).unwrap();
        }
        assert!(log_odds(&image) > before + 1.0);
        let text = serde_json::to_string(&image).unwrap();
        assert_eq!(serde_json::from_str::<Image>(&text).unwrap(), image);
    }

    #[test]
    fn without_a_gradient_the_emitter_is_refused() {
        let net = net();
        let pixels = Pixels::new(net.shape(), &pixels::Settings::default()).unwrap();
        let problem = ImageProblem::new(&net, pixels).unwrap();
        assert!(Search::new(&problem, &search_settings()).is_err());
        let absurd = Settings { decay: f64::NAN, ..Settings::default() };
        assert!(Values::new(net.shape(), &absurd, net.mean()).is_err());
        assert!(Values::new(net.shape(), &Settings::default(), &[0.0]).is_err());
    }
}
