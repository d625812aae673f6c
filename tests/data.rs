//! Corpora with several labels a clip and groups of several kinds; tables of features; damaged sound
//! that is concealed; banks that share sounds with the training corpus; scripts for clusters with odd paths.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use crate::bad_input::tone;
use crate::program::{FEW, Place, model};

/// Twelve clips of two classes, in a manifest with these further columns.
fn manifest(place: &Place, columns: &str, row: impl Fn(usize) -> String) {
    let mut text = format!("path,{columns}\n");
    for number in 0..12 {
        let hertz = if number % 2 == 0 { 210.0 } else { 1_900.0 } + 10.0 * number as f64;
        tone(&place.path(&format!("corpus/{number}.wav")), 4.0, 22_050, 1, hertz);
        text += &format!("{number}.wav,{}\n", row(number));
    }
    fs::write(place.path("corpus/manifest.csv"), text).unwrap();
}

#[test]
fn clips_with_several_labels_are_checked_and_left_out_of_training_by_name() {
    let place = Place::new();
    manifest(&place, "tags", |number| match number {
        10 => "low|loud".to_owned(),
        11 => "high|loud".to_owned(),
        number => if number % 2 == 0 { "low" } else { "high" }.to_owned(),
    });
    let checked: serde_json::Value =
        serde_json::from_str(&place.must(&["corpus", "check", "corpus", "--json"])).unwrap();
    assert_eq!(checked["clips_with_several_labels"], 2);
    let clips: Vec<_> = checked["classes"].as_array().unwrap().iter().collect();
    assert_eq!(clips.len(), 3);
    assert_eq!((&clips[0]["class"], &clips[0]["clips"]), (&"high".into(), &6.into()));
    let train = ["train", "corpus", "--classifier=logistic", "--calibration-folds=0", "--force"];
    let ran = place.run(&train);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    for words in ["left out 2 of 12 clips", "10.wav, 11.wav", "no clip is left of loud"] {
        assert!(ran.stderr.contains(words), "{}", ran.stderr);
    }
    manifest(&place, "tags", |_| "low|loud".to_owned());
    let refused = place.refused(&train);
    assert!(refused.contains("every clip of corpus corpus has several labels"), "{refused}");
}

#[test]
fn the_kind_of_group_that_folds_keep_together_is_chosen() {
    let place = Place::new();
    // Every clip an artist of its own, three tracks.
    manifest(&place, "label,artist,track", |number| {
        let class = if number % 2 == 0 { "low" } else { "high" };
        format!("{class},artist {number},track {}", number % 3)
    });
    let folds = |more: &[&str]| {
        let all = [
            &["evaluate", "corpus", "--classifier=logistic", "--by=grouped", "--folds=4"],
            more,
            &["--json"],
        ];
        let said: serde_json::Value = serde_json::from_str(&place.must(&all.concat())).unwrap();
        said.to_string()
    };
    assert_ne!(folds(&[]), folds(&["--group-by=track"]));
    assert_eq!(folds(&[]), folds(&["--group-by=artist"]));
    let grouped = ["evaluate", "corpus", "--classifier=logistic", "--group-by"];
    let refused = place.refused(&[&grouped[..], &["album"]].concat());
    assert!(refused.contains("no albums") && refused.contains("artist or track"), "{refused}");
    fs::write(place.path("features.npz"), "").unwrap();
    let refused = place.refused(&["train", "features.npz", "--group-by=artist"]);
    assert!(refused.contains("--group-by works for corpora of clips only"), "{refused}");
}

/// A small corpus: its name, what makes it as `data`, and whether it can be trained on.
type Small = (&'static str, fn(&Place), bool);

const SMALL: [Small; 13] = [
    ("two clips of two classes", |place| tones(place, &["a/1", "a/2", "b/1", "b/2"]), true),
    ("one class", |place| tones(place, &["a/1", "a/2"]), false),
    ("a class of one clip", |place| tones(place, &["a/1", "a/2", "b/1"]), false),
    (
        "a class without clips",
        |place| {
            tones(place, &["a/1", "a/2", "b/1", "b/2"]);
            fs::create_dir(place.path("data/c")).unwrap();
        },
        false,
    ),
    (
        "a class in the test part alone",
        |place| tones(place, &["train/a/1", "train/a/2", "test/a/3", "test/b/1", "test/b/2"]),
        false,
    ),
    (
        "both classes in both parts",
        |place| tones(place, &["train/a/1", "train/b/1", "test/a/2", "test/b/2"]),
        true,
    ),
    (
        "a clip too short for a feature vector",
        |place| {
            tones(place, &["a/1", "a/2", "b/1", "b/2"]);
            tone(&place.path("data/b/3.wav"), 0.1, 22_050, 1, 900.0);
        },
        false,
    ),
    (
        "a class of one group each",
        |place| {
            tones(place, &["1", "2", "3b", "4b"]);
            let rows = "path,label,group\n1.wav,a,x\n2.wav,a,x\n3b.wav,b,y\n4b.wav,b,y\n";
            fs::write(place.path("data/manifest.csv"), rows).unwrap();
        },
        true,
    ),
    (
        "clips of several labels",
        |place| {
            tones(place, &["1", "2"]);
            let rows = "path,tags\n1.wav,a|b\n2.wav,a|b\n";
            fs::write(place.path("data/manifest.csv"), rows).unwrap();
        },
        false,
    ),
    ("an image a class", |place| pictures(place, &["a/1", "b/1"]), true),
    ("images of one class", |place| pictures(place, &["a/1", "a/2"]), false),
    (
        "images of a class in the test part alone",
        |place| pictures(place, &["train/a/1", "test/a/2", "test/b/1"]),
        false,
    ),
    (
        "images of both classes in both parts",
        |place| pictures(place, &["train/a/1", "train/b/1", "test/a/2", "test/b/2"]),
        true,
    ),
];

fn tones(place: &Place, names: &[&str]) {
    for (number, name) in names.iter().enumerate() {
        let hertz = if name.contains('b') { 1_900.0 } else { 210.0 } + 10.0 * number as f64;
        tone(&place.path(&format!("data/{name}.wav")), 4.0, 22_050, 1, hertz);
    }
}

/// Pictures of two by two pixels.
fn pictures(place: &Place, names: &[&str]) {
    for (number, name) in names.iter().enumerate() {
        let path = place.path(&format!("data/{name}.png"));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let shape = trompe::corpora::ImageShape::grey(2, 2);
        let pixels = vec![number as u8, 200, 10 * number as u8, 7];
        trompe::corpora::images::write_png(&path, &trompe::corpora::Image { shape, pixels })
            .unwrap();
    }
}

#[test]
fn check_accepts_what_train_accepts_and_nothing_else() {
    for (name, make, accepted) in SMALL {
        let place = Place::new();
        make(&place);
        let how = if name.contains("image") { "--classifier=logistic" } else { "--rounds=5" };
        let check = place.run(&["corpus", "check", "data"]);
        let train = place.run(&["train", "data", how]);
        let said = format!("{name}\n{}{}\n{}", check.stdout, check.stderr, train.stderr);
        assert_eq!(train.code, Some(if accepted { 0 } else { 2 }), "{said}");
        assert_eq!(check.code, Some(if accepted { 0 } else { 1 }), "{said}");
        // Of what they refuse, and of a genuine reference that there will not be, both say the same.
        let (none, mut reasons) = ("no genuine reference: ", 0);
        let refusals = ["no classifier can be trained on it: ", "bad: "];
        for before in if accepted { vec![none] } else { refusals.to_vec() } {
            if let Some((_, why)) = check.stdout.split_once(before) {
                assert!(train.stderr.contains(why.lines().next().unwrap()), "{said}");
                reasons += 1;
            }
        }
        if accepted {
            assert_eq!(check.stdout.contains(none), train.stderr.contains(none), "{said}");
        }
        assert!(accepted || reasons == 1, "{said}");
    }
}

#[test]
fn features_are_checked_as_they_are_trained_on() {
    let place = Place::new();
    let table = |labels: [&str; 4]| {
        let rows = labels.iter().enumerate();
        let rows = rows.map(|(n, label)| format!("{n}.wav,{n}.5,{}.25,{label}\n", 3 * n));
        let text = format!("filename,mean,var,label\n{}", rows.collect::<String>());
        fs::write(place.path("features.csv"), text).unwrap();
    };
    let train = ["train", "features.csv", "--classifier=logistic", "--force"];
    table(["a", "a", "b", "b"]);
    place.must(&["corpus", "check", "features.csv"]);
    place.must(&train);
    table(["a", "a", "a", "a"]);
    let refused = place.refused(&["corpus", "check", "features.csv"]);
    assert_eq!(refused, place.refused(&train));
}

#[test]
fn a_table_of_features_is_read_as_npz_is() {
    let place = Place::new();
    let mut table = "filename,length,mean,var,label\n".to_owned();
    for number in 0..24 {
        let (genre, centre) = if number % 2 == 0 { ("blues", 0.0) } else { ("rock", 5.0) };
        let spread = f64::from(number * 7 % 11) / 10.0;
        table += &format!("{genre}.{number:05}.wav,661794,{},{spread},{genre}\n", centre + spread);
    }
    fs::write(place.path("features_30_sec.csv"), &table).unwrap();
    let checked: serde_json::Value =
        serde_json::from_str(&place.must(&["corpus", "check", "features_30_sec.csv", "--json"]))
            .unwrap();
    assert_eq!((&checked["vectors"], &checked["features"]), (&24.into(), &2.into()));
    assert_eq!(checked["classes"][1]["class"], "rock");
    let logistic = ["features_30_sec.csv", "--classifier=logistic"];
    place.must(&[&["train"], &logistic[..], &["--reference-folds=0"]].concat());
    let said = place.must(&[&["evaluate"], &logistic[..], &["--folds=3", "--json"]].concat());
    assert!(serde_json::from_str::<serde_json::Value>(&said).is_ok());
    fs::write(place.path("features_30_sec.csv"), table.replace(",0.7,", ",high,")).unwrap();
    for verb in ["train", "evaluate"] {
        let refused = place.refused(&[&[verb, "--force"], &logistic[..]].concat());
        let words = ["features_30_sec.csv", "line ", "var is \"high\""];
        assert!(words.iter().all(|word| refused.contains(word)), "{refused}");
    }
}

#[test]
fn damaged_sound_is_concealed_where_that_is_asked_for() {
    let place = Place::new();
    manifest(&place, "label", |number| if number % 2 == 0 { "low" } else { "high" }.to_owned());
    let part = fs::read("corpora/tests/formats/mono.mp3").unwrap();
    let mut damaged = part.repeat(10);
    let middle = damaged.len() / 2;
    damaged[middle..middle + 100].fill(0);
    fs::write(place.path("corpus/damaged.mp3"), damaged).unwrap();
    let table = fs::read_to_string(place.path("corpus/manifest.csv")).unwrap();
    fs::write(place.path("corpus/manifest.csv"), table + "damaged.mp3,low\n").unwrap();
    let train = ["train", "corpus", "--classifier=logistic", "--reference-folds=0"];
    let refused = place.refused(&train);
    assert!(refused.contains("damaged.mp3") && refused.contains("missing at 2."), "{refused}");
    assert_eq!(place.run(&["corpus", "check", "corpus"]).code, Some(1));
    let said = place.must(&["corpus", "check", "corpus", "--conceal"]);
    let words =
        ["damaged.mp3: damaged or missing, read as silence", "at 2.", "1 read with silence"];
    assert!(words.iter().all(|word| said.contains(word)), "{said}");
    let ran = place.run(&[&train[..], &["--conceal"]].concat());
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let said = ran.stderr + &ran.stdout;
    assert!(said.contains(words[0]), "{said}");
    let digits = ["train", "synthetic-digits", "--classifier=lenet-5", "--conceal", "--force"];
    let refused = place.refused(&digits);
    assert!(refused.contains("--conceal works for clips only"), "{refused}");
}

#[test]
fn a_bank_that_shares_files_with_the_training_corpus_is_reported() {
    let place = Place::new();
    let model = model().to_str().unwrap();
    let clip = walkdir::WalkDir::new(place.cache().join("collections"))
        .into_iter()
        .map(|entry| entry.unwrap().into_path())
        .find(|path| path.ends_with("pulse/pulse.00000.wav"))
        .unwrap();
    fs::create_dir(place.path("bank")).unwrap();
    for hertz in [200.0, 300.0, 400.0, 500.0, 600.0] {
        tone(&place.path(&format!("bank/{hertz}.wav")), 1.0, 22_050, 1, hertz);
    }
    let fool = |out: &str| {
        let arguments = [
            &["fool", model, "--bank", "bank", "--budget", "32", "--seconds", "6"],
            &FEW[..],
            &["--out", out],
        ]
        .concat();
        let ran = place.run(&arguments);
        assert_eq!(ran.code, Some(0), "{}", ran.stderr);
        let report = fs::read_to_string(place.path(out).join("report.json")).unwrap();
        let page = fs::read_to_string(place.path(out).join("report.html")).unwrap();
        (ran.stderr, report, page)
    };
    let said = "share 1 file (copied.wav)";
    let (stderr, report, page) = fool("apart");
    assert!(!stderr.contains("share") && !report.contains("shared_sources"), "{stderr}");
    assert!(!page.contains(said));
    fs::copy(clip, place.path("bank/copied.wav")).unwrap();
    let (stderr, report, page) = fool("shared");
    assert!(stderr.contains(said) && stderr.contains("training corpus synthetic"), "{stderr}");
    assert!(report.contains(said) && page.contains(said));
}

#[test]
fn slurm_s_numbers_with_clusters_and_program_paths_with_spaces_are_read() {
    let place = Place::new();
    let model = model().to_str().unwrap();
    let plan = [
        &["fool", "plan", model, "--bank", "synthetic-loops", "--budget", "64", "--seconds", "6"],
        &FEW[..],
        &["--rounds", "2", "--shards", "2", "--engine", "slurm", "--out", "run"],
    ];
    place.must(&plan.concat());
    let script = |name: &str, text: &str| {
        let path = place.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        path
    };
    let log = place.path("log");
    // Stands for sbatch on several clusters: runs what it is given, which is the last argument.
    let sbatch = format!(
        "echo \"$@\" >> '{log}'\nfor last; do :; done\nSLURM_ARRAY_TASK_ID=0 sh -c \"$last\" >&2\n\
         echo '7;alpha'",
        log = log.display()
    );
    script("bin/sbatch", &sbatch);
    let program = script("a place/it's here", "echo \"ran $*\"");
    let path = format!("{}:{}", place.path("bin").display(), std::env::var("PATH").unwrap());
    let output = Command::new("sh")
        .arg(place.path("run/submit-slurm.sh"))
        .env("PATH", path)
        .env("TROMPE", program)
        .output()
        .unwrap();
    let (out, err) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{err}");
    assert!(out.contains("round 1: array 7, merge 7") && !out.contains(';'), "{out}");
    assert_eq!(err.matches("ran --quiet --threads 1 fool shard").count(), 2, "{err}");
    let log = fs::read_to_string(log).unwrap();
    assert!(
        log.contains("afterany:7 ") && log.contains("afterok:7 ") && !log.contains(";alpha"),
        "{log}"
    );
}
