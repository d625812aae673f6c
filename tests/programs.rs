//! Programs as victims.

use crate::program::{FEW, Place};

/// A place with the program of the tests, and how it is named.
fn place() -> Place {
    let place = Place::new();
    std::fs::write(place.path("judge.py"), include_str!("fixtures/judge.py")).unwrap();
    place
}

fn judge(words: &str) -> String {
    format!("command:python3 judge.py {words}")
}

const IMAGES: [&str; 8] =
    ["--generator", "patches", "--threshold", "0.9", "--budget", "300", "--exhibits", "1"];

#[test]
fn a_program_is_fooled_verified_and_resumed_when_it_is_named() {
    let place = place();
    for words in ["image", "image raw", "image crash"] {
        let run = format!("run-{}", words.replace(' ', "-"));
        let named = judge(words);
        let fool = [&["fool", &named][..], &IMAGES, &FEW, &["--out", &run, "--quiet"]].concat();
        place.must(&fool);
        let set = format!("{run}/fooling-set");
        let refused = place.refused(&["verify", &set]);
        assert!(refused.contains("--model"), "{refused}");
        let verified = place.must(&["verify", &set, "--model", &judge(words)]);
        assert!(verified.contains("2 of 2 exhibits hold"), "{verified}");
        let replayed = place.must(&["replay", &set, "--model", &judge(words)]);
        assert!(replayed.contains("2 of 2 exhibits rebuilt"), "{replayed}");
        std::fs::remove_file(place.path(&run).join("report.json")).unwrap();
        let refused = place.refused(&["fool", "--resume", &run]);
        assert!(refused.contains("no file makes a program run"), "{refused}");
        place.must(&["fool", "--resume", &run, "--model", &judge(words), "--quiet"]);
        assert!(place.path(&run).join("report.json").exists());
    }
    // A copy of the program is the same victim; that it stands in for another one is said.
    std::fs::copy(place.path("judge.py"), place.path("moved.py")).unwrap();
    let again = |program: &str| {
        std::fs::remove_file(place.path("run-image/report.json")).unwrap();
        let ran = place.run(&["fool", "--resume", "run-image", "--model", program]);
        assert_eq!(ran.code, Some(0), "{}", ran.stderr);
        ran.stderr
    };
    let said = again("command:python3 moved.py image");
    assert!(said.contains("moved.py image was named and is started in its place"), "{said}");
    assert!(!again(&judge("image")).contains("in its place"));
    // However inputs come to it, the program says the same of them.
    let manifest = |run: &str| std::fs::read(place.path(run).join("archive.json")).unwrap();
    assert_eq!(manifest("run-image"), manifest("run-image-raw"));
    assert_eq!(manifest("run-image"), manifest("run-image-crash"));
    let compared = place.must(&["compare", "run-image", "run-image-raw", "--out", "compared"]);
    assert!(compared.contains("compared"), "{compared}");
    let listen = ["listen", "build", "--set", "run-image", "--out", "study", "--quiet"];
    let who = ["--contact", "who@example.org", "--retain-until", "2099-01-01"];
    place.must(&[&listen[..], &who].concat());
    assert!(place.path("study/study.toml").exists());
    // Another program is another victim.
    let set = "run-image/fooling-set";
    let refused = place.refused(&["verify", set, "--model", &judge("image raw")]);
    assert!(refused.contains("SHA-256"), "{refused}");
    let transferred = place.must(&["transfer", set, "--model", &judge("image raw")]);
    assert!(transferred.contains("2 have the same label"), "{transferred}");
}

#[test]
fn a_program_that_a_file_names_is_not_started() {
    let place = place();
    let config = format!("model = \"{}\"\n", judge("image"));
    std::fs::write(place.path("fool.toml"), config).unwrap();
    let refused = place.refused(&["fool", "--config", "fool.toml"]);
    assert!(refused.contains("no file makes a program run"), "{refused}");
}

#[test]
fn a_planned_run_names_its_program_in_every_step() {
    let place = place();
    let named = judge("image");
    let plan = [&["fool", "plan", &named][..], &IMAGES[..6], &["--engine", "parallel"]].concat();
    let planned = ["--rounds", "1", "--shards", "2", "--out", "planned", "--quiet"];
    place.must(&[&plan[..], &FEW, &planned].concat());
    let script = std::fs::read_to_string(place.path("planned/run-parallel.sh")).unwrap();
    // Its folder is another one: files are named whole there.
    let judge = place.path("judge.py").canonicalize().unwrap();
    let program = format!("--model 'command:python3 {} image'", judge.display());
    assert_eq!(script.matches(&program).count(), 2, "{script}");
    let shard = ["fool", "shard", "planned", "--round", "0", "--shard", "0", "--quiet"];
    let refused = place.refused(&shard);
    assert!(refused.contains("no file makes a program run"), "{refused}");
    place.must(&[&shard[..], &["--model", &named]].concat());
    place.must(&["fool", "--resume", "planned", "--model", &named, "--quiet"]);
    place.must(&["verify", "planned/fooling-set", "--model", &named]);
}

#[test]
fn sound_goes_to_a_program_too() {
    let place = place();
    let named = judge("sound");
    let fool = ["fool", &named, "--bank", "synthetic-loops", "--seconds", "2", "--quiet"];
    let more = ["--threshold", "0.6", "--budget", "60", "--exhibits", "1"];
    place.must(&[&fool[..], &FEW, &more].concat());
    let verified = place.must(&["verify", "run/fooling-set", "--model", &judge("sound")]);
    assert!(verified.contains("exhibits hold"), "{verified}");
    let said = place.must(&["probe", &judge("sound raw"), "--json"]);
    assert!(said.contains("\"little\"") && said.contains("silence"), "{said}");
}

#[test]
fn programs_that_misbehave_are_named_with_what_they_did() {
    let place = place();
    for (words, expected) in [
        ("image silent", "ended before it answered"),
        ("image babble", "does not speak the protocol"),
        ("image late", "within 0.5 s"),
        ("image crash-always", "ended before it answered"),
        ("image short", "gave 1 score for 2 classes"),
        ("image nan", "gave"),
        ("image give-up", "no idea"),
    ] {
        let named = judge(words);
        let fool = [&["fool", &named][..], &IMAGES, &FEW, &["--out", "bad", "--quiet"]];
        let error = place.refused(&fool.concat());
        assert!(error.contains("python3") && error.contains(expected), "{words}: {error}");
        assert!(!place.path("bad/fooling-set").exists());
        drop(std::fs::remove_dir_all(place.path("bad")));
    }
    // More sound than a pipe holds, for a program that does not read.
    let named = judge("sound raw late deaf");
    let fool = ["fool", &named, "--bank", "synthetic-loops", "--seconds", "4", "--quiet"];
    let error = place.refused(&[&fool[..], &FEW, &["--out", "deaf"]].concat());
    assert!(error.contains("within 0.5 s"), "{error}");
    let error = place.refused(&["predict", "command:./nothing-here", "x.png"]);
    assert!(error.contains("nothing-here"), "{error}");
}

#[test]
#[cfg(unix)]
fn what_a_program_started_ends_with_it() {
    let place = place();
    let script = "sleep 300 & echo $! >> started\nexec python3 judge.py image\n";
    std::fs::write(place.path("judge.sh"), script).unwrap();
    place.must(&["probe", "command:sh judge.sh"]);
    let started = std::fs::read_to_string(place.path("started")).unwrap();
    assert!(!started.is_empty());
    for number in started.lines() {
        // Gone, or dead and not yet waited for by whom it fell to.
        let status = std::fs::read_to_string(format!("/proc/{number}/stat")).unwrap_or_default();
        assert!(status.is_empty() || status.contains(") Z "), "{status}");
    }
}
