//! Excerpts as delivered files: 16-bit WAV.

use std::path::Path;

use trompe_corpora::{Audio, Limits, read_mono, wav};

use crate::error::Result;
use crate::exhibits::{Codec, Picture, Spectrogram, Waveform};
use crate::features::spectrogram;

/// Columns of a waveform's picture.
const COLUMNS: usize = 480;

/// Columns and bands of a spectrogram.
const CELLS: [usize; 2] = [320, 48];

/// WAV files; sound comes back at the sample rate of the victim.
#[derive(Debug, Clone, Copy)]
pub struct WavCodec {
    /// The rate in hertz.
    pub sample_rate: u32,
}

impl Codec<Audio> for WavCodec {
    fn extension(&self) -> &'static str {
        "wav"
    }

    fn write(&self, audio: &Audio, path: &Path) -> Result<()> {
        Ok(wav::write(path, &wav::quantize(&audio.samples), audio.sample_rate)?)
    }

    fn read(&self, path: &Path) -> Result<Audio> {
        Ok(read_mono(path, self.sample_rate, &Limits::default())?)
    }

    fn picture(&self, audio: &Audio) -> Picture {
        let [columns, bands] = CELLS;
        let levels = spectrogram(&audio.samples, audio.sample_rate, columns, bands);
        Picture::Sound {
            waveform: Waveform::from_samples(&audio.samples, audio.sample_rate, COLUMNS),
            spectrogram: Spectrogram { columns, levels },
        }
    }
}
