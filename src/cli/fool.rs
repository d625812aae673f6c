//! `trompe fool`: search for excerpts or images that a model labels with near certainty.

use std::path::PathBuf;
use std::time::Instant;

use serde::Serialize;
use trompe_corpora::Progress;

use super::progress::Bars;
use super::{Common, Outcome, interrupt, print, print_json, series};
use crate::error::{Error, Result};
use crate::exhibits::Medium;
use crate::exhibits::names::truncated;
use crate::image;
use crate::pipeline::fool::{self, Configuration, Finished, Fooled, Standing, Watch};
use crate::pipeline::series::Series;
use crate::report::terminal;
use crate::search::{EmitterSettings, Ranking};

/// Most classes without an exhibit that are named one by one.
const MOST_NAMED: usize = 40;

/// Search for excerpts or images that a model labels with near certainty, and write a fooling set
///
/// What is not given on the command line comes from --config, else from the defaults.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    trompe fool model.safetensors --bank synthetic-loops --budget 500 --out run\n  \
    trompe fool lenet-5.safetensors --generator patches --out images\n  \
    trompe fool --resume run\n  \
    trompe fool model.safetensors --bank synthetic-loops --budget 100 --seeds 2 --out runs\n  \
    trompe fool --print-config > fool.toml")]
pub(super) struct Arguments {
    /// The model: a file from `trompe train`, an ONNX file with its description beside it, or a
    /// model's name from `trompe corpus list`
    model: Option<PathBuf>,
    /// Bank of loops, to fool a model of sound: a folder, or a name from `trompe corpus list`
    #[arg(long)]
    bank: Option<String>,
    /// Folder of the run: configuration, trace, checkpoint, fooling set, report
    #[arg(long, value_name = "FOLDER", default_value = "run")]
    out: PathBuf,
    /// Go on with the run in this folder
    #[arg(long, value_name = "FOLDER", conflicts_with_all = ["model", "bank", "config", "preset", "budget",
        "threshold", "exhibits", "emitter", "gap", "seconds", "generator", "seed", "seeds"])]
    resume: Option<PathBuf>,
    /// Configuration file (TOML)
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// A configuration that comes with trompe
    #[arg(long, value_name = "NAME", conflicts_with = "config",
        value_parser = clap::builder::PossibleValuesParser::new(fool::PRESETS.map(|(name, _)| name)))]
    preset: Option<String>,
    /// Print every setting with its default and what it means, and exit
    #[arg(long)]
    print_config: bool,
    /// Seed of every random number of the run
    #[arg(long)]
    seed: Option<u64>,
    /// Run with this many seeds, counted up from --seed: the folder holds one run for each
    #[arg(long, value_name = "N")]
    seeds: Option<u64>,
    /// Evaluations to spend at most
    #[arg(long, value_name = "N")]
    budget: Option<u64>,
    /// Posterior that a kept excerpt or image must reach [default: 0.999; 0.5 for srcam, whose
    /// confidences sum to 1]
    #[arg(long, value_name = "P")]
    threshold: Option<f64>,
    /// Exhibits wanted per class
    #[arg(long, value_name = "N")]
    exhibits: Option<usize>,
    /// How candidates are proposed: climber, map-elites, random or gradient-ascent
    #[arg(long, value_name = "NAME")]
    emitter: Option<String>,
    /// Rank by the gap between the two highest posteriors, as Sturm did
    #[arg(long)]
    gap: bool,
    /// Length of an excerpt in seconds
    #[arg(long, value_name = "S")]
    seconds: Option<f64>,
    /// How images are made, to fool a model of images: patches, pixels, tiles, cppn or
    /// values
    #[arg(long, value_name = "NAME")]
    generator: Option<String>,
}

pub(super) fn run(arguments: &Arguments, common: &Common) -> Result<Outcome> {
    if arguments.print_config {
        print(fool::CONFIGURATION_FILE.trim_end());
        return Ok(Outcome::Done);
    }
    if let Some(folder) = &arguments.resume {
        return match Series::read(folder)? {
            Some(found) => series::resume(&found, folder, common),
            None => search(folder.clone(), None, common),
        };
    }
    let configuration = configuration(arguments)?;
    match arguments.seeds {
        Some(seeds) => series::start(&Series { seeds, run: configuration }, &arguments.out, common),
        None => search(arguments.out.clone(), Some(configuration), common),
    }
}

/// The configuration file's settings, overridden by those of the command line.
fn configuration(arguments: &Arguments) -> Result<Configuration> {
    let mut settings = match (&arguments.config, &arguments.preset) {
        (Some(path), _) => Configuration::read(path)?,
        (None, Some(name)) => Configuration::preset(name)?,
        (None, None) => Configuration::default(),
    };
    match (&arguments.model, &arguments.config) {
        (Some(model), _) => settings.model.clone_from(model),
        (None, Some(_)) => {}
        (None, None) => {
            return Err(Error::request(
                "no model to fool",
                "name one: trompe fool MODEL (`trompe train` makes models)",
            ));
        }
    }
    if let Some(bank) = &arguments.bank {
        settings.bank.clone_from(bank);
    }
    let search = &mut settings.search;
    search.seed = arguments.seed.unwrap_or(search.seed);
    search.budget = arguments.budget.unwrap_or(search.budget);
    search.threshold = arguments.threshold.or(search.threshold);
    search.exhibits = arguments.exhibits.unwrap_or(search.exhibits);
    if let Some(name) = &arguments.emitter {
        search.emitter = EmitterSettings::by_name(name)?;
    }
    if arguments.gap {
        search.ranking = Ranking::Gap;
    }
    let climbs = matches!(settings.search.emitter, EmitterSettings::GradientAscent(_));
    match &arguments.generator {
        Some(name) => settings.image = image::Settings::by_name(name)?,
        // The gradient moves single values, so those are what is meant.
        None if climbs && arguments.emitter.is_some() => {
            settings.image = image::Settings::by_name("values")?;
        }
        None => {}
    }
    settings.composition.seconds = arguments.seconds.unwrap_or(settings.composition.seconds);
    Ok(settings)
}

/// Starts the run that `configuration` describes, or resumes the one in `folder`, and prints
/// what it found.
pub(super) fn search(
    folder: PathBuf,
    configuration: Option<Configuration>,
    common: &Common,
) -> Result<Outcome> {
    let bars = Bars::new(common);
    let started = Instant::now();
    let mut standing = |standing: &Standing| show_standing(&bars, standing);
    let watch = Watch { progress: &bars, standing: &mut standing, stop: interrupt::flag() };
    let fooled = match &configuration {
        Some(configuration) => fool::start(configuration, &folder, watch),
        None => fool::resume(&folder, watch),
    };
    bars.clear();
    match fooled? {
        Fooled::Stopped { evaluations } => {
            eprintln!(
                "stopped after {evaluations} evaluations; go on with: trompe fool --resume {}",
                folder.display()
            );
            Ok(Outcome::Interrupted)
        }
        Fooled::Done(finished) => {
            show(&finished, started.elapsed().as_secs_f64(), common);
            Ok(Outcome::Done)
        }
    }
}

/// Where a run stands, beside its bar.
pub(super) fn show_standing(bars: &Bars, standing: &Standing) {
    bars.report("search", standing.evaluations, standing.budget);
    let hardest = standing.hardest.as_ref().map_or(String::new(), |(class, posterior)| {
        format!(", lowest {class} {}", truncated(*posterior, 4))
    });
    bars.detail(format!("{} classes open{hardest}", standing.open));
}

#[derive(Serialize)]
struct Summary<'a> {
    fooling_set: &'a PathBuf,
    report_page: &'a PathBuf,
    exhibits: usize,
    unreached: Vec<&'a str>,
    seconds: f64,
    report: &'a crate::report::RunReport,
}

fn show(finished: &Finished, seconds: f64, common: &Common) {
    if common.json {
        print_json(&Summary {
            fooling_set: &finished.set,
            report_page: &finished.page,
            exhibits: finished.manifest.exhibits.len(),
            unreached: finished.manifest.unreached.iter().map(|u| u.label.as_str()).collect(),
            seconds,
            report: &finished.report,
        });
        return;
    }
    print(&terminal::run(&finished.report));
    for lost in &finished.fell_short {
        print(&format!(
            "{}: a candidate of posterior {:.6} fell to {:.6} when delivered, and was left out",
            lost.label, lost.posterior_in_search, lost.posterior_delivered
        ));
    }
    let unreached = &finished.manifest.unreached;
    if unreached.len() > MOST_NAMED {
        print(&format!("{} classes stayed below the threshold", unreached.len()));
    }
    for class in unreached.iter().filter(|_| unreached.len() <= MOST_NAMED) {
        let best = class.best_posterior.map_or("none".to_owned(), |best| truncated(best, 4));
        print(&format!("{}: stayed below the threshold, best posterior {best}", class.label));
    }
    print(&format!(
        "{} exhibits, verified from their files, in {seconds:.0} s",
        finished.manifest.exhibits.len()
    ));
    let perceive = match finished.manifest.origin.medium {
        Medium::Audio => "listen",
        Medium::Image => "look",
    };
    print(&format!("{perceive}: {}", finished.set.join("index.html").display()));
    print(&format!("report: {}", finished.page.display()));
}
