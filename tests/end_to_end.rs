//! The demo on the built-in corpus, and the verbs that read its output.

use std::io::{Seek, SeekFrom, Write};

use crate::program::{FEW, Place, model};

#[test]
fn the_offline_demo_ends_with_a_verified_fooling_set() {
    let place = Place::new();
    let said = place.must(&["demo", "--offline", "--rounds", "60", "--budget", "800"]);
    assert!(said.contains("mean recall"), "{said}");
    assert!(said.contains("trompe-demo/run/fooling-set/index.html"), "{said}");
    assert!(said.contains("against random candidates by Mahalanobis distance"), "{said}");
    let set = place.path("trompe-demo/run/fooling-set");
    let page = std::fs::read_to_string(set.join("index.html")).unwrap();
    assert!(page.to_lowercase().contains("synthetic"));
    let manifest: serde_json::Value =
        serde_json::from_slice(&std::fs::read(set.join("manifest.json")).unwrap()).unwrap();
    assert_eq!(manifest["origin"]["classifier"]["provenance"], "synthetic");
    let exhibits = manifest["exhibits"].as_array().unwrap();
    assert!(!exhibits.is_empty());
    for exhibit in exhibits {
        assert!(exhibit["posterior"].as_f64().unwrap() >= 0.999);
    }
    every_exhibit_has_its_label_and_a_file_of_its_own(&manifest);
    place.must(&["verify", set.to_str().unwrap()]);

    // Ending again what has ended changes nothing.
    place.must(&["demo", "--offline"]);

    // One altered sample is found.
    let altered = set.join(exhibits[0]["file"].as_str().unwrap());
    let mut file = std::fs::OpenOptions::new().write(true).open(altered).unwrap();
    file.seek(SeekFrom::Start(44 + 2 * 10_000)).unwrap();
    file.write_all(&[0x12, 0x34]).unwrap();
    drop(file);
    let ran = place.run(&["verify", set.to_str().unwrap()]);
    assert_eq!(ran.code, Some(1), "{}", ran.stderr);
    assert!(ran.stdout.contains("FAILS"), "{}", ran.stdout);
}

/// The class of an exhibit has the highest log-odds, and no other exhibit the same file.
fn every_exhibit_has_its_label_and_a_file_of_its_own(manifest: &serde_json::Value) {
    let mut files = std::collections::BTreeSet::new();
    for exhibit in manifest["exhibits"].as_array().unwrap() {
        let row = exhibit["log_odds"].as_array().unwrap().iter().map(|v| v.as_f64().unwrap());
        let top = row.enumerate().max_by(|a, b| a.1.total_cmp(&b.1)).unwrap().0;
        assert_eq!(exhibit["class"], top, "{exhibit}");
        assert!(files.insert(exhibit["sha256"].as_str().unwrap()), "{exhibit}");
    }
}

/// Every verb that reads a fooling set names an exhibit that an older version wrote or a user edited.
#[test]
fn a_set_with_another_label_or_a_file_twice_is_named() {
    let place = Place::new();
    let model = model().to_str().unwrap();
    let fool = ["fool", model, "--bank", "synthetic-loops", "--seconds", "10"];
    place.must(&[&fool[..], &FEW, &["--threshold", "0.6", "--budget", "200", "--quiet"]].concat());
    let path = place.path("run/fooling-set/manifest.json");
    let whole = std::fs::read_to_string(&path).unwrap();
    let edited = |edit: &dyn Fn(&mut serde_json::Value)| {
        let mut manifest: serde_json::Value = serde_json::from_str(&whole).unwrap();
        edit(&mut manifest);
        std::fs::write(&path, manifest.to_string()).unwrap();
    };
    let named = |words: &[&str]| {
        let verified = place.run(&["verify", "run/fooling-set"]);
        assert_eq!(verified.code, Some(1), "{}", verified.stderr);
        for said in [verified.stdout, place.refused(&["replay", "run/fooling-set"])] {
            for word in words {
                assert!(said.contains(word), "no '{word}' in: {said}");
            }
        }
    };
    let manifest: serde_json::Value = serde_json::from_str(&whole).unwrap();
    let file = manifest["exhibits"][0]["file"].as_str().unwrap().to_owned();
    let label = manifest["exhibits"][0]["label"].as_str().unwrap().to_owned();

    // The same sound, listed as an exhibit of another class.
    edited(&|manifest| {
        let classes = manifest["origin"]["classes"].as_array().unwrap().clone();
        let exhibit = &mut manifest["exhibits"][0];
        let other = (exhibit["class"].as_u64().unwrap() as usize + 1) % classes.len();
        exhibit["class"] = other.into();
        exhibit["posterior"] = exhibit["posteriors"][other].clone();
        exhibit["label"] = classes[other].clone();
        manifest["unreached"] = serde_json::json!([]);
    });
    named(&[&file, "label of it is", &label]);

    // A file a second time, under its own label.
    edited(&|manifest| {
        let mut copy = manifest["exhibits"][0].clone();
        copy["file"] = "copy.wav".into();
        manifest["exhibits"].as_array_mut().unwrap().push(copy);
    });
    std::fs::copy(
        place.path(&format!("run/fooling-set/{file}")),
        place.path("run/fooling-set/copy.wav"),
    )
    .unwrap();
    named(&["copy.wav", "the same as", &file]);
}

#[test]
fn every_emitter_and_sturms_rule_give_a_set_that_holds() {
    for options in [
        &["--emitter", "random"] as &[_],
        &["--emitter", "random", "--gap"],
        &["--emitter", "map-elites"],
        &["--emitter", "climber"],
    ] {
        let place = Place::new();
        let model = model().to_str().unwrap();
        let mut arguments =
            vec!["fool", model, "--bank", "synthetic-loops", "--budget", "150", "--seconds", "10"];
        arguments.extend(["--threshold", "0.9"]);
        arguments.extend(options);
        arguments.extend(FEW);
        place.must(&arguments);
        place.must(&["verify", "run/fooling-set"]);
        let manifest = std::fs::read(place.path("run/fooling-set/manifest.json")).unwrap();
        every_exhibit_has_its_label_and_a_file_of_its_own(
            &serde_json::from_slice(&manifest).unwrap(),
        );
    }
}

#[test]
fn results_are_json_on_request() {
    let place = Place::new();
    let parse = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
    let recipes = parse(&place.must(&["corpus", "list", "--json"]));
    assert!(recipes.as_array().unwrap().iter().any(|recipe| recipe["name"] == "styles"));
    let checked = parse(&place.must(&["corpus", "check", "synthetic", "--json"]));
    assert_eq!(checked["provenance"], "synthetic");
    assert_eq!(checked["bad"].as_array().unwrap().len(), 0);
    let model = model().to_str().unwrap();
    let fooled = parse(&place.must(&[
        "fool",
        model,
        "--bank",
        "synthetic-loops",
        "--budget",
        "60",
        "--json",
    ]));
    assert_eq!(fooled["report"]["evaluations"], 60);
    assert_eq!(fooled["report"]["thresholds"][1]["base_rate"]["candidates"], 1000);
}

#[test]
fn features_go_out_to_numpy_and_come_back() {
    let place = Place::new();
    let quick = ["--classifier", "logistic", "--reference-folds", "0"];
    let mut first = vec!["train", "synthetic", "--save-features", "features.npz"];
    first.extend(quick);
    place.must(&first);
    let direct = std::fs::read(place.path("model.safetensors")).unwrap();
    let mut again = vec!["train", "features.npz", "--out", "again.safetensors"];
    again.extend(quick);
    place.must(&again);
    let through_file = std::fs::read(place.path("again.safetensors")).unwrap();
    assert!(direct == through_file, "the model of the features file has other bytes");
    place.must(&["evaluate", "features.npz", "--classifier", "logistic", "--folds", "3"]);
}

#[test]
fn evaluation_shows_both_divisions_and_draws_them() {
    let place = Place::new();
    let said = place.must(&[
        "evaluate",
        "synthetic",
        "--rounds",
        "40",
        "--folds",
        "3",
        "--trials",
        "2",
        "--out",
        "evaluation",
    ]);
    assert!(said.contains("random:") && said.contains("grouped:"), "{said}");
    for division in ["random", "grouped"] {
        let picture = place.path(&format!("evaluation/confusion-{division}.svg"));
        assert!(std::fs::read_to_string(picture).unwrap().starts_with("<svg"));
        let json = std::fs::read(place.path(&format!("evaluation/evaluation-{division}.json")));
        let evaluation: serde_json::Value = serde_json::from_slice(&json.unwrap()).unwrap();
        assert_eq!(evaluation["trials"].as_array().unwrap().len(), 2);
    }
    let model = model().to_str().unwrap();
    let said = place.must(&["evaluate", "synthetic", "--seed", "2", "--model", model]);
    assert!(said.contains("model:"), "{said}");
}
