//! The steps of a planned run, on whatever problem it searches.

use std::path::Path;

use serde::Serialize;
use trompe_base::files::write_atomically;

use super::files::{merged_path, read, shard_path, write};
use super::plan::Plan;
use crate::error::{Error, Result};
use crate::pipeline::fool::{
    AnyVictim, Finished, Fooled, Found, Opened, ProblemVisitor, Standing, Watch,
};
use crate::problem::Space;
use crate::search::run_folder::write_archive;
use crate::search::{Division, Merged, Parents, RunFolder, Sealed, Shard, ShardId};

/// What became of a shard.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum Computed {
    /// It is there.
    Done {
        /// SHA-256 of its content.
        sha256: String,
        /// Whether it was there before.
        already: bool,
    },
    /// It was stopped, and nothing is kept of it.
    Stopped,
}

/// How a round is merged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Merging {
    /// Which round, from 0.
    pub round: u32,
    /// Score every new elite of every shard again.
    pub verify: bool,
    /// Compute what is missing or refused, here and now.
    pub fill: bool,
}

/// What became of a merge.
#[derive(Debug)]
pub enum Merge {
    /// The round is merged.
    Done {
        /// SHA-256 of what was merged.
        sha256: String,
        /// The shards that were computed again, each with the reason.
        filled: Vec<(u32, String)>,
        /// The finished run, after the last round.
        finished: Option<Box<Finished>>,
    },
    /// It was stopped while it filled in shards or wrote the end.
    Stopped,
}

/// Computes one shard.
pub(super) struct ComputeShard<'a, 'w> {
    pub(super) folder: &'a Path,
    pub(super) plan: Plan,
    pub(super) id: ShardId,
    pub(super) watch: Watch<'w>,
}

impl ProblemVisitor for ComputeShard<'_, '_> {
    type Output = Computed;

    fn visit<S: Space>(self, opened: Opened<'_, S>) -> Result<Computed> {
        let Self { folder, plan, id, mut watch } = self;
        let run = PlannedRun::new(&opened, folder, plan);
        let parents = run.parents(id.round)?;
        match run.whole_shard(id, &parents, false) {
            Ok(shard) => Ok(Computed::Done { sha256: shard.sha256, already: true }),
            Err(_) => run.compute(id, &parents, &mut watch),
        }
    }
}

/// Merges one round.
pub(super) struct MergeRound<'a, 'w> {
    pub(super) folder: &'a Path,
    pub(super) plan: Plan,
    pub(super) merging: Merging,
    pub(super) watch: Watch<'w>,
}

impl ProblemVisitor for MergeRound<'_, '_> {
    type Output = Merge;

    fn visit<S: Space>(self, opened: Opened<'_, S>) -> Result<Merge> {
        let Self { folder, plan, merging, mut watch } = self;
        PlannedRun::new(&opened, folder, plan).merge(merging, &mut watch)
    }
}

/// Does all that is missing.
pub(super) struct Rest<'a, 'w> {
    pub(super) folder: &'a Path,
    pub(super) plan: Plan,
    pub(super) watch: Watch<'w>,
}

impl ProblemVisitor for Rest<'_, '_> {
    type Output = Fooled;

    fn visit<S: Space>(self, opened: Opened<'_, S>) -> Result<Fooled> {
        let Self { folder, plan, mut watch } = self;
        let run = PlannedRun::new(&opened, folder, plan);
        let rounds = plan.rounds.rounds;
        for round in 0..rounds {
            // The last round is merged again, as that writes what is missing of the end.
            if round + 1 < rounds && merged_path(folder, round).exists() {
                continue;
            }
            let merging = Merging { round, verify: false, fill: true };
            match run.merge(merging, &mut watch)? {
                Merge::Done { finished: Some(finished), .. } => return Ok(Fooled::Done(finished)),
                Merge::Done { .. } => {}
                Merge::Stopped => {
                    let evaluations = run.parents(round)?.content.evaluations;
                    return Ok(Fooled::Stopped { evaluations });
                }
            }
        }
        Err(Error::request("a plan of no rounds", "plan the run again in another folder"))
    }
}

/// A planned run whose problem is open.
struct PlannedRun<'a, 'o, S: Space> {
    opened: &'a Opened<'o, S>,
    folder: &'a Path,
    division: Division<'a, S, AnyVictim<'o, S>>,
}

impl<'a, 'o, S: Space> PlannedRun<'a, 'o, S> {
    fn new(opened: &'a Opened<'o, S>, folder: &'a Path, plan: Plan) -> Self {
        let settings = &opened.configuration.search;
        let division = Division { problem: &opened.problem, settings, rounds: plan.rounds };
        Self { opened, folder, division }
    }

    /// What the rounds before `round` found.
    fn parents(&self, round: u32) -> Result<Parents<S::Genome>> {
        let Some(before) = round.checked_sub(1) else { return self.division.nothing() };
        let path = merged_path(self.folder, before);
        let merged: Sealed<Merged<S::Genome>> = read(&path)?.ok_or_else(|| {
            Error::request(
                format!("round {before} is not merged"),
                format!("run `trompe fool merge {} --round {before}`", self.folder.display()),
            )
        })?;
        if merged.content.rounds != round
            || merged.content.fingerprint != self.opened.problem.fingerprint()?
        {
            return Err(Error::bad_file(
                &path,
                "of another round, or made with another model, bank or setting",
                "restore them, or plan the run again in another folder",
            ));
        }
        Ok(merged)
    }

    /// The shard `id` from its file, or what is wrong with it.
    fn whole_shard(
        &self,
        id: ShardId,
        parents: &Parents<S::Genome>,
        rescore: bool,
    ) -> Result<Sealed<Shard<S::Genome>>, String> {
        let shard = read::<Shard<S::Genome>>(&shard_path(self.folder, id));
        let shard = shard.map_err(|error| error.to_string())?.ok_or("missing")?;
        match self.division.check(id, parents, &shard.content, rescore) {
            Ok(None) => Ok(shard),
            Ok(Some(wrong)) => Err(wrong),
            Err(error) => Err(error.to_string()),
        }
    }

    fn compute(
        &self,
        id: ShardId,
        parents: &Parents<S::Genome>,
        watch: &mut Watch<'_>,
    ) -> Result<Computed> {
        let configuration = self.opened.configuration;
        let shard = self.division.compute(id, parents, watch.stop, |search| {
            (watch.standing)(&Standing::of(search, configuration));
        })?;
        let Some(shard) = shard else { return Ok(Computed::Stopped) };
        let sha256 = write(&shard_path(self.folder, id), &shard)?;
        Ok(Computed::Done { sha256, already: false })
    }

    fn merge(&self, merging: Merging, watch: &mut Watch<'_>) -> Result<Merge> {
        let Merging { round, verify, fill } = merging;
        let parents = self.parents(round)?;
        let mut shards = Vec::new();
        let mut wrong = Vec::new();
        for id in self.division.rounds.of(round) {
            match self.whole_shard(id, &parents, verify) {
                Ok(shard) => shards.push(shard.content),
                Err(why) => wrong.push((id, why)),
            }
        }
        if !wrong.is_empty() && !fill {
            return Err(self.refused(round, &wrong));
        }
        for (id, _) in &wrong {
            if self.compute(*id, &parents, watch)? == Computed::Stopped {
                return Ok(Merge::Stopped);
            }
            let shard = self.whole_shard(*id, &parents, false);
            shards.push(shard.map_err(|why| self.refused(round, &[(*id, why)]))?.content);
        }
        let merged = self.division.merge(&parents.content, &shards)?;
        let sha256 = write(&merged_path(self.folder, round), &merged)?;
        let filled = wrong.into_iter().map(|(id, why)| (id.shard, why)).collect();
        let finished = match round + 1 == self.division.rounds.rounds {
            true => match self.finish(&merged, watch)? {
                Some(finished) => Some(Box::new(finished)),
                None => return Ok(Merge::Stopped),
            },
            false => None,
        };
        Ok(Merge::Done { sha256, filled, finished })
    }

    fn refused(&self, round: u32, wrong: &[(ShardId, String)]) -> Error {
        let reasons: Vec<String> =
            wrong.iter().map(|(id, why)| format!("shard {}: {why}", id.shard)).collect();
        Error::request(
            format!("round {round} cannot be merged: {}", reasons.join("; ")),
            format!(
                "compute them with `trompe fool shard {} --round {round} --shard N`, or merge with \
                 --fill",
                self.folder.display()
            ),
        )
    }

    /// Writes what a run that was not divided would have written; `None` if it was stopped.
    fn finish(&self, merged: &Merged<S::Genome>, watch: &Watch<'_>) -> Result<Option<Finished>> {
        let mut trace = Vec::new();
        let mut add = |round: &Merged<S::Genome>| {
            for line in &round.improvements {
                serde_json::to_writer(&mut trace, line)?;
                trace.push(b'\n');
            }
            Ok(())
        };
        let fault = |e: serde_json::Error| Error::numeric(e.to_string(), "report this as a fault");
        for round in 1..self.division.rounds.rounds {
            add(&self.parents(round)?.content).map_err(fault)?;
        }
        add(merged).map_err(fault)?;
        write_atomically(&RunFolder::trace_path(self.folder), &trace)?;
        write_archive(self.folder, &merged.archive)?;
        let (archive, evaluations) = (&merged.archive, merged.evaluations);
        // Every shard of the first round starts from random candidates of its own.
        let found = Found { archive, evaluations, random_draws: None };
        self.opened.finish(self.folder, found, watch)
    }
}
