//! Candidates as files: rendered, written, read again and scored. One is kept only if the
//! classifier's label of the file is its class, at the threshold, and if the set does not hold the
//! same file already.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use serde::Serialize;
use trompe_base::files::rename;

use super::codec::{Codec, score_file};
use super::digest::sha256_of_file;
use super::manifest::{Exhibit, Origin};
use super::names::{class_stems, file_name};
use super::picture::Picture;
use crate::error::{Error, Result};
use crate::log_odds::{Labelling, label, posterior_from_log_odds};
use crate::problem::{Render, Victim};
use crate::reference::Limits;
use crate::search::{Elite, reaches};

/// How candidates become files: rendered, written, read again and scored.
pub struct Delivery<'a, R: Render> {
    /// What renders genomes.
    pub space: &'a R,
    /// What scores the files.
    pub victim: &'a dyn Victim<R::Input>,
    /// What writes and reads them.
    pub codec: &'a dyn Codec<R::Input>,
    /// Raised to give up before the next file.
    pub stop: Option<&'a AtomicBool>,
}

/// An elite that is put forward as an exhibit of a class.
#[derive(Debug)]
pub struct Candidate<'a, G> {
    /// Class index.
    pub class: usize,
    /// The elite.
    pub elite: &'a Elite<G>,
}

impl<G> Candidate<'_, G> {
    /// Posterior of its class in the search.
    fn posterior(&self) -> f64 {
        posterior_from_log_odds(self.elite.log_odds[self.class])
    }
}

/// A candidate that reached its class in the search, but was left out when delivered.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LeftOut {
    /// Class index.
    pub class: usize,
    /// Class name.
    pub label: String,
    /// Evaluation that found the candidate.
    pub evaluation: u64,
    /// Posterior in the search.
    pub posterior_in_search: f64,
    /// Posterior of the delivered file.
    pub posterior_delivered: f64,
    /// Why.
    pub why: Reason,
}

/// Why a delivered candidate is no exhibit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// The score of the file is below the threshold, or below the level asked for.
    BelowThreshold,
    /// The classifier's label of the file is this class; `None` in a tie.
    OtherLabel(Option<String>),
    /// The file is the same as that of the candidate of this evaluation.
    SameFile(u64),
}

impl std::fmt::Display for Reason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::BelowThreshold => write!(f, "the delivered file is below the threshold"),
            Self::OtherLabel(Some(label)) => write!(f, "the delivered file is labelled {label}"),
            Self::OtherLabel(None) => write!(f, "the delivered file has no label (a tie)"),
            Self::SameFile(other) => {
                write!(f, "its file is the same as that of evaluation {other}")
            }
        }
    }
}

/// A candidate as a file.
struct Delivered {
    path: PathBuf,
    log_odds: Vec<f64>,
    posterior: f64,
    sha256: String,
    picture: Picture,
}

/// What became of one class' candidates.
pub(super) struct Outcome {
    /// Exhibits, best first.
    pub(super) kept: Vec<(Exhibit, Picture)>,
    /// Highest posterior of those labelled with the class that were not kept.
    pub(super) best_below: Option<f64>,
    pub(super) left_out: Vec<LeftOut>,
}

/// Where candidates become files.
pub(super) struct Stage<'a, R: Render> {
    pub(super) set: &'a Path,
    pub(super) origin: &'a Origin,
    /// What an exhibit reaches.
    pub(super) limits: Limits,
    /// Most exhibits of a class.
    pub(super) most: usize,
    pub(super) delivery: &'a Delivery<'a, R>,
    /// SHA-256 of every file kept so far, with the evaluation that found it.
    pub(super) files: BTreeMap<String, u64>,
}

impl<R: Render> Stage<'_, R> {
    /// Delivers the candidates of one class and keeps those that still reach it.
    pub(super) fn fill(
        &mut self,
        class: usize,
        candidates: &[Candidate<'_, R::Genome>],
    ) -> Result<Outcome> {
        let mut kept = Vec::new();
        let mut left_out = Vec::new();
        let mut best_below: Option<f64> = None;
        for candidate in candidates.iter().filter(|candidate| candidate.class == class) {
            let log_odds = &candidate.elite.log_odds;
            if !reaches(log_odds, class, &self.limits, self.labelling()) {
                if self.labelling().lead(log_odds, class) > 0.0 {
                    best_below =
                        best_below.into_iter().chain([candidate.posterior()]).reduce(f64::max);
                }
                continue;
            }
            if kept.len() == self.most {
                break;
            }
            let delivered = self.deliver(candidate)?;
            let Some(why) = self.why_left_out(class, &delivered) else {
                self.files.insert(delivered.sha256.clone(), candidate.elite.evaluation);
                kept.push((candidate, delivered));
                continue;
            };
            let path = &delivered.path;
            fs::remove_file(path).map_err(|source| Error::io(path, source))?;
            if why == Reason::BelowThreshold {
                best_below = best_below.into_iter().chain([delivered.posterior]).reduce(f64::max);
            }
            left_out.push(LeftOut {
                class,
                label: self.origin.classes[class].clone(),
                evaluation: candidate.elite.evaluation,
                posterior_in_search: candidate.posterior(),
                posterior_delivered: delivered.posterior,
                why,
            });
        }
        // Best first; among equals the earlier evaluation.
        kept.sort_by(|(a, delivered_a), (b, delivered_b)| {
            let (better, worse) = (delivered_b.log_odds[class], delivered_a.log_odds[class]);
            better.total_cmp(&worse).then(a.elite.evaluation.cmp(&b.elite.evaluation))
        });
        let name = |(rank, (candidate, delivered))| self.keep(candidate, delivered, rank + 1);
        let kept = kept.into_iter().enumerate().map(name).collect::<Result<_>>()?;
        Ok(Outcome { kept, best_below, left_out })
    }

    fn labelling(&self) -> Labelling {
        self.origin.labelling()
    }

    /// The other tags at their limits of an exhibit of `class`.
    fn other_tags(&self, class: usize, log_odds: &[f64]) -> Vec<usize> {
        let given = |&other: &usize| other != class && log_odds[other] >= self.limits.of(other);
        match self.labelling() {
            Labelling::Single => Vec::new(),
            Labelling::Multi => (0..log_odds.len()).filter(given).collect(),
        }
    }

    /// Why a delivered candidate is no exhibit of `class`, if so.
    fn why_left_out(&self, class: usize, delivered: &Delivered) -> Option<Reason> {
        if self.labelling().lead(&delivered.log_odds, class) <= 0.0 {
            let label = label(&delivered.log_odds);
            let label = label.map(|label| self.origin.classes[label].clone());
            return Some(Reason::OtherLabel(label));
        }
        if delivered.log_odds[class] < self.limits.of(class) {
            return Some(Reason::BelowThreshold);
        }
        self.files.get(&delivered.sha256).map(|&evaluation| Reason::SameFile(evaluation))
    }

    /// Writes one candidate under a provisional name and scores the file.
    fn deliver(&self, candidate: &Candidate<'_, R::Genome>) -> Result<Delivered> {
        let Candidate { class, elite } = candidate;
        let Delivery { space, victim, codec, stop } = *self.delivery;
        if stop.is_some_and(|stop| stop.load(Ordering::Relaxed)) {
            return Err(Error::Stopped);
        }
        let provisional = format!("provisional-{class}-{}.{}", elite.evaluation, codec.extension());
        let path = self.set.join(provisional);
        codec.write(&space.render(&elite.genome), &path)?;
        let (input, log_odds) = score_file(victim, codec, &path)?;
        let posterior = posterior_from_log_odds(log_odds[*class]);
        let sha256 = sha256_of_file(&path).map_err(|source| Error::io(&path, source))?;
        let picture = codec.picture(&input);
        Ok(Delivered { path, log_odds, posterior, sha256, picture })
    }

    /// Gives a delivered file its final name and describes it.
    fn keep(
        &self,
        candidate: &Candidate<'_, R::Genome>,
        delivered: Delivered,
        rank: usize,
    ) -> Result<(Exhibit, Picture)> {
        let Candidate { class, elite } = candidate;
        let stem = &class_stems(&self.origin.classes)[*class];
        let file = file_name(stem, rank, delivered.posterior, self.delivery.codec.extension());
        let path = self.set.join(&file);
        rename(&delivered.path, &path).map_err(|source| Error::io(&path, source))?;
        let genome = serde_json::to_value(&elite.genome)
            .map_err(|error| Error::bad_file(&path, error.to_string(), "report this genome"))?;
        let exhibit = Exhibit {
            class: *class,
            label: self.origin.classes[*class].clone(),
            posterior: delivered.posterior,
            posteriors: delivered.log_odds.iter().map(|&v| posterior_from_log_odds(v)).collect(),
            calibrated: self.delivery.victim.calibrated(&delivered.log_odds),
            level: self
                .delivery
                .victim
                .reference()
                .and_then(|reference| reference.level(&delivered.log_odds, *class)),
            other_tags: self.other_tags(*class, &delivered.log_odds),
            log_odds: delivered.log_odds,
            evaluation: elite.evaluation,
            emitter: elite.emitter.clone(),
            made_by: elite.made_by.clone(),
            parent: elite.parent,
            genome,
            descriptions: self.delivery.space.descriptions(&elite.genome),
            sha256: delivered.sha256,
            file,
        };
        Ok((exhibit, delivered.picture))
    }
}
