//! `trompe train`: fit a classifier and write it as a model file.

use std::path::{Path, PathBuf};
use std::time::Instant;

use super::common::{Common, Outcome, print, print_json};
use super::data::{Choice, ClassifierArguments, DataArguments};
use super::images;
use super::progress::Bars;
use crate::classifiers::Classifier;
use crate::error::{Error, Result};
use crate::pipeline::calibrate::{Calibrated, calibrate};
use crate::pipeline::train::{Training, train};

/// Train a classifier on a corpus and write a model file
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    trompe train synthetic --rounds 200 --out model.safetensors\n  \
    trompe train synthetic-digits --classifier lenet-5 --out lenet-5.safetensors")]
pub(super) struct Arguments {
    #[command(flatten)]
    data: DataArguments,
    #[command(flatten)]
    classifier: ClassifierArguments,
    /// The model file to write
    #[arg(long, value_name = "FILE", default_value = "model.safetensors")]
    out: PathBuf,
    /// Also write the feature vectors (.npz, for numpy)
    #[arg(long, value_name = "FILE")]
    save_features: Option<PathBuf>,
    /// Folds of the cross-validation that calibrates the posterior; 0 for no calibration. Groups
    /// are kept apart where there are any; a group that holds a whole class cannot be held out
    #[arg(long, value_name = "N", default_value_t = 5)]
    calibration_folds: usize,
}

pub(super) fn run(arguments: &Arguments, common: &Common) -> Result<Outcome> {
    check_destination(&arguments.out)?;
    match arguments.classifier.choice(&arguments.data)? {
        Choice::Audio(training) => audio(arguments, &training, common),
        Choice::Image(training) => {
            images::train(&arguments.data, &training, &arguments.out, common)
        }
    }
}

/// Before minutes of training: whether the model can be written there.
fn check_destination(out: &Path) -> Result<()> {
    if out.is_dir() {
        let what = format!("{} is a folder", out.display());
        return Err(Error::request(what, "name the model file to write with --out"));
    }
    match out.parent() {
        Some(folder) if !folder.as_os_str().is_empty() && !folder.is_dir() => Err(Error::request(
            format!("{}: the folder {} does not exist", out.display(), folder.display()),
            "create it, or name another file with --out",
        )),
        _ => Ok(()),
    }
}

fn audio(arguments: &Arguments, training: &Training, common: &Common) -> Result<Outcome> {
    let bars = Bars::new(common);
    let started = Instant::now();
    let (dataset, skipped) = arguments.data.data().load(&training.features(), &bars)?;
    bars.show_skipped(&skipped);
    if let Some(path) = &arguments.save_features {
        dataset.write_npz(path)?;
    }
    let calibration = match arguments.calibration_folds {
        0 => None,
        folds => Some(calibrate(&dataset, training, folds, arguments.data.seed, &bars)?),
    };
    let notes = calibration.as_ref().map_or(&[][..], |calibrated| &calibrated.notes);
    for note in notes {
        bars.say(&format!("note on the calibration: {note}"));
    }
    let fitted = calibration.as_ref().and_then(|calibrated| calibrated.calibration.clone());
    let model = train(&dataset, training, fitted, &bars)?;
    let reach = training.held_out_reach(&dataset);
    model.save(&arguments.out)?;
    bars.clear();
    let seconds = started.elapsed().as_secs_f64();
    if common.json {
        print_json(&serde_json::json!({
            "model": arguments.out,
            "kind": model.fitted().kind(),
            "sha256": model.fingerprint(),
            "classes": model.classes(),
            "excerpts": dataset.excerpts.len(),
            "vectors": dataset.vectors.nrows(),
            "calibration": calibration.as_ref().map(|calibrated| serde_json::json!({
                "folds": calibrated.division,
                "excerpts": calibrated.calibration.as_ref().map_or(0, |found| found.excerpts),
                "notes": calibrated.notes,
            })),
            "skipped": skipped.iter().map(|skipped| &skipped.why).collect::<Vec<_>>(),
            "reach": reach,
            "seconds": seconds,
        }));
    } else {
        print(&format!(
            "{}: {} on {} excerpts ({} vectors) of {}, {} classes, in {seconds:.1} s",
            arguments.out.display(),
            model.fitted().kind(),
            dataset.excerpts.len(),
            dataset.vectors.nrows(),
            dataset.source.name,
            model.classes().len(),
        ));
        print(&match &calibration {
            None => "not calibrated, as asked for".to_owned(),
            Some(Calibrated { calibration: None, .. }) => {
                "not calibrated: no group can be held out".to_owned()
            }
            Some(Calibrated { calibration: Some(found), division, .. }) => format!(
                "calibrated on {} held-out excerpts, {} folds",
                found.excerpts,
                division.name()
            ),
        });
        if let Some(reach) = reach {
            print(&format!(
                "training excerpts held out in parts: {reach}, so that their codes would be plain \
                 least squares"
            ));
        }
    }
    Ok(Outcome::Done)
}
