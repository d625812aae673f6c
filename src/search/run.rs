//! A search on disk: steps, trace and checkpoints until it is finished or stopped.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::engine::{Finished, Search, State};
use super::run_folder::RunFolder;
use super::settings::SearchSettings;
use crate::error::Result;
use crate::problem::{Problem, Space, Victim};

/// Spend at most 1/20 of the wall time on checkpoints, whatever the interval: an archive of a
/// thousand classes takes seconds to write.
const CHECKPOINT_SHARE: u32 = 20;

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// Nothing was left to do.
    Finished(Finished),
    /// `stop` was raised; the checkpoint holds everything done so far.
    Stopped,
}

/// Runs a search in `files` from `state` (from the start if there is none) to its end, or
/// until `stop` is raised, and returns its last state. A checkpoint is written every `interval`
/// (or more seldom, where writing takes long), at the end and when stopped; `observe` is called after every generation.
///
/// # Errors
/// As [`Search::new`], [`Search::step`] and [`RunFolder`]; the last checkpoint is then whole.
pub fn run<S: Space, V: Victim<S::Input>>(
    problem: &Problem<S, V>,
    settings: &SearchSettings,
    files: &mut RunFolder,
    state: Option<State<S::Genome>>,
    interval: Duration,
    stop: &AtomicBool,
    mut observe: impl FnMut(&Search<&S, &V>),
) -> Result<(State<S::Genome>, Ending)> {
    let mut search = match state {
        Some(state) => Search::resume(problem.by_ref(), settings, state)?,
        None => Search::new(problem.by_ref(), settings)?,
    };
    let (mut saved, mut pause) = (Instant::now(), interval);
    let ending = loop {
        if let Some(finished) = search.finished() {
            break Ending::Finished(finished);
        }
        if stop.load(Ordering::Relaxed) {
            break Ending::Stopped;
        }
        match search.step() {
            Ok(improvements) => files.append(&improvements)?,
            Err(error) => {
                // What was found before the victim failed is kept; the failure is what is reported.
                let _ = files.checkpoint(search.state());
                return Err(error);
            }
        }
        observe(&search);
        if saved.elapsed() >= pause {
            let before = Instant::now();
            files.checkpoint(search.state())?;
            pause = interval.max(before.elapsed().saturating_mul(CHECKPOINT_SHARE));
            saved = Instant::now();
        }
    };
    let state = search.into_state();
    match ending {
        Ending::Finished(_) => files.finish(&state)?,
        Ending::Stopped => files.checkpoint(&state)?,
    }
    Ok((state, ending))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::path::Path;

    use super::*;
    use crate::search::settings::EmitterSettings;
    use crate::search::toy::{Point, Toy};

    fn settings() -> SearchSettings {
        SearchSettings {
            budget: 600,
            min_distance: 0.1,
            emitter: EmitterSettings::by_name("climber").unwrap(),
            ..SearchSettings::default()
        }
    }

    /// Runs in `folder`, stopping after `generations`; says whether the run is finished.
    fn run_for(toy: &Toy, folder: &Path, generations: u64, interval: Duration) -> bool {
        let (mut files, state) = if RunFolder::configuration_path(folder).exists() {
            RunFolder::resume(folder, &toy.fingerprint().unwrap()).unwrap()
        } else {
            (RunFolder::create(folder, "", &toy.fingerprint().unwrap()).unwrap(), None)
        };
        let stop = AtomicBool::new(false);
        let mut done = 0;
        let (_, ending) = run(toy, &settings(), &mut files, state, interval, &stop, |_| {
            done += 1;
            stop.store(done >= generations, Ordering::Relaxed);
        })
        .unwrap();
        ending != Ending::Stopped
    }

    fn bytes(folder: &Path) -> (Vec<u8>, Vec<u8>) {
        let read = |name| std::fs::read(folder.join(name)).unwrap();
        (read("trace.jsonl"), read("archive.json"))
    }

    #[test]
    fn a_stopped_run_resumes_to_the_same_bytes() {
        let toy = Toy::of(4);
        let folder = tempfile::tempdir().unwrap();
        let (whole, parts) = (folder.path().join("whole"), folder.path().join("parts"));
        assert!(run_for(&toy, &whole, u64::MAX, Duration::MAX));
        let mut stops = 0;
        while !run_for(&toy, &parts, 7, Duration::ZERO) {
            stops += 1;
            // What a killed process may leave behind: lines after the last checkpoint.
            let trace = parts.join("trace.jsonl");
            let mut kept = std::fs::read(&trace).unwrap();
            kept.extend_from_slice(b"{\"evaluation\": 9");
            std::fs::write(&trace, kept).unwrap();
            std::fs::write(parts.join(".partial-checkpoint"), "half").unwrap();
            std::fs::create_dir(parts.join(".partial-set")).unwrap();
            std::fs::write(parts.join(".partial-set/a.wav"), "half").unwrap();
        }
        assert!(stops > 3);
        let names = |folder: &Path| -> std::collections::BTreeSet<_> {
            std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name()).collect()
        };
        assert_eq!(names(&whole), names(&parts));
        assert_eq!(bytes(&whole), bytes(&parts));
    }

    #[test]
    fn a_run_of_another_problem_or_a_damaged_one_is_refused() {
        let toy = Toy::of(3);
        let folder = tempfile::tempdir().unwrap();
        run_for(&toy, folder.path(), 2, Duration::ZERO);
        assert!(RunFolder::create(folder.path(), "", "x").is_err());
        let resume =
            |fingerprint: &str| RunFolder::resume::<Point>(folder.path(), fingerprint).map(|_| ());
        assert!(resume(&Toy::of(2).fingerprint().unwrap()).is_err());
        std::fs::write(folder.path().join("trace.jsonl"), "").unwrap();
        assert!(resume(&toy.fingerprint().unwrap()).is_err());
    }

    #[test]
    fn a_damaged_checkpoint_gives_way_to_the_one_before_it() {
        let toy = Toy::of(3);
        let folder = tempfile::tempdir().unwrap();
        run_for(&toy, folder.path(), 3, Duration::ZERO);
        let generation = || {
            let opened = RunFolder::resume::<Point>(folder.path(), &toy.fingerprint().unwrap());
            opened.map(|(_, state)| state.unwrap().generation).map_err(|error| error.to_string())
        };
        let damage = |name: &str| {
            let path = folder.path().join(name);
            let mut bytes = std::fs::read(&path).unwrap();
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
            std::fs::write(&path, bytes).unwrap();
        };
        // The last is written twice: after the third generation, and because it was stopped.
        std::fs::remove_file(folder.path().join("checkpoint-previous.json")).unwrap();
        run_for(&toy, folder.path(), 1, Duration::MAX);
        assert_eq!(generation(), Ok(4));
        damage("checkpoint.json");
        assert_eq!(generation(), Ok(3));
        // The good one is now the last: the next checkpoint does not put the damaged one in its
        // place.
        assert!(!folder.path().join("checkpoint-previous.json").exists());
        assert_eq!(generation(), Ok(3));
        damage("checkpoint.json");
        assert!(generation().unwrap_err().contains("checkpoint.json: damaged"));
    }

    #[test]
    fn one_run_is_open_once() {
        let toy = Toy::of(3);
        let folder = tempfile::tempdir().unwrap();
        let held = RunFolder::create(folder.path(), "", &toy.fingerprint().unwrap()).unwrap();
        let again = RunFolder::resume::<Point>(folder.path(), &toy.fingerprint().unwrap());
        assert!(again.is_err());
        drop(held);
    }
}
