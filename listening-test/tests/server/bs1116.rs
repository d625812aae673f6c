//! Small impairments: what the build makes of pages, what the server takes, what is analyzed.

use std::collections::BTreeSet;

use serde_json::json;
use tempfile::TempDir;
use trompe_listening_test::StudyFolder;
use trompe_listening_test::analysis::{Who, analyze_study};
use trompe_listening_test::build::{BuildArguments, build};
use trompe_listening_test::export::{Export, export};
use trompe_listening_test::simulate::{Hearing, ListenerKind, SimulateArguments, simulate_alone};
use trompe_listening_test::study::{Policy, Task};

use super::sample::{Sample, bearer, write_tone};

/// Programme items with the systems `a` and `b`.
fn study(items: usize) -> Sample {
    let folder = TempDir::new().unwrap();
    for item in 0..items {
        for (number, name) in ["reference", "a", "b"].iter().enumerate() {
            let file = folder.path().join(format!("pages/{item}/{name}.wav"));
            write_tone(&file, 4 * item + number, 1.0);
        }
    }
    build(&BuildArguments {
        out: folder.path().join("study"),
        contact: "lab@example.org".into(),
        retain_until: "2030-12-31".into(),
        bs1116: vec![folder.path().join("pages")],
        headphones: Policy::Off,
        ..BuildArguments::default()
    })
    .unwrap();
    Sample { folder }
}

#[test]
fn each_system_of_a_page_is_a_trial_with_the_reference_hidden_beside_it() {
    let sample = study(3);
    let folder = StudyFolder::open(&sample.study()).unwrap();
    let block = &folder.study.blocks[0];
    assert_eq!(
        (block.name.as_str(), block.task, block.items["bs1116"]),
        ("bs1116", Task::Bs1116, 6)
    );
    let mut systems = Vec::new();
    for item in &folder.answer_key.items {
        assert_eq!((item.stimuli.len(), item.conditions[0].as_str()), (3, "reference"));
        systems.push(item.conditions[1].clone());
        let bytes = |n: usize| std::fs::read(sample.study().join("stimuli").join(&item.stimuli[n]));
        assert_ne!(bytes(0).unwrap(), bytes(1).unwrap(), "no byte tells the hidden reference");
    }
    systems.sort();
    assert_eq!(systems, ["a", "a", "a", "b", "b", "b"]);
    let server = sample.serve(0);
    // over two plans, the hidden reference stands at both places of every trial
    let mut seen = BTreeSet::new();
    for _ in 0..2 {
        let code = server.enrol();
        let mut state = server.json("GET", "/api/state", &code, "");
        while state["step"].is_object() {
            let view = state["step"].clone();
            let key = format!("answer-{:04}", view["index"]);
            let mut answer = json!({ "step": view["index"], "key": key, "answers": {} });
            if view["kind"] == "trial" {
                answer = json!({ "step": view["index"], "key": key, "response_ms": 3000, "heard_ms": 3000 });
                for wrong in [json!([9, 50]), json!([50, 51]), json!([50]), json!([50, 50, 50])] {
                    answer["scores"] = wrong;
                    let (status, _) =
                        server.ask("POST", "/api/answers", &bearer(&code), &answer.to_string());
                    assert_eq!(status, 422, "{answer}");
                }
                answer["scores"] = json!([50, 34]);
                seen.insert(view["stimuli"].to_string());
            }
            state =
                server.json("POST", "/api/answers", &code, &answer.to_string())["state"].clone();
        }
    }
    assert_eq!(seen.len(), 2 * 6);
    let exported = export(&sample.study(), &sample.database()).unwrap();
    let grades: BTreeSet<String> =
        exported.answers.iter().map(|row| format!("{:?}", row.rating.unwrap())).collect();
    assert_eq!(grades, BTreeSet::from(["5.0".to_owned(), "3.4".to_owned()]));
}

#[test]
fn simulated_listeners_are_screened_and_their_diff_grades_reported() {
    let sample = study(8);
    let arguments = SimulateArguments {
        study: sample.study(),
        address: ([127, 0, 0, 1], 0).into(),
        listeners: 16,
        kinds: vec![ListenerKind::Skilled, ListenerKind::Chance],
        seed: 1,
        pause: std::time::Duration::ZERO,
        fetch: true,
        longest: std::time::Duration::from_secs(60),
        hearing: Hearing::default(),
    };
    let visited = simulate_alone(&arguments, &sample.database()).unwrap();
    assert_eq!((visited.finished, visited.failed.len()), (16, 0), "{:?}", visited.failed);
    let folder = StudyFolder::open(&sample.study()).unwrap();
    let exported = export(&sample.study(), &sample.database()).unwrap();
    assert_eq!(exported.answers.len(), 16 * 16 * 2, "one row a stimulus");
    let results = analyze_study(&folder, &exported, Who::Simulated).unwrap();
    let report = &results.report;
    let [found] = report.bs1116.as_slice() else { panic!("one block") };
    assert_eq!(found.screening.len(), 16);
    let out = found.screening.iter().filter(|listener| listener.out).count();
    assert!((6..=8).contains(&out), "eight hear nothing, of whom one in twenty passes: {out}");
    assert_eq!(report.counts.participants_analyzed, 16 - out);
    let last = report.counts.exclusions.last().unwrap();
    assert_eq!((last.reason.as_str(), last.participants), ("post-screening by BS.1116-3", out));
    assert_eq!(last.answers, out * 32);
    let names: Vec<&str> = found.conditions.iter().map(|c| c.condition.as_str()).collect();
    assert_eq!(names, ["a", "b"]);
    for c in &found.conditions {
        // three of four trials have objects of 2.0 to 4.5 beside 5.0, the rest none: -1.31 on average
        assert!((-1.6..-0.9).contains(&c.diff), "{c:?}");
        let interval = c.interval.unwrap();
        assert!(interval.low < c.diff && c.diff < interval.high && interval.high < 0.0);
        assert!((c.object - c.reference - c.diff).abs() < 1e-9);
    }
    let page = report.html();
    assert!(
        page.contains("Small impairments (BS.1116): bs1116") && page.contains("Mean diff-grade")
    );
    let paper = report.manuscript();
    for words in ["ITU-R BS.1116-3", "Mean diff-grades: a", "open reference A"] {
        assert!(paper.contains(words), "{words}: {paper}");
    }
    assert!(report.text().contains("diff-grade"));
    let written = sample.folder.path().join("results");
    results.write(&written).unwrap();
    let lines = |name: &str| std::fs::read_to_string(written.join(name)).unwrap().lines().count();
    assert_eq!((lines("bs1116.csv"), lines("bs1116_screening.csv")), (3, 17));
    let drawing = std::fs::read_to_string(written.join("diff-grades-bs1116.svg")).unwrap();
    assert!(drawing.starts_with("<?xml") && drawing.matches("<circle").count() == 2);
    let rows = std::fs::File::open(written.join("answers.csv")).unwrap();
    let rows = trompe_listening_test::answers::read_csv(rows).unwrap();
    let again = Export::from_table(&folder, rows).unwrap();
    let again = analyze_study(&folder, &again, Who::Simulated).unwrap().report;
    assert_eq!(again.bs1116, report.bs1116);
}
