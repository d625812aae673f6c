//! A small study of synthesized sounds and its server as a process that can be killed.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use sha2::{Digest, Sha256};
use tempfile::TempDir;
use trompe_listening_test::build::{BuildArguments, Counts, build, reseal};
use trompe_listening_test::study::Policy;

pub(crate) const CLASSES: [&str; 5] = ["blues", "jazz", "metal", "pop", "rock"];

/// Folder with a study and room for a database; erased at the end.
pub(crate) struct Sample {
    pub(crate) folder: TempDir,
}

pub(crate) fn write_tone(path: &Path, number: usize, seconds: f64) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: 8000,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut writer = hound::WavWriter::create(path, spec).unwrap();
    for n in 0..(8000.0 * seconds) as usize {
        let phase = n * (20 + number) % 8000;
        writer.write_sample((phase as i16 - 4000) * 2).unwrap();
    }
    writer.finalize().unwrap();
}

impl Sample {
    /// `fooling` exhibits and as many controls per participant; two exhibits a class.
    pub(crate) fn new(fooling: u32, headphones: Policy) -> Self {
        let folder = TempDir::new().unwrap();
        let set = folder.path().join("set");
        let mut exhibits = Vec::new();
        for (index, label) in CLASSES.iter().cycle().take(40).enumerate() {
            let file = format!("{index}.wav");
            write_tone(&set.join(&file), index, 1.0);
            let sha256: String = Sha256::digest(std::fs::read(set.join(&file)).unwrap())
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect();
            let log_odds: Vec<f64> = (0..CLASSES.len())
                .map(|class| if class == index % 5 { 7.0 } else { -9.0 })
                .collect();
            exhibits.push(serde_json::json!({
                "file": file, "label": label, "posterior": 0.999_125, "sha256": sha256,
                "class": index % 5, "log_odds": log_odds,
            }));
            write_tone(&folder.path().join("real").join(label).join(&file), 50 + index, 1.0);
        }
        let manifest = serde_json::json!({
            "origin": {
                "medium": "audio", "classes": CLASSES,
                "classifier": { "kind": "secretsystem", "provenance": "synthetic" },
            },
            "exhibits": exhibits,
        });
        std::fs::write(set.join("manifest.json"), manifest.to_string()).unwrap();
        build(&BuildArguments {
            out: folder.path().join("study"),
            contact: "lab@example.org".into(),
            retain_until: "2030-12-31".into(),
            fooling_sets: vec![set],
            real: vec![folder.path().join("real")],
            counts: Counts { fooling, real: 10, catch: 2, practice: 1 },
            headphones,
            ..BuildArguments::default()
        })
        .unwrap();
        Self { folder }
    }

    pub(crate) fn study(&self) -> PathBuf {
        self.folder.path().join("study")
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.folder.path().join("answers.sqlite")
    }

    /// Starts the server as a process of its own; port 0 takes any. A server that ran within
    /// this process may hold the database for a moment longer, as may a child that another
    /// test is about to start.
    pub(crate) fn serve(&self, port: u16) -> Running {
        let mut tries = (0..100).filter_map(|_| {
            let started = self.try_serve(port);
            if started.is_none() {
                std::thread::sleep(Duration::from_millis(100));
            }
            started
        });
        tries.next().unwrap()
    }

    /// As [`Self::serve`], by a process none of whose files may pass so many KiB: writing more
    /// fails, as on a full disk.
    #[cfg(target_os = "linux")]
    pub(crate) fn serve_limited(&self, kibibytes: u32) -> Running {
        let program = env!("CARGO_BIN_EXE_trompe-listen");
        let line = format!("trap '' XFSZ; ulimit -S -f {kibibytes}; exec \"$0\" \"$@\"");
        let mut tries = (0..100).filter_map(|_| {
            let mut command = Command::new("bash");
            command.args(["-c", &line, program]);
            let started = self.start(command, 0);
            if started.is_none() {
                std::thread::sleep(Duration::from_millis(100));
            }
            started
        });
        tries.next().unwrap()
    }

    fn try_serve(&self, port: u16) -> Option<Running> {
        self.start(Command::new(env!("CARGO_BIN_EXE_trompe-listen")), port)
    }

    fn start(&self, mut command: Command, port: u16) -> Option<Running> {
        let mut process = command
            .arg("serve")
            .arg(self.study())
            .arg("--database")
            .arg(self.database())
            .args(["--address", &format!("127.0.0.1:{port}")])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let Some(first) = lines.next() else {
            process.wait().unwrap();
            return None;
        };
        let first = first.unwrap();
        let address = first.split("http://").nth(1).unwrap().trim_end_matches('/').parse().unwrap();
        let token = lines.nth(1).unwrap().unwrap().split_whitespace().last().unwrap().to_owned();
        Some(Running { process, address, token })
    }
}

/// Changes a study before its data.
pub(crate) fn edit(study: &Path, from: &str, to: &str) {
    let file = study.join("study.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(text.contains(from), "{from} is not in {text}");
    std::fs::write(&file, text.replacen(from, to, 1)).unwrap();
    reseal(study).unwrap();
}

/// A server process; killed with -9 when it goes.
pub(crate) struct Running {
    pub(crate) process: Child,
    pub(crate) address: SocketAddr,
    pub(crate) token: String,
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Running {
    /// Sends raw bytes and reads until the server closes: status and everything after it.
    pub(crate) fn raw(&self, bytes: &[u8]) -> (u16, String) {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let _ = stream.write_all(bytes);
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        let text = String::from_utf8_lossy(&answer).into_owned();
        let status = text.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or(0);
        (status, text)
    }

    pub(crate) fn ask(&self, method: &str, path: &str, headers: &str, body: &str) -> (u16, String) {
        self.raw(
            format!(
                "{method} {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n{headers}content-length: {}\r\n\r\n{body}",
                self.address,
                body.len()
            )
            .as_bytes(),
        )
    }

    /// The JSON of an answer; the status must be 200.
    pub(crate) fn json(
        &self,
        method: &str,
        path: &str,
        code: &str,
        body: &str,
    ) -> serde_json::Value {
        let (status, text) = self.ask(method, path, &bearer(code), body);
        assert_eq!(status, 200, "{path}: {text}");
        serde_json::from_str(body_of(&text)).unwrap()
    }

    /// Enrols a person and gives the code, unless the server refuses.
    pub(crate) fn try_enrol(&self) -> Option<String> {
        let version = self.json("GET", "/api/study", "", "")["consent_version"].clone();
        let body = serde_json::json!({
            "consent_version": version, "of_age": true, "language": "en",
        });
        let (status, text) = self.ask("POST", "/api/sessions", "", &body.to_string());
        let enrolled: serde_json::Value =
            serde_json::from_str(text.split_once("\r\n\r\n").unwrap().1).unwrap();
        (status == 200).then(|| enrolled["code"].as_str().unwrap().to_owned())
    }

    /// Enrols a person and gives the code.
    pub(crate) fn enrol(&self) -> String {
        let version = self.json("GET", "/api/study", "", "")["consent_version"].clone();
        let body = serde_json::json!({
            "consent_version": version, "of_age": true, "language": "en",
        });
        let enrolled = self.json("POST", "/api/sessions", "", &body.to_string());
        enrolled["code"].as_str().unwrap().to_owned()
    }
}

/// What follows an answer's header.
pub(crate) fn body_of(answer: &str) -> &str {
    answer.split_once("\r\n\r\n").unwrap().1
}

pub(crate) fn bearer(code: &str) -> String {
    if code.is_empty() { String::new() } else { format!("authorization: Bearer {code}\r\n") }
}

/// An answer that fits a step as the server shows it.
pub(crate) fn fitting(view: &serde_json::Value, key: &str) -> serde_json::Value {
    let mut answer = serde_json::json!({
        "step": view["index"], "key": key, "response_ms": 2500, "heard_ms": 60_000, "plays": 1,
    });
    match view["kind"].as_str().unwrap() {
        "ears" => answer["choice"] = "left".into(),
        "huggins" | "antiphase" => answer["choice"] = "1".into(),
        "practice" | "trial" => answer["choice"] = "rock".into(),
        _ => {}
    }
    answer
}
