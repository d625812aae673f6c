//! The verbs of a study, for `trompe listen` and for this crate's own program: arguments,
//! one call, printing. Results go to stdout (as JSON if asked), messages to stderr.

mod analyze;
mod build;
mod import;
mod output;
mod overwrite;
mod preregister;
mod serve;
mod simulate;

use std::path::PathBuf;

use clap::Subcommand;
use trompe_base::files::{check_output_file, check_output_folder, write_atomically};

use crate::backup::back_up;
use crate::build::reseal;
use crate::erase::{Whose, erase};
use crate::error::Result;
use crate::expiry::expire;
use crate::export::{export, write_export};
use crate::payment::{pay_csv, pay_list};
use crate::psych_ds::write_psych_ds;
use crate::static_export::export_static;
use crate::study_folder::StudyFolder;

use overwrite::Overwrite;

pub use build::Build;
pub use output::Output;
pub use simulate::Simulate;

/// A verb with its arguments.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Make a study folder from fooling sets and real controls
    #[command(after_help = build::EXAMPLE)]
    Build(Box<Build>),
    /// Accept changes made to study.toml by hand, before data collection
    #[command(after_help = "Example:\n  trompe listen reseal study")]
    Reseal {
        /// Study folder
        study: PathBuf,
    },
    /// Serve a study to participants, or several under a path each
    #[command(
        after_help = "Examples:\n  trompe listen serve study --database answers.sqlite\n  trompe listen serve genres moods --database answers"
    )]
    Serve(serve::Serve),
    /// Let simulated listeners take a study through the real server
    #[command(
        after_help = "Example:\n  trompe listen simulate study --database trial.sqlite --listeners 20"
    )]
    Simulate(simulate::Simulate),
    /// Say what the answers say, with every assumption named
    #[command(
        after_help = "Example:\n  trompe listen analyze study --database trial.sqlite --simulated --out results"
    )]
    Analyze(analyze::Analyze),
    /// Simulate a design: what could a study of this size show?
    #[command(
        after_help = "Example:\n  trompe listen power --listeners 30 --items 40 --studies 200"
    )]
    Power(analyze::PowerOf),
    /// Write answers, participants and codebook as CSV and JSON; or the study without a server
    #[command(
        after_help = "Examples:\n  trompe listen export study --database trial.sqlite --out exported\n  trompe listen export study --database trial.sqlite --psych-ds --out dataset\n  trompe listen export study --static --out folder"
    )]
    Export(Export),
    /// Take answers given without a server into a database, or those of another tool into a table
    #[command(after_help = import::EXAMPLE)]
    Import(import::Import),
    /// Simulate the study and write its preregistration, in the fields of the OSF form, into its folder
    #[command(
        after_help = "Example:\n  trompe listen preregister study --listeners 40 --genuine 0.6 --studies 200"
    )]
    Preregister(preregister::Preregister),
    /// List the numbers of a platform with what became of each, for payment
    #[command(
        after_help = "Example:\n  trompe listen pay study --database answers.sqlite --out pay.csv"
    )]
    Pay(Pay),
    /// Copy the answers database, also while the study is served; people erased later are erased there, too
    #[command(
        after_help = "Example:\n  trompe listen backup study --database trial.sqlite --out backup.sqlite"
    )]
    Backup {
        /// Study folder
        study: PathBuf,
        /// Answers database
        #[arg(long, value_name = "FILE")]
        database: PathBuf,
        /// File to write, which then stays where it is
        #[arg(long, short, value_name = "FILE")]
        out: PathBuf,
    },
    /// Erase everybody, once the day up to which answers are kept is over
    #[command(after_help = "Example:\n  trompe listen expire study --database answers.sqlite")]
    Expire {
        /// Study folder
        study: PathBuf,
        /// Answers database
        #[arg(long, value_name = "FILE")]
        database: PathBuf,
    },
    /// Erase participants and everything they gave, also from the database's log
    #[command(
        after_help = "Example:\n  trompe listen erase study --database trial.sqlite --simulated"
    )]
    Erase(Erase),
}

/// Arguments of `export`.
#[derive(Debug, clap::Args)]
pub struct Export {
    /// Study folder
    study: PathBuf,
    /// Answers database
    #[arg(long, value_name = "FILE", required_unless_present = "without_server")]
    database: Option<PathBuf>,
    /// Write the study itself, as a folder that works without a server
    #[arg(long = "static", conflicts_with = "database")]
    without_server: bool,
    /// Write a data set in the form of Psych-DS: tables in data/, every column described in JSON-LD
    #[arg(long, conflicts_with = "without_server")]
    psych_ds: bool,
    /// Folder to write
    #[arg(long, short, value_name = "FOLDER")]
    out: PathBuf,
    /// Replace what is there already, of tables; a study or a data set needs a new folder
    #[arg(long, conflicts_with_all = ["without_server", "psych_ds"])]
    force: bool,
}

/// Arguments of `pay`.
#[derive(Debug, clap::Args)]
pub struct Pay {
    /// Study folder
    study: PathBuf,
    /// Answers database
    #[arg(long, value_name = "FILE")]
    database: PathBuf,
    /// CSV file to write [default: print the states]
    #[arg(long, short, value_name = "FILE")]
    out: Option<PathBuf>,
    #[command(flatten)]
    overwrite: Overwrite,
}

impl Pay {
    fn run(&self, output: Output) -> Result<()> {
        if let Some(out) = &self.out {
            check_output_file(out, "--out", self.overwrite.force)?;
        }
        let payments = pay_list(&self.study, &self.database)?;
        if let Some(out) = &self.out {
            write_atomically(out, &pay_csv(&payments)?)?;
        }
        output.show(&payments, || {
            let mut states: std::collections::BTreeMap<&str, usize> = Default::default();
            for payment in &payments {
                *states.entry(payment.state).or_default() += 1;
            }
            let lines = states.iter().map(|(state, count)| format!("{count:5} {state}\n"));
            format!("{} numbers\n{}", payments.len(), lines.collect::<String>())
        });
        Ok(())
    }
}

/// Arguments of `erase`.
#[derive(Debug, clap::Args)]
pub struct Erase {
    /// Study folder
    study: PathBuf,
    /// Answers database
    #[arg(long, value_name = "FILE")]
    database: PathBuf,
    /// Participant numbers as exported (p-..., f-..., sim-...), or their personal codes
    #[arg(required_unless_present = "simulated")]
    participants: Vec<String>,
    /// All simulated listeners
    #[arg(long, conflicts_with = "participants")]
    simulated: bool,
}

/// Does what the verb says.
///
/// # Errors
/// Those of the function that the verb stands for.
pub fn run(verb: &Verb, output: Output) -> Result<()> {
    match verb {
        Verb::Build(arguments) => arguments.run(output),
        Verb::Reseal { study } => reseal(study),
        Verb::Serve(arguments) => arguments.run(output),
        Verb::Simulate(arguments) => arguments.run(output),
        Verb::Analyze(arguments) => arguments.run(output),
        Verb::Power(arguments) => arguments.run(output),
        Verb::Export(Export { study, database: Some(database), psych_ds, out, force, .. }) => {
            if !psych_ds {
                check_output_folder(out, "--out", *force)?;
            }
            let exported = export(study, database)?;
            match psych_ds {
                true => write_psych_ds(&exported, &StudyFolder::open(study)?.study, out),
                false => write_export(&exported, out),
            }
        }
        Verb::Export(Export { study, out, .. }) => export_static(study, out),
        Verb::Import(arguments) => arguments.run(output),
        Verb::Preregister(arguments) => arguments.run(output),
        Verb::Pay(arguments) => arguments.run(output),
        Verb::Expire { study, database } => {
            let erased = expire(study, database)?;
            output.show(&erased, || erased.in_words());
            Ok(())
        }
        Verb::Backup { study, database, out } => {
            let unsettled = back_up(study, database, out)?;
            output.show(&unsettled, || {
                let left = unsettled.iter().map(|left| format!("\n{}", left.in_words()));
                format!("written: {}{}", out.display(), left.collect::<String>())
            });
            Ok(())
        }
        Verb::Erase(Erase { study, database, participants, simulated }) => {
            let whose =
                if *simulated { Whose::Simulated } else { Whose::Named(participants.clone()) };
            let erased = erase(study, database, &whose)?;
            output.show(&erased, || erased.in_words());
            Ok(())
        }
    }
}
