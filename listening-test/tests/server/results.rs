//! From simulated answers to the report, and to what `trompe compare` reads.

use std::time::Duration;

use sha2::{Digest, Sha256};
use trompe_listening_test::StudyFolder;
use trompe_listening_test::analysis::{HumanAgreement, Who, analyze_study};
use trompe_listening_test::build::{BuildArguments, build};
use trompe_listening_test::export::export;
use trompe_listening_test::psych_ds::write_psych_ds;
use trompe_listening_test::simulate::{
    Hearing, ListenerKind, SimulateArguments, simulate, simulate_alone,
};
use trompe_listening_test::study::{Policy, Task};

use super::sample::{Running, Sample};

/// Simulated listeners of these kinds take the study.
fn take_part(sample: &Sample, server: &Running, listeners: u32, kinds: Vec<ListenerKind>) {
    let arguments = SimulateArguments {
        study: sample.study(),
        address: server.address,
        listeners,
        kinds,
        seed: 2,
        pause: Duration::ZERO,
        fetch: false,
        longest: Duration::from_secs(60),
        hearing: Hearing::default(),
    };
    simulate(&arguments).unwrap();
}

#[test]
fn each_fooling_set_gets_its_agreement_by_the_hash_of_its_manifest() {
    let sample = Sample::new(10, Policy::Off);
    let server = sample.serve(0);
    take_part(&sample, &server, 16, vec![ListenerKind::Chance, ListenerKind::Skilled]);
    let folder = StudyFolder::open(&sample.study()).unwrap();
    let exported = export(&sample.study(), &sample.database()).unwrap();
    let refused = analyze_study(&folder, &exported, Who::People).unwrap_err();
    assert!(refused.to_string().contains("no answers of people"), "{refused}");

    let results = analyze_study(&folder, &exported, Who::Simulated).unwrap();
    let out = sample.folder.path().join("results");
    results.write(&out).unwrap();
    let read = HumanAgreement::read(&out).unwrap();
    assert_eq!(read, results.agreement);
    assert!(read.simulated && read.synthetic);

    let manifest = std::fs::read(sample.folder.path().join("set/manifest.json")).unwrap();
    let hash: String = Sha256::digest(&manifest).iter().map(|byte| format!("{byte:02x}")).collect();
    let set = read.of_set(&hash).unwrap();
    assert_eq!(read.fooling_sets.len(), 1);
    let condition = results.report.conditions.iter().find(|c| c.condition == set.condition);
    let condition = condition.unwrap();
    assert_eq!((set.answers, set.hits), (condition.answers, condition.hits));
    assert_eq!((set.answers, set.chance), (160, 0.2));
    assert_eq!(set.upper_bound, condition.equivalence.upper_bound);
    assert_eq!((set.outcome, set.margin), (Some(condition.outcome), Some(0.2 + 0.1 * 0.8)));
    assert_eq!(set.controls.as_ref(), Some(&condition.controls));
    assert!((read.margin - 1.4).abs() < 1e-12, "in multiples of chance: {}", read.margin);
    assert_eq!(read.margin_reason.as_deref(), Some("no reason was written"));
    let json: serde_json::Value =
        serde_json::from_slice(&std::fs::read(out.join("agreement.json")).unwrap()).unwrap();
    assert_eq!(json["fooling_sets"][0]["outcome"], condition.outcome.words());
    let exhibits: u64 = set.exhibits.iter().map(|exhibit| exhibit.answers).sum();
    assert_eq!((exhibits, set.exhibits.len()), (160, set.items));
    assert!(set.exhibits.iter().all(|e| e.sha256.len() == 64 && e.upper_bound > 0.0));
    // somebody leaves before the first trial, and people are counted apart
    server.enrol();
    let exported = export(&sample.study(), &sample.database()).unwrap();
    let again = analyze_study(&folder, &exported, Who::Simulated).unwrap();
    assert_eq!(again.report.counts, results.report.counts);
    for file in [
        "report.html",
        "report.json",
        "conditions.csv",
        "codebook.csv",
        "answers.csv",
        "analysis.R",
    ] {
        assert!(out.join(file).is_file(), "{file}");
    }
}

/// The rules of Psych-DS: names of keywords and values, every column described, rows of one length.
#[test]
fn a_data_set_in_the_form_of_psych_ds_follows_its_rules() {
    let sample = Sample::new(5, Policy::Off);
    let server = sample.serve(0);
    let code = server.enrol();
    server.json("POST", "/api/answers", &code, r#"{"step":0,"key":"first-one","answers":{}}"#);
    let exported = export(&sample.study(), &sample.database()).unwrap();
    let study = StudyFolder::open(&sample.study()).unwrap().study;
    let out = sample.folder.path().join("dataset");
    write_psych_ds(&exported, &study, &out).unwrap();
    assert!(write_psych_ds(&exported, &study, &out).is_err(), "the folder holds a data set");
    let json = |path: &std::path::Path| -> serde_json::Value {
        serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
    };
    let names = |described: &serde_json::Value| -> Vec<String> {
        let variables = described["variableMeasured"].as_array().unwrap().iter();
        variables.map(|of| of["name"].as_str().unwrap().to_owned()).collect()
    };
    let whole = json(&out.join("dataset_description.json"));
    assert_eq!(
        (&whole["@type"], &whole["@context"]),
        (&"Dataset".into(), &"https://schema.org".into())
    );
    assert!(
        whole["name"].is_string() && whole["description"].as_str().unwrap().contains("1 people")
    );
    let mut tables = 0;
    for entry in std::fs::read_dir(out.join("data")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "csv") {
            continue;
        }
        tables += 1;
        let stem = path.file_stem().unwrap().to_str().unwrap();
        for keyword in stem.strip_suffix("_data").unwrap().split('_') {
            let (key, value) = keyword.split_once('-').unwrap();
            assert!(key.bytes().all(|byte| byte.is_ascii_lowercase()) && !key.is_empty(), "{stem}");
            assert!(value.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{stem}");
        }
        // This reader refuses rows of another length than the head's.
        let mut reader = csv::Reader::from_path(&path).unwrap();
        let head: Vec<String> = reader.headers().unwrap().iter().map(str::to_owned).collect();
        assert!(reader.records().all(|row| row.is_ok()), "{stem}");
        assert_eq!(names(&json(&path.with_extension("json"))), head);
        assert!(head.iter().all(|column| names(&whole).contains(column)), "{stem}");
    }
    assert_eq!(tables, 2);
}

/// The two of a pair change places; what is reported names them as they were built.
#[test]
fn answers_to_pairs_name_the_letters_that_the_pair_was_built_with() {
    let sample = Sample::new(10, Policy::Off);
    let root = sample.folder.path();
    for pair in 0..8 {
        std::fs::create_dir_all(root.join(format!("pairs/{pair}"))).unwrap();
        for (from, to) in [(pair, "old"), (pair + 10, "new")] {
            let to = root.join(format!("pairs/{pair}/{to}.wav"));
            std::fs::copy(root.join(format!("set/{from}.wav")), to).unwrap();
        }
    }
    let study = root.join("pairs-study");
    build(&BuildArguments {
        out: study.clone(),
        contact: "lab@example.org".into(),
        retain_until: "2030-12-31".into(),
        pairs: vec![root.join("pairs")],
        pair_task: Task::Ab,
        headphones: Policy::Off,
        ..BuildArguments::default()
    })
    .unwrap();
    let arguments = SimulateArguments {
        study: study.clone(),
        address: ([127, 0, 0, 1], 0).into(),
        listeners: 10,
        kinds: vec![ListenerKind::Chance],
        seed: 2,
        pause: Duration::ZERO,
        fetch: true,
        longest: Duration::from_secs(60),
        hearing: Hearing::default(),
    };
    simulate_alone(&arguments, &sample.database()).unwrap();
    let exported = export(&study, &sample.database()).unwrap();
    for person in &exported.participants {
        let chosen = person.steps.iter().filter_map(|step| step.choice.as_deref());
        let rows: Vec<_> =
            exported.answers.iter().filter(|row| row.participant == person.participant).collect();
        let swapped = |row: &&&trompe_listening_test::AnswerRow| row.order.as_deref() == Some("BA");
        assert_eq!((rows.len(), rows.iter().filter(swapped).count()), (8, 4));
        for (row, shown) in rows.iter().zip(chosen) {
            let same = row.answer.as_deref() == Some(shown);
            assert_eq!(same, row.order.as_deref() == Some("AB"), "{row:?} {shown}");
        }
    }
    let folder = StudyFolder::open(&study).unwrap();
    let report = analyze_study(&folder, &exported, Who::Simulated).unwrap().report;
    let steps = exported.participants.iter().flat_map(|person| &person.steps);
    let played_as_a = steps.filter(|step| step.choice.as_deref() == Some("A")).count();
    assert_eq!(report.preferences[0].share_of_a, played_as_a as f64 / 80.0);
}

#[test]
fn who_is_out_stays_out_and_is_counted_whoever_else_takes_part() {
    let sample = Sample::new(10, Policy::Off);
    let server = sample.serve(0);
    take_part(
        &sample,
        &server,
        12,
        vec![ListenerKind::Chance, ListenerKind::Skilled, ListenerKind::Leaving],
    );
    let folder = StudyFolder::open(&sample.study()).unwrap();
    let analyzed = || {
        let exported = export(&sample.study(), &sample.database()).unwrap();
        analyze_study(&folder, &exported, Who::Simulated).unwrap()
    };
    let before = analyzed();
    let counts = &before.report.counts;
    assert_eq!((counts.participants, counts.participants_analyzed), (12, 8));
    let unfinished = counts.exclusions.iter().find(|exclusion| exclusion.reason == "unfinished");
    assert_eq!(unfinished.unwrap().participants, 4);

    server.enrol();
    assert_eq!(analyzed().report, before.report);
}
