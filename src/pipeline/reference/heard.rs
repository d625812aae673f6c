//! References of victims that hear sound itself: foreign nets.

use std::sync::atomic::{AtomicU64, Ordering};

use rayon::prelude::*;
use trompe_base::encoding::hex;
use trompe_base::hash::sha256_file;
use trompe_corpora::read::concealed;
use trompe_corpora::{Audio, Clip, Corpus, Limits, Progress, Split};

use super::SECONDS;
use super::class_map::{ClassMap, left_out};
use super::taken_apart::with_example_taken_apart;
use crate::dataset::extract::{BadClips, as_delivered};
use crate::error::{Error, Result};
use crate::exhibits::score_input;
use crate::log_odds::Labelling;
use crate::pipeline::open;
use crate::pipeline::probe::Genuine;
use crate::pipeline::train::Data;
use crate::problem::{AudioFormat, Victim};
use crate::reference::{GenuineItem, Reference, ReferenceKind, ReferenceSource};
use crate::victims::{AnyModel, AudioModel};

/// A genuine reference of `model` from the corpus that `data` names: its test part where it has one
/// and no other was asked for. Of a victim of tags, clips keep all their labels.
///
/// # Errors
/// [`Error::Request`] if a label has no class, or nothing is left; whatever reading and scoring meet.
pub(super) fn reference_of(
    heard_by: &AudioModel,
    model: &AnyModel,
    data: &Data,
    map: &ClassMap,
    progress: &dyn Progress,
) -> Result<Reference> {
    if data.is_features_file() {
        return Err(Error::request(
            format!("{}: a features file has no sound", data.name),
            "give a corpus of audio",
        ));
    }
    let mut corpus = match heard_by.posterior_kind().labelling() {
        Labelling::Single => open::corpus(&data.name, &data.options, progress)?,
        Labelling::Multi => open::corpus_with_tags(&data.name, &data.options, progress)?,
    };
    if data.conceal {
        corpus.conceal();
    }
    let has_test = corpus.clips.iter().any(|clip| clip.split == Some(Split::Test));
    let part = data.split.or(has_test.then_some(Split::Test));
    corpus.clips.retain(|clip| part.is_none_or(|part| clip.split == Some(part)));
    let classes = map.resolve(&corpus.classes, model.classes())?;
    let without = corpus.clips.len();
    corpus.clips.retain(|clip| tags(clip, &classes).next().is_some());
    let without = without - corpus.clips.len();

    let (victim, format) = heard_by.victim()?;
    let samples = ((SECONDS * f64::from(format.sample_rate)) as usize).max(format.samples);
    let (done, total) = (AtomicU64::new(0), corpus.clips.len() as u64);
    let of_clip = |clip: &Clip| {
        let item = item(&victim, clip, &classes, format, samples);
        progress.report("genuine clips", done.fetch_add(1, Ordering::Relaxed) + 1, total);
        item
    };
    let scored: Vec<Result<(GenuineItem, Option<String>)>> =
        corpus.clips.par_iter().map(of_clip).collect();
    let mut notes = left_out(&corpus.classes, &classes, without);
    notes.push(
        "whether training clips are among these, or share groups with them, is not known"
            .to_owned(),
    );
    let mut items = Vec::new();
    for (clip, found) in corpus.clips.iter().zip(scored) {
        match found {
            Ok((item, concealed)) => {
                items.push(item);
                notes.extend(concealed);
            }
            Err(error @ Error::Corpora(_)) if data.bad == BadClips::Skip => {
                notes.push(format!("left out: {}: {error}", clip.id));
            }
            Err(error) => return Err(error),
        }
    }
    let source = ReferenceSource {
        kind: ReferenceKind::HeldOut,
        corpus: corpus.name.clone(),
        provenance: corpus.provenance,
        licence: corpus.licence.clone(),
        folds: None,
        samples: Some(samples),
        notes,
    };
    let (kind, fingerprint) = (heard_by.posterior_kind(), heard_by.fingerprint());
    let reference = Reference::new(source, model.classes().to_vec(), kind, fingerprint, items)?;
    with_example_taken_apart(model, reference, |name| sound(&corpus, name, format.sample_rate))
}

/// The clip of this name at a sample rate.
///
/// # Errors
/// Whatever reading meets.
pub(super) fn sound(corpus: &Corpus, name: &str, rate: u32) -> Result<Option<Genuine>> {
    let clip = corpus.clips.iter().find(|clip| clip.id == name);
    let sound = clip.map(|clip| clip.read(rate, &Limits::default())).transpose()?;
    Ok(sound.map(Genuine::Sound))
}

/// The classes that the labels of a clip mean, as far as they mean any.
fn tags<'c>(clip: &'c Clip, classes: &'c [Option<usize>]) -> impl Iterator<Item = usize> + 'c {
    let labels = std::iter::once(clip.class).chain(clip.other_labels.iter().copied());
    labels.filter_map(|label| classes[label])
}

/// A clip with its scores as it would be delivered, and where silence stands for damaged or missing
/// frames of it.
fn item(
    victim: &dyn Victim<Audio>,
    clip: &Clip,
    classes: &[Option<usize>],
    format: AudioFormat,
    most: usize,
) -> Result<(GenuineItem, Option<String>)> {
    let (mut audio, gaps) = clip.read_with_gaps(format.sample_rate, &Limits::default())?;
    let concealed = (!gaps.is_empty()).then(|| concealed(&clip.path, &gaps));
    if audio.samples.len() < format.samples {
        return Err(Error::Corpora(trompe_corpora::Error::bad_file(
            &clip.path,
            format!("{:.2} s of sound are less than the model needs", audio.seconds()),
            "use a longer file, or leave it out with --skip-bad",
        )));
    }
    audio.samples = as_delivered(&audio.samples, most);
    let log_odds = score_input(victim, &audio)?;
    let mut tags = tags(clip, classes);
    let class = tags.next().unwrap_or_default();
    let mut other_tags: Vec<usize> = tags.filter(|&tag| tag != class).collect();
    other_tags.sort_unstable();
    other_tags.dedup();
    let item = GenuineItem {
        name: clip.id.clone(),
        sha256: hex(&sha256_file(&clip.path)?),
        group: clip.group.clone(),
        class,
        other_tags,
        log_odds,
    };
    Ok((item, concealed))
}
