//! Recruiting and paying: quota, closing, numbers, dry runs, the pay list, erasure by date.

use trompe_listening_test::expiry::expire;
use trompe_listening_test::export::export;
use trompe_listening_test::payment::pay_list;
use trompe_listening_test::study::Policy;

use super::sample::{Running, Sample, edit, fitting};

/// Somebody comes by an address with these parameters.
fn come(server: &Running, parameters: serde_json::Value, dry: bool) -> (u16, serde_json::Value) {
    let version = server.json("GET", "/api/study", "", "")["consent_version"].clone();
    let body = serde_json::json!({
        "consent_version": version, "of_age": true, "language": "en",
        "parameters": parameters, "dry_run": dry,
    });
    let (status, text) = server.ask("POST", "/api/sessions", "", &body.to_string());
    (status, serde_json::from_str(text.split_once("\r\n\r\n").unwrap().1).unwrap())
}

fn number(number: &str) -> serde_json::Value {
    serde_json::json!({ "PROLIFIC_PID": number, "STUDY_ID": "s1" })
}

/// Takes the whole study and gives its end.
fn finish(server: &Running, code: &str, heard_ms: u64) -> serde_json::Value {
    let mut state = server.json("GET", "/api/state", code, "");
    while state["step"].is_object() {
        let view = state["step"].clone();
        let mut answer = fitting(&view, &format!("answer-{}", view["index"]));
        (answer["response_ms"], answer["heard_ms"]) = (0.into(), heard_ms.into());
        if let Some(told) = view["told"].as_str() {
            answer["choice"] = told.into();
        }
        state = server.json("POST", "/api/answers", code, &answer.to_string())["state"].clone();
    }
    state["end"].clone()
}

/// A study whose rules do not look at time, so that a test may hurry.
fn hasty() -> Sample {
    let sample = Sample::new(5, Policy::Off);
    edit(&sample.study(), "impossible_times = true", "impossible_times = false");
    edit(&sample.study(), "least_heard_seconds = 3.0", "least_heard_seconds = 0.0");
    sample
}

#[test]
fn numbers_are_asked_for_compared_and_never_a_placeholder() {
    let sample = hasty();
    edit(&sample.study(), "number_required = false", "number_required = true");
    let server = sample.serve(0);
    let error = |parameters: serde_json::Value| {
        let (status, body) = come(&server, parameters, false);
        (status, body["error"].as_str().unwrap_or_default().to_owned())
    };
    assert_eq!(error(serde_json::json!({})), (403, "number".into()));
    assert_eq!(error(number("  ")), (403, "number".into()));
    for placeholder in ["{{%PROLIFIC_PID%}}", "%SURVEY_CODE%", "${workerId}"] {
        assert_eq!(error(number(placeholder)), (422, "placeholder".into()));
    }
    let unfilled = serde_json::json!({ "PROLIFIC_PID": "x1", "SESSION_ID": "{{%SESSION_ID%}}" });
    assert_eq!(error(unfilled), (422, "placeholder".into()));
    assert_eq!(error(number("5F3a9C")).0, 200);
    for again in ["5f3a9c", " 5F3A9C ", "5f3a 9c"] {
        assert_eq!(error(number(again)), (409, "already-took-part".into()), "{again}");
    }
    let study = server.json("GET", "/api/study", "", "");
    assert_eq!(study["number_required"], true);
    assert!((1..=10).contains(&study["minutes"].as_u64().unwrap()), "{}", study["minutes"]);
}

#[test]
fn a_study_closes_when_enough_people_take_part_and_dry_runs_use_nothing_up() {
    let sample = hasty();
    edit(&sample.study(), "participants = 0", "participants = 2");
    let server = sample.serve(0);
    // dry runs take no place, no number and get no code
    for _ in 0..3 {
        let (status, dry) = come(&server, number("tester"), true);
        assert_eq!(status, 200);
        let end = finish(&server, dry["code"].as_str().unwrap(), 3000);
        assert_eq!((&end["outcome"], &end["code"]), (&"complete".into(), &"".into()));
    }
    let (_, first) = come(&server, number("tester"), false);
    let (_, second) = come(&server, number("b"), false);
    let (status, body) = come(&server, number("c"), false);
    assert_eq!((status, &body["error"]), (403, &"full".into()));
    assert_eq!(come(&server, number("c"), true).0, 200, "a dry run comes in all the same");
    // who leaves for good makes room
    server.json("POST", "/api/withdraw", second["code"].as_str().unwrap(), "");
    assert_eq!(come(&server, number("d"), false).0, 200);
    // who has finished does not
    let end = finish(&server, first["code"].as_str().unwrap(), 3000);
    assert_eq!(end["code"].as_str().unwrap().len(), 8);
    assert_eq!(come(&server, number("e"), false).0, 403);

    let payments = pay_list(&sample.study(), &sample.database()).unwrap();
    let states: Vec<_> = payments.iter().map(|p| (p.number.as_str(), p.state)).collect();
    assert_eq!(states, [("d", "under way"), ("tester", "complete")]);
    assert_eq!(payments[1].code, end["code"].as_str().unwrap());
    assert_eq!(payments[1].parameters, "PROLIFIC_PID=tester; STUDY_ID=s1");
    assert_eq!(export(&sample.study(), &sample.database()).unwrap().looks, 1, "no look of ours");
}

#[test]
fn the_pay_list_tells_who_failed_and_who_was_screened_out() {
    let sample = Sample::new(5, Policy::Gate);
    let study = sample.study();
    edit(&study, "screened_out_code = \"\"", "screened_out_code = \"SCREEN\"");
    let to = "screened_out_url = \"https://example.org/?cc={code}\"";
    edit(&study, "screened_out_url = \"\"", to);
    let server = sample.serve(0);
    let (_, body) = come(&server, number("=1+1"), false);
    let end = finish(&server, body["code"].as_str().unwrap(), 60_000);
    assert_eq!(end["outcome"], "screened-out");
    assert_eq!(end["code"], "SCREEN");
    assert_eq!(end["url"], "https://example.org/?cc=SCREEN");
    let out = sample.folder.path().join("pay.csv");
    let run = std::process::Command::new(env!("CARGO_BIN_EXE_trompe-listen"))
        .args(["pay".as_ref(), study.as_os_str(), "--database".as_ref()])
        .args([sample.database().as_os_str(), "--out".as_ref(), out.as_os_str()])
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&run.stdout), "1 numbers\n    1 screened out\n");
    let csv = std::fs::read_to_string(out).unwrap();
    assert!(csv.starts_with("number,parameters,state,code,finished,minutes\n'=1+1,"), "{csv}");
    assert!(csv.contains(",screened out,SCREEN,"), "{csv}");
}

#[test]
fn nobody_comes_in_after_the_last_day_and_expire_keeps_its_promise() {
    let sample = Sample::new(5, Policy::Off);
    let study = sample.study();
    let server = sample.serve(0);
    let code = server.enrol();
    server.json("POST", "/api/answers", &code, r#"{"step":0,"key":"first-one","answers":{}}"#);
    let early = expire(&study, &sample.database()).unwrap_err().to_string();
    assert!(early.contains("2030-12-31, which is not over"), "{early}");
    drop(server);

    // the same study with a day that is over; its database knows it by its hash
    edit(&study, "retain_until = \"2030-12-31\"", "retain_until = \"2020-12-31\"");
    let hash = trompe_listening_test::StudyFolder::open(&study).unwrap().sha256;
    let connection = rusqlite::Connection::open(sample.database()).unwrap();
    connection.execute("update meta set value = ?1 where name = 'study'", [&hash]).unwrap();
    drop(connection);
    let server = sample.serve(0);
    assert_eq!(come(&server, serde_json::json!({}), false).0, 403);
    // the refusal is on record within a second, and erased with the rest
    std::thread::sleep(std::time::Duration::from_millis(2500));
    assert_eq!(export(&study, &sample.database()).unwrap().participants.len(), 1, "not yet");
    assert_eq!(expire(&study, &sample.database()).unwrap().erased, 1);
    let left = export(&study, &sample.database()).unwrap();
    assert!(left.participants.is_empty() && left.answers.is_empty() && left.refusals.is_empty());
    drop(server);

    edit(&study, "retain_until = \"2020-12-31\"", "retain_until = \"2030-12-31\"");
    edit(&study, "last_day = \"\"", "last_day = \"2020-12-31\"");
    std::fs::remove_file(sample.database()).unwrap();
    for end in ["-wal", "-shm"] {
        let _ = std::fs::remove_file(format!("{}{end}", sample.database().display()));
    }
    let server = sample.serve(0);
    let (status, body) = come(&server, serde_json::json!({}), false);
    assert_eq!((status, &body["error"]), (403, &"closed".into()));
}
