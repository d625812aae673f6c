//! Sturm's second experiment: the same recordings, relabelled by filtering alone. A clip counts
//! as relabelled where the model gives it the new class as its label, at the threshold.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use serde::Serialize;
use trompe_base::files::write_atomically;
use trompe_corpora::{Audio, Progress};

use super::grouped_share::GroupedShare;
use super::interventions::{Intervened, intervene};
use super::recordings::{Exposure, Recording, Recordings};
use super::scoring::{AnyVictim, FileScorer};
use crate::audio::difference::{log_spectral_distance_db, snr_db};
use crate::audio::{Equalization, EqualizedClip, EqualizedClips};
use crate::classifiers::{posterior_from_log_odds, top_class};
use crate::error::{Error, Result};
use crate::exhibits::companions::Companions;
use crate::exhibits::{self, Candidate, Delivery, Exhibit, Manifest, Origin, Picture};
use crate::log_odds::{Labelling, label};
use crate::problem::{GeneratorUsed, Problem, Render, Victim, WithReference};
use crate::reference::Criterion;
use crate::report;
use crate::search::{self, Elite, Search};

/// What is searched for.
#[derive(Debug, Clone, PartialEq)]
pub struct EqualizeSettings {
    /// Greatest gains in decibels, each a search and a set of its own.
    pub severities: Vec<f64>,
    /// Budget per clip and severity, threshold, targets, seed; one exhibit per class is
    /// wanted. Without targets, every class but the one the model gives the clip as it is.
    pub search: search::SearchSettings,
}

/// One clip and one class that it was to be relabelled as.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Attempt {
    /// Name of the clip.
    pub clip: String,
    /// Its class, if its corpus tells one that the model knows.
    pub class: Option<String>,
    /// What the model calls it as it is; `None` in a tie.
    pub label_before: Option<String>,
    /// The highest posterior of the clip as it is.
    pub posterior_before: f64,
    /// What it was to be called.
    pub target: String,
    /// What the model calls the clip under the best filter that was found; `None` in a tie.
    pub label: Option<String>,
    /// The posterior of the target under that filter: of the delivered file if it is an
    /// exhibit, of the search otherwise. It may be at the threshold under another label.
    pub posterior: f64,
    /// Whether a file was delivered that the model calls the target, at the threshold.
    pub reached: bool,
    /// Number of the evaluation of this clip that found the best.
    pub evaluation: u64,
    /// Strength of its filter in decibels ([`Equalization::severity_db`]).
    pub filter_db: f64,
    /// Log-spectral distance from the clip, in decibels.
    pub log_spectral_distance_db: f64,
    /// Signal to noise ratio against the clip, in decibels.
    pub snr_db: f64,
}

/// What one severity gave.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AtSeverity {
    /// Greatest gain in decibels.
    pub severity_db: f64,
    /// Folder of the fooling set.
    pub set: PathBuf,
    /// Attempts that were reached, of all.
    pub success_rate: f64,
    /// The same with its interval; `None` without attempts.
    pub success: Option<GroupedShare>,
    /// For every clip, the share of its targets that were reached.
    pub success_of_clips: Vec<(String, f64)>,
    /// Evaluations spent.
    pub evaluations: u64,
    /// Every clip and target.
    pub attempts: Vec<Attempt>,
}

/// What equalization found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Equalized {
    /// Number of clips.
    pub clips: usize,
    /// Whether the model was trained on them.
    pub exposure: Exposure,
    /// Clips whose label as they are agrees with their corpus', of those that have one.
    pub right: Option<usize>,
    /// The same as a share with its interval.
    pub right_share: Option<GroupedShare>,
    /// The posterior to reach; `None` if a level was asked for.
    pub threshold: Option<f64>,
    /// The level to reach.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub level: Option<f64>,
    /// One entry a severity.
    pub severities: Vec<AtSeverity>,
    /// The fixed interventions.
    pub interventions: Vec<Intervened>,
}

impl Equalized {
    /// What filtered clips had to reach.
    pub fn asked(&self) -> Criterion {
        match (self.level, self.threshold) {
            (Some(level), _) => Criterion::Level(level),
            (None, posterior) => {
                Criterion::Posterior(posterior.unwrap_or(search::settings::THRESHOLD))
            }
        }
    }
}

/// Searches for filters that relabel `recordings` to the victim of `scorer`, writes a fooling set for
/// every severity into `out`, beside a copy of the model, if it is one, and `equalization.json`. `None`
/// if `stop` was raised meanwhile.
///
/// # Errors
/// [`Error::Request`] for settings out of range, unusable clips, or an `out` that is taken;
/// whatever scoring or writing meets.
pub fn equalize(
    scorer: &FileScorer<'_>,
    recordings: &Recordings,
    settings: &EqualizeSettings,
    out: &Path,
    progress: &dyn Progress,
    stop: &AtomicBool,
) -> Result<Option<Equalized>> {
    let mut search = settings.search.clone();
    let AnyVictim::Audio(victim, codec, _) = scorer.victim() else {
        return Err(Error::request("the model judges images", "give one that judges sound"));
    };
    if scorer.posterior_kind().labelling() == Labelling::Multi {
        return Err(Error::request(
            "the model gives tags: a filter adds and takes several at once, and none is the label",
            "give a model that names one class",
        ));
    }
    recordings.check(&victim)?;
    let longest = recordings.all.iter().map(|recording| recording.audio.samples.len()).max();
    let reference = scorer.reference().filter(|reference| {
        let cut = reference.source().samples.unwrap_or(usize::MAX);
        longest.is_none_or(|longest| longest <= cut)
    });
    if search.level.is_some() && reference.is_none() && scorer.reference().is_some() {
        return Err(Error::request(
            "a level: the clips are longer than the genuine items were cut to",
            "give clips of up to 30 s, or ask for a posterior with --threshold",
        ));
    }
    let listener = WithReference::new(victim, reference);
    if search.level.is_none() {
        search.threshold.get_or_insert(scorer.posterior_kind().default_threshold());
    }
    search.exhibits = 1;
    search.validate()?;
    search.targeted(scorer.classes())?;
    if out.join("equalization.json").exists() {
        return Err(Error::request(
            format!("{} holds an equalization already", out.display()),
            "name another folder with --out",
        ));
    }
    let mut severities = Vec::new();
    for &severity in &settings.severities {
        let clip = |recording: &Recording| {
            EqualizedClip::new(&recording.name, recording.audio.clone(), severity)
        };
        let clips: Vec<EqualizedClip> = recordings.all.iter().map(clip).collect::<Result<_>>()?;
        let space = EqualizedClips { clips };
        let Some(found) = search_all(&space.clips, &listener, &search, severity, progress, stop)?
        else {
            return Ok(None);
        };
        std::fs::create_dir_all(out).map_err(|e| Error::io(out, e))?;
        if let Some(model) = scorer.model() {
            model.keep(out)?;
        }
        let generator = GeneratorUsed {
            name: "spectral equalization".to_owned(),
            bank: Some(recordings.bank()),
            settings: serde_json::json!({ "severity_db": severity, "budget": search.budget }),
        };
        let origin = Origin::of(&listener, generator, search.seed, search.criterion())?;
        let delivery =
            Delivery { space: &space, victim: &listener, codec: &codec, stop: Some(stop) };
        match write(out, severity, origin, found, &delivery, &recordings.all) {
            Err(Error::Stopped) => return Ok(None),
            written => severities.push(written?),
        }
    }
    let before: Vec<Option<usize>> = recordings
        .all
        .iter()
        .map(|recording| Ok(label(&listener.scores(std::slice::from_ref(&recording.audio))?)))
        .collect::<Result<_>>()?;
    let interventions = intervene(recordings, &before, &listener, progress)?;
    let labelled = recordings.all.iter().zip(&before);
    let right = labelled.filter_map(|(recording, before)| {
        Some((unit(recording), *before == Some(recording.class?)))
    });
    let equalized = Equalized {
        clips: recordings.all.len(),
        exposure: recordings.exposure,
        right: recordings.count_right(&before),
        right_share: GroupedShare::of(right, search.seed),
        threshold: search.level.is_none().then_some(search.threshold).flatten(),
        level: search.level,
        severities,
        interventions,
    };
    let json = serde_json::to_vec_pretty(&equalized)
        .map_err(|e| Error::numeric(format!("equalization: {e}"), "report this as a fault"))?;
    write_atomically(&out.join("equalization.json"), &json)?;
    Ok(Some(equalized))
}

/// What a recording stands or falls with: its group, or itself where it has none.
fn unit(recording: &Recording) -> &str {
    recording.group.as_deref().unwrap_or(&recording.name)
}

/// A target of a clip with the best that was found for it.
struct Found {
    clip: usize,
    class: usize,
    label_before: Option<usize>,
    posterior_before: f64,
    /// Evaluations of this clip until then; the elite's own count runs over all clips.
    evaluation: u64,
    elite: Elite<Equalization>,
}

struct FoundAll {
    found: Vec<Found>,
    evaluations: u64,
}

fn search_all(
    clips: &[EqualizedClip],
    listener: &WithReference<'_, &dyn Victim<Audio>>,
    settings: &search::SearchSettings,
    severity: f64,
    progress: &dyn Progress,
    stop: &AtomicBool,
) -> Result<Option<FoundAll>> {
    let classes = listener.classes();
    let stage = format!("+-{severity} dB");
    let (mut found, mut evaluations) = (Vec::new(), 0);
    for (number, clip) in clips.iter().enumerate() {
        progress.report(&stage, number as u64, clips.len() as u64);
        let log_odds = listener.scores(std::slice::from_ref(clip.clip()))?;
        let label_before = label(&log_odds);
        let posterior_before = posterior_from_log_odds(log_odds[top_class(&log_odds)]);
        let mut settings = settings.clone();
        if settings.targets.is_empty() {
            let limits = settings.criterion().limits(listener.reference())?;
            let defined = (0..classes.len()).filter(|&class| limits.is_defined(class));
            settings.targets = defined.map(|class| classes[class].clone()).collect();
        }
        settings.targets.retain(|target| label_before.is_none_or(|own| *target != classes[own]));
        if settings.targets.is_empty() {
            continue;
        }
        let mut search = Search::new(Problem::new(clip, listener)?, &settings)?;
        while search.finished().is_none() {
            if stop.load(Ordering::Relaxed) {
                return Ok(None);
            }
            search.step()?;
        }
        let state = search.into_state();
        for (class, name) in classes.iter().enumerate() {
            let best = state.archive.best(class).filter(|_| settings.targets.contains(name));
            found.extend(best.map(|elite| Found {
                clip: number,
                class,
                label_before,
                posterior_before,
                evaluation: elite.evaluation,
                elite: Elite {
                    evaluation: evaluations + elite.evaluation,
                    parent: elite.parent.map(|parent| evaluations + parent),
                    ..elite.clone()
                },
            }));
        }
        evaluations += state.evaluations;
    }
    Ok(Some(FoundAll { found, evaluations }))
}

fn write(
    out: &Path,
    severity: f64,
    origin: Origin,
    FoundAll { found, evaluations }: FoundAll,
    delivery: &Delivery<'_, EqualizedClips>,
    recordings: &[Recording],
) -> Result<AtSeverity> {
    let set = out.join(format!("{severity}-dB"));
    let candidates: Vec<Candidate<'_, Equalization>> =
        found.iter().map(|found| Candidate { class: found.class, elite: &found.elite }).collect();
    let (classes, seed) = (origin.classes.clone(), origin.seed);
    let page = |_: &Path, manifest: &Manifest, pictures: &[Picture]| {
        Ok(report::fooling_set_page(manifest, pictures, &Companions::default()))
    };
    let written = exhibits::write(&set, origin, &candidates, candidates.len(), delivery, page)?;
    let attempts: Vec<Attempt> = found
        .iter()
        .map(|found| {
            let clip = &delivery.space.clips[found.clip];
            let is_it = |exhibit: &&Exhibit| {
                exhibit.class == found.class && exhibit.evaluation == found.elite.evaluation
            };
            let exhibit = written.manifest.exhibits.iter().find(is_it);
            let (before, samples) =
                (&clip.clip().samples, clip.render(&found.elite.genome).samples);
            let log_odds = exhibit.map_or(&found.elite.log_odds, |exhibit| &exhibit.log_odds);
            let name = |class: usize| classes[class].clone();
            Attempt {
                clip: clip.name().to_owned(),
                class: recordings[found.clip].class.map(name),
                label_before: found.label_before.map(name),
                posterior_before: found.posterior_before,
                target: name(found.class),
                label: label(log_odds).map(name),
                posterior: posterior_from_log_odds(log_odds[found.class]),
                reached: exhibit.is_some(),
                evaluation: found.evaluation,
                filter_db: found.elite.genome.severity_db(),
                log_spectral_distance_db: log_spectral_distance_db(before, &samples),
                snr_db: snr_db(before, &samples),
            }
        })
        .collect();
    let rate = |attempts: &[&Attempt]| {
        let reached = attempts.iter().filter(|attempt| attempt.reached).count();
        reached as f64 / attempts.len().max(1) as f64
    };
    let outcomes = found.iter().zip(&attempts);
    let outcomes = outcomes.map(|(found, a)| (unit(&recordings[found.clip]), a.reached));
    let success = GroupedShare::of(outcomes, seed);
    let success_of_clips = delivery.space.clips.iter().map(|clip| {
        let own: Vec<&Attempt> = attempts.iter().filter(|a| a.clip == clip.name()).collect();
        (clip.name().to_owned(), rate(&own))
    });
    Ok(AtSeverity {
        severity_db: severity,
        set,
        success_rate: rate(&attempts.iter().collect::<Vec<_>>()),
        success,
        success_of_clips: success_of_clips.collect(),
        evaluations,
        attempts,
    })
}
