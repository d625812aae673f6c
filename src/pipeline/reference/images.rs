//! Models of images with their genuine reference.

use rand::RngExt;
use trompe_base::hash::FieldHasher;
use trompe_base::random::stream;
use trompe_corpora::{Image, ImageCorpus, Progress, Split};

use super::taken_apart::model_with;
use super::{Grouped, ReferencePlan, STREAM, draw_held_out, nothing_held_out};
use crate::classifiers::image_classifier::observations_of;
use crate::error::{Error, Result};
use crate::pipeline::probe::Genuine;
use crate::pipeline::train_images::{ImageTraining, part};
use crate::problem::{Observed, Victim};
use crate::reference::{GenuineItem, Reference, ReferenceKind, ReferenceSource};
use crate::victims::{AnyModel, Scorer};

/// A model with its reference, and what must be known of both.
#[derive(Debug)]
pub struct TrainedOnImages {
    /// The model.
    pub model: AnyModel,
    /// Number of images that it was trained on.
    pub images: usize,
    /// What to know of the reference.
    pub notes: Vec<String>,
}

/// Trains a model on the training part of `corpus` (or on `split`), or on all images where there are
/// no parts, and gives it a genuine reference: the test part, a share held out, or a cross-fit.
///
/// # Errors
/// Whatever training or scoring meets; [`crate::Error::Request`] for a plan out of range.
pub fn train_images(
    corpus: &ImageCorpus,
    split: Option<Split>,
    training: &ImageTraining,
    plan: &ReferencePlan,
    progress: &dyn Progress,
) -> Result<TrainedOnImages> {
    plan.check()?;
    let mut indices = images_of(corpus, split.unwrap_or(Split::Train))?;
    let mut held_out = match split {
        None | Some(Split::Train) => corpus.split(Split::Test),
        Some(_) => Vec::new(),
    };
    match plan.hold_out {
        Some(share) if share > 0.0 => {
            held_out = drawn(corpus, &indices, share, plan.seed);
            indices.retain(|index| held_out.binary_search(index).is_err());
        }
        Some(_) => held_out.clear(),
        None => {}
    }
    let share = plan.hold_out.is_some_and(|share| share > 0.0);
    if share && held_out.is_empty() {
        return Err(nothing_held_out());
    }
    if plan.check_levels {
        return Err(Error::request(
            "--check-levels works for sound only, and this is a corpus of images",
            "hold images out with --hold-out: their levels need no check",
        ));
    }
    let net = training.fit(corpus, &indices, progress)?;
    let mut notes = Vec::new();
    let scored = if plan.folds == 0 && !share {
        None
    } else if held_out.is_empty()
        && let Some(why) = why_not_divided(corpus, &indices)
    {
        notes.push(format!("no genuine reference: {why}"));
        None
    } else if held_out.is_empty() {
        let items = cross_fit(corpus, &indices, training, plan, progress)?;
        // Nets of different folds do not have their hidden layers in common.
        Some((ReferenceKind::CrossFitted, Some(plan.folds), (items, Vec::new())))
    } else {
        let observed = observed(net.victim(), corpus, &held_out)?;
        Some((ReferenceKind::HeldOut, None, observed))
    };
    if scored.as_ref().is_some_and(|(kind, ..)| *kind == ReferenceKind::CrossFitted) {
        notes.push("no groups of images are known: each image counts as its own".to_owned());
    }
    let victim = net.victim();
    let fingerprint = victim.fingerprint().unwrap_or_default();
    let reference = scored
        .map(|(kind, folds, (items, embeddings))| {
            let source = source(corpus, kind, folds, notes.clone());
            let classes = victim.classes().to_vec();
            let kind = victim.posterior_kind();
            let reference = Reference::new(source, classes, kind, fingerprint, items)?;
            Ok::<_, Error>(reference.with_embeddings(&embeddings))
        })
        .transpose()?;
    let model = AnyModel::new(Scorer::Image(Box::new(net)), None)?;
    let model = model_with(model, reference, |name| Ok(image(corpus, name)))?;
    Ok(TrainedOnImages { model, images: indices.len(), notes })
}

/// The image that is the item of this name, its number.
pub(super) fn image(corpus: &ImageCorpus, name: &str) -> Option<Genuine> {
    let index = name.parse().ok().filter(|&index: &usize| index < corpus.len())?;
    let pixels = corpus.image(index).to_vec();
    Some(Genuine::Image(Image { shape: corpus.shape, pixels }))
}

pub(super) fn source(
    corpus: &ImageCorpus,
    kind: ReferenceKind,
    folds: Option<usize>,
    notes: Vec<String>,
) -> ReferenceSource {
    ReferenceSource {
        kind,
        corpus: corpus.name.clone(),
        provenance: corpus.provenance,
        licence: corpus.licence.clone(),
        folds,
        samples: None,
        notes,
    }
}

fn drawn(corpus: &ImageCorpus, indices: &[usize], share: f64, seed: u64) -> Vec<usize> {
    let names: Vec<String> = indices.iter().map(usize::to_string).collect();
    let items: Vec<Grouped<'_>> = indices
        .iter()
        .zip(&names)
        .map(|(&index, name)| Grouped { class: corpus.item(index).class, group: name })
        .collect();
    draw_held_out(&items, share, seed).into_iter().map(|place| indices[place]).collect()
}

/// Whether `train` takes `corpus` when it is asked for nothing but a classifier, and why the model
/// would have no genuine reference, if so.
///
/// # Errors
/// As [`part`] and [`ImageCorpus::check_for_training`].
pub fn check_images(corpus: &ImageCorpus) -> Result<Option<String>> {
    let indices = images_of(corpus, Split::Train)?;
    Ok(match corpus.split(Split::Test).is_empty() {
        true => why_not_divided(corpus, &indices),
        false => None,
    })
}

/// The images of a part, if a classifier can be trained on them.
fn images_of(corpus: &ImageCorpus, split: Split) -> Result<Vec<usize>> {
    let indices = part(corpus, split, false)?;
    corpus.check_for_training(&indices)?;
    Ok(indices)
}

/// Why the images cannot be divided for a cross-fit: a class of which one fold would hold all.
fn why_not_divided(corpus: &ImageCorpus, indices: &[usize]) -> Option<String> {
    let count = |class| indices.iter().filter(|&&at| corpus.item(at).class == class).count();
    let single = (0..corpus.classes.len()).find(|&class| count(class) == 1);
    single.map(|class| format!("class {} has a single image", corpus.classes[class]))
}

/// Every image, scored by a net that was trained on the other folds.
fn cross_fit(
    corpus: &ImageCorpus,
    indices: &[usize],
    training: &ImageTraining,
    plan: &ReferencePlan,
    progress: &dyn Progress,
) -> Result<Vec<GenuineItem>> {
    let fold = stratified(corpus, indices, plan.folds, plan.seed);
    let mut items: Vec<(usize, GenuineItem)> = Vec::new();
    for number in 0..plan.folds {
        progress.report("cross-fit", number as u64, plan.folds as u64);
        let of = |own: bool| -> Vec<usize> {
            let places = indices.iter().zip(&fold);
            places.filter(|(_, fold)| (**fold == number) == own).map(|(&index, _)| index).collect()
        };
        let (test, rest) = (of(true), of(false));
        if test.is_empty() {
            continue;
        }
        let net = training.fit(corpus, &rest, progress)?;
        items.extend(test.iter().copied().zip(observed(net.victim(), corpus, &test)?.0));
    }
    items.sort_by_key(|(index, _)| *index);
    Ok(items.into_iter().map(|(_, item)| item).collect())
}

/// The fold of every image, dealt class by class in random order.
fn stratified(corpus: &ImageCorpus, indices: &[usize], folds: usize, seed: u64) -> Vec<usize> {
    let mut fold = vec![0; indices.len()];
    for class in 0..corpus.classes.len() {
        let mut places: Vec<usize> =
            (0..indices.len()).filter(|&at| corpus.item(indices[at]).class == class).collect();
        let mut rng = stream(seed, STREAM, class as u64, 1);
        for last in (1..places.len()).rev() {
            places.swap(last, rng.random_range(0..=last));
        }
        for (number, place) in places.into_iter().enumerate() {
            fold[place] = number % folds;
        }
    }
    fold
}

/// Images with their scores, and the victim's embedding of each.
///
/// # Errors
/// As [`observations_of`].
pub(super) fn observed(
    victim: &dyn Victim<Image>,
    corpus: &ImageCorpus,
    indices: &[usize],
) -> Result<(Vec<GenuineItem>, Vec<Vec<f32>>)> {
    let Observed { scores, embeddings } = observations_of(victim, corpus, indices)?;
    let rows = scores.chunks_exact(victim.classes().len());
    let item = |(&index, row): (&usize, &[f64])| {
        let mut hash = FieldHasher::default();
        hash.field(corpus.image(index));
        GenuineItem {
            name: index.to_string(),
            sha256: hash.finish(),
            group: None,
            class: corpus.item(index).class,
            other_tags: Vec::new(),
            log_odds: row.to_vec(),
        }
    };
    Ok((indices.iter().zip(rows).map(item).collect(), embeddings))
}
