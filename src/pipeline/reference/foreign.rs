//! References from corpora that a model was not trained on.

use trompe_corpora::{ImageCorpus, Limits, Progress, Split};

use super::class_map::{ClassMap, left_out};
use super::taken_apart::with_example_taken_apart;
use super::{SECONDS, heard, images, sound};
use crate::classifiers::{Classifier, Model};
use crate::dataset::extract::extract_with_delivered;
use crate::error::{Error, Result};
use crate::pipeline::train::Data;
use crate::pipeline::train_images::{ImageData, part};
use crate::pipeline::training_clips::{
    among_training, images_among_training, refuse_training_items,
};
use crate::reference::{Reference, ReferenceKind, ReferenceSource};
use crate::victims::{AnyModel, ImageModel, Scorer};

/// A genuine reference of `model` from the corpus that `data` names: its test part where it has one
/// and no other was asked for.
///
/// # Errors
/// [`Error::Request`] if the model is known to be trained on items of the corpus, a label has no
/// class, or nothing is left; whatever reading and scoring meet.
pub fn reference_of(
    model: &AnyModel,
    data: &Data,
    map: &ClassMap,
    progress: &dyn Progress,
) -> Result<Reference> {
    match model.scorer() {
        Scorer::Audio(scorer) => match scorer.trained() {
            Some(trained) => of_sound(trained, model, data, map, progress),
            None => heard::reference_of(scorer, model, data, map, progress),
        },
        Scorer::Image(scorer) => of_images(scorer, model, data, map, progress),
    }
}

fn of_sound(
    trained: &Model,
    model: &AnyModel,
    data: &Data,
    map: &ClassMap,
    progress: &dyn Progress,
) -> Result<Reference> {
    let features = trained.trained_on().settings.clone().ok_or_else(|| {
        Error::request(
            "the model was trained on features from elsewhere, so it cannot hear audio",
            "give a model that was trained on a corpus of audio",
        )
    })?;
    let corpus = data.corpus(progress)?.ok_or_else(|| {
        Error::request(
            format!("{}: a features file has no sound", data.name),
            "give a corpus of audio",
        )
    })?;
    let has_test = corpus.clips.iter().any(|clip| clip.split == Some(Split::Test));
    let data = match data.split {
        None if has_test => Data { split: Some(Split::Test), ..data.clone() },
        _ => data.clone(),
    };
    let mut corpus = corpus;
    corpus.clips.retain(|clip| data.split.is_none_or(|split| clip.split == Some(split)));
    let samples = (SECONDS * f64::from(features.sample_rate())) as usize;
    let limits = Limits::default();
    let (dataset, delivered, skipped) =
        extract_with_delivered(&corpus, &features, &limits, data.bad, samples, progress)?;
    let known = among_training(
        trained.trained_on(),
        &data,
        &dataset,
        &features,
        model.reference(),
        progress,
    )?;
    refuse_training_items(known, dataset.excerpts.len(), "the model")?;
    let classes = map.resolve(&dataset.classes, trained.classes())?;
    let (mut items, mut without) = (Vec::new(), 0);
    for (excerpt, clip) in dataset.excerpts.iter().zip(&delivered) {
        let Some(class) = classes[excerpt.class] else {
            without += 1;
            continue;
        };
        let mut item = sound::scored(trained, excerpt, clip);
        item.class = class;
        items.push(item);
    }
    let mut notes = left_out(&dataset.classes, &classes, without);
    notes.push("whether training clips share groups with these is not known".to_owned());
    notes.extend(sound::concealed(&delivered));
    notes.extend(skipped.iter().map(|skipped| format!("left out: {}", skipped.why)));
    let source = ReferenceSource {
        kind: ReferenceKind::HeldOut,
        corpus: corpus.name.clone(),
        provenance: corpus.provenance,
        licence: corpus.licence.clone(),
        folds: None,
        samples: Some(samples),
        notes,
    };
    let of = (&dataset.excerpts[..], &delivered[..]);
    let reference = sound::reference_for(trained, source, items, of)?;
    with_example_taken_apart(model, reference, |name| {
        heard::sound(&corpus, name, features.sample_rate())
    })
}

fn of_images(
    scorer: &ImageModel,
    model: &AnyModel,
    data: &Data,
    map: &ClassMap,
    progress: &dyn Progress,
) -> Result<Reference> {
    let images = ImageData { name: data.name.clone(), options: data.options.clone() };
    let corpus: ImageCorpus = images.load(progress)?;
    let indices = part(&corpus, data.split.unwrap_or(Split::Test), false)?;
    let known = images_among_training(scorer, &corpus, &indices, model.reference());
    refuse_training_items(known, indices.len(), "the model")?;
    let victim = scorer.victim();
    let classes = map.resolve(&corpus.classes, victim.classes())?;
    let (wanted, without): (Vec<usize>, Vec<usize>) =
        indices.into_iter().partition(|&index| classes[corpus.item(index).class].is_some());
    let (mut items, embeddings) = images::observed(victim, &corpus, &wanted)?;
    for item in &mut items {
        item.class = classes[item.class].unwrap_or(item.class);
    }
    let notes = left_out(&corpus.classes, &classes, without.len());
    let source = images::source(&corpus, ReferenceKind::HeldOut, None, notes);
    let (kind, fingerprint) = (victim.posterior_kind(), model.fingerprint());
    let classes = victim.classes().to_vec();
    let reference = Reference::new(source, classes, kind, fingerprint, items)?;
    let reference = reference.with_embeddings(&embeddings);
    with_example_taken_apart(model, reference, |name| Ok(images::image(&corpus, name)))
}
