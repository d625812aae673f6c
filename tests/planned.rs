//! A run that many processes share ends with the bytes of one that one process did.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::images::net;
use crate::program::{FEW, Place, files, model};

const ROUNDS: u32 = 2;
const SHARDS: u32 = 4;

/// Plans a run of [`ROUNDS`] x [`SHARDS`] in the folder `out`.
fn plan(place: &Place, engine: &str, out: &str) {
    let model = model().to_str().unwrap();
    place.must(&[
        "fool",
        "plan",
        model,
        "--bank",
        "synthetic-loops",
        FEW[0],
        FEW[1],
        "--seconds",
        "6",
        "--budget",
        "320",
        "--rounds",
        "2",
        "--shards",
        "4",
        "--threshold",
        "0.8",
        "--engine",
        engine,
        "--out",
        out,
    ]);
}

fn shard(round: u32, shard: u32) -> Vec<String> {
    ["fool", "shard", "run", "--quiet", "--round", &round.to_string()]
        .into_iter()
        .chain(["--shard", &shard.to_string()])
        .map(str::to_owned)
        .collect()
}

fn merge(round: &str) -> Vec<&str> {
    vec!["fool", "merge", "run", "--quiet", "--round", round]
}

/// Every file of a finished run, without scripts, the logs of engines, and partial files. A process that is killed while it
/// writes a shard leaves a partial file, and a merge does not remove it: another process may still be writing it.
fn results(run: &Path) -> Vec<(String, Vec<u8>)> {
    let aside = |name: &str| {
        name.starts_with("run-") || name.starts_with("submit-") || name.contains("/.partial-")
    };
    let found: Vec<_> = files(run)
        .into_iter()
        .filter(|(name, _)| !aside(name) && !name.ends_with(".log"))
        .collect();
    assert!(found.iter().any(|(name, _)| name.ends_with(".wav") || name.ends_with(".png")));
    found
}

/// What one process makes of the plan.
fn serial() -> Vec<(String, Vec<u8>)> {
    let place = Place::new();
    plan(&place, "local", "run");
    place.must(&["fool", "--resume", "run", "--quiet"]);
    results(&place.path("run"))
}

#[test]
fn any_order_repetition_or_kill_gives_the_serial_bytes() {
    let place = Place::new();
    plan(&place, "local", "run");
    for round in 0..ROUNDS {
        // Killed while it computes: nothing half-written is left under the shard's name.
        let arguments = shard(round, 1);
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let mut child = place.command(&arguments).stdout(Stdio::null()).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(150));
        let _ = child.kill();
        child.wait().unwrap();
        // Two at once, some twice, last first.
        let order = [3, 1, 3, 0, 2, 1];
        for pair in order.chunks(2) {
            let started: Vec<_> = pair
                .iter()
                .map(|&number| {
                    let arguments = shard(round, number);
                    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
                    place.command(&arguments).stdout(Stdio::null()).spawn().unwrap()
                })
                .collect();
            for mut child in started {
                assert!(child.wait().unwrap().success());
            }
        }
        place.must(&merge(&round.to_string()));
    }
    assert_eq!(results(&place.path("run")), serial());
    place.must(&["verify", "run/fooling-set"]);
    let replayed = place.must(&["replay", "run/fooling-set"]);
    assert!(replayed.contains("rebuilt bit by bit"), "{replayed}");
}

#[test]
fn shards_that_are_missing_damaged_or_of_another_run_are_listed() {
    let place = Place::new();
    plan(&place, "local", "run");
    let error = place.refused(&merge("1"));
    assert!(error.contains("round 0 is not merged"), "{error}");
    let error = place.refused(&["fool", "shard", "run", "--round", "0", "--shard", "4"]);
    assert!(error.contains("no shard 4"), "{error}");
    for number in 0..SHARDS {
        let arguments = shard(0, number);
        place.must(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
    }
    let whole = files(&place.path("run"));

    let path = |number: u32| place.path(&format!("run/rounds/0/shard-{number}.json"));
    std::fs::remove_file(path(0)).unwrap();
    let mut bytes = std::fs::read(path(1)).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 4;
    std::fs::write(path(1), &bytes).unwrap();
    std::fs::copy(path(3), path(2)).unwrap();
    let error = place.refused(&merge("0"));
    assert!(error.contains("shard 0: missing"), "{error}");
    assert!(error.contains("damaged") && error.contains("another shard"), "{error}");
    assert!(!place.path("run/rounds/0/merged.json").exists());

    let ran = place.run(&[merge("0"), vec!["--fill", "--verify"]].concat());
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert!(ran.stderr.contains("shard 2 was computed here"), "{}", ran.stderr);
    let filled: Vec<_> = files(&place.path("run"))
        .into_iter()
        .filter(|(name, _)| !name.ends_with("merged.json"))
        .collect();
    assert_eq!(filled, whole);
}

#[test]
fn a_run_on_images_is_shared_and_replayed_too() {
    let place = Place::new();
    let net = net().to_str().unwrap();
    let plan = [
        "fool",
        "plan",
        net,
        "--generator",
        "cppn",
        "--emitter",
        "map-elites",
        "--budget",
        "2000",
        "--rounds",
        "2",
        "--shards",
        "2",
        "--threshold",
        "0.9",
        "--out",
        "run",
    ];
    place.must(&plan);
    for round in 0..2 {
        for number in [1, 0] {
            let arguments = shard(round, number);
            place.must(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
        }
        place.must(&merge(&round.to_string()));
    }
    let shared = results(&place.path("run"));
    let alone = Place::new();
    alone.must(&plan);
    alone.must(&["fool", "--resume", "run", "--quiet", "--threads", "3"]);
    assert_eq!(shared, results(&alone.path("run")));
    alone.must(&["replay", "run/fooling-set"]);
}

#[test]
fn replay_finds_an_altered_manifest_and_a_stranger() {
    let place = Place::new();
    plan(&place, "local", "run");
    place.must(&["fool", "--resume", "run", "--quiet"]);
    let path = place.path("run/fooling-set/manifest.json");
    let text = std::fs::read_to_string(&path).unwrap();
    let manifest: serde_json::Value = serde_json::from_str(&text).unwrap();
    let file = manifest["exhibits"][0]["file"].as_str().unwrap();
    let one = place.must(&["replay", &format!("run/fooling-set/{file}")]);
    assert!(one.contains("1 of 1 exhibit rebuilt"), "{one}");
    let error = place.refused(&["replay", "run/fooling-set/none.wav"]);
    assert!(error.contains("none.wav") && error.contains("check the path"), "{error}");
    let stranger = place.path("run/fooling-set/none.wav");
    std::fs::copy(place.path(&format!("run/fooling-set/{file}")), &stranger).unwrap();
    let error = place.refused(&["replay", "run/fooling-set/none.wav"]);
    assert!(error.contains("no exhibit"), "{error}");
    std::fs::remove_file(stranger).unwrap();

    let mut other = manifest.clone();
    let gain = &mut other["exhibits"][0]["genome"]["layers"][0]["gain_db"];
    *gain = serde_json::json!(gain.as_f64().unwrap() - 1.0);
    std::fs::write(&path, other.to_string()).unwrap();
    let ran = place.run(&["replay", "run/fooling-set"]);
    assert_eq!(ran.code, Some(1), "{}", ran.stderr);
    assert!(ran.stdout.contains("DIFFERS"), "{}", ran.stdout);

    other["exhibits"][0]["genome"]["layers"][0]["loop"] = 1_000_000.into();
    std::fs::write(&path, other.to_string()).unwrap();
    let error = place.refused(&["replay", "run/fooling-set"]);
    assert!(error.contains("is invalid"), "{error}");
}

/// Whether `program` is there. Where it is not, the test says so, and is only skipped where
/// CI does not ask for it.
fn installed(program: &str) -> bool {
    let found = Command::new(program).arg("--version").stdout(Stdio::null()).status().is_ok();
    if !found {
        assert!(std::env::var_os("CI").is_none(), "{program} is missing: install it");
        eprintln!("SKIPPED: {program} is not installed (apt-get install {program})");
    }
    found
}

#[test]
fn gnu_parallel_killed_and_started_again_gives_the_serial_bytes() {
    if !installed("parallel") {
        return;
    }
    let place = Place::new();
    plan(&place, "parallel", "run");
    let script = || {
        let mut command = Command::new("setsid");
        command.arg(place.path("run/run-parallel.sh"));
        command.env("TROMPE", env!("CARGO_BIN_EXE_trompe")).env("JOBS", "2");
        command.env("TROMPE_CACHE", place.cache()).stdout(Stdio::null());
        command
    };
    let mut child = script().spawn().unwrap();
    let first = place.path("run/rounds/0");
    while !first.exists() && child.try_wait().unwrap().is_none() {
        std::thread::sleep(Duration::from_millis(20));
    }
    let group = format!("-{}", child.id());
    Command::new("kill").args(["-KILL", "--", &group]).status().unwrap();
    child.wait().unwrap();
    assert!(!place.path("run/report.json").exists());
    assert!(script().status().unwrap().success());
    assert_eq!(results(&place.path("run")), serial());
}
