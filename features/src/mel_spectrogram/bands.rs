//! Settings of mel bands.

use serde::{Deserialize, Serialize};

/// The mel bands: triangles, equally spaced and equally wide on the mel scale.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MelBands {
    /// Number of bands.
    pub bands: usize,
    /// The mel scale.
    pub scale: MelScale,
    /// Height of the triangles.
    pub norm: MelNorm,
    /// Where the sides of the triangles are straight. Default: in hertz; in mel on Kaldi's
    /// scale, which has no others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub triangles: Option<Triangles>,
    /// Lower edge of the lowest band in hertz. Default: 0.
    #[serde(default)]
    pub low: f64,
    /// Upper edge of the highest band in hertz. Default: half of the sample rate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub high: Option<f64>,
    /// Whether bands may hold no bin of the FFT, as some of AST's do. Such a band is always
    /// at the floor. Default: an error.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub empty: bool,
}

/// A mel scale.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MelScale {
    /// Linear up to 1 kHz, logarithmic above (Slaney 1998; librosa's default).
    Slaney,
    /// `2595 log10(1 + f / 700)` (O'Shaughnessy 1987; HTK, TensorFlow, torchaudio).
    Htk,
    /// `1127 ln(1 + f / 700)`, HTK's scale up to a factor, with triangles linear in mel.
    Kaldi,
}

/// Height of the triangles.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MelNorm {
    /// Unit area over hertz: height `2 / (upper - lower edge)`.
    Slaney,
    /// Height 1.
    None,
}

/// Where the sides of the triangles are straight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Triangles {
    /// Over hertz (librosa, torchaudio).
    Hertz,
    /// Over mel (VGGish, YAMNet, Kaldi).
    Mel,
}

impl MelBands {
    /// Where the sides of the triangles are straight.
    pub fn triangles(&self) -> Triangles {
        self.triangles.unwrap_or(match self.scale {
            MelScale::Kaldi => Triangles::Mel,
            MelScale::Slaney | MelScale::Htk => Triangles::Hertz,
        })
    }

    /// Upper edge of the highest band for sound of `rate` Hz.
    pub fn high(&self, rate: u32) -> f64 {
        self.high.unwrap_or(f64::from(rate) / 2.0)
    }
}
