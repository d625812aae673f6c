//! Which builds have fault injection, asked of cargo.

#![allow(clippy::unwrap_used)]

use std::process::Command;

/// The features of `trompe-base` in a build of the whole workspace, as `cargo tree` lists them.
fn tree(edges: &str) -> String {
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/../../Cargo.toml");
    let out = Command::new(env!("CARGO"))
        .args(["tree", "--workspace", "--offline", "--locked", "--manifest-path", manifest])
        .args(["--edges", edges, "--invert", "trompe-base", "--prefix", "none"])
        .output()
        .unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8(out.stdout).unwrap()
}

#[test]
fn only_tests_are_built_with_faults() {
    let faults = "trompe-base feature \"faults\"";
    let (built, tested) = (tree("features,no-dev"), tree("features"));
    assert!(built.contains("trompe-base feature \"default\""), "{built}");
    assert!(!built.contains(faults), "{built}");
    assert!(tested.contains(faults), "{tested}");
}
