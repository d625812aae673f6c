//! The tutorials of docs/tutorials work as printed.
//!
//! Blocks of `sh` are run in the order of the page, in one folder. A block with the name of a file, as in
//! `toml quick.toml`, is that file. Blocks of `console` need people, and are parsed only.

use std::fs;
use std::path::Path;
use std::process::Command;

use clap::Parser;

use crate::program::{Place, Ran};

/// A block of a page: what stands after the fence, and its text.
struct Block {
    info: String,
    text: String,
}

fn blocks(page: &str) -> Vec<Block> {
    let (mut found, mut open): (Vec<Block>, Option<Block>) = (Vec::new(), None);
    for line in page.lines() {
        match (line.strip_prefix("```"), open.take()) {
            (Some(_), Some(block)) => found.push(block),
            (Some(info), None) => {
                open = Some(Block { info: info.to_owned(), text: String::new() });
            }
            (None, Some(mut block)) => {
                block.text.push_str(line);
                block.text.push('\n');
                open = Some(block);
            }
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "a block does not end");
    found
}

/// Runs a page, and returns the folder that it was run in and all that it printed.
fn run(page: &str) -> (Place, String) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/tutorials").join(page);
    let (place, mut printed) = (Place::new(), String::new());
    let binaries = Path::new(env!("CARGO_BIN_EXE_trompe")).parent().unwrap().display().to_string();
    let search = format!("{binaries}:{}", std::env::var("PATH").unwrap());
    for Block { info, text } in blocks(&fs::read_to_string(path).unwrap()) {
        match info.split_once(' ') {
            Some((_, file)) => fs::write(place.path(file), text).unwrap(),
            None if info == "sh" => {
                let mut shell = Command::new("sh");
                shell.args(["-e", "-u", "-c", &text]).current_dir(place.path("."));
                shell.env("PATH", &search).env("TROMPE_CACHE", place.cache());
                let ran = Ran::of(shell.output().unwrap());
                assert_eq!(ran.code, Some(0), "{page}:\n{text}{}{}", ran.stdout, ran.stderr);
                printed.push_str(&ran.stdout);
            }
            None if info == "console" => {
                for line in text.lines() {
                    let command = line.strip_prefix("$ ").unwrap();
                    trompe::cli::Command::try_parse_from(command.split_whitespace()).unwrap();
                }
            }
            None => panic!("{page}: a block of '{info}'"),
        }
    }
    (place, printed)
}

#[test]
fn a_corpus_of_ones_own() {
    let (place, printed) = run("own-corpus.md");
    assert!(printed.contains("(unstated)") && printed.contains("is not stated"), "{printed}");
    assert!(printed.contains("my corpus (synthetic)"), "{printed}");
    assert!(printed.contains("artists"), "{printed}");
    assert!(printed.contains("with groups kept together"), "{printed}");
    assert!(place.path("evaluation/index.html").exists());
}

#[test]
fn a_model_of_ones_own() {
    let (_, printed) = run("own-model.md");
    assert!(printed.contains("white noise") && printed.contains("bright"), "{printed}");
    assert!(printed.contains("judged/fooling-set/index.html"), "{printed}");
    assert!(printed.contains("exhibits hold at the posterior 0.9"), "{printed}");
    assert!(!printed.contains("FAILS") && !printed.contains("DIFFERS"), "{printed}");
    assert!(printed.contains("6 of 6 exhibits rebuilt"), "{printed}");
}

#[test]
fn a_study_of_ones_own() {
    let (place, printed) = run("own-study.md");
    assert!(printed.contains("trial/report.html"), "{printed}");
    assert!(place.path("folder/index.html").exists());
    let study = fs::read_dir(place.path("study")).unwrap();
    let names: Vec<_> = study.map(|entry| entry.unwrap().file_name()).collect();
    assert!(
        names.iter().any(|name| name.to_string_lossy().contains("preregistration")),
        "{names:?}"
    );
}
