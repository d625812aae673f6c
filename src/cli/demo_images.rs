//! `trompe demo --image`: the image side from start to end.

use std::path::Path;

use trompe_corpora::Split;
use trompe_corpora::recipes::Options;

use super::begun::{self, Asked};
use super::common::{Common, Outcome, print, print_json};
use super::progress::Bars;
use super::{fool, reference};
use crate::classifiers::convolutional::TrainingSettings;
use crate::error::{Error, Result};
use crate::image::GeneratorSettings;
use crate::pipeline::fool::Configuration;
use crate::pipeline::reference::{ReferencePlan, train_images};
use crate::pipeline::train_images::{ImageData, ImageTraining, evaluate, part};
use crate::report::terminal;
use crate::search::RunFolder;
use crate::victims::AnyModel;

/// Posterior that the demo's images reach: that of Nguyen, Yosinski & Clune (2015).
const THRESHOLD: f64 = 0.9999;

/// Encodings that the demo fools with: direct, and by networks.
const GENERATORS: [&str; 2] = ["patches", "cppn"];

/// Steps of the demo: the corpus, the training, and a search by each generator.
const STEPS: usize = 2 + GENERATORS.len();

/// Trains a LeNet on MNIST (on the built-in digits if `offline`), and fools it with images of
/// both encodings, a run each below `out`.
pub(super) fn run(out: &Path, offline: bool, asked: Asked, common: &Common) -> Result<Outcome> {
    let seed = asked.seed();
    let model = out.join("lenet.safetensors");
    let corpus = if offline { "synthetic-digits" } else { "mnist" };
    if model.exists() {
        check(&model, corpus)?;
    } else {
        train(&model, corpus, seed, common)?;
    }
    let mut runs = Vec::new();
    for (number, generator) in (3..).zip(GENERATORS) {
        let what = format!("search: {generator}, posterior >= {THRESHOLD}");
        Bars::new(common).step(number, STEPS, &what);
        let run = out.join(generator);
        let configuration = if RunFolder::configuration_path(&run).exists() {
            asked.check(&run)?;
            None
        } else {
            let mut configuration = Configuration {
                model: model.clone(),
                image: GeneratorSettings::by_name(generator)?,
                ..Configuration::default()
            };
            configuration.search.seed = seed;
            configuration.search.budget = asked.budget();
            configuration.search.threshold = Some(THRESHOLD);
            Some(configuration)
        };
        let Some(ran) = fool::searched(run, configuration, common)? else {
            return Ok(Outcome::Interrupted);
        };
        if !common.json {
            ran.show(common);
        }
        runs.push(ran);
    }
    if common.json {
        print_json(&runs.iter().map(|ran| ran.summary()).collect::<Vec<_>>());
    }
    Ok(Outcome::Done)
}

/// Refuses a model that an earlier demo trained on another corpus.
fn check(model: &Path, corpus: &str) -> Result<()> {
    let found = AnyModel::load(model)?;
    let trained_on = found.image_model().map(|found| found.victim().record().corpus);
    match trained_on {
        Some(found) if found != corpus => {
            Err(begun::refusal(model, format!("its corpus is {found}, not {corpus}")))
        }
        _ => Ok(()),
    }
}

fn train(model: &Path, corpus: &str, seed: u64, common: &Common) -> Result<()> {
    let bars = Bars::new(common);
    let parent = model.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(parent).map_err(|e| Error::io(parent, e))?;
    bars.step(1, STEPS, &format!("corpus '{corpus}': fetch, read"));
    let options = Options { seed, ..Options::default() };
    let corpus = ImageData { name: corpus.to_owned(), options }.load(&bars)?;
    let test = part(&corpus, Split::Test, true)?;
    let images = part(&corpus, Split::Train, true)?.len();
    bars.step(2, STEPS, &format!("LeNet: training on {images} images"));
    let settings = TrainingSettings { seed, ..TrainingSettings::default() };
    let training = ImageTraining::Net { architecture: "lenet", settings };
    let plan = ReferencePlan { hold_out: None, folds: 2, check_levels: false, seed };
    let trained = train_images(&corpus, None, &training, &plan, &bars)?;
    let net = trained.model.image_model().map(|net| net.victim());
    let net = net.ok_or_else(|| Error::request("no net was trained", "report this as a fault"))?;
    let evaluation = evaluate(net, &corpus, &test)?;
    bars.clear();
    if !common.json {
        print(&terminal::confusion(&evaluation.classes, |truth, predicted| {
            evaluation.trials[0].confusion.counts[predicted][truth]
        }));
        print(&format!("test error {:.2} %", 100.0 * (1.0 - evaluation.accuracy.mean)));
        print(&format!("{}\n", reference::in_words(trained.model.reference())));
    }
    trained.model.save(model)
}
