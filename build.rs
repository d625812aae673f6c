//! Names the commit of the source for `trompe --version`.
//!
//! Release builds alone do so: with the commit in it, the crate is compiled again after each commit, which
//! would slow development down. Nothing but `--version` shows the commit, so that all builds of a version
//! write the same bytes into files.

use std::path::{Path, PathBuf};
use std::process::Command;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let variable = |name| std::env::var(name).unwrap_or_default();
    let mut version = variable("CARGO_PKG_VERSION");
    if variable("PROFILE") == "release"
        && let Some(commit) = commit(Path::new(&variable("CARGO_MANIFEST_DIR")))
    {
        version = format!("{version} ({commit})");
    }
    println!("cargo:rustc-env=TROMPE_VERSION={version}");
}

/// The commit that is checked out in `folder`. A source archive has none, and neither has a machine
/// without git.
fn commit(folder: &Path) -> Option<String> {
    // An archive that is unpacked inside of another repository is not part of it.
    if !folder.join(".git").exists() {
        return None;
    }
    let commit = git(folder, &["rev-parse", "--short=12", "HEAD"])?;
    // git adds a line to the log whenever HEAD moves, by a commit or by a checkout, in linked work trees,
    // too. The file of a branch is no substitute, because git may pack it away.
    for name in ["logs/HEAD", "HEAD"] {
        let file = folder.join(PathBuf::from(git(folder, &["rev-parse", "--git-path", name])?));
        if file.exists() {
            println!("cargo:rerun-if-changed={}", file.display());
        }
    }
    Some(commit)
}

/// What git prints, if it succeeds.
fn git(folder: &Path, arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").arg("-C").arg(folder).args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    (output.status.success() && !text.trim().is_empty()).then(|| text.trim().to_owned())
}
