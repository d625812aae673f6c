//! A run that many machines share: planned once, computed shard by shard, merged by rounds.
//!
//! The folder is the only thing that machines share, and every step may be repeated: a shard
//! that is there is not computed again, and a merge reads all shards anew. Whatever starts the
//! steps (a script for Slurm, GNU parallel or Ray, or `trompe fool --resume`), the run ends
//! with the same bytes.

mod engine;
mod files;
mod plan;
mod steps;

use std::path::{Path, PathBuf};

use serde::Serialize;
use trompe_base::files::write_atomically;
use trompe_corpora::Progress;

pub use engine::Engine;
pub use plan::Plan;
pub use steps::{Computed, Merge, Merging};

use self::steps::{ComputeShard, MergeRound, Rest};
use super::fool::{Configuration, Fooled, ProblemVisitor, Watch, open};
use super::open as by_name;
use crate::error::{Error, Result};
use crate::search::{Rounds, RunFolder, ShardId};
use crate::victims::AnyModel;
use crate::victims::program::is_command;

/// A run that was planned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Planned {
    /// How it is divided.
    pub plan: Plan,
    /// Evaluations of all its shards.
    pub budget: u64,
    /// The script that runs it, where the engine has one.
    pub script: Option<PathBuf>,
}

/// Plans the run that `configuration` describes in `folder`, which must not hold one: its
/// budget is divided evenly over `shards` shards in each of `rounds` rounds, and rounded up to
/// fill them.
///
/// # Errors
/// [`Error::Request`] for a folder that is taken and for settings out of range; whatever
/// opening the model meets; input and output errors.
pub fn plan(
    configuration: &Configuration,
    (rounds, shards): (u32, u32),
    engine: Engine,
    folder: &Path,
    progress: &dyn Progress,
) -> Result<Planned> {
    configuration.search.validate()?;
    let parts = (u64::from(rounds) * u64::from(shards)).max(1);
    let evaluations = configuration.search.budget.div_ceil(parts);
    let plan = Plan { rounds: Rounds { rounds, shards, evaluations } };
    plan.rounds.validate()?;
    if RunFolder::configuration_path(folder).exists() || Plan::path(folder).exists() {
        return Err(Error::request(
            format!("{} already holds a run", folder.display()),
            "name another folder with --out",
        ));
    }
    let model = by_name::model(&configuration.model, progress)?;
    let mut configuration = configuration.clone();
    configuration.search.budget = plan.rounds.budget();
    configuration.search.criterion().limits(model.reference())?;

    std::fs::create_dir_all(folder).map_err(|e| Error::io(folder, e))?;
    model.keep(folder)?;
    let text = toml::to_string(&plan)
        .map_err(|e| Error::request(format!("plan: {e}"), "this is a fault of the program"))?;
    write_atomically(&Plan::path(folder), text.as_bytes())?;
    let model = configuration.model.to_str().filter(|_| is_command(&configuration.model));
    let script = engine.write(&plan.rounds, model, chosen_runtime(), folder)?;
    // Last, because this is what makes the folder a run.
    let path = RunFolder::configuration_path(folder);
    write_atomically(&path, configuration.to_toml()?.as_bytes())?;
    Ok(Planned { plan, budget: plan.rounds.budget(), script })
}

/// Name of the runtime of nets, if another than the built-in one was chosen.
#[cfg(feature = "onnx")]
fn chosen_runtime() -> Option<&'static str> {
    use crate::victims::Runtime;
    Some(Runtime::chosen()).filter(|runtime| *runtime != Runtime::Rten).map(Runtime::name)
}

#[cfg(not(feature = "onnx"))]
fn chosen_runtime() -> Option<&'static str> {
    None
}

/// Computes the shard `id` of the planned run in `folder`, if it is not there already.
///
/// # Errors
/// [`Error::Request`] if there is no such shard, or the round before is not merged; whatever
/// opening the run meets; input and output errors.
pub fn shard(folder: &Path, id: ShardId, watch: Watch<'_>) -> Result<Computed> {
    let plan = Plan::must_read(folder)?;
    plan.must_have(id.round, id.shard)?;
    go(folder, watch.progress, ComputeShard { folder, plan, id, watch })
}

/// Merges the shards of a round of the planned run in `folder`; after the last round, delivers
/// what was found, and reports.
///
/// # Errors
/// [`Error::Request`] if shards are missing, damaged or wrong, each with the reason;
/// otherwise as [`shard`].
pub fn merge(folder: &Path, merging: Merging, watch: Watch<'_>) -> Result<Merge> {
    let plan = Plan::must_read(folder)?;
    plan.must_have(merging.round, 0)?;
    go(folder, watch.progress, MergeRound { folder, plan, merging, watch })
}

/// Does all that is missing of the planned run in `folder`, one shard after the other.
///
/// # Errors
/// As [`shard`] and [`merge`].
pub fn resume(folder: &Path, watch: Watch<'_>) -> Result<Fooled> {
    let plan = Plan::must_read(folder)?;
    go(folder, watch.progress, Rest { folder, plan, watch })
}

fn go<V: ProblemVisitor>(folder: &Path, progress: &dyn Progress, step: V) -> Result<V::Output> {
    let configuration = Configuration::read(&RunFolder::configuration_path(folder))?;
    let model = AnyModel::kept(folder).unwrap_or_else(|| configuration.model.clone());
    open(&configuration, &model, progress, step)
}
