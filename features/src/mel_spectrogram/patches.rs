//! Patches: pieces of equal length, their number, tail and layout.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::samples::check;

/// Most values that all patches of one sound may have.
const MOST_VALUES: usize = 1 << 28;

/// What becomes of a tail that does not fill a patch.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tail {
    /// It is left out; sound shorter than a patch is an error (musicnn, VGGish).
    #[default]
    Drop,
    /// Zeros fill the last patch: of a spectrogram after compression and before mean and
    /// deviation (AST).
    Zero,
    /// Silence follows the sound until the last patch is full (YAMNet, PANNs).
    Silence,
    /// The sound is repeated from its start until the last patch is full.
    Repeat,
    /// The sound is repeated as often as it fits in whole, then silence follows (CLAP).
    RepeatWhole,
}

/// Order of the axes of the patches: N patches of T frames (or samples) and M bands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Layout {
    /// `[N, T, M]`.
    #[default]
    Ntm,
    /// `[N, 1, T, M]`.
    N1tm,
    /// `[N, 1, M, T]`.
    N1mt,
    /// `[N, T, M, 1]`.
    Ntm1,
    /// `[N, T]`: waveforms.
    Nt,
}

impl Layout {
    /// Shape of `patches` patches.
    pub(super) fn shape(self, patches: usize, frames: usize, bands: usize) -> Vec<usize> {
        match self {
            Self::Ntm => vec![patches, frames, bands],
            Self::N1tm => vec![patches, 1, frames, bands],
            Self::N1mt => vec![patches, 1, bands, frames],
            Self::Ntm1 => vec![patches, frames, bands, 1],
            Self::Nt => vec![patches, frames],
        }
    }
}

/// How a row of items (frames or samples) is cut into patches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cutting {
    /// Items in a patch.
    pub(super) patch: usize,
    /// Items from one patch to the next.
    pub(super) hop: usize,
}

impl Cutting {
    /// Number of whole patches among `items`.
    pub(super) fn whole(self, items: usize) -> usize {
        if items < self.patch { 0 } else { (items - self.patch) / self.hop + 1 }
    }

    /// Patches that are needed for all `items` but those in the gaps between patches.
    pub(super) fn covering(self, items: usize) -> usize {
        let whole = self.whole(items);
        if whole == 0 {
            return 1;
        }
        whole + usize::from(items > self.items(whole) && items > whole * self.hop)
    }

    /// Items that `patches` patches take.
    pub(super) fn items(self, patches: usize) -> usize {
        (patches - 1) * self.hop + self.patch
    }

    /// # Errors
    /// [`Error::Setting`] if the patches have more values than memory should hold.
    pub(super) fn check(self, patches: usize, values: usize) -> Result<()> {
        let total = patches.checked_mul(self.patch).and_then(|items| items.checked_mul(values));
        if total.is_some_and(|total| total <= MOST_VALUES) {
            return Ok(());
        }
        Err(Error::Setting {
            name: "patch_hop",
            value: format!("{} ({patches} patches)", self.hop),
            range: "longer, or the sound shorter: the patches have more than 268435456 values",
        })
    }
}

/// The sound, lengthened to `length` samples as `tail` says; sound that is as long stays.
pub(super) fn extend(samples: &[f32], length: usize, tail: Tail) -> Vec<f32> {
    let mut out = Vec::with_capacity(length.max(samples.len()));
    out.extend_from_slice(samples);
    let repeats = match tail {
        Tail::Repeat => length,
        Tail::RepeatWhole => length / samples.len().max(1) * samples.len(),
        Tail::Drop | Tail::Zero | Tail::Silence => 0,
    };
    while out.len() < repeats {
        out.extend_from_slice(&samples[..samples.len().min(repeats - out.len())]);
    }
    if out.len() < length {
        out.resize(length, 0.0);
    }
    out
}

/// Cuts a waveform into patches of `patch` samples, `hop` apart, for nets that take samples.
/// Gives all patches, and their shape `[N, patch]`. [`Tail::Zero`] and [`Tail::Silence`] are
/// the same here.
///
/// # Errors
/// [`Error::Setting`] where patch or hop is 0 or the patches are too many,
/// [`Error::TooShort`] for sound below one patch whose tail is dropped and for no sound at
/// all, [`Error::NotFinite`] and [`Error::TooLoud`] for samples that are not sound.
pub fn waveform_patches(
    samples: &[f32],
    patch: usize,
    hop: usize,
    tail: Tail,
) -> Result<(Vec<f32>, Vec<usize>)> {
    for (name, value) in [("patch", patch), ("patch_hop", hop)] {
        if !(1..=MOST_VALUES).contains(&value) {
            let range = "1 to 268435456 samples";
            return Err(Error::Setting { name, value: value.to_string(), range });
        }
    }
    let cutting = Cutting { patch, hop };
    let needed = if tail == Tail::Drop { patch } else { 1 };
    if samples.len() < needed {
        return Err(Error::TooShort { samples: samples.len(), needed });
    }
    check(samples)?;
    let count = match tail {
        Tail::Drop => cutting.whole(samples.len()),
        _ => cutting.covering(samples.len()),
    };
    cutting.check(count, 1)?;
    let sound = extend(samples, cutting.items(count), tail);
    let patches = (0..count).flat_map(|i| &sound[i * hop..i * hop + patch]).copied().collect();
    Ok((patches, vec![count, patch]))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn every_tail_does_what_its_name_says() {
        let sound = [1.0, 2.0, 3.0, 4.0, 5.0];
        let patches = |patch, hop, tail| waveform_patches(&sound, patch, hop, tail).unwrap();
        assert_eq!(patches(2, 2, Tail::Drop), (vec![1.0, 2.0, 3.0, 4.0], vec![2, 2]));
        assert_eq!(patches(4, 1, Tail::Drop).1, [2, 4]);
        let filled = vec![1.0, 2.0, 3.0, 4.0, 5.0, 0.0];
        assert_eq!(patches(2, 2, Tail::Silence), (filled.clone(), vec![3, 2]));
        assert_eq!(patches(2, 2, Tail::Zero).0, filled);
        assert_eq!(patches(4, 4, Tail::Repeat).0, [1.0, 2.0, 3.0, 4.0, 5.0, 1.0, 2.0, 3.0]);
        let twelve = patches(12, 12, Tail::Repeat).0;
        assert_eq!(twelve, [1.0, 2.0, 3.0, 4.0, 5.0, 1.0, 2.0, 3.0, 4.0, 5.0, 1.0, 2.0]);
        let whole = patches(12, 12, Tail::RepeatWhole).0;
        assert_eq!(whole, [1.0, 2.0, 3.0, 4.0, 5.0, 1.0, 2.0, 3.0, 4.0, 5.0, 0.0, 0.0]);
        // what fits is not changed by any
        for tail in [Tail::Drop, Tail::Zero, Tail::Silence, Tail::Repeat, Tail::RepeatWhole] {
            assert_eq!(patches(5, 3, tail), (sound.to_vec(), vec![1, 5]), "{tail:?}");
            assert_eq!(patches(3, 2, tail).0, [1.0, 2.0, 3.0, 3.0, 4.0, 5.0], "{tail:?}");
        }
    }

    #[test]
    fn numbers_of_patches_agree_with_counting() {
        for patch in 1..7 {
            for hop in 1..9 {
                let cutting = Cutting { patch, hop };
                for items in 0..40 {
                    let whole = (0..).take_while(|i| i * hop + patch <= items).count();
                    assert_eq!(cutting.whole(items), whole);
                    let covering =
                        (1..).find(|&n| cutting.items(n) >= items || n * hop >= items).unwrap();
                    assert_eq!(cutting.covering(items), covering);
                }
            }
        }
    }

    #[test]
    fn impossible_patches_are_refused() {
        let named = |result: Result<(Vec<f32>, Vec<usize>)>| match result {
            Err(Error::Setting { name, .. }) => name,
            other => panic!("{other:?}"),
        };
        assert_eq!(named(waveform_patches(&[0.0; 9], 0, 1, Tail::Drop)), "patch");
        assert_eq!(named(waveform_patches(&[0.0; 9], 1, 0, Tail::Drop)), "patch_hop");
        let many = vec![0.0; 40_000];
        assert_eq!(named(waveform_patches(&many, 20_000, 1, Tail::Drop)), "patch_hop");
        let short = waveform_patches(&[0.0; 9], 10, 1, Tail::Drop);
        assert_eq!(short, Err(Error::TooShort { samples: 9, needed: 10 }));
        let none = waveform_patches(&[], 10, 1, Tail::Repeat);
        assert_eq!(none, Err(Error::TooShort { samples: 0, needed: 1 }));
        let infinite = waveform_patches(&[0.0, f32::NAN], 1, 1, Tail::Zero);
        assert_eq!(infinite, Err(Error::NotFinite { index: 1 }));
    }
}
