//! `trompe equalize`: the same recording, relabelled by filtering alone.

use std::path::PathBuf;

use serde::Serialize;
use trompe_base::words::counted;
use trompe_corpora::recipes::Options;

use super::common::{Common, Outcome, print, print_json};
use super::criterion::CriterionArguments;
use super::interrupt;
use super::progress::Bars;
use crate::classifiers::Model;
use crate::error::{Error, Result};
use crate::pipeline::deflation::{Deflation, deflate};
use crate::pipeline::equalize::{EqualizeSettings, Equalized, equalize};
use crate::pipeline::held_out::hold_out;
use crate::pipeline::open;
use crate::pipeline::recordings::{Exposure, Recordings};
use crate::pipeline::scoring::FileScorer;
use crate::reference::Criterion;
use crate::report::terminal;
use crate::search;
use crate::victims::{AnyModel, AudioModel, Scorer};

/// Search for filters under which a model gives clips other labels, and write fooling sets
///
/// An equalizer of 96 bands with smooth gains and no change of loudness is searched for every
/// clip and every class that the model does not give it. A clip counts as relabelled where the
/// model gives it that class as its label, at the threshold. Fixed changes (high-pass, low-pass,
/// tempo, MP3) are tried besides, and with --draws what random filters do to the accuracy.
///
/// With --held-out, groups (artists, style files) of every class are left out, a model with the
/// features and settings of --model is trained on the rest, and clips of those groups are
/// equalized for it.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    trompe equalize --corpus synthetic --held-out --per-class 1 --model model.safetensors --budget 60\n  \
    trompe verify equalized/12-dB")]
pub(super) struct Arguments {
    /// Audio files
    #[arg(value_name = "CLIP", required_unless_present = "corpus", conflicts_with = "corpus")]
    clips: Vec<PathBuf>,
    /// Take the clips of this corpus: a name from `trompe corpus list`, or a path
    #[arg(long, value_name = "CORPUS")]
    corpus: Option<String>,
    /// Clips of each class, with --corpus [default: 1; 5 with --held-out]
    #[arg(long, value_name = "N", requires = "corpus")]
    per_class: Option<usize>,
    /// Take clips of groups that are left out, and train a model like --model on the rest
    #[arg(long, requires = "corpus")]
    held_out: bool,
    /// Take clips of the corpus that the model was trained on
    #[arg(long, requires = "corpus", conflicts_with = "held_out")]
    on_training_clips: bool,
    /// The model, from `trompe train`; with --held-out, what the model to be trained is like
    #[arg(long, value_name = "FILE")]
    model: PathBuf,
    /// Greatest gains in dB, each a set of its own
    #[arg(long, value_name = "DB", value_delimiter = ',', default_values_t = [6.0, 12.0, 20.0])]
    severity: Vec<f64>,
    /// Classes to reach [default: all but the one the model gives the clip]
    #[arg(long = "targets", alias = "target", value_name = "CLASS", value_delimiter = ',')]
    target: Vec<String>,
    /// Evaluations to spend at most on a clip, at each severity
    #[arg(long, value_name = "N", default_value_t = 500)]
    budget: u64,
    #[command(flatten)]
    criterion: CriterionArguments,
    /// Random filters drawn for deflation and inflation of the accuracy, with --corpus
    #[arg(long, value_name = "N", requires = "corpus")]
    draws: Option<usize>,
    /// Seed of the search, and of the groups held out
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Folder for the fooling sets and equalization.json
    #[arg(long, short, value_name = "FOLDER", default_value = "equalized")]
    out: PathBuf,
}

#[derive(Serialize)]
struct Summary {
    #[serde(flatten)]
    equalized: Equalized,
    deflation: Vec<Deflation>,
}

pub(super) fn run(arguments: &Arguments, common: &Common) -> Result<Outcome> {
    let bars = Bars::new(common);
    let given = open::model(&arguments.model, &bars)?;
    if arguments.draws.is_some() {
        trained(judge_of_sound(&given)?)?;
    }
    let (model, recordings) = opened(arguments, given, &bars)?;
    let mut search = search::SearchSettings {
        seed: arguments.seed,
        budget: arguments.budget,
        targets: arguments.target.clone(),
        ..search::SearchSettings::default()
    };
    if let Some(criterion) = arguments.criterion.criterion() {
        search.ask_for(criterion);
    }
    let settings = EqualizeSettings { severities: arguments.severity.clone(), search };
    let (scorer, stop) = (FileScorer::new(&model)?, interrupt::flag(&arguments.out));
    interrupt::looked_at();
    let found = equalize(&scorer, &recordings, &settings, &arguments.out, &bars, stop)?;
    let Some(equalized) = found else {
        bars.clear();
        eprintln!("stopped; what was not finished was not written");
        return Ok(Outcome::Interrupted);
    };
    let mut deflation = Vec::new();
    if let Some(draws) = arguments.draws {
        for &severity in &arguments.severity {
            let seed = arguments.seed;
            let model = trained(judge_of_sound(&model)?)?;
            deflation.push(deflate(model, &recordings, severity, draws, seed, &bars)?);
        }
    }
    bars.clear();
    let summary = Summary { equalized, deflation };
    if common.json {
        print_json(&summary);
    } else {
        show(&summary);
    }
    Ok(Outcome::Done)
}

fn judge_of_sound(model: &AnyModel) -> Result<&AudioModel> {
    let found = model.audio_model();
    found.ok_or_else(|| Error::request("the model judges images", "give one that judges sound"))
}

/// The model, if its features and its training are known.
fn trained(model: &AudioModel) -> Result<&Model> {
    model.trained().ok_or_else(|| {
        Error::request(
            "--held-out and --draws need the features and the training of a model of trompe",
            "leave them out for other models",
        )
    })
}

/// The model that is fooled, and the clips.
fn opened(arguments: &Arguments, model: AnyModel, bars: &Bars) -> Result<(AnyModel, Recordings)> {
    let given = judge_of_sound(&model)?;
    let rate = given.victim()?.1.sample_rate;
    let Some(name) = &arguments.corpus else {
        return Ok((model, Recordings::of_files(&arguments.clips, rate)?));
    };
    open::unambiguous(name)?;
    let options = Options { seed: open::CORPUS_SEED, ..Options::default() };
    let corpus = open::corpus(name, &options, bars)?;
    let (model, clips, exposure) = if arguments.held_out {
        if let Some(Criterion::Level(_)) = arguments.criterion.criterion() {
            return Err(Error::request(
                "--level with --held-out: the model that is trained anew has no genuine reference",
                "ask for a posterior with --threshold, or equalize other clips than the model's",
            ));
        }
        let per_class = arguments.per_class.unwrap_or(5);
        let held_out = hold_out(&corpus, trained(given)?, per_class, arguments.seed, bars)?;
        let scorer = Scorer::Audio(Box::new(AudioModel::Trained(held_out.model)));
        (AnyModel::new(scorer, None)?, held_out.clips, Exposure::HeldOut)
    } else {
        // A model file names its corpus, but not its clips.
        let same =
            given.trained().is_some_and(|model| model.trained_on().source.name == corpus.name);
        if same && !arguments.on_training_clips {
            return Err(Error::request(
                format!(
                    "{}: the model was trained on a corpus of that name, {}",
                    arguments.model.display(),
                    corpus.name
                ),
                "hold clips out of training with --held-out, or ask for training clips by name \
                 with --on-training-clips",
            ));
        }
        let clips = Recordings::first(&corpus, arguments.per_class.unwrap_or(1));
        (model, clips, if same { Exposure::TrainedOn } else { Exposure::Unknown })
    };
    let recordings = Recordings::of_corpus(&corpus, &clips, model.classes(), exposure, rate)?;
    Ok((model, recordings))
}

fn show(Summary { equalized, deflation }: &Summary) {
    let mut rows = vec![
        ["clip", "called", "severity", "filter", "LSD", "SNR", "new label", "posterior"]
            .map(str::to_owned)
            .to_vec(),
    ];
    for at in &equalized.severities {
        rows.extend(at.attempts.iter().filter(|attempt| attempt.reached).map(|attempt| {
            vec![
                attempt.clip.clone(),
                attempt.label_before.clone().unwrap_or_else(|| "none".to_owned()),
                format!("+-{} dB", at.severity_db),
                format!("{:.1} dB", attempt.filter_db),
                format!("{:.1} dB", attempt.log_spectral_distance_db),
                format!("{:.1} dB", attempt.snr_db),
                attempt.target.clone(),
                crate::exhibits::names::truncated(attempt.posterior, 4),
            ]
        }));
    }
    print(&terminal::table(&rows));
    let clips = match equalized.exposure {
        Exposure::HeldOut => "clips of groups that the model was not trained on",
        Exposure::TrainedOn => "clips of the corpus that the model was trained on",
        Exposure::Unknown => "clips; whether the model was trained on them is not known",
    };
    print(&format!("{} {clips}", equalized.clips));
    if let Some(right) = &equalized.right_share {
        print(&format!(
            "labelled rightly before any filter: {} of {}, {} by {}",
            right.hits,
            right.of,
            right.percent(),
            counted(right.groups, "group")
        ));
    }
    for at in &equalized.severities {
        let full = at.success_of_clips.iter().filter(|(_, rate)| *rate >= 0.5).count();
        print(&format!(
            "+-{} dB: {} of {} clip-class pairs get the label at the {}, {full} of {} at least \
             half of their classes, {}; {}",
            at.severity_db,
            at.success.map_or_else(|| "none".to_owned(), |success| success.percent()),
            at.attempts.len(),
            equalized.asked().in_words(),
            counted(equalized.clips, "clip"),
            counted(at.evaluations, "evaluation"),
            at.set.display()
        ));
    }
    for intervened in &equalized.interventions {
        let changed = intervened.changed.map_or_else(
            || "skipped: no MP3 encoder (lame, ffmpeg) on this machine".to_owned(),
            |changed| format!("{changed} of {} change", counted(equalized.clips, "label")),
        );
        let right = match (intervened.right, equalized.right) {
            (Some(after), Some(before)) => format!(", {before} right before, {after} after"),
            _ => String::new(),
        };
        print(&format!("{}: {changed}{right}", intervened.intervention));
    }
    for found in deflation {
        print(&format!(
            "random filters within +-{} dB on {} (chance {:.3}; one filter for all: {:.3} to \
             {:.3}):",
            found.severity_db,
            counted(found.clips, "clip"),
            found.chance,
            found.lowest_by_one_filter,
            found.highest_by_one_filter
        ));
        for within in &found.within {
            print(&format!(
                "  {}: deflated to {:.3}, inflated to {:.3}",
                counted(within.draws, "draw"),
                within.deflated,
                within.inflated
            ));
        }
    }
}
