//! The study tools alone, without the rest of trompe.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, Subcommand, ValueEnum};
use trompe_listening_test::build::{BuildArguments, Counts, build, reseal};
use trompe_listening_test::error::{Error, Result};
use trompe_listening_test::export::{export, write_export};
use trompe_listening_test::server::{Limits, ServeArguments, serve};
use trompe_listening_test::simulate::{Kind, SimulateArguments, simulate};
use trompe_listening_test::static_export::{export_static, import_answers};
use trompe_listening_test::study::{Policy, Task};

/// Build, serve, simulate and export listening and viewing tests.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Makes a study folder from fooling sets and real controls.
    Build(Build),
    /// Accepts changes made to study.toml by hand, before data collection.
    Reseal {
        /// Study folder.
        study: PathBuf,
    },
    /// Serves a study.
    Serve(Serve),
    /// Writes the study as a folder that works without a server.
    ExportStatic {
        /// Study folder.
        study: PathBuf,
        /// Folder to write.
        #[arg(long)]
        out: PathBuf,
    },
    /// Takes answer files from a study without a server into a database.
    Import {
        /// Study folder.
        study: PathBuf,
        /// Answers database; made if it does not exist.
        #[arg(long)]
        database: PathBuf,
        /// Files that participants handed over.
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
    /// Lets simulated listeners take a study that is being served on this machine.
    Simulate(Simulate),
    /// Writes answers, participants and codebook as CSV and JSON.
    Export {
        /// Study folder.
        study: PathBuf,
        /// Answers database.
        #[arg(long)]
        database: PathBuf,
        /// Folder to write.
        #[arg(long)]
        out: PathBuf,
    },
}

#[derive(clap::Args)]
struct Build {
    /// Folder to write.
    #[arg(long)]
    out: PathBuf,
    /// Short name.
    #[arg(long, default_value = "study")]
    name: String,
    /// Title shown to participants.
    #[arg(long, default_value = "Which genre is this?")]
    title: String,
    /// Who answers for the study, such as an e-mail address.
    #[arg(long)]
    contact: String,
    /// Day by which answers are erased, YYYY-MM-DD.
    #[arg(long)]
    retain_until: String,
    /// Seed of names and plans.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Fooling set; repeat for several.
    #[arg(long = "set")]
    sets: Vec<PathBuf>,
    /// Real controls, a folder per class; repeat for several.
    #[arg(long)]
    real: Vec<PathBuf>,
    /// Pairs for ABX or AB, a folder per pair.
    #[arg(long)]
    pairs: Vec<PathBuf>,
    /// How pairs are compared.
    #[arg(long, value_enum, default_value_t = PairTask::Abx)]
    pair_task: PairTask,
    /// Files to rate on a Likert scale.
    #[arg(long)]
    ratings: Vec<PathBuf>,
    /// Seconds to cut from the middle; whole excerpts without it.
    #[arg(long)]
    seconds: Option<f64>,
    /// Common loudness in LUFS.
    #[arg(long, default_value_t = -23.0, allow_negative_numbers = true)]
    lufs: f64,
    /// Fooling exhibits per participant and block.
    #[arg(long, default_value_t = 30)]
    fooling: u32,
    /// Real controls per participant and block.
    #[arg(long, default_value_t = 10)]
    controls: u32,
    /// Catch items per participant and block.
    #[arg(long, default_value_t = 3)]
    catch: u32,
    /// Practice items per participant and block.
    #[arg(long, default_value_t = 2)]
    practice: u32,
    /// What a failed headphone check means.
    #[arg(long, value_enum, default_value_t = HeadphonePolicy::Covariate)]
    headphones: HeadphonePolicy,
}

#[derive(Clone, Copy, ValueEnum)]
enum PairTask {
    Abx,
    Ab,
}

#[derive(Clone, Copy, ValueEnum)]
enum HeadphonePolicy {
    Gate,
    Covariate,
    Off,
}

#[derive(clap::Args)]
struct Serve {
    /// Study folder.
    study: PathBuf,
    /// Answers database; made if it does not exist.
    #[arg(long)]
    database: PathBuf,
    /// Address to listen on. Anything but loopback lets others reach the study.
    #[arg(long, default_value = "127.0.0.1:8080")]
    address: SocketAddr,
}

#[derive(clap::Args)]
struct Simulate {
    /// Study folder.
    study: PathBuf,
    /// Address of the running server, on loopback.
    #[arg(long, default_value = "127.0.0.1:8080")]
    address: SocketAddr,
    /// Number of listeners.
    #[arg(long, default_value_t = 20)]
    listeners: u32,
    /// Kinds of listeners, in turn.
    #[arg(long, value_enum, value_delimiter = ',', default_value = "chance,skilled")]
    kinds: Vec<Kind>,
    /// Seed of everything they do.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Seconds between two answers of one listener.
    #[arg(long, default_value_t = 0.0)]
    pause: f64,
    /// Fetch the stimuli, as a page does.
    #[arg(long)]
    fetch: bool,
    /// Seconds after which everything stops.
    #[arg(long, default_value_t = 600.0)]
    longest: f64,
}

fn main() -> ExitCode {
    match run(Arguments::parse().verb) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}

fn run(verb: Verb) -> Result<()> {
    match verb {
        Verb::Build(arguments) => run_build(arguments),
        Verb::Reseal { study } => reseal(&study),
        Verb::Serve(Serve { study, database, address }) => {
            let arguments = ServeArguments { study, database, address, limits: Limits::default() };
            serve(arguments, |server| {
                println!("participants  http://{}/", server.address);
                println!("experimenter  http://{}/admin", server.address);
                println!("token         {}", server.admin_token);
            })
        }
        Verb::ExportStatic { study, out } => export_static(&study, &out),
        Verb::Import { study, database, files } => {
            let added = import_answers(&study, &database, &files)?;
            println!("{added} new of {} files", files.len());
            Ok(())
        }
        Verb::Simulate(arguments) => run_simulate(&arguments),
        Verb::Export { study, database, out } => write_export(&export(&study, &database)?, &out),
    }
}

fn run_simulate(arguments: &Simulate) -> Result<()> {
    let seconds = |name: &str, value: f64| {
        Duration::try_from_secs_f64(value).map_err(|_| {
            Error::request(format!("--{name} {value} is no duration"), "give seconds from 0 up")
        })
    };
    let report = simulate(&SimulateArguments {
        study: arguments.study.clone(),
        address: arguments.address,
        listeners: arguments.listeners,
        kinds: arguments.kinds.clone(),
        seed: arguments.seed,
        pause: seconds("pause", arguments.pause)?,
        fetch: arguments.fetch,
        longest: seconds("longest", arguments.longest)?,
    })?;
    println!(
        "simulated listeners: {} finished, {} left, {} failed; {} answers in {:.1} s, {} sent again",
        report.finished,
        report.left,
        report.failed.len(),
        report.acknowledged.len(),
        report.seconds,
        report.repeats
    );
    for (name, part) in [("median", 0.5), ("p99", 0.99), ("longest", 1.0)] {
        if let Some(latency) = report.latency_ms(part) {
            println!("{name} latency {latency:.1} ms");
        }
    }
    for failure in report.failed.iter().take(10) {
        eprintln!("warning: {failure}");
    }
    Ok(())
}

fn run_build(arguments: Build) -> Result<()> {
    let report = build(&BuildArguments {
        out: arguments.out,
        name: arguments.name,
        title: arguments.title,
        contact: arguments.contact,
        retain_until: arguments.retain_until,
        seed: arguments.seed,
        fooling_sets: arguments.sets,
        real: arguments.real,
        pairs: arguments.pairs,
        pair_task: match arguments.pair_task {
            PairTask::Abx => Task::Abx,
            PairTask::Ab => Task::Ab,
        },
        ratings: arguments.ratings,
        seconds: arguments.seconds,
        target_lufs: arguments.lufs,
        counts: Counts {
            fooling: arguments.fooling,
            real: arguments.controls,
            catch: arguments.catch,
            practice: arguments.practice,
        },
        headphones: match arguments.headphones {
            HeadphonePolicy::Gate => Policy::Gate,
            HeadphonePolicy::Covariate => Policy::Covariate,
            HeadphonePolicy::Off => Policy::Off,
        },
        ..BuildArguments::default()
    })?;
    for (condition, count) in &report.items {
        println!("{count:5} {condition}");
    }
    if let Some(lufs) = report.common_lufs {
        println!(
            "loudness {lufs:.1} LUFS, worst distance {:.2} LU, highest true peak {:.1} dBTP",
            report.worst_distance_lu, report.highest_peak
        );
    }
    for warning in &report.warnings {
        eprintln!("warning: {warning}");
    }
    Ok(())
}
