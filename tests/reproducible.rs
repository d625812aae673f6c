//! Same seed, same bytes: whatever the number of threads, and however often it is killed.

use std::path::Path;
use std::time::Duration;

use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};

use crate::program::{Place, files, model};

/// Files of a run but its checkpoint, which tells when it was written.
fn results(run: &Path) -> Vec<(String, Vec<u8>)> {
    let found: Vec<_> =
        files(run).into_iter().filter(|(name, _)| name != "checkpoint.json").collect();
    assert!(found.iter().any(|(name, _)| name.ends_with(".wav")));
    found
}

fn arguments(emitter: &str) -> Vec<&str> {
    let model = model().to_str().unwrap();
    let mut arguments = vec!["fool", model, "--bank", "synthetic-loops", "--emitter", emitter];
    arguments.extend(["--budget", "400", "--seconds", "8", "--threshold", "0.6", "--quiet"]);
    arguments
}

#[test]
fn threads_do_not_change_a_byte() {
    for emitter in ["random", "map-elites", "climber"] {
        let mut outcomes = Vec::new();
        for threads in ["1", "2", "7"] {
            let place = Place::new();
            let mut arguments = arguments(emitter);
            arguments.extend(["--threads", threads]);
            place.must(&arguments);
            outcomes.push(results(&place.path("run")));
        }
        assert!(outcomes.iter().all(|outcome| *outcome == outcomes[0]), "{emitter}");
    }
}

#[test]
fn five_kills_do_not_change_a_byte() {
    let unbroken = Place::new();
    let config = "checkpoint_seconds = 0.0\n";
    let mut command = arguments("climber");
    command.extend(["--config", "often.toml"]);
    std::fs::write(unbroken.path("often.toml"), config).unwrap();
    unbroken.must(&command);

    let killed = Place::new();
    std::fs::write(killed.path("often.toml"), config).unwrap();
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    let mut kills = 0;
    loop {
        let started = killed.path("run/run.toml").exists();
        let resume = vec!["fool", "--resume", "run", "--quiet"];
        let mut child = killed.command(if started { &resume } else { &command }).spawn().unwrap();
        if kills < 5 {
            std::thread::sleep(Duration::from_millis(rng.random_range(50..600)));
            if child.try_wait().unwrap().is_none() {
                child.kill().unwrap();
                child.wait().unwrap();
                kills += 1;
                continue;
            }
        }
        assert!(child.wait().unwrap().success());
        break;
    }
    assert!(kills > 0);
    assert_eq!(results(&unbroken.path("run")), results(&killed.path("run")));
    // A kill leaves no half-written set behind under the set's name.
    killed.must(&["verify", "run/fooling-set"]);
}

#[test]
fn a_run_resumes_only_with_what_it_was_started_with() {
    let place = Place::new();
    let mut command = arguments("random");
    command.extend(["--out", "run"]);
    place.must(&command);
    let again = place.refused(&command);
    assert!(again.contains("--resume"), "{again}");
    let path = place.path("run/run.toml");
    let altered = std::fs::read_to_string(&path).unwrap().replace("seconds = 8.0", "seconds = 9.0");
    std::fs::write(&path, altered).unwrap();
    let error = place.refused(&["fool", "--resume", "run"]);
    assert!(error.contains("another model, bank or setting"), "{error}");
}
