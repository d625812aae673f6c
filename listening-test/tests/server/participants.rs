//! What people must get: their words kept, their place kept, their data erased.

use std::time::Duration;

use trompe_listening_test::answers::{read_csv, write_csv};
use trompe_listening_test::build::{BuildArguments, Counts, build, reseal};
use trompe_listening_test::export::{export, write_export};
use trompe_listening_test::simulate::{Hearing, ListenerKind, SimulateArguments, simulate};
use trompe_listening_test::study::Policy;

use super::sample::{Sample, bearer, fitting};

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
    // a lone surrogate is no text; it is refused, not repaired
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
        let answer = fitting(&view, &format!("answer-{}", view["index"]));
        // every answer is sent three times, as impatient browsers do
        for _ in 0..3 {
            let reply = server.json("POST", "/api/answers", &code, &answer.to_string());
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
    assert_eq!(state["end"]["outcome"], "complete");
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

/// Answers of a program come within a second and claim that a minute was heard each time.
#[test]
fn a_completion_code_takes_the_time_that_the_answers_claim() {
    let sample = Sample::new(5, Policy::Off);
    let server = sample.serve(0);
    let take = |waits: bool| {
        let code = server.enrol();
        let mut state = server.json("GET", "/api/state", &code, "");
        let name = state["participant"].as_str().unwrap().to_owned();
        if waits {
            // as if the consent had been answer an hour ago
            let database = rusqlite::Connection::open(sample.database()).unwrap();
            database.busy_timeout(std::time::Duration::from_secs(10)).unwrap();
            let sql =
                "update sessions set consented_at = consented_at - 3600 where participant = ?1";
            assert_eq!(database.execute(sql, [&name]).unwrap(), 1);
        }
        while state["step"].is_object() {
            let mut answer = fitting(&state["step"], &format!("answer-{}", state["step"]["index"]));
            if let Some(told) = state["step"]["told"].as_str() {
                answer["choice"] = told.into();
            }
            state =
                server.json("POST", "/api/answers", &code, &answer.to_string())["state"].clone();
        }
        assert_eq!(state["end"]["outcome"], "complete");
        (name, state["end"]["code"].as_str().unwrap().len())
    };
    let (hasty, hasty_code) = take(false);
    let (patient, patient_code) = take(true);
    assert_eq!((hasty_code, patient_code), (0, 8));
    let exported = export(&sample.study(), &sample.database()).unwrap();
    let of = |name: &str| {
        exported.participants.iter().find(|person| person.participant == name).unwrap()
    };
    let (hasty, patient) = (of(&hasty), of(&patient));
    assert_eq!(hasty.excluded.as_deref(), Some("impossible times"));
    assert!(hasty.times.server_seconds.unwrap() < 60.0 && hasty.times.claimed_seconds > 600.0);
    assert_eq!(patient.excluded, None, "{:?}", patient.times);
    assert!(patient.times.server_seconds.unwrap() >= 3600.0);
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
        let answer = fitting(&state["step"], &format!("answer-{}", state["step"]["index"]));
        state = server.json("POST", "/api/answers", code, &answer.to_string())["state"].clone();
    }
    assert_eq!(state["end"]["outcome"], "screened-out");
    let exported = export(&sample.study(), &sample.database()).unwrap();
    assert_eq!(exported.participants[0].excluded.as_deref(), Some("screened out"));
    let everything = serde_json::to_string(&exported).unwrap();
    assert!(!everything.contains("worker-1"), "the worker's number is exported");
}

/// Pairs, ratings and pictures go the same way as excerpts, and export what they are.
#[test]
fn pairs_ratings_and_pictures_run_through_the_same_path() {
    let sample = Sample::new(5, Policy::Off);
    let folder = sample.folder.path();
    for pair in 0..4 {
        let to = folder.join(format!("pairs/{pair}"));
        std::fs::create_dir_all(&to).unwrap();
        for side in 0..2 {
            let from = folder.join(format!("set/{}.wav", 2 * pair + side));
            std::fs::copy(from, to.join(format!("{side}.wav"))).unwrap();
        }
    }
    let pictures = folder.join("pictures");
    std::fs::create_dir(&pictures).unwrap();
    // 1 x 1 grey, colour type 0, one stored deflate block
    let png = [
        0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 13, 0x49, 0x48, 0x44, 0x52, 0, 0,
        0, 1, 0, 0, 0, 1, 8, 0, 0, 0, 0, 0x3a, 0x7e, 0x9b, 0x55, 0, 0, 0, 10, 0x49, 0x44, 0x41,
        0x54, 0x78, 0x9c, 0x63, 0x60, 0, 0, 0, 2, 0, 1, 0x48, 0xaf, 0xa4, 0x71, 0, 0, 0, 0, 0x49,
        0x45, 0x4e, 0x44, 0xae, 0x42, 0x60, 0x82,
    ];
    for number in 0..3 {
        std::fs::write(pictures.join(format!("{number}.png")), png).unwrap();
    }
    std::fs::remove_dir_all(sample.study()).unwrap();
    build(&BuildArguments {
        out: sample.study(),
        contact: "lab@example.org".into(),
        retain_until: "2030-12-31".into(),
        pairs: vec![folder.join("pairs")],
        ratings: vec![pictures],
        fooling_sets: vec![folder.join("set")],
        counts: Counts { fooling: 5, real: 0, catch: 0, practice: 0 },
        headphones: Policy::Off,
        ..BuildArguments::default()
    })
    .unwrap();
    let server = sample.serve(0);
    let report = simulate(&SimulateArguments {
        study: sample.study(),
        address: server.address,
        listeners: 6,
        kinds: vec![ListenerKind::Chance],
        seed: 2,
        pause: Duration::ZERO,
        fetch: true,
        longest: Duration::from_secs(30),
        hearing: Hearing::default(),
    })
    .unwrap();
    assert_eq!((report.finished, &report.failed), (6, &vec![]));
    let exported = export(&sample.study(), &sample.database()).unwrap();
    assert!(exported.participants.iter().all(|person| person.participant.starts_with("sim-")));
    let of = |condition: &str| -> Vec<_> {
        exported.answers.iter().filter(|row| row.condition == condition).collect()
    };
    let (pairs, ratings, fooling) = (of("abx"), of("likert"), of("fooling:secretsystem"));
    assert_eq!((pairs.len(), ratings.len(), fooling.len()), (24, 18, 30));
    assert!(pairs.iter().all(|row| ["A", "B"].contains(&row.truth.as_str())));
    assert!(pairs.iter().all(|row| row.answer.is_some() && row.medium == "audio"));
    assert!(ratings.iter().all(|row| row.rating.is_some_and(|r| (1.0..=7.0).contains(&r))));
    assert!(ratings.iter().all(|row| row.answer.is_none() && row.medium == "image"));
    // block order differs between participants
    let first_blocks: std::collections::BTreeSet<_> =
        exported.answers.iter().filter(|row| row.position == 0).map(|row| &row.block).collect();
    assert_eq!(first_blocks.len(), 3);
}

#[test]
fn who_fails_the_catch_items_gets_no_completion_code() {
    let sample = Sample::new(5, Policy::Off);
    let design = sample.study().join("study.toml");
    let text = std::fs::read_to_string(&design).unwrap();
    let text = text
        .replace("failed_catch = 1", "failed_catch = 0")
        .replace("impossible_times = true", "impossible_times = false")
        .replace("complete_url = \"\"", "complete_url = \"https://a.example/?cc={code}\"")
        .replace("failed_check_url = \"\"", "failed_check_url = \"https://a.example/?cc=FAILED\"");
    std::fs::write(&design, text).unwrap();
    reseal(&sample.study()).unwrap();
    let server = sample.serve(0);
    let end = |attentive: bool| {
        let code = server.enrol();
        let mut state = server.json("GET", "/api/state", &code, "");
        while state["step"].is_object() {
            let mut answer = fitting(&state["step"], &format!("key-{}-0000", state["answered"]));
            if let Some(told) = state["step"]["told"].as_str() {
                let other = if told == "rock" { "jazz" } else { "rock" };
                answer["choice"] = if attentive { told } else { other }.into();
            }
            state =
                server.json("POST", "/api/answers", &code, &answer.to_string())["state"].clone();
        }
        (state["end"]["code"].as_str().unwrap().to_owned(), state["end"]["url"].clone())
    };
    let (code, url) = end(true);
    assert_eq!((code.len(), url.as_str()), (8, Some(&*format!("https://a.example/?cc={code}"))));
    let (code, url) = end(false);
    assert_eq!((code.as_str(), url.as_str()), ("", Some("https://a.example/?cc=FAILED")));
}
