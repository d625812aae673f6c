//! `trompe train`: fit a classifier and write it as a model file.

use std::path::PathBuf;
use std::time::Instant;

use trompe_base::words::counted;

use super::common::{Common, Outcome, print, print_json, print_next};
use super::data::{Choice, ClassifierArguments, DataArguments};
use super::images;
use super::overwrite::Overwrite;
use super::progress::Bars;
use super::reference::{self, ReferenceArguments};
use crate::error::Result;
use crate::pipeline::reference::{TrainedOnSound, train_sound};
use crate::pipeline::train::Training;

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
    #[arg(long, short, value_name = "FILE", default_value = "model.safetensors")]
    out: PathBuf,
    /// Also write the feature vectors (.npz, for numpy)
    #[arg(long, value_name = "FILE", hide_short_help = true)]
    save_features: Option<PathBuf>,
    #[command(flatten)]
    overwrite: Overwrite,
    #[command(flatten)]
    reference: ReferenceArguments,
}

pub(super) fn run(arguments: &Arguments, common: &Common) -> Result<Outcome> {
    arguments.overwrite.check_file(&arguments.out, "--out")?;
    if let Some(path) = &arguments.save_features {
        arguments.overwrite.check_file(path, "--save-features")?;
    }
    match arguments.classifier.choice(&arguments.data)? {
        Choice::Audio(training) => audio(arguments, &training, common),
        Choice::Image(training) => {
            let plan = arguments.reference.plan(arguments.data.seed)?;
            images::train(&arguments.data, &training, &plan, &arguments.out, common)
        }
    }
}

fn audio(arguments: &Arguments, training: &Training, common: &Common) -> Result<Outcome> {
    let bars = Bars::new(common);
    let started = Instant::now();
    let plan = arguments.reference.plan(arguments.data.seed)?;
    let trained = train_sound(&arguments.data.data(), training, &plan, &bars)?;
    let TrainedOnSound { model, dataset, skipped, notes } = &trained;
    bars.show_skipped(skipped);
    if let Some(path) = &arguments.save_features {
        dataset.write_npz(path)?;
    }
    for note in notes {
        bars.say(&format!("note on the genuine reference: {note}"));
    }
    let reach = training.held_out_reach(dataset);
    model.save(&arguments.out)?;
    bars.clear();
    let seconds = started.elapsed().as_secs_f64();
    if common.json {
        print_json(&serde_json::json!({
            "model": arguments.out,
            "kind": model.kind(),
            "sha256": model.fingerprint(),
            "classes": model.classes(),
            "excerpts": dataset.excerpts.len(),
            "vectors": dataset.vectors.nrows(),
            "reference": model.reference().map(reference::summary),
            "notes": notes,
            "skipped": skipped.iter().map(|skipped| &skipped.why).collect::<Vec<_>>(),
            "reach": reach,
            "seconds": seconds,
        }));
    } else {
        print(&format!(
            "{}: {} on {} ({}) of {}, {}, in {seconds:.1} s",
            arguments.out.display(),
            model.kind(),
            counted(dataset.excerpts.len(), "excerpt"),
            counted(dataset.vectors.nrows(), "vector"),
            dataset.source.name,
            counted(model.classes().len(), "class"),
        ));
        print(&reference::in_words(model.reference()));
        if let Some(reach) = reach {
            print(&format!(
                "training excerpts held out in parts: {reach}, so that their codes would be plain \
                 least squares"
            ));
        }
        print_next(&["fool", &arguments.out.to_string_lossy(), "--bank", "loops", "--out", "run"]);
    }
    Ok(Outcome::Done)
}
