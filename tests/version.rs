//! `trompe --version` names the commit of the source, where there is one.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::program::Place;

/// The build script as a program.
fn compiled(place: &Place) -> PathBuf {
    let script = place.path("build-script");
    let rustc = Path::new(env!("CARGO")).with_file_name("rustc");
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/build.rs");
    let built = Command::new(rustc).args(["--edition", "2024", source, "-o"]).arg(&script).output();
    let built = built.unwrap();
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    script
}

/// What the script tells cargo about the source in `folder`: the version, and the files to watch.
fn told(script: &Path, folder: &Path, profile: &str) -> (String, Vec<PathBuf>) {
    let mut command = Command::new(script);
    command.env("CARGO_PKG_VERSION", "1.2.3").env("PROFILE", profile);
    let output = command.env("CARGO_MANIFEST_DIR", folder).output().unwrap();
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    let after = |line: &str, start: &str| line.strip_prefix(start).map(str::to_owned);
    let version = text.lines().find_map(|line| after(line, "cargo:rustc-env=TROMPE_VERSION="));
    let watched = text.lines().filter_map(|line| after(line, "cargo:rerun-if-changed="));
    (version.unwrap(), watched.map(PathBuf::from).collect())
}

fn git(folder: &Path, arguments: &[&str]) -> String {
    let identity = ["-c", "user.name=A", "-c", "user.email=a@example.org"];
    let mut command = Command::new("git");
    let output = command.arg("-C").arg(folder).args(identity).args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[test]
fn a_source_archive_has_no_commit() {
    let place = Place::new();
    let (version, watched) = told(&compiled(&place), &place.path("."), "release");
    assert_eq!(version, "1.2.3");
    // A file that is missing would make cargo build again each time.
    assert_eq!(watched, [PathBuf::from("build.rs")]);
}

#[test]
fn a_repository_and_a_work_tree_have_theirs() {
    if Command::new("git").arg("--version").output().is_err() {
        eprintln!("there is no git on this machine: nothing was tested");
        return;
    }
    let place = Place::new();
    let script = compiled(&place);
    let repository = place.path("repository");
    std::fs::create_dir(&repository).unwrap();
    git(&repository, &["init", "--quiet"]);
    git(&repository, &["commit", "--quiet", "--allow-empty", "-m", "first"]);
    git(&repository, &["worktree", "add", "--quiet", "../linked"]);
    git(&repository, &["pack-refs", "--all"]);
    for folder in [repository.clone(), place.path("linked")] {
        let (version, watched) = told(&script, &folder, "release");
        let head = git(&folder, &["rev-parse", "--short=12", "HEAD"]);
        assert_eq!(version, format!("1.2.3 ({head})"));
        let read = |file: &PathBuf| std::fs::read(file).unwrap();
        let before: Vec<_> = watched[1..].iter().map(read).collect();
        git(&folder, &["commit", "--quiet", "--allow-empty", "-m", "next"]);
        let after: Vec<_> = watched[1..].iter().map(read).collect();
        assert_ne!(before, after, "no watched file of {} has changed", folder.display());
        assert_ne!(told(&script, &folder, "release").0, version);
        assert_eq!(told(&script, &folder, "debug").0, "1.2.3");
    }
    // What lies inside of a repository is not part of it.
    let inside = repository.join("archive");
    std::fs::create_dir(&inside).unwrap();
    assert_eq!(told(&script, &inside, "release").0, "1.2.3");
}

#[test]
fn the_program_says_its_version() {
    let printed = Place::new().must(&["--version"]);
    assert!(printed.starts_with(concat!("trompe ", env!("CARGO_PKG_VERSION"))), "{printed}");
}
