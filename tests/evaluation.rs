//! What `train` and `evaluate` make of groups, of missing groups, and of training clips.

use std::fs;

use serde_json::Value;

use crate::bad_input::{says, tone};
use crate::program::{Place, model};

/// A corpus of tones with a manifest: (class, group) of every clip, without groups where the
/// group is empty.
fn corpus(place: &Place, name: &str, clips: &[(&str, &str)]) {
    let mut manifest = String::from("path,label,group\n");
    for (number, (class, group)) in clips.iter().enumerate() {
        let hertz = 200.0 * class.len() as f64 + 7.0 * number as f64;
        let file = format!("{number:02}.wav");
        tone(&place.path(&format!("{name}/{file}")), 4.0, 22_050, 1, hertz);
        manifest.push_str(&format!("{file},{class},{group}\n"));
    }
    fs::write(place.path(&format!("{name}/manifest.csv")), manifest).unwrap();
}

/// Three groups of two clips for each of two classes, and a third class in one group.
fn one_class_in_one_group() -> Vec<(&'static str, &'static str)> {
    let mut clips = Vec::new();
    for (class, groups) in [("low", ["a", "b", "c"]), ("higher", ["d", "e", "f"])] {
        clips.extend(groups.into_iter().flat_map(|group| [(class, group); 2]));
    }
    clips.extend([("the highest", "alone"); 6]);
    clips
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn notes(value: &Value) -> String {
    value.as_array().map_or(String::new(), |notes| format!("{notes:?}"))
}

#[test]
fn a_class_in_one_group_is_trained_on_named_and_not_tested() {
    let place = Place::new();
    corpus(&place, "corpus", &one_class_in_one_group());
    let train = ["train", "corpus", "--classifier", "logistic", "--force"];
    let ran = place.run(&train);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    says(&ran.stderr, &["the highest", "(alone)"]);
    says(&ran.stdout, &["18 excerpts", "3 classes", "12 items of 6 groups", "cross-fitted"]);
    says(&ran.stdout, &["no levels in higher, low, the highest", "T = "]);
    let said = json(&place.must(&[&train[..], &["--json"]].concat()));
    assert_eq!(said["reference"]["items"], 12);
    says(&notes(&said["notes"]), &["the highest", "nothing to train on"]);

    let evaluate = ["evaluate", "corpus", "--classifier", "logistic", "--folds", "5"];
    let said = place.must(&[&evaluate[..], &["--out", "found"]].concat());
    says(&said, &["random:", "grouped:", "note: class the highest not tested"]);
    says(&said, &["the 2 classes that both test", "(items independent)", "(by group)"]);
    let page = fs::read_to_string(place.path("found/index.html")).unwrap();
    says(&page, &["class the highest not tested", "by group"]);
    let found = json(
        &place.must(&[&evaluate[..], &["--json", "--against", "adabffs", "--rounds=9"]].concat()),
    );
    let tested = |division: &str| {
        let predictions = found[division]["trials"][0]["predictions"].as_array().unwrap();
        let of_the_third = predictions.iter().filter(|prediction| prediction["class"] == 1);
        (predictions.len(), of_the_third.count())
    };
    // Classes are numbered by name: higher, low, the highest.
    assert_eq!((tested("random").0, tested("grouped")), (18, (12, 6)));
    says(
        &notes(&found["grouped"]["notes"]),
        &["the highest", "every fold trains on its 6 excerpts"],
    );
    assert_eq!(found["random"]["notes"], Value::Null);
    assert_eq!(found["grouped"]["against_chance"]["by_group"]["groups"], 6);
    assert_eq!(found["random"]["against_chance"]["by_group"]["groups"], 7);
    assert!(found["grouped"]["rival"]["mcnemar"]["by_group"]["p"].as_f64().unwrap() <= 1.0);

    // More folds than groups: as many folds as there are groups, and that is said.
    let many =
        place.must(&["evaluate", "corpus", "--classifier=logistic", "--folds=9", "--by=grouped"]);
    says(&many, &["note: 6 folds instead of 9"]);
}

#[test]
fn where_no_group_can_be_held_out_the_rest_is_done() {
    let place = Place::new();
    let clips: Vec<_> = [("low", "a"), ("higher", "b")].into_iter().flat_map(|c| [c; 5]).collect();
    corpus(&place, "corpus", &clips);
    let ran = place.run(&["train", "corpus", "--classifier", "logistic"]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    says(&ran.stderr, &["note on the genuine reference", "higher, low", "one group"]);
    says(&ran.stdout, &["no genuine reference: no levels"]);
    let said = place.must(&["evaluate", "corpus", "--classifier", "logistic"]);
    says(&said, &["random:", "note: folds by group left out", "higher, low"]);
    assert!(!said.contains("grouped:"), "{said}");
    let refused = place.refused(&["evaluate", "corpus", "--classifier=logistic", "--by=grouped"]);
    says(&refused, &["higher, low", "one group", "add clips of other groups"]);
}

#[test]
fn random_folds_without_groups_say_what_accuracy_may_be() {
    let place = Place::new();
    let clips: Vec<_> = [("low", ""), ("higher", "")].into_iter().flat_map(|c| [c; 5]).collect();
    corpus(&place, "corpus", &clips);
    let evaluate = ["evaluate", "corpus", "--classifier", "logistic", "--out", "found"];
    let words = ["no groups", "accuracy may be knowledge of the source"];
    says(&place.must(&evaluate), &words);
    says(&fs::read_to_string(place.path("found/index.html")).unwrap(), &words);
    let found = json(&place.must(&[&evaluate[..4], &["--json"]].concat()));
    says(&notes(&found["random"]["notes"]), &words);
    assert_eq!(found["random"]["against_chance"]["by_group"], Value::Null);
    let ran = place.run(&["train", "corpus", "--classifier", "logistic"]);
    says(&ran.stderr, &words);
    // Where groups are known, nothing needs to be said.
    let said = place.must(&["evaluate", "synthetic", "--classifier", "logistic", "--folds", "3"]);
    assert!(!said.contains("note:"), "{said}");
}

#[test]
fn a_model_is_not_tested_on_what_it_was_trained_on() {
    let place = Place::new();
    let evaluate = |more: &[&str]| -> Vec<String> {
        [&["evaluate"], more].concat().into_iter().map(str::to_owned).collect()
    };
    let run = |arguments: Vec<String>| {
        place.run(&arguments.iter().map(String::as_str).collect::<Vec<_>>())
    };
    let refused = |more: &[&str], words: &[&str]| {
        let ran = run(evaluate(more));
        assert_eq!(ran.code, Some(2), "{more:?}: {}{}", ran.stdout, ran.stderr);
        says(&ran.stderr, words);
        says(&ran.stderr, &["--on-training-clips", "--split"]);
    };
    let model = model().to_str().unwrap();
    refused(&["synthetic", "--model", model], &["was trained on all 48 items", model]);
    // Asked for by name, it is done, and said everywhere.
    let wanted = ["synthetic", "--model", model, "--on-training-clips", "--out", "found"];
    let ran = run(evaluate(&wanted));
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    says(&ran.stdout, &["model:", "note:", "all 48 items", "how well it remembers"]);
    let page = fs::read_to_string(place.path("found/index.html")).unwrap();
    says(&page, &["how well it remembers", "wholly trained on"]);
    let found: Value =
        serde_json::from_slice(&fs::read(place.path("found/evaluation-model.json")).unwrap())
            .unwrap();
    assert_eq!(found["training_items"], 48);
    // Other clips of the same kind are other clips.
    let ran = run(evaluate(&["synthetic", "--seed", "9", "--model", model]));
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert!(!ran.stdout.contains("note: "), "{}", ran.stdout);
    let ran = run(evaluate(&["synthetic", "--on-training-clips"]));
    assert_eq!(ran.code, Some(2), "{}", ran.stdout);
}

#[test]
fn parts_of_a_corpus_are_known_as_training_clips() {
    let place = Place::new();
    let mut manifest = String::from("path,label,split\n");
    for number in 0..12 {
        let (class, split) = (["low", "high"][number % 2], ["train", "test"][number / 6]);
        let hertz = 200.0 + 900.0 * (number % 2) as f64 + 9.0 * number as f64;
        tone(&place.path(&format!("corpus/{number}.wav")), 4.0, 22_050, 1, hertz);
        manifest.push_str(&format!("{number}.wav,{class},{split}\n"));
    }
    fs::write(place.path("corpus/manifest.csv"), manifest).unwrap();
    let train = |split: &[&str], out: &str| {
        let train =
            ["train", "corpus", "--classifier=logistic", "--reference-folds=0", "--out", out];
        place.must(&[&train[..], split].concat());
    };
    train(&[], "whole.safetensors");
    train(&["--split=train"], "part.safetensors");
    let refused = |arguments: &[&str], words: &[&str]| {
        says(&place.refused(&[&["evaluate"], arguments].concat()), words);
    };
    refused(&["corpus", "--model=whole.safetensors", "--split=test"], &["all 6 items"]);
    refused(&["corpus", "--model=part.safetensors"], &["6 of the 12 items"]);
    refused(&["corpus", "--model=part.safetensors", "--split=train"], &["all 6 items"]);
    place.must(&["evaluate", "corpus", "--model=part.safetensors", "--split=test"]);
    // A folder that was moved holds the same clips.
    fs::rename(place.path("corpus"), place.path("moved")).unwrap();
    refused(&["moved", "--model=whole.safetensors"], &["all 12 items"]);
}

#[test]
fn images_that_a_net_was_trained_on_are_refused_too() {
    let place = Place::new();
    place.must(&["train", "synthetic-digits", "--classifier=logistic"]);
    let evaluate = ["evaluate", "synthetic-digits", "--model", "model.safetensors"];
    place.must(&evaluate);
    let on_training = [&evaluate[..], &["--split", "train"]].concat();
    says(&place.refused(&on_training), &["model.safetensors", "was trained on all"]);
    let said = place.must(&[&on_training[..], &["--on-training-clips"]].concat());
    says(&said, &["note: ", "how well it remembers"]);
}

#[test]
fn a_part_of_gtzan_has_the_genres_that_are_there() {
    let place = Place::new();
    for (genre, hertz) in [("blues", 300.0), ("rock", 900.0)] {
        for clip in 0..3 {
            let path = place.path(&format!("genres/{genre}/{genre}.0000{clip}.wav"));
            tone(&path, 4.0, 22_050, 1, hertz + 20.0 * f64::from(clip));
        }
    }
    let train = ["train", "genres", "--classifier=logistic", "--json"];
    let said = json(&place.must(&[&train[..], &["--reference-folds=0"]].concat()));
    assert_eq!(said["classes"], serde_json::json!(["blues", "rock"]));
    let checked = json(&place.must(&["corpus", "check", "genres", "--json"]));
    assert_eq!(checked["classes"].as_array().map(Vec::len), Some(2));
}
