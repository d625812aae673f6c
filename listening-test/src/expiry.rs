//! Erasure by the date that participants were promised.
//!
//! `serve` erases by itself, but not on the word of one look at the clock: a clock that jumps into
//! the future must not destroy a study. It notes the first time at which the day was over and
//! erases a day later, if the clock still says so; the note goes when the clock comes back.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension};

use crate::backup;
use crate::calendar::{day_of, now};
use crate::erase::Erased;
use crate::error::{Error, Result};
use crate::refusal::Refusal;
use crate::store;
use crate::study::Study;
use crate::study_folder::StudyFolder;

/// Seconds between the first notice that the day is over and the erasure.
const GRACE: i64 = 86_400;

/// Whether the day up to which answers are kept is over.
fn over(study: &Study, now: i64) -> bool {
    *study.consent.retain_until < *day_of(now)
}

/// Erases everybody if the day has been over for long enough. Gives the number of people.
pub(crate) fn erase_when_due(
    study: &Study,
    connection: &Connection,
    now: i64,
) -> Result<Option<usize>, Refusal> {
    if !over(study, now) {
        connection.execute("delete from meta where name = 'over_since'", [])?;
        return Ok(None);
    }
    let since: Option<String> = connection
        .query_row("select value from meta where name = 'over_since'", [], |row| row.get(0))
        .optional()?;
    match since.and_then(|since| since.parse::<i64>().ok()) {
        None => {
            connection.execute(
                "insert or replace into meta values ('over_since', ?1)",
                [now.to_string()],
            )?;
            Ok(None)
        }
        Some(since) if now - since < GRACE => Ok(None),
        Some(_) => Ok(Some(erase_all(connection)?)),
    }
}

fn erase_all(connection: &Connection) -> Result<usize, rusqlite::Error> {
    let people = connection.execute("delete from sessions", [])?;
    connection.execute("delete from refusals", [])?;
    Ok(people)
}

/// Erases everybody at once, if the day up to which answers are kept is over. Gives the number of
/// people, and the backups that were not at hand.
///
/// # Errors
/// [`trompe_base::Error::Request`] if the day is not over, if there is no such database, or if the log
/// could not be emptied because somebody reads it; errors of SQLite.
pub fn expire(study: &Path, database: &Path) -> Result<Erased> {
    let folder = StudyFolder::open(study)?;
    let day = &folder.study.consent.retain_until;
    if !over(&folder.study, now()) {
        return Err(Error::request(
            format!("participants were promised erasure after {day}, which is not over"),
            "wait, or erase participants by name with `listen erase`",
        ));
    }
    store::must_exist(database)?;
    let mut connection = store::connect(database)?;
    store::prepare(&connection, database, &folder.sha256)?;
    let transaction = connection.transaction()?;
    let erased = erase_all(&transaction)?;
    transaction.commit()?;
    let unsettled = backup::settle(&connection)?;
    store::empty_log_of(&connection)?;
    Ok(Erased { erased, unsettled })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_jumps_erases_nobody_and_a_day_that_stays_over_does() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.sqlite");
        let connection = store::connect(&path).unwrap();
        store::prepare(&connection, &path, "x").unwrap();
        connection
            .execute_batch(
                "insert into sessions (participant, code_hash, plan, language, consent_version,
                 consented_at, last_seen, completion_code, dry_run, simulated)
                 values ('p-1', x'00', 0, 'en', 'v', 1, 1, '', 0, 0);
                 insert into answers (session, attempt, step, key, content, received_at)
                 values (1, 0, 0, 'key', '{}', 7);",
            )
            .unwrap();
        let study: Study = toml::from_str(crate::study::tests::SMALL).unwrap();
        let day = 86_400;
        let last = 1_893_456_000; // 2030-01-01, the last day of the study
        let look = |now| erase_when_due(&study, &connection, now).unwrap();
        assert_eq!(look(last + day - 1), None);
        // a jump of three days ahead for an hour, and back
        assert_eq!(look(last + 3 * day), None);
        assert_eq!(look(last + 3 * day + 3600), None);
        assert_eq!(look(last), None);
        // over, and a day later still
        assert_eq!(look(last + day), None);
        assert_eq!(look(last + 2 * day - 1), None);
        assert_eq!(look(last + 2 * day), Some(1));
        let left: i64 =
            connection.query_row("select count(*) from answers", [], |row| row.get(0)).unwrap();
        assert_eq!(left, 0);
    }
}
