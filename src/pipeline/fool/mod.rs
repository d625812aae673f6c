//! A run on disk: from a model to a verified fooling set and its report, whatever the medium.
//!
//! `visitor` makes the [`Problem`](crate::problem::Problem) from the configuration and the model;
//! all else is generic over its space.

mod configuration;
mod shared;
#[cfg(test)]
mod tests;
mod visitor;

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use trompe_base::files::write_atomically;
use trompe_corpora::Progress;
use trompe_corpora::images::write_png;

pub use configuration::{CONFIGURATION_FILE, Configuration, PRESETS};
pub(super) use visitor::{AnyVictim, Opened, ProblemVisitor, open, open_by};

use self::shared::shared_sources;
use super::open::model as open_model;
use super::probe::probe_by;
use super::scoring::FileScorer;
use super::verify::{exhibit_distances, exhibits_out_of_reach};
use super::{beside, companions};
use crate::classifiers::posterior_from_log_odds;
use crate::error::{Error, Result};
use crate::exhibits::{self, LeftOut, Manifest, Origin, Picture};
use crate::image::contact_sheet;
use crate::problem::{Medium, Space, Victim};
use crate::report;
use crate::results::{Distances, RunRecord, RunReport, random_scores};
use crate::search::{self, Archive, Ending, RunFolder, Search};
use crate::victims::AnyModel;

/// What `run.toml` has as the model of a run whose victim is a callable.
pub const CALLABLE_MODEL: &str = "(a Python callable)";

/// All images of a run at a glance, in its folder.
const CONTACT_SHEET: &str = "contact-sheet.png";

/// Where a run stands after a generation.
#[derive(Debug, Clone, PartialEq)]
pub struct Standing {
    /// Evaluations done, of the budget.
    pub evaluations: u64,
    /// Evaluations allowed.
    pub budget: u64,
    /// Classes that still want exhibits.
    pub open: usize,
    /// Class searched for with the lowest best posterior of candidates labelled with it, and that
    /// posterior; 0 if it was no candidate's label so far.
    pub hardest: Option<(String, f64)>,
}

/// Where a run reports to while it lasts.
pub struct Watch<'a> {
    /// Stages of opening and of the base rate.
    pub progress: &'a dyn Progress,
    /// Called after every generation.
    pub standing: &'a mut dyn FnMut(&Standing),
    /// Raised to stop at the next generation.
    pub stop: &'a AtomicBool,
}

/// How a run ended.
#[derive(Debug)]
pub enum Fooled {
    /// It was stopped; its folder resumes.
    Stopped {
        /// Evaluations done so far.
        evaluations: u64,
    },
    /// It is finished.
    Done(Box<Finished>),
}

/// A finished run.
#[derive(Debug)]
pub struct Finished {
    /// The fooling set's folder.
    pub set: PathBuf,
    /// The page of the report.
    pub page: PathBuf,
    /// The set's manifest.
    pub manifest: Manifest,
    /// Candidates that were left out when delivered.
    pub left_out: Vec<LeftOut>,
    /// The numbers of the run.
    pub report: RunReport,
}

/// Starts the run that `configuration` describes in `folder`, which must not hold one.
///
/// # Errors
/// Whatever opening the model or bank meets; [`Error::Request`] for settings out of range or
/// a folder that holds a run; input and output errors.
pub fn start(configuration: &Configuration, folder: &Path, watch: Watch<'_>) -> Result<Fooled> {
    configuration.search.validate()?;
    let model = open_model(&configuration.model, watch.progress)?;
    start_by(&FileScorer::new(&model)?, configuration, folder, watch)
}

/// Goes on with the run in `folder`, however it ended. A finished run only writes again what
/// is missing.
///
/// # Errors
/// As [`start`]; [`Error::BadFile`] if the folder's files are damaged or do not fit together.
pub fn resume(folder: &Path, watch: Watch<'_>) -> Result<Fooled> {
    let configuration = Configuration::read(&RunFolder::configuration_path(folder))?;
    if configuration.model == Path::new(CALLABLE_MODEL) {
        return Err(Error::request(
            format!("{} is a run of a callable, which no file holds", folder.display()),
            "go on with it in the program that has the callable: in Python, trompe.resume(folder, victim)",
        ));
    }
    let model = AnyModel::kept(folder).unwrap_or(configuration.model);
    let model = open_model(&model, watch.progress)?;
    resume_by(&FileScorer::new(&model)?, folder, watch)
}

/// As [`start`], on the victim of `scorer`, which is open already. The folder keeps no copy of one that
/// is no file. The run of a victim without a fingerprint can be neither resumed nor verified, which is
/// noted.
///
/// # Errors
/// As [`start`].
pub fn start_by(
    scorer: &FileScorer<'_>,
    configuration: &Configuration,
    folder: &Path,
    watch: Watch<'_>,
) -> Result<Fooled> {
    configuration.search.validate()?;
    let progress = watch.progress;
    let searching = Searching { folder, opening: Opening::Create, deliver: true, watch };
    open_by(configuration, scorer, progress, searching)
}

/// As [`resume`], on the victim of `scorer`.
///
/// # Errors
/// As [`resume`]; [`Error::Request`] if the victim has no fingerprint, or another one than that of the
/// run.
pub fn resume_by(scorer: &FileScorer<'_>, folder: &Path, watch: Watch<'_>) -> Result<Fooled> {
    let configuration = Configuration::read(&RunFolder::configuration_path(folder))?;
    let progress = watch.progress;
    let searching = Searching { folder, opening: Opening::Resume, deliver: true, watch };
    open_by(&configuration, scorer, progress, searching)
}

/// As [`start_by`] or, with `resume`, [`resume_by`], but the run ends when its search does: nothing is
/// delivered. [`resume_by`] delivers what it found. Returns the evaluations done.
///
/// # Errors
/// As those.
pub fn search_by(
    scorer: &FileScorer<'_>,
    configuration: &Configuration,
    folder: &Path,
    resume: bool,
    watch: Watch<'_>,
) -> Result<u64> {
    configuration.search.validate()?;
    let opening = if resume { Opening::Resume } else { Opening::Create };
    let progress = watch.progress;
    let searching = Searching { folder, opening, deliver: false, watch };
    match open_by(configuration, scorer, progress, searching)? {
        Fooled::Stopped { evaluations } => Ok(evaluations),
        Fooled::Done(finished) => Ok(finished.report.evaluations),
    }
}

/// Whether a run's folder is made or gone on with.
enum Opening {
    Create,
    Resume,
}

/// A search in a folder, to the end of its budget.
struct Searching<'a, 'w> {
    folder: &'a Path,
    opening: Opening,
    /// Whether what is found becomes a fooling set with its report.
    deliver: bool,
    watch: Watch<'w>,
}

impl ProblemVisitor for Searching<'_, '_> {
    type Output = Fooled;

    fn visit<S: Space>(self, opened: Opened<'_, S>) -> Result<Fooled> {
        let Self { folder, opening, deliver, watch } = self;
        let (configuration, problem) = (opened.configuration, &opened.problem);
        // Before anything is written: whether what is asked for can be reached.
        search::searched(problem, &configuration.search)?;
        let (mut files, state) = match opening {
            Opening::Create => {
                let fingerprint = match problem.victim().fingerprint() {
                    Some(_) => problem.fingerprint()?,
                    // No problem has it, so that nothing resumes the run.
                    None => String::new(),
                };
                (RunFolder::create(folder, &configuration.to_toml()?, &fingerprint)?, None)
            }
            Opening::Resume => RunFolder::resume(folder, &problem.fingerprint()?)?,
        };
        match opened.scorer.model() {
            Some(model) if AnyModel::kept(folder).is_none() => model.keep(folder)?,
            _ => {}
        }
        if problem.victim().fingerprint().is_none() {
            watch
                .progress
                .note("the victim has no fingerprint: its run can be neither resumed nor verified");
        }
        if let Some(shared) = opened.shared_sources(&opened.origin()?)? {
            watch.progress.note(&shared);
        }
        let (state, ending) = search::run(
            problem,
            &configuration.search,
            &mut files,
            state,
            configuration.checkpoint_interval()?,
            watch.stop,
            |search| (watch.standing)(&Standing::of(search, configuration)),
        )?;
        if ending == Ending::Stopped || !deliver {
            return Ok(Fooled::Stopped { evaluations: state.evaluations });
        }
        let targeted = search::searched(problem, &configuration.search)?;
        let targets = targeted.into_iter().filter(|&targeted| targeted).count();
        let found = Found {
            archive: &state.archive,
            evaluations: state.evaluations,
            random_draws: configuration.search.emitter.random_draws(targets),
        };
        Ok(match opened.finish(folder, found, &watch)? {
            Some(finished) => Fooled::Done(Box::new(finished)),
            None => Fooled::Stopped { evaluations: state.evaluations },
        })
    }
}

/// What a search came to.
pub(crate) struct Found<'a, G> {
    pub(crate) archive: &'a Archive<G>,
    pub(crate) evaluations: u64,
    /// As [`RunReport::random_draws`].
    pub(crate) random_draws: Option<u64>,
}

impl<S: Space> Opened<'_, S> {
    /// What the bank and the classifier's training corpus are known to have in common.
    fn shared_sources(&self, origin: &Origin) -> Result<Option<String>> {
        match &origin.generator.bank {
            Some(_) if origin.medium == Medium::Audio => {
                shared_sources(&self.configuration.bank, &origin.classifier.corpus)
            }
            _ => Ok(None),
        }
    }

    /// Delivers what a search in `folder` found, and reports on its trace; `None` if it was
    /// stopped meanwhile.
    pub(super) fn finish(
        &self,
        folder: &Path,
        found: Found<'_, S::Genome>,
        watch: &Watch<'_>,
    ) -> Result<Option<Finished>> {
        let configuration = self.configuration;
        let search = &configuration.search;
        // Other classes may be reached on the way; they were not asked for.
        let targets = search.targeted(self.problem.classes())?;
        let mut candidates = exhibits::candidates(found.archive);
        candidates.retain(|candidate| targets[candidate.class]);
        let set = folder.join("fooling-set");
        let sources = companions::Sources { reference: self.scorer.reference(), bank: self.bank };
        let page = |set: &Path, manifest: &Manifest, pictures: &[Picture]| {
            let companions = companions::write(set, manifest, sources)?;
            Ok(report::fooling_set_page(manifest, pictures, &companions))
        };
        let origin = self.origin()?;
        let (most, delivery) = (search.exhibits, self.delivery(watch.stop));
        let written =
            match exhibits::write(&set, origin.clone(), &candidates, most, &delivery, page) {
                Err(Error::Stopped) => return Ok(None),
                written => written?,
            };
        let wanted = configuration.base_rate_candidates;
        let random =
            search::random_scores(&self.problem, search.seed, wanted, watch.stop, |done| {
                watch.progress.report("base rate", done, wanted);
            })?;
        let Some(random) = random else { return Ok(None) };
        random_scores::write(folder, &origin.classes, &random)?;
        let exhibit_distances = exhibit_distances(&set, &written.manifest, self.scorer)?;
        // Where Nguyen et al. (2015) state theirs.
        let emitter = &configuration.search.emitter;
        let marks: Vec<u64> =
            [50, 200].iter().filter_map(|&count| emitter.evaluations_after(count)).collect();
        let mut report = RunReport::new(&RunRecord {
            origin: &origin,
            emitter: emitter.name(),
            random_draws: found.random_draws,
            targeted: &search::searched(&self.problem, search)?,
            trace: &search::read_trace(&RunFolder::trace_path(folder))?,
            budget: configuration.search.budget,
            evaluations: found.evaluations,
            marks: &marks,
            random: &random.scores,
            reference: self.problem.victim().reference(),
            exhibits: &written.manifest.exhibits,
            distances: Distances {
                random: random.distances.as_deref(),
                exhibits: exhibit_distances.as_deref(),
            },
        })?;
        report.out_of_reach = exhibits_out_of_reach(&set, &written.manifest, self.scorer)?;
        report.no_levels = self.no_levels();
        report.probes = probe_by(self.scorer, None)?;
        report.shared_sources = self.shared_sources(&origin)?;
        let page = write_report(folder, &report)?;
        if origin.medium == Medium::Image
            && let Some(sheet) = contact_sheet(&set, &written.manifest)?
        {
            write_png(&folder.join(CONTACT_SHEET), &sheet)?;
        }
        let (manifest, left_out) = (written.manifest, written.left_out);
        Ok(Some(Finished { set, page, manifest, left_out, report }))
    }
}

/// Writes the report as a page, whose path is returned, and as JSON.
fn write_report(folder: &Path, report: &RunReport) -> Result<PathBuf> {
    let page = folder.join("report.html");
    let links = beside::links(folder, &report.origin.classifier.sha256);
    write_atomically(&page, report::run_page(report, &links).as_bytes())?;
    let json = serde_json::to_vec_pretty(report)
        .map_err(|e| Error::numeric(format!("report: {e}"), "report this as a fault"))?;
    write_atomically(&RunReport::path(folder), &json)?;
    Ok(page)
}

impl Standing {
    pub(super) fn of<S: Space, V: Victim<S::Input>>(
        search: &Search<S, V>,
        configuration: &Configuration,
    ) -> Self {
        let classes = search.problem().classes();
        let archive = &search.state().archive;
        let hardest = (0..archive.classes())
            .filter(|&class| search.is_target(class))
            .map(|class| (class, archive.record(class).unwrap_or(f64::NEG_INFINITY)))
            .min_by(|a, b| a.1.total_cmp(&b.1));
        let posterior = |(class, log_odds): (usize, f64)| {
            (classes[class].clone(), posterior_from_log_odds(log_odds))
        };
        Self {
            evaluations: search.state().evaluations,
            budget: configuration.search.budget,
            open: search.open_classes().into_iter().filter(|&open| open).count(),
            hardest: hardest.map(posterior),
        }
    }
}
