//! Many people at once, alone and beside clients that hold lines open.
//!
//! How quick answers are depends on the machine, so it is printed and not asserted. Before a
//! release, with as many open files (`ulimit -n 20000`):
//!
//! - `SESSIONS=1000 PAUSE_MS=5000 ... load_is_served`: p99 is to stay below 200 ms;
//! - `SESSIONS=1000 PAUSE_MS=5000 SLOW=1500 ... slow_clients`: p99 is to stay below 500 ms and each
//!   slow line to be cut within 15 s.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use trompe_listening_test::simulate::{
    Hearing, ListenerKind, SimulateArguments, SimulateReport, simulate,
};
use trompe_listening_test::study::Policy;

use super::sample::{Running, Sample};
use super::slow_lines::hold_lines;

/// Longest that a slow line may stay open here: twice the server's limits, for a busy machine.
const LONGEST_LINE: Duration = Duration::from_secs(30);

fn setting(name: &str, otherwise: u32) -> u32 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

/// Open sessions that together give 200 answers a second and fetch what they hear: all are
/// served, in little memory.
#[test]
fn load_is_served_in_little_memory() {
    let load = Load { sessions: setting("SESSIONS", 60), pause_ms: setting("PAUSE_MS", 300) };
    let sample = Sample::new(10, Policy::Off);
    let server = sample.serve(0);
    let report = load.put_on(&sample, &server);
    load.check(&report, &server);
}

/// The same load while others send headers and bodies byte by byte or nothing at all: each of
/// these is cut, another takes its place, and nobody else's answer is lost.
#[test]
fn slow_clients_are_cut_and_hold_nobody_up() {
    let load = Load { sessions: setting("SESSIONS", 60), pause_ms: setting("PAUSE_MS", 400) };
    let slow = setting("SLOW", 150) as usize;
    let sample = Sample::new(10, Policy::Off);
    let server = sample.serve(0);
    let over = AtomicBool::new(false);
    let (report, cut) = std::thread::scope(|scope| {
        let holding = scope.spawn(|| hold_lines(server.address, slow, &over));
        let report = load.put_on(&sample, &server);
        over.store(true, Ordering::SeqCst);
        (report, holding.join().unwrap())
    });
    for (kind, cut) in &cut {
        println!("{kind}: {} cut, each within {:.1} s", cut.lines, cut.longest.as_secs_f64());
        assert!(cut.lines >= slow / 3, "{kind}: {} cut", cut.lines);
        assert!(cut.longest < LONGEST_LINE, "{kind}: {:?}", cut.longest);
    }
    load.check(&report, &server);
}

/// Sessions that answer at the same time, with a pause before each answer.
struct Load {
    sessions: u32,
    pause_ms: u32,
}

impl Load {
    fn put_on(&self, sample: &Sample, server: &Running) -> SimulateReport {
        simulate(&SimulateArguments {
            study: sample.study(),
            address: server.address,
            listeners: self.sessions,
            kinds: vec![ListenerKind::Chance, ListenerKind::Skilled],
            seed: 5,
            pause: Duration::from_millis(self.pause_ms.into()),
            fetch: true,
            longest: Duration::from_secs(300),
            hearing: Hearing::default(),
        })
        .unwrap()
    }

    /// Prints what happened; nobody failed, and the server stayed small.
    fn check(&self, report: &SimulateReport, server: &Running) {
        let megabytes = peak_megabytes(server);
        println!(
            "{} sessions, {} answers in {:.0} s ({:.0}/s): p99 {:.1} ms, longest {:.1} ms, \
             peak memory {megabytes} MB, {} failed, {} sent again",
            self.sessions,
            report.acknowledged.len(),
            report.seconds,
            report.acknowledged.len() as f64 / report.seconds,
            report.latency_ms(0.99).unwrap(),
            report.latency_ms(1.0).unwrap(),
            report.failed.len(),
            report.repeats
        );
        assert_eq!((report.finished, report.failed.as_slice()), (self.sessions, [].as_slice()));
        assert!(megabytes < 300);
    }
}

/// Most memory that the server has had (`VmHWM` of Linux).
fn peak_megabytes(server: &Running) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.process.id())).unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    peak.trim().trim_end_matches(" kB").parse::<u64>().unwrap() / 1024
}
