//! `trompe evaluate`: cross-validation, or what a model makes of data it has not seen.

use std::path::{Path, PathBuf};

use clap::ValueEnum;
use trompe_corpora::files::write_atomically;

use super::data::{ClassifierArguments, DataArguments};
use super::progress::Bars;
use super::{Common, Outcome, print, print_json};
use crate::classifiers::Model;
use crate::error::{Error, Result};
use crate::evaluation::{Evaluation, Spread};
use crate::pipeline::evaluate::{Division, evaluate};
use crate::report::{confusion_svg, terminal};

/// Cross-validate a classifier: confusion, recall, precision, F-score, mean recall
///
/// Where the corpus has groups (artists, style files), folds drawn at random and folds that
/// keep groups together are shown side by side: the difference is what leaks.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    trompe evaluate synthetic --rounds 100 --out evaluation\n  \
    trompe evaluate synthetic --model model.safetensors")]
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
    let (dataset, skipped) = arguments.data.data().load(&bars)?;
    super::show_skipped(&bars, &skipped);
    let mut results: Vec<(&str, Evaluation)> = Vec::new();
    if let Some(path) = &arguments.model {
        results.push(("model", Evaluation::of_classifier(&Model::load(path)?, &dataset)?));
    } else {
        let divisions = match arguments.by {
            Some(By::Random) => vec![Division::Random],
            Some(By::Grouped) => vec![Division::Grouped],
            Some(By::Given) => vec![Division::Given],
            None => Division::telling(&dataset),
        };
        for division in divisions {
            let evaluation = evaluate(
                &dataset,
                &arguments.classifier.training(),
                division,
                arguments.folds,
                arguments.trials,
                arguments.data.seed,
                &bars,
            )?;
            results.push((division.name(), evaluation));
        }
    }
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
