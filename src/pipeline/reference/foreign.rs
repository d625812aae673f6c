//! References from corpora that a model was not trained on.

use std::collections::BTreeMap;
use std::path::Path;

use trompe_corpora::{ImageCorpus, Limits, Progress, Split};

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

/// Which class of a model a label of a corpus means.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClassMap {
    by_label: BTreeMap<String, String>,
}

impl ClassMap {
    /// Reads a map: a TOML table of `label = "class"`; an empty class leaves the label out.
    ///
    /// # Errors
    /// [`Error::BadFile`] naming the line at fault; an input error.
    pub fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).map_err(|e| Error::io(path, e))?;
        let by_label = toml::from_str(&text).map_err(|e| {
            Error::bad_file(
                path,
                e.to_string().trim_end().to_owned(),
                "write one line a label: label = \"class\"",
            )
        })?;
        Ok(Self { by_label })
    }

    /// For each of `labels`, the index of its class: that of the map, or of the same name; `None`
    /// for labels that the map leaves out.
    ///
    /// # Errors
    /// [`Error::Request`] naming labels that have no class, and entries of the map that mean no label
    /// or no class.
    pub(super) fn resolve(
        &self,
        labels: &[String],
        classes: &[String],
    ) -> Result<Vec<Option<usize>>> {
        let class = |name: &str| classes.iter().position(|class| class == name);
        if let Some(label) = self.by_label.keys().find(|label| !labels.contains(label)) {
            return Err(Error::request(
                format!("the label map names '{label}', which is no label of the genuine corpus"),
                format!("its labels are {}", labels.join(", ")),
            ));
        }
        let named = self.by_label.values().find(|name| !name.is_empty() && class(name).is_none());
        if let Some(name) = named {
            return Err(Error::request(
                format!("the label map names '{name}', which is no class of the model"),
                format!("its classes are {}", classes.join(", ")),
            ));
        }
        let unknown: Vec<&str> = labels
            .iter()
            .filter(|label| !self.by_label.contains_key(*label) && class(label).is_none())
            .map(String::as_str)
            .collect();
        if !unknown.is_empty() {
            return Err(Error::request(
                format!("no class of the model is called {}", unknown.join(", ")),
                format!(
                    "say which class each label means with --labels FILE (label = \"class\", \"\" to \
                     leave it out); the classes are {}",
                    classes.join(", ")
                ),
            ));
        }
        let of = |label: &String| match self.by_label.get(label) {
            Some(name) => class(name),
            None => class(label),
        };
        Ok(labels.iter().map(of).collect())
    }
}

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
            Some(trained) => of_sound(trained, model.reference(), data, map, progress),
            None => heard::reference_of(scorer, data, map, progress),
        },
        Scorer::Image(scorer) => of_images(scorer, model, data, map, progress),
    }
}

/// What to say of labels that the map leaves out.
pub(super) fn left_out(labels: &[String], classes: &[Option<usize>], items: usize) -> Vec<String> {
    let names: Vec<&str> = labels
        .iter()
        .zip(classes)
        .filter(|(_, class)| class.is_none())
        .map(|(label, _)| label.as_str())
        .collect();
    if names.is_empty() {
        return Vec::new();
    }
    vec![format!("the label map leaves out {} ({items} items)", names.join(", "))]
}

fn of_sound(
    model: &Model,
    own: Option<&Reference>,
    data: &Data,
    map: &ClassMap,
    progress: &dyn Progress,
) -> Result<Reference> {
    let features = model.trained_on().settings.clone().ok_or_else(|| {
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
    let known = among_training(model.trained_on(), &data, &dataset, &features, own, progress)?;
    refuse_training_items(known, dataset.excerpts.len(), "the model")?;
    let classes = map.resolve(&dataset.classes, model.classes())?;
    let (mut items, mut without) = (Vec::new(), 0);
    for (excerpt, clip) in dataset.excerpts.iter().zip(&delivered) {
        let Some(class) = classes[excerpt.class] else {
            without += 1;
            continue;
        };
        let mut item = sound::scored(model, excerpt, clip);
        item.class = class;
        items.push(item);
    }
    let mut notes = left_out(&dataset.classes, &classes, without);
    notes.push("whether training clips share groups with these is not known".to_owned());
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
    sound::reference_for(model, source, items, None)
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
    let mut items = images::scored(victim, &corpus, &wanted)?;
    for item in &mut items {
        item.class = classes[item.class].unwrap_or(item.class);
    }
    let notes = left_out(&corpus.classes, &classes, without.len());
    let source = images::source(&corpus, ReferenceKind::HeldOut, None, notes);
    let (kind, fingerprint) = (victim.posterior_kind(), model.fingerprint());
    Reference::new(source, victim.classes().to_vec(), kind, fingerprint, items)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn labels_find_their_class_by_map_or_by_name() {
        let names = |list: &[&str]| list.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let (labels, classes) = (names(&["hiphop", "rock", "noise"]), names(&["rock", "rap"]));
        let map = |text: &str| ClassMap { by_label: toml::from_str(text).unwrap() };
        let whole = map("hiphop = \"rap\"\nnoise = \"\"");
        assert_eq!(whole.resolve(&labels, &classes).unwrap(), [Some(1), Some(0), None]);
        let error = |map: ClassMap| map.resolve(&labels, &classes).unwrap_err().to_string();
        let unknown = error(ClassMap::default());
        assert!(unknown.contains("hiphop, noise") && unknown.contains("rock, rap"), "{unknown}");
        assert!(error(map("hiphop = \"rapp\"")).contains("'rapp'"));
        assert!(error(map("hip-hop = \"rap\"")).contains("'hip-hop'"));
    }
}
