//! Clients that hold lines open: half a header, half a body, nothing at all.

use std::collections::BTreeMap;
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// How a client is slow, and how it begins. All but the silent send one more byte at a time.
const KINDS: [(&str, &[u8]); 3] = [
    ("slow header", b"GET /api/study HTTP/1.1\r\nhost: x\r\nx-slow: "),
    ("slow body", b"POST /api/answers HTTP/1.1\r\nhost: x\r\ncontent-length: 5000\r\n\r\n{"),
    ("silent", b""),
];

/// Time between two bytes of a slow client.
const DRIBBLE: Duration = Duration::from_millis(500);

/// What became of the lines of one kind.
#[derive(Debug, Default)]
pub(crate) struct Cut {
    /// Lines that the server has cut.
    pub(crate) lines: usize,
    /// Longest time from opening a line to finding it cut.
    pub(crate) longest: Duration,
}

struct Line {
    kind: usize,
    stream: TcpStream,
    since: Instant,
}

/// Holds `count` lines, a third of each kind. One that is cut is opened anew until `over`; then
/// the rest is waited for, two minutes at most.
pub(crate) fn hold_lines(
    address: SocketAddr,
    count: usize,
    over: &AtomicBool,
) -> BTreeMap<&'static str, Cut> {
    let mut cut: BTreeMap<_, _> = KINDS.iter().map(|(name, _)| (*name, Cut::default())).collect();
    let mut open: Vec<Line> = (0..count).map(|number| Line::open(address, number % 3)).collect();
    let mut last = Instant::now();
    while !open.is_empty() {
        std::thread::sleep(DRIBBLE);
        if !over.load(Ordering::SeqCst) {
            last = Instant::now();
        }
        assert!(last.elapsed() < Duration::from_secs(120), "{} lines stay open", open.len());
        let mut kept = Vec::with_capacity(open.len());
        for mut line in open {
            if line.is_open() {
                kept.push(line);
                continue;
            }
            let kind = cut.entry(KINDS[line.kind].0).or_default();
            kind.lines += 1;
            kind.longest = kind.longest.max(line.since.elapsed());
            if !over.load(Ordering::SeqCst) {
                kept.push(Line::open(address, line.kind));
            }
        }
        open = kept;
    }
    cut
}

impl Line {
    fn open(address: SocketAddr, kind: usize) -> Self {
        let since = Instant::now();
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(KINDS[kind].1).unwrap();
        stream.set_nonblocking(true).unwrap();
        Self { kind, stream, since }
    }

    /// Sends one more byte, if this kind does, and reads what there is.
    fn is_open(&mut self) -> bool {
        let waits = |error: &std::io::Error| error.kind() == ErrorKind::WouldBlock;
        let sent = KINDS[self.kind].1.is_empty()
            || self.stream.write(b"a").as_ref().map_or_else(waits, |_| true);
        let read = self.stream.read(&mut [0; 4096]);
        sent && read.as_ref().map_or_else(waits, |&count| count > 0)
    }
}
