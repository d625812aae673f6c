//! Scripts that start the steps of a planned run on the machines of others.

use std::path::{Path, PathBuf};

use trompe_base::files::write_atomically;

use crate::error::{Error, Result};
use crate::search::Rounds;

/// Most shards of a round on Slurm: clusters cap job arrays, by default at 1,001.
const MOST_IN_ARRAY: u32 = 1_000;

/// What starts the steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    /// One process here: `trompe fool --resume`.
    Local,
    /// GNU parallel, on this machine or over ssh.
    Parallel,
    /// Slurm job arrays.
    Slurm,
    /// A Ray cluster.
    Ray,
}

impl Engine {
    /// Names on the command line.
    pub const NAMES: [&str; 4] = ["local", "parallel", "slurm", "ray"];

    /// The engine called `name`.
    ///
    /// # Errors
    /// [`Error::Request`] naming those there are.
    pub fn by_name(name: &str) -> Result<Self> {
        match name {
            "local" => Ok(Self::Local),
            "parallel" => Ok(Self::Parallel),
            "slurm" => Ok(Self::Slurm),
            "ray" => Ok(Self::Ray),
            _ => Err(Error::request(
                format!("no engine '{name}'"),
                format!("choose {}", Self::NAMES.join(", ")),
            )),
        }
    }

    /// File name and text of its script.
    fn script(self) -> Option<(&'static str, &'static str)> {
        match self {
            Self::Local => None,
            Self::Parallel => Some(("run-parallel.sh", include_str!("engines/parallel.sh"))),
            Self::Slurm => Some(("submit-slurm.sh", include_str!("engines/slurm.sh"))),
            Self::Ray => Some(("run-ray.py", include_str!("engines/ray.py"))),
        }
    }

    /// The options that name the program and the runtime of nets, as the script's language writes them.
    fn naming(self, program: Option<&str>, runtime: Option<&str>) -> Result<String> {
        let runtime = runtime.map_or(String::new(), |name| self.option("--runtime", name));
        let Some(program) = program else { return Ok(runtime) };
        if program.contains(['\'', '"', '$', '\\', '`', '\n']) {
            return Err(Error::request(
                format!("{program} has characters that scripts read otherwise"),
                "call the program by a script of its own, with a plain name",
            ));
        }
        Ok(runtime + &self.option("--model", program))
    }

    fn option(self, name: &str, value: &str) -> String {
        match self {
            Self::Ray => format!(", \"{name}\", \"{value}\""),
            _ => format!(" {name} '{value}'"),
        }
    }

    /// Writes the script for `rounds` into `folder` and returns its path. Its commands name the `program`
    /// again that is fooled, if it is one, and the `runtime` of nets, if one was chosen.
    pub(super) fn write(
        self,
        rounds: &Rounds,
        program: Option<&str>,
        runtime: Option<&str>,
        folder: &Path,
    ) -> Result<Option<PathBuf>> {
        if self == Self::Slurm && rounds.shards > MOST_IN_ARRAY {
            return Err(Error::request(
                format!("{} shards a round, where Slurm takes arrays of 1,001", rounds.shards),
                format!("plan at most {MOST_IN_ARRAY} shards a round, and more rounds"),
            ));
        }
        let Some((name, text)) = self.script() else { return Ok(None) };
        let text = text
            .replace("@ROUNDS@", &rounds.rounds.to_string())
            .replace("@SHARDS@", &rounds.shards.to_string())
            .replace("@MODEL@", &self.naming(program, runtime)?);
        let path = folder.join(name);
        write_atomically(&path, text.as_bytes())?;
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let executable = std::fs::Permissions::from_mode(0o755);
            std::fs::set_permissions(&path, executable).map_err(|e| Error::io(&path, e))?;
        }
        Ok(Some(path))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn scripts_are_complete_and_executable() {
        let folder = tempfile::tempdir().unwrap();
        let rounds = Rounds { rounds: 3, shards: 8, evaluations: 10 };
        for name in Engine::NAMES {
            let engine = Engine::by_name(name).unwrap();
            let Some(path) = engine
                .write(&rounds, Some("command:/bin/judge -x"), Some("onnxruntime"), folder.path())
                .unwrap()
            else {
                continue;
            };
            let text = std::fs::read_to_string(&path).unwrap();
            assert!(!text.contains("@ROUNDS@") && !text.contains("@SHARDS@"), "{text}");
            assert_eq!(text.matches("command:/bin/judge -x").count(), 2, "{text}");
            assert_eq!(text.matches("onnxruntime").count(), 2, "{text}");
            assert!(text.starts_with("#!"), "{text}");
            assert!(text.contains("rounds=3") || text.contains("ROUNDS = 3"), "{text}");
        }
        let many = Rounds { shards: 5_000, ..rounds };
        assert!(Engine::Slurm.write(&many, None, None, folder.path()).is_err());
        assert!(Engine::by_name("mpi").unwrap_err().to_string().contains("slurm"));
    }
}
