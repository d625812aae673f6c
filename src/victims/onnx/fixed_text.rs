//! The texts of descriptions of nets in fingerprints.

use std::fmt::{Formatter, Result};

use trompe_features::MelSettings;
use trompe_features::mel_spectrogram::{
    Compression, Highest, Layout as MelLayout, Logarithm, MelBands, MelNorm, MelScale, Padding,
    Reference, Tail, Triangles, Window,
};

use super::description::{Colour, Crops, ImageDescription, Layout, SoundDescription};
use super::front_end::{AudioInput, Shown, WaveformLayout, WaveformSettings};
use crate::victims::fixed_text::{Fixed, FixedText};

impl FixedText for ImageDescription {
    fn write(&self, f: &mut Formatter<'_>) -> Result {
        let Self {
            corpus,
            provenance,
            classes,
            width,
            height,
            colour,
            layout,
            mean,
            deviation,
            output,
            output_name,
            crops,
        } = self;
        f.debug_struct("Description")
            .field("corpus", corpus)
            .field("provenance", &Fixed(provenance))
            .field("classes", classes)
            .field("width", width)
            .field("height", height)
            .field("colour", &Fixed(colour))
            .field("layout", &Fixed(layout))
            .field("mean", mean)
            .field("deviation", deviation)
            .field("output", &Fixed(output))
            .field("output_name", output_name)
            .field("crops", &Fixed(crops))
            .finish()
    }
}

impl FixedText for Colour {
    fn write(&self, f: &mut Formatter<'_>) -> Result {
        f.write_str(match self {
            Self::Grey => "Grey",
            Self::Rgb => "Rgb",
            Self::Bgr => "Bgr",
        })
    }
}

impl FixedText for Layout {
    fn write(&self, f: &mut Formatter<'_>) -> Result {
        f.write_str(match self {
            Self::Nchw => "Nchw",
            Self::Nhwc => "Nhwc",
        })
    }
}

impl FixedText for Crops {
    fn write(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Self::Whole => f.write_str("Whole"),
            Self::Ten { width, height } => {
                f.debug_struct("Ten").field("width", width).field("height", height).finish()
            }
        }
    }
}

impl FixedText for SoundDescription {
    fn write(&self, f: &mut Formatter<'_>) -> Result {
        let Self { corpus, provenance, classes, output_name, audio } = self;
        f.debug_struct("SoundDescription")
            .field("corpus", corpus)
            .field("provenance", &Fixed(provenance))
            .field("classes", classes)
            .field("output_name", output_name)
            .field("audio", &Fixed(audio))
            .finish()
    }
}

impl FixedText for AudioInput {
    fn write(&self, f: &mut Formatter<'_>) -> Result {
        let Self { rate, shown, combine, output } = self;
        f.debug_struct("AudioInput")
            .field("rate", rate)
            .field("shown", &Fixed(shown))
            .field("combine", &Fixed(combine))
            .field("output", &Fixed(output))
            .finish()
    }
}

impl FixedText for Shown {
    fn write(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Self::Mel(settings) => f.debug_tuple("Mel").field(&Fixed(&**settings)).finish(),
            Self::Waveform(settings) => f.debug_tuple("Waveform").field(&Fixed(settings)).finish(),
        }
    }
}

impl FixedText for WaveformSettings {
    fn write(&self, f: &mut Formatter<'_>) -> Result {
        let Self { scale, mean, deviation, patch, patch_hop, tail, layout } = self;
        f.debug_struct("WaveformSettings")
            .field("scale", scale)
            .field("mean", mean)
            .field("deviation", deviation)
            .field("patch", patch)
            .field("patch_hop", patch_hop)
            .field("tail", &Fixed(tail))
            .field("layout", &Fixed(layout))
            .finish()
    }
}

impl FixedText for WaveformLayout {
    fn write(&self, f: &mut Formatter<'_>) -> Result {
        f.write_str(match self {
            Self::Nt => "Nt",
            Self::N1t => "N1t",
        })
    }
}

impl FixedText for MelSettings {
    fn write(&self, f: &mut Formatter<'_>) -> Result {
        let Self {
            frame,
            fft,
            hop,
            window,
            pad,
            remove_dc,
            preemphasis,
            scale,
            power,
            mel,
            log,
            mean,
            deviation,
            patch,
            patch_hop,
            tail,
            layout,
        } = self;
        f.debug_struct("MelSettings")
            .field("frame", frame)
            .field("fft", fft)
            .field("hop", hop)
            .field("window", &Fixed(window))
            .field("pad", &Fixed(pad))
            .field("remove_dc", remove_dc)
            .field("preemphasis", preemphasis)
            .field("scale", scale)
            .field("power", power)
            .field("mel", &Fixed(mel))
            .field("log", &Fixed(log))
            .field("mean", mean)
            .field("deviation", deviation)
            .field("patch", patch)
            .field("patch_hop", patch_hop)
            .field("tail", &Fixed(tail))
            .field("layout", &Fixed(layout))
            .finish()
    }
}

impl FixedText for Window {
    fn write(&self, f: &mut Formatter<'_>) -> Result {
        f.write_str(match self {
            Self::Hann => "Hann",
            Self::HannSymmetric => "HannSymmetric",
        })
    }
}

impl FixedText for Padding {
    fn write(&self, f: &mut Formatter<'_>) -> Result {
        f.write_str(match self {
            Self::None => "None",
            Self::Zero => "Zero",
            Self::Reflect => "Reflect",
        })
    }
}

impl FixedText for MelBands {
    fn write(&self, f: &mut Formatter<'_>) -> Result {
        let Self { bands, scale, norm, triangles, low, high, empty } = self;
        f.debug_struct("MelBands")
            .field("bands", bands)
            .field("scale", &Fixed(scale))
            .field("norm", &Fixed(norm))
            .field("triangles", &triangles.as_ref().map(Fixed))
            .field("low", low)
            .field("high", high)
            .field("empty", empty)
            .finish()
    }
}

impl FixedText for MelScale {
    fn write(&self, f: &mut Formatter<'_>) -> Result {
        f.write_str(match self {
            Self::Slaney => "Slaney",
            Self::Htk => "Htk",
            Self::Kaldi => "Kaldi",
        })
    }
}

impl FixedText for MelNorm {
    fn write(&self, f: &mut Formatter<'_>) -> Result {
        f.write_str(match self {
            Self::Slaney => "Slaney",
            Self::None => "None",
        })
    }
}

impl FixedText for Triangles {
    fn write(&self, f: &mut Formatter<'_>) -> Result {
        f.write_str(match self {
            Self::Hertz => "Hertz",
            Self::Mel => "Mel",
        })
    }
}

impl FixedText for Compression {
    fn write(&self, f: &mut Formatter<'_>) -> Result {
        let Self { kind, multiply, add, floor, reference, top_db } = self;
        f.debug_struct("Compression")
            .field("kind", &Fixed(kind))
            .field("multiply", multiply)
            .field("add", add)
            .field("floor", floor)
            .field("reference", &reference.as_ref().map(Fixed))
            .field("top_db", top_db)
            .finish()
    }
}

impl FixedText for Logarithm {
    fn write(&self, f: &mut Formatter<'_>) -> Result {
        f.write_str(match self {
            Self::None => "None",
            Self::Ln => "Ln",
            Self::Log10 => "Log10",
            Self::Db => "Db",
        })
    }
}

impl FixedText for Reference {
    fn write(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Self::Value(value) => f.debug_tuple("Value").field(value).finish(),
            Self::Highest(Highest::Max) => f.write_str("Highest(Max)"),
        }
    }
}

impl FixedText for Tail {
    fn write(&self, f: &mut Formatter<'_>) -> Result {
        f.write_str(match self {
            Self::Drop => "Drop",
            Self::Zero => "Zero",
            Self::Silence => "Silence",
            Self::Repeat => "Repeat",
            Self::RepeatWhole => "RepeatWhole",
        })
    }
}

impl FixedText for MelLayout {
    fn write(&self, f: &mut Formatter<'_>) -> Result {
        f.write_str(match self {
            Self::Ntm => "Ntm",
            Self::N1tm => "N1tm",
            Self::N1mt => "N1mt",
            Self::Ntm1 => "Ntm1",
            Self::Nt => "Nt",
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use trompe_corpora::Provenance;

    use super::*;
    use crate::victims::outputs::{Combine, Output};

    fn text(settings: &impl FixedText) -> String {
        format!("{:?}", Fixed(settings))
    }

    #[test]
    fn the_text_of_a_net_of_sound_is_that_of_every_version() {
        let mel: SoundDescription = toml::from_str(
            r#"
            corpus = "a \"b\""
            provenance = "recorded"
            classes = "c.txt"
            output_name = "o"
            [audio]
            rate = 16000
            frame = 400
            fft = 512
            hop = 160
            window = "hann-symmetric"
            pad = "reflect"
            remove_dc = true
            preemphasis = 0.97
            scale = 32768.0
            power = 1
            mel = { bands = 64, scale = "kaldi", norm = "none", triangles = "hertz", low = 20, high = 7500.5, empty = true }
            log = { kind = "db", multiply = 2.0, add = 1e-10, floor = 1e-10, reference = "max", top_db = 80 }
            mean = -4.25
            deviation = 1e-7
            patch = 96
            patch_hop = 48
            tail = "repeat-whole"
            layout = "n1mt"
            combine = "median"
            output = "sigmoid-logits"
            "#,
        )
        .unwrap();
        assert_eq!(
            text(&mel),
            "SoundDescription { corpus: \"a \\\"b\\\"\", provenance: Recorded, classes: \"c.txt\", \
             output_name: Some(\"o\"), audio: AudioInput { rate: 16000, shown: Mel(MelSettings { \
             frame: 400, fft: Some(512), hop: 160, window: HannSymmetric, pad: Reflect, remove_dc: true, \
             preemphasis: 0.97, scale: 32768.0, power: 1, mel: MelBands { bands: 64, scale: Kaldi, \
             norm: None, triangles: Some(Hertz), low: 20.0, high: Some(7500.5), empty: true }, \
             log: Compression { kind: Db, multiply: 2.0, add: 1e-10, floor: 1e-10, \
             reference: Some(Highest(Max)), top_db: Some(80.0) }, mean: -4.25, deviation: 1e-7, \
             patch: 96, patch_hop: Some(48), tail: RepeatWhole, layout: N1mt }), combine: Median, \
             output: SigmoidLogits } }"
        );
        let waveform: SoundDescription = toml::from_str(
            "classes = \"c.txt\"\n[audio]\nrate = 8000\ninput = \"waveform\"\npatch = 3\n\
             output = \"logits\"",
        )
        .unwrap();
        assert_eq!(
            text(&waveform),
            "SoundDescription { corpus: \"not stated\", provenance: Unstated, classes: \"c.txt\", \
             output_name: None, audio: AudioInput { rate: 8000, shown: Waveform(WaveformSettings { \
             scale: 1.0, mean: 0.0, deviation: 1.0, patch: Some(3), patch_hop: None, tail: Drop, \
             layout: Nt }), combine: Mean, output: Logits } }"
        );
    }

    #[test]
    fn the_text_of_a_net_of_images_is_that_of_every_version() {
        let description: ImageDescription = toml::from_str(
            r#"
            classes = "c.txt"
            width = 227
            height = 224
            colour = "bgr"
            layout = "nhwc"
            mean = [104.0, 117.5, 123]
            deviation = [1, 1, 0.5]
            output = "probabilities"
            crops = { kind = "ten", width = 256, height = 255 }
            "#,
        )
        .unwrap();
        assert_eq!(
            text(&description),
            "Description { corpus: \"not stated\", provenance: Unstated, classes: \"c.txt\", \
             width: 227, height: 224, colour: Bgr, layout: Nhwc, mean: [104.0, 117.5, 123.0], \
             deviation: [1.0, 1.0, 0.5], output: Probabilities, output_name: None, \
             crops: Ten { width: 256, height: 255 } }"
        );
    }

    #[test]
    fn the_texts_of_names_are_those_of_every_version() {
        let all = [
            text(&Provenance::Recorded),
            text(&Provenance::Rendered),
            text(&Provenance::Synthetic),
            text(&Provenance::Unstated),
            text(&Output::Logits),
            text(&Output::Probabilities),
            text(&Output::Sigmoid),
            text(&Output::SigmoidLogits),
            text(&Output::LogOdds),
            text(&Combine::Mean),
            text(&Combine::Max),
            text(&Combine::Median),
            text(&Colour::Grey),
            text(&Colour::Rgb),
            text(&Colour::Bgr),
            text(&Layout::Nchw),
            text(&Layout::Nhwc),
            text(&Crops::Whole),
            text(&WaveformLayout::Nt),
            text(&WaveformLayout::N1t),
            text(&Window::Hann),
            text(&Window::HannSymmetric),
            text(&Padding::None),
            text(&Padding::Zero),
            text(&Padding::Reflect),
            text(&MelScale::Slaney),
            text(&MelScale::Htk),
            text(&MelScale::Kaldi),
            text(&MelNorm::Slaney),
            text(&MelNorm::None),
            text(&Triangles::Hertz),
            text(&Triangles::Mel),
            text(&Logarithm::None),
            text(&Logarithm::Ln),
            text(&Logarithm::Log10),
            text(&Logarithm::Db),
            text(&Reference::Value(0.5)),
            text(&Tail::Drop),
            text(&Tail::Zero),
            text(&Tail::Silence),
            text(&Tail::Repeat),
            text(&Tail::RepeatWhole),
            text(&MelLayout::Ntm),
            text(&MelLayout::N1tm),
            text(&MelLayout::N1mt),
            text(&MelLayout::Ntm1),
            text(&MelLayout::Nt),
        ];
        assert_eq!(
            all.join(" "),
            "Recorded Rendered Synthetic Unstated Logits Probabilities Sigmoid SigmoidLogits LogOdds \
             Mean Max Median Grey Rgb Bgr Nchw Nhwc Whole Nt N1t Hann HannSymmetric None Zero Reflect \
             Slaney Htk Kaldi Slaney None Hertz Mel None Ln Log10 Db Value(0.5) Drop Zero Silence \
             Repeat RepeatWhole Ntm N1tm N1mt Ntm1 Nt"
        );
    }
}
