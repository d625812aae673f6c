//! `trompe demo`: the main job from start to end.

use std::path::PathBuf;

use trompe_base::words::counted;
use trompe_corpora::recipes::Options;

use super::begun::{self, Asked};
use super::common::{Common, Outcome, print};
use super::progress::Bars;
use super::{demo_images, fool, reference};
use crate::classifiers::AdaBoostParams;
use crate::dataset::extract::BadClips;
use crate::error::{Error, Result};
use crate::pipeline::evaluate::{Division, evaluate};
use crate::pipeline::fool::Configuration;
use crate::pipeline::reference::{Clips, ReferencePlan, cross_fit, load_clips};
use crate::pipeline::train::{Data, Training, train};
use crate::report::terminal;
use crate::search::RunFolder;

/// Folds of the demo's cross-validation.
const FOLDS: usize = 5;

/// Steps of the demo of sound.
const STEPS: usize = 3;

/// From music to fooling excerpts: fetch, render, train, compose, search, verify
///
/// Fetches the style files, SoundFonts and samples that its corpus and bank are made from (about
/// 98 MB), trains Sturm's AdaBFFs system, and searches for excerpts that it labels with posterior
/// >= 0.999, for every genre.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  trompe demo\n  trompe demo --offline --rounds 200 --budget 1000 --out offline-demo\n  trompe demo --image --offline --out image-demo"
)]
pub(super) struct Arguments {
    /// Images instead: a LeNet trained on MNIST, fooled by patches and by CPPNs
    #[arg(long, conflicts_with = "rounds")]
    image: bool,
    /// Use the built-in synthetic corpus and bank: no network, and no music
    #[arg(long)]
    offline: bool,
    /// Folder of everything the demo writes
    #[arg(long, short, value_name = "FOLDER", default_value = "trompe-demo")]
    out: PathBuf,
    /// Seed of rendering, folds and search [default: 1]
    #[arg(long)]
    seed: Option<u64>,
    /// Rounds of boosting [default: 4000]
    #[arg(long, value_name = "N")]
    rounds: Option<usize>,
    /// Evaluations to spend at most [default: 20000]
    #[arg(long, value_name = "N")]
    budget: Option<u64>,
}

impl Arguments {
    fn asked(&self) -> Asked {
        Asked { seed: self.seed, budget: self.budget, rounds: self.rounds }
    }
}

pub(super) fn run(arguments: &Arguments, common: &Common) -> Result<Outcome> {
    if arguments.image {
        return demo_images::run(&arguments.out, arguments.offline, arguments.asked(), common);
    }
    let run = arguments.out.join("run");
    if RunFolder::configuration_path(&run).exists() {
        let bank = if arguments.offline { "synthetic-loops" } else { "samples" };
        let began = arguments.asked().check(&run)?;
        if began.bank != bank {
            return Err(begun::refusal(&run, format!("its bank is {}, not {bank}", began.bank)));
        }
        return fool::search(run, None, common);
    }
    let (corpus, bank) =
        if arguments.offline { ("synthetic", "synthetic-loops") } else { ("styles-2", "samples") };
    std::fs::create_dir_all(&arguments.out).map_err(|e| Error::io(&arguments.out, e))?;
    let bars = Bars::new(common);

    bars.step(1, STEPS, &format!("corpus '{corpus}': fetch, render, compute features"));
    let data = Data {
        name: corpus.to_owned(),
        options: Options { seed: arguments.asked().seed(), ..Options::default() },
        split: None,
        bad: BadClips::Refuse,
        conceal: false,
    };
    let training = Training::AdaBffs(AdaBoostParams {
        rounds: arguments.asked().rounds(),
        ..Default::default()
    });
    let clips = load_clips(&data, &training, &bars)?;
    let Clips { dataset, delivered, .. } = &clips;
    dataset.check()?;
    bars.say(&format!(
        "   {} of {}, {} of {} values",
        counted(dataset.excerpts.len(), "clip"),
        counted(dataset.classes.len(), "class"),
        counted(dataset.vectors.nrows(), "feature vector"),
        dataset.dimensions()
    ));

    bars.step(
        2,
        STEPS,
        &format!("AdaBFFs: {FOLDS}-fold cross-validation, then training on everything"),
    );
    let seed = arguments.asked().seed();
    let random = evaluate(dataset, &training, Division::Random, FOLDS, 1, seed, &bars)?;
    let plan = ReferencePlan { hold_out: None, folds: FOLDS, check_levels: false, seed };
    let fitted = cross_fit(dataset, delivered, &training, Division::Grouped, &plan, &bars)?;
    let grouped = fitted.evaluation.clone();
    bars.clear();
    if !common.json {
        print(&terminal::confusion(&grouped.classes, |truth, predicted| {
            grouped.trials[0].confusion.counts[predicted][truth]
        }));
        print(&format!(
            "mean recall {:.3} with random folds, {:.3} with groups kept apart (chance {:.3})\n",
            random.mean_recall.mean,
            grouped.mean_recall.mean,
            1.0 / dataset.classes.len() as f64
        ));
    }
    let model = fitted.into_model(train(dataset, &training, &bars)?, &clips)?;
    if !common.json {
        print(&format!("{}\n", reference::in_words(model.reference())));
    }
    let path = arguments.out.join("model.safetensors");
    model.save(&path)?;

    bars.step(3, STEPS, &format!("search: excerpts of loops from '{bank}' at posterior >= 0.999"));
    let mut configuration =
        Configuration { model: path, bank: bank.to_owned(), ..Configuration::default() };
    configuration.search.seed = seed;
    configuration.search.budget = arguments.asked().budget();
    bars.clear();
    fool::search(run, Some(configuration), common)
}
