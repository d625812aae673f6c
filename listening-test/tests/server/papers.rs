//! What goes into a paper: the preregistration before the data, and the sections after them.

use std::time::Duration;

use trompe_listening_test::StudyFolder;
use trompe_listening_test::analysis::{Expectation, Who, analyze_study, preregister};
use trompe_listening_test::export::export;
use trompe_listening_test::simulate::{Hearing, ListenerKind, SimulateArguments, simulate_alone};
use trompe_listening_test::study::Policy;

use super::sample::Sample;

fn expected(listeners: usize) -> Expectation {
    Expectation {
        listeners,
        genuine: 0.7,
        accuracy: None,
        listener_sd: 0.5,
        item_sd: 1.0,
        studies: 40,
    }
}

#[test]
fn what_was_registered_is_compared_with_what_was_done() {
    let sample = Sample::new(10, Policy::Covariate);
    let study = sample.study();
    let registered = preregister(&study, &expected(11)).unwrap();
    assert_eq!(registered.power.len(), 2, "exhibits and controls");
    let text = std::fs::read_to_string(study.join("preregistration.md")).unwrap();
    for words in [
        "### Hypotheses",
        "### Stopping rule",
        "### Data exclusion",
        "11 people to be analyzed",
        "forced choice among 5 classes",
        &registered.plan_sha256,
        "at a true accuracy of 0.700",
        "at a true accuracy of 0.200",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
    // the study with its registration is still the study
    let folder = StudyFolder::open(&study).unwrap();
    assert_eq!(registered.study_sha256, folder.sha256);

    let visited = simulate_alone(
        &SimulateArguments {
            study: study.clone(),
            address: ([127, 0, 0, 1], 0).into(),
            listeners: 14,
            kinds: vec![
                ListenerKind::Chance,
                ListenerKind::Skilled,
                ListenerKind::Biased,
                ListenerKind::Careless,
            ],
            seed: 3,
            pause: Duration::ZERO,
            fetch: false,
            longest: Duration::from_secs(60),
            hearing: Hearing::default(),
        },
        &sample.database(),
    )
    .unwrap();
    assert_eq!(visited.finished, 14);
    let exported = export(&study, &sample.database()).unwrap();
    let analyzed = || analyze_study(&folder, &exported, Who::Simulated).unwrap();
    let results = analyzed();
    assert_eq!(results.report.counts.participants_analyzed, 11, "three are careless");
    assert_eq!(results.report.deviations, Some(Vec::new()));
    assert!(results.report.html().contains("as registered before the data"));

    // as if something else had been registered
    let file = study.join("preregistration.json");
    let mut json: serde_json::Value =
        serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    json["plan"]["equivalence_margin"] = 0.25.into();
    json["listeners"] = 40.into();
    json["study_sha256"] = "00".into();
    std::fs::write(&file, json.to_string()).unwrap();
    let deviations = analyzed().report.deviations.unwrap();
    assert_eq!(
        deviations[1..],
        [
            "the plan's equivalence_margin was 0.25 and is 0.1",
            "40 people were to be analyzed, 11 are"
        ]
    );
    assert!(deviations[0].contains("not the one registered"));
    std::fs::write(&file, "{").unwrap();
    let broken = analyze_study(&folder, &exported, Who::Simulated).unwrap_err().to_string();
    assert!(broken.contains("preregistration.json"), "{broken}");
    std::fs::remove_file(&file).unwrap();
    let results = analyzed();
    assert_eq!(results.report.deviations, None);

    let out = sample.folder.path().join("results");
    results.write(&out).unwrap();
    let paper = std::fs::read_to_string(out.join("manuscript.md")).unwrap();
    let model = results.report.conditions[0].model.done().unwrap();
    let (p, jasa) = match model.p {
        p if p < 0.001 => ("p < .001".to_owned(), "p < 0.001".to_owned()),
        p => (format!("p = {}", format!("{p:.3}").trim_start_matches('0')), format!("p = {p:.3}")),
    };
    for words in [
        "Simulated listeners: nothing here is a finding about people",
        "14 people consented and came in; 11 are analyzed",
        "Excluded, with reasons: ",
        "6 trials each, 5 right of each to pass",
        "Age: not answered: 11",
        "sounds of 1.0 s, by condition: 40 fooling:secretsystem,",
        "median \u{2212}23.0 LUFS as delivered",
        "in 120 plans (seed 1)",
        "answer ~ 1 + (1 | listener) + (1 | item)",
        "Software: trompe",
        "95% CI [",
        "95 % confidence interval from",
        &p,
        &jasa,
        "## Stimuli",
        "# Results (JASA form)",
    ] {
        assert!(paper.contains(words), "{words}: {paper}");
    }
    let flow = std::fs::read_to_string(out.join("flow.svg")).unwrap();
    let lost: usize = results.report.counts.exclusions.iter().map(|out| out.participants).sum();
    assert_eq!(lost, 3);
    for words in ["14 participants,", "out: ", "11 participants,"] {
        assert!(flow.contains(words), "{words}: {flow}");
    }
    assert!(flow.starts_with("<?xml") && flow.trim_end().ends_with("</svg>"));
}
