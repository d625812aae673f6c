//! Feeds damaged files to a reader of trompe and counts what happens.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Parser;
use trompe_malformed::campaign::{Campaign, Report, peak_memory};
use trompe_malformed::readers::{ALL, Reader};

/// Feed damaged files to a reader, or to all in turn; exit code 1 if one did harm
#[derive(Debug, Parser)]
#[command(after_help = "Example: cargo run --release -p trompe-malformed -- png 20000 --seed 1")]
struct Arguments {
    /// Name of a reader, or `all`
    reader: String,
    /// Number of files
    runs: u64,
    /// Seed of the damage
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Number of the first run, to repeat one: `--first 1234` with 1 run
    #[arg(long, default_value_t = 0)]
    first: u64,
    /// Where files that did harm are kept
    #[arg(long, default_value = "hostile-files")]
    keep: PathBuf,
    /// Write the seeds to this folder, as the fuzz targets take them, and read nothing
    #[arg(long, value_name = "FOLDER")]
    corpus: Option<PathBuf>,
}

fn main() -> Result<ExitCode> {
    let arguments = Arguments::parse();
    let readers: Vec<Reader> = match arguments.reader.as_str() {
        "all" => ALL.into_iter().collect(),
        name => vec![Reader::named(name).with_context(|| {
            format!("no reader '{name}': there are {}", ALL.map(|reader| reader.name).join(", "))
        })?],
    };
    let checks = if cfg!(debug_assertions) { "on" } else { "off" };
    let mut clean = true;
    for reader in readers {
        let name = reader.name;
        let campaign = Campaign::new(reader)?;
        if let Some(folder) = &arguments.corpus {
            std::fs::create_dir_all(folder.join(name))?;
            for (number, file) in campaign.corpus().enumerate() {
                std::fs::write(folder.join(name).join(number.to_string()), file)?;
            }
            continue;
        }
        let runs = arguments.first..arguments.first.saturating_add(arguments.runs);
        let report = campaign.go(arguments.seed, runs, &arguments.keep)?;
        clean &= report.is_clean();
        print(name, checks, &report);
    }
    Ok(if clean { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn print(name: &str, checks: &str, report: &Report) {
    let contained = report.panics.values().sum::<u64>() - report.escaped.len() as u64;
    println!(
        "{name} (overflow checks {checks}): {} files, {} accepted, {} panics escaped, {contained} \
         contained, {} over 5 s, slowest {} ms, peak memory {} MiB",
        report.runs,
        report.accepted,
        report.escaped.len(),
        report.slow.len(),
        report.slowest.as_millis(),
        peak_memory().map_or("?".to_owned(), |peak| peak.to_string()),
    );
    for (place, count) in &report.panics {
        println!("  {count} panics at {place}");
    }
    for (what, runs) in [("panic escaped", &report.escaped), ("too slow", &report.slow)] {
        if let Some(first) = runs.first() {
            println!("  first {what}: --first {first}");
        }
    }
}
