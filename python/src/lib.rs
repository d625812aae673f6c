//! `trompe._trompe`: what the Python package `trompe` takes from the Rust library.
//!
//! The surface is small: numbers go in and out as numpy arrays, settings and results as JSON. The
//! classes that users see are in `python/trompe/`.

mod arrays;
mod callable;
mod calls;
mod classifiers;
mod corpora;
mod errors;
mod features;
mod fool;
mod json;
mod judge;
mod output;
mod remote;
mod search;
mod stated;
mod studies;
mod victim;
mod worker;

use pyo3::prelude::*;

/// The Rust half of the package `trompe`.
#[pymodule]
mod _trompe {
    #[pymodule_export]
    use super::classifiers::Classifier;
    #[pymodule_export]
    use super::corpora::{
        is_images, list_collections, open_clips, open_images, read_image, read_sound,
    };
    #[pymodule_export]
    use super::features::{check_mel, extract, feature_names, mel_preset, mel_spectrograms};
    #[pymodule_export]
    use super::fool::{fool, main, resume};
    #[pymodule_export]
    use super::judge::{
        compare, equalize, log_odds, predict, predict_inputs, probe, transfer, verify,
    };
    #[pymodule_export]
    use super::search::Search;
    #[pymodule_export]
    use super::studies::{analyze, answers, build, simulate};
    #[pymodule_export]
    use super::victim::Victim;

    #[pymodule_export]
    #[allow(non_upper_case_globals)]
    const __version__: &str = env!("CARGO_PKG_VERSION");
}
