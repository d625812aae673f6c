//! What a program says of itself.

use std::fmt::Formatter;

use serde::{Deserialize, Serialize};
use trompe_corpora::{ImageShape, Provenance};

use crate::victims::fixed_text::{Fixed, FixedText};
use crate::victims::outputs::Output;

/// Version of the protocol.
const PROTOCOL: u32 = 1;

/// Greatest rate, side, batch and length (an hour at the greatest rate) that are believed.
const MAX_RATE: u32 = 384_000;
const MAX_SIDE: usize = 4_096;
const MAX_BATCH: usize = 4_096;
const MAX_SAMPLES: usize = MAX_RATE as usize * 3_600;

/// The first line of a program.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hello {
    /// Version of the protocol: 1.
    trompe: u32,
    /// Class names, in the order of the scores.
    pub classes: Vec<String>,
    /// The sound that it takes.
    #[serde(default)]
    pub audio: Option<AudioTaken>,
    /// The images that it takes.
    #[serde(default)]
    pub image: Option<ImageShape>,
    /// What its scores are.
    pub output: Output,
    /// How inputs come to it.
    #[serde(default)]
    pub input: Takes,
    /// Most inputs of one question.
    #[serde(default = "one")]
    pub batch: usize,
    /// Fewest samples that it can score.
    #[serde(default = "one")]
    pub samples: usize,
    /// Time limit of one answer, in seconds; its first line may take two minutes.
    #[serde(default = "minute")]
    pub seconds: f64,
    /// Its version: it must change whenever its scores would.
    #[serde(default)]
    pub version: String,
    /// Name of the corpus that it was trained on.
    #[serde(default = "not_stated")]
    pub corpus: String,
    /// Where that corpus comes from.
    #[serde(default = "unstated")]
    pub provenance: Provenance,
}

/// The sound that a program takes.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AudioTaken {
    /// Sample rate in hertz.
    pub rate: u32,
}

/// How inputs come to a program.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Takes {
    /// As files, WAV or PNG.
    #[default]
    Paths,
    /// As samples of 16 bits.
    Pcm,
    /// As the content of PNG files.
    Png,
}

impl FixedText for Hello {
    fn write(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        let Self {
            trompe,
            classes,
            audio,
            image,
            output,
            input,
            batch,
            samples,
            seconds,
            version,
            corpus,
            provenance,
        } = self;
        f.debug_struct("Hello")
            .field("trompe", trompe)
            .field("classes", classes)
            .field("audio", &audio.as_ref().map(Fixed))
            .field("image", &image.as_ref().map(Fixed))
            .field("output", &Fixed(output))
            .field("input", &Fixed(input))
            .field("batch", batch)
            .field("samples", samples)
            .field("seconds", seconds)
            .field("version", version)
            .field("corpus", corpus)
            .field("provenance", &Fixed(provenance))
            .finish()
    }
}

impl FixedText for AudioTaken {
    fn write(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        let Self { rate } = self;
        f.debug_struct("AudioTaken").field("rate", rate).finish()
    }
}

impl FixedText for Takes {
    fn write(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Paths => "Paths",
            Self::Pcm => "Pcm",
            Self::Png => "Png",
        })
    }
}

fn one() -> usize {
    1
}

fn minute() -> f64 {
    60.0
}

fn not_stated() -> String {
    "not stated".to_owned()
}

fn unstated() -> Provenance {
    Provenance::Unstated
}

impl Hello {
    /// Reads the first line.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub(super) fn read(line: &str) -> Result<Self, String> {
        let hello: Self = serde_json::from_str(line).map_err(|error| error.to_string())?;
        if hello.trompe != PROTOCOL {
            return Err(format!("protocol {}, this trompe speaks {PROTOCOL}", hello.trompe));
        }
        let mut seen = std::collections::BTreeSet::new();
        if hello.classes.len() < 2 || !hello.classes.iter().all(|class| seen.insert(class)) {
            return Err("give two or more classes, all different".into());
        }
        if hello.classes.iter().any(|class| class.is_empty() || class.chars().any(char::is_control))
        {
            return Err("a class without a name".into());
        }
        let sides = |shape: &ImageShape| {
            [shape.width, shape.height].iter().all(|side| (1..=MAX_SIDE).contains(side))
                && matches!(shape.channels, 1 | 3)
        };
        match (&hello.audio, &hello.image, hello.input) {
            (Some(audio), None, Takes::Paths | Takes::Pcm)
                if (1..=MAX_RATE).contains(&audio.rate) => {}
            (None, Some(image), Takes::Paths | Takes::Png) if sides(image) => {}
            _ => {
                return Err(format!(
                    "say either audio (rate of 1 to {MAX_RATE}; input \"paths\" or \"pcm\") or image (sides \
                     of 1 to {MAX_SIDE}, 1 or 3 channels; input \"paths\" or \"png\")"
                ));
            }
        }
        if !(1..=MAX_BATCH).contains(&hello.batch) || !(1..=MAX_SAMPLES).contains(&hello.samples) {
            return Err(format!("a batch of 1 to {MAX_BATCH}, and samples of 1 to {MAX_SAMPLES}"));
        }
        if !(hello.seconds > 0.0 && hello.seconds <= 86_400.0) {
            return Err(format!("seconds = {}, not above 0 and up to a day", hello.seconds));
        }
        Ok(hello)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    const GOOD: &str =
        r#"{"trompe": 1, "classes": ["a", "b"], "audio": {"rate": 8000}, "output": "logits"}"#;

    #[test]
    fn every_fault_of_a_hello_is_named() {
        assert_eq!(Hello::read(GOOD).unwrap().batch, 1);
        for (from, to, expected) in [
            ("\"trompe\": 1", "\"trompe\": 2", "protocol 2"),
            ("[\"a\", \"b\"]", "[\"a\", \"a\"]", "all different"),
            ("8000", "0", "rate of 1"),
            ("\"logits\"", "\"votes\"", "votes"),
            (
                "\"audio\": {\"rate\": 8000}",
                "\"image\": {\"width\": 0, \"height\": 1, \"channels\": 1}",
                "sides",
            ),
            ("\"output\"", "\"batch\": 0, \"output\"", "batch"),
            ("\"output\"", "\"samples\": 4000000000, \"output\"", "samples of 1 to"),
            ("\"output\"", "\"seconds\": -1, \"output\"", "seconds"),
            ("\"output\"", "\"input\": \"png\", \"output\"", "pcm"),
            ("\"output\"", "\"colour\": 1, \"output\"", "colour"),
        ] {
            let text = GOOD.replace(from, to);
            let error = Hello::read(&text).unwrap_err();
            assert!(error.contains(expected), "{error} lacks {expected}");
        }
    }

    #[test]
    fn the_text_of_a_hello_is_that_of_every_version() {
        let text = |line: &str| format!("{:?}", Fixed(&Hello::read(line).unwrap()));
        assert_eq!(
            text(GOOD),
            "Hello { trompe: 1, classes: [\"a\", \"b\"], audio: Some(AudioTaken { rate: 8000 }), \
             image: None, output: Logits, input: Paths, batch: 1, samples: 1, seconds: 60.0, \
             version: \"\", corpus: \"not stated\", provenance: Unstated }"
        );
        let image = r#"{"trompe": 1, "classes": ["a", "b"], "output": "sigmoid", "input": "png", "batch": 7,
            "image": {"width": 28, "height": 27, "channels": 3}, "seconds": 2.5, "version": "2",
            "corpus": "MNIST", "provenance": "recorded"}"#;
        assert_eq!(
            text(image),
            "Hello { trompe: 1, classes: [\"a\", \"b\"], audio: None, image: Some(ImageShape { \
             width: 28, height: 27, channels: 3 }), output: Sigmoid, input: Png, batch: 7, samples: 1, \
             seconds: 2.5, version: \"2\", corpus: \"MNIST\", provenance: Recorded }"
        );
        assert_eq!(format!("{:?}", Fixed(&Takes::Pcm)), "Pcm");
    }
}
