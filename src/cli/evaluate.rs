//! `trompe evaluate`: cross-validates a classifier, or tests a model on data that it has not seen.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use trompe_base::files::write_atomically;

use super::common::{Common, Outcome, print, print_json, print_next};
use super::data::{Choice, ClassifierArguments, DataArguments, Kind};
use super::evaluation_text::show;
use super::images;
use super::overwrite::Overwrite;
use super::progress::Bars;
use super::srcam;
use crate::classifiers::Model;
use crate::dataset::Dataset;
use crate::error::{Error, Result};
use crate::evaluation::{Assessment, Evaluation};
use crate::features::FeatureSettings;
use crate::pipeline::evaluate::{Division, Examination, why_not_grouped, write_clips};
use crate::pipeline::train::Training;
use crate::pipeline::train_images;
use crate::pipeline::training_clips::{
    among_training, images_among_training, note_on_training_items, refuse_training_items,
};
use crate::report::{Evaluated, confusion_svg, evaluation_page};
use crate::victims::{AnyModel, Scorer};

/// Cross-validate a classifier, or test a finished model
///
/// Shows confusion, recall, precision, F-score, mean recall and consistent errors, with tests against
/// chance and against another classifier.
///
/// A classifier of images is trained on the corpus' training part and evaluated on its test
/// part. Where a corpus of clips has groups (artists, style files), folds
/// drawn at random and folds that keep groups together are shown side by side: the difference
/// is what leaks. Tests and intervals are given twice: as if items were independent, and by
/// group, where a whole group is one piece of evidence. A model is not tested on the data that
/// it was trained on, as far as their SHA-256 tells: the whole of them, or a part of the corpus'
/// partition.
#[derive(Debug, clap::Args)]
#[command(mut_args = srcam::shown_by_train)]
#[command(after_help = "Examples:\n  \
    trompe evaluate synthetic --rounds 100 --out evaluation\n  \
    trompe evaluate synthetic --classifier srcam --against logistic --trials 3 --by grouped\n  \
    trompe evaluate synthetic --seed 2 --model model.safetensors\n  \
    trompe evaluate synthetic-digits --classifier logistic")]
pub(super) struct Arguments {
    #[command(flatten)]
    data: DataArguments,
    #[command(flatten)]
    classifier: ClassifierArguments,
    /// Evaluate this finished model
    ///
    /// In place of a cross-validation.
    #[arg(long, value_name = "FILE",
        conflicts_with_all = ["folds", "trials", "by", "against", "shuffle_labels", "permutations"])]
    model: Option<PathBuf>,
    /// Evaluate the model even on items that it was trained on; the results say so
    #[arg(long, requires = "model", hide_short_help = true)]
    on_training_clips: bool,
    /// Folds
    #[arg(long, value_name = "N", default_value_t = 5)]
    folds: usize,
    /// Repetitions with other shuffles
    #[arg(long, value_name = "N", default_value_t = 1)]
    trials: u64,
    /// How to divide into folds [default: random, and grouped where there are groups]
    #[arg(long, value_name = "DIVISION")]
    by: Option<By>,
    /// Compare with another kind on the same folds
    ///
    /// By McNemar's exact test, and by flips of whole groups.
    #[arg(long, value_name = "NAME", hide_possible_values = true)]
    against: Option<Kind>,
    /// Train once more on labels dealt at random
    ///
    /// What is then above chance leaks.
    #[arg(long)]
    shuffle_labels: bool,
    /// Permutations of the labels in the test against chance
    #[arg(long, value_name = "N", default_value_t = 9_999, hide_short_help = true)]
    permutations: usize,
    /// Folder for a page, numbers and pictures
    ///
    /// index.html has every consistent error to listen to; each division has its numbers (JSON) and a
    /// picture of its confusion (SVG).
    #[arg(long, short, value_name = "FOLDER")]
    out: Option<PathBuf>,
    #[command(flatten)]
    overwrite: Overwrite,
}

/// The page of an evaluation of sound, in its folder.
const PAGE: &str = "index.html";

#[derive(Debug, Clone, Copy, ValueEnum)]
enum By {
    /// At random, stratified by class
    Random,
    /// Stratified, no group divided
    Grouped,
    /// As the corpus' manifest says
    Given,
}

pub(super) fn run(arguments: &Arguments, common: &Common) -> Result<Outcome> {
    if let Some(folder) = &arguments.out {
        arguments.overwrite.check_folder(folder, "--out")?;
    }
    let bars = Bars::new(common);
    let Examined { kind, assessments, heard } = examine(arguments, &bars)?;
    if let Some(folder) = &arguments.out {
        write(folder, &kind, &assessments, heard.as_ref(), &arguments.data, &bars)?;
    }
    bars.clear();
    if common.json {
        let by_name: BTreeMap<&str, &Assessment> =
            assessments.iter().map(|found| (found.division.as_str(), found)).collect();
        print_json(&by_name);
    } else {
        assessments.iter().for_each(|assessment| print(&show(assessment, &kind)));
        if let [random, grouped] = assessments.as_slice() {
            print(&of_it_is_knowing_groups(&random.evaluation, &grouped.evaluation));
        }
        match &arguments.out {
            Some(folder) if folder.join(PAGE).is_file() => {
                print_next(&["open", &folder.to_string_lossy()]);
            }
            Some(folder) => print(&format!("written to {}", folder.display())),
            None => {}
        }
    }
    Ok(Outcome::Done)
}

/// The mean recalls of both divisions, over the classes that both test.
fn of_it_is_knowing_groups(random: &Evaluation, grouped: &Evaluation) -> String {
    let untested = grouped.untested_classes();
    let tested: Vec<f64> = (0..random.classes.len())
        .filter(|class| !untested.contains(class))
        .map(|class| random.recall[class].mean)
        .collect();
    let random = tested.iter().sum::<f64>() / tested.len() as f64;
    let over = match untested.len() {
        0 => String::new(),
        _ => format!(", over the {} classes that both test", tested.len()),
    };
    let grouped = grouped.mean_recall.mean;
    format!(
        "mean recall {random:.3} with random folds, {grouped:.3} with groups kept together{over}: \
         {:.3} of it is knowing the groups",
        random - grouped
    )
}

/// What was found, and what it was found on.
struct Examined {
    /// Name of the kind of classifier.
    kind: String,
    assessments: Vec<Assessment>,
    /// The clips that were judged; `None` for images.
    heard: Option<Heard>,
}

/// Clips as a classifier hears them.
struct Heard {
    features: FeatureSettings,
    dataset: Dataset,
}

impl Heard {
    fn load(arguments: &Arguments, features: FeatureSettings, bars: &Bars) -> Result<Self> {
        let (dataset, skipped) = arguments.data.data().load(&features, bars)?;
        bars.show_skipped(&skipped);
        Ok(Self { features, dataset })
    }
}

fn examine(arguments: &Arguments, bars: &Bars) -> Result<Examined> {
    let seed = arguments.data.seed;
    let assess =
        |name, evaluation| vec![Assessment::new(name, evaluation, arguments.permutations, seed)];
    let model = arguments.model.as_deref().map(AnyModel::load).transpose()?;
    let name = arguments.model.as_deref().unwrap_or(Path::new("")).display().to_string();
    let scorer = model.as_ref().map(AnyModel::scorer);
    let reference = model.as_ref().and_then(AnyModel::reference);
    match (scorer, arguments.classifier.choice(&arguments.data)?) {
        (Some(Scorer::Image(model)), _) => {
            let (corpus, indices) = images::to_evaluate(&arguments.data, bars)?;
            let known = images_among_training(model, &corpus, &indices, reference);
            check_training_items(arguments, known, indices.len(), &name)?;
            let found = train_images::evaluate(model.victim(), &corpus, &indices)?;
            let mut assessments = assess("model", found);
            note_training_items(arguments, &mut assessments[0], known, &name);
            assessments[0].model_sha256 = model.victim().fingerprint();
            Ok(Examined { kind: model.victim().record().kind, assessments, heard: None })
        }
        (Some(Scorer::Audio(model)), choice) => {
            let model = model.trained().ok_or_else(|| {
                Error::request(
                    "evaluate takes models of sound that trompe trained",
                    "ask a foreign net with `trompe predict`, or give it a genuine reference with \
                     `trompe reference`",
                )
            })?;
            let heard = Heard::load(arguments, features_of(model, &choice), bars)?;
            let Heard { features, dataset } = &heard;
            let data = arguments.data.data();
            let known =
                among_training(model.trained_on(), &data, dataset, features, reference, bars)?;
            check_training_items(arguments, known, dataset.excerpts.len(), &name)?;
            let found = Evaluation::of_classifier(model, dataset)?;
            let mut assessments = assess("model", found);
            note_training_items(arguments, &mut assessments[0], known, &name);
            assessments[0].model_sha256 = Some(model.fingerprint().to_owned());
            let kind = model.fitted().kind().to_owned();
            Ok(Examined { kind, assessments, heard: Some(heard) })
        }
        (None, Choice::Image(training)) => {
            let found = images::train_and_evaluate(&arguments.data, &training, bars)?;
            let (kind, assessments) = (training.name().to_owned(), assess("test", found));
            Ok(Examined { kind, assessments, heard: None })
        }
        (None, Choice::Audio(training)) => {
            let heard = Heard::load(arguments, training.features(), bars)?;
            let assessments = cross_validate(arguments, &training, &heard.dataset, bars)?;
            Ok(Examined { kind: training.name().to_owned(), assessments, heard: Some(heard) })
        }
    }
}

/// Refuses items that the model was trained on, unless they were asked for.
fn check_training_items(
    arguments: &Arguments,
    known: usize,
    items: usize,
    name: &str,
) -> Result<()> {
    match arguments.on_training_clips {
        true => Ok(()),
        false => refuse_training_items(known, items, name),
    }
}

/// Notes how many of the evaluated items the model was trained on.
fn note_training_items(
    arguments: &Arguments,
    assessment: &mut Assessment,
    known: usize,
    name: &str,
) {
    assessment.training_items = Some(known);
    if arguments.on_training_clips {
        let items = assessment.evaluation.tested().len();
        assessment.notes.push(note_on_training_items(known, items, name));
    }
}

/// The features that a model hears; for one of features from elsewhere, those of the kind
/// that was named, which play no part where features are given.
fn features_of(model: &Model, choice: &Choice) -> FeatureSettings {
    match (&model.trained_on().settings, choice) {
        (Some(settings), _) => settings.clone(),
        (None, Choice::Audio(training)) => training.features(),
        (None, Choice::Image(_)) => FeatureSettings::AdaBffs(Default::default()),
    }
}

/// An assessment of each division that was asked for.
fn cross_validate(
    arguments: &Arguments,
    training: &Training,
    dataset: &Dataset,
    bars: &Bars,
) -> Result<Vec<Assessment>> {
    let seed = arguments.data.seed;
    let rival = arguments.against.map(|kind| arguments.classifier.choice_of(kind, &arguments.data));
    let rival = match rival.transpose()? {
        None => None,
        Some(Choice::Audio(rival)) => Some(rival),
        Some(Choice::Image(_)) => {
            return Err(Error::request(
                "one classifier judges images, the other clips",
                "compare two classifiers of the same medium",
            ));
        }
    };
    let rival_data = match &rival {
        Some(rival) if rival.features() != training.features() => {
            if arguments.data.data().is_features_file() {
                return Err(Error::request(
                    format!("the features file lacks the features of {}", rival.name()),
                    "compare the two on a corpus of audio",
                ));
            }
            Some(Heard::load(arguments, rival.features(), bars)?.dataset)
        }
        _ => None,
    };
    let examination = Examination {
        training,
        folds: arguments.folds,
        trials: arguments.trials,
        seed,
        permutations: arguments.permutations,
        shuffle_labels: arguments.shuffle_labels,
        rival: rival.as_ref().map(|rival| (rival, rival_data.as_ref().unwrap_or(dataset))),
    };
    let divisions = match arguments.by {
        Some(By::Random) => vec![Division::Random],
        Some(By::Grouped) => vec![Division::Grouped],
        Some(By::Given) => vec![Division::Given],
        None => Division::telling(dataset),
    };
    // What was not asked for by name may be left out, if that is said.
    let left_out = match (arguments.by, divisions.contains(&Division::Grouped)) {
        (None, true) => why_not_grouped(dataset, arguments.folds, seed, arguments.trials),
        _ => None,
    };
    let possible = |division: &Division| *division != Division::Grouped || left_out.is_none();
    let mut assessments: Vec<Assessment> = divisions
        .into_iter()
        .filter(possible)
        .map(|division| examination.assess(dataset, division, bars))
        .collect::<Result<_>>()?;
    for assessment in &mut assessments {
        let why = left_out.iter();
        assessment.notes.extend(why.map(|why| format!("folds by group left out: {why}")));
    }
    Ok(assessments)
}

/// Writes the page with the clips it plays, and a picture and the numbers of each division.
fn write(
    folder: &Path,
    kind: &str,
    assessments: &[Assessment],
    heard: Option<&Heard>,
    data: &DataArguments,
    bars: &Bars,
) -> Result<()> {
    std::fs::create_dir_all(folder).map_err(|e| Error::io(folder, e))?;
    for assessment in assessments {
        let classes = &assessment.evaluation.classes;
        let picture = confusion_svg(classes, |t, p| assessment.confused(t, p));
        let name = &assessment.division;
        write_atomically(&folder.join(format!("confusion-{name}.svg")), picture.as_bytes())?;
        let json = serde_json::to_vec_pretty(assessment)
            .map_err(|e| Error::numeric(format!("evaluation: {e}"), "report this as a fault"))?;
        write_atomically(&folder.join(format!("evaluation-{name}.json")), &json)?;
    }
    let Some(Heard { features, dataset }) = heard else { return Ok(()) };
    // Of one trial, every error would be consistent.
    let repeated = assessments.iter().filter(|found| found.consistency.trials > 1);
    let errors = repeated.flat_map(|found| found.consistency.consistent_errors());
    let files = match data.data().corpus(bars)? {
        Some(corpus) => {
            let excerpts = errors.map(|error| error.excerpt);
            write_clips(&corpus, dataset, excerpts, features.sample_rate(), folder)?
        }
        None => BTreeMap::new(),
    };
    let evaluated = Evaluated {
        classifier: kind.to_owned(),
        corpus: dataset.source.name.clone(),
        provenance: dataset.source.provenance,
        known_as: dataset.source.known_as.clone(),
        files,
    };
    let page = evaluation_page(&evaluated, assessments);
    write_atomically(&folder.join(PAGE), page.as_bytes())?;
    Ok(())
}
