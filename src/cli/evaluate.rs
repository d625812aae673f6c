//! `trompe evaluate`: cross-validation, or what a model makes of data it has not seen.

use std::path::{Path, PathBuf};

use clap::ValueEnum;
use trompe_corpora::files::write_atomically;

use super::data::{Choice, ClassifierArguments, DataArguments};
use super::progress::Bars;
use super::{Common, Outcome, images, print, print_json};
use crate::classifiers::AnyModel;
use crate::dataset::Dataset;
use crate::error::{Error, Result};
use crate::evaluation::{Evaluation, Spread};
use crate::pipeline::evaluate::{Division, evaluate};
use crate::pipeline::train::Training;
use crate::report::{confusion_svg, terminal};

/// Cross-validate a classifier: confusion, recall, precision, F-score, mean recall
///
/// A classifier of images is trained on the corpus' training part and evaluated on its test
/// part. Where a corpus of clips has groups (artists, style files), folds
/// drawn at random and folds that keep groups together are shown side by side: the difference
/// is what leaks.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    trompe evaluate synthetic --rounds 100 --out evaluation\n  \
    trompe evaluate synthetic --model model.safetensors\n  \
    trompe evaluate synthetic-digits --classifier softmax")]
pub(super) struct Arguments {
    #[command(flatten)]
    data: DataArguments,
    #[command(flatten)]
    classifier: ClassifierArguments,
    /// Evaluate this finished model instead of cross-validating
    #[arg(long, value_name = "FILE", conflicts_with_all = ["folds", "trials", "by"])]
    model: Option<PathBuf>,
    /// Folds
    #[arg(long, value_name = "N", default_value_t = 5)]
    folds: usize,
    /// Repetitions with other shuffles
    #[arg(long, value_name = "N", default_value_t = 1)]
    trials: u64,
    /// How to divide into folds [default: random, and grouped where there are groups]
    #[arg(long, value_name = "DIVISION")]
    by: Option<By>,
    /// Folder for evaluation.json and a confusion picture (SVG) of each division
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
}

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
    let bars = Bars::new(common);
    let model = arguments.model.as_deref().map(AnyModel::load).transpose()?;
    let results = match (&model, arguments.classifier.choice(arguments.data.seed)) {
        (Some(AnyModel::Image(model)), _) => {
            vec![("model", images::evaluate(&arguments.data, model.classifier(), &bars)?)]
        }
        (Some(AnyModel::Audio(model)), _) => {
            let dataset = load(arguments, &bars)?;
            vec![("model", Evaluation::of_classifier(model.as_ref(), &dataset)?)]
        }
        (None, Choice::Image(training)) => {
            vec![("test", images::train_and_evaluate(&arguments.data, &training, &bars)?)]
        }
        (None, Choice::Audio(training)) => cross_validate(arguments, &training, &bars)?,
    };
    bars.clear();
    if let Some(folder) = &arguments.out {
        write(folder, &results)?;
    }
    if common.json {
        let by_name: serde_json::Map<String, serde_json::Value> = results
            .iter()
            .map(|(name, evaluation)| {
                ((*name).to_owned(), serde_json::to_value(evaluation).unwrap_or_default())
            })
            .collect();
        print_json(&by_name);
    } else {
        results.iter().for_each(|(name, evaluation)| show(name, evaluation));
        if let [(_, random), (_, grouped)] = results.as_slice() {
            print(&format!(
                "mean recall {:.3} with random folds, {:.3} with groups kept together: {:.3} of it \
                 is knowing the groups",
                random.mean_recall.mean,
                grouped.mean_recall.mean,
                random.mean_recall.mean - grouped.mean_recall.mean
            ));
        }
    }
    Ok(Outcome::Done)
}

fn load(arguments: &Arguments, bars: &Bars) -> Result<Dataset> {
    let (dataset, skipped) = arguments.data.data().load(bars)?;
    super::show_skipped(bars, &skipped);
    Ok(dataset)
}

/// An evaluation of each division that was asked for, with the division's name.
fn cross_validate(
    arguments: &Arguments,
    training: &Training,
    bars: &Bars,
) -> Result<Vec<(&'static str, Evaluation)>> {
    let dataset = load(arguments, bars)?;
    let divisions = match arguments.by {
        Some(By::Random) => vec![Division::Random],
        Some(By::Grouped) => vec![Division::Grouped],
        Some(By::Given) => vec![Division::Given],
        None => Division::telling(&dataset),
    };
    let evaluation = |division: Division| {
        let (folds, trials) = (arguments.folds, arguments.trials);
        let seed = arguments.data.seed;
        let evaluation = evaluate(&dataset, training, division, folds, trials, seed, bars)?;
        Ok((division.name(), evaluation))
    };
    divisions.into_iter().map(evaluation).collect()
}

fn show(name: &str, evaluation: &Evaluation) {
    // The confusion of all trials together.
    print(&format!("{name}:"));
    print(&terminal::confusion(&evaluation.classes, |truth, predicted| {
        confused(evaluation, truth, predicted)
    }));
    print(&format!(
        "mean recall {}, accuracy {}, chance {:.3}",
        spread(evaluation.mean_recall),
        spread(evaluation.accuracy),
        1.0 / evaluation.classes.len() as f64
    ));
    for certainty in &evaluation.certainty {
        if certainty.claims > 0 {
            print(&format!(
                "posterior >= {}: {} claims, {} of them right",
                certainty.threshold, certainty.claims, certainty.right
            ));
        }
    }
    print("");
}

fn confused(evaluation: &Evaluation, truth: usize, predicted: usize) -> u64 {
    evaluation.trials.iter().map(|trial| trial.confusion.counts[predicted][truth]).sum()
}

fn spread(figure: Spread) -> String {
    match figure.deviation {
        Some(deviation) => format!("{:.3} +- {deviation:.3}", figure.mean),
        None => format!("{:.3}", figure.mean),
    }
}

fn write(folder: &Path, results: &[(&str, Evaluation)]) -> Result<()> {
    std::fs::create_dir_all(folder).map_err(|e| Error::io(folder, e))?;
    for (name, evaluation) in results {
        let picture = confusion_svg(&evaluation.classes, |truth, predicted| {
            confused(evaluation, truth, predicted)
        });
        write_atomically(&folder.join(format!("confusion-{name}.svg")), picture.as_bytes())?;
        let json = serde_json::to_vec_pretty(evaluation)
            .map_err(|e| Error::numeric(format!("evaluation: {e}"), "report this as a fault"))?;
        write_atomically(&folder.join(format!("evaluation-{name}.json")), &json)?;
    }
    Ok(())
}
