//! Pages of fooling sets: what stands beside the exhibits, and sites of several sets.

use std::fs;

use serde_json::Value;

use crate::program::{FEW, Place, files, model};

fn json(place: &Place, file: &str) -> Value {
    serde_json::from_slice(&fs::read(place.path(file)).unwrap()).unwrap()
}

/// A small run with excerpts of ten seconds, in `out`.
fn fool(place: &Place, out: &str, more: &[&str]) {
    let model = model().to_str().unwrap();
    let fool = ["fool", model, "--bank", "synthetic-loops", "--seconds", "10", "--quiet"];
    let few = ["--threshold", "0.6", "--budget", "200", "--out", out];
    place.must(&[&fool[..], &few, &FEW, more].concat());
}

#[test]
fn genuine_clips_and_loops_stand_beside_excerpts() {
    let place = Place::new();
    fool(&place, "run", &["--threads", "1"]);
    let manifest = json(&place, "run/fooling-set/manifest.json");
    let companions = json(&place, "run/fooling-set/companions.json");
    let page = fs::read_to_string(place.path("run/fooling-set/index.html")).unwrap();
    let exhibits = manifest["exhibits"].as_array().unwrap();
    assert!(!exhibits.is_empty());
    for exhibit in exhibits {
        let genuine = &companions["genuine"][exhibit["label"].as_str().unwrap()];
        assert_eq!(
            (&genuine["class"], &genuine["collection"]),
            (&exhibit["label"], &"synthetic".into())
        );
        let mut beside = vec![genuine];
        for part in exhibit["descriptions"].as_array().unwrap() {
            beside.push(&companions["parts"][part.as_str().unwrap()]);
            assert_eq!(beside.last().unwrap()["name"], *part);
        }
        for companion in beside {
            assert!(companion["licence"].as_str().unwrap().contains("MIT"), "{companion}");
            let file = companion["copy"]["file"].as_str().unwrap();
            assert!(place.path(&format!("run/fooling-set/{file}")).is_file());
            assert!(page.contains(&format!("src=\"./{file}\"")), "{file}");
        }
        let file = format!("run/fooling-set/{}", genuine["copy"]["file"].as_str().unwrap());
        let reader = hound::WavReader::open(place.path(&file)).unwrap();
        // Clips of this corpus are shorter than these excerpts, and stay as long as they are.
        assert_eq!(reader.duration(), 7 * reader.spec().sample_rate);
    }

    // The set is the same from a run that is made again, and from one that is ended again.
    let set = files(&place.path("run/fooling-set"));
    fool(&place, "again", &["--threads", "3"]);
    assert_eq!(files(&place.path("again/fooling-set")), set);
    fs::remove_dir_all(place.path("again/fooling-set")).unwrap();
    place.must(&["fool", "--resume", "again", "--quiet"]);
    assert_eq!(files(&place.path("again/fooling-set")), set);

    // They are no exhibits: nothing is claimed of them, and nothing needs them.
    let judged = place.run(&["predict", model().to_str().unwrap(), "run/fooling-set", "--json"]);
    let judged: Value = serde_json::from_str(&judged.stdout).unwrap();
    assert_eq!(judged.as_array().unwrap().len(), exhibits.len());
    let verified = place.must(&["verify", "run/fooling-set"]);
    fs::remove_dir_all(place.path("run/fooling-set/companions")).unwrap();
    fs::remove_file(place.path("run/fooling-set/companions.json")).unwrap();
    assert_eq!(place.must(&["verify", "run/fooling-set"]), verified);
}

#[test]
fn a_gallery_holds_every_set_and_is_never_written_over() {
    let place = Place::new();
    fool(&place, "first", &[]);
    fool(&place, "second", &["--seed", "2"]);
    let said = place.must(&["gallery", "first", "second/fooling-set", "--out", "site", "--quiet"]);
    assert!(said.contains("of 2 sets") && said.contains("site/index.html"), "{said}");
    for run in ["first", "second"] {
        // The files are those of the sets; of the table there is none.
        let mut set = files(&place.path(&format!("{run}/fooling-set")));
        set.retain(|(name, _)| name != "exhibits.csv");
        assert_eq!(files(&place.path(&format!("site/{run}/fooling-set"))), set);
        let report = |folder: &str| fs::read(place.path(&format!("{folder}/report.html"))).unwrap();
        assert_eq!(report(run), report(&format!("site/{run}")));
    }
    place.must(&["gallery", "first", "second", "--out", "again", "--threads", "1", "--quiet"]);
    assert_eq!(files(&place.path("again")), files(&place.path("site")));

    let refused = place.refused(&["gallery", "first", "--out", "site"]);
    assert!(refused.contains("site already holds something"), "{refused}");
    let exhibit = json(&place, "first/fooling-set/manifest.json")["exhibits"][0]["file"].clone();
    fs::write(place.path(&format!("first/fooling-set/{}", exhibit.as_str().unwrap())), "x")
        .unwrap();
    assert!(place.refused(&["gallery", "first", "--out", "new"]).contains("altered"));
    assert!(place.refused(&["gallery", "nothing", "--out", "new"]).contains("nothing"));
    assert!(!place.path("new").exists());
}
