//! Trains a music classifier on a folder with one subfolder of sound files a class, and
//! cross-validates it.
//!
//! ```text
//! cargo run --example train_and_cross_validate -- MODEL.safetensors [CORPUS]
//! ```
//!
//! Without `CORPUS`, the built-in synthetic corpus is written to a temporary folder and used.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use trompe::classifiers::{AdaBoostParams, Fitted, Model, TrainedOn};
use trompe::corpora::{Limits, layout, synthetic, wav};
use trompe::dataset::extract::{BadClips, extract};
use trompe::evaluation::cross_validate;
use trompe::features::{AdaBffs, FeatureSettings};
use trompe::pipeline::evaluate::{Division, divide};

const FOLDS: usize = 3;

fn main() -> Result<()> {
    let mut arguments = std::env::args_os().skip(1).map(PathBuf::from);
    let out = arguments.next().context("usage: train_and_cross_validate MODEL [CORPUS]")?;
    let temporary = tempfile::tempdir()?;
    let folder = match arguments.next() {
        Some(folder) => folder,
        None => write_synthetic_corpus(temporary.path())?,
    };

    // Sound to feature vectors: 9 of 120 values for 30 s.
    let corpus = layout::open(&folder, &Limits::default())?;
    let quiet = |_: &str, _, _| {};
    let settings = FeatureSettings::AdaBffs(AdaBffs::default());
    let (dataset, _) = extract(&corpus, &settings, &Limits::default(), BadClips::Refuse, &quiet)?;

    // Folds keep the groups of a corpus apart where it names them.
    let division = Division::strictest(&dataset);
    let folds = divide(&dataset, division, FOLDS, 1, 0)?.of_clip;
    let params = AdaBoostParams { rounds: 50, ..AdaBoostParams::default() };
    let evaluation =
        cross_validate(&dataset, &[folds], |part| params.fit(part, &mut |_| {}), |_| {})?;
    let recall = evaluation.mean_recall.mean;
    println!("mean recall of {FOLDS} folds ({}): {recall:.3}", division.name());

    let fitted = Fitted::AdaBoost(params.fit(&dataset, &mut |_| {})?);
    Model::new(fitted, TrainedOn::new(&dataset))?.save(&out)?;
    println!("{}", out.display());
    Ok(())
}

/// Writes six clips a class to `folder`.
fn write_synthetic_corpus(folder: &Path) -> Result<PathBuf> {
    let (corpus, sounds) = synthetic::corpus(6, 1);
    for (number, (clip, audio)) in corpus.clips.iter().zip(&sounds).enumerate() {
        let class = folder.join(&corpus.classes[clip.class]);
        std::fs::create_dir_all(&class)?;
        let path = class.join(format!("{number}.wav"));
        wav::write(&path, &wav::quantize(&audio.samples), audio.sample_rate)?;
    }
    Ok(folder.to_owned())
}
