//! `simulate`: arguments and printing.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::output::{Output, warn};
use crate::error::{Error, Result};
use crate::simulate::{Hearing, ListenerKind, SimulateArguments, simulate, simulate_alone};

/// Arguments of `simulate`.
#[derive(Debug, Args)]
pub struct Simulate {
    /// Study folder
    pub study: PathBuf,
    /// Serve the study for the simulation alone, with this database; made if it does not exist
    #[arg(long, value_name = "FILE", required_unless_present = "address")]
    pub database: Option<PathBuf>,
    /// Address of a server that already runs on loopback, with this study alone
    #[arg(long, conflicts_with = "database")]
    address: Option<SocketAddr>,
    /// Number of listeners
    #[arg(long, value_name = "N", default_value_t = 20)]
    listeners: u32,
    /// Kinds of listeners, in turn
    #[arg(long, value_enum, value_delimiter = ',', default_value = "chance,skilled")]
    kinds: Vec<ListenerKind>,
    /// Seed of everything they do
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Seconds between two answers of one listener
    #[arg(long, default_value_t = 0.0)]
    pause: f64,
    /// Fetch the stimuli, as a page does
    #[arg(long)]
    fetch: bool,
    /// In staircases, the threshold of skilled listeners, in the unit of the strengths [default: the middle]
    #[arg(long, value_name = "STRENGTH", allow_negative_numbers = true)]
    threshold: Option<f64>,
    /// Its steepness, in log-odds per unit [default: 10 over the range of the strengths]
    #[arg(long, value_name = "SLOPE")]
    slope: Option<f64>,
    /// Share of answers that they give without listening
    #[arg(long, value_name = "SHARE", default_value_t = 0.0)]
    lapse: f64,
    /// Seconds after which everything stops
    #[arg(long, default_value_t = 600.0)]
    longest: f64,
}

impl Simulate {
    fn hearing(&self) -> Result<Hearing> {
        let wrong = |what: String, remedy: &str| Err(Error::request(what, remedy));
        if let Some(threshold) = self.threshold.filter(|threshold| !threshold.is_finite()) {
            return wrong(format!("--threshold {threshold} is no strength"), "give a number");
        }
        if let Some(slope) = self.slope.filter(|slope| !(slope.is_finite() && *slope > 0.0)) {
            return wrong(format!("--slope {slope}"), "give a number above 0");
        }
        if !(0.0..0.5).contains(&self.lapse) {
            return wrong(format!("--lapse {}", self.lapse), "give a share from 0 to below 0.5");
        }
        Ok(Hearing { threshold: self.threshold, slope: self.slope, lapse: self.lapse })
    }

    pub(super) fn run(&self, output: Output) -> Result<()> {
        let seconds = |name: &str, value: f64| {
            Duration::try_from_secs_f64(value).map_err(|_| {
                let what = format!("--{name} {value} is no duration");
                Error::request(what, "give seconds from 0 up")
            })
        };
        let arguments = SimulateArguments {
            study: self.study.clone(),
            address: self.address.unwrap_or(SocketAddr::from(([127, 0, 0, 1], 0))),
            listeners: self.listeners,
            kinds: self.kinds.clone(),
            seed: self.seed,
            pause: seconds("pause", self.pause)?,
            fetch: self.fetch,
            longest: seconds("longest", self.longest)?,
            hearing: self.hearing()?,
        };
        let report = match &self.database {
            Some(database) => simulate_alone(&arguments, database)?,
            None => simulate(&arguments)?,
        };
        warn(&report.failed[..report.failed.len().min(10)]);
        let latency = |part| report.latency_ms(part);
        let counts = serde_json::json!({
            "finished": report.finished,
            "left": report.left,
            "failed": report.failed.len(),
            "answers": report.acknowledged.len(),
            "sent_again": report.repeats,
            "seconds": report.seconds,
            "latency_ms": { "median": latency(0.5), "p99": latency(0.99), "longest": latency(1.0) },
        });
        output.show(&counts, || {
            let mut text = format!(
                "simulated listeners: {} finished, {} left, {} failed; {} answers in {:.1} s, {} sent again\n",
                report.finished,
                report.left,
                report.failed.len(),
                report.acknowledged.len(),
                report.seconds,
                report.repeats
            );
            for (name, part) in [("median", 0.5), ("p99", 0.99), ("longest", 1.0)] {
                if let Some(latency) = latency(part) {
                    text += &format!("{name} latency {latency:.1} ms\n");
                }
            }
            text
        });
        Ok(())
    }
}
