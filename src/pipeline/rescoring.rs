//! Exhibits scored again: by their own classifier after every intervention, or by another
//! classifier as they are.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use rayon::prelude::*;
use trompe_corpora::images::read_png;
use trompe_corpora::{Image, Limits, Progress, read_mono};

use super::scoring::Scorer;
use crate::audio::interventions::Mp3Encoder;
use crate::audio::{Handling, Listener};
use crate::classifiers::{AnyModel, ImageClassifier};
use crate::error::{Error, Result};
use crate::image;
use crate::results::comparison::{Group, Judged, Outcome, Rescored, Run};

/// Every exhibit of a group, as delivered and after every intervention of its medium, scored
/// by the classifier it was made on.
///
/// # Errors
/// Whatever reading the model or a file, or an intervention meets.
pub fn after_interventions(group: &Group, progress: &dyn Progress) -> Result<Vec<Rescored>> {
    match model(group)? {
        AnyModel::Audio(model) => {
            let listener = Listener::of_model(&model)?;
            let ear = Ear { listener: &listener, encoder: Mp3Encoder::find() };
            rescored(group, &ear, progress)
        }
        AnyModel::Image(model) => {
            rescored(group, &Eye { classifier: model.classifier() }, progress)
        }
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
    let model = model(to)?;
    let scorer = Scorer::new(&model)?;
    let judged = |(path, class): &(PathBuf, usize)| {
        Ok(Judged { class: *class, log_odds: scorer.score(path)? })
    };
    exhibits(from).par_iter().map(judged).collect::<Result<_>>().map(Some)
}

/// The model that the runs of a group keep.
fn model(group: &Group) -> Result<AnyModel> {
    let folder = &group.runs()[0].folder;
    let path = AnyModel::kept(folder).ok_or_else(|| {
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
    Ok(model)
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

/// Reads, treats and scores the files of one medium.
trait Judge: Sync {
    type Content: Send;
    type Intervention: Copy + Sync;

    /// The interventions to put exhibits to, with their names.
    fn interventions(&self) -> Vec<(String, Self::Intervention)>;
    fn read(&self, path: &Path) -> Result<Self::Content>;
    /// The content after an intervention; `None` where this machine cannot make it.
    fn apply(
        &self,
        intervention: Self::Intervention,
        content: &Self::Content,
    ) -> Result<Option<Self::Content>>;
    fn log_odds(&self, content: &Self::Content) -> Result<Vec<f64>>;
}

/// What an intervention led to, or why it was not made.
type Cell<T = Judged> = Result<T, String>;

fn rescored<J: Judge>(group: &Group, judge: &J, progress: &dyn Progress) -> Result<Vec<Rescored>> {
    let exhibits = exhibits(group);
    let interventions = judge.interventions();
    let done = AtomicU64::new(0);
    // One row an exhibit: as delivered, then after each intervention.
    let row = |(path, class): &(PathBuf, usize)| -> Result<Vec<Cell>> {
        let content = judge.read(path)?;
        let judged = |content: &J::Content| -> Result<Judged> {
            Ok(Judged { class: *class, log_odds: judge.log_odds(content)? })
        };
        let mut row = vec![Ok(judged(&content)?)];
        for &(_, intervention) in &interventions {
            row.push(match judge.apply(intervention, &content)? {
                None => Err("this machine has no encoder for it (lame or ffmpeg)".to_owned()),
                Some(after) => match judged(&after) {
                    Err(Error::Features(why)) => Err(format!("cannot be judged after it: {why}")),
                    judged => Ok(judged?),
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
    let names = interventions.iter().map(|(name, _)| name.clone());
    Ok(std::iter::once("as delivered, read again".to_owned())
        .chain(names)
        .enumerate()
        .map(|(column, intervention)| Rescored { intervention, outcome: outcome(column) })
        .collect())
}

/// Hears sound.
struct Ear<'a> {
    listener: &'a Listener<'a>,
    encoder: Option<Mp3Encoder>,
}

impl Judge for Ear<'_> {
    type Content = Vec<f32>;
    type Intervention = Handling;

    fn interventions(&self) -> Vec<(String, Handling)> {
        Handling::ALL.map(|handling| (handling.name(), handling)).to_vec()
    }

    fn read(&self, path: &Path) -> Result<Vec<f32>> {
        Ok(read_mono(path, self.listener.sample_rate(), &Limits::default())?.samples)
    }

    fn apply(&self, handling: Handling, samples: &Vec<f32>) -> Result<Option<Vec<f32>>> {
        handling.apply(samples, self.listener.sample_rate(), self.encoder.as_ref())
    }

    fn log_odds(&self, samples: &Vec<f32>) -> Result<Vec<f64>> {
        let mut log_odds = vec![0.0; self.listener.classifier().classes().len()];
        self.listener.log_odds(samples, &mut log_odds)?;
        Ok(log_odds)
    }
}

/// Sees images.
struct Eye<'a> {
    classifier: &'a dyn ImageClassifier,
}

impl Judge for Eye<'_> {
    type Content = Image;
    type Intervention = image::Intervention;

    fn interventions(&self) -> Vec<(String, image::Intervention)> {
        image::Intervention::ALL.map(|intervention| (intervention.name(), intervention)).to_vec()
    }

    fn read(&self, path: &Path) -> Result<Image> {
        Ok(read_png(path, &Limits::default())?)
    }

    fn apply(&self, intervention: image::Intervention, image: &Image) -> Result<Option<Image>> {
        intervention.apply(image).map(Some)
    }

    fn log_odds(&self, image: &Image) -> Result<Vec<f64>> {
        let mut log_odds = vec![0.0; self.classifier.classes().len()];
        self.classifier.log_odds(&image.pixels, &mut log_odds);
        Ok(log_odds)
    }
}
