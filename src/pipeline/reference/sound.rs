//! Models of sound with their genuine reference.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use trompe_base::words::counted;
use trompe_corpora::{Corpus, Limits, Progress, Provenance, Skipped, Split};

use super::taken_apart::model_with;
use super::{Grouped, ReferencePlan, SECONDS, draw_held_out, heard, nothing_held_out};
use crate::classifiers::{Classifier, Model, mean_vector};
use crate::dataset::extract::{DeliveredClip, extract_with_delivered};
use crate::dataset::{Dataset, Excerpt};
use crate::error::Result;
use crate::evaluation::{Evaluation, cross_validate};
use crate::pipeline::evaluate::{Division, divide, labels, notes_on, why_not_divided};
use crate::pipeline::probe::Genuine;
use crate::pipeline::train::{Data, Training, train};
use crate::problem::SILENCE_SCORE;
use crate::reference::{Coverage, GenuineItem, Reference, ReferenceKind, ReferenceSource};
use crate::victims::{AnyModel, AudioModel, Scorer};

/// A model with its reference, and what must be known of both.
#[derive(Debug)]
pub struct TrainedOnSound {
    /// The model.
    pub model: AnyModel,
    /// What it was trained on.
    pub dataset: Dataset,
    /// Clips that could not be read.
    pub skipped: Vec<Skipped>,
    /// What to know of the reference.
    pub notes: Vec<String>,
}

/// Clips with their feature vectors, and as they would be delivered.
#[derive(Debug)]
pub struct Clips {
    /// As they are trained on.
    pub dataset: Dataset,
    /// The same clips as they would be delivered.
    pub delivered: Vec<DeliveredClip>,
    /// Clips that could not be read.
    pub skipped: Vec<Skipped>,
    /// Length that they were cut to, in samples; `None` for vectors from a file.
    pub samples: Option<usize>,
    /// Where they are read from; `None` for vectors from a file.
    pub corpus: Option<Corpus>,
}

impl Clips {
    /// The sound of a clip; `None` for vectors from a file.
    fn sound(&self, name: &str) -> Result<Option<Genuine>> {
        let (Some(corpus), Some(settings)) = (&self.corpus, &self.dataset.settings) else {
            return Ok(None);
        };
        heard::sound(corpus, name, settings.sample_rate())
    }
}

/// Trains a model on `data` and gives it a genuine reference.
///
/// # Errors
/// Whatever reading, training or scoring meets; [`crate::Error::Request`] for a plan out of range.
pub fn train_sound(
    data: &Data,
    training: &Training,
    plan: &ReferencePlan,
    progress: &dyn Progress,
) -> Result<TrainedOnSound> {
    plan.check()?;
    // The test part is held out where the rest is trained on.
    let whole = match data.split {
        Some(Split::Train) => Data { split: None, ..data.clone() },
        _ => data.clone(),
    };
    let part = |corpus: &Corpus| trained_part(corpus, data.split, plan);
    let clips = load(&whole, training, part, progress)?;
    let Parts { training: kept, held_out, mut notes } = divided(&clips.dataset, data.split, plan);
    notes.extend(concealed(&clips.delivered));
    let dataset = match kept.len() == clips.dataset.excerpts.len() {
        true => clips.dataset.clone(),
        false => clips.dataset.subset(&kept),
    };
    dataset.check()?;
    let model = train(&dataset, training, progress)?;
    let source = source_of(&clips);
    let share = plan.hold_out.is_some_and(|share| share > 0.0);
    if share && held_out.is_empty() {
        return Err(nothing_held_out());
    }
    let reference = if plan.folds == 0 && !share {
        None
    } else if held_out.is_empty() {
        let kept_delivered: Vec<DeliveredClip> =
            kept.iter().map(|&clip| clips.delivered[clip].clone()).collect();
        cross_fit_reference(&dataset, &kept_delivered, training, plan, progress, &mut notes)?.map(
            |(items, folds, coverage)| {
                let source = ReferenceSource {
                    kind: ReferenceKind::CrossFitted,
                    folds: Some(folds),
                    ..source.clone()
                };
                (source, items, coverage)
            },
        )
    } else {
        let items = held_out
            .iter()
            .map(|&clip| scored(&model, &clips.dataset.excerpts[clip], &clips.delivered[clip]));
        Some((source.clone(), items.collect(), None))
    };
    let reference = reference
        .map(|(source, items, coverage)| {
            let source = ReferenceSource { notes: notes.clone(), ..source };
            let of = (&clips.dataset.excerpts[..], &clips.delivered[..]);
            let reference = reference_for(&model, source, items, of)?;
            Ok::<_, crate::Error>(match coverage {
                Some(coverage) => reference.with_coverage(coverage),
                None => reference,
            })
        })
        .transpose()?;
    let model = AnyModel::new(Scorer::Audio(Box::new(AudioModel::Trained(model))), None)?;
    let model = model_with(model, reference, |name| clips.sound(name))?;
    Ok(TrainedOnSound { model, dataset, skipped: clips.skipped, notes })
}

/// What was concealed in clips, a sentence for each.
pub(super) fn concealed(clips: &[DeliveredClip]) -> impl Iterator<Item = String> {
    clips.iter().filter_map(|clip| clip.concealed.clone())
}

/// Where clips come from, held out.
fn source_of(clips: &Clips) -> ReferenceSource {
    let source = &clips.dataset.source;
    ReferenceSource {
        kind: ReferenceKind::HeldOut,
        corpus: source.name.clone(),
        provenance: source.provenance.unwrap_or(Provenance::Unstated),
        licence: clips.corpus.as_ref().and_then(|corpus| corpus.licence.clone()),
        folds: None,
        samples: clips.samples,
        notes: Vec::new(),
    }
}

/// The reference of a model from scored items, which are among these clips. The embedding of a clip is its
/// mean feature vector: the same for every model, so that those of a cross-fit have it, too.
///
/// # Errors
/// As [`Reference::new`].
pub(super) fn reference_for(
    model: &Model,
    source: ReferenceSource,
    items: Vec<GenuineItem>,
    (excerpts, delivered): (&[Excerpt], &[DeliveredClip]),
) -> Result<Reference> {
    let names = excerpts.iter().map(|excerpt| excerpt.id.as_str());
    let clips: BTreeMap<&str, &DeliveredClip> = names.zip(delivered).collect();
    let mean = |item: &GenuineItem| {
        let clip = clips.get(item.name.as_str());
        clip.map_or_else(Vec::new, |clip| mean_vector(&clip.vectors, model.dimensions()))
    };
    let embeddings: Vec<Vec<f32>> = items.iter().map(mean).collect();
    let (classes, victim) = (model.classes().to_vec(), model.fingerprint().to_owned());
    let reference = Reference::new(source, classes, model.posterior_kind(), victim, items)?;
    Ok(reference.with_embeddings(&embeddings))
}

/// Reads the clips of `data` as `training` sees them. The dataset is not checked.
///
/// # Errors
/// Whatever opening and reading meet.
pub fn load_clips(data: &Data, training: &Training, progress: &dyn Progress) -> Result<Clips> {
    load(data, training, |_| None, progress)
}

/// Whether `train` takes `corpus` when it is asked for nothing else, and why the model would have no
/// genuine reference, if so.
///
/// # Errors
/// As [`Corpus::check_for_training`].
pub fn check_clips(corpus: &Corpus, plan: &ReferencePlan) -> Result<Option<String>> {
    let part = trained_part(corpus, None, plan);
    corpus.check_for_training(part)?;
    Ok(match part {
        Some(_) => None,
        None => why_not_divided(corpus, plan.folds, plan.seed),
    })
}

/// The same of feature vectors from a file.
///
/// # Errors
/// As [`Dataset::check`], of the excerpts that are trained on.
pub fn check_vectors(dataset: &Dataset, plan: &ReferencePlan) -> Result<Option<String>> {
    let parts = divided(dataset, None, plan);
    let kept = dataset.subset(&parts.training);
    kept.check()?;
    Ok(match parts.held_out.as_slice() {
        [] => why_not_divided(&labels(&kept), plan.folds, plan.seed),
        _ => None,
    })
}

/// The part of a corpus that is trained on, as [`divided`] divides it; `None` for all of it.
fn trained_part(corpus: &Corpus, split: Option<Split>, plan: &ReferencePlan) -> Option<Split> {
    match (plan.hold_out, split) {
        (_, Some(Split::Train)) => split,
        (None, None) if plan.folds > 0 => corpus.training_part(),
        _ => None,
    }
}

fn load(
    data: &Data,
    training: &Training,
    part: impl Fn(&Corpus) -> Option<Split>,
    progress: &dyn Progress,
) -> Result<Clips> {
    let features = training.features();
    let Some(corpus) = data.corpus(progress)? else {
        let dataset = Dataset::read(Path::new(&data.name))?;
        let delivered = vectors_as_they_are(&dataset);
        let skipped = Vec::new();
        return Ok(Clips { dataset, delivered, skipped, samples: None, corpus: None });
    };
    corpus.check_for_training(part(&corpus))?;
    let samples = (SECONDS * f64::from(features.sample_rate())) as usize;
    let (dataset, delivered, skipped) = extract_with_delivered(
        &corpus,
        &features,
        &Limits::default(),
        data.bad,
        samples,
        progress,
    )?;
    Ok(Clips { dataset, delivered, skipped, samples: Some(samples), corpus: Some(corpus) })
}

/// Vectors from a file have no sound that could be delivered.
fn vectors_as_they_are(dataset: &Dataset) -> Vec<DeliveredClip> {
    let starts = dataset.excerpt_starts();
    let of = |excerpt| {
        let vectors: Vec<f32> = dataset.vectors_of(&starts, excerpt).iter().copied().collect();
        let mut hash = trompe_base::hash::FieldHasher::default();
        vectors.iter().for_each(|value| hash.field(value.to_le_bytes()));
        DeliveredClip { vectors, sha256: hash.finish(), concealed: None }
    };
    (0..dataset.excerpts.len()).map(of).collect()
}

/// Which clips are trained on, and which are held out.
struct Parts {
    training: Vec<usize>,
    held_out: Vec<usize>,
    notes: Vec<String>,
}

fn divided(dataset: &Dataset, split: Option<Split>, plan: &ReferencePlan) -> Parts {
    let all = 0..dataset.excerpts.len();
    let of = |split| -> Vec<usize> {
        all.clone().filter(|&clip| dataset.excerpts[clip].split == Some(split)).collect()
    };
    let (train, test) = (of(Split::Train), of(Split::Test));
    let mut notes = Vec::new();
    match (plan.hold_out, split) {
        (Some(share), _) if share > 0.0 => {
            let pool = if split == Some(Split::Train) { train } else { all.collect() };
            let item = |&clip: &usize| {
                let excerpt = &dataset.excerpts[clip];
                let group = excerpt.group.as_deref().unwrap_or(&excerpt.id);
                Grouped { class: excerpt.class, group }
            };
            let grouped: Vec<Grouped<'_>> = pool.iter().map(item).collect();
            let drawn = draw_held_out(&grouped, share, plan.seed);
            let held_out: BTreeSet<usize> = drawn.into_iter().map(|place| pool[place]).collect();
            let training = pool.into_iter().filter(|clip| !held_out.contains(clip)).collect();
            Parts { training, held_out: held_out.into_iter().collect(), notes }
        }
        (None, None) if plan.folds == 0 => {
            Parts { training: all.collect(), held_out: Vec::new(), notes }
        }
        (None, None | Some(Split::Train)) if !train.is_empty() && !test.is_empty() => {
            let trained: BTreeSet<&str> =
                train.iter().filter_map(|&clip| dataset.excerpts[clip].group.as_deref()).collect();
            let known = |&clip: &usize| {
                dataset.excerpts[clip].group.as_deref().is_some_and(|g| trained.contains(g))
            };
            let (shared, test): (Vec<usize>, Vec<usize>) = test.into_iter().partition(known);
            if !shared.is_empty() {
                notes.push(format!(
                    "no reference: {} of the test part, because clips of the same groups are trained on",
                    counted(shared.len(), "clip")
                ));
            }
            let unused = dataset.excerpts.len() - train.len() - test.len() - shared.len();
            if unused > 0 && split.is_none() {
                notes.push(format!(
                    "not used: {} of neither the training nor the test part",
                    counted(unused, "clip")
                ));
            }
            Parts { training: train, held_out: test, notes }
        }
        (_, Some(Split::Train)) => Parts { training: train, held_out: Vec::new(), notes },
        _ => Parts { training: all.collect(), held_out: Vec::new(), notes },
    }
}

/// Items scored by models of the other folds, the number of folds, and what nested folds found.
type CrossFitted = (Vec<GenuineItem>, usize, Option<Coverage>);

fn cross_fit_reference(
    dataset: &Dataset,
    delivered: &[DeliveredClip],
    training: &Training,
    plan: &ReferencePlan,
    progress: &dyn Progress,
    notes: &mut Vec<String>,
) -> Result<Option<CrossFitted>> {
    let division = Division::strictest(dataset);
    if let Some(why) = why_not_divided(&labels(dataset), plan.folds, plan.seed) {
        notes.push(format!("no genuine reference: {why}"));
        return Ok(None);
    }
    let fitted = cross_fit(dataset, delivered, training, division, plan, progress)?;
    notes.extend(fitted.notes.iter().cloned());
    let coverage = match plan.check_levels {
        true => Some(fitted.coverage(dataset, delivered, training, progress)?),
        false => None,
    };
    Ok(Some((fitted.items, fitted.folds, coverage)))
}

/// A cross-validation whose models also scored every clip as it would be delivered.
pub struct CrossFit {
    /// The cross-validation, on the clips as they are trained on.
    pub evaluation: Evaluation,
    /// The items.
    pub items: Vec<GenuineItem>,
    /// Number of folds.
    pub folds: usize,
    /// What could not be held out, and why.
    pub notes: Vec<String>,
    /// Clip and fold of every item.
    places: Vec<(usize, usize)>,
}

/// Cross-validates `training` once, and scores every clip that is held out as it would be delivered.
///
/// # Errors
/// As [`divide`] and [`cross_validate`].
pub fn cross_fit(
    dataset: &Dataset,
    delivered: &[DeliveredClip],
    training: &Training,
    division: Division,
    plan: &ReferencePlan,
    progress: &dyn Progress,
) -> Result<CrossFit> {
    let folds = divide(dataset, division, plan.folds, plan.seed, 0)?;
    let notes = notes_on(dataset, division, plan.folds, &folds);
    let mut scores: Vec<(usize, GenuineItem)> = Vec::new();
    let evaluation = cross_validate(
        dataset,
        std::slice::from_ref(&folds.of_clip),
        |part| {
            let fitted = training.fit(part, &|_: &str, _, _| {})?;
            let known: BTreeSet<&str> = part.excerpts.iter().map(|e| e.id.as_str()).collect();
            let excerpts = dataset.excerpts.iter().zip(delivered).enumerate();
            let unknown = excerpts.filter(|(_, (excerpt, _))| !known.contains(excerpt.id.as_str()));
            scores.extend(unknown.map(|(n, (excerpt, clip))| (n, scored(&fitted, excerpt, clip))));
            Ok(fitted)
        },
        |fit| progress.report("cross-fit", fit.fold as u64 - 1, fit.folds as u64),
    )?;
    scores.sort_by_key(|(clip, _)| *clip);
    let fold = |clip: usize| folds.of_clip[clip].unwrap_or(0);
    let places = scores.iter().map(|&(clip, _)| (clip, fold(clip))).collect();
    let items = scores.into_iter().map(|(_, item)| item).collect();
    Ok(CrossFit { evaluation, items, folds: folds.count, notes, places })
}

impl CrossFit {
    /// `model`, which was trained on all of `clips`, with the items as its reference.
    ///
    /// # Errors
    /// As [`Reference::new`].
    pub fn into_model(self, model: Model, clips: &Clips) -> Result<AnyModel> {
        let source = ReferenceSource {
            kind: ReferenceKind::CrossFitted,
            folds: Some(self.folds),
            notes: self.notes,
            ..source_of(clips)
        };
        let of = (&clips.dataset.excerpts[..], &clips.delivered[..]);
        let reference = reference_for(&model, source, self.items, of)?;
        let scorer = Scorer::Audio(Box::new(AudioModel::Trained(model)));
        model_with(AnyModel::new(scorer, None)?, Some(reference), |name| clips.sound(name))
    }

    /// How often genuine items of groups that neither a model nor its reference knows reach a level.
    ///
    /// The model of each fold is held against a reference of the other folds, each of which was scored
    /// by a model without both: for K folds that takes K (K - 1) / 2 more fits.
    ///
    /// # Errors
    /// Whatever training meets.
    pub fn coverage(
        &self,
        dataset: &Dataset,
        delivered: &[DeliveredClip],
        training: &Training,
        progress: &dyn Progress,
    ) -> Result<Coverage> {
        let mut references: Vec<Vec<GenuineItem>> = vec![Vec::new(); self.folds];
        let pairs: Vec<(usize, usize)> =
            (0..self.folds).flat_map(|b| (0..b).map(move |a| (a, b))).collect();
        for (done, &(a, b)) in pairs.iter().enumerate() {
            progress.report("nested folds", done as u64, pairs.len() as u64);
            let without: BTreeSet<usize> =
                self.places.iter().filter(|(_, fold)| [a, b].contains(fold)).map(|p| p.0).collect();
            let rest: Vec<usize> =
                (0..dataset.excerpts.len()).filter(|clip| !without.contains(clip)).collect();
            let part = dataset.subset(&rest);
            if part.excerpts_per_class().contains(&0) {
                continue;
            }
            let fitted = training.fit(&part, &|_: &str, _, _| {})?;
            for &(clip, fold) in self.places.iter().filter(|(clip, _)| without.contains(clip)) {
                let item = scored(&fitted, &dataset.excerpts[clip], &delivered[clip]);
                references[if fold == a { b } else { a }].push(item);
            }
        }
        let kind = self.evaluation.posterior_kind;
        let source = ReferenceSource {
            kind: ReferenceKind::CrossFitted,
            corpus: String::new(),
            provenance: Provenance::Unstated,
            licence: None,
            folds: None,
            samples: None,
            notes: Vec::new(),
        };
        let mut folds = Vec::new();
        for (fold, items) in references.into_iter().enumerate() {
            let (classes, source) = (dataset.classes.clone(), source.clone());
            let Ok(reference) = Reference::new(source, classes, kind, String::new(), items) else {
                continue;
            };
            let own = self.items.iter().zip(&self.places).filter(|(_, place)| place.1 == fold);
            folds.push((reference.levels().clone(), own.map(|(item, _)| item.clone()).collect()));
        }
        Ok(Coverage::of(&folds))
    }
}

/// A clip with its scores as it would be delivered.
pub(super) fn scored(
    scorer: &impl Classifier,
    excerpt: &Excerpt,
    clip: &DeliveredClip,
) -> GenuineItem {
    let mut log_odds = vec![SILENCE_SCORE; scorer.classes().len()];
    if !clip.vectors.is_empty() {
        scorer.log_odds(&clip.vectors, &mut log_odds);
    }
    GenuineItem {
        name: excerpt.id.clone(),
        sha256: clip.sha256.clone(),
        group: excerpt.group.clone(),
        class: excerpt.class,
        other_tags: Vec::new(),
        log_odds,
    }
}
