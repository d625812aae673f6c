//! Sturm's second system from outside: trained, evaluated and fooled like the first.

use std::fs;

use crate::bad_input::{corpus, says, tone};
use crate::program::Place;

const TRAIN: [&str; 7] =
    ["train", "corpus", "--classifier", "srcam", "--reference-folds", "0", "--force"];

fn with<'a>(arguments: &[&'a str], more: &[&'a str]) -> Vec<&'a str> {
    [arguments, more].concat()
}

#[test]
fn srcam_is_trained_evaluated_and_fooled() {
    let place = Place::new();
    let train = ["train", "synthetic", "--clips", "6", "--classifier", "srcam"];
    let said = place.must(&with(&train, &["--reference-folds", "3", "--json"]));
    let trained: serde_json::Value = serde_json::from_str(&said).unwrap();
    assert_eq!(trained["reach"]["inputs"], 24);
    let fool = ["fool", "model.safetensors", "--bank", "synthetic-loops"];
    fs::write(place.path("quick.toml"), "base_rate_candidates = 5\n").unwrap();
    let quick = ["--config", "quick.toml", "--budget", "40", "--seconds", "4"];
    place.must(&with(&fool, &quick));
    let said = place.must(&["verify", "run/fooling-set", "--json"]);
    let verified: serde_json::Value = serde_json::from_str(&said).unwrap();
    let report: serde_json::Value =
        serde_json::from_slice(&fs::read(place.path("run/report.json")).unwrap()).unwrap();
    assert_eq!(verified["passed"], true);
    assert!(
        verified["out_of_reach"].is_array() && verified["out_of_reach"] == report["out_of_reach"]
    );
    let manifest: serde_json::Value =
        serde_json::from_slice(&fs::read(place.path("run/fooling-set/manifest.json")).unwrap())
            .unwrap();
    // Confidences sum to 1: the threshold of votes is out of their reach.
    assert_eq!(manifest["origin"]["threshold"], 0.5);
    assert_eq!(manifest["origin"]["classifier"]["posterior_kind"], "residual-confidence");
    for exhibit in manifest["exhibits"].as_array().unwrap() {
        let posteriors = exhibit["posteriors"].as_array().unwrap();
        let sum: f64 = posteriors.iter().map(|p| p.as_f64().unwrap()).sum();
        assert!((sum - 1.0).abs() < 1e-9, "{sum}");
    }
}

/// Six clips span six of 768 dimensions: no code comes within epsilon of anything else, and every
/// verb says so. A model of votes has no such bound.
#[test]
fn what_a_small_dictionary_cannot_represent_is_counted() {
    let place = Place::new();
    corpus(&place, 3);
    let said = place.must(&with(&TRAIN, &["--epsilon", "0.01"]));
    assert!(said.contains("6 of 6 (100.0 %) out of reach of epsilon"), "{said}");
    let evaluate = ["evaluate", "corpus", "--classifier", "srcam", "--folds", "3"];
    let said = place.must(&with(&evaluate, &["--epsilon", "0.01"]));
    assert!(said.contains("6 of 6 (100.0 %) out of reach of epsilon"), "{said}");
    let said = place.must(&with(&evaluate, &["--epsilon", "0.01", "--json"]));
    let found: serde_json::Value = serde_json::from_str(&said).unwrap();
    assert_eq!(found["random"]["reach"]["out_of_reach"], 6);
    // As a model of its own clips, it represents each by itself.
    let model = ["evaluate", "corpus", "--model", "model.safetensors", "--on-training-clips"];
    assert!(place.must(&model).contains("0 of 6 (0.0 %) out of reach"));

    fs::write(place.path("quick.toml"), "base_rate_candidates = 5\n").unwrap();
    let fool = ["fool", "model.safetensors", "--bank", "synthetic-loops", "--config", "quick.toml"];
    let said =
        place.must(&with(&fool, &["--budget", "30", "--seconds", "4", "--threshold", "0.5"]));
    let report: serde_json::Value =
        serde_json::from_slice(&fs::read(place.path("run/report.json")).unwrap()).unwrap();
    let files = report["out_of_reach"].as_array().unwrap();
    assert!(!files.is_empty());
    assert!(said.contains(&format!("exhibits out of reach of epsilon: {}", files.len())), "{said}");
    let said = place.must(&["verify", "run/fooling-set"]);
    assert_eq!(said.matches("scored by least squares").count(), files.len());
    let page = fs::read_to_string(place.path("run/report.html")).unwrap();
    assert!(page.contains("Exhibits out of reach"));

    let said = place
        .must(&with(&["train", "corpus", "--force"], &["--rounds", "5", "--reference-folds", "0"]));
    assert!(!said.contains("reach"), "{said}");
}

/// Of hits that ring for an eighth of a second in two, some crops are silent, of which the
/// features have no value: such a candidate loses, and the search goes on. A bank of no more
/// loops than a composition may have is enough for it.
#[test]
fn silent_candidates_end_no_search() {
    let place = Place::new();
    corpus(&place, 3);
    place.must(&TRAIN);
    for n in 0..3 {
        let path = place.path(&format!("hits/{n}.wav"));
        tone(&path, 0.125, 22_050, 1, 300.0 * f64::from(n + 1));
        let mut reader = hound::WavReader::open(&path).unwrap();
        let sounding: Vec<i16> = reader.samples().map(Result::unwrap).collect();
        let mut writer = hound::WavWriter::create(&path, reader.spec()).unwrap();
        let silence = std::iter::repeat_n(0, 44_100 - sounding.len());
        sounding.into_iter().chain(silence).for_each(|s| writer.write_sample(s).unwrap());
        writer.finalize().unwrap();
    }
    let settings =
        "base_rate_candidates = 5\n[composition]\nloops = 1\nmin_loops = 1\nmax_loops = 3\n";
    fs::write(place.path("hits.toml"), settings).unwrap();
    let fool = ["fool", "model.safetensors", "--bank", "hits", "--config", "hits.toml"];
    place.must(&with(&fool, &["--budget", "300", "--seconds", "4", "--threshold", "0.9999"]));
    assert!(place.path("run/report.json").is_file());
}

#[test]
fn every_option_of_srcam_is_kept_by_its_model() {
    let place = Place::new();
    corpus(&place, 3);
    let options = [
        &["--front-end", "constant-q", "--quality", "3", "--lowest", "200"] as &[_],
        &["--normalization", "standardize", "--no-unit-norm", "--epsilon", "2"],
        &["--solver", "spgl1", "--iterations", "50", "--magnitude"],
        &["--reduce", "pca:3", "--log"],
        &["--reduce", "random:40"],
        &["--reduce", "downsample:4"],
    ];
    let mut models = Vec::new();
    for options in options {
        place.must(&with(&TRAIN, options));
        models.push(fs::read(place.path("model.safetensors")).unwrap());
        let evaluate = ["evaluate", "corpus", "--classifier", "srcam", "--folds", "3"];
        place.must(&with(&evaluate, options));
    }
    models.sort();
    models.dedup();
    assert_eq!(models.len(), options.len());
}

#[test]
fn settings_out_of_range() {
    let place = Place::new();
    corpus(&place, 2);
    let refused = |options: &[&str]| place.refused(&with(&TRAIN, options));
    says(&refused(&["--epsilon", "0"]), &["epsilon 0", "above 0"]);
    says(&refused(&["--epsilon", "1.5"]), &["epsilon 1.5", "below 1"]);
    says(&refused(&["--reduce", "pca:1000"]), &["1000", "768"]);
    says(&refused(&["--reduce", "nmf:3"]), &["nmf:3", "pca:N"]);
    says(&refused(&["--lowest", "2000"]), &["lowest"]);
    says(&refused(&["--solver", "spgl1", "--iterations", "0"]), &["0 iterations"]);
    assert!(!place.path("model.safetensors").exists());
}

#[test]
fn clips_that_make_no_dictionary() {
    // Shorter than the slowest modulation, silent, and twice the same.
    for (case, words) in [
        ("short", &["short.wav", "too short", "--skip-bad"] as &[_]),
        ("silent", &["silent.wav", "silent", "--skip-bad"]),
    ] {
        let place = Place::new();
        corpus(&place, 2);
        let path = place.path(&format!("corpus/low/{case}.wav"));
        match case {
            "short" => tone(&path, 1.0, 22_050, 1, 210.0),
            _ => tone(&path, 4.0, 22_050, 1, 0.0),
        }
        says(&place.refused(&TRAIN), words);
        place.must(&with(&TRAIN, &["--skip-bad"]));
    }
    let place = Place::new();
    corpus(&place, 2);
    fs::copy(place.path("corpus/low/0.wav"), place.path("corpus/low/again.wav")).unwrap();
    says(&place.refused(&TRAIN), &["again", "multiples of each other"]);
    assert!(!place.path("model.safetensors").exists());
}

#[test]
fn consistent_errors_can_be_listened_to_and_rivals_are_compared() {
    let place = Place::new();
    // Two classes that nothing tells apart: there must be errors in every trial.
    for class in ["one", "other"] {
        for clip in 0..6 {
            let hertz = 300.0 + 40.0 * f64::from(clip) + f64::from(u8::from(class == "one"));
            tone(&place.path(&format!("twins/{class}/{clip}.wav")), 4.0, 22_050, 1, hertz);
        }
    }
    let said = place.must(&[
        "evaluate",
        "twins",
        "--classifier",
        "srcam",
        "--against",
        "logistic",
        "--folds",
        "3",
        "--trials",
        "2",
        "--shuffle-labels",
        "--permutations",
        "99",
        "--out",
        "twins-evaluation",
    ]);
    for words in ["against chance", "wrong in all 2 trials", "shuffled labels", "McNemar"] {
        assert!(said.contains(words), "no '{words}' in: {said}");
    }
    let folder = place.path("twins-evaluation");
    let json: serde_json::Value =
        serde_json::from_slice(&fs::read(folder.join("evaluation-random.json")).unwrap()).unwrap();
    let errors = json["consistency"]["consistent"].as_u64().unwrap() as usize;
    let page = fs::read_to_string(folder.join("index.html")).unwrap();
    assert_eq!(page.matches("<audio").count(), errors);
    for file in page.split("src=\"./").skip(1).filter_map(|rest| rest.split('"').next()) {
        assert!(folder.join(file).exists(), "{file}");
    }
    assert!(errors > 0, "{said}");
    let refused = place.refused(&["evaluate", "twins", "--classifier", "srcam", "--folds", "9"]);
    says(&refused, &["6 clips", "9 folds"]);
}

#[test]
fn recordings_are_relabelled_by_filtering_and_sets_transfer() {
    let place = Place::new();
    let model = crate::program::model().to_str().unwrap();
    let corpus = ["equalize", "--corpus", "synthetic", "--model", model, "--severity", "20"];
    says(&place.refused(&corpus), &["was trained on", "--held-out", "--on-training-clips"]);
    let equalize = with(&corpus, &["--on-training-clips"]);
    let quick = ["--budget", "60", "--threshold", "0.6", "--draws", "3", "--json"];
    let said = place.must(&with(&equalize, &quick));
    let found: serde_json::Value = serde_json::from_str(&said).unwrap();
    let at = &found["severities"][0];
    let attempts = at["attempts"].as_array().unwrap();
    assert_eq!(attempts.len(), 4 * 3);
    let reached = attempts.iter().filter(|attempt| attempt["reached"] == true).count();
    assert!(reached > 0, "{said}");
    for attempt in attempts {
        assert_ne!(attempt["target"], attempt["label_before"]);
        assert!(attempt["filter_db"].as_f64().unwrap() <= 20.0);
        assert!(attempt["log_spectral_distance_db"].as_f64().unwrap() > 0.0);
        let posterior = attempt["posterior"].as_f64().unwrap();
        // The threshold is not enough: the label must be the target.
        let relabelled = posterior >= 0.6 && attempt["label"] == attempt["target"];
        assert_eq!(relabelled, attempt["reached"] == true);
    }
    assert_eq!(found["exposure"], "trained-on");
    assert_eq!((&at["success"]["hits"], &at["success"]["of"]), (&reached.into(), &12.into()));
    let manifest: serde_json::Value =
        serde_json::from_slice(&fs::read(place.path("equalized/20-dB/manifest.json")).unwrap())
            .unwrap();
    for exhibit in manifest["exhibits"].as_array().unwrap() {
        let log_odds: Vec<f64> = serde_json::from_value(exhibit["log_odds"].clone()).unwrap();
        let own = log_odds[exhibit["class"].as_u64().unwrap() as usize];
        assert_eq!(log_odds.iter().filter(|&&other| other >= own).count(), 1, "{exhibit}");
    }
    assert_eq!(found["interventions"].as_array().unwrap().len(), 7);
    assert_eq!(found["deflation"][0]["within"][0]["draws"], 0);
    place.must(&["verify", "equalized/20-dB"]);
    // The model itself agrees with its own set; another may not.
    let own = place.must(&["transfer", "equalized/20-dB", "--model", model, "--json"]);
    let own: serde_json::Value = serde_json::from_str(&own).unwrap();
    for exhibit in own[0]["exhibits"].as_array().unwrap() {
        assert_eq!(exhibit["posterior"], exhibit["posterior_there"]);
    }
    assert_eq!(own[0]["exhibits"].as_array().unwrap().len(), reached);
    // The same seed gives the same sets.
    place.must(&with(&equalize, &["--budget", "60", "--threshold", "0.6", "--out", "again"]));
    let sets = ["equalized", "again"]
        .map(|set| crate::program::files(&place.path(&format!("{set}/20-dB"))));
    assert!(sets[0] == sets[1]);
}

#[test]
fn clips_of_groups_held_out_are_equalized_for_a_model_without_them() {
    let place = Place::new();
    let model = crate::program::model().to_str().unwrap();
    let equalize = ["equalize", "--corpus", "synthetic", "--model", model, "--held-out"];
    let quick = ["--severity", "20", "--budget", "30", "--threshold", "0.6", "--json"];
    let said = place.must(&with(&equalize, &with(&quick, &["--per-class", "2"])));
    let found: serde_json::Value = serde_json::from_str(&said).unwrap();
    assert_eq!(found["exposure"], "held-out");
    assert_eq!((&found["clips"], &found["right_share"]["of"]), (&8.into(), &8.into()));
    let success = &found["severities"][0]["success"];
    assert_eq!(success["of"], 8 * 3);
    let at = |name: &str| success[name].as_f64().unwrap();
    assert!(at("low") <= at("share") && at("share") <= at("high"), "{success}");
    // The model kept beside the sets is the one without the clips: they verify with it.
    let kept = fs::read(place.path("equalized/model.safetensors")).unwrap();
    assert_ne!(kept, fs::read(model).unwrap());
    place.must(&["verify", "equalized/20-dB"]);
    let refused = place.refused(&with(&equalize, &["--per-class", "1000"]));
    says(&refused, &["synthetic", "hold out 1000 of each class", "--per-class"]);
    let both = with(&equalize, &["--on-training-clips"]);
    assert_eq!(place.run(&both).code, Some(2));
}

#[test]
fn recordings_that_cannot_be_equalized() {
    let place = Place::new();
    let model = crate::program::model().to_str().unwrap();
    tone(&place.path("clip.wav"), 4.0, 22_050, 1, 440.0);
    tone(&place.path("silent.wav"), 4.0, 22_050, 1, 0.0);
    tone(&place.path("short.wav"), 1.0, 22_050, 1, 440.0);
    let refused = |clip: &str, more: &[&str]| {
        place.refused(&with(&["equalize", clip, "--model", model, "--budget", "5"], more))
    };
    says(&refused("nowhere.wav", &[]), &["nowhere.wav"]);
    says(&refused("silent.wav", &[]), &["silent.wav", "silent"]);
    says(&refused("short.wav", &[]), &["short.wav", "too short"]);
    says(&refused("clip.wav", &["--target", "polka"]), &["polka", "no class"]);
    says(&refused("clip.wav", &["--severity", "0"]), &["0 dB"]);
    says(&refused("clip.wav", &["--threshold", "1"]), &["threshold"]);
    assert!(!place.path("equalized").exists());
}
