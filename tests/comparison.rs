//! Series of seeds, and comparisons of runs.

use std::fs;

use crate::program::{FEW, Place, files, model};

/// A small series on the built-in bank, in a folder named after its emitter.
fn series(place: &Place, emitter: &str, seeds: &str) {
    let model = model().to_str().unwrap();
    let fixed = ["fool", model, "--bank", "synthetic-loops", "--seconds", "20", "--threshold"];
    let mut arguments = fixed.to_vec();
    arguments.extend(["0.9", "--budget", "150", "--emitter", emitter, "--seeds", seeds]);
    arguments.extend(["--out", emitter, "--quiet"]);
    arguments.extend(FEW);
    let said = place.must(&arguments);
    assert!(said.contains(&format!("trompe compare {emitter}")), "{said}");
}

fn json(place: &Place, file: &str) -> serde_json::Value {
    serde_json::from_slice(&fs::read(place.path(file)).unwrap()).unwrap()
}

#[test]
fn two_emitters_are_two_groups_of_seeds() {
    let place = Place::new();
    series(&place, "random", "3");
    series(&place, "climber", "3");
    let said = place.must(&["compare", "random", "climber", "--quiet"]);
    assert!(said.contains("A : B") && said.contains("comparison/index.html"), "{said}");

    let comparison = json(&place, "comparison/comparison.json");
    let groups = comparison["groups"].as_array().unwrap();
    assert_eq!(groups.len(), 2);
    for (group, emitter) in groups.iter().zip(["random", "climber"]) {
        assert_eq!(group["emitter"], emitter);
        let seeds: Vec<u64> = group["seeds"]
            .as_array()
            .unwrap()
            .iter()
            .map(|s| s["seed"].as_u64().unwrap())
            .collect();
        assert_eq!(seeds, [1, 2, 3]);
        assert_eq!(group["rubbish"]["of"], 51, "the runs share the random candidates");
        let own =
            group["levels"].as_array().unwrap().iter().find(|l| l["threshold"] == 0.9).unwrap();
        let pairs = own["coverage"]["pairs"].as_u64().unwrap();
        let delivered = own["coverage"]["delivered"].as_u64().unwrap();
        assert!(delivered > 0 && delivered <= pairs);
        assert_eq!(own["coverage"]["reached"], delivered, "what is scored is what is delivered");
        // Read again as delivered, every exhibit holds.
        let survival = group["survival"].as_array().unwrap();
        assert_eq!(survival[0]["levels"][0]["share"], 1.0);
        assert_eq!(survival.len(), 10);
    }
    let difference = &comparison["differences"][0];
    assert_eq!(difference["differ_in"], serde_json::json!(["emitter"]));
    // A ratio of evaluations stands exactly where the first random draws reach few.
    let searched = groups[1]["levels"].as_array().unwrap();
    for (level, group) in difference["levels"].as_array().unwrap().iter().zip(searched) {
        let many = group["in_draws"]["share"].as_f64().unwrap() > 0.1;
        assert!(!many || level["evaluations"].is_null(), "{level}");
        assert!(group["after_draws"]["of"].as_u64().unwrap() > 0);
    }
    assert!(groups[0]["levels"][0]["in_draws"].is_null(), "all candidates are random");

    let page = fs::read_to_string(place.path("comparison/index.html")).unwrap();
    assert!(page.contains("badge synthetic") && page.contains("data:audio/wav;base64,UklGR"));
    assert!(!page.contains("What people say"));
    let table = fs::read_to_string(place.path("comparison/comparison.csv")).unwrap();
    assert!(table.lines().count() > 100 && table.starts_with("group,against,measure"));

    // The same again is the same bytes, whatever the number of threads.
    place.must(&["compare", "random", "climber", "--out", "again", "--threads", "1", "--quiet"]);
    assert_eq!(files(&place.path("comparison")), files(&place.path("again")));
    // Single runs group as their series does.
    place.must(&["compare", "climber/seed-1", "climber/seed-3", "--out", "two", "--quiet"]);
    assert_eq!(
        json(&place, "two/comparison.json")["groups"][0]["seeds"].as_array().unwrap().len(),
        2
    );
}

#[test]
fn a_series_resumes_where_it_was_stopped() {
    let place = Place::new();
    series(&place, "random", "2");
    let whole = files(&place.path("random"));
    fs::remove_dir_all(place.path("random/seed-2")).unwrap();
    let refused = place.refused(&["compare", "random"]);
    assert!(refused.contains("random/seed-2") && refused.contains("--resume"), "{refused}");
    place.must(&["fool", "--resume", "random", "--quiet"]);
    assert_eq!(files(&place.path("random")), whole);
    let model = model().to_str().unwrap();
    let again = place.refused(&["fool", model, "--seeds", "2", "--out", "random"]);
    assert!(again.contains("already holds runs"), "{again}");
}

/// An excerpt that an intervention makes too short to be judged leaves out that intervention,
/// and nothing else.
#[test]
fn short_excerpts_are_compared_as_far_as_they_can_be() {
    let place = Place::new();
    let model = model().to_str().unwrap();
    let fool = ["fool", model, "--bank", "synthetic-loops", "--seconds", "3.1", "--quiet"];
    place.must(&[&fool[..], &FEW, &["--threshold", "0.5", "--budget", "40"]].concat());
    place.must(&["compare", "run", "--quiet"]);
    let comparison = json(&place, "comparison/comparison.json");
    let survival = comparison["groups"][0]["survival"].as_array().unwrap();
    let skipped = |of: &serde_json::Value| of["skipped"].as_str().map(str::to_owned);
    let cut = survival.iter().find(|of| of["intervention"] == "5 % cut from either end").unwrap();
    assert!(skipped(cut).unwrap().contains("too short"), "{cut}");
    assert_eq!(skipped(&survival[0]), None);
}

#[test]
fn what_cannot_be_compared_is_refused() {
    let place = Place::new();
    let refused = |arguments: &[&str], words: &[&str]| {
        let mut all = vec!["compare"];
        all.extend(arguments);
        let error = place.refused(&all);
        for word in words {
            assert!(error.contains(word), "no '{word}' in: {error}");
        }
        assert!(!place.path("comparison").exists());
    };
    refused(&["nowhere"], &["nowhere", "no run"]);
    series(&place, "random", "2");
    refused(&["random", "random/seed-1"], &["same seed", "random/seed-1"]);

    let model = model().to_str().unwrap();
    let other = ["fool", model, "--bank", "synthetic-loops", "--seconds", "20", "--budget", "60"];
    let mut high = other.to_vec();
    high.extend(["--threshold", "0.95", "--out", "high", "--quiet"]);
    high.extend(FEW);
    place.must(&high);
    refused(&["random", "high"], &["0.9", "0.95", "one threshold"]);

    fs::remove_file(place.path("high/report.json")).unwrap();
    refused(&["high"], &["high", "not finished", "--resume high"]);
    fs::write(place.path("high/report.json"), "{}").unwrap();
    refused(&["high"], &["report.json", "not a report"]);

    fs::write(place.path("study.json"), "{}").unwrap();
    refused(&["random", "--study", "study.json"], &["study.json", "listen analyze"]);
    let elsewhere = serde_json::json!({
        "schema_version": 1, "study": "other", "study_sha256": "", "simulated": true,
        "synthetic": true, "level": 0.95, "alpha": 0.05, "margin": 1.5,
        "dont_know": "guess", "fooling_sets": [],
    });
    fs::write(place.path("study.json"), elsewhere.to_string()).unwrap();
    refused(&["random", "--study", "study.json"], &["study.json", "none of the fooling sets"]);

    let wav = files(&place.path("random/seed-1/fooling-set"));
    let (name, _) =
        wav.iter().find(|(name, _)| name.ends_with(".wav") && !name.contains('/')).unwrap();
    fs::write(place.path(&format!("random/seed-1/fooling-set/{name}")), "no sound").unwrap();
    refused(&["random"], &[name, "altered"]);
}
