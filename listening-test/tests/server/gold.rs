//! Gold items look like every other trial in all that a participant receives, on the server and in a
//! folder without one; whoever misses them is left out by the rule of the study alone.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::Value;
use trompe_listening_test::StudyFolder;
use trompe_listening_test::build::{BuildArguments, Counts, build};
use trompe_listening_test::export::export;
use trompe_listening_test::static_export::export_static;
use trompe_listening_test::study::Policy;

use super::sample::{CLASSES, Running, Sample, bearer, edit, fitting, write_tone};

/// The sample with five gold items, of which everybody gets three.
fn with_gold() -> Sample {
    let sample = Sample::new(5, Policy::Off);
    let place = sample.folder.path();
    for (number, class) in CLASSES.iter().enumerate() {
        write_tone(&place.join("gold").join(class).join("known.wav"), 120 + number, 1.0);
    }
    std::fs::remove_dir_all(sample.study()).unwrap();
    let report = build(&BuildArguments {
        out: sample.study(),
        contact: "lab@example.org".into(),
        retain_until: "2030-12-31".into(),
        fooling_sets: vec![place.join("set")],
        real: vec![place.join("real")],
        gold: vec![place.join("gold")],
        counts: Counts { fooling: 5, real: 10, catch: 2, practice: 1 },
        headphones: Policy::Off,
        ..BuildArguments::default()
    })
    .unwrap();
    assert_eq!(report.items["gold"], 5);
    sample
}

/// The kinds of trials by their stimuli, as the key has them: `real`, `fooling`, `gold`, `catch`.
fn kinds(sample: &Sample) -> BTreeMap<String, String> {
    let key = StudyFolder::open(&sample.study()).unwrap().answer_key;
    let kind = |condition: &str| condition.split(':').next().unwrap().to_owned();
    let items = key.items.iter().filter(|item| !item.condition.is_empty());
    items.map(|item| (item.stimuli[0].clone(), kind(&item.condition))).collect()
}

/// A text with every letter and digit of names and numbers replaced: what stays is its form.
fn form(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            fields.iter().map(|(key, value)| (key.clone(), form(value))).collect()
        }
        Value::Array(values) => values.iter().map(form).collect(),
        Value::Number(_) => "number".into(),
        Value::String(text) if text == "trial" || text == "audio" => value.clone(),
        Value::String(text) => {
            let (stem, extension) = text.rsplit_once('.').unwrap_or((text, ""));
            let plain = stem.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
            format!("{} characters, plain {plain}, .{extension}", stem.len()).into()
        }
        other => other.clone(),
    }
}

/// Forms of what is received, by kind of trial.
#[derive(Default)]
struct Forms(BTreeMap<String, BTreeSet<String>>);

impl Forms {
    fn note(&mut self, kind: &str, what: &str, received: &Value) {
        let text = format!("{what}: {}", form(received));
        self.0.entry(kind.to_owned()).or_default().insert(text);
    }

    /// All kinds but catch items have the very same forms.
    fn check(&self) {
        let of = |kind: &str| self.0.get(kind).unwrap_or_else(|| panic!("no trial of {kind}"));
        assert!(!of("gold").is_empty());
        assert_eq!(of("gold"), of("real"));
        assert_eq!(of("gold"), of("fooling"));
        assert_ne!(of("gold"), of("catch"), "a catch item tells its answer");
    }
}

/// Takes the whole study, misses as many gold items as asked, and notes all that comes.
fn take(server: &Running, sample: &Sample, misses: usize, forms: &mut Forms) -> Value {
    let kinds = kinds(sample);
    let truths: BTreeMap<String, String> = StudyFolder::open(&sample.study())
        .unwrap()
        .answer_key
        .items
        .into_iter()
        .map(|item| (item.stimuli[0].clone(), item.truth))
        .collect();
    let mut left = misses;
    let code = server.enrol();
    let mut state = server.json("GET", "/api/state", &code, "");
    while state["step"].is_object() {
        let view = state["step"].clone();
        let mut answer = fitting(&view, &format!("answer-{}", view["index"]));
        let stimulus = view["stimuli"][0].as_str().unwrap_or_default().to_owned();
        let kind = kinds.get(&stimulus).map_or("", String::as_str);
        if view["kind"] == "trial" {
            forms.note(kind, "view", &view);
            let path = format!("/api/stimuli/{stimulus}");
            let (_, text) = server.ask("GET", &path, &bearer(&code), "");
            let head = text.split("\r\n\r\n").next().unwrap();
            let head = head.lines().filter(|line| !line.to_lowercase().starts_with("date:"));
            if kind != "catch" {
                // the chime of a catch item is longer
                let lines: Vec<&str> = head.collect();
                let all = forms.0.entry(kind.to_owned()).or_default();
                all.insert(format!("header: {lines:?}"));
            }
            if kind == "gold" && left > 0 {
                left -= 1;
                let wrong = CLASSES.iter().find(|class| **class != truths[&stimulus]);
                answer["choice"] = (*wrong.unwrap()).into();
            } else if ["gold", "catch"].contains(&kind) {
                answer["choice"] = truths[&stimulus].as_str().into();
            }
        }
        let told = server.json("POST", "/api/answers", &code, &answer.to_string());
        if view["kind"] == "trial" {
            forms.note(kind, "told", &told["feedback"]);
        }
        state = told["state"].clone();
    }
    assert_eq!((left, state["end"]["outcome"].as_str()), (0, Some("complete")));
    state["end"].clone()
}

#[test]
fn nothing_received_tells_gold_items_from_other_trials() {
    let sample = with_gold();
    let server = sample.serve(0);
    let mut forms = Forms::default();
    take(&server, &sample, 0, &mut forms);
    forms.check();
    let design = server.ask("GET", "/api/study", "", "").1;
    let page = server.ask("GET", "/page/trial.js", "", "").1;
    assert!(!design.contains("gold") && !page.contains("gold"), "{design}");

    // without a server: every view of every plan
    let folder = sample.folder.path().join("static");
    export_static(&sample.study(), &folder).unwrap();
    let script = std::fs::read_to_string(folder.join("page/study.js")).unwrap();
    assert!(!script.contains("gold"));
    let json = script.strip_prefix("window.trompeFolder = ").unwrap();
    let data: Value = serde_json::from_str(json.trim_end().strip_suffix(';').unwrap()).unwrap();
    let kinds = kinds(&sample);
    let mut forms = Forms::default();
    for plan in data["plans"].as_array().unwrap() {
        let trials = plan.as_array().unwrap().iter().filter(|view| view["kind"] == "trial");
        for view in trials {
            forms.note(&kinds[view["stimuli"][0].as_str().unwrap()], "view", view);
        }
    }
    forms.check();
}

#[test]
fn who_misses_gold_items_is_out_by_the_rule_alone_and_is_paid() {
    let sample = with_gold();
    edit(&sample.study(), "failed_catch = 1", "failed_catch = 1\nfailed_gold = 1");
    edit(&sample.study(), "impossible_times = true", "impossible_times = false");
    let server = sample.serve(0);
    for misses in [0, 1, 2] {
        let end = take(&server, &sample, misses, &mut Forms::default());
        assert_ne!(end["code"], "", "{misses}: no completion code");
    }
    let exported = export(&sample.study(), &sample.database()).unwrap();
    let judged: Vec<(u32, Option<&str>)> = exported
        .participants
        .iter()
        .map(|person| (person.failed_gold, person.excluded.as_deref()))
        .collect();
    assert_eq!(judged, [(0, None), (1, None), (2, Some("missed gold items"))]);
    let gold = exported.answers.iter().filter(|row| row.condition == "gold");
    assert_eq!(gold.count(), 9);

    // they are no part of the results
    let out = sample.folder.path().join("results");
    let run = Command::new(env!("CARGO_BIN_EXE_trompe-listen"))
        .args(["analyze".as_ref(), sample.study().as_os_str()])
        .args(["--database".as_ref(), sample.database().as_os_str()])
        .args(["--out".as_ref(), out.as_os_str()])
        .output()
        .unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    let report = std::fs::read(out.join("report.json")).unwrap();
    let report: Value = serde_json::from_slice(&report).unwrap();
    let conditions = report["conditions"].as_array().unwrap();
    assert!(conditions.len() == 2 && conditions.iter().all(|found| found["condition"] != "gold"));
    assert_eq!(report["counts"]["catch_answers"], 2 * (2 + 3));
    let manuscript = std::fs::read_to_string(out.join("manuscript.md")).unwrap();
    assert!(manuscript.contains("3 gold item(s)") && manuscript.contains("1 missed gold item(s)"));
}
