//! Runs and fooling sets that are moved, and runs that are resumed from another working folder.

use std::fs;
use std::path::Path;

use crate::images::net;
use crate::program::{FEW, Place, files, model};

/// Copies the folder `from` to `to`, which is made.
fn copy(from: &Path, to: &Path) {
    for (name, bytes) in files(from) {
        let path = to.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
}

/// A folder with a bank, a corpus of images and two models in it.
fn workshop() -> Place {
    let place = Place::new();
    for (collection, folder) in [("synthetic-loops", "bank"), ("synthetic-digits", "digits")] {
        let cached = place.must(&["corpus", "fetch", collection]);
        copy(Path::new(cached.trim()), &place.path(folder));
    }
    fs::copy(model(), place.path("model.safetensors")).unwrap();
    fs::copy(net(), place.path("net.safetensors")).unwrap();
    place
}

/// Removes what a run wrote last, resumes it from another folder, and compares.
fn resumes_from_elsewhere(run: &Path, lost: &[&str]) {
    let whole = files(run);
    for name in lost {
        let path = run.join(name);
        if path.is_dir() {
            fs::remove_dir_all(path).unwrap()
        } else {
            fs::remove_file(path).unwrap()
        }
    }
    assert!(files(run).len() < whole.len());
    let elsewhere = Place::new();
    elsewhere.must(&["fool", "--resume", run.to_str().unwrap(), "--quiet"]);
    assert!(files(run) == whole, "the resumed run has other bytes");
}

const UNFINISHED: [&str; 4] = ["fooling-set", "report.html", "report.json", "archive.json"];

#[test]
fn a_run_with_a_relative_bank_resumes_from_every_folder_and_when_moved() {
    let place = workshop();
    let fool = ["fool", "model.safetensors", "--bank", "bank", "--seconds", "6", "--quiet"];
    place.must(&[&fool[..], &FEW, &["--threshold", "0.6", "--budget", "60"]].concat());
    resumes_from_elsewhere(&place.path("run"), &UNFINISHED);

    let elsewhere = Place::new();
    let set = place.path("run/fooling-set");
    elsewhere.must(&["replay", set.to_str().unwrap()]);

    fs::rename(place.path("run"), elsewhere.path("moved")).unwrap();
    resumes_from_elsewhere(&elsewhere.path("moved"), &UNFINISHED);
}

#[test]
fn paths_of_a_configuration_file_and_of_a_series_do_not_depend_on_the_folder() {
    let place = workshop();
    let text = "model = 'model.safetensors'\nbank = './bank'\nbase_rate_candidates = 20\n";
    fs::write(place.path("fool.toml"), text).unwrap();
    let fool = ["fool", "--config", "fool.toml", "--seconds", "6", "--seeds", "2", "--quiet"];
    place.must(&[&fool[..], &["--threshold", "0.6", "--budget", "40"]].concat());
    // The second run of the series starts from another folder.
    resumes_from_elsewhere(&place.path("run"), &["seed-2"]);
}

#[test]
fn a_relative_corpus_of_tiles_does_not_depend_on_the_folder() {
    let place = workshop();
    fs::write(place.path("fool.toml"), "[image]\ngenerator = 'tiles'\ncorpus = 'digits'\n")
        .unwrap();
    let fool = ["fool", "net.safetensors", "--config", "fool.toml", "--quiet"];
    place.must(&[&fool[..], &["--threshold", "0.6", "--budget", "300"]].concat());
    resumes_from_elsewhere(&place.path("run"), &UNFINISHED);
}

/// A folder that happens to have a recipe's name is not the recipe.
#[test]
fn names_of_recipes_stay_names() {
    let place = workshop();
    fs::rename(place.path("bank"), place.path("synthetic-loops")).unwrap();
    let fool = ["fool", "model.safetensors", "--seconds", "6", "--budget", "40", "--quiet"];
    let both = place.refused(&[&fool[..], &["--bank", "synthetic-loops"]].concat());
    assert!(both.contains("both a collection"), "{both}");
    for (bank, kept) in [("./synthetic-loops", true), ("synthetic-loops", false)] {
        let run = if kept { "of-path" } else { "of-name" };
        let own = ["--bank", bank, "--threshold", "0.6", "--out", run];
        place.must(&[&fool[..], &FEW, &own].concat());
        let text = fs::read_to_string(place.path(run).join("run.toml")).unwrap();
        let settings: toml::Table = toml::from_str(&text).unwrap();
        let written = Path::new(settings["bank"].as_str().unwrap());
        assert_eq!(written.is_absolute(), kept, "{}", written.display());
        // The name is the recipe's alone from here on.
        if kept {
            fs::rename(place.path("synthetic-loops"), place.path("elsewhere")).unwrap();
        }
    }
}

#[test]
fn runs_of_one_bank_are_one_group_wherever_it_lies() {
    let place = workshop();
    copy(&place.path("bank"), &place.path("other/bank"));
    let fool = ["fool", "model.safetensors", "--seconds", "6", "--budget", "40", "--quiet"];
    for (seed, bank) in [("1", "bank"), ("2", "other/bank")] {
        let own =
            [FEW[0], FEW[1], "--threshold", "0.6", "--bank", bank, "--seed", seed, "--out", seed];
        place.must(&[&fool[..], &own].concat());
    }
    let said = place.must(&["compare", "1", "2", "--json", "--quiet"]);
    let compared: serde_json::Value = serde_json::from_str(&said).unwrap();
    assert_eq!(compared["groups"].as_array().map(Vec::len), Some(1), "{said}");
}

#[test]
fn a_set_moved_out_of_its_run_is_replayed() {
    for descriptor in ["none", "brightness-and-edges"] {
        let place = Place::new();
        fs::write(place.path("fool.toml"), format!("descriptor = '{descriptor}'\n")).unwrap();
        let net = net().to_str().unwrap();
        let fool = ["fool", net, "--config", "fool.toml", "--budget", "400", "--quiet"];
        place.must(&[&fool[..], &["--threshold", "0.6"]].concat());
        let elsewhere = Place::new();
        fs::rename(place.path("run/fooling-set"), elsewhere.path("set")).unwrap();
        let said = elsewhere.must(&["replay", "set", "--model", net]);
        assert!(said.contains("rebuilt bit by bit"), "{descriptor}: {said}");
    }
}
