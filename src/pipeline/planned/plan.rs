//! `plan.toml`: how a planned run is divided.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::pipeline::folder_toml;
use crate::search::Rounds;
use trompe_base::words::counted;

/// A plan's file says how its run is divided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// The parts.
    #[serde(flatten)]
    pub rounds: Rounds,
}

impl Plan {
    /// The file that makes a folder a planned run.
    pub fn path(folder: &Path) -> PathBuf {
        folder.join("plan.toml")
    }

    /// Reads the plan in `folder`; `None` if it holds none.
    ///
    /// # Errors
    /// [`Error::BadFile`] if `plan.toml` is damaged; an input error.
    pub fn read(folder: &Path) -> Result<Option<Self>> {
        let found = folder_toml::read::<Self>(&Self::path(folder), "plan the run again")?;
        found.map_or(Ok(()), |plan| plan.rounds.validate())?;
        Ok(found)
    }

    pub(super) fn must_have(&self, round: u32, shard: u32) -> Result<()> {
        let Rounds { rounds, shards, .. } = self.rounds;
        if round < rounds && shard < shards {
            return Ok(());
        }
        Err(Error::request(
            format!(
                "no shard {shard} of round {round}: there are {} of {}",
                counted(rounds, "round"),
                counted(shards, "shard")
            ),
            "count both from 0",
        ))
    }

    pub(super) fn must_read(folder: &Path) -> Result<Self> {
        Self::read(folder)?.ok_or_else(|| {
            Error::request(
                format!("{} holds no planned run", folder.display()),
                "make one with `trompe fool plan MODEL --out FOLDER`",
            )
        })
    }
}
