//! Stimuli as sound: read, cut, fade, write.

use std::path::Path;

use rand::RngExt;
use trompe_base::random::Stream;

use crate::error::{Error, Result};

/// Length of the fades at both ends, in seconds.
const FADE_SECONDS: f64 = 0.01;

/// Longest file that is taken, in frames: ten minutes at 48 kHz.
const LONGEST: u32 = 600 * 48_000;

/// Interleaved samples, nominally in [-1, 1].
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Sound {
    pub(crate) samples: Vec<f32>,
    pub(crate) channels: u16,
    pub(crate) rate: u32,
}

impl Sound {
    pub(crate) fn frames(&self) -> usize {
        self.samples.len() / usize::from(self.channels)
    }

    pub(crate) fn seconds(&self) -> f64 {
        self.frames() as f64 / f64::from(self.rate)
    }

    /// As [`Self::read`], mixed to mono, so that every item reaches both ears alike.
    pub(crate) fn read_mono(path: &Path) -> Result<Self> {
        let sound = Self::read(path)?;
        let channels = usize::from(sound.channels);
        let mono = sound
            .samples
            .chunks_exact(channels)
            .map(|frame| frame.iter().sum::<f32>() / channels as f32)
            .collect();
        Ok(Self { samples: mono, channels: 1, rate: sound.rate })
    }

    /// As [`Self::read`], one or two channels kept as they are.
    pub(crate) fn read_stereo(path: &Path) -> Result<Self> {
        let sound = Self::read(path)?;
        if sound.channels > 2 {
            return Err(Error::bad_file(
                path,
                format!("it has {} channels", sound.channels),
                "mix it to two channels or one",
            ));
        }
        Ok(sound)
    }

    /// Reads a WAV file of integers up to 32 bits or floats.
    fn read(path: &Path) -> Result<Self> {
        let bad = |what: String| Error::bad_file(path, what, "convert it to a 16-bit WAV file");
        let file = std::fs::File::open(path).map_err(|source| Error::io(path, source))?;
        let mut reader = hound::WavReader::new(std::io::BufReader::new(file))
            .map_err(|error| bad(format!("it is not a WAV file that can be read ({error})")))?;
        let spec = reader.spec();
        if spec.channels == 0 || spec.channels > 8 || !(4_000..=192_000).contains(&spec.sample_rate)
        {
            return Err(bad(format!(
                "{} channels at {} Hz are not a stimulus",
                spec.channels, spec.sample_rate
            )));
        }
        if reader.duration() > LONGEST {
            return Err(Error::bad_file(path, "it is longer than ten minutes", "cut it"));
        }
        let samples: Vec<f32> = match spec.sample_format {
            hound::SampleFormat::Float => reader.samples::<f32>().collect::<Result<_, _>>(),
            hound::SampleFormat::Int => {
                let scale = 1.0 / (1u64 << (spec.bits_per_sample - 1)) as f32;
                reader.samples::<i32>().map(|sample| Ok(sample? as f32 * scale)).collect()
            }
        }
        .map_err(|error: hound::Error| bad(format!("it breaks off or is damaged ({error})")))?;
        if samples.iter().any(|sample| !sample.is_finite()) {
            return Err(bad("it holds samples that are not numbers".into()));
        }
        Ok(Self { samples, channels: spec.channels, rate: spec.sample_rate })
    }

    /// The middle `seconds` of the sound, or all of it if it is shorter.
    pub(crate) fn middle(&self, seconds: f64) -> Self {
        let want = ((seconds * f64::from(self.rate)) as usize).min(self.frames());
        let channels = usize::from(self.channels);
        let start = (self.frames() - want) / 2 * channels;
        let samples = self.samples[start..start + want * channels].to_vec();
        Self { samples, ..*self }
    }

    /// Raised-cosine fades of 10 ms at both ends (shorter for very short sounds).
    pub(crate) fn fade(&mut self) {
        let frames = self.frames();
        let length = ((FADE_SECONDS * f64::from(self.rate)) as usize).min(frames / 2);
        let channels = usize::from(self.channels);
        for frame in 0..length {
            let phase = core::f64::consts::PI * (frame as f64 + 0.5) / length as f64;
            let gain = (0.5 - 0.5 * libm::cos(phase)) as f32;
            for channel in 0..channels {
                self.samples[frame * channels + channel] *= gain;
                self.samples[(frames - 1 - frame) * channels + channel] *= gain;
            }
        }
    }

    pub(crate) fn scale(&mut self, gain: f64) {
        for sample in &mut self.samples {
            *sample = (f64::from(*sample) * gain) as f32;
        }
    }

    /// Adds triangular dither of one 16-bit step, about -96 dB: two copies of a sound with
    /// dither of their own share neither bytes nor, mostly, samples.
    pub(crate) fn dither(&mut self, stream: &mut Stream) {
        const STEP: f32 = 1.0 / 32768.0;
        for sample in &mut self.samples {
            *sample += STEP * (stream.random::<f32>() - stream.random::<f32>());
        }
    }

    /// Writes 16-bit WAV without any metadata and gives back what was written.
    pub(crate) fn write(&self, path: &Path) -> Result<Self> {
        let spec = hound::WavSpec {
            channels: self.channels,
            sample_rate: self.rate,
            bits_per_sample: 16,
            sample_format: hound::SampleFormat::Int,
        };
        let failed = |error: hound::Error| match error {
            hound::Error::IoError(source) => Error::io(path, source),
            error => Error::bad_file(path, error.to_string(), "check the disk"),
        };
        let mut writer = hound::WavWriter::create(path, spec).map_err(failed)?;
        let mut written = Vec::with_capacity(self.samples.len());
        for &sample in &self.samples {
            let quantized = libm::rintf(sample * 32768.0).clamp(-32768.0, 32767.0);
            writer.write_sample(quantized as i16).map_err(failed)?;
            written.push(quantized / 32768.0);
        }
        writer.finalize().map_err(failed)?;
        Ok(Self { samples: written, ..*self })
    }
}
