//! From a study folder and its database to everything that is reported of it.

use std::path::Path;

use super::fooling_sets::{AGREEMENT_FILE, HumanAgreement, human_agreement};
use super::machine::ItemRow;
use super::plan::Plan;
use super::report::{Report, analyze};
use crate::answers::AnswerRow;
use crate::error::{Error, Result};
use crate::export::{Export, SIMULATED};
use crate::files::write_atomically;
use crate::key::StudyFolder;
use crate::study::Task;

/// Whose answers are analyzed: those of people and of programs are never put together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// People.
    People,
    /// Simulated listeners, to try the analysis out; everything is labelled so.
    Simulated,
}

/// What a study says.
#[derive(Debug, Clone, PartialEq)]
pub struct StudyResults {
    /// The report: page, numbers, tables.
    pub report: Report,
    /// Human agreement with each fooling set.
    pub agreement: HumanAgreement,
    /// The answers analyzed, excluded ones included.
    pub answers: Vec<AnswerRow>,
}

/// Analyzes the answers of a study by the plan in its `study.toml`.
///
/// # Errors
/// [`Error::Request`] if there are no such answers; those of [`analyze`].
pub fn analyze_study(folder: &StudyFolder, export: &Export, who: Who) -> Result<StudyResults> {
    let simulated = |row: &&AnswerRow| row.participant.starts_with("sim-");
    let wanted = who == Who::Simulated;
    let mut answers: Vec<AnswerRow> =
        export.answers.iter().filter(|row| simulated(row) == wanted).cloned().collect();
    if wanted {
        // out of a study of people, but not of their own
        answers.iter_mut().for_each(|row| {
            row.excluded.take_if(|reason| reason == SIMULATED);
        });
    }
    if answers.is_empty() {
        let (whose, remedy) = match who {
            Who::People => ("people", "wait for answers, or ask for those of simulated listeners"),
            Who::Simulated => ("simulated listeners", "run `trompe listen simulate` first"),
        };
        return Err(Error::request(format!("there are no answers of {whose}"), remedy));
    }
    let plan = plan_of(folder);
    let mut report = analyze(&answers, &items(folder), &plan)?;
    if folder.study.synthetic {
        report.warnings.insert(0, "This study uses synthetic material".to_owned());
    }
    if export.early_looks > 0 {
        report.warnings.push(format!(
            "results were looked at {} time(s) before the last answer came in",
            export.early_looks
        ));
    }
    let agreement = human_agreement(folder, &answers, &report);
    Ok(StudyResults { report, agreement, answers })
}

/// The study's plan, with the classes and scales that its blocks offer.
fn plan_of(folder: &StudyFolder) -> Plan {
    let mut plan = folder.study.analysis.clone();
    for block in &folder.study.blocks {
        match block.task {
            Task::Choice => {
                plan.classes.insert(block.name.clone(), block.classes.clone());
            }
            Task::Likert => {
                plan.scales.insert(block.name.clone(), block.scale);
            }
            Task::Abx | Task::Ab => {}
        }
    }
    plan
}

fn items(folder: &StudyFolder) -> Vec<ItemRow> {
    let row = |item: &crate::key::Item| ItemRow {
        item: item.name.clone(),
        posterior: item.posterior,
        classifier_label: None,
    };
    folder.key.items.iter().map(row).collect()
}

impl StudyResults {
    /// Writes `report.html`, `report.json`, `agreement.json`, `answers.csv` and one CSV a table with its
    /// codebook into the folder `out`.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn write(&self, out: &Path) -> Result<()> {
        std::fs::create_dir_all(out).map_err(|source| Error::io(out, source))?;
        let write = |name: &str, text: &str| write_atomically(&out.join(name), text.as_bytes());
        let agreement = serde_json::to_string_pretty(&self.agreement)
            .map_err(|error| Error::request(error.to_string(), "report this as a fault"))?;
        for (name, table) in self.report.tables()? {
            write(&name, &table)?;
        }
        let mut answers = Vec::new();
        crate::answers::write_csv(&self.answers, &mut answers)?;
        write_atomically(&out.join("answers.csv"), &answers)?;
        write(AGREEMENT_FILE, &(agreement + "\n"))?;
        write("report.json", &self.report.json()?)?;
        write("report.html", &self.report.html())
    }
}
