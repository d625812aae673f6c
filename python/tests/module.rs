//! The extension module loads into Python without the rest of the package. This test is also why
//! `cargo test --workspace` builds the module, with the library that all tests share: `check.sh` tests it.
#![allow(clippy::unwrap_used)]

use std::process::Command;

#[test]
fn python_loads_the_module() {
    let folder = tempfile::tempdir().unwrap();
    let module = std::env::current_exe().unwrap().with_file_name("lib_trompe.so");
    std::fs::copy(module, folder.path().join("_trompe.abi3.so")).unwrap();
    let done = Command::new("python3")
        .args(["-c", "import _trompe; print(_trompe.__version__)"])
        .env("PYTHONPATH", folder.path())
        .output()
        .unwrap();
    let (printed, errors) = (String::from_utf8(done.stdout), String::from_utf8(done.stderr));
    assert_eq!(printed.unwrap().trim(), env!("CARGO_PKG_VERSION"), "{}", errors.unwrap());
}
