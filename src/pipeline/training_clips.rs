//! Which of the items that a model is evaluated on it was trained on.
//!
//! A model file has the SHA-256 of its training data as a whole, of no single item. So this finds
//! data that are, or hold, exactly what the model was trained on: the data themselves, one part
//! of their fixed partition, or the whole corpus when only a part is evaluated. It does not find
//! other selections, renamed or regrouped clips, or the same clips with other features.

use std::collections::BTreeSet;

use trompe_base::words::counted;
use trompe_corpora::{ImageCorpus, Progress, Split};
use trompe_features::FeatureSettings;

use super::train::Data;
use crate::classifiers::TrainedOn;
use crate::dataset::Dataset;
use crate::dataset::extract::BadClips;
use crate::error::{Error, Result};
use crate::reference::{Reference, ReferenceKind};
use crate::victims::ImageModel;

/// Parts of a fixed partition.
const PARTS: [Split; 3] = [Split::Train, Split::Valid, Split::Test];

/// How many of the excerpts of `dataset`, which `data` gave, are known to be among those that a
/// model was trained on.
///
/// # Errors
/// Whatever reading the rest of the corpus meets, where only a part is evaluated.
pub fn among_training(
    trained_on: &TrainedOn,
    data: &Data,
    dataset: &Dataset,
    features: &FeatureSettings,
    reference: Option<&Reference>,
    progress: &dyn Progress,
) -> Result<usize> {
    let same = |candidate: &Dataset| {
        candidate.excerpts.len() == trained_on.excerpts && {
            // The name of a corpus goes by its folder, which may have been moved.
            let source = trained_on.source.clone();
            Dataset { source, ..candidate.clone() }.fingerprint() == trained_on.sha256
        }
    };
    if same(dataset) {
        return Ok(dataset.excerpts.len());
    }
    for part in PARTS {
        let of_part = |excerpt: &usize| dataset.excerpts[*excerpt].split == Some(part);
        let excerpts: Vec<usize> = (0..dataset.excerpts.len()).filter(of_part).collect();
        if !excerpts.is_empty() && same(&dataset.subset(&excerpts)) {
            return Ok(excerpts.len());
        }
    }
    // What was held out at random is in the reference that training made.
    let held_out = held_out_names(reference);
    let of_rest = |excerpt: &usize| !held_out.contains(dataset.excerpts[*excerpt].id.as_str());
    let rest: Vec<usize> = (0..dataset.excerpts.len()).filter(of_rest).collect();
    if !held_out.is_empty() && !rest.is_empty() && same(&dataset.subset(&rest)) {
        return Ok(rest.len());
    }
    if data.split.is_none() || data.is_features_file() {
        return Ok(0);
    }
    let whole = Data { split: None, ..data.clone() };
    let clips = whole.corpus(progress)?.map_or(0, |corpus| corpus.clips.len());
    let may_be =
        clips == trained_on.excerpts || (data.bad == BadClips::Skip && clips > trained_on.excerpts);
    if may_be && same(&whole.load(features, progress)?.0) {
        return Ok(dataset.excerpts.len());
    }
    Ok(0)
}

/// How many of the images `indices` of `corpus` are known to be among those that a model was
/// trained on. Nothing is known of foreign nets.
pub fn images_among_training(
    model: &ImageModel,
    corpus: &ImageCorpus,
    indices: &[usize],
    reference: Option<&Reference>,
) -> usize {
    let (images, sha256) = match model {
        ImageModel::Net(net) => (net.record().images, &net.record().sha256),
        ImageModel::Pixels(pixels) => {
            let trained_on = pixels.model().trained_on();
            (trained_on.excerpts, &trained_on.sha256)
        }
        #[cfg(feature = "onnx")]
        ImageModel::Onnx(_) => return 0,
        ImageModel::Program(_) => return 0,
    };
    let whole: Vec<usize> = (0..corpus.len()).collect();
    let held_out = held_out_names(reference);
    let rest = |within: &[usize]| -> Vec<usize> {
        let names = within.iter().map(|&index| (index, index.to_string()));
        names
            .filter(|(_, name)| !held_out.contains(name.as_str()))
            .map(|(index, _)| index)
            .collect()
    };
    let parts = PARTS.map(|p| corpus.split(p));
    let rests = [rest(&whole), rest(&parts[0])];
    let candidates = [indices.to_vec(), whole].into_iter().chain(parts).chain(rests);
    for candidate in candidates {
        if candidate.len() == images && corpus.fingerprint(&candidate) == *sha256 {
            return indices.iter().filter(|index| candidate.binary_search(index).is_ok()).count();
        }
    }
    0
}

/// Names of the items that a reference holds out.
fn held_out_names(reference: Option<&Reference>) -> BTreeSet<&str> {
    let held_out = reference.filter(|own| own.source().kind == ReferenceKind::HeldOut);
    held_out.iter().flat_map(|own| own.items()).map(|item| item.name.as_str()).collect()
}

/// Refuses to evaluate a model on items that it was trained on.
///
/// # Errors
/// [`Error::Request`] if `known` of the `items` are among its training items.
pub fn refuse_training_items(known: usize, items: usize, name: &str) -> Result<()> {
    if known == 0 {
        return Ok(());
    }
    Err(Error::request(
        format!(
            "{name} was trained on {} that it would be tested on: that measures memory, not \
             recognition",
            of_all(known, items)
        ),
        "give other data or another part (--split), leave --model out to cross-validate the kind \
         of classifier, or say --on-training-clips",
    ))
}

/// What is to be known of figures that training items went into.
pub fn note_on_training_items(known: usize, items: usize, name: &str) -> String {
    match known {
        0 => format!("{name} is not known to have been trained on any of {}", the(items)),
        _ => format!(
            "{name} was trained on {} tested: the figures say how well it remembers, not how well \
             it recognizes",
            of_all(known, items)
        ),
    }
}

fn the(items: usize) -> String {
    format!("the {}", counted(items, "item"))
}

fn of_all(known: usize, items: usize) -> String {
    match known == items {
        true if items == 1 => "the one item".to_owned(),
        true => format!("all {items} items"),
        false => format!("{known} of {}", the(items)),
    }
}
