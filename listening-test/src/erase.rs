//! Erasure by the experimenter: of participants who lost their code, of simulated listeners, and of imported
//! answers.

use std::path::Path;

use rusqlite::params;

use crate::backup::{self, Unsettled};
use crate::error::{Error, Result};
use crate::session::code_hash_of;
use crate::store;
use crate::study_folder::StudyFolder;

/// Whose answers are erased.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Whose {
    /// Those of these participants, by number as exported or by personal code.
    Named(Vec<String>),
    /// Those of all simulated listeners.
    Simulated,
}

/// What an erasure did.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Erased {
    /// Number of people.
    pub erased: usize,
    /// Backups in which they are not erased yet.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unsettled: Vec<Unsettled>,
}

impl Erased {
    /// In words, one line for each backup that is left.
    pub fn in_words(&self) -> String {
        let left = self.unsettled.iter().map(|left| format!("\n{}", left.in_words()));
        format!("{} participants erased{}", self.erased, left.collect::<String>())
    }
}

/// Erases participants with everything they gave, in the database and its log, also while the
/// study is served, and in its backups. Gives their number, and the backups that were not at hand.
///
/// # Errors
/// [`trompe_base::Error::Request`] if there is no such database or a name is nobody's (then nobody is
/// erased), or if the log could not be emptied because somebody reads it; errors of SQLite.
pub fn erase(study: &Path, database: &Path, whose: &Whose) -> Result<Erased> {
    let folder = StudyFolder::open(study)?;
    store::must_exist(database)?;
    let mut connection = store::connect(database)?;
    store::prepare(&connection, database, &folder.sha256)?;
    let transaction = connection.transaction()?;
    let mut erased = 0;
    match whose {
        Whose::Simulated => {
            erased = transaction.execute("delete from sessions where simulated = 1", [])?;
        }
        Whose::Named(names) => {
            for name in names {
                let count = transaction.execute(
                    "delete from sessions where participant = ?1 or code_hash = ?2",
                    params![name, code_hash_of(name)],
                )?;
                if count == 0 {
                    return Err(Error::request(
                        format!(
                            "no participant {name:?} in {}; no one was erased",
                            database.display()
                        ),
                        "give numbers as in participants.csv, or personal codes",
                    ));
                }
                erased += count;
            }
        }
    }
    transaction.commit()?;
    let unsettled = backup::settle(&connection)?;
    store::empty_log_of(&connection)?;
    Ok(Erased { erased, unsettled })
}
