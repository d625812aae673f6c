//! `analyze` and `power`: arguments and printing.

use std::fs::File;
use std::path::{Path, PathBuf};

use clap::Args;

use super::{Output, warn};
use crate::StudyFolder;
use crate::analysis::{
    ConditionReport, Design, Power, PreferenceReport, StudyResults, Who, analyze_study, power,
};
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
    /// Folder to write: report.html, report.json, agreement.json, tables with their codebook
    #[arg(long, value_name = "FOLDER")]
    out: PathBuf,
}

impl Analyze {
    pub(super) fn run(&self, output: Output) -> Result<()> {
        let folder = StudyFolder::open(&self.study)?;
        let exported = match (&self.database, &self.answers) {
            (Some(database), _) => export(&self.study, database)?,
            (None, Some(table)) => Export::from_table(&folder, read_table(table)?)?,
            (None, None) => return Err(Error::request("no answers are given", "give --database")),
        };
        let who = if self.simulated { Who::Simulated } else { Who::People };
        let results = analyze_study(&folder, &exported, who)?;
        results.write(&self.out)?;
        warn(&results.report.warnings);
        output.show(&results.report, || summary(&results));
        Ok(())
    }
}

fn read_table(path: &Path) -> Result<Vec<AnswerRow>> {
    read_csv(File::open(path).map_err(|source| Error::io(path, source))?)
        .map_err(|error| Error::bad_file(path, error.to_string(), "name an answers.csv"))
}

fn summary(results: &StudyResults) -> String {
    let counts = &results.report.counts;
    let mut text = format!(
        "{} answers of {} {} analyzed, of {} of {}\n",
        counts.answers_analyzed,
        counts.participants_analyzed,
        if results.agreement.simulated { "simulated listeners" } else { "participants" },
        counts.answers,
        counts.participants
    );
    for condition in &results.report.conditions {
        text += &line(condition, results.report.plan.alpha);
    }
    for found in &results.report.preferences {
        let (share, test) = match found.model.done() {
            Some(model) => (model.share, format!(", p {:.3} against one half", model.p)),
            None => (found.share, String::new()),
        };
        let PreferenceReport { block, first, chosen, answers, .. } = found;
        text += &format!(
            "{block}: share for {first} {:.1} %{test}; {chosen} of {answers} answers\n",
            100.0 * share
        );
    }
    for found in &results.report.ratings {
        let (block, condition) = (&found.block, &found.condition);
        text += &format!("{block} {condition}: median {}, mean {:.2}\n", found.median, found.mean);
    }
    text
}

fn line(condition: &ConditionReport, alpha: f64) -> String {
    let (estimate, interval) = condition.headline();
    let range = interval.map_or(String::new(), |interval| {
        format!(" ({:.1} to {:.1})", 100.0 * interval.low, 100.0 * interval.high)
    });
    format!(
        "{} {}: accuracy {:.1} %{range}, {} of {} answers, chance {:.1}, upper bound {:.1}: {}\n",
        condition.block,
        condition.condition,
        100.0 * estimate,
        condition.hits,
        condition.answers,
        100.0 * condition.chance,
        100.0 * condition.equivalence.upper_bound,
        condition.verdict(alpha)
    )
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
    /// Margin of "no better than chance", in multiples of chance
    #[arg(long, default_value_t = 1.5)]
    margin: f64,
    /// Level of both one-sided tests
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
         finds people better than chance    {}\n\
         finds people no better than chance {}\n\
         (exact binomial, which takes answers for independent: better {})\n",
        power.answers,
        share(&power.better_than_chance),
        share(&power.no_better_than_chance),
        share(&power.binomial_better_than_chance)
    )
}
