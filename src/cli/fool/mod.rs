//! `trompe fool`: search for excerpts or images that a model labels with near certainty.

mod planned;
mod ran;
mod wanted;

use std::path::PathBuf;
use std::time::Instant;

use self::ran::Ran;
pub(in crate::cli) use self::wanted::EMITTERS;
use self::wanted::Wanted;
use super::common::{Common, Outcome, print};
use super::progress::Bars;
use super::{interrupt, series};
use crate::error::Result;
use crate::pipeline;
use crate::pipeline::fool::{self, Configuration, Fooled, Standing, Watch};
use crate::pipeline::planned::Plan;
use crate::pipeline::series::Series;
use crate::victims::program::{is_command, name};
use trompe_base::words::counted;

/// Options of a new run, which one that is resumed does not take. They are listed: a conflict with the
/// group of [`Wanted`] lets `--seed` pass.
const OF_NEW_RUNS: [&str; 16] = [
    "model",
    "bank",
    "config",
    "preset",
    "seed",
    "budget",
    "threshold",
    "level",
    "targets",
    "exhibits",
    "emitter",
    "gap",
    "seconds",
    "generator",
    "seeds",
    "out",
];

/// Search for excerpts or images that a model labels with near certainty, and write a fooling set
///
/// What is not given on the command line comes from --config, else from the defaults.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
#[command(after_help = "Examples:\n  \
    trompe fool model.safetensors --bank synthetic-loops --budget 500 --out run\n  \
    trompe fool lenet-5.safetensors --generator patches --out images\n  \
    trompe fool --resume run\n  \
    trompe fool model.safetensors --bank synthetic-loops --budget 100 --seeds 2 --out runs\n  \
    trompe fool --print-config > fool.toml")]
pub(super) struct Arguments {
    #[command(subcommand)]
    step: Option<planned::Step>,
    #[command(flatten)]
    wanted: Wanted,
    /// Folder of the run
    ///
    /// It gets the configuration, the trace, checkpoints, the fooling set and the report.
    #[arg(long, short, value_name = "FOLDER", default_value = "run")]
    out: PathBuf,
    /// Go on with the run in this folder
    #[arg(long, value_name = "FOLDER", conflicts_with_all = OF_NEW_RUNS)]
    resume: Option<PathBuf>,
    /// The program that the run to go on with fools, named again: no file makes a program run
    #[arg(id = "named", long = "model", value_name = "command:PROGRAM", requires = "resume",
        value_parser = program, hide_short_help = true)]
    model: Option<PathBuf>,
    /// Print every setting with its default, and exit
    #[arg(long, exclusive = true)]
    print_config: bool,
    /// Run with this many seeds, counted up from --seed
    ///
    /// The folder holds one run for each.
    #[arg(long, value_name = "N")]
    seeds: Option<u64>,
}

/// A program that is named as a victim again. That it stands on the command line lets it be started.
fn program(value: &str) -> std::result::Result<PathBuf, String> {
    let path = PathBuf::from(value);
    match is_command(&path) {
        true => Ok(path),
        false => Err("only a program is named again: the run keeps every other model".to_owned()),
    }
}

pub(super) fn run(arguments: &Arguments, common: &Common) -> Result<Outcome> {
    if let Some(step) = &arguments.step {
        return planned::run(step, common);
    }
    if arguments.print_config {
        print(fool::CONFIGURATION_FILE.trim_end());
        return Ok(Outcome::Done);
    }
    if let Some(folder) = &arguments.resume {
        arguments.model.iter().for_each(|model| name(model));
        return match Series::read(folder)? {
            Some(found) => series::resume(&found, folder, common),
            None => search(folder.clone(), None, common),
        };
    }
    let configuration = arguments.wanted.configuration()?;
    match arguments.seeds {
        Some(seeds) => series::start(&Series { seeds, run: configuration }, &arguments.out, common),
        None => search(arguments.out.clone(), Some(configuration), common),
    }
}

/// Starts the run that `configuration` describes, or resumes the one in `folder`, and prints
/// what it found.
pub(super) fn search(
    folder: PathBuf,
    configuration: Option<Configuration>,
    common: &Common,
) -> Result<Outcome> {
    let Some(ran) = searched(folder, configuration, common)? else {
        return Ok(Outcome::Interrupted);
    };
    ran.show(common);
    Ok(Outcome::Done)
}

/// As [`search`], printing no result; `None` if interrupted.
pub(super) fn searched(
    folder: PathBuf,
    configuration: Option<Configuration>,
    common: &Common,
) -> Result<Option<Ran>> {
    let bars = Bars::new(common);
    let started = Instant::now();
    let mut standing = |standing: &Standing| bars.show_standing(standing);
    let watch = Watch { progress: &bars, standing: &mut standing, stop: interrupt::flag(&folder) };
    let fooled = match &configuration {
        Some(configuration) => fool::start(configuration, &folder, watch),
        None if Plan::path(&folder).exists() => pipeline::planned::resume(&folder, watch),
        None => fool::resume(&folder, watch),
    };
    bars.clear();
    match fooled? {
        Fooled::Stopped { evaluations } => {
            eprintln!(
                "stopped after {}; go on with: trompe fool --resume {}",
                counted(evaluations, "evaluation"),
                folder.display()
            );
            Ok(None)
        }
        Fooled::Done(finished) => {
            Ok(Some(Ran { finished, seconds: started.elapsed().as_secs_f64() }))
        }
    }
}
