//! `import`: arguments and printing.

use std::path::{Path, PathBuf};

use clap::Args;
use trompe_base::files::write_atomically;

use super::output::Output;
use crate::answers::write_csv;
use crate::error::{Error, Result};
use crate::import_formats::{Mapping, read_recorded};
use crate::static_export::{Imported, import_answers};

pub(super) const EXAMPLE: &str = "Examples:
  trompe listen import study --database answers.sqlite answers/*.json mails.txt
  trompe listen import study --mapping webmushra.toml --answers answers.csv results/*.csv";

/// Arguments of `import`.
#[derive(Debug, Args)]
pub struct Import {
    /// Study folder
    study: PathBuf,
    /// Answers database; made if it does not exist
    #[arg(long, value_name = "FILE", required_unless_present = "mapping")]
    database: Option<PathBuf>,
    /// Take files of webMUSHRA or jsPsych; this file says which column is what
    #[arg(long, value_name = "FILE", conflicts_with = "database", requires = "answers")]
    mapping: Option<PathBuf>,
    /// Answers table to write, for `analyze --answers`
    #[arg(long, value_name = "FILE", requires = "mapping")]
    answers: Option<PathBuf>,
    /// Files and saved mails of participants, or files that the other tool wrote
    #[arg(required = true)]
    files: Vec<PathBuf>,
}

impl Import {
    pub(super) fn run(&self, output: Output) -> Result<()> {
        match (&self.database, &self.mapping, &self.answers) {
            (Some(database), ..) => self.handed_over(database, output),
            (None, Some(mapping), Some(table)) => self.recorded(mapping, table, output),
            _ => Err(Error::request("nowhere to put the answers", "give --database")),
        }
    }

    fn handed_over(&self, database: &Path, output: Output) -> Result<()> {
        let Imported { found, added, continued } =
            import_answers(&self.study, database, &self.files)?;
        let counts = serde_json::json!({ "found": found, "added": added, "continued": continued });
        output.show(&counts, || match continued {
            0 => format!("{added} new of {found} participations"),
            _ => format!("{added} new of {found} participations, {continued} continued"),
        });
        Ok(())
    }

    fn recorded(&self, mapping: &Path, table: &Path, output: Output) -> Result<()> {
        // it may be one of the files to be read
        if table.exists() {
            let what = format!("{} exists", table.display());
            return Err(Error::request(what, "name a new file"));
        }
        let recorded = read_recorded(&self.study, &Mapping::read(mapping)?, &self.files)?;
        let mut bytes = Vec::new();
        write_csv(&recorded.answers, &mut bytes)?;
        write_atomically(table, &bytes)?;
        let (taken, left_out) = (recorded.answers.len(), recorded.left_out);
        let counts = serde_json::json!({ "answers": taken, "left_out": left_out });
        output.show(&counts, || format!("{taken} answers taken, {left_out} rows left out"));
        Ok(())
    }
}
