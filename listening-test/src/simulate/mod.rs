//! Simulated listeners that take a study through its real web interface, to try it out and
//! to load the server. They are marked as simulated from enrolment to export.

mod client;
mod listener;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rand::RngExt;
use tokio::task::JoinSet;
use trompe_base::random::Stream;

use crate::enrolment::{Enrolled, Enrolment};
use crate::error::{Error, Result};
use crate::random::{Purpose, stream};
use crate::server::{Limits, ServeArguments, Server};
use crate::session::{Acknowledged, State};
use crate::study_folder::StudyFolder;
use client::{Client, Failure};
pub use listener::{Hearing, ListenerKind};

/// Who takes which study how.
#[derive(Debug, Clone)]
pub struct SimulateArguments {
    /// Study folder, for its key.
    pub study: PathBuf,
    /// Running server; must be on loopback.
    pub address: SocketAddr,
    /// Number of listeners.
    pub listeners: u32,
    /// Kinds, in turn.
    pub kinds: Vec<ListenerKind>,
    /// Seed of everything they do.
    pub seed: u64,
    /// Time between two answers of one listener; zero is as fast as the server.
    pub pause: Duration,
    /// Whether stimuli are fetched, as a page does.
    pub fetch: bool,
    /// Time after which everything stops, finished or not.
    pub longest: Duration,
    /// What skilled listeners hear in adaptive tracks.
    pub hearing: Hearing,
}

/// What happened.
#[derive(Debug, Clone, Default)]
pub struct SimulateReport {
    /// Listeners that finished.
    pub finished: u32,
    /// Listeners that left on purpose.
    pub left: u32,
    /// Listeners that could not go on, with the reason.
    pub failed: Vec<String>,
    /// Answers the server acknowledged: participant, step, key.
    pub acknowledged: Vec<(String, u32, String)>,
    /// Times an answer had to be sent again.
    pub repeats: u64,
    /// Milliseconds from sending an answer to its acknowledgement, sorted.
    pub latencies_ms: Vec<f64>,
    /// Wall time in seconds.
    pub seconds: f64,
}

impl SimulateReport {
    /// Latency that the share `part` (0 to 1) of acknowledged answers stayed within.
    pub fn latency_ms(&self, part: f64) -> Option<f64> {
        let last = self.latencies_ms.len().checked_sub(1)?;
        self.latencies_ms.get((part * last as f64).ceil() as usize).copied()
    }
}

/// Lets listeners take the study and waits for them.
///
/// # Errors
/// [`trompe_base::Error::Request`] for an address that is not loopback; errors of reading the study.
pub fn simulate(arguments: &SimulateArguments) -> Result<SimulateReport> {
    runtime()?.block_on(simulate_within(arguments))
}

/// Serves the study on a free loopback port with `database`, lets listeners take it through
/// that server, and stops it.
///
/// # Errors
/// Those of [`Server::start`] and [`simulate`].
pub fn simulate_alone(arguments: &SimulateArguments, database: &Path) -> Result<SimulateReport> {
    runtime()?.block_on(async {
        let server = Server::start(ServeArguments {
            studies: vec![arguments.study.clone()],
            database: database.to_owned(),
            address: arguments.address,
            limits: Limits::default(),
        })
        .await?;
        let arguments = SimulateArguments { address: server.address, ..arguments.clone() };
        let report = simulate_within(&arguments).await;
        server.stop().await;
        report
    })
}

fn runtime() -> Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|source| Error::io("the simulation's threads", source))
}

/// [`simulate`] inside a runtime.
///
/// # Errors
/// Those of [`simulate`].
pub async fn simulate_within(arguments: &SimulateArguments) -> Result<SimulateReport> {
    if !arguments.address.ip().is_loopback() {
        return Err(Error::request(
            format!("{} is not this machine", arguments.address),
            "simulated listeners only visit servers on loopback",
        ));
    }
    if arguments.kinds.is_empty() {
        return Err(Error::request("there is no kind of listener", "name at least one"));
    }
    let folder = Arc::new(StudyFolder::open(&arguments.study)?);
    let begun = Instant::now();
    let deadline = begun + arguments.longest;
    let mut visits = JoinSet::new();
    for number in 0..arguments.listeners {
        let kind = arguments.kinds[number as usize % arguments.kinds.len()];
        let visit = Visit {
            folder: Arc::clone(&folder),
            kind,
            number,
            deadline,
            arguments: arguments.clone(),
        };
        visits.spawn(visit.run());
    }
    let mut report = SimulateReport::default();
    while let Some(outcome) = visits.join_next().await {
        match outcome {
            Ok(part) => report.add(part),
            Err(error) => report.failed.push(error.to_string()),
        }
    }
    report.latencies_ms.sort_by(f64::total_cmp);
    report.acknowledged.sort();
    report.seconds = begun.elapsed().as_secs_f64();
    Ok(report)
}

impl SimulateReport {
    fn add(&mut self, part: Self) {
        self.finished += part.finished;
        self.left += part.left;
        self.failed.extend(part.failed);
        self.acknowledged.extend(part.acknowledged);
        self.repeats += part.repeats;
        self.latencies_ms.extend(part.latencies_ms);
    }
}

/// One listener's visit.
struct Visit {
    folder: Arc<StudyFolder>,
    kind: ListenerKind,
    number: u32,
    deadline: Instant,
    arguments: SimulateArguments,
}

impl Visit {
    async fn run(self) -> SimulateReport {
        let mut report = SimulateReport::default();
        if let Err(what) = self.take(&mut report).await {
            report.failed.push(format!("listener {}: {what}", self.number));
        }
        report
    }

    async fn take(&self, report: &mut SimulateReport) -> Result<(), String> {
        let mut random = stream(self.arguments.seed, Purpose::Listener, u64::from(self.number), 0);
        // listeners do not all begin in the same instant
        let share = self.arguments.pause.mul_f64(random.random());
        tokio::time::sleep(share).await;
        let mut client = Client::new(self.arguments.address);
        let mut state = self.enrol(&mut client, &mut random).await?;
        let leaves_at = (self.kind == ListenerKind::Leaving)
            .then(|| random.random_range(1..state.steps.max(2)));
        while let Some(view) = state.step.clone() {
            if leaves_at.is_some_and(|step| view.index >= step) {
                report.left += 1;
                return Ok(());
            }
            if self.arguments.fetch {
                for stimulus in &view.stimuli {
                    self.fetch(&mut client, stimulus).await?;
                }
            }
            tokio::time::sleep(self.arguments.pause).await;
            let who = (self.kind, &self.arguments.hearing);
            let seen = (state.participant.as_str(), &view);
            let answer = listener::answer(&self.folder, who, seen, &mut random);
            let sent = Instant::now();
            state = self.send(&mut client, &answer, report).await?;
            report.latencies_ms.push(1000.0 * sent.elapsed().as_secs_f64());
            report.acknowledged.push((state.participant.clone(), answer.step, answer.key));
        }
        report.finished += u32::from(state.end.is_some());
        Ok(())
    }

    async fn enrol(&self, client: &mut Client, random: &mut Stream) -> Result<State, String> {
        let enrolment = Enrolment {
            consent_version: self.folder.study.consent_version(),
            of_age: true,
            language: self.folder.study.languages.first().cloned().unwrap_or_default(),
            simulated: true,
            key: format!("{:016x}{:016x}", random.random::<u64>(), random.random::<u64>()),
            ..Enrolment::default()
        };
        loop {
            match client.post::<Enrolled>("/api/sessions", &enrolment).await {
                Ok(enrolled) => {
                    client.identify(&enrolled.code);
                    return Ok(enrolled.state);
                }
                failure => self.patience(failure.err()).await?,
            }
        }
    }

    /// Sends an answer until it is acknowledged, as the page does.
    async fn send(
        &self,
        client: &mut Client,
        answer: &crate::answer::StepAnswer,
        report: &mut SimulateReport,
    ) -> Result<State, String> {
        loop {
            match client.post::<Acknowledged>("/api/answers", answer).await {
                Ok(acknowledged) => return Ok(acknowledged.state),
                failure => self.patience(failure.err()).await?,
            }
            report.repeats += 1;
        }
    }

    async fn fetch(&self, client: &mut Client, stimulus: &str) -> Result<(), String> {
        loop {
            match client.get(&format!("/api/stimuli/{stimulus}")).await {
                Ok(_) => return Ok(()),
                failure => self.patience(failure.err()).await?,
            }
        }
    }

    /// Waits a moment if trying again is right.
    async fn patience(&self, failure: Option<Failure>) -> Result<(), String> {
        match failure {
            Some(Failure::Rejection(status, what)) => Err(format!("{status} {what}")),
            _ if Instant::now() > self.deadline => Err("the time is over".into()),
            _ => {
                tokio::time::sleep(Duration::from_millis(100)).await;
                Ok(())
            }
        }
    }
}
