//! Training and evaluating classifiers of images: what `train` and `evaluate` do with them.

use std::path::Path;
use std::time::Instant;

use trompe_corpora::{ImageCorpus, Split};

use super::common::{Common, Outcome, print, print_json};
use super::data::DataArguments;
use super::progress::Bars;
use crate::classifiers::ConvolutionalNet;
use crate::error::Result;
use crate::evaluation::Evaluation;
use crate::pipeline::train_images::{self, ImageTraining, part};
use crate::problem::Victim;

/// Trains on the training part, or on all images where there are no parts, and writes the
/// model to `out`.
pub(super) fn train(
    data: &DataArguments,
    training: &ImageTraining,
    out: &Path,
    common: &Common,
) -> Result<Outcome> {
    let bars = Bars::new(common);
    let started = Instant::now();
    let corpus = data.images()?.load(&bars)?;
    let indices = part(&corpus, data.split().unwrap_or(Split::Train), false)?;
    let net = training.fit(&corpus, &indices, &bars)?;
    net.save(out)?;
    bars.clear();
    let error = test_error(&net, &corpus)?;
    let seconds = started.elapsed().as_secs_f64();
    if common.json {
        print_json(&serde_json::json!({
            "model": out,
            "kind": net.architecture().name(),
            "sha256": net.sha256(),
            "classes": net.classes(),
            "images": indices.len(),
            "test_error": error,
            "seconds": seconds,
        }));
    } else {
        print(&format!(
            "{}: {} on {} images of {}, {} classes, in {seconds:.1} s",
            out.display(),
            net.architecture().name(),
            indices.len(),
            corpus.name,
            net.classes().len(),
        ));
        if let Some(error) = error {
            print(&format!("test error {:.2} %", 100.0 * error));
        }
    }
    Ok(Outcome::Done)
}

/// Share of the test images that are labelled wrong, if there are any.
fn test_error(net: &ConvolutionalNet, corpus: &ImageCorpus) -> Result<Option<f64>> {
    let test = corpus.split(Split::Test);
    if test.is_empty() {
        return Ok(None);
    }
    Ok(Some(1.0 - train_images::evaluate(net, corpus, &test)?.accuracy.mean))
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
    train_images::evaluate(&net, &corpus, &test)
}
