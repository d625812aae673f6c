//! `trompe fool plan`, `shard` and `merge`: one run on many machines.

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::ran::Ran;
use super::wanted::Wanted;
use crate::cli::common::{Common, Outcome, print, print_json};
use crate::cli::interrupt;
use crate::cli::progress::Bars;
use crate::error::Result;
use crate::pipeline::fool::{Standing, Watch};
use crate::pipeline::planned::{self, Computed, Engine, Merge, Merging};
use crate::search::ShardId;
use crate::victims::program;
use trompe_base::words::counted;

/// A step of a run that many machines share.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Step {
    Plan(Box<PlanArguments>),
    Shard(ShardArguments),
    Merge(MergeArguments),
}

/// Divide a run into rounds of shards for many machines
///
/// A script is written that runs them.
///
/// Shards of a round start from what all rounds before found and search alone; the result
/// depends on the plan and the seed, not on who computes what, when, or how often.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    trompe fool plan model.safetensors --bank synthetic-loops --budget 400 --out planned\n  \
    trompe fool --resume planned\n\n\
    With Slurm:\n  \
    trompe fool plan model.safetensors --bank synthetic-loops --engine slurm --out jobs\n  \
    jobs/submit-slurm.sh")]
pub(super) struct PlanArguments {
    #[command(flatten)]
    wanted: Wanted,
    /// Folder of the run, on a disk that all machines share
    #[arg(long, short, value_name = "FOLDER", default_value = "run")]
    out: PathBuf,
    /// Rounds, one after the other
    #[arg(long, value_name = "N", default_value_t = 4)]
    rounds: u32,
    /// Shards of a round, at once or in any order; the budget is divided over all of them
    #[arg(long, value_name = "N", default_value_t = 8)]
    shards: u32,
    /// What starts the shards: local (`trompe fool --resume`), or a script for parallel, slurm
    /// or ray
    #[arg(long, value_name = "NAME", default_value = "local",
        value_parser = clap::builder::PossibleValuesParser::new(Engine::NAMES))]
    engine: String,
}

/// Compute one shard of a planned run, if it is not there already
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  trompe fool shard planned --round 0 --shard 3")]
pub(super) struct ShardArguments {
    /// Folder of the run
    folder: PathBuf,
    /// Round, counted from 0
    #[arg(long, value_name = "N")]
    round: u32,
    /// Shard of the round, counted from 0
    #[arg(long, value_name = "N")]
    shard: u32,
    #[command(flatten)]
    named: NamedProgram,
}

/// Merge the shards of a round; after the last, write the fooling set
///
/// The report is written with it. Shards that are missing, damaged or of another run are listed, and nothing is merged.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  trompe fool merge planned --round 0 --fill --verify")]
pub(super) struct MergeArguments {
    /// Folder of the run
    folder: PathBuf,
    /// Round, counted from 0
    #[arg(long, value_name = "N")]
    round: u32,
    /// Score every new elite of every shard again: for shards computed by strangers
    #[arg(long)]
    verify: bool,
    /// Compute here and now the shards that are missing or refused
    #[arg(long)]
    fill: bool,
    #[command(flatten)]
    named: NamedProgram,
}

/// The program of a run, which no file makes run.
#[derive(Debug, clap::Args)]
struct NamedProgram {
    /// The program that the run fools, named again
    #[arg(id = "named", long = "model", value_name = "command:PROGRAM", value_parser = super::program)]
    model: Option<PathBuf>,
}

impl NamedProgram {
    fn let_start(&self) {
        self.model.iter().for_each(|model| program::name(model));
    }
}

pub(super) fn run(step: &Step, common: &Common) -> Result<Outcome> {
    match step {
        Step::Plan(arguments) => plan(arguments, common),
        Step::Shard(arguments) => shard(arguments, common),
        Step::Merge(arguments) => merge(arguments, common),
    }
}

fn plan(arguments: &PlanArguments, common: &Common) -> Result<Outcome> {
    let PlanArguments { wanted, out, rounds, shards, engine } = arguments;
    let (configuration, engine) = (wanted.configuration()?, Engine::by_name(engine)?);
    let bars = Bars::new(common);
    let planned = planned::plan(&configuration, (*rounds, *shards), engine, out, &bars);
    bars.clear();
    let planned = planned?;
    if common.json {
        print_json(&planned);
        return Ok(Outcome::Done);
    }
    print(&format!(
        "{} of {} of {}: {} in all",
        counted(*rounds, "round"),
        counted(*shards, "shard"),
        counted(planned.plan.rounds.evaluations, "evaluation"),
        planned.budget
    ));
    match planned.script {
        Some(script) => print(&format!("run it with: {}", script.display())),
        None => print(&format!("run it with: trompe fool --resume {}", out.display())),
    }
    Ok(Outcome::Done)
}

fn shard(arguments: &ShardArguments, common: &Common) -> Result<Outcome> {
    arguments.named.let_start();
    let id = ShardId { round: arguments.round, shard: arguments.shard };
    let computed =
        watched(&arguments.folder, common, |watch| planned::shard(&arguments.folder, id, watch))?;
    match &computed {
        Computed::Stopped => return Ok(stopped(&arguments.folder)),
        _ if common.json => print_json(&computed),
        Computed::Done { sha256, already } => {
            let was = if *already { ", was there" } else { "" };
            print(&format!("round {}, shard {}: {sha256}{was}", id.round, id.shard));
        }
    }
    Ok(Outcome::Done)
}

#[derive(Serialize)]
struct MergeSummary<'a> {
    sha256: &'a str,
    filled: &'a [(u32, String)],
}

fn merge(arguments: &MergeArguments, common: &Common) -> Result<Outcome> {
    let MergeArguments { folder, round, verify, fill, named } = arguments;
    named.let_start();
    let merging = Merging { round: *round, verify: *verify, fill: *fill };
    let started = std::time::Instant::now();
    let merged = watched(folder, common, |watch| planned::merge(folder, merging, watch))?;
    let Merge::Done { sha256, filled, finished } = merged else { return Ok(stopped(folder)) };
    for (shard, why) in &filled {
        eprintln!("round {round}, shard {shard} was computed here: {why}");
    }
    match finished {
        Some(finished) => {
            Ran { finished, seconds: started.elapsed().as_secs_f64() }.show(common);
        }
        None if common.json => print_json(&MergeSummary { sha256: &sha256, filled: &filled }),
        None => print(&format!("round {round} merged: {sha256}")),
    }
    Ok(Outcome::Done)
}

fn watched<T>(
    folder: &Path,
    common: &Common,
    step: impl FnOnce(Watch<'_>) -> Result<T>,
) -> Result<T> {
    let bars = Bars::new(common);
    let mut standing = |standing: &Standing| bars.show_standing(standing);
    let done =
        step(Watch { progress: &bars, standing: &mut standing, stop: interrupt::flag(folder) });
    bars.clear();
    done
}

fn stopped(folder: &Path) -> Outcome {
    eprintln!("stopped; go on with: trompe fool --resume {}", folder.display());
    Outcome::Interrupted
}
