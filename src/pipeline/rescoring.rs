//! Exhibits scored again: by their own classifier after every intervention, or by another
//! classifier as they are.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

use rayon::prelude::*;
use trompe_corpora::{Audio, Image, Progress};

use super::scoring::FileScorer;
use crate::audio::interventions::Mp3Encoder;
use crate::audio::{Degradation, WavCodec};
use crate::error::{Error, Result};
use crate::exhibits::{Codec, score_file, score_input};
use crate::image::{self, PngCodec};
use crate::problem::{AudioFormat, CALLABLE, Input, Medium, Victim};
use crate::results::comparison::{Group, Judged, Outcome, Rescored, Run};
use crate::victims::{AnyModel, Scorer, program};

/// The first row of every group.
const AS_DELIVERED: &str = "as delivered, read again";

/// Every exhibit of a group, as delivered and after every intervention of its medium, scored
/// by the classifier it was made on.
///
/// # Errors
/// Whatever reading the model or a file, or an intervention meets.
pub fn after_interventions(group: &Group, progress: &dyn Progress) -> Result<Vec<Rescored>> {
    let Some(model) = model(group)? else {
        let why = "its victim is a function or a program, not a file".to_owned();
        let names = match group.origin().medium {
            Medium::Audio => Degradation::ALL.map(Degradation::name).to_vec(),
            Medium::Image => image::Intervention::ALL.map(image::Intervention::name).to_vec(),
        };
        let skipped =
            |intervention| Rescored { intervention, outcome: Outcome::Skipped(why.clone()) };
        return Ok(std::iter::once(AS_DELIVERED.to_owned()).chain(names).map(skipped).collect());
    };
    match model.scorer() {
        Scorer::Audio(model) => {
            let (victim, AudioFormat { sample_rate, .. }) = model.victim()?;
            let codec = WavCodec { sample_rate };
            let encoder = Mp3Encoder::find();
            rescored(group, &victim, &codec, &of_sound(encoder.as_ref()), progress)
        }
        Scorer::Image(model) => rescored(group, model.victim(), &PngCodec, &of_images(), progress),
    }
}

/// Every exhibit of `from`, judged by the classifier of `to`; `None` if that judges another
/// medium or other classes, or is the same.
///
/// # Errors
/// As [`after_interventions`].
pub fn by_other(from: &Group, to: &Group) -> Result<Option<Vec<Judged>>> {
    let (a, b) = (from.origin(), to.origin());
    let same = a.classifier.sha256 == b.classifier.sha256;
    if same || a.medium != b.medium || a.classes != b.classes {
        return Ok(None);
    }
    let Some(model) = model(to)? else { return Ok(None) };
    let scorer = FileScorer::new(&model)?;
    let judged = |(path, class): &(PathBuf, usize)| {
        Ok(Judged { class: *class, log_odds: scorer.score(path)?, labelling: b.labelling() })
    };
    exhibits(from).par_iter().map(judged).collect::<Result<_>>().map(Some)
}

/// The model that the runs of a group keep; `None` of victims that are no files.
fn model(group: &Group) -> Result<Option<AnyModel>> {
    let folder = &group.runs()[0].folder;
    let kept = AnyModel::kept(folder);
    let kind = group.origin().classifier.kind.as_str();
    if kept.is_none() && [CALLABLE, program::KIND].contains(&kind) {
        return Ok(None);
    }
    let path = kept.ok_or_else(|| {
        Error::bad_file(folder, "its model is missing", "restore the run's folder")
    })?;
    let model = AnyModel::load(&path)?;
    if model.fingerprint() != group.origin().classifier.sha256 {
        return Err(Error::bad_file(
            path,
            "is not the model the run was made on",
            "restore the run's folder",
        ));
    }
    Ok(Some(model))
}

/// Path and class of every exhibit of a group, in the order of runs and exhibits.
fn exhibits(group: &Group) -> Vec<(PathBuf, usize)> {
    let of_run = |run: &Run| {
        let set = run.folder.join("fooling-set");
        let exhibits = run.manifest.exhibits.clone();
        exhibits.into_iter().map(move |exhibit| (set.join(exhibit.file), exhibit.class))
    };
    group.runs().iter().flat_map(of_run).collect()
}

/// Treats an input; `None` where this machine cannot do it.
type Treatment<'a, I> = dyn Fn(&I) -> Result<Option<I>> + Sync + 'a;

/// A way to treat inputs, with its name.
struct Intervention<'a, I> {
    name: String,
    apply: Box<Treatment<'a, I>>,
}

/// Those of sound.
fn of_sound(encoder: Option<&Mp3Encoder>) -> Vec<Intervention<'_, Audio>> {
    let intervention = |degradation: Degradation| Intervention {
        name: degradation.name(),
        apply: Box::new(move |audio: &Audio| {
            let samples = degradation.apply(&audio.samples, audio.sample_rate, encoder)?;
            let sample_rate = audio.sample_rate;
            Ok(samples.map(|samples| Audio { samples, sample_rate }))
        }),
    };
    Degradation::ALL.map(intervention).into()
}

/// Those of images.
fn of_images() -> Vec<Intervention<'static, Image>> {
    let intervention = |of: image::Intervention| Intervention {
        name: of.name(),
        apply: Box::new(move |image: &Image| of.apply(image).map(Some)),
    };
    image::Intervention::ALL.map(intervention).into()
}

/// What an intervention led to, or why it was not made.
type Cell<T = Judged> = Result<T, String>;

fn rescored<I: Input>(
    group: &Group,
    victim: &dyn Victim<I>,
    codec: &dyn Codec<I>,
    interventions: &[Intervention<'_, I>],
    progress: &dyn Progress,
) -> Result<Vec<Rescored>> {
    let (exhibits, labelling) = (exhibits(group), group.origin().labelling());
    let done = AtomicU64::new(0);
    // One row an exhibit: as delivered, then after each intervention.
    let row = |(path, class): &(PathBuf, usize)| -> Result<Vec<Cell>> {
        let (input, log_odds) = score_file(victim, codec, path)?;
        let mut row = vec![Ok(Judged { class: *class, log_odds, labelling })];
        for intervention in interventions {
            row.push(match (intervention.apply)(&input)? {
                None => Err("this machine has no encoder for it (lame or ffmpeg)".to_owned()),
                Some(after) => match score_input(victim, &after) {
                    Err(Error::Features(why)) => Err(format!("cannot be judged after it: {why}")),
                    Err(Error::Request { what, .. }) => {
                        Err(format!("cannot be judged after it: {what}"))
                    }
                    log_odds => Ok(Judged { class: *class, log_odds: log_odds?, labelling }),
                },
            });
        }
        let done = done.fetch_add(1, Ordering::Relaxed) + 1;
        progress.report("interventions on exhibits", done, exhibits.len() as u64);
        Ok(row)
    };
    let rows: Vec<Vec<Cell>> = exhibits.par_iter().map(row).collect::<Result<_>>()?;
    let outcome = |column: usize| {
        let judged: Cell<Vec<Judged>> = rows.iter().map(|row| row[column].clone()).collect();
        judged.map_or_else(Outcome::Skipped, Outcome::Judged)
    };
    let names = interventions.iter().map(|intervention| intervention.name.clone());
    Ok(std::iter::once(AS_DELIVERED.to_owned())
        .chain(names)
        .enumerate()
        .map(|(column, intervention)| Rescored { intervention, outcome: outcome(column) })
        .collect())
}
