//! Trains a small net on a folder of digits (MNIST's IDX files) and counts the evaluations
//! until every class is fooled, over several seeds.
//!
//! ```text
//! cargo run --release --example fool_digits -- MNIST lenet patches climber
//! ```
//!
//! The arguments are a folder, `lenet` or `lenet-5` or `linear`, `pixels` or `patches` or
//! `tiles` or `cppn` or `cppn-raw`, an emitter, and optionally the budget, the number of
//! seeds and the threshold. The net is kept beside the digits as `NET.safetensors`.

use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use trompe::classifiers::convolutional::{Architecture, TrainingSettings, error_rate, train};
use trompe::classifiers::{ConvolutionalNet, ImageClassifier};
use trompe::corpora::{ImageCorpus, Split};
use trompe::image::{Coordinates, Cppn, Generator, ImageProblem, Patches, Pixels, Tiles, cppn};
use trompe::search::{EmitterSettings, Search, Settings};

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [folder, net, generator, emitter, numbers @ ..] = &arguments[..] else {
        bail!("arguments: FOLDER NET GENERATOR EMITTER [BUDGET [SEEDS [THRESHOLD]]]");
    };
    let folder = Path::new(folder);
    let corpus = ImageCorpus::open(folder)?;
    let net = trained(folder, net, &corpus)?;
    let number = |index: usize, default: f64| match numbers.get(index) {
        Some(text) => text.parse().with_context(|| format!("'{text}' is no number")),
        None => Ok(default),
    };
    let settings = Settings {
        budget: number(0, 60_000.0)? as u64,
        threshold: number(2, 0.9999)?,
        exhibits: 1,
        min_distance: 0.0,
        emitter: EmitterSettings::by_name(emitter)?,
        ..Settings::default()
    };
    let seeds = number(1, 10.0)? as u64;
    let shape = corpus.shape;
    match generator.as_str() {
        "pixels" => fool(&net, Pixels::new(shape), &settings, seeds),
        "patches" => fool(&net, Patches::new(shape), &settings, seeds),
        "tiles" => {
            let train = corpus.split(Split::Train);
            fool(&net, Tiles::cut(&corpus, &train, 4, 100, 1)?, &settings, seeds)
        }
        "cppn" => fool(
            &net,
            Cppn::new(shape, Coordinates::Centred, cppn::Moves::Single),
            &settings,
            seeds,
        ),
        "cppn-raw" => {
            fool(&net, Cppn::new(shape, Coordinates::Raw, cppn::Moves::Published), &settings, seeds)
        }
        other => bail!("unknown generator '{other}'"),
    }
}

/// The net kept in `folder`, or a new one.
fn trained(folder: &Path, name: &str, corpus: &ImageCorpus) -> Result<ConvolutionalNet> {
    let path = folder.join(format!("{name}.safetensors"));
    if !path.exists() {
        let start = Instant::now();
        let architecture = Architecture::by_name(name, corpus.shape, corpus.classes.len())?;
        let settings = TrainingSettings::default();
        let net = train(architecture, corpus, &corpus.split(Split::Train), &settings, |epoch| {
            println!("epoch {}: loss {:.4}, {:.0?}", epoch.number, epoch.loss, start.elapsed());
        })?;
        net.save(&path)?;
    }
    let net = ConvolutionalNet::load(&path)?;
    let error = error_rate(&net, corpus, &corpus.split(Split::Test));
    println!("{name}: test error {:.2} %", 100.0 * error);
    Ok(net)
}

/// Runs the search with seeds 1, 2, ... and prints what each and their median needed.
fn fool<G: Generator>(
    net: &ConvolutionalNet,
    generator: G,
    settings: &Settings,
    seeds: u64,
) -> Result<()> {
    let problem = ImageProblem::new(net, generator)?;
    let mut needed = Vec::new();
    for seed in 1..=seeds {
        let settings = Settings { seed, ..settings.clone() };
        let mut search = Search::new(&problem, &settings)?;
        let start = Instant::now();
        // Evaluation at which each class first reached the threshold.
        let mut reached = vec![None; net.classes().len()];
        while search.finished().is_none() {
            for improvement in search.step()? {
                if improvement.log_odds >= search.threshold() {
                    reached[improvement.class].get_or_insert(improvement.evaluation);
                }
            }
        }
        let last = reached.iter().flatten().max().copied().unwrap_or(0);
        let seconds = start.elapsed().as_secs_f64();
        let state = search.state();
        let fooled = search.open_classes().iter().filter(|open| !**open).count();
        let mut best: Vec<f64> = (0..net.classes().len())
            .filter_map(|class| Some(state.archive.best(class)?.log_odds[class]))
            .map(|log_odds| 1.0 / (1.0 + (-log_odds).exp()))
            .collect();
        best.sort_by(f64::total_cmp);
        println!(
            "seed {seed}: {fooled} classes fooled in {last} evaluations; least {:.5}, median {:.5}; {:.0} evaluations/s",
            best[0],
            best[best.len() / 2],
            state.evaluations as f64 / seconds
        );
        needed.push(if fooled == net.classes().len() { last } else { u64::MAX });
    }
    needed.sort_unstable();
    match needed[needed.len() / 2] {
        u64::MAX => println!("the median seed does not fool all classes in {}", settings.budget),
        median => println!("median: all classes fooled in {median} evaluations"),
    }
    Ok(())
}
