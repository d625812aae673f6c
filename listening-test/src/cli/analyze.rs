//! `analyze` and `power`: arguments and printing.

use std::fs::File;
use std::path::{Path, PathBuf};

use clap::Args;

use super::output::{Output, warn};
use super::overwrite::Overwrite;
use crate::StudyFolder;
use crate::analysis::{Design, Outcome, Power, ResultFolder, Who, analyze_study, power};
use crate::answers::{AnswerRow, read_csv};
use crate::error::{Error, Result};
use crate::export::{Export, export};

/// Arguments of `analyze`.
#[derive(Debug, Args)]
pub struct Analyze {
    /// Study folder; its study.toml holds the plan of the analysis
    study: PathBuf,
    /// Answers database
    #[arg(long, value_name = "FILE", required_unless_present = "answers")]
    database: Option<PathBuf>,
    /// Answers table in place of the database: answers.csv of `export`, or what `import`
    /// made of another tool's files
    #[arg(long, value_name = "FILE", conflicts_with = "database")]
    answers: Option<PathBuf>,
    /// Analyze simulated listeners instead of people
    #[arg(long)]
    simulated: bool,
    /// Folder to write: report.html, report.json, agreement.json, tables with their codebook. Run
    /// again, it replaces what an analysis wrote there, as long as nobody changed it
    #[arg(long, short, value_name = "FOLDER")]
    pub out: PathBuf,
    #[command(flatten)]
    overwrite: Overwrite,
}

impl Analyze {
    pub(super) fn run(&self, output: Output) -> Result<()> {
        let place = ResultFolder::open(&self.out, self.overwrite.force)?;
        let folder = StudyFolder::open(&self.study)?;
        let exported = match (&self.database, &self.answers) {
            (Some(database), _) => export(&self.study, database)?,
            (None, Some(table)) => Export::from_table(&folder, read_table(table)?)?,
            (None, None) => {
                return Err(Error::request("no source of answers", "give --database or --answers"));
            }
        };
        let who = if self.simulated { Who::Simulated } else { Who::People };
        let results = analyze_study(&folder, &exported, who)?;
        place.write(&results.files()?)?;
        warn(&results.report.warnings);
        output.show(&results.report, || results.report.text());
        Ok(())
    }
}

fn read_table(path: &Path) -> Result<Vec<AnswerRow>> {
    read_csv(File::open(path).map_err(|source| Error::io(path, source))?)
        .map_err(|error| Error::bad_file(path, error.to_string(), "name an answers.csv"))
}

/// Arguments of `power`.
#[derive(Debug, Args)]
pub struct PowerOf {
    /// Listeners
    #[arg(long, value_name = "N", default_value_t = 40)]
    listeners: usize,
    /// Items of the condition
    #[arg(long, value_name = "N", default_value_t = 40)]
    items: usize,
    /// Items that each listener answers [default: all]
    #[arg(long, value_name = "N")]
    each: Option<usize>,
    /// Classes to choose from; chance is one over it
    #[arg(long, value_name = "N", default_value_t = 10)]
    classes: usize,
    /// True share of answers equal to the label [default: chance]
    #[arg(long, value_name = "SHARE")]
    accuracy: Option<f64>,
    /// Standard deviation of listeners, logit scale
    #[arg(long, value_name = "SD", default_value_t = 0.5)]
    listener_sd: f64,
    /// Standard deviation of items, logit scale
    #[arg(long, value_name = "SD", default_value_t = 1.0)]
    item_sd: f64,
    /// Margin of "within the margin", freed of chance: (accuracy - chance) / (1 - chance)
    #[arg(long, default_value_t = 0.1)]
    margin: f64,
    /// Level of the interval whose lower end decides "better than chance"
    #[arg(long, default_value_t = 0.95)]
    level: f64,
    /// Level of the one-sided upper bound, which decides "within the margin"
    #[arg(long, default_value_t = 0.05)]
    alpha: f64,
    /// Studies to simulate
    #[arg(long, value_name = "N", default_value_t = 1000)]
    studies: usize,
    /// Seed of the simulation
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

impl PowerOf {
    pub(super) fn run(&self, output: Output) -> Result<()> {
        let power = power(&Design {
            participants: self.listeners,
            items: self.items,
            items_per_participant: self.each,
            classes: self.classes,
            accuracy: self.accuracy.unwrap_or(1.0 / self.classes.max(1) as f64),
            participant_sd: self.listener_sd,
            item_sd: self.item_sd,
            level: self.level,
            alpha: self.alpha,
            margin: self.margin,
            studies: self.studies,
            seed: self.seed,
        })?;
        output.show(&power, || describe(&power));
        Ok(())
    }
}

fn describe(power: &Power) -> String {
    let Design { participants, items, classes, accuracy, studies, .. } = &power.design;
    let share = |share: &crate::analysis::Share| {
        let (low, high) = (share.interval.low, share.interval.high);
        format!("{:5.1} % ({:.1} to {:.1})", 100.0 * share.share, 100.0 * low, 100.0 * high)
    };
    format!(
        "{participants} listeners, {items} items, {} answers, {classes} classes, true accuracy \
         {accuracy:.3}; {studies} simulated studies\n\
         {:42} {}\n{:42} {}\n{:42} {}\n{:42} {}\n\
         (exact binomial, which takes answers for independent: better {})\n",
        power.answers,
        Outcome::Better.words(),
        share(&power.better),
        Outcome::BetterButWithin.words(),
        share(&power.better_but_within),
        Outcome::Within.words(),
        share(&power.within),
        Outcome::Undecided.words(),
        share(&power.undecided),
        share(&power.binomial_better_than_chance)
    )
}
