//! Front ends of published nets.

use super::bands::{MelBands, MelNorm, MelScale, Triangles};
use super::compression::{Compression, Logarithm};
use super::patches::{Layout, Tail};
use super::settings::{MelSettings, Padding, Window};

/// Names of the presets.
pub const PRESETS: [&str; 6] = ["musicnn", "vggish", "yamnet", "panns", "ast", "clap"];

/// The sample rate in hertz of a preset; `None` for a name that is not in [`PRESETS`].
pub fn preset_rate(name: &str) -> Option<u32> {
    match name {
        "musicnn" | "vggish" | "yamnet" | "ast" => Some(16_000),
        "panns" => Some(32_000),
        "clap" => Some(48_000),
        _ => None,
    }
}

impl MelSettings {
    /// The front end of a published net, at the rate [`preset_rate`] gives; `None` for a name
    /// that is not in [`PRESETS`].
    ///
    /// - `musicnn`: Pons & Serra, *musicnn* (2019), `extractor.py` of the package, without
    ///   its rounding to half precision.
    /// - `vggish`: Hershey et al., *CNN architectures for large-scale audio classification*
    ///   (ICASSP 2017), `mel_features.py` in tensorflow/models.
    /// - `yamnet`: `features.py` in tensorflow/models; the waveform is padded with silence.
    /// - `panns`: Kong et al., *PANNs* (2020), Cnn14 at 32 kHz. Its front end is part of the
    ///   published net; this is for nets that were exported without it. Clips of ten seconds.
    /// - `ast`: Gong, Chung & Glass, *AST* (Interspeech 2021), `dataloader.py`: filter banks
    ///   after Kaldi, padded with zeros to 1,024 frames.
    /// - `clap`: Wu et al., *Large-scale contrastive language-audio pretraining* (ICASSP 2023)
    ///   as `laion/clap-htsat-unfused` has it; nets with feature fusion have `htk` bands
    ///   without norm and take four channels.
    pub fn preset(name: &str) -> Option<Self> {
        match name {
            "musicnn" => Some(musicnn()),
            "vggish" => Some(vggish()),
            "yamnet" => Some(yamnet()),
            "panns" => Some(panns()),
            "ast" => Some(ast()),
            "clap" => Some(clap()),
            _ => None,
        }
    }
}

fn musicnn() -> MelSettings {
    MelSettings {
        frame: 512,
        fft: None,
        hop: 256,
        window: Window::Hann,
        pad: Padding::Zero,
        remove_dc: false,
        preemphasis: 0.0,
        scale: 1.0,
        power: 2,
        mel: bands(96, MelScale::Slaney, MelNorm::Slaney, 0.0, 8_000.0),
        log: Compression { multiply: 10_000.0, add: 1.0, ..logarithm(Logarithm::Log10, 0.0) },
        mean: 0.0,
        deviation: 1.0,
        patch: 187,
        patch_hop: None,
        tail: Tail::Drop,
        layout: Layout::Ntm,
    }
}

fn vggish() -> MelSettings {
    MelSettings {
        frame: 400,
        fft: Some(512),
        hop: 160,
        pad: Padding::None,
        power: 1,
        mel: MelBands {
            triangles: Some(Triangles::Mel),
            ..bands(64, MelScale::Htk, MelNorm::None, 125.0, 7_500.0)
        },
        log: Compression { add: 0.01, ..logarithm(Logarithm::Ln, 0.0) },
        patch: 96,
        ..musicnn()
    }
}

fn yamnet() -> MelSettings {
    MelSettings {
        log: Compression { add: 0.001, ..logarithm(Logarithm::Ln, 0.0) },
        patch_hop: Some(48),
        tail: Tail::Silence,
        ..vggish()
    }
}

fn panns() -> MelSettings {
    MelSettings {
        frame: 1_024,
        hop: 320,
        pad: Padding::Reflect,
        mel: bands(64, MelScale::Slaney, MelNorm::Slaney, 50.0, 14_000.0),
        log: logarithm(Logarithm::Db, 1e-10),
        patch: 1_001,
        patch_hop: Some(1_000),
        tail: Tail::Silence,
        layout: Layout::N1tm,
        ..musicnn()
    }
}

fn ast() -> MelSettings {
    MelSettings {
        frame: 400,
        fft: Some(512),
        hop: 160,
        window: Window::HannSymmetric,
        pad: Padding::None,
        remove_dc: true,
        preemphasis: 0.97,
        mel: MelBands { empty: true, ..bands(128, MelScale::Kaldi, MelNorm::None, 20.0, 8_000.0) },
        log: logarithm(Logarithm::Ln, f64::from(f32::EPSILON)),
        mean: -4.267_739_3,
        deviation: 2.0 * 4.568_997_4,
        patch: 1_024,
        tail: Tail::Zero,
        ..musicnn()
    }
}

fn clap() -> MelSettings {
    MelSettings { hop: 480, tail: Tail::RepeatWhole, ..panns() }
}

fn bands(bands: usize, scale: MelScale, norm: MelNorm, low: f64, high: f64) -> MelBands {
    MelBands { bands, scale, norm, triangles: None, low, high: Some(high), empty: false }
}

fn logarithm(kind: Logarithm, floor: f64) -> Compression {
    Compression { kind, multiply: 1.0, add: 0.0, floor, reference: None, top_db: None }
}
