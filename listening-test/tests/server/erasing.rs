//! Coming in once, and leaving without a trace.

use std::time::{Duration, Instant};

use rusqlite::Connection;
use trompe_listening_test::backup::back_up;
use trompe_listening_test::erase::{Whose, erase};
use trompe_listening_test::export::export;
use trompe_listening_test::simulate::{Hearing, ListenerKind, SimulateArguments, simulate_alone};
use trompe_listening_test::study::Policy;

use super::sample::{Running, Sample, bearer};

fn enrolment(server: &Running, key: &str) -> String {
    let version = server.json("GET", "/api/study", "", "")["consent_version"].clone();
    serde_json::json!({
        "consent_version": version, "of_age": true, "language": "en", "key": key,
        "parameters": { "PROLIFIC_PID": "worker-1" },
    })
    .to_string()
}

/// The answer to an enrolment can be lost on the way. Sent again, it must neither take
/// somebody in twice nor lock a worker out who has no code yet.
#[test]
fn an_enrolment_whose_answer_was_lost_can_be_sent_again() {
    let sample = Sample::new(5, Policy::Off);
    let server = sample.serve(0);
    let mine = enrolment(&server, "0123456789abcdef01234567");
    let lost = server.json("POST", "/api/sessions", "", &mine);
    let again = server.json("POST", "/api/sessions", "", &mine);
    assert_eq!(lost["state"]["participant"], again["state"]["participant"]);
    let (old, new) = (lost["code"].as_str().unwrap(), again["code"].as_str().unwrap());
    assert_eq!(server.ask("GET", "/api/state", &bearer(old), "").0, 404);
    server.json("POST", "/api/answers", new, r#"{"step":0,"key":"first-one","answers":{}}"#);
    // from the first answer on it is somebody else's try, and the worker took part
    assert_eq!(server.ask("POST", "/api/sessions", "", &mine).0, 409);
    let other = enrolment(&server, "another-page-of-the-same-worker");
    assert_eq!(server.ask("POST", "/api/sessions", "", &other).0, 409);
    assert_eq!(export(&sample.study(), &sample.database()).unwrap().participants.len(), 1);
}

#[test]
fn the_experimenter_erases_people_and_simulated_listeners() {
    let sample = Sample::new(5, Policy::Off);
    let arguments = SimulateArguments {
        study: sample.study(),
        address: "127.0.0.1:0".parse().unwrap(),
        listeners: 4,
        kinds: vec![ListenerKind::Chance],
        seed: 1,
        pause: Duration::ZERO,
        fetch: true,
        longest: Duration::from_secs(30),
        hearing: Hearing::default(),
    };
    assert_eq!(simulate_alone(&arguments, &sample.database()).unwrap().finished, 4);
    let server = sample.serve(0);
    let (first, second) = (server.enrol(), server.enrol());
    let state = server.json("GET", "/api/state", &first, "");
    let number = state["participant"].as_str().unwrap().to_owned();

    let named = |names: &[&str]| Whose::Named(names.iter().map(|&name| name.into()).collect());
    let run = |whose: &Whose| erase(&sample.study(), &sample.database(), whose);
    let refused = run(&named(&[&number, "p-nobody"])).unwrap_err().to_string();
    assert!(refused.contains("no one was erased"), "{refused}");
    assert_eq!(server.ask("GET", "/api/state", &bearer(&first), "").0, 200);

    // while the study is served: by number, by code, and all that were simulated
    assert_eq!(run(&named(&[&number])).unwrap().erased, 1);
    assert_eq!(run(&named(&[&second.to_lowercase()])).unwrap().erased, 1);
    assert_eq!(server.ask("GET", "/api/state", &bearer(&first), "").0, 404);
    assert_eq!(run(&Whose::Simulated).unwrap().erased, 4);
    let rows = |table: &str| -> u32 {
        let connection = Connection::open(sample.database()).unwrap();
        connection
            .query_row(&format!("select count(*) from {table}"), [], |row| row.get(0))
            .unwrap()
    };
    for table in ["sessions", "answers", "interruptions", "crowd"] {
        assert_eq!(rows(table), 0, "{table}");
    }
    for end in ["", "-wal"] {
        let path = format!("{}{end}", sample.database().display());
        let bytes = std::fs::read(&path).unwrap_or_default();
        let found = |text: &str| bytes.windows(text.len()).any(|part| part == text.as_bytes());
        assert!(!found(&number) && !found("sim-"), "{path} still knows somebody");
    }
}

/// A copy knows everybody until they are erased; one that is not at hand is erased in when it is again.
#[test]
fn who_is_erased_is_erased_in_backups_too() {
    let sample = Sample::new(5, Policy::Off);
    let server = sample.serve(0);
    let people = [server.enrol(), server.enrol(), server.enrol()];
    let numbers = people.each_ref().map(|code| {
        let state = server.json("GET", "/api/state", code, "");
        state["participant"].as_str().unwrap().to_owned()
    });
    let (near, far) =
        (sample.folder.path().join("near.sqlite"), sample.folder.path().join("far.sqlite"));
    for copy in [&near, &far] {
        assert_eq!(back_up(&sample.study(), &sample.database(), copy).unwrap(), []);
    }
    assert!(back_up(&sample.study(), &sample.database(), &near).is_err(), "no file is replaced");
    let known = |copy: &std::path::Path| {
        let found = export(&sample.study(), copy).unwrap().participants;
        found.into_iter().map(|person| person.participant).collect::<Vec<_>>()
    };
    assert_eq!(known(&near), numbers);
    let bytes_of = |copy: &std::path::Path, number: &str| {
        let bytes = std::fs::read(copy).unwrap();
        bytes.windows(number.len()).any(|part| part == number.as_bytes())
    };
    // One copy is elsewhere while one leaves by the page and one by the experimenter.
    let elsewhere = sample.folder.path().join("elsewhere.sqlite");
    std::fs::rename(&far, &elsewhere).unwrap();
    assert_eq!(server.ask("POST", "/api/withdraw", &bearer(&people[0]), "").0, 200);
    let whose = Whose::Named(vec![numbers[1].clone()]);
    let erased = erase(&sample.study(), &sample.database(), &whose).unwrap();
    assert_eq!((erased.erased, erased.unsettled.len()), (1, 1));
    assert_eq!(erased.unsettled[0].people, 2);
    assert!(erased.in_words().contains("far.sqlite"), "{}", erased.in_words());
    assert_eq!(known(&near), numbers[2..]);
    assert!(!bytes_of(&near, &numbers[0]) && !bytes_of(&near, &numbers[1]));
    assert_eq!(known(&elsewhere), numbers);
    std::fs::rename(&elsewhere, &far).unwrap();
    let last =
        back_up(&sample.study(), &sample.database(), &sample.folder.path().join("last.sqlite"));
    assert_eq!(last.unwrap(), [], "the copy is at hand again");
    assert_eq!(known(&far), numbers[2..]);
    assert!(!bytes_of(&far, &numbers[0]) && !bytes_of(&far, &numbers[1]));
}

/// A reader can keep the log from being emptied: then nobody is told that all is erased.
#[test]
fn erasure_is_confirmed_only_when_the_log_is_empty() {
    let sample = Sample::new(5, Policy::Off);
    let server = sample.serve(0);
    let code = server.enrol();
    let reader = Connection::open(sample.database()).unwrap();
    reader.execute_batch("begin").unwrap();
    let _: u32 = reader.query_row("select count(*) from sessions", [], |row| row.get(0)).unwrap();
    let state = server.json("GET", "/api/state", &code, "");
    let number = state["participant"].as_str().unwrap().to_owned();
    let refused =
        erase(&sample.study(), &sample.database(), &Whose::Named(vec![number])).unwrap_err();
    assert!(refused.to_string().contains("not yet from the database's log"), "{refused}");
    // participants, too, are told so only then, however often they ask; and the others do not wait for the reader
    let code = server.enrol();
    let withdraw = |code: &str| server.ask("POST", "/api/withdraw", &bearer(code), "");
    for _ in 0..2 {
        let asked = Instant::now();
        let (status, text) = withdraw(&code);
        assert_eq!(status, 503, "{text}");
        assert!(asked.elapsed() < Duration::from_secs(5), "{:?}", asked.elapsed());
    }
    reader.execute_batch("commit").unwrap();
    assert_eq!(withdraw(&code).0, 404, "erased, and the log is empty");
    assert_eq!(erase(&sample.study(), &sample.database(), &Whose::Simulated).unwrap().erased, 0);
}

#[cfg(unix)]
#[test]
fn only_the_owner_can_read_the_answers() {
    use std::os::unix::fs::PermissionsExt;
    let sample = Sample::new(5, Policy::Off);
    let server = sample.serve(0);
    server.enrol();
    for end in ["", "-wal", "-shm"] {
        let path = format!("{}{end}", sample.database().display());
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{path}: {mode:o}");
    }
}
