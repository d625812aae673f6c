//! Images of one real number per byte, which gradient ascent moves ("gradient ascent" images,
//! Nguyen, Yosinski & Clune 2015). What is scored and delivered is the image
//! rounded to bytes.

use std::sync::Arc;

use rand::RngExt;
use serde::{Deserialize, Serialize};
use trompe_corpora::{Image, ImageShape};

use super::raster::unlikeness;
use super::record::record;
use crate::error::{Error, Result};
use crate::log_odds::posterior_from_log_odds;
use crate::problem::{GeneratorUsed, Gradient, MoveId, Render, Space};
use trompe_base::random::Stream;

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
pub struct ValueSettings {
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

impl Default for ValueSettings {
    fn default() -> Self {
        Self { start: Start::Noise, decay: 0.0 }
    }
}

/// Real numbers in [0, 255], laid out as an image's bytes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RealImage(#[serde(with = "shared")] Arc<[f32]>);

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
    settings: ValueSettings,
    mean: Vec<f32>,
}

impl Values {
    /// Makes images of `shape`; `mean` is the mean training image of the net to be fooled.
    ///
    /// # Errors
    /// [`Error::Request`] for a decay outside [0, 1) or a mean of another size.
    pub fn new(shape: ImageShape, settings: &ValueSettings, mean: &[f32]) -> Result<Self> {
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

impl Render for Values {
    type Genome = RealImage;
    type Input = Image;

    fn render(&self, genome: &RealImage) -> Image {
        let pixels = genome.0.iter().map(|value| value.round() as u8).collect();
        Image { shape: self.shape, pixels }
    }
}

impl Space for Values {
    fn format(&self) -> ImageShape {
        self.shape
    }

    fn describe(&self) -> GeneratorUsed {
        record("values", None, &self.settings)
    }

    fn check(&self, genome: &RealImage) -> Result<(), String> {
        if genome.0.len() != self.shape.bytes() {
            return Err(format!("{} values for an image of {}", genome.0.len(), self.shape));
        }
        match genome.0.iter().find(|value| !(0.0..=255.0).contains(*value)) {
            Some(value) => Err(format!("a value of {value}")),
            None => Ok(()),
        }
    }

    fn sample(&self, rng: &mut Stream) -> RealImage {
        let mut value = |&mean: &f32| match self.settings.start {
            Start::Noise => rng.random_range(0.0..=255.0),
            Start::Mean => (mean + normal(rng)).clamp(0.0, 255.0),
        };
        RealImage(self.mean.iter().map(&mut value).collect())
    }

    fn moves(&self) -> &'static [&'static str] {
        &["redraw"]
    }

    fn vary(
        &self,
        parent: &RealImage,
        _: &RealImage,
        _: MoveId,
        _: f64,
        rng: &mut Stream,
    ) -> RealImage {
        let vary = |&value: &f32| match rng.random_bool(REDRAWN) {
            true => rng.random_range(0.0..=255.0),
            false => value,
        };
        RealImage(parent.0.iter().map(vary).collect())
    }

    /// One step of the published size: along the gradient of the posterior p, as far as would
    /// raise p by min(0.03, 0.1 (1 - p)) were it linear. Computed by the log-odds, whose
    /// gradient is that of p over p (1 - p), so that it does not vanish with p.
    fn ascend(
        &self,
        genome: &RealImage,
        gradient: &dyn Fn(&[f32]) -> Option<Gradient>,
    ) -> Option<RealImage> {
        let Gradient { log_odds, by_value } = gradient(&genome.0)?;
        let squares: f64 = by_value.iter().map(|&value| f64::from(value) * f64::from(value)).sum();
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
        Some(RealImage(genome.0.iter().zip(&by_value).map(step).collect()))
    }

    fn distance(&self, a: &RealImage, b: &RealImage) -> f64 {
        unlikeness(&self.render(a).pixels, &self.render(b).pixels)
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
    use crate::image::{Pixels, pixels};
    use crate::problem::{Problem, Victim};
    use crate::search::{EmitterSettings, Finished, Search, SearchSettings};

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
            let settings = ValueSettings { start, ..ValueSettings::default() };
            let values = Values::new(net.architecture().input, &settings, net.mean()).unwrap();
            let problem = Problem::new(values, &net).unwrap();
            let mut search = Search::new(problem.by_ref(), &search_settings()).unwrap();
            while search.finished().is_none() {
                search.step().unwrap();
            }
            let open = search.open_classes();
            assert_eq!(search.finished(), Some(Finished::AllClasses), "{start:?}: {open:?}");
            // What was kept scores the same as a picture of bytes.
            for class in 0..10 {
                let elite = search.state().archive.best(class).unwrap();
                let mut scores = [0.0; 10];
                net.log_odds(&problem.space().render(&elite.genome).pixels, &mut scores);
                assert_eq!(scores[..], elite.log_odds);
            }
        }
    }

    #[test]
    fn an_ascent_goes_up_and_survives_its_text() {
        let net = net();
        let values =
            Values::new(net.architecture().input, &ValueSettings::default(), net.mean()).unwrap();
        let mut image = values.sample(&mut stream(1, 0, 0, 0));
        let mut slope = vec![0.0; 784];
        let mut log_odds = |image: &RealImage| net.log_odds_and_gradient(&image.0, 3, &mut slope);
        let before = log_odds(&image);
        for _ in 0..10 {
            image = values.ascend(&image, &|values| net.gradient(values, 3)).unwrap();
        }
        assert!(log_odds(&image) > before + 1.0);
        let text = serde_json::to_string(&image).unwrap();
        assert_eq!(serde_json::from_str::<RealImage>(&text).unwrap(), image);
    }

    #[test]
    fn without_a_gradient_the_emitter_is_refused() {
        let net = net();
        let pixels =
            Pixels::new(net.architecture().input, &pixels::PixelSettings::default()).unwrap();
        let problem = Problem::new(pixels, &net).unwrap();
        assert!(Search::new(problem.by_ref(), &search_settings()).is_err());
        let absurd = ValueSettings { decay: f64::NAN, ..ValueSettings::default() };
        assert!(Values::new(net.architecture().input, &absurd, net.mean()).is_err());
        assert!(Values::new(net.architecture().input, &ValueSettings::default(), &[0.0]).is_err());
    }
}
