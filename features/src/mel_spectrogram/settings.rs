//! Settings of a mel spectrogram, by the names that descriptions of nets use.

use serde::{Deserialize, Serialize};

use super::bands::MelBands;
use super::compression::Compression;
use super::filters::Filters;
use super::patches::{Layout, Tail};
use crate::error::{Error, Result};

/// Longest FFT.
pub(super) const LONGEST_FFT: usize = 1 << 16;

/// Most values in one patch, and most samples that one patch covers.
const LARGEST_PATCH: usize = 1 << 26;

/// How sound becomes the input of a net: frames, spectrum, mel bands, compression, patches.
///
/// Keys that front ends disagree on are required. The others default to what most have:
/// an FFT as long as the frame, a periodic Hann window, power, no normalization, patches
/// side by side.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MelSettings {
    /// Samples under the window.
    pub frame: usize,
    /// Length of the FFT, an even number: at least `frame`, which it extends by zeros.
    /// Default: `frame`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fft: Option<usize>,
    /// Samples from one frame to the next.
    pub hop: usize,
    /// Window of the frames.
    #[serde(default)]
    pub window: Window,
    /// Whether frames are centred, and what lies beyond the ends of the sound.
    pub pad: Padding,
    /// Whether each frame's mean is subtracted from it.
    #[serde(default)]
    pub remove_dc: bool,
    /// Coefficient c of the pre-emphasis `x[n] - c x[n - 1]`, 0 to 1. As in Kaldi it acts on
    /// each frame by itself, after the mean is removed, and the first sample is its own
    /// predecessor.
    #[serde(default)]
    pub preemphasis: f64,
    /// What samples, full scale 1, are multiplied by.
    #[serde(default = "one")]
    pub scale: f64,
    /// Exponent of the magnitude: 1 or 2.
    #[serde(default = "two")]
    pub power: u8,
    /// The mel bands.
    pub mel: MelBands,
    /// Compression of the bands.
    pub log: Compression,
    /// Subtracted from every compressed value.
    #[serde(default)]
    pub mean: f64,
    /// What the difference is divided by.
    #[serde(default = "one")]
    pub deviation: f64,
    /// Frames in a patch.
    pub patch: usize,
    /// Frames from one patch to the next. Default: `patch`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub patch_hop: Option<usize>,
    /// What becomes of frames that do not fill a patch.
    #[serde(default)]
    pub tail: Tail,
    /// Order of the axes of the patches.
    #[serde(default)]
    pub layout: Layout,
}

fn one() -> f64 {
    1.0
}

fn two() -> u8 {
    2
}

/// Window of the frames.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Window {
    /// Periodic Hann window (librosa, TensorFlow, `torch.hann_window`).
    #[default]
    Hann,
    /// Symmetric Hann window, zero at both ends (Kaldi's `hanning`).
    HannSymmetric,
}

/// Whether frames are centred, and what lies beyond the ends of the sound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Padding {
    /// The first frame starts at the first sample and all frames lie inside the sound
    /// (TensorFlow, Kaldi with `snip_edges`).
    None,
    /// Frame i is centred at sample `i * hop`; silence lies beyond the ends (librosa).
    Zero,
    /// Frame i is centred at sample `i * hop`; the sound is mirrored at its first and last
    /// sample (torch, torchlibrosa).
    Reflect,
}

impl MelSettings {
    /// Length of the FFT.
    pub fn fft(&self) -> usize {
        self.fft.unwrap_or(self.frame)
    }

    /// Frames from one patch to the next.
    pub fn patch_hop(&self) -> usize {
        self.patch_hop.unwrap_or(self.patch)
    }

    /// # Errors
    /// [`Error::Setting`] naming the first value that sound of `rate` Hz cannot have.
    pub fn check(&self, rate: u32) -> Result<()> {
        if !(1_000..=384_000).contains(&rate) {
            return Err(Error::setting("rate", rate, "1000 to 384000 Hz"));
        }
        self.check_frames()?;
        Filters::new(&self.mel, self.fft(), rate)?;
        self.log.check()?;
        if !self.mean.is_finite() {
            return Err(Error::setting("mean", self.mean, "a finite number"));
        }
        if !(self.deviation.is_finite() && self.deviation.abs() >= 1e-30) {
            return Err(Error::setting(
                "deviation",
                self.deviation,
                "a finite number other than 0",
            ));
        }
        self.check_patches()
    }

    fn check_frames(&self) -> Result<()> {
        if !(2..=LONGEST_FFT).contains(&self.frame) {
            return Err(Error::setting("frame", self.frame, "2 to 65536 samples"));
        }
        if !(self.frame..=LONGEST_FFT).contains(&self.fft()) || !self.fft().is_multiple_of(2) {
            let range = "even, at least the frame's length and at most 65536";
            return Err(Error::setting("fft", self.fft(), range));
        }
        if self.hop == 0 || self.hop > LARGEST_PATCH {
            return Err(Error::setting("hop", self.hop, "1 to 67108864 samples"));
        }
        if !(0.0..=1.0).contains(&self.preemphasis) {
            return Err(Error::setting("preemphasis", self.preemphasis, "0 to 1"));
        }
        if !(1e-9..=1e9).contains(&self.scale) {
            return Err(Error::setting("scale", self.scale, "1e-9 to 1e9"));
        }
        if !(1..=2).contains(&self.power) {
            return Err(Error::setting("power", self.power, "1 (magnitudes) or 2 (power)"));
        }
        Ok(())
    }

    fn check_patches(&self) -> Result<()> {
        let most = LARGEST_PATCH / self.mel.bands.max(self.hop).max(1);
        if !(1..=most).contains(&self.patch) {
            let range =
                "at least 1 frame, with at most 67108864 values, over at most 67108864 samples";
            return Err(Error::setting("patch", self.patch, range));
        }
        if !(1..=LARGEST_PATCH).contains(&self.patch_hop()) {
            return Err(Error::setting("patch_hop", self.patch_hop(), "1 to 67108864 frames"));
        }
        if self.layout == Layout::Nt {
            let range = "ntm, n1tm, n1mt or ntm1: nt is the layout of waveforms";
            return Err(Error::setting("layout", "nt", range));
        }
        Ok(())
    }
}
