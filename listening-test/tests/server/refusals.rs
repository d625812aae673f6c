//! Peeking and tampering leave a trace, and the trace tells nothing about people.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use trompe_listening_test::Rejection;
use trompe_listening_test::export::{export, write_export};
use trompe_listening_test::study::Policy;

use super::sample::{Sample, bearer};

type Lines = BTreeMap<(Option<String>, String, u16, String), u64>;

/// The record by participant, route, status and word, once `enough` of it is written.
fn record(sample: &Sample, enough: impl Fn(&Lines) -> bool) -> Lines {
    let begun = Instant::now();
    loop {
        let exported = export(&sample.study(), &sample.database()).unwrap();
        let line = |refused: Rejection| {
            assert!(0 < refused.first_at && refused.first_at <= refused.last_at);
            ((refused.participant, refused.route, refused.status, refused.why), refused.times)
        };
        let lines: Lines = exported.refusals.into_iter().map(line).collect();
        if enough(&lines) {
            return lines;
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "{lines:?}");
        std::thread::sleep(Duration::from_millis(200));
    }
}

#[test]
fn refused_requests_are_counted_by_kind_route_and_participant() {
    let sample = Sample::new(5, Policy::Off);
    let server = sample.serve(0);
    let mine = server.enrol();
    let state = server.json("GET", "/api/state", &mine, "");
    let number = state["participant"].as_str().unwrap().to_owned();
    let marked = |code: &str| format!("{}user-agent: spy-agent\r\n", bearer(code));
    let refused = |method: &str, path: &str, headers: &str, body: &str, wanted: u16| {
        assert_eq!(server.ask(method, path, headers, body).0, wanted, "{path}");
    };
    let early = r#"{"step":3,"key":"forward-1","text":"spy-words"}"#;
    refused("POST", "/api/answers", &marked(&mine), early, 409);
    refused("POST", "/api/answers", &marked(&mine), early, 409);
    refused("POST", "/api/answers", &marked(&mine), r#"{"step":99999,"key":"forward-2"}"#, 422);
    refused("POST", "/api/answers", &marked(&mine), r#"{"plan":3}"#, 422);
    refused("GET", "/api/stimuli/spypeek000000000.wav", &marked(&mine), "", 404);
    refused("GET", "/api/state", &marked("0000-0000-0000-0000"), "", 404);
    refused("GET", "/api/state", &marked("1111-1111-1111-1111"), "", 404);
    refused("GET", "/spy-path?spy-query", &marked(""), "", 404);
    refused("DELETE", "/api/state", &marked(""), "", 405);
    let origin = format!("origin: http://{}\r\n", server.address);
    let form = format!("{origin}content-type: application/x-www-form-urlencoded\r\n");
    refused("POST", "/admin/enter", &form, "token=spy-token", 403);
    refused("POST", "/api/answers", &marked(&mine), &"x".repeat(70_000), 413);

    let whole = |lines: &Lines| lines.values().sum::<u64>() >= 11;
    let key = |whose: Option<&str>, route: &str, status: u16, why: &str| {
        (whose.map(String::from), route.into(), status, why.into())
    };
    let me = Some(number.as_str());
    let of_others: Lines = [
        (key(None, "/api/state", 404, "not-found"), 2),
        (key(None, "other", 404, "not-found"), 1),
        (key(None, "/api/state", 405, "method-not-allowed"), 1),
        (key(None, "/admin/enter", 403, "forbidden"), 1),
    ]
    .into();
    let mut all = of_others.clone();
    all.extend([
        (key(me, "/api/answers", 409, "out-of-order"), 2),
        (key(me, "/api/answers", 422, "step"), 1),
        (key(me, "/api/answers", 422, "json"), 1),
        (key(me, "/api/stimuli/{file}", 404, "not-found"), 1),
        (key(me, "/api/answers", 413, "payload-too-large"), 1),
    ]);
    assert_eq!(record(&sample, whole), all);

    // again on the same day: no new line
    refused("POST", "/api/answers", &marked(&mine), early, 409);
    let more = record(&sample, |lines| lines.values().sum::<u64>() >= 12);
    assert_eq!(more.len(), all.len());
    assert_eq!(more[&key(me, "/api/answers", 409, "out-of-order")], 3);

    let out = sample.folder.path().join("exported");
    write_export(&export(&sample.study(), &sample.database()).unwrap(), &out).unwrap();
    let table = std::fs::read_to_string(out.join("refusals.csv")).unwrap();
    assert_eq!(table.lines().count(), 1 + all.len());
    assert!(table.contains(&format!("{number},/api/answers,409,out-of-order,")), "{table}");

    // who leaves takes the trace along
    assert_eq!(server.ask("POST", "/api/withdraw", &bearer(&mine), "").0, 200);
    assert_eq!(record(&sample, |lines| lines.len() <= of_others.len()), of_others);
    for end in ["", "-wal"] {
        let path = format!("{}{end}", sample.database().display());
        let bytes = std::fs::read(&path).unwrap_or_default();
        for text in ["spy-", "spypeek", "127.0.0.1", number.as_str()] {
            let found = bytes.windows(text.len()).any(|part| part == text.as_bytes());
            assert!(!found, "{path} holds {text:?}");
        }
    }
}
