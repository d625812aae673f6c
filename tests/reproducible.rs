//! Same seed, same bytes: whatever the number of threads, and however often it is killed.

use std::path::Path;
use std::time::Duration;

use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};

use crate::images::net;
use crate::program::{FEW, Place, files, model};

/// Every file of a finished run, its last checkpoint among them.
fn results(run: &Path) -> Vec<(String, Vec<u8>)> {
    let found = files(run);
    assert!(found.iter().any(|(name, _)| name.ends_with(".wav") || name.ends_with(".png")));
    assert!(found.iter().any(|(name, _)| name == "checkpoint.json"));
    found
}

/// A run on images, long enough to be interrupted.
fn image_arguments<'a>(emitter: &'a str, generator: &'a str) -> Vec<&'a str> {
    let net = net().to_str().unwrap();
    let mut arguments = vec!["fool", net, "--generator", generator, "--emitter", emitter];
    arguments.extend(["--budget", "4000", "--threshold", "0.9999", "--quiet"]);
    arguments
}

fn arguments(emitter: &str) -> Vec<&str> {
    let model = model().to_str().unwrap();
    let mut arguments = vec!["fool", model, "--bank", "synthetic-loops", "--emitter", emitter];
    arguments.extend(["--budget", "400", "--seconds", "8", "--threshold", "0.6", "--quiet"]);
    arguments
}

/// Runs with 1, 2 and 7 threads and compares what they wrote.
fn same_for_any_threads(arguments: &[&str]) {
    let mut outcomes = Vec::new();
    for threads in ["1", "2", "7"] {
        let place = Place::new();
        place.must(&[arguments, &FEW, &["--threads", threads]].concat());
        outcomes.push(results(&place.path("run")));
    }
    assert!(outcomes.iter().all(|outcome| *outcome == outcomes[0]), "{arguments:?}");
}

#[test]
fn threads_do_not_change_a_byte() {
    for emitter in ["random", "map-elites", "climber"] {
        same_for_any_threads(&arguments(emitter));
    }
}

#[test]
fn threads_do_not_change_a_byte_of_an_image_run() {
    for (emitter, generator) in
        [("random", "cppn"), ("map-elites", "pixels"), ("climber", "patches"), ("climber", "cppn")]
    {
        same_for_any_threads(&image_arguments(emitter, generator));
    }
}

/// Kills a run at random moments (five times, or as often as `TROMPE_TEST_KILLS` says, in as
/// many runs as that takes) and compares what it wrote in the end with an unbroken one.
fn same_after_kills(arguments: &[&str], longest: u64) {
    let wanted = std::env::var("TROMPE_TEST_KILLS").ok().and_then(|text| text.parse().ok());
    let mut left: u32 = wanted.unwrap_or(5);
    let unbroken = Place::new();
    let config = "checkpoint_seconds = 0.0\nbase_rate_candidates = 50\n";
    let command = [arguments, &["--config", "often.toml"]].concat();
    std::fs::write(unbroken.path("often.toml"), config).unwrap();
    unbroken.must(&command);

    let unbroken = results(&unbroken.path("run"));
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    while left > 0 {
        let killed = Place::new();
        std::fs::write(killed.path("often.toml"), config).unwrap();
        let kills = kill_and_resume(&killed, &command, left.min(5), longest, &mut rng);
        assert!(kills > 0, "the run was over before it could be killed");
        left -= kills;
        assert_eq!(unbroken, results(&killed.path("run")));
        // A kill leaves no half-written set behind under the set's name.
        killed.must(&["verify", "run/fooling-set"]);
    }
}

/// Runs `command` in `place` to its end, killed up to `most` times on the way; says how often
/// it was.
fn kill_and_resume(
    place: &Place,
    command: &[&str],
    most: u32,
    longest: u64,
    rng: &mut ChaCha8Rng,
) -> u32 {
    let mut kills = 0;
    loop {
        let started = place.path("run/run.toml").exists();
        let resume = ["fool", "--resume", "run", "--quiet"];
        let mut child = place.command(if started { &resume } else { command }).spawn().unwrap();
        if kills < most {
            std::thread::sleep(Duration::from_millis(rng.random_range(longest / 12..longest)));
            if child.try_wait().unwrap().is_none() {
                child.kill().unwrap();
                child.wait().unwrap();
                kills += 1;
                continue;
            }
        }
        assert!(child.wait().unwrap().success());
        return kills;
    }
}

#[test]
fn kills_do_not_change_a_byte() {
    same_after_kills(&arguments("climber"), 600);
}

#[test]
fn kills_do_not_change_a_byte_of_an_image_run() {
    same_after_kills(&image_arguments("map-elites", "pixels"), 240);
    same_after_kills(&image_arguments("climber", "cppn"), 240);
}

#[test]
fn a_run_resumes_only_with_what_it_was_started_with() {
    let place = Place::new();
    let mut command = arguments("random");
    command.extend(FEW);
    command.extend(["--out", "run"]);
    place.must(&command);
    let again = place.refused(&command);
    assert!(again.contains("--resume"), "{again}");
    let path = place.path("run/run.toml");
    let altered = std::fs::read_to_string(&path).unwrap().replace("seconds = 8.0", "seconds = 9.0");
    std::fs::write(&path, altered).unwrap();
    let error = place.refused(&["fool", "--resume", "run"]);
    assert!(error.contains("another model, runtime of nets, bank or setting"), "{error}");
}
