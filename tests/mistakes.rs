//! Mistakes that users make, each with its message and its exit code: mistakes.toml.

use std::fs;

use serde::Deserialize;

use crate::program::{FEW, Place, model};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    mistake: Vec<Mistake>,
}

/// A command line, and what stderr must hold; of words with a bar between, one is enough.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Mistake {
    run: String,
    says: Vec<String>,
}

const SOUND: [&str; 8] =
    ["fool", "sound.safetensors", "--bank", "synthetic-loops", "--budget", "60", "--seconds", "6"];

/// A folder with what the table says.
fn place() -> Place {
    let place = Place::new();
    fs::copy(model(), place.path("sound.safetensors")).unwrap();
    let digits = ["train", "synthetic-digits", "--classifier", "logistic"];
    place.must(&[&digits[..], &["--out", "images.safetensors"]].concat());
    let images = ["fool", "images.safetensors", "--generator", "patches", "--budget", "100"];
    place.must(&[&images[..], &["--threshold", "0.5", "-o", "images"], &FEW].concat());
    place.must(&[&SOUND[..], &["--threshold", "0.5", "-o", "run"], &FEW].concat());
    place.must(&[&SOUND[..], &["--threshold", "0.5", "-o", "begun/run"], &FEW].concat());
    let series = ["--threshold", "0.5", "--seeds", "2", "-o", "series"];
    place.must(&[&SOUND[..], &series, &FEW].concat());
    let features = ["train", "synthetic", "--rounds", "2", "--reference-folds", "0"];
    place.must(&[&features[..], &["--save-features", "features.npz", "--out", "two"]].concat());
    let net = ["train", "synthetic-digits", "--classifier", "lenet-5", "--epochs", "1"];
    fs::create_dir(place.path("image-demo")).unwrap();
    place.must(&[&net[..], &["--out", "image-demo/lenet.safetensors"]].concat());
    fs::write(place.path("bank.toml"), "bank = \"synthetic\"\n").unwrap();
    for folder in ["synthetic", "loops"] {
        fs::create_dir(place.path(folder)).unwrap();
    }
    fs::create_dir(place.path("empty")).unwrap();
    fs::write(place.path("note.txt"), "not a corpus\n").unwrap();
    place
}

#[test]
fn each_mistake_has_its_message_and_leaves_nothing_behind() {
    let table: Table = toml::from_str(include_str!("mistakes.toml")).unwrap();
    assert!(table.mistake.len() >= 60, "{} mistakes", table.mistake.len());
    let place = place();
    let mut wrong = Vec::new();
    for Mistake { run, says } in &table.mistake {
        let ran = place.run(&run.split_whitespace().collect::<Vec<_>>());
        let missing: Vec<_> = says
            .iter()
            .filter(|says| !says.split('|').any(|one| ran.stderr.contains(one)))
            .collect();
        let panicked = ran.stderr.contains("panicked");
        if ran.code != Some(2) || !missing.is_empty() || panicked || place.path("new").exists() {
            let _ = fs::remove_dir_all(place.path("new"));
            wrong.push(format!("{run}: {:?}, no {missing:?} in: {}", ran.code, ran.stderr));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_run_or_a_series_stands_for_its_fooling_sets() {
    let place = place();
    let verified = place.must(&["verify", "run"]);
    assert_eq!(verified, place.must(&["verify", "run/fooling-set"]));
    let both = place.must(&["verify", "series"]);
    let found = both.matches("exhibits hold at the").count();
    assert_eq!(found, 2, "{both}");
    assert!(both.contains("series/seed-1/fooling-set:"), "{both}");
    let replayed = place.must(&["replay", "run"]);
    assert_eq!(replayed, place.must(&["replay", "run/fooling-set"]));
    let transferred = place.must(&["transfer", "series", "--model", "sound.safetensors"]);
    assert_eq!(transferred.matches("have the same label").count(), 2, "{transferred}");
    // A class that is named is the only one that is searched for.
    let target = ["--threshold", "0.5", "--targets", "pulse", "-o", "one"];
    place.must(&[&SOUND[..], &target, &FEW].concat());
    let manifest = fs::read_to_string(place.path("one/fooling-set/manifest.json")).unwrap();
    let manifest: serde_json::Value = serde_json::from_str(&manifest).unwrap();
    let exhibits = manifest["exhibits"].as_array().unwrap();
    assert!(exhibits.iter().all(|exhibit| exhibit["label"] == "pulse"), "{exhibits:?}");
}
