//! Verbs around the main job: `open`, `man`, `completions`.

use std::fs;
use std::path::Path;

use crate::bad_input::tone;
use crate::program::{Place, Ran, script_at};

/// A folder with a page, and a program in `bin` that stands for what opens pages.
fn with_opener(script: &str) -> Place {
    let place = Place::new();
    fs::create_dir(place.path("bin")).unwrap();
    fs::create_dir(place.path("comparison")).unwrap();
    fs::write(place.path("comparison/index.html"), "<title>page</title>").unwrap();
    for name in ["xdg-open", "open"] {
        script_at(&place.path("bin").join(name), &format!("#!/bin/sh\n{script}\n"));
    }
    place
}

fn open(place: &Place, arguments: &[&str], path: &str) -> Ran {
    Ran::of(place.command(&[&["open"], arguments].concat()).env("PATH", path).output().unwrap())
}

#[test]
fn a_page_is_opened_by_the_program_of_the_desktop() {
    let place = with_opener("echo \"$1\" > \"${0%/*}/../opened\"");
    let path = format!("{}:/usr/bin:/bin", place.path("bin").display());
    let ran = open(&place, &["comparison"], &path);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert_eq!(ran.stdout, "comparison/index.html\n");
    let opened = fs::read_to_string(place.path("opened")).unwrap();
    let page = fs::canonicalize(place.path("comparison/index.html")).unwrap();
    assert_eq!(fs::canonicalize(opened.trim()).unwrap(), page);
    assert!(Path::new(opened.trim()).is_absolute(), "{opened}");
    // With --print, nothing is started.
    fs::remove_file(place.path("opened")).unwrap();
    let ran = open(&place, &["comparison", "--print"], &path);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(0), "comparison/index.html\n"));
    assert!(!place.path("opened").exists());
}

#[test]
fn a_page_that_nothing_opens_is_an_error_that_names_it() {
    let place = with_opener("exit 3");
    let path = format!("{}:/usr/bin:/bin", place.path("bin").display());
    for path in [path.as_str(), "/nowhere"] {
        let ran = open(&place, &["comparison"], path);
        assert_eq!(ran.code, Some(2), "{}", ran.stdout);
        assert!(ran.stderr.contains("comparison/index.html"), "{}", ran.stderr);
        assert!(ran.stderr.contains("--print"), "{}", ran.stderr);
    }
}

#[test]
fn each_verb_has_a_manual_page() {
    let place = Place::new();
    place.must(&["man", "--out", "man"]);
    let read = |name: &str| fs::read_to_string(place.path("man").join(name)).unwrap();
    let names = |command: &clap::Command, above: &str| -> Vec<String> {
        fn all(command: &clap::Command, above: &str, found: &mut Vec<String>) {
            let name = format!("{above}{}", command.get_name());
            for below in command.get_subcommands() {
                all(below, &format!("{name}-"), found);
            }
            found.push(name);
        }
        let mut found = Vec::new();
        all(command, above, &mut found);
        found
    };
    for name in names(&<trompe::cli::Command as clap::CommandFactory>::command(), "") {
        let page = read(&format!("{name}.1"));
        assert!(page.contains(".SH NAME") && page.contains(".SH SYNOPSIS"), "{name}: {page}");
    }
    assert!(read("trompe-fool.1").contains("\\-\\-exhibits"));
    let error = place.refused(&["man", "--out", "man"]);
    assert!(error.contains("trompe.1") && error.contains("--force"), "{error}");
    place.must(&["man", "--out", "man", "--force"]);
}

/// What bash offers after `words`, the last of which is being typed.
fn completed(place: &Place, words: &[&str]) -> Vec<String> {
    let mut command = place.command(&["--", "trompe"]);
    command.args(words).env("COMPLETE", "bash").env("_CLAP_IFS", "\n");
    command.env("_CLAP_COMPLETE_INDEX", words.len().to_string());
    let ran = Ran::of(command.output().unwrap());
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    ran.stdout.lines().map(str::to_owned).collect()
}

#[test]
fn values_are_completed() {
    let place = Place::new();
    fs::create_dir(place.path("music")).unwrap();
    let holds = |words: &[&str], wanted: &[&str], not: &[&str]| {
        let found = completed(&place, words);
        let has = |name: &&str| found.iter().any(|one| one.trim_end_matches('/') == *name);
        assert!(wanted.iter().all(has), "{words:?}: {found:?}");
        assert!(!not.iter().any(has), "{words:?}: {found:?}");
    };
    holds(&["fo"], &["fool"], &["open"]);
    // Corpora of both media, and folders; no banks.
    holds(&["train", ""], &["styles-2", "synthetic-digits", "music"], &["synthetic-loops"]);
    holds(&["train", "mus"], &["music"], &["styles-2"]);
    holds(&["fool", "--bank", ""], &["synthetic-loops", "music"], &["styles-2"]);
    holds(&["reference", "--genuine", "syn"], &["synthetic"], &["synthetic-loops"]);
    holds(&["corpus", "fetch", "syn"], &["synthetic", "synthetic-loops"], &[]);
    holds(&["train", "--classifier", "lenet"], &["lenet", "lenet-5"], &["srcam"]);
    for verb in ["fool", "retrain"] {
        holds(&[verb, "--generator", "p"], &["patches", "pixels"], &["cppn"]);
        holds(&[verb, "--emitter", ""], &["climber", "map-elites"], &[]);
    }
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = place.must(&["completions", shell]);
        assert!(script.contains("COMPLETE") && script.contains("trompe"), "{shell}: {script}");
    }
}

#[test]
fn what_is_there_is_replaced_where_force_says_so() {
    let place = Place::new();
    fs::write(place.path("model"), "mine").unwrap();
    let train = ["train", "synthetic-digits", "--classifier", "logistic", "--out", "model"];
    place.refused(&train);
    assert_eq!(fs::read_to_string(place.path("model")).unwrap(), "mine");
    let printed = place.must(&[&train[..], &["--force"]].concat());
    assert!(printed.contains("next: trompe fool model "), "{printed}");
    let evaluate = ["evaluate", "synthetic-digits", "--model", "model", "--out"];
    place.must(&[&evaluate[..], &["evaluation"]].concat());
    // An empty folder may be there; one that holds something may not.
    fs::create_dir(place.path("empty")).unwrap();
    place.must(&[&evaluate[..], &["empty"]].concat());
    place.refused(&[&evaluate[..], &["empty"]].concat());
    place.must(&[&evaluate[..], &["empty", "--force"]].concat());
}

#[test]
fn a_corpus_of_ones_own_is_asked_where_it_comes_from() {
    let place = Place::new();
    for (name, hertz) in [("low", 220.0), ("high", 880.0)] {
        for clip in 1..3 {
            let path = place.path(&format!("music/{name}/{clip}.wav"));
            tone(&path, 4.0, 22_050, 1, hertz + f64::from(clip));
        }
    }
    let printed = place.must(&["corpus", "check", "music"]);
    assert!(printed.contains("is not stated: write provenance = \"recorded\""), "{printed}");
    assert!(printed.contains("music/about.toml"), "{printed}");
    assert!(!printed.contains("Recorded"), "{printed}");
    fs::write(place.path("music/about.toml"), "provenance = \"recorded\"\n").unwrap();
    let printed = place.must(&["corpus", "check", "music"]);
    assert!(printed.contains("(recorded)") && !printed.contains("not stated"), "{printed}");
}

#[test]
fn colours_follow_the_usual_variables() {
    let place = Place::new();
    let help = |variable: &str| {
        let ran = Ran::of(place.command(&["--help"]).env(variable, "1").output().unwrap());
        ran.stdout.contains('\x1b')
    };
    assert!(help("CLICOLOR_FORCE"));
    assert!(!help("NO_COLOR"));
    // A pipe has none unless they are asked for.
    assert!(!place.must(&["--help"]).contains('\x1b'));
}
