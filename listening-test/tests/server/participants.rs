//! What people must get: their words kept, their place kept, their data erased.

use trompe_listening_test::answers::{read_csv, write_csv};
use trompe_listening_test::export::{export, write_export};
use trompe_listening_test::study::Policy;

use crate::sample::{Sample, bearer, fitting};

/// Texts that break things, and each of them bent a little: 200 and more.
fn nasty() -> Vec<String> {
    let seeds = [
        "rock & roll",
        "100% sure",
        "a+b",
        "a;b",
        "\"quoted\"",
        "'quoted'",
        "back\\slash",
        "\n",
        "\r\n",
        "\t",
        "\0",
        "a\0b",
        "=HYPERLINK(\"http://x\")",
        "+1",
        "-1",
        "@SUM(A1)",
        "\t=1",
        "<script>alert(1)</script>",
        "</td></tr>",
        "<!--",
        "]]>",
        "${7*7}",
        "{{7*7}}",
        "%s%n",
        "'; drop table answers; --",
        "é",
        "e\u{301}",
        "漢字",
        "🎵",
        "👩‍👩‍👧",
        "مرحبا",
        "\u{202e}txt",
        "\u{feff}bom",
        "\u{200b}",
        "\u{fffd}",
        "\u{10ffff}",
        "null",
        "undefined",
        "NaN",
        "true",
        "0",
        "",
        " ",
        "  lead",
        "trail  ",
        "a,b,c",
        "a|b",
        "`id`",
        "$(id)",
        "../../etc/passwd",
    ];
    let bends: [fn(&str) -> String; 5] = [
        str::to_owned,
        |text| format!("x{text}"),
        |text| format!("{text}x"),
        |text| text.repeat(3),
        |text| format!("'{text}\""),
    ];
    seeds.iter().flat_map(|seed| bends.iter().map(move |bend| bend(seed))).collect()
}

#[test]
fn nasty_text_comes_back_byte_for_byte() {
    let sample = Sample::new(5, Policy::Off);
    let server = sample.serve(0);
    let texts = nasty();
    assert!(texts.len() >= 200);
    let mut codes = Vec::new();
    for text in &texts {
        let code = server.enrol();
        let body = serde_json::json!({
            "step": 0, "key": "nasty-text", "text": text, "answers": {},
        });
        server.json("POST", "/api/answers", &code, &body.to_string());
        codes.push(code);
    }
    // a lone surrogate is no text; it is refused, not mended
    let code = server.enrol();
    let lone = r#"{"step":0,"key":"surrogate","text":"\ud800"}"#;
    assert_eq!(server.ask("POST", "/api/answers", &bearer(&code), lone).0, 422);
    for (text, code) in texts.iter().zip(&codes) {
        let record = server.json("GET", "/api/record", code, "");
        assert_eq!(record["answers"][0]["text"].as_str().unwrap(), text);
    }
    let exported = export(&sample.study(), &sample.database()).unwrap();
    for (text, person) in texts.iter().zip(&exported.participants) {
        assert_eq!(person.steps[0].text.as_ref().unwrap(), text);
    }
    let out = sample.folder.path().join("export");
    write_export(&exported, &out).unwrap();
    let json: serde_json::Value =
        serde_json::from_slice(&std::fs::read(out.join("answers.json")).unwrap()).unwrap();
    for (index, text) in texts.iter().enumerate() {
        assert_eq!(json["participants"][index]["steps"][0]["text"].as_str().unwrap(), text);
    }
}

#[test]
fn a_finished_study_exports_one_row_a_trial_and_erasing_leaves_none() {
    let sample = Sample::new(10, Policy::Covariate);
    let server = sample.serve(0);
    let code = server.enrol();
    let mut state = server.json("GET", "/api/state", &code, "");
    let mut kinds = std::collections::BTreeSet::new();
    while state["step"].is_object() {
        let view = state["step"].clone();
        kinds.insert(view["kind"].as_str().unwrap().to_owned());
        let given = fitting(&view, &format!("answer-{}", view["index"]));
        // every answer is sent three times, as impatient browsers do
        for _ in 0..3 {
            let reply = server.json("POST", "/api/answers", &code, &given.to_string());
            state = reply["state"].clone();
            assert_eq!(reply["feedback"].is_null(), view["kind"] != "practice");
        }
        if view["index"] == 9 {
            state = server.json("POST", "/api/resume", &code.to_lowercase().replace('-', ""), "");
        }
    }
    let all = [
        "antiphase",
        "break",
        "ears",
        "huggins",
        "intro",
        "level",
        "practice",
        "questionnaire",
        "remarks",
        "trial",
    ];
    assert_eq!(kinds.iter().map(String::as_str).collect::<Vec<_>>(), all);
    let participant = state["participant"].as_str().unwrap().to_owned();
    assert_eq!(state["end"]["code"].as_str().unwrap().len(), 8);
    assert_eq!(
        server.ask("POST", "/api/answers", &bearer(&code), r#"{"step":3,"key":"afterwards"}"#).0,
        409
    );

    let exported = export(&sample.study(), &sample.database()).unwrap();
    assert_eq!(exported.answers.len(), 22);
    let person = &exported.participants[0];
    assert_eq!((person.interruptions, person.finished), (1, true));
    // always "1": two of six targets are first in either check
    let check = person.headphones.unwrap();
    assert_eq!((check.ears, check.huggins, check.antiphase, check.passed), (1, 2, 2, false));
    let count =
        |condition: &str| exported.answers.iter().filter(|row| row.condition == condition).count();
    assert_eq!((count("real"), count("fooling:secretsystem"), count("catch")), (10, 10, 2));
    let mut table = Vec::new();
    write_csv(&exported.answers, &mut table).unwrap();
    assert_eq!(read_csv(table.as_slice()).unwrap(), exported.answers);

    assert_eq!(server.json("POST", "/api/withdraw", &code, "")["erased"], true);
    assert!(export(&sample.study(), &sample.database()).unwrap().participants.is_empty());
    drop(server);
    for entry in std::fs::read_dir(sample.folder.path()).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            let bytes = std::fs::read(&path).unwrap();
            let found = bytes.windows(participant.len()).any(|w| w == participant.as_bytes());
            assert!(!found, "{} still knows {participant}", path.display());
            // nor was the address of the participant ever kept
            assert!(!bytes.windows(9).any(|w| w == b"127.0.0.1"), "{}", path.display());
        }
    }
}

#[test]
fn a_failed_gate_screens_out_and_a_worker_takes_part_once() {
    let sample = Sample::new(5, Policy::Gate);
    let server = sample.serve(0);
    let version = server.json("GET", "/api/study", "", "")["consent_version"].clone();
    let enrolment = serde_json::json!({
        "consent_version": version, "of_age": true, "language": "en",
        "parameters": { "PROLIFIC_PID": "worker-1", "unknown": "x" },
    })
    .to_string();
    let first = server.json("POST", "/api/sessions", "", &enrolment);
    assert_eq!(server.ask("POST", "/api/sessions", "", &enrolment).0, 409);
    let young = enrolment.replace("true", "false");
    assert_eq!(server.ask("POST", "/api/sessions", "", &young).0, 403);
    let code = first["code"].as_str().unwrap();
    let mut state = first["state"].clone();
    while state["step"].is_object() {
        let given = fitting(&state["step"], &format!("answer-{}", state["step"]["index"]));
        state = server.json("POST", "/api/answers", code, &given.to_string())["state"].clone();
    }
    assert_eq!(state["end"]["outcome"], "screened-out");
    let exported = export(&sample.study(), &sample.database()).unwrap();
    assert_eq!(exported.participants[0].excluded.as_deref(), Some("screened out"));
    let everything = serde_json::to_string(&exported).unwrap();
    assert!(!everything.contains("worker-1"), "the worker's number is exported");
}
