//! A run that is killed, fails or loses power at any call that writes, syncs or renames goes on
//! to the bytes of an unbroken one. The calls are counted and broken inside the program
//! (`TROMPE_FAULT`); `cargo test` builds it with the feature `trompe-base/faults` for that.

#![cfg(unix)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use crate::program::{Place, Ran, files, model, script_at};

/// A net of few images with a reference of few: what is repeated for every call must be short.
fn net() -> &'static Path {
    static NET: OnceLock<(Place, PathBuf)> = OnceLock::new();
    let (_, path) = NET.get_or_init(|| {
        let place = Place::new();
        place.must(&["train", "synthetic-digits", "--clips", "60", "--classifier", "logistic"]);
        let path = place.path("model.safetensors");
        (place, path)
    });
    path
}

/// A short run on images that goes through every kind of file: three generations with a
/// checkpoint each, a fooling set, a report.
fn start(place: &Place) -> Command {
    let text = "checkpoint_seconds = 0.0\nbase_rate_candidates = 5\n";
    fs::write(place.path("often.toml"), text).unwrap();
    let net = net().to_str().unwrap();
    let mut arguments = vec!["fool", net, "--generator", "patches", "--quiet", "--threads", "1"];
    arguments.extend(["--config", "often.toml", "--budget", "150", "--threshold", "0.3"]);
    // Every file costs some calls, and each call two runs.
    arguments.extend(["--exhibits", "1"]);
    place.command(&arguments)
}

/// The command that resumes a run, or starts it if it was stopped before `run.toml` was written.
fn go_on(place: &Place) -> Command {
    if place.path("run/run.toml").exists() {
        place.command(&["fool", "--resume", "run", "--quiet", "--threads", "1"])
    } else {
        start(place)
    }
}

fn results(place: &Place) -> Vec<(String, Vec<u8>)> {
    let found = files(&place.path("run"));
    assert!(found.iter().any(|(name, _)| name.ends_with(".png")), "an empty fooling set");
    found
}

fn unbroken() -> Vec<(String, Vec<u8>)> {
    let place = Place::new();
    assert_eq!(Ran::of(start(&place).output().unwrap()).code, Some(0));
    results(&place)
}

/// Runs with `fault`, then without, and compares the end with `whole`. Gives what the broken
/// run came to.
fn broken_then_whole(fault: &str, whole: &[(String, Vec<u8>)]) -> Ran {
    let place = Place::new();
    let broken = Ran::of(start(&place).env("TROMPE_FAULT", fault).output().unwrap());
    let resumed = Ran::of(go_on(&place).output().unwrap());
    assert_eq!(resumed.code, Some(0), "after {fault}: {}", resumed.stderr);
    assert!(results(&place) == whole, "after {fault} the run ends otherwise");
    broken
}

/// Breaks the first, second, ... call until a run has no more; gives the number of calls.
fn at_every_call(kind: &str, expected: Option<i32>) -> u64 {
    let whole = unbroken();
    let mut call = 1;
    loop {
        let broken = broken_then_whole(&format!("{kind}:{call}"), &whole);
        if broken.code == Some(0) {
            return call - 1;
        }
        assert_eq!(broken.code, expected, "{kind} at call {call}: {}", broken.stderr);
        if expected == Some(2) {
            assert!(broken.stderr.contains("error: "), "{}", broken.stderr);
            assert!(!broken.stderr.contains("panicked"), "{}", broken.stderr);
        }
        call += 1;
    }
}

#[test]
fn killed_at_every_call_it_resumes_to_the_same_bytes() {
    let calls = at_every_call("kill", None);
    eprintln!("killed at each of {calls} calls");
    assert!(calls > 50, "{calls} calls");
}

#[test]
fn an_error_at_any_call_is_told_and_costs_nothing() {
    let calls = at_every_call("EIO", Some(2));
    eprintln!("an error at each of {calls} calls");
    assert!(calls > 50, "{calls} calls");
}

#[test]
fn a_full_disk_is_told_and_the_run_goes_on_when_there_is_room() {
    let calls = at_every_call("ENOSPC", Some(2));
    eprintln!("a full disk from each of {calls} calls on");
    assert!(calls > 50, "{calls} calls");
}

/// `TROMPE_TEST_CUTS` power cuts (60 unless it says otherwise), at all calls in turn.
#[test]
fn a_power_cut_costs_no_more_than_what_was_not_synced() {
    let cuts: u64 =
        std::env::var("TROMPE_TEST_CUTS").ok().and_then(|text| text.parse().ok()).unwrap_or(60);
    let whole = unbroken();
    let mut met = 0;
    for seed in 0..cuts {
        // Steps of a prime go through all calls, in an order without pattern.
        let call = 1 + seed * 37 % 101;
        let broken = broken_then_whole(&format!("power:{call}:{seed}"), &whole);
        met += u64::from(broken.code.is_none());
    }
    eprintln!("{met} power cuts");
    assert!(met > cuts / 2, "{met} of {cuts} cuts came before the end");
}

/// Sends SIGTERM to a run when `ready` says so, and checks that it ends as by Ctrl-C.
fn terminate(place: &Place, configuration: &str, budget: &str, ready: impl Fn() -> bool) {
    fs::write(place.path("long.toml"), configuration).unwrap();
    let model = model().to_str().unwrap();
    let mut arguments = vec!["fool", model, "--bank", "synthetic-loops", "--threads", "1"];
    arguments.extend(["--config", "long.toml", "--budget", budget, "--seconds", "6"]);
    let mut run = place.command(&arguments).stderr(Stdio::piped()).spawn().unwrap();
    while !ready() {
        assert!(run.try_wait().unwrap().is_none(), "it ended by itself");
        std::thread::sleep(Duration::from_millis(20));
    }
    let told = Instant::now();
    let kill = Command::new("kill").args(["-TERM", &run.id().to_string()]).status().unwrap();
    assert!(kill.success());
    let ended = Ran::of(run.wait_with_output().unwrap());
    let took = told.elapsed();
    eprintln!("ended {} ms after SIGTERM", took.as_millis());
    assert_eq!(ended.code, Some(130), "{}", ended.stderr);
    assert!(ended.stderr.contains("go on with"), "{}", ended.stderr);
    assert!(took < Duration::from_secs(60), "{took:?}: it hung");
    assert!(place.path("run/checkpoint.json").exists());
}

#[test]
fn sigterm_in_a_search_leaves_a_checkpoint() {
    let place = Place::new();
    let ready = || place.path("run/checkpoint.json").exists();
    let configuration = "checkpoint_seconds = 0.0\n[search]\nwhole_budget = true\n";
    terminate(&place, configuration, "1000000", ready);
}

#[test]
fn sigterm_after_the_search_ends_it_too_and_it_resumes() {
    let place = Place::new();
    let ready = || place.path("run/fooling-set").exists();
    terminate(&place, "base_rate_candidates = 1000\n", "40", ready);
    place.must(&["fool", "--resume", "run", "--quiet"]);
    assert!(place.path("run/report.json").exists());
}

#[test]
fn sigterm_while_packages_are_fetched_ends_the_program() {
    let place = Place::new();
    // Programs that fetch, and hang.
    let (bin, begun) = (place.path("bin"), place.path("begun"));
    fs::create_dir(&bin).unwrap();
    for name in ["apt-get", "python3", "npm"] {
        let text = format!("#!/bin/sh\n: > '{}'\nexec /bin/sleep 60\n", begun.display());
        script_at(&bin.join(name), &text);
    }
    let mut fool = place.command(&["fool", model().to_str().unwrap(), "--bank", "samples"]);
    fool.env("PATH", &bin).env("TROMPE_CACHE", place.path("cache")).stderr(Stdio::piped());
    let mut run = fool.spawn().unwrap();
    while !begun.exists() {
        assert!(run.try_wait().unwrap().is_none(), "it ended by itself");
        std::thread::sleep(Duration::from_millis(20));
    }
    let kill = Command::new("kill").args(["-TERM", &run.id().to_string()]).status().unwrap();
    assert!(kill.success());
    let ended = Ran::of(run.wait_with_output().unwrap());
    assert_eq!(ended.code, Some(130), "{}", ended.stderr);
    assert!(ended.stderr.contains("give the same command again"), "{}", ended.stderr);
    assert!(!place.path("run").exists());
}
