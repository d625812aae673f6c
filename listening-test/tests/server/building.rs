//! Building a study: what is refused, what is found changed, what is the same twice.

use std::collections::BTreeMap;
use std::path::Path;

use trompe_listening_test::answer_key::Role;
use trompe_listening_test::build::{BuildArguments, build, reseal};
use trompe_listening_test::plan::plans;
use trompe_listening_test::static_export::export_static;
use trompe_listening_test::study::{Policy, Task};
use trompe_listening_test::study_folder::StudyFolder;

use super::sample::{CLASSES, Sample};

fn again(sample: &Sample, out: &str, seed: u64) -> BuildArguments {
    BuildArguments {
        out: sample.folder.path().join(out),
        contact: "lab@example.org".into(),
        retain_until: "2030-12-31".into(),
        fooling_sets: vec![sample.folder.path().join("set")],
        real: vec![sample.folder.path().join("real")],
        seed,
        ..BuildArguments::default()
    }
}

fn contents(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in
        std::fs::read_dir(folder).unwrap().chain(std::fs::read_dir(folder.join("stimuli")).unwrap())
    {
        let path = entry.unwrap().path();
        if path.is_file() {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            found.insert(name, std::fs::read(path).unwrap());
        }
    }
    found
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_clips_share_one_loudness() {
    let sample = Sample::new(10, Policy::Covariate);
    let report = build(&again(&sample, "one", 3)).unwrap();
    assert_eq!(report, build(&again(&sample, "two", 3)).unwrap());
    let folders = ["one", "two"].map(|name| contents(&sample.folder.path().join(name)));
    assert_eq!(folders[0], folders[1]);
    build(&again(&sample, "three", 4)).unwrap();
    let other = contents(&sample.folder.path().join("three"));
    let shared = other.keys().filter(|name| folders[0].contains_key(*name)).count();
    assert_eq!(shared, 4, "stimuli have the same names under another seed");
    assert!(report.worst_distance_lu < 0.1, "{report:?}");
    assert!(report.highest_peak <= -1.0 && report.common_lufs.unwrap() <= -23.0, "{report:?}");
    for (name, bytes) in &folders[0] {
        let private = ["key.json", "study.toml", "loudness.csv"].contains(&name.as_str());
        let tells = |word: &str| bytes.windows(word.len()).any(|w| w == word.as_bytes());
        assert!(private || !CLASSES.iter().any(|class| tells(class)), "{name} tells a label");
    }
}

#[test]
fn bad_material_is_refused_by_name_and_leaves_nothing() {
    let sample = Sample::new(10, Policy::Off);
    let real = sample.folder.path().join("real");
    let silent = real.join("rock/silent.wav");
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: 8000,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut writer = hound::WavWriter::create(&silent, spec).unwrap();
    (0..8000).for_each(|_| writer.write_sample(0i16).unwrap());
    writer.finalize().unwrap();
    let refused = |file: &Path, what: &str| {
        let error = build(&again(&sample, "refused", 1)).unwrap_err().to_string();
        assert!(error.contains(&*file.to_string_lossy()) && error.contains(what), "{error}");
        let left: Vec<_> = std::fs::read_dir(sample.folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
            .filter(|name| name.contains("partial") || name == "refused")
            .collect();
        assert!(left.is_empty(), "{left:?}");
    };
    refused(&silent, "silent");
    std::fs::write(&silent, b"RIFF????WAVEfmt ").unwrap();
    refused(&silent, "WAV");
    std::fs::remove_file(&silent).unwrap();
    let exhibit = sample.folder.path().join("set/0.wav");
    let whole = std::fs::read(&exhibit).unwrap();
    std::fs::write(&exhibit, &whole[..whole.len() - 2]).unwrap();
    refused(&exhibit, "manifest");
    std::fs::write(&exhibit, &whole).unwrap();
    let strange = real.join("polka");
    std::fs::create_dir(&strange).unwrap();
    std::fs::copy(&exhibit, strange.join("a.wav")).unwrap();
    refused(&real, "classes");
}

#[test]
fn exhibits_that_are_no_exhibits_are_refused_by_file() {
    let sample = Sample::new(10, Policy::Off);
    let set = sample.folder.path().join("set");
    let path = set.join("manifest.json");
    let sound: serde_json::Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    let refused = |change: &dyn Fn(&mut serde_json::Value), words: &[&str]| {
        let mut manifest = sound.clone();
        change(&mut manifest);
        std::fs::write(&path, manifest.to_string()).unwrap();
        let error = build(&again(&sample, "refused", 1)).unwrap_err().to_string();
        let of_file = path.to_string_lossy();
        for word in words.iter().chain([&&*of_file, &"; "]) {
            assert!(error.contains(word), "no {word:?} in {error}");
        }
        assert!(!sample.folder.path().join("refused").exists());
    };
    // One file under two labels: the second exhibit is a copy of the first.
    refused(
        &|manifest| {
            std::fs::copy(set.join("0.wav"), set.join("1.wav")).unwrap();
            manifest["exhibits"][1]["sha256"] = manifest["exhibits"][0]["sha256"].clone();
        },
        &["0.wav", "blues", "1.wav", "jazz", "same SHA-256", "leave the exhibit out"],
    );
    refused(
        &|manifest| manifest["exhibits"][0]["log_odds"][3] = 7.5.into(),
        &["0.wav", "blues", "highest log-odds are those of \"pop\"", "leave the exhibit out"],
    );
    refused(
        &|manifest| manifest["exhibits"][0]["log_odds"][4] = 7.0.into(),
        &["0.wav", "blues", "rock", "exactly equal", "leave the exhibit out"],
    );
    refused(&|manifest| manifest["exhibits"][0]["class"] = 1.into(), &["0.wav", "class 1"]);
    refused(&|manifest| manifest["exhibits"][0]["class"] = 9.into(), &["0.wav", "class 9"]);
    refused(
        &|manifest| manifest["exhibits"][0]["log_odds"] = vec![1.0].into(),
        &["0.wav", "1 log-odds for 5 classes"],
    );
    refused(
        &|manifest| drop(manifest["exhibits"][0].as_object_mut().unwrap().remove("log_odds")),
        &["log_odds", "trompe verify"],
    );
    refused(&|manifest| manifest["exhibits"][0]["label"] = "polka".into(), &["0.wav", "polka"]);
}

#[test]
fn a_changed_file_is_found_and_a_changed_design_can_be_accepted() {
    let sample = Sample::new(10, Policy::Off);
    let root = sample.study();
    let folder = StudyFolder::open(&root).unwrap();
    let stimulus = root.join("stimuli").join(&folder.answer_key.items[0].stimuli[0]);
    let whole = std::fs::read(&stimulus).unwrap();
    let found = |what: &str| {
        let error = StudyFolder::open(&root).unwrap_err().to_string();
        assert!(error.contains(what), "{error}");
    };
    std::fs::write(&stimulus, &whole[1..]).unwrap();
    found("does not match its hash");
    std::fs::remove_file(&stimulus).unwrap();
    found("missing");
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink("/etc/passwd", &stimulus).unwrap();
        found("not a stimulus");
        std::fs::remove_file(&stimulus).unwrap();
    }
    std::fs::write(&stimulus, &whole).unwrap();
    let design = root.join("study.toml");
    let text = std::fs::read_to_string(&design).unwrap();
    std::fs::write(&design, text.replace("free_text = false", "free_text = true")).unwrap();
    found("does not match its hash");
    reseal(&root).unwrap();
    assert!(StudyFolder::open(&root).unwrap().study.trial.free_text);
    std::fs::write(&design, text.replace("free_text", "fre_text")).unwrap();
    assert!(reseal(&root).unwrap_err().to_string().contains("fre_text"));
}

#[test]
fn an_edited_design_is_followed_or_refused() {
    let sample = Sample::new(10, Policy::Covariate);
    let design = sample.study().join("study.toml");
    let text = std::fs::read_to_string(&design).unwrap();
    let edited = |changes: &[(&str, &str)]| {
        let edit = |text: String, (from, to): &(&str, &str)| {
            assert!(text.contains(from), "{from}");
            text.replace(from, to)
        };
        std::fs::write(&design, changes.iter().fold(text.clone(), edit)).unwrap();
        reseal(&sample.study()).map_err(|error| error.to_string())
    };

    edited(&[
        ("practice = 1", "practice = 0"),
        ("catch = 2", "catch = 1"),
        ("trials = 6", "trials = 5"),
    ])
    .unwrap();
    let folder = StudyFolder::open(&sample.study()).unwrap();
    let plan = &plans(&folder)[0];
    let steps = |role| {
        let items = plan.iter().filter_map(|step| folder.item(step.item()?));
        items.filter(|item| item.role == role).count()
    };
    let roles = [Role::Practice, Role::Catch, Role::Huggins, Role::Antiphase, Role::LeftRight];
    assert_eq!(roles.map(steps), [0, 1, 5, 5, 2]);

    for (from, to, refusal) in [
        ("practice = 1", "practice = 2", "2 practice items, there are 1"),
        ("catch = 2", "catch = 5", "5 catch items, there are 4"),
        ("trials = 6", "trials = 7", "7 Huggins trials, there are 6"),
    ] {
        let refused = edited(&[(from, to)]).unwrap_err();
        assert!(refused.contains(refusal), "{refused}");
    }
}

#[test]
fn a_folder_without_server_tells_no_label() {
    let sample = Sample::new(10, Policy::Covariate);
    let out = sample.folder.path().join("static");
    export_static(&sample.study(), &out).unwrap();
    let folder = StudyFolder::open(&sample.study()).unwrap();
    let data = std::fs::read_to_string(out.join("page/study.js")).unwrap();
    for secret in ["secretsystem", "posterior", "0.999", "condition", "seed"] {
        assert!(!data.contains(secret), "{secret} is told");
    }
    let json: serde_json::Value = serde_json::from_str(
        data.trim().strip_prefix("window.trompeFolder = ").unwrap().trim_end_matches(';'),
    )
    .unwrap();
    for view in json["plans"].as_array().unwrap().iter().flat_map(|plan| plan.as_array().unwrap()) {
        let told = view["kind"] == "practice" || !view["told"].is_null();
        let text = view.to_string();
        assert!(told || !CLASSES.iter().any(|class| text.contains(class)), "{text}");
    }
    assert_eq!(
        std::fs::read_dir(out.join("stimuli")).unwrap().count(),
        folder.answer_key.items.iter().map(|item| item.stimuli.len()).sum::<usize>()
    );
}

#[test]
fn pairs_and_ratings_carry_the_names_that_folders_give_them() {
    let sample = Sample::new(10, Policy::Off);
    let root = sample.folder.path();
    let clip = |n: usize| root.join(format!("set/{n}.wav"));
    let copy = |from: usize, to: &str| {
        let to = root.join(to);
        std::fs::create_dir_all(to.parent().unwrap()).unwrap();
        std::fs::copy(clip(from), to).unwrap();
    };
    for pair in 0..6 {
        copy(pair, &format!("pairs/{pair}/old.wav"));
        copy(pair + 10, &format!("pairs/{pair}/new.wav"));
        copy(pair, &format!("loose/{pair}/{pair}.wav"));
        copy(pair + 10, &format!("loose/{pair}/other.wav"));
        copy(pair, &format!("rated/plain/{pair}.wav"));
        copy(pair + 10, &format!("rated/fancy/{pair}.wav"));
    }
    let arguments = BuildArguments {
        fooling_sets: Vec::new(),
        real: Vec::new(),
        pairs: vec![root.join("pairs"), root.join("loose")],
        pair_task: Task::Ab,
        ratings: vec![root.join("rated")],
        ..again(&sample, "judged", 5)
    };
    let built = build(&arguments).unwrap();
    let expected = [("ab", 6), ("ab:new/old", 6), ("likert:fancy", 6), ("likert:plain", 6)];
    for (condition, count) in expected {
        assert_eq!(built.items.get(condition), Some(&count), "{:?}", built.items);
    }
    let folder = StudyFolder::open(&arguments.out).unwrap();
    for item in folder.answer_key.items.iter().filter(|item| item.condition == "ab:new/old") {
        let new_is_a = item.source.split(" | ").next().unwrap().ends_with("new.wav");
        assert_eq!(item.truth, if new_is_a { "A" } else { "B" }, "{item:?}");
    }
    let unnamed = folder.answer_key.items.iter().filter(|item| item.condition == "ab");
    assert!(unnamed.into_iter().all(|item| item.truth.is_empty()));
}

#[test]
fn nothing_but_listening_tells_which_of_a_and_b_is_x() {
    let sample = Sample::new(10, Policy::Off);
    let root = sample.folder.path();
    for pair in 0..8 {
        let folder = root.join(format!("pairs/{pair}"));
        std::fs::create_dir_all(&folder).unwrap();
        for (from, to) in [(pair, "old.wav"), (pair + 10, "new.wav")] {
            std::fs::copy(root.join(format!("set/{from}.wav")), folder.join(to)).unwrap();
        }
    }
    let arguments = BuildArguments {
        fooling_sets: Vec::new(),
        real: Vec::new(),
        pairs: vec![root.join("pairs")],
        pair_task: Task::Abx,
        ..again(&sample, "abx", 5)
    };
    build(&arguments).unwrap();
    let folder = StudyFolder::open(&arguments.out).unwrap();
    let items: Vec<_> =
        folder.answer_key.items.iter().filter(|item| item.condition == "abx").collect();
    assert_eq!(items.len(), 8);
    for item in &items {
        let [a, b, x] = [0, 1, 2].map(|place| {
            std::fs::read(arguments.out.join("stimuli").join(&item.stimuli[place])).unwrap()
        });
        assert_eq!((a.len(), b.len()), (x.len(), x.len()));
        assert!(a != x && b != x, "{item:?}");
        // nor do samples: where X is a copy, most of them differ by a step or so
        let same = |other: &[u8]| {
            let pairs = || x[44..].chunks_exact(2).zip(other[44..].chunks_exact(2));
            pairs().filter(|(x, other)| x == other).count() as f64 / pairs().count() as f64
        };
        assert!(same(&a) < 0.6 && same(&b) < 0.6, "{} {}", same(&a), same(&b));
        let sources: Vec<&str> = item.source.split(" | ").collect();
        assert_eq!(sources[2], sources[usize::from(item.truth == "B")]);
    }
    let count = |of: &dyn Fn(&&&trompe_listening_test::answer_key::Item) -> bool| {
        items.iter().filter(|item| of(item)).count()
    };
    assert_eq!(count(&|item| item.truth == "A"), 4, "either letter is right equally often");
    assert_eq!(count(&|item| item.source.split(" | ").next().unwrap().ends_with("new.wav")), 4);
}

/// A web server that runs as another user must be able to read the study.
#[cfg(unix)]
#[test]
fn studies_have_the_permissions_of_ordinary_files() {
    use std::os::unix::fs::PermissionsExt;

    let sample = Sample::new(11, Policy::Covariate);
    let root = sample.folder.path();
    let out = root.join("static");
    export_static(&sample.study(), &out).unwrap();
    std::fs::write(root.join("file"), "").unwrap();
    std::fs::create_dir(root.join("folder")).unwrap();
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode();
    let (file, folder) = (mode(&root.join("file")), mode(&root.join("folder")));
    let mut seen = 0;
    let mut folders = vec![out, sample.study()];
    while let Some(at) = folders.pop() {
        assert_eq!(mode(&at), folder, "{}", at.display());
        for entry in std::fs::read_dir(&at).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                assert_eq!(mode(&path), file, "{}", path.display());
                seen += 1;
            }
        }
    }
    assert!(seen > 20, "{seen} files");
}
