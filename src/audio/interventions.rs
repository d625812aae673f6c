//! Fixed changes that no listener takes for a change of genre, as later work tried them: the
//! share of labels that follow them tells what a system listens to.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::Serialize;
use trompe_corpora::{Limits, read_mono, wav};

use super::butterworth::{Pass, butterworth};
use super::tempo::change_tempo;
use crate::error::{Error, Result};

/// A fixed change of a clip.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Intervention {
    /// Butterworth high-pass of order 6 at so many hertz (-3 dB). Rodriguez-Algarra, Sturm &
    /// Maruri-Aguilar (ISMIR 2016) ask for 40 Hz passed and 20 Hz stopped by 30 dB, which
    /// takes that order.
    HighPass(f64),
    /// Butterworth low-pass of order 4 at so many hertz (Kereliuk, Sturm & Larsen 2015).
    LowPass(f64),
    /// Played so many times as fast, at the same pitch ("The horse inside": at most 6 %).
    Tempo(f64),
    /// Rounded to 16 bits, as a file is.
    SixteenBits,
    /// Encoded as MP3 of so many kbit/s by a program on this machine, and decoded again.
    Mp3(u32),
}

/// The interventions of the report, in its order.
pub const INTERVENTIONS: [Intervention; 7] = [
    Intervention::HighPass(20.0),
    Intervention::HighPass(40.0),
    Intervention::LowPass(9_000.0),
    Intervention::Tempo(0.94),
    Intervention::Tempo(1.06),
    Intervention::SixteenBits,
    Intervention::Mp3(128),
];

/// A program that encodes MP3.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mp3Encoder {
    /// LAME.
    Lame,
    /// FFmpeg with its LAME library.
    Ffmpeg,
}

impl Mp3Encoder {
    /// The first that runs on this machine.
    pub fn find() -> Option<Self> {
        let runs = |encoder: &Self| {
            let (program, version) = match encoder {
                Self::Lame => ("lame", "--version"),
                Self::Ffmpeg => ("ffmpeg", "-version"),
            };
            let run = Command::new(program)
                .arg(version)
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .status();
            run.is_ok_and(|status| status.success())
        };
        [Self::Lame, Self::Ffmpeg].into_iter().find(runs)
    }

    fn command(&self, kilobits: u32, from: &Path, to: &Path) -> Command {
        let mut command;
        match self {
            Self::Lame => {
                command = Command::new("lame");
                command.args(["--quiet", "-b", &kilobits.to_string()]).args([from, to]);
            }
            Self::Ffmpeg => {
                command = Command::new("ffmpeg");
                command.args(["-loglevel", "error", "-y", "-i"]).arg(from);
                command.args(["-b:a", &format!("{kilobits}k")]).arg(to);
            }
        }
        command.stdin(Stdio::null());
        command
    }
}

impl Intervention {
    /// Name for tables.
    pub fn name(self) -> String {
        match self {
            Self::HighPass(hertz) => format!("high-pass {hertz} Hz"),
            Self::LowPass(hertz) => format!("low-pass {hertz} Hz"),
            Self::Tempo(factor) => format!("tempo {:+.0} %", 100.0 * (factor - 1.0)),
            Self::SixteenBits => "16 bits".to_owned(),
            Self::Mp3(kilobits) => format!("MP3 {kilobits} kbit/s"),
        }
    }

    /// The clip changed; `None` where this machine has no encoder for it.
    ///
    /// # Errors
    /// If an encoder was found and failed.
    pub fn apply(
        self,
        samples: &[f32],
        sample_rate: u32,
        encoder: Option<&Mp3Encoder>,
    ) -> Result<Option<Vec<f32>>> {
        let rate = f64::from(sample_rate);
        Ok(Some(match self {
            Self::HighPass(hertz) => butterworth(samples, Pass::High, 6, hertz, rate),
            Self::LowPass(hertz) if hertz >= 0.499 * rate => samples.to_vec(),
            Self::LowPass(hertz) => butterworth(samples, Pass::Low, 4, hertz, rate),
            Self::Tempo(factor) => change_tempo(samples, factor, rate),
            Self::SixteenBits => wav::dequantize(&wav::quantize(samples)),
            Self::Mp3(kilobits) => {
                let Some(encoder) = encoder else { return Ok(None) };
                mp3(samples, sample_rate, kilobits, encoder)?
            }
        }))
    }
}

fn mp3(samples: &[f32], rate: u32, kilobits: u32, encoder: &Mp3Encoder) -> Result<Vec<f32>> {
    let folder = tempfile::tempdir().map_err(|e| Error::io(std::env::temp_dir(), e))?;
    let (from, to): (PathBuf, PathBuf) =
        (folder.path().join("clip.wav"), folder.path().join("clip.mp3"));
    wav::write(&from, &wav::quantize(samples), rate)?;
    let output = encoder.command(kilobits, &from, &to).output().map_err(|e| Error::io(&to, e))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        return Err(Error::request(
            format!("the MP3 encoder failed: {said}"),
            "repair or remove it; without one that part is skipped",
        ));
    }
    Ok(read_mono(&to, rate, &Limits::default())?.samples)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn every_intervention_leaves_a_clip_of_about_its_length() {
        let samples: Vec<f32> = (0..44_100)
            .map(|n| 0.4 * (n as f32 * 0.05).sin() + 0.1 * (n as f32 * 0.9).sin())
            .collect();
        let encoder = Mp3Encoder::find();
        for intervention in INTERVENTIONS {
            let Some(changed) = intervention.apply(&samples, 22_050, encoder.as_ref()).unwrap()
            else {
                assert_eq!((intervention, &encoder), (Intervention::Mp3(128), &None));
                continue;
            };
            let length = changed.len() as f64 / samples.len() as f64;
            assert!((0.9..1.1).contains(&length), "{}: {length}", intervention.name());
            assert!(changed.iter().all(|x| x.is_finite()));
        }
        let rounded = Intervention::SixteenBits.apply(&samples, 22_050, None).unwrap().unwrap();
        assert!(samples.iter().zip(&rounded).all(|(a, b)| (a - b).abs() <= 0.5 / 32_768.0));
    }
}
