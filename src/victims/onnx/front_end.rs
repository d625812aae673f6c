//! From samples to the patches that a net of sound takes.

use serde::{Deserialize, Serialize};
use toml::{Table, Value};
use trompe_features::mel_spectrogram::Tail;
use trompe_features::{MelSettings, MelSpectrogram, PRESETS, preset_rate, waveform_patches};

use crate::error::{Error, Result};
use crate::victims::outputs::{Combine, Output};

/// Greatest rate of a description, in hertz.
const MAX_RATE: u32 = 384_000;

/// The table `[audio]` of a description: how sound is put before a net, and what its output means.
///
/// | key | meaning |
/// |---|---|
/// | `rate` | samples a second |
/// | `input` | `"mel"` (the default) or `"waveform"` |
/// | `output` | what the net's output holds ([`Output`]) |
/// | `combine` | how outputs of several patches become one ([`Combine`]) |
/// | `preset` | the front end of a published net, whose keys may then be left out |
/// | all others | those of [`MelSettings`], or of [`WaveformSettings`] |
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(try_from = "Table")]
pub struct AudioInput {
    /// Sample rate in hertz.
    pub rate: u32,
    /// What the net is given.
    pub shown: Shown,
    /// How the outputs of several patches become those of the whole.
    pub combine: Combine,
    /// What the output holds.
    pub output: Output,
}

/// What a net is given.
#[derive(Debug, Clone, PartialEq)]
pub enum Shown {
    /// Patches of a mel spectrogram.
    Mel(Box<MelSettings>),
    /// Patches of the samples themselves.
    Waveform(WaveformSettings),
}

/// How samples become the input of a net.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WaveformSettings {
    /// What samples, full scale 1, are multiplied by.
    pub scale: f32,
    /// Subtracted from them.
    pub mean: f32,
    /// What the difference is divided by.
    pub deviation: f32,
    /// Samples of a patch; none for the whole sound.
    pub patch: Option<usize>,
    /// Samples from one patch to the next; none for the length of a patch.
    pub patch_hop: Option<usize>,
    /// What becomes of samples that do not fill a patch.
    pub tail: Tail,
    /// Order of the axes.
    pub layout: WaveformLayout,
}

/// Order of the axes of patches of samples.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WaveformLayout {
    /// `[N, T]`.
    #[default]
    Nt,
    /// `[N, 1, T]`.
    N1t,
}

impl Default for WaveformSettings {
    fn default() -> Self {
        Self {
            scale: 1.0,
            mean: 0.0,
            deviation: 1.0,
            patch: None,
            patch_hop: None,
            tail: Tail::Drop,
            layout: WaveformLayout::Nt,
        }
    }
}

/// Takes `key` out of a table; what is wrong with it, in words.
fn take<T: serde::de::DeserializeOwned>(table: &mut Table, key: &str) -> Result<Option<T>, String> {
    let Some(value) = table.remove(key) else { return Ok(None) };
    let read = value.try_into().map_err(|error| format!("audio.{key}: {}", one_line(&error)));
    read.map(Some)
}

fn one_line(error: &toml::de::Error) -> String {
    error.message().to_owned()
}

impl TryFrom<Table> for AudioInput {
    type Error = String;

    fn try_from(mut table: Table) -> Result<Self, String> {
        let preset: Option<String> = take(&mut table, "preset")?;
        let rate: Option<u32> = take(&mut table, "rate")?;
        let input: Option<String> = take(&mut table, "input")?;
        let combine = take(&mut table, "combine")?.unwrap_or_default();
        let output = take(&mut table, "output")?.ok_or(
            "audio.output is missing: say \"sigmoid\", \"sigmoid-logits\", \"probabilities\" or \"logits\"",
        )?;
        if let Some(preset) = &preset {
            let known = MelSettings::preset(preset).ok_or_else(|| {
                format!("audio.preset = {preset:?}: there are {}", PRESETS.join(", "))
            })?;
            table = over(Table::try_from(known).map_err(|error| error.to_string())?, table);
        }
        let rate =
            rate.or_else(|| preset_rate(preset.as_deref()?)).ok_or("audio.rate is missing")?;
        if rate == 0 || rate > MAX_RATE {
            return Err(format!("audio.rate = {rate}, not between 1 and {MAX_RATE}"));
        }
        let wrong = |error: toml::de::Error| format!("[audio]: {}", one_line(&error));
        let shown = match input.as_deref().unwrap_or("mel") {
            "mel" => Shown::Mel(Box::new(Value::Table(table).try_into().map_err(wrong)?)),
            "waveform" if preset.is_some() => {
                return Err(
                    "audio.preset is of mel spectrograms, audio.input is \"waveform\"".into()
                );
            }
            "waveform" => Shown::Waveform(Value::Table(table).try_into().map_err(wrong)?),
            other => return Err(format!("audio.input = {other:?}: say \"mel\" or \"waveform\"")),
        };
        Ok(Self { rate, shown, combine, output })
    }
}

/// The entries of `own`, over those of `base`; tables within are put together likewise.
fn over(mut base: Table, own: Table) -> Table {
    for (key, value) in own {
        match (base.remove(&key), value) {
            (Some(Value::Table(inner)), Value::Table(own)) => {
                base.insert(key, Value::Table(over(inner, own)));
            }
            (_, value) => {
                base.insert(key, value);
            }
        }
    }
    base
}

/// Makes the input of a net.
pub(super) enum FrontEnd {
    Mel(Box<MelSpectrogram>),
    Waveform(WaveformSettings),
}

impl FrontEnd {
    /// Plans the front end of a description.
    ///
    /// # Errors
    /// [`Error::Features`] or [`Error::Request`] for a setting out of range.
    pub(super) fn new(audio: &AudioInput) -> Result<Self> {
        match &audio.shown {
            Shown::Mel(settings) => {
                Ok(Self::Mel(Box::new(MelSpectrogram::new(settings, audio.rate)?)))
            }
            Shown::Waveform(settings) => {
                let WaveformSettings { scale, mean, deviation, .. } = settings;
                let finite = [scale, mean, deviation].iter().all(|value| value.is_finite());
                if !finite || *deviation == 0.0 {
                    return Err(Error::request(
                        "scale, mean and deviation must be finite, and the deviation not 0",
                        "correct them",
                    ));
                }
                if settings.patch == Some(0) || settings.patch_hop == Some(0) {
                    return Err(Error::request(
                        "patch and patch_hop must not be 0",
                        "correct them",
                    ));
                }
                Ok(Self::Waveform(settings.clone()))
            }
        }
    }

    /// Fewest samples that give a patch.
    pub(super) fn fewest_samples(&self) -> usize {
        match self {
            Self::Mel(mel) => mel.fewest_samples(),
            Self::Waveform(WaveformSettings { patch: Some(patch), tail: Tail::Drop, .. }) => *patch,
            Self::Waveform(_) => 1,
        }
    }

    /// All patches of the sound, one after the other, and their axes: the first counts them.
    ///
    /// # Errors
    /// What is wrong with the sound, in words.
    pub(super) fn patches(&self, samples: &[f32]) -> Result<(Vec<f32>, Vec<usize>), String> {
        let settings = match self {
            Self::Mel(mel) => return mel.patches(samples).map_err(|error| error.to_string()),
            Self::Waveform(settings) => settings,
        };
        let WaveformSettings { scale, mean, deviation, tail, layout, .. } = *settings;
        let patch = settings.patch.unwrap_or(samples.len());
        let hop = settings.patch_hop.unwrap_or(patch);
        let (mut values, shape) =
            waveform_patches(samples, patch, hop, tail).map_err(|error| error.to_string())?;
        for value in &mut values {
            *value = (*value * scale - mean) / deviation;
        }
        let axes = match layout {
            WaveformLayout::Nt => shape,
            WaveformLayout::N1t => vec![shape[0], 1, shape[1]],
        };
        Ok((values, axes))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn audio(text: &str) -> Result<AudioInput, String> {
        let table: Table = toml::from_str(text).unwrap();
        AudioInput::try_from(table)
    }

    const WRITTEN_OUT: &str = r#"
        rate = 16000
        input = "mel"
        frame = 512
        fft = 512
        hop = 256
        window = "hann"
        pad = "zero"
        remove_dc = false
        preemphasis = 0.0
        scale = 1.0
        power = 2
        mel = { bands = 96, scale = "slaney", norm = "slaney", triangles = "hertz", low = 0, high = 8000 }
        log = { kind = "log10", multiply = 10000, add = 1 }
        mean = 0
        deviation = 1
        patch = 187
        patch_hop = 187
        tail = "drop"
        layout = "ntm"
        combine = "mean"
        output = "sigmoid"
    "#;

    #[test]
    fn a_preset_is_what_can_be_written_out() {
        let patches = |audio: &AudioInput| {
            let front_end = FrontEnd::new(audio).unwrap();
            let sound: Vec<f32> = (0..front_end.fewest_samples() + 9_000)
                .map(|n| (n * 7 % 100) as f32 / 100.0 - 0.5)
                .collect();
            front_end.patches(&sound).unwrap()
        };
        let (long, short) =
            (audio(WRITTEN_OUT), audio("preset = \"musicnn\"\noutput = \"sigmoid\""));
        let (long, short) = (long.unwrap(), short.unwrap());
        assert_eq!((long.rate, long.output), (short.rate, short.output));
        let (values, axes) = patches(&short);
        assert_eq!(axes, [1, 187, 96]);
        assert_eq!(patches(&long).0, values);
        let other =
            "preset = \"musicnn\"\noutput = \"sigmoid\"\nlayout = \"n1mt\"\nmel = { bands = 32 }";
        assert_eq!(patches(&audio(other).unwrap()).1, [1, 1, 32, 187]);
    }

    #[test]
    fn waveforms_are_scaled_and_cut() {
        let text = "rate = 8000\ninput = \"waveform\"\npatch = 2\nscale = 2.0\nmean = 1.0\n\
                    layout = \"n1t\"\ntail = \"zero\"\noutput = \"logits\"";
        let front_end = FrontEnd::new(&audio(text).unwrap()).unwrap();
        let (values, axes) = front_end.patches(&[0.5, 0.25, 1.0]).unwrap();
        assert_eq!(axes, [2, 1, 2]);
        assert_eq!(values, [0.0, -0.5, 1.0, -1.0]);
        let whole = "rate = 8000\ninput = \"waveform\"\noutput = \"logits\"";
        let front_end = FrontEnd::new(&audio(whole).unwrap()).unwrap();
        assert_eq!(front_end.patches(&[0.5, 0.25, 1.0]).unwrap().1, [1, 3]);
    }

    #[test]
    fn every_fault_of_the_table_is_named() {
        for (from, to, expected) in [
            ("rate = 16000", "rate = 0", "audio.rate = 0"),
            ("input = \"mel\"", "input = \"cqt\"", "\"cqt\""),
            ("output = \"sigmoid\"", "output = \"tags\"", "audio.output"),
            ("output = \"sigmoid\"", "", "audio.output is missing"),
            ("combine = \"mean\"", "combine = \"sum\"", "audio.combine"),
            ("hop = 256", "hopp = 256", "hopp"),
            ("bands = 96", "bands = -1", "[audio]"),
            ("tail = \"drop\"", "preset = \"resnet\"", "musicnn, vggish"),
        ] {
            let text = WRITTEN_OUT.replace(from, to);
            assert_ne!(text, WRITTEN_OUT);
            let error = audio(&text).unwrap_err();
            assert!(error.contains(expected), "{error} lacks {expected}");
        }
        for (from, to) in [
            ("\n        hop = 256", "\n        hop = 0"),
            ("high = 8000", "high = 9000"),
            ("patch = 187", "patch = 0"),
        ] {
            let text = WRITTEN_OUT.replacen(from, to, 1);
            assert!(FrontEnd::new(&audio(&text).unwrap()).is_err(), "{to}");
        }
    }
}
