//! The image side, on the built-in digits.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use crate::program::{Place, files};

/// A small net trained on the built-in digits, the same for all tests.
pub(crate) fn net() -> &'static Path {
    static NET: OnceLock<(Place, PathBuf)> = OnceLock::new();
    let (_, path) = NET.get_or_init(|| {
        let place = Place::new();
        place.must(&["train", "synthetic-digits", "--classifier", "lenet-5", "--epochs", "3"]);
        let path = place.path("model.safetensors");
        (place, path)
    });
    path
}

fn json(path: &Path) -> serde_json::Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

#[test]
fn every_generator_gives_a_set_that_holds() {
    for generator in ["patches", "pixels", "tiles", "cppn"] {
        let place = Place::new();
        std::fs::write(
            place.path("fool.toml"),
            match generator {
                "tiles" => "[image]\ngenerator = \"tiles\"\ncorpus = \"synthetic-digits\"".into(),
                _ => format!("[image]\ngenerator = \"{generator}\""),
            },
        )
        .unwrap();
        let net = net().to_str().unwrap();
        let options = ["--config", "fool.toml", "--budget", "600", "--threshold", "0.6"];
        place.must(&[&["fool", net], &options[..]].concat());
        let said = place.must(&["verify", "run/fooling-set"]);
        assert!(said.contains(".png"), "{generator}: {said}");
        let manifest = json(&place.path("run/fooling-set/manifest.json"));
        assert_eq!(manifest["origin"]["medium"], "image");
        assert_eq!(manifest["origin"]["generator"]["name"], generator);
        assert_eq!(manifest["origin"]["classifier"]["provenance"], "synthetic");
        let page = std::fs::read_to_string(place.path("run/fooling-set/index.html")).unwrap();
        assert!(page.contains("Contact sheet") && page.to_lowercase().contains("synthetic"));
        let report = json(&place.path("run/report.json"));
        assert_eq!(report["classes"].as_array().unwrap().len(), 10);
    }
}

#[test]
fn an_altered_image_is_found() {
    let place = Place::new();
    place.must(&["fool", net().to_str().unwrap(), "--budget", "400", "--threshold", "0.6"]);
    let set = place.path("run/fooling-set");
    let png = files(&set).into_iter().find(|(name, _)| name.ends_with(".png")).unwrap().0;
    let grey = trompe_corpora::ImageShape::grey(28, 28);
    let blank = trompe_corpora::Image { shape: grey, pixels: vec![0; grey.bytes()] };
    trompe_corpora::images::write_png(&set.join(&png), &blank).unwrap();
    let ran = place.run(&["verify", "run/fooling-set"]);
    assert_eq!(ran.code, Some(1), "{}", ran.stderr);
    assert!(ran.stdout.contains("FAILS") && ran.stdout.contains(&png), "{}", ran.stdout);
}

#[test]
fn training_and_evaluation_agree_and_name_the_test_part() {
    let place = Place::new();
    let quick = ["synthetic-digits", "--classifier", "lenet-5", "--epochs", "1"];
    let trained = place.must(&[&["train"], &quick[..], &["--json"]].concat());
    let trained: serde_json::Value = serde_json::from_str(&trained).unwrap();
    assert_eq!((&trained["kind"], &trained["images"]), (&"lenet-5".into(), &4_000.into()));
    let evaluated = |arguments: &[&str]| -> f64 {
        let text = place.must(&[&["evaluate"], arguments, &["--json"]].concat());
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        let (_, evaluation) = value.as_object().unwrap().iter().next().unwrap();
        assert_eq!(evaluation["excerpts"].as_array().unwrap().len(), 1_000);
        1.0 - evaluation["accuracy"]["mean"].as_f64().unwrap()
    };
    let error = trained["test_error"].as_f64().unwrap();
    assert!(error < 0.2, "{error}");
    assert_eq!(evaluated(&["synthetic-digits", "--model", "model.safetensors"]), error);
    assert_eq!(evaluated(&quick), error);
}

#[test]
fn media_are_not_mixed_up() {
    let place = Place::new();
    let net = net().to_str().unwrap();
    let says = |error: String, words: &str| assert!(error.contains(words), "{error}");
    says(place.refused(&["train", "synthetic-digits"]), "is a corpus of images");
    says(place.refused(&["train", "synthetic", "--classifier", "lenet"]), "is a corpus of clips");
    says(place.refused(&["evaluate", "synthetic", "--model", net]), "is a corpus of clips");
    says(place.refused(&["fool", net, "--generator", "loops"]), "patches, pixels, tiles or cppn");
    assert!(!place.path("run").exists());
}
