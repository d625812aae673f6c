//! The examples, run as they are built by `cargo test`.

use std::path::{Path, PathBuf};
use std::process::Command;

fn example(name: &str, arguments: &[&Path]) -> String {
    let folder = Path::new(env!("CARGO_BIN_EXE_trompe")).parent().unwrap().join("examples");
    let program: PathBuf = folder.join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
    assert!(program.exists(), "build the examples first: cargo build --examples");
    let output = Command::new(program).args(arguments).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{name}: {errors}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn closures_are_fooled_and_their_sets_read() {
    let home = tempfile::tempdir().unwrap();
    for (name, classes) in
        [("fool_sound", &["hiss", "hum"][..]), ("fool_images", &["left", "right", "even"])]
    {
        let set = home.path().join(name);
        let printed = example(name, &[&set]);
        let read = example("read_fooling_set", &[&set]);
        for class in classes {
            assert!(printed.contains(class), "{name}: {printed}");
            assert!(read.contains(class) && !read.contains("no exhibit"), "{name}: {read}");
        }
    }
}

#[test]
fn a_classifier_is_cross_validated_and_kept() {
    let home = tempfile::tempdir().unwrap();
    let model = home.path().join("model.safetensors");
    let printed = example("train_and_cross_validate", &[&model]);
    let recall = printed.split(": ").nth(1).and_then(|rest| rest.lines().next()).unwrap();
    assert!(recall.parse::<f64>().unwrap() > 0.5, "{printed}");
    assert!(trompe::classifiers::Model::load(&model).is_ok());
}
