//! From a path or clip to mono audio at the wanted rate, and the record of what was skipped.

use std::path::{Path, PathBuf};

use trompe_base::Result;

use crate::audio::Audio;
use crate::corpus::Clip;
use crate::decode::{Gap, decode, decode_concealed, decode_range};
use crate::limits::Limits;
use crate::resample::resample_to_hear;

/// A file that was left out because the user allowed it, and why: always shown, never silent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// The file.
    pub path: PathBuf,
    /// The error it gave.
    pub why: String,
}

/// A whole file as mono audio at `rate` hertz. A mono 16-bit file of that rate comes back as
/// its integers over 32,768, exactly.
///
/// # Errors
/// As [`decode`](crate::decode::decode()) and [`resample`](crate::resample::resample()).
pub fn read_mono(path: &Path, rate: u32, limits: &Limits) -> Result<Audio> {
    resample_to_hear(decode(path, limits)?, rate)
}

impl Clip {
    /// The clip's audio, mono, at the file's own rate.
    ///
    /// # Errors
    /// As [`decode_range`], and as [`decode_concealed`] if the clip is to be concealed.
    pub fn decode(&self, limits: &Limits) -> Result<Audio> {
        Ok(self.decode_with_gaps(limits)?.0)
    }

    /// The same, and where silence stands for damaged or missing frames.
    ///
    /// # Errors
    /// As [`Clip::decode`].
    pub fn decode_with_gaps(&self, limits: &Limits) -> Result<(Audio, Vec<Gap>)> {
        match self.conceal {
            true => decode_concealed(&self.path, self.start, self.end, limits),
            false => {
                let audio = decode_range(&self.path, self.start, self.end, limits)?;
                Ok((audio, Vec::new()))
            }
        }
    }

    /// The clip's audio, mono, at `rate` hertz.
    ///
    /// # Errors
    /// As [`read_mono`]; also if the file ends before the clip does.
    pub fn read(&self, rate: u32, limits: &Limits) -> Result<Audio> {
        Ok(self.read_with_gaps(rate, limits)?.0)
    }

    /// The same, and where silence stands for damaged or missing frames.
    ///
    /// # Errors
    /// As [`Clip::read`].
    pub fn read_with_gaps(&self, rate: u32, limits: &Limits) -> Result<(Audio, Vec<Gap>)> {
        let (audio, gaps) = self.decode_with_gaps(limits)?;
        Ok((resample_to_hear(audio, rate)?, gaps))
    }
}

/// What was concealed in a file, in a sentence.
pub fn concealed(path: &Path, gaps: &[Gap]) -> String {
    const SHOWN: usize = 5;
    let mut shown: Vec<String> = gaps.iter().take(SHOWN).map(Gap::to_string).collect();
    if gaps.len() > SHOWN {
        shown.push(format!("{} more", gaps.len() - SHOWN));
    }
    format!("{}: damaged or missing, read as silence: {}", path.display(), shown.join(", "))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::signal::{level_at, sine};
    use crate::wav;

    #[test]
    fn audio_at_the_wanted_rate_is_its_integers_exactly() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.wav");
        let integers = wav::quantize(&sine(22_050, 997.0, 0.9, 1.0));
        wav::write(&path, &integers, 22_050).unwrap();
        let audio = read_mono(&path, 22_050, &Limits::default()).unwrap();
        assert_eq!(audio.samples, wav::dequantize(&integers));
        assert_eq!(wav::quantize(&audio.samples), integers);
    }

    #[test]
    fn a_clip_of_another_rate_is_cut_then_resampled() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.wav");
        for rate in [8_000, 44_100, 192_000] {
            wav::write(&path, &wav::quantize(&sine(rate, 1000.0, 0.5, 2.0)), rate).unwrap();
            let clip = Clip { start: 0.75, end: Some(1.75), ..Clip::new("x", &path, 0) };
            let audio = clip.read(22_050, &Limits::default()).unwrap();
            assert_eq!((audio.samples.len(), audio.sample_rate), (22_050, 22_050));
            let level = level_at(&audio.samples[2205..19_845], 22_050, 1000.0);
            assert!((level - 0.5).abs() < 1e-3, "{rate} Hz: {level}");
        }
    }
}
