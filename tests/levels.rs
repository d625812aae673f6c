//! Genuine references and levels, from training to the comparison.

use std::fs;

use serde_json::Value;

use crate::bad_input::tone;
use crate::program::Place;

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn read(place: &Place, path: &str) -> Value {
    serde_json::from_slice(&fs::read(place.path(path)).unwrap()).unwrap()
}

/// A corpus of two classes with sixteen clips each, every clip a group of its own.
fn corpus(place: &Place) {
    for clip in 0..16 {
        for (class, hertz) in [("low", 200.0), ("high", 1_500.0)] {
            let path = place.path(&format!("corpus/{class}/{clip}.wav"));
            tone(&path, 4.0, 22_050, 1, hertz + 40.0 * f64::from(clip));
        }
    }
}

/// A run of images at the level 0.5, on a model whose test images are its genuine reference.
fn run_at_a_level(place: &Place) {
    place.must(&["train", "synthetic-digits", "--classifier=logistic"]);
    fs::write(place.path("quick.toml"), "base_rate_candidates = 200\n").unwrap();
    let fool = ["fool", "model.safetensors", "--config=quick.toml", "--level=0.5", "--budget=2000"];
    place.must(&fool);
}

#[test]
fn a_run_at_a_level_is_delivered_verified_and_compared() {
    let place = Place::new();
    run_at_a_level(&place);
    let manifest = read(&place, "run/fooling-set/manifest.json");
    let origin = &manifest["origin"];
    assert_eq!((&origin["level"], &origin["reference"]["held_out"]), (&0.5.into(), &true.into()));
    let thresholds = origin["reference"]["thresholds"].as_array().unwrap();
    let half = thresholds.iter().find(|of| of["level"] == 0.5).unwrap();
    let exhibits = manifest["exhibits"].as_array().unwrap();
    assert!(!exhibits.is_empty());
    for exhibit in exhibits {
        let class = exhibit["class"].as_u64().unwrap() as usize;
        let limit = half["log_odds"][class].as_f64().unwrap();
        assert!(exhibit["log_odds"][class].as_f64().unwrap() > limit);
        assert!(exhibit["level"].as_f64().unwrap() >= 0.5);
        assert!(exhibit["calibrated"].is_array());
    }
    let verified = json(&place.must(&["verify", "run/fooling-set", "--json"]));
    assert_eq!((&verified["passed"], &verified["same_reference"]), (&true.into(), &true.into()));
    assert_eq!(verified["exhibits"][0]["level_now"], exhibits[0]["level"]);

    // What any file is called, with the same numbers.
    let file = exhibits[0]["file"].as_str().unwrap();
    let path = format!("run/fooling-set/{file}");
    let said = json(&place.must(&["predict", "model.safetensors", &path, "--json"]));
    let label = exhibits[0]["label"].as_str().unwrap();
    assert_eq!(said[0]["label"], label);
    for name in ["posterior", "level"] {
        assert_eq!(said[0]["classes"][label][name], exhibits[0][name]);
    }
    let ran = place.run(&["predict", "model.safetensors", "run/fooling-set", "--csv", "said.csv"]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert!(ran.stderr.contains("not read: run/fooling-set/index.html"), "{}", ran.stderr);
    let rows = fs::read_to_string(place.path("said.csv")).unwrap().lines().count();
    assert_eq!(rows, exhibits.len() + 1);
    assert!(place.refused(&["predict", "model.safetensors", "quick.toml"]).contains("quick.toml"));

    // The report has the rates of genuine items, the picture and the probes.
    let report = read(&place, "run/report.json");
    let rates = report["genuine"]["rates"].as_array().unwrap();
    assert_eq!(rates.len(), 6);
    assert!(rates.iter().all(|rates| rates["genuine_right"]["of"].as_u64().unwrap() > 100));
    assert_eq!(report["levels"][1]["level"], 0.5);
    // Random images are far from digits in the space of the net's last layer.
    let apart = report["genuine"]["separation"].as_array().unwrap();
    let by_distance: Vec<&Value> =
        apart.iter().filter(|by| by["score"] == "Mahalanobis distance").collect();
    assert_eq!(by_distance.len(), 2, "{apart:?}");
    assert!(by_distance.iter().all(|by| by["auroc"].as_f64().unwrap() > 0.9), "{by_distance:?}");
    assert_eq!(report["probes"][0]["probe"], "noise");
    let page = fs::read_to_string(place.path("run/report.html")).unwrap();
    for words in ["How certain is it of genuine items?", "AUROC", "flat grey", "T = "] {
        assert!(page.contains(words), "{words}");
    }
    // Scores of random candidates are kept for other thresholds.
    assert!(fs::read(place.path("run/base-rate.npz")).unwrap().starts_with(b"PK"));

    let compared = json(&place.must(&["compare", "run", "--json"]));
    let at_levels = compared["groups"][0]["at_levels"].as_array().unwrap();
    assert_eq!(at_levels.len(), 3);
    assert!(at_levels[1]["base_rate"]["of"].as_u64().unwrap() <= 200);
    let page = fs::read_to_string(place.path("comparison/index.html")).unwrap();
    assert!(page.contains("On the scale of genuine items"));
    let rows = fs::read_to_string(place.path("comparison/comparison.csv")).unwrap();
    assert!(rows.contains("evaluations to the level"));

    // A level that is not the score's, or a score below the level's threshold, fails.
    let spoil = |change: &dyn Fn(&mut Value), words: &str| {
        let mut spoilt = manifest.clone();
        change(&mut spoilt);
        let path = place.path("run/fooling-set/manifest.json");
        fs::write(&path, serde_json::to_vec(&spoilt).unwrap()).unwrap();
        let ran = place.run(&["verify", "run/fooling-set"]);
        assert_eq!(ran.code, Some(1), "{}", ran.stderr);
        assert!(ran.stdout.contains(words), "{words}: {}", ran.stdout);
    };
    spoil(&|spoilt| spoilt["exhibits"][0]["level"] = 0.25.into(), "its level 0.25");
    let raise = |spoilt: &mut Value| {
        for of in spoilt["origin"]["reference"]["thresholds"].as_array_mut().unwrap() {
            of["log_odds"].as_array_mut().unwrap().fill(1e6.into());
        }
    };
    spoil(&raise, "is below that of the level 0.5");
}

#[test]
fn a_reference_added_later_orphans_nothing() {
    let place = Place::new();
    place.must(&["train", "synthetic-digits", "--classifier=logistic", "--reference-folds=0"]);
    let fool = ["fool", "model.safetensors", "--budget=300", "--out"];
    place.must(&[&fool[..], &["before"]].concat());
    let refused = place.refused(&[&fool[..], &["x", "--level=0.5"]].concat());
    assert!(refused.contains("trompe reference"), "{refused}");
    assert!(!place.path("x").exists());
    let sha256 = |place: &Place| {
        json(&place.must(&["info", "model.safetensors", "--json"]))["facts"]["sha256"].clone()
    };
    let old = sha256(&place);
    let add = ["reference", "model.safetensors", "--genuine=synthetic-digits", "--json"];
    let added = json(&place.must(&add));
    assert_eq!(added["replaced"], false);
    assert_eq!(added["reference"]["source"]["kind"], "held-out");
    assert_eq!(sha256(&place), old);
    // The old run resumes, verifies by the model with a reference, and is compared with a new one.
    place.must(&["fool", "--resume", "before"]);
    place.must(&["verify", "before/fooling-set", "--model", "model.safetensors"]);
    place.must(&[&fool[..], &["after", "--seed=2"]].concat());
    let compared = json(&place.must(&["compare", "before", "after", "--json"]));
    assert_eq!(compared["groups"].as_array().unwrap().len(), 1);
    assert_eq!(compared["groups"][0]["at_levels"], Value::Null, "one run has no levels");
    // Sound is no reference of a model of images.
    place.refused(&["reference", "model.safetensors", "--genuine=synthetic"]);
}

#[test]
fn sound_is_held_out_by_group_or_cross_fitted() {
    let place = Place::new();
    corpus(&place);
    let train = ["train", "corpus", "--classifier=logistic", "--json", "--force"];
    let said = json(&place.must(&[&train[..], &["--hold-out=0.25"]].concat()));
    assert_eq!(said["reference"]["source"]["kind"], "held-out");
    assert_eq!((&said["excerpts"], &said["reference"]["items"]), (&24.into(), &8.into()));
    place.refused(&[&train[..], &["--hold-out=1.5"]].concat());

    let checked = [&train[..], &["--check-levels", "--reference-folds=3"]].concat();
    let said = json(&place.must(&checked));
    assert_eq!(said["reference"]["source"]["kind"], "cross-fitted");
    assert_eq!(said["reference"]["coverage"]["levels"].as_array().unwrap().len(), 3);
    assert!(said["reference"]["biased"].is_boolean());
    // Every clip is its own group, so both classes have levels.
    assert_eq!(said["reference"]["undefined"], serde_json::json!([]));
    let predict = ["predict", "model.safetensors", "corpus/low/3.wav", "--json"];
    let called = json(&place.must(&predict));
    assert_eq!(called[0]["label"], "low");
    assert!(called[0]["classes"]["low"]["level"].is_number(), "{called}");
    assert_eq!(called[0]["classes"]["high"]["level"], Value::Null);
    // Clips that the model was trained on are no genuine items.
    let refused = place.refused(&["reference", "model.safetensors", "--genuine=corpus"]);
    assert!(refused.contains("trained on all 32 items"), "{refused}");
    let probes =
        json(&place.must(&["probe", "model.safetensors", "--genuine=corpus/low/3.wav", "--json"]));
    assert_eq!(probes.as_array().unwrap().len(), 11);
}

#[test]
fn facts_and_probes_of_a_model() {
    let place = Place::new();
    place.must(&["train", "synthetic-digits", "--classifier=logistic"]);
    let info = place.must(&["info", "model.safetensors"]);
    for words in ["model", "judges", "images", "genuine reference", "held out", "temperature"] {
        assert!(info.contains(words), "{words}: {info}");
    }
    let probes = json(&place.must(&["probe", "model.safetensors", "--json"]));
    assert_eq!(probes.as_array().unwrap().len(), 6);
    assert!(probes[3]["item"].is_null() && probes[5]["item"].is_string(), "{probes}");
    let first = probes[0]["classes"].as_object().unwrap();
    assert_eq!(first.len(), 10);
    assert!(first.values().all(|class| class["posterior"].is_number()), "{probes}");
    assert!(place.refused(&["info", "nothing-here"]).contains("nothing-here"));
}
