//! Mel spectrograms as nets of sound take them.
//!
//! Front ends of published nets differ in everything: frames, windows, scales, logarithms,
//! patches. [`MelSettings`] describes one, [`MelSettings::preset`] knows those of well-known
//! nets, and [`MelSpectrogram`] computes it. Presets are checked against librosa, torchaudio,
//! torchvggish and the published formulas (`tests/fixtures/make_mel.py`).
//!
//! ```
//! use trompe_features::{MelSettings, MelSpectrogram, preset_rate};
//!
//! let settings = MelSettings::preset("musicnn").ok_or("no such preset")?;
//! let rate = preset_rate("musicnn").ok_or("no such preset")?;
//! let mel = MelSpectrogram::new(&settings, rate)?;
//! let clip: Vec<f32> = (0..10 * rate).map(|n| (n % 100) as f32 / 100.0).collect();
//! assert_eq!(mel.spectrogram(&clip)?.dim(), (626, 96));
//! let (values, shape) = mel.patches(&clip)?;
//! assert_eq!(shape, [3, 187, 96]);
//! assert_eq!(values.len(), 3 * 187 * 96);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod bands;
mod compression;
mod filters;
mod frames;
mod patches;
mod presets;
mod settings;

use ndarray::Array2;

use crate::error::{Error, Result};
use crate::samples::check;
pub use bands::{MelBands, MelNorm, MelScale, Triangles};
use compression::Compressor;
pub use compression::{Compression, Highest, Logarithm, Reference};
use filters::{Filters, LANES};
use frames::Spectra;
use patches::{Cutting, extend};
pub use patches::{Layout, Tail, waveform_patches};
pub use presets::{PRESETS, preset_rate};
pub use settings::{MelSettings, Padding, Window};

/// Computes mel spectrograms and patches of them.
///
/// Made once, it serves any number of threads: all buffers belong to a call. Everything up
/// to the logarithm is computed in f64, because quiet bands beside loud ones need more of the
/// spectrum than an FFT in f32 leaves.
pub struct MelSpectrogram {
    spectra: Spectra,
    filters: Filters,
    compressor: Compressor,
    cutting: Cutting,
    tail: Tail,
    layout: Layout,
}

impl MelSpectrogram {
    /// Plans spectrograms of sound of `rate` Hz.
    ///
    /// # Errors
    /// [`Error::Setting`] as from [`MelSettings::check`].
    pub fn new(settings: &MelSettings, rate: u32) -> Result<Self> {
        settings.check(rate)?;
        Ok(Self {
            spectra: Spectra::new(settings),
            filters: Filters::new(&settings.mel, settings.fft(), rate)?,
            compressor: Compressor::new(&settings.log, settings.mean, settings.deviation),
            cutting: Cutting { patch: settings.patch, hop: settings.patch_hop() },
            tail: settings.tail,
            layout: settings.layout,
        })
    }

    /// The spectrogram of the whole sound, frames by bands, compressed and normalized.
    ///
    /// # Errors
    /// [`Error::TooShort`] below one frame, [`Error::NotFinite`] and [`Error::TooLoud`] for
    /// samples that are not sound, [`Error::Overflow`] for values that f32 cannot hold.
    pub fn spectrogram(&self, samples: &[f32]) -> Result<Array2<f32>> {
        check(samples)?;
        let mut spectrogram = self.compressed(samples)?;
        if let Some(values) = spectrogram.as_slice_mut() {
            self.compressor.normalize(values);
        }
        finite(spectrogram.as_slice().unwrap_or_default())?;
        Ok(spectrogram)
    }

    /// All patches of the sound one after the other, and their shape: number of patches
    /// first, then as the layout says. A reference `"max"` and `top_db` are of the whole
    /// sound, not of a patch.
    ///
    /// # Errors
    /// As [`MelSpectrogram::spectrogram`]; [`Error::TooShort`] below
    /// [`MelSpectrogram::fewest_samples`]; [`Error::Setting`] where the sound has too many
    /// patches.
    pub fn patches(&self, samples: &[f32]) -> Result<(Vec<f32>, Vec<usize>)> {
        let needed = self.fewest_samples();
        if samples.len() < needed {
            return Err(Error::TooShort { samples: samples.len(), needed });
        }
        check(samples)?;
        let (bands, framing) = (self.filters.bands(), &self.spectra.framing);
        let count = match self.tail {
            Tail::Drop => self.cutting.whole(framing.count(samples.len())),
            Tail::Zero => self.cutting.covering(framing.count(samples.len())),
            Tail::Silence | Tail::Repeat | Tail::RepeatWhole => {
                self.cutting.covering(framing.covering(samples.len()))
            }
        };
        self.cutting.check(count, bands)?;
        let frames = self.cutting.items(count);
        let spectrogram = match self.tail {
            Tail::Drop | Tail::Zero => self.compressed(samples)?,
            tail => self.compressed(&extend(samples, framing.fewest(frames), tail))?,
        };
        let mut values = spectrogram.into_raw_vec_and_offset().0;
        if values.len() < frames * bands {
            values.resize(frames * bands, 0.0);
        }
        self.compressor.normalize(&mut values);
        finite(&values)?;
        let shape = self.layout.shape(count, self.cutting.patch, bands);
        Ok((self.cut(&values, count), shape))
    }

    /// Fewest samples that give a patch.
    pub fn fewest_samples(&self) -> usize {
        match self.tail {
            Tail::Drop => self.spectra.framing.fewest(self.cutting.patch),
            Tail::Zero => self.spectra.framing.fewest(1),
            Tail::Silence | Tail::Repeat | Tail::RepeatWhole => 1,
        }
    }

    /// The spectrogram of the whole sound before mean and deviation.
    fn compressed(&self, samples: &[f32]) -> Result<Array2<f32>> {
        let padded = self.spectra.pad(samples)?;
        let frames = self.spectra.framing.count(samples.len());
        let mut out = Array2::zeros((frames, self.filters.bands()));
        if let Some(values) = out.as_slice_mut() {
            pulp::Arch::new().dispatch(Frames { plan: self, padded: &padded, out: values });
            self.compressor.limit(values);
        }
        Ok(out)
    }

    /// Copies the patches out of a spectrogram.
    fn cut(&self, values: &[f32], count: usize) -> Vec<f32> {
        let bands = self.filters.bands();
        let Cutting { patch, hop } = self.cutting;
        let mut out = Vec::with_capacity(count * patch * bands);
        for start in (0..count).map(|i| i * hop * bands) {
            let values = &values[start..start + patch * bands];
            if self.layout == Layout::N1mt {
                for band in 0..bands {
                    out.extend(values[band..].iter().step_by(bands));
                }
            } else {
                out.extend_from_slice(values);
            }
        }
        out
    }
}

/// All frames of a sound as one operation, compiled once for each instruction set.
struct Frames<'a> {
    plan: &'a MelSpectrogram,
    padded: &'a [f32],
    out: &'a mut [f32],
}

impl pulp::NullaryFnOnce for Frames<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let Self { plan, padded, out } = self;
        let bands = plan.filters.bands();
        let mut work = plan.spectra.buffers();
        let mut sums = vec![[0.0; LANES]; bands];
        for (step, rows) in out.chunks_mut(LANES * bands).enumerate() {
            plan.spectra.run(padded, LANES * step, rows.len() / bands, &mut work);
            plan.filters.run(&work.spectra, &mut sums);
            plan.compressor.logarithm(&mut sums);
            for (lane, row) in rows.chunks_mut(bands).enumerate() {
                for (value, sums) in row.iter_mut().zip(&sums) {
                    *value = sums[lane] as f32;
                }
            }
        }
    }
}

/// # Errors
/// [`Error::Overflow`] if a value is not finite.
fn finite(values: &[f32]) -> Result<()> {
    if values.iter().fold(true, |all, value| all & value.is_finite()) {
        return Ok(());
    }
    Err(Error::Overflow)
}
