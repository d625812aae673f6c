//! `kill -9` while people answer.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rusqlite::Connection;
use trompe_listening_test::simulate::{Hearing, ListenerKind, SimulateArguments, simulate};
use trompe_listening_test::study::Policy;

use super::sample::{Sample, bearer};

/// A file that may not grow is what a full disk is: nothing is acknowledged, the monitor is told, and
/// when there is room again everything goes on.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_told_and_loses_nothing() {
    let sample = Sample::new(10, Policy::Off);
    drop(sample.serve(0)); // makes the database
    let server = sample.serve_limited(400);
    let codes: Vec<String> = (0..4).map(|_| server.enrol()).collect();
    let healthy = || server.ask("GET", "/api/health", "", "").0;
    let long = "x".repeat(3900);
    let mut stored: Vec<(String, u32)> = Vec::new();
    let send = |code: &String, step: u32| {
        let body = serde_json::json!({ "step": step, "key": format!("answer-{step}"), "text": long,
            "answers": {} });
        server.ask("POST", "/api/answers", &bearer(code), &body.to_string()).0
    };
    // the first steps of this study are the questionnaire and the introduction
    let fill = |stored: &mut Vec<(String, u32)>| -> bool {
        for round in 0..200 {
            let code = server.try_enrol();
            match code.map(|code| (send(&code, 0), code)) {
                Some((200, code)) => stored.push((code, 0)),
                Some((503, _)) | None => return true,
                Some((status, _)) => panic!("{status} in round {round}"),
            }
        }
        false
    };
    // A checkpoint can free room in the log after the first refusal: fill until it stays full.
    let told = (0..10).any(|_| {
        assert!(fill(&mut stored), "the disk never filled up");
        std::thread::sleep(Duration::from_millis(2100));
        healthy() == 503
    });
    assert!(told, "a full disk is not told");
    assert_eq!(send(&codes[0], 0), 503, "nothing is acknowledged");
    let limit = format!("--pid={}", server.process.id());
    let raised = std::process::Command::new("prlimit").args([&limit, "--fsize=unlimited"]).status();
    assert!(raised.unwrap().success());
    std::thread::sleep(Duration::from_millis(2100));
    assert_eq!(healthy(), 200);
    assert_eq!(send(&codes[0], 0), 200);
    for (code, _) in &stored {
        let state = server.json("GET", "/api/state", code, "");
        assert_eq!(state["answered"], 1, "an acknowledged answer is gone");
    }
    println!("{} answers before the disk was full, all there after it", stored.len());
}

/// Every acknowledged answer is stored exactly once, however often the server is killed.
/// `LISTENERS` and `KILLS` make it longer: 500 and 100 before a release.
#[test]
fn no_acknowledged_answer_is_lost_or_doubled_by_kill_9() {
    let setting = |name: &str, otherwise| {
        std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
    };
    let (listeners, kills) = (setting("LISTENERS", 40), setting("KILLS", 8));
    let sample = Sample::new(30, Policy::Off);
    let server = Mutex::new(sample.serve(0));
    let address = server.lock().unwrap().address;
    let arguments = SimulateArguments {
        study: sample.study(),
        address,
        listeners,
        kinds: vec![ListenerKind::Chance, ListenerKind::Skilled, ListenerKind::Biased],
        seed: 7,
        // long enough that the kills fall between the answers
        pause: Duration::from_millis(u64::from(kills) * 400 / 45),
        fetch: false,
        longest: Duration::from_secs(900),
        hearing: Hearing::default(),
    };
    let done = AtomicBool::new(false);
    let mut killed = 0;
    let report = std::thread::scope(|scope| {
        let simulation = scope.spawn(|| {
            let report = simulate(&arguments);
            done.store(true, Ordering::SeqCst);
            report
        });
        while !done.load(Ordering::SeqCst) && killed < kills {
            std::thread::sleep(Duration::from_millis(150 + 37 * u64::from(killed % 7)));
            let mut running = server.lock().unwrap();
            running.process.kill().unwrap(); // SIGKILL
            running.process.wait().unwrap();
            killed += 1;
            *running = sample.serve(address.port());
        }
        simulation.join().unwrap().unwrap()
    });
    assert_eq!(killed, kills, "the listeners were done before the server was killed often enough");
    assert_eq!(report.failed, Vec::<String>::new());
    assert_eq!(report.finished, listeners);

    let connection = Connection::open(sample.database()).unwrap();
    let mut query = connection
        .prepare(
            "select participant, step, key, count(*) from answers
             join sessions on sessions.id = session group by 1, 2, 3",
        )
        .unwrap();
    let stored: BTreeMap<(String, u32, String), u32> = query
        .query_map([], |row| Ok(((row.get(0)?, row.get(1)?, row.get(2)?), row.get(3)?)))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    for answer in &report.acknowledged {
        assert_eq!(stored.get(answer), Some(&1), "{answer:?}");
    }
    assert_eq!(stored.len(), report.acknowledged.len());
    println!(
        "{} answers acknowledged, {} stored, {killed} kills, {} sent again",
        report.acknowledged.len(),
        stored.len(),
        report.repeats
    );
}
