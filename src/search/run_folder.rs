//! A run on disk: `run.toml`, `trace.jsonl`, `checkpoint.json`, `archive.json`.
//!
//! A checkpoint is the whole state between two generations and the length that the trace had
//! then, sealed by its SHA-256. Resuming cuts the trace back to that length, so a run that was
//! killed at any moment ends with the same bytes as an uninterrupted one. The previous checkpoint
//! is kept until the run is finished, and is used if the last one is damaged.

use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use trompe_base::files::{Durable, PARTIAL, remove, remove_partial, rename, write_atomically};

use super::archive::Archive;
use super::engine::State;
use super::sealed::{seal, unseal};
use super::trace::Improvement;
use crate::error::{Error, Result};

/// Version of the checkpoint's form; a checkpoint of another version is refused.
const VERSION: u32 = 4;

/// The files of one run.
pub struct RunFolder {
    folder: PathBuf,
    trace: BufWriter<Durable>,
    trace_bytes: u64,
    fingerprint: String,
}

#[derive(Serialize)]
struct CheckpointOut<'a, G> {
    version: u32,
    fingerprint: &'a str,
    trace_bytes: u64,
    state: &'a State<G>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, bound(deserialize = "G: Clone + Deserialize<'de>"))]
struct CheckpointIn<G> {
    version: u32,
    fingerprint: String,
    trace_bytes: u64,
    state: State<G>,
}

impl RunFolder {
    /// The file that holds the run's configuration.
    pub fn configuration_path(folder: &Path) -> PathBuf {
        folder.join("run.toml")
    }

    /// The file that holds one line per improvement.
    pub fn trace_path(folder: &Path) -> PathBuf {
        folder.join("trace.jsonl")
    }

    fn checkpoint_path(folder: &Path) -> PathBuf {
        folder.join("checkpoint.json")
    }

    /// The checkpoint before the last.
    fn previous_path(folder: &Path) -> PathBuf {
        folder.join("checkpoint-previous.json")
    }

    /// Starts a run in `folder`, which is made. `fingerprint` names everything that the
    /// scores depend on: the run resumes only where it is the same.
    ///
    /// # Errors
    /// [`Error::Request`] if the folder already holds a run or anything else; an input or output
    /// error if it cannot be written.
    pub fn create(folder: &Path, configuration: &str, fingerprint: &str) -> Result<Self> {
        if Self::configuration_path(folder).exists() {
            return Err(Error::request(
                format!("{} already holds a run", folder.display()),
                "resume it with --resume, or name another folder with --out",
            ));
        }
        std::fs::create_dir_all(folder).map_err(|e| Error::io(folder, e))?;
        refuse_foreign(folder)?;
        let trace = Self::cut_trace(folder, 0)?;
        write_atomically(&Self::configuration_path(folder), configuration.as_bytes())?;
        Ok(Self {
            folder: folder.to_owned(),
            trace: BufWriter::new(trace),
            trace_bytes: 0,
            fingerprint: fingerprint.to_owned(),
        })
    }

    /// Opens the run in `folder` and returns its last state that is whole; `None` if it was
    /// stopped before the first checkpoint.
    ///
    /// # Errors
    /// [`Error::BadFile`] if a file is missing, damaged, or belongs to another version or
    /// another problem (`fingerprint`).
    pub fn resume<G: Clone + DeserializeOwned>(
        folder: &Path,
        fingerprint: &str,
    ) -> Result<(Self, Option<State<G>>)> {
        let found = newest_checkpoint::<G>(folder, fingerprint)?;
        let trace_bytes = found.as_ref().map_or(0, |(_, checkpoint)| checkpoint.trace_bytes);
        let run = Self {
            folder: folder.to_owned(),
            trace: BufWriter::new(Self::cut_trace(folder, trace_bytes)?),
            trace_bytes,
            fingerprint: fingerprint.to_owned(),
        };
        let Some((path, checkpoint)) = found else { return Ok((run, None)) };
        let last = Self::checkpoint_path(folder);
        if path != last {
            // Else the next checkpoint would keep the damaged one in place of this.
            rename(&path, &last).map_err(|e| Error::io(&path, e))?;
        }
        Ok((run, Some(checkpoint.state)))
    }

    /// Opens the trace for appending after its first `length` bytes, and locks it: the lock
    /// goes with the process, however that ends. Where there was a trace before, what a killed
    /// process was writing is removed: under the lock, nobody writes here.
    fn cut_trace(folder: &Path, length: u64) -> Result<Durable> {
        let path = Self::trace_path(folder);
        let existed = path.exists();
        let open = || -> std::io::Result<(Durable, u64)> {
            let trace = Durable::append_to(&path)?;
            let found = trace.file().metadata()?.len();
            Ok((trace, found))
        };
        let (trace, found) = open().map_err(|e| Error::io(&path, e))?;
        trace.file().try_lock().map_err(|_| {
            Error::request(
                format!("{} is in use by another trompe", folder.display()),
                "wait for it to end, or name another folder with --out",
            )
        })?;
        if existed {
            remove_partial(folder)?;
        }
        if found < length {
            return Err(Error::bad_file(
                &path,
                format!("holds {found} bytes, but its checkpoint was written after {length}"),
                "restore the file, or start the run again in another folder",
            ));
        }
        trace.truncate(length).map_err(|e| Error::io(&path, e))?;
        Ok(trace)
    }

    /// Appends improvements to the trace.
    ///
    /// # Errors
    /// An input or output error naming the trace.
    pub fn append(&mut self, improvements: &[Improvement]) -> Result<()> {
        for improvement in improvements {
            let mut line = serde_json::to_vec(improvement)
                .map_err(|e| Error::numeric(e.to_string(), "report this as a fault"))?;
            line.push(b'\n');
            self.trace
                .write_all(&line)
                .map_err(|e| Error::io(Self::trace_path(&self.folder), e))?;
            self.trace_bytes += line.len() as u64;
        }
        Ok(())
    }

    /// Makes the trace durable, then writes a checkpoint of `state`.
    ///
    /// # Errors
    /// An input or output error; the checkpoint of before is then still there, under its name
    /// or as the previous one.
    pub fn checkpoint<G: Serialize>(&mut self, state: &State<G>) -> Result<()> {
        let trace = Self::trace_path(&self.folder);
        self.trace.flush().map_err(|e| Error::io(&trace, e))?;
        self.trace.get_ref().sync().map_err(|e| Error::io(&trace, e))?;
        let checkpoint = CheckpointOut {
            version: VERSION,
            fingerprint: &self.fingerprint,
            trace_bytes: self.trace_bytes,
            state,
        };
        let bytes = seal(&checkpoint).map_err(|e| not_json("checkpoint", &e))?;
        let path = Self::checkpoint_path(&self.folder);
        match rename(&path, &Self::previous_path(&self.folder)) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(Error::io(&path, e)),
            _ => Ok(write_atomically(&path, &bytes)?),
        }
    }

    /// Writes the final checkpoint and the archive on its own, for people and programs.
    ///
    /// # Errors
    /// An input or output error.
    pub fn finish<G: Serialize>(&mut self, state: &State<G>) -> Result<()> {
        self.checkpoint(state)?;
        write_archive(&self.folder, &state.archive)?;
        let previous = Self::previous_path(&self.folder);
        match remove(&previous) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(Error::io(&previous, e)),
            _ => Ok(()),
        }
    }
}

/// Refuses a folder that holds more than what a run killed at its very start leaves behind.
///
/// # Errors
/// [`Error::Request`] naming what is there; an input error.
pub fn refuse_foreign(folder: &Path) -> Result<()> {
    for entry in std::fs::read_dir(folder).map_err(|e| Error::io(folder, e))? {
        let name = entry.map_err(|e| Error::io(folder, e))?.file_name();
        let name = name.to_string_lossy();
        if name != "trace.jsonl" && !name.starts_with(PARTIAL) {
            return Err(Error::request(
                format!("{} is not empty: it holds {name}", folder.display()),
                "name a new folder with --out",
            ));
        }
    }
    Ok(())
}

/// Writes `archive.json`.
///
/// # Errors
/// An input or output error.
pub fn write_archive<G: Serialize>(folder: &Path, archive: &Archive<G>) -> Result<()> {
    let bytes = serde_json::to_vec(archive).map_err(|e| not_json("archive", &e))?;
    Ok(write_atomically(&folder.join("archive.json"), &bytes)?)
}

fn not_json(what: &str, error: &serde_json::Error) -> Error {
    Error::numeric(format!("{what}: {error}"), "report this as a fault")
}

/// The last checkpoint in `folder` with its path, or the one before where the last is missing
/// or damaged.
fn newest_checkpoint<G: Clone + DeserializeOwned>(
    folder: &Path,
    fingerprint: &str,
) -> Result<Option<(PathBuf, CheckpointIn<G>)>> {
    let mut damaged = None;
    for path in [RunFolder::checkpoint_path(folder), RunFolder::previous_path(folder)] {
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => continue,
            Err(e) => return Err(Error::io(&path, e)),
        };
        match unseal(&bytes) {
            Some((json, _)) => {
                let checkpoint = read_checkpoint(&path, &json, fingerprint)?;
                return Ok(Some((path, checkpoint)));
            }
            None => damaged = damaged.or(Some(path)),
        }
    }
    match damaged {
        Some(path) => Err(Error::bad_file(
            path,
            "damaged, or not a checkpoint of this version of trompe",
            "restore the file, or start the run again in another folder",
        )),
        None => Ok(None),
    }
}

fn read_checkpoint<G: Clone + DeserializeOwned>(
    path: &Path,
    json: &[u8],
    fingerprint: &str,
) -> Result<CheckpointIn<G>> {
    let checkpoint: CheckpointIn<G> = serde_json::from_slice(json).map_err(|e| {
        Error::bad_file(
            path,
            format!("not a checkpoint of this version of trompe: {e}"),
            "start the run again in another folder",
        )
    })?;
    if checkpoint.version != VERSION {
        return Err(Error::bad_file(
            path,
            format!("checkpoint of version {}, not {VERSION}", checkpoint.version),
            "resume it with the version of trompe that wrote it",
        ));
    }
    if checkpoint.fingerprint != fingerprint {
        return Err(Error::bad_file(
            path,
            "the run was started with another model, runtime of nets, bank or setting",
            "restore them, or start a new run in another folder",
        ));
    }
    Ok(checkpoint)
}
