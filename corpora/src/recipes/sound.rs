//! Levels, and the one form in which rendered sound is kept: 16-bit mono WAV.

use std::path::Path;

use trompe_base::{Error, Result};

use crate::midi::SAMPLE_RATE;

/// Peak of everything rendered: -1 dB of full scale, 10^(-1/20).
const PEAK: f32 = 0.891_250_9;
/// A peak below this (-54 dB of full scale) is silence.
const SILENT_PEAK: f32 = 0.002;
/// A stretch whose root mean square is below this share of the peak (-60 dB) is a pause.
const PAUSE: f32 = 0.001;

/// Samples (5 ms) over which a loop's end passes into what was heard before its beginning,
/// so that no click stands at the seam.
pub(crate) const SEAM: usize = 110;

/// The loop that follows the first [`SEAM`] samples of `sound`; its end fades into them.
pub(crate) fn seamless(sound: &[f32]) -> Vec<f32> {
    let (before, inside) = sound.split_at(SEAM.min(sound.len()));
    let mut samples = inside.to_vec();
    let start = samples.len().saturating_sub(SEAM);
    for (index, (sample, earlier)) in samples[start..].iter_mut().zip(before).enumerate() {
        let share = (index + 1) as f32 / SEAM as f32;
        *sample += share * (earlier - *sample);
    }
    samples
}

/// The largest magnitude.
pub(crate) fn peak(samples: &[f32]) -> f32 {
    samples.iter().fold(0.0, |peak, sample| peak.max(sample.abs()))
}

/// Whether the sound is unusable: silent, not finite, or with pauses (silent half seconds) in more than half
/// of its time.
pub(crate) fn is_silent(samples: &[f32]) -> bool {
    let peak = peak(samples);
    if peak < SILENT_PEAK || samples.iter().any(|sample| !sample.is_finite()) {
        return true;
    }
    let stretches: Vec<&[f32]> = samples.chunks(SAMPLE_RATE as usize / 2).collect();
    let pause = |stretch: &&&[f32]| {
        let power: f32 = stretch.iter().map(|sample| sample * sample).sum();
        power < stretch.len() as f32 * (PAUSE * peak) * (PAUSE * peak)
    };
    2 * stretches.iter().filter(pause).count() > stretches.len()
}

/// Writes `samples`, scaled to a peak of -1 dB of full scale, as 16-bit mono WAV at
/// [`SAMPLE_RATE`]; a reader sees all of it or nothing.
///
/// # Errors
/// [`Error::Io`] naming the file.
pub(crate) fn write_wav(path: &Path, samples: &[f32]) -> Result<()> {
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: SAMPLE_RATE,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let scale = match peak(samples) {
        peak if peak > 0.0 => PEAK / peak * 32_767.0,
        _ => 0.0,
    };
    let failed = |error: hound::Error| match error {
        hound::Error::IoError(source) => Error::io(path, source),
        other => Error::io(path, std::io::Error::other(other)),
    };
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(|source| Error::io(folder, source))?;
    }
    let part = path.with_extension("partial");
    let mut writer = hound::WavWriter::create(&part, spec).map_err(failed)?;
    for sample in samples {
        writer.write_sample((sample * scale).round() as i16).map_err(failed)?;
    }
    writer.finalize().map_err(failed)?;
    std::fs::rename(&part, path).map_err(|source| Error::io(path, source))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn silence_is_told_from_sound() {
        let tone: Vec<f32> = (0..44_100).map(|i| if i % 50 < 25 { 0.5 } else { -0.5 }).collect();
        assert!(!is_silent(&tone));
        assert!(is_silent(&[]));
        assert!(is_silent(&[0.0; 1_000]));
        assert!(is_silent(&vec![1e-4; 44_100]));
        assert!(is_silent(&[f32::NAN; 1_000]));
        let mut stopped = tone.clone();
        stopped[11_025..].fill(0.0);
        assert!(is_silent(&stopped));
    }

    #[test]
    fn a_wav_is_scaled_to_its_peak_and_reads_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("class/clip.wav");
        write_wav(&path, &[0.0, 0.25, -0.5]).unwrap();
        let mut reader = hound::WavReader::open(&path).unwrap();
        assert_eq!(reader.spec().sample_rate, SAMPLE_RATE);
        let samples: Vec<i16> = reader.samples().map(Result::unwrap).collect();
        assert_eq!(samples, [0, 14_602, -29_204]);
        assert_eq!(std::fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    }

    #[test]
    fn the_end_of_a_loop_leads_to_its_beginning() {
        // A ramp: what comes before the loop is far from its end.
        let sound: Vec<f32> = (0..1_000).map(|index| index as f32).collect();
        let samples = seamless(&sound);
        assert_eq!(samples.len(), 1_000 - SEAM);
        assert_eq!(samples[0], SEAM as f32);
        assert_eq!(samples[samples.len() - 1], SEAM as f32 - 1.0);
        assert_eq!(samples[..1_000 - 2 * SEAM], sound[SEAM..1_000 - SEAM]);
        assert!(seamless(&sound[..10]).is_empty());
    }
}
