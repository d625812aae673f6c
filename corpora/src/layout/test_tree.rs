//! Trees of tiny audio files for tests.

use std::path::Path;

use crate::wav;

/// Writes a WAV file of eight samples, and the folders above it.
pub(crate) fn plant(root: &Path, names: &[&str]) {
    for name in names {
        plant_samples(root, name, &[1, 2, 3, 4, 5, 6, 7, 8]);
    }
}

/// Writes a WAV file at 22,050 Hz, and the folders above it.
pub(crate) fn plant_samples(root: &Path, name: &str, samples: &[i16]) {
    let path = root.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, wav::encode(samples, 22_050).unwrap()).unwrap();
}

/// Writes a text file, and the folders above it.
pub(crate) fn write(root: &Path, name: &str, text: &str) {
    let path = root.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}
