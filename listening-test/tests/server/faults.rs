//! `kill -9` while people answer, and people who answer while others hold lines open.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rusqlite::Connection;
use trompe_listening_test::simulate::{Kind, SimulateArguments, simulate};
use trompe_listening_test::study::Policy;

use crate::sample::Sample;

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
        kinds: vec![Kind::Chance, Kind::Skilled, Kind::Biased],
        seed: 7,
        // long enough that the kills fall between the answers
        pause: Duration::from_millis(u64::from(kills) * 400 / 45),
        fetch: false,
        longest: Duration::from_secs(900),
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

/// Half-sent headers, slow bodies and silent lines are cut, and nobody else's answer is lost.
/// `SLOW` makes it larger: 1500 before a release, where all are to be cut within 15 s and the
/// others' p99 is to stay below 500 ms; how quick it is depends on the machine, so it is
/// printed here and not asserted.
#[test]
fn slow_clients_are_cut_and_hold_nobody_up() {
    let slow: usize = std::env::var("SLOW").ok().and_then(|n| n.parse().ok()).unwrap_or(150);
    let sample = Sample::new(10, Policy::Off);
    let server = sample.serve(0);
    let begun = Instant::now();
    let starts: [&[u8]; 3] = [
        b"GET /api/study HTTP/1.1\r\nhost: x\r\nx-slow: ",
        b"POST /api/answers HTTP/1.1\r\nhost: x\r\ncontent-length: 5000\r\n\r\n{",
        b"",
    ];
    let streams: Vec<TcpStream> = (0..slow)
        .map(|number| {
            let mut stream = TcpStream::connect(server.address).unwrap();
            stream.write_all(starts[number % 3]).unwrap();
            stream.set_nonblocking(true).unwrap();
            stream
        })
        .collect();
    let arguments = SimulateArguments {
        study: sample.study(),
        address: server.address,
        listeners: 20,
        kinds: vec![Kind::Chance],
        seed: 3,
        pause: Duration::from_millis(100),
        fetch: true,
        longest: Duration::from_secs(60),
    };
    let report = std::thread::scope(|scope| {
        let simulation = scope.spawn(|| simulate(&arguments));
        let mut open: Vec<_> = streams.into_iter().collect();
        while !open.is_empty() {
            assert!(
                begun.elapsed() < Duration::from_secs(120),
                "{} lines are still open",
                open.len()
            );
            std::thread::sleep(Duration::from_millis(200));
            open.retain_mut(|stream| {
                let _ = stream.write(b"a"); // one more byte, as a slow client sends
                !matches!(stream.read(&mut [0; 4096]), Ok(0))
                    && !matches!(stream.take_error(), Ok(Some(_)))
                    && !matches!(stream.peek(&mut [0; 1]), Err(error)
                        if error.kind() != std::io::ErrorKind::WouldBlock)
            });
        }
        simulation.join().unwrap().unwrap()
    });
    println!(
        "{slow} slow clients cut within {:.1} s; p99 of others {:.1} ms",
        begun.elapsed().as_secs_f64(),
        report.latency_ms(0.99).unwrap()
    );
    assert_eq!((report.finished, report.failed.len()), (20, 0));
}

/// Open sessions that together give 200 answers a second and fetch what they hear: all are
/// served, in little memory. `SESSIONS` and `PAUSE_MS` make it longer: 1000 and 5000 before a
/// release, where p99 is to stay below 200 ms; it is printed, not asserted, as above.
#[test]
fn load_is_served_in_little_memory() {
    let setting = |name: &str, otherwise: u32| {
        std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
    };
    let (sessions, pause) = (setting("SESSIONS", 60), setting("PAUSE_MS", 300));
    let sample = Sample::new(10, Policy::Off);
    let server = sample.serve(0);
    let report = simulate(&SimulateArguments {
        study: sample.study(),
        address: server.address,
        listeners: sessions,
        kinds: vec![Kind::Chance, Kind::Skilled],
        seed: 5,
        pause: Duration::from_millis(pause.into()),
        fetch: true,
        longest: Duration::from_secs(300),
    })
    .unwrap();
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.process.id())).unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    let kilobytes: u64 = peak.trim().trim_end_matches(" kB").parse().unwrap();
    let p99 = report.latency_ms(0.99).unwrap();
    println!(
        "{sessions} sessions, {} answers in {:.0} s ({:.0}/s): p99 {p99:.1} ms, longest {:.1} ms, \
         peak memory {} MB, {} failed, {} sent again",
        report.acknowledged.len(),
        report.seconds,
        report.acknowledged.len() as f64 / report.seconds,
        report.latency_ms(1.0).unwrap(),
        kilobytes / 1024,
        report.failed.len(),
        report.repeats
    );
    assert_eq!((report.finished, report.failed.len()), (sessions, 0));
    assert!(kilobytes < 300 * 1024);
}
