//! Who is to be paid: the numbers of a platform with what became of each, apart from all answers.

use std::path::Path;

use rusqlite::Connection;
use serde::Serialize;

use crate::answers::safe_cell;
use crate::calendar::{now, second_of};
use crate::error::{Error, Result};
use crate::refusal::Refusal;
use crate::session::Sessions;
use crate::store;
use crate::study_folder::StudyFolder;

/// One number and what became of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Payment {
    /// The number, without blanks and in lower case.
    pub number: String,
    /// The address parameters as they came, `NAME=VALUE` and `;` between them.
    pub parameters: String,
    /// `complete`, `failed checks`, `screened out`, `under way` or `left`.
    pub state: &'static str,
    /// The completion code that was shown; empty if none was.
    pub code: String,
    /// When the last answer came, in UTC; empty before.
    pub finished: String,
    /// Minutes from consent to the last answer or sign of life.
    pub minutes: i64,
}

/// The pay list of a study, in order of number. It holds no code of a participant and no answer, and is no look
/// at results. Who was erased ("returned" on platforms) is not in it.
///
/// # Errors
/// [`trompe_base::Error::Request`] if there is no such database; errors of SQLite.
pub fn pay_list(study: &Path, database: &Path) -> Result<Vec<Payment>> {
    store::must_exist(database)?;
    let sessions = Sessions::new(StudyFolder::open(study)?);
    let connection = store::connect(database)?;
    store::prepare(&connection, database, &sessions.folder.sha256)?;
    list(&sessions, &connection).map_err(|refusal| {
        Error::bad_file(database, refusal.to_string(), "give the database of this study")
    })
}

/// One row of the query.
struct Row {
    number: String,
    parameters: String,
    code_hash: Vec<u8>,
    consented_at: i64,
    last_seen: i64,
    finished_at: Option<i64>,
    screened_out: bool,
}

/// The pay list of an open database.
pub(crate) fn list(sessions: &Sessions, connection: &Connection) -> Result<Vec<Payment>, Refusal> {
    let mut query = connection.prepare(
        "select worker, parameters, code_hash, consented_at, last_seen, finished_at, screened_out
         from crowd join sessions on session = id where dry_run = 0 and simulated = 0",
    )?;
    let rows = query.query_map([], |row| {
        Ok(Row {
            number: row.get(0)?,
            parameters: row.get(1)?,
            code_hash: row.get(2)?,
            consented_at: row.get(3)?,
            last_seen: row.get(4)?,
            finished_at: row.get(5)?,
            screened_out: row.get(6)?,
        })
    })?;
    let live_since = now() - i64::from(sessions.folder.study.plan.live_minutes) * 60;
    let mut payments = Vec::new();
    for row in rows {
        let row = row?;
        let end = sessions.end_of(connection, &row.code_hash)?;
        let code = end.map(|end| end.code).unwrap_or_default();
        let state = match row.finished_at {
            _ if row.screened_out => "screened out",
            Some(_) if code.is_empty() => "failed checks",
            Some(_) => "complete",
            None if row.last_seen >= live_since => "under way",
            None => "left",
        };
        payments.push(Payment {
            number: row.number,
            parameters: parameters(&row.parameters),
            state,
            code,
            finished: row.finished_at.map(second_of).unwrap_or_default(),
            minutes: (row.finished_at.unwrap_or(row.last_seen) - row.consented_at) / 60,
        });
    }
    payments.sort_by(|a, b| a.number.cmp(&b.number));
    Ok(payments)
}

fn parameters(json: &str) -> String {
    let read: std::collections::BTreeMap<String, String> =
        serde_json::from_str(json).unwrap_or_default();
    read.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ")
}

/// The list as CSV; text cells are formula-safe.
///
/// # Errors
/// [`trompe_base::Error::Request`] if the text cannot be assembled.
pub fn pay_csv(payments: &[Payment]) -> Result<Vec<u8>> {
    let failed = |error: csv::Error| Error::request(error.to_string(), "report this as a defect");
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer
        .write_record(["number", "parameters", "state", "code", "finished", "minutes"])
        .map_err(failed)?;
    for payment in payments {
        let cells = [
            safe_cell(&payment.number),
            safe_cell(&payment.parameters),
            payment.state.to_owned(),
            safe_cell(&payment.code),
            payment.finished.clone(),
            payment.minutes.to_string(),
        ];
        writer.write_record(cells).map_err(failed)?;
    }
    writer.into_inner().map_err(|error| Error::request(error.to_string(), "check the disk"))
}
