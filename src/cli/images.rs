//! Training and evaluating classifiers of images: what `train` and `evaluate` do with them.

use std::path::Path;
use std::time::Instant;

use trompe_base::words::counted;
use trompe_corpora::{ImageCorpus, Split};

use super::common::{Common, Outcome, print, print_json, print_next};
use super::data::DataArguments;
use super::progress::Bars;
use super::reference;
use crate::error::Result;
use crate::evaluation::Evaluation;
use crate::pipeline::reference::{ReferencePlan, TrainedOnImages, train_images};
use crate::pipeline::train_images::{ImageTraining, evaluate, part};
use crate::victims::AnyModel;

/// Trains on the training part, or on all images where there are no parts, and writes the
/// model to `out`.
pub(super) fn train(
    data: &DataArguments,
    training: &ImageTraining,
    plan: &ReferencePlan,
    out: &Path,
    common: &Common,
) -> Result<Outcome> {
    let bars = Bars::new(common);
    let started = Instant::now();
    let corpus = data.images()?.load(&bars)?;
    let trained = train_images(&corpus, data.split(), training, plan, &bars)?;
    let TrainedOnImages { model, images, notes } = &trained;
    model.save(out)?;
    for note in notes {
        bars.say(&format!("note on the genuine reference: {note}"));
    }
    bars.clear();
    let error = test_error(model, &corpus)?;
    let seconds = started.elapsed().as_secs_f64();
    if common.json {
        print_json(&serde_json::json!({
            "model": out,
            "kind": training.name(),
            "sha256": model.fingerprint(),
            "classes": model.classes(),
            "images": images,
            "reference": model.reference().map(reference::summary),
            "notes": notes,
            "test_error": error,
            "seconds": seconds,
        }));
    } else {
        print(&format!(
            "{}: {} on {} of {}, {}, in {seconds:.1} s",
            out.display(),
            training.name(),
            counted(*images, "image"),
            corpus.name,
            counted(model.classes().len(), "class"),
        ));
        print(&reference::in_words(model.reference()));
        if let Some(error) = error {
            print(&format!("test error {:.2} %", 100.0 * error));
        }
        print_next(&["fool", &out.to_string_lossy(), "--generator", "patches", "--out", "run"]);
    }
    Ok(Outcome::Done)
}

/// Share of the test images that are labelled wrong, if there are any.
fn test_error(model: &AnyModel, corpus: &ImageCorpus) -> Result<Option<f64>> {
    let test = corpus.split(Split::Test);
    match model.image_model() {
        Some(model) if !test.is_empty() => {
            Ok(Some(1.0 - evaluate(model.victim(), corpus, &test)?.accuracy.mean))
        }
        _ => Ok(None),
    }
}

/// The images on which a finished classifier is evaluated: the test part, or all images where there are no
/// parts.
pub(super) fn to_evaluate(data: &DataArguments, bars: &Bars) -> Result<(ImageCorpus, Vec<usize>)> {
    let corpus = data.images()?.load(bars)?;
    let indices = part(&corpus, data.split().unwrap_or(Split::Test), false)?;
    Ok((corpus, indices))
}

/// Trains on the training part and evaluates on the test part.
pub(super) fn train_and_evaluate(
    data: &DataArguments,
    training: &ImageTraining,
    bars: &Bars,
) -> Result<Evaluation> {
    let corpus = data.images()?.load(bars)?;
    let test = part(&corpus, data.split().unwrap_or(Split::Test), true)?;
    let net = training.fit(&corpus, &part(&corpus, Split::Train, true)?, bars)?;
    evaluate(net.victim(), &corpus, &test)
}
